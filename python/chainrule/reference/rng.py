"""Random numbers that never change: the same seed gives the same weights, masks and orders, here and in the fast core.

Every use has random numbers of its own, named by the seed and a few counters, so nothing depends on what was drawn
before: epoch 7 is shuffled alike in a run that was never stopped and in one that was loaded after epoch 6.

    key      x = seed, then x ← mix64(x + GOLDEN · (part + 1)) for each part

    Stream   key(seed, purpose, index) ─▶ SplitMix64 ─▶ four words ─▶ xoshiro256++ ─▶ 64 bits ─▶ uniform, normal, …
    Draws    key(seed, DROPOUT, layer, update, row, pair of units) ─▶ 64 bits: 32 for each unit of the pair

A `Stream` is a sequence: its numbers are taken one after the other. `Draws` has no order: the bits of a unit depend on
where the unit is and on nothing else (a counter-based generator, Salmon et al. 2011). Any rows of a dropout mask can be
drawn alone, in any order and on any thread, and the way back can draw them again instead of keeping them. All sums and
products of whole numbers wrap at 2^64.

Steele, Lea & Flood 2014 (SplitMix64); Blackman & Vigna 2021 (xoshiro256++). Only integers of 64 bits and the exactly
rounded operations of IEEE doubles (+ − × ÷ √) are used, and no exp, log or sine of the platform, so every machine
agrees to the bit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# The purposes, with the counters that tell the random numbers of one purpose apart.
WEIGHTS = 1  # position of the layer
SHUFFLE = 2  # epoch
# 3 was the purpose of dropout masks that were drawn as a sequence; it is not used again.
DROPOUT = 4  # position of the layer, updates made, row of the batch, pair of units
SAMPLE = 5  # free: which parameters a check looks at

GOLDEN = 0x9E3779B97F4A7C15  # 2^64 / φ, odd
MASK = 0xFFFFFFFFFFFFFFFF  # Python's integers are endless, those here wrap at 2^64


def mix64(z: int) -> int:
    """Return 64 bits that depend on every bit of `z` (the finalizer of SplitMix64).

    >>> mix64(GOLDEN)
    16294208416658607535
    """
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
    return z ^ (z >> 31)


def key(x: int, *parts: int) -> int:
    """Return 64 bits that depend on `x` and on each part, in their order.

    >>> key(0, WEIGHTS, 0) == key(key(0, WEIGHTS), 0)
    True
    """
    for part in parts:
        x = mix64((x + GOLDEN * (part + 1)) & MASK)
    return x


def splitmix64(x: int) -> Iterator[int]:
    """Yield the words of SplitMix64 from the state `x`.

    >>> next(splitmix64(1234567))
    6457827717110365317
    """
    while True:
        x = (x + GOLDEN) & MASK
        yield mix64(x)


def ln(s: float) -> float:
    """Return the natural logarithm of 0 < s < 1, by the same operations on every machine.

    >>> ln(0.5)
    -0.6931471805599453
    """
    # s = m · 2^e  with m in [√½, √2), hence  ln s = ln m + e ln 2.
    m, e = math.frexp(s)
    if m < 0.7071067811865476:
        m, e = m * 2.0, e - 1
    # ln m = 2 artanh t = 2 (t + t³/3 + t⁵/5 + …)  with  t = (m − 1) / (m + 1).  |t| < 0.172, so the first term left
    # out, t²⁵/25, is below 1e-19 of the sum.
    t = (m - 1.0) / (m + 1.0)
    t2 = t * t
    series = 0.0
    for k in range(23, 0, -2):
        series = series * t2 + 1.0 / k
    return 2.0 * t * series + e * 0.6931471805599453


class Stream:
    """The random numbers of one use.

    Parameters
    ----------
    seed : int
        In [0, 2**63).
    purpose : int
        WEIGHTS, SHUFFLE or SAMPLE.
    index : int
        Tells streams of one purpose apart.

    Examples
    --------
    >>> stream = Stream(0, SHUFFLE, 0)
    >>> stream.permutation(5)
    [2, 3, 0, 4, 1]
    """

    def __init__(self, seed: int, purpose: int, index: int) -> None:
        words = splitmix64(key(seed, purpose, index))
        self._state = [next(words) for _ in range(4)]
        self._next_normal: float | None = None

    def next_u64(self) -> int:
        """Return 64 random bits: one step of xoshiro256++."""
        s0, s1, s2, s3 = self._state
        result = (_rotate_left((s0 + s3) & MASK, 23) + s0) & MASK
        t = (s1 << 17) & MASK
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= t
        s3 = _rotate_left(s3, 45)
        self._state = [s0, s1, s2, s3]
        return result

    def uniform(self) -> float:
        """Return a number in [0, 1), a multiple of 2⁻⁵³."""
        return (self.next_u64() >> 11) * 2.0**-53

    def below(self, n: int) -> int:
        """Return an integer in [0, n), all equally likely."""
        # high 64 bits of (random · n); the few products that would make some results likelier are drawn again
        # (Lemire 2019, algorithm 5).
        product = self.next_u64() * n
        if product & MASK < n:
            threshold = (2**64 - n) % n
            while product & MASK < threshold:
                product = self.next_u64() * n
        return product >> 64

    def permutation(self, n: int) -> list[int]:
        """Return 0 … n − 1 in random order (Fisher and Yates)."""
        p = list(range(n))
        for i in range(n - 1, 0, -1):
            j = self.below(i + 1)
            p[i], p[j] = p[j], p[i]
        return p

    def normal(self) -> float:
        """Return a number from the normal distribution of mean 0 and variance 1."""
        # Marsaglia & Bray 1964: a random point (u, v) of the unit disk, s = u² + v², gives two normals at once,
        # u √(−2 ln s / s) and v √(−2 ln s / s).
        if self._next_normal is not None:
            result, self._next_normal = self._next_normal, None
            return result
        s = 0.0
        while not 0.0 < s < 1.0:
            u = 2.0 * self.uniform() - 1.0
            v = 2.0 * self.uniform() - 1.0
            s = u * u + v * v
        f = math.sqrt(-2.0 * ln(s) / s)
        self._next_normal = v * f
        return u * f


class Draws:
    """The random bits of one layer in one update.

    Parameters
    ----------
    seed : int
        In [0, 2**63).
    layer : int
        Its position in the network, from 0.
    update : int
        How many updates have been made before.

    Examples
    --------
    >>> Draws(0, layer=1, update=0).bits(row=0, n_units=3)
    [1879987363, 1698556831, 831700173]
    """

    def __init__(self, seed: int, layer: int, update: int) -> None:
        self._key = key(seed, DROPOUT, layer, update)

    def bits(self, row: int, n_units: int) -> list[int]:
        """Return 32 random bits, as a whole number, for each unit of a row of the batch."""
        row_key = key(self._key, row)
        pairs = [key(row_key, pair) for pair in range((n_units + 1) // 2)]
        return [bits for pair in pairs for bits in (pair & 0xFFFFFFFF, pair >> 32)][:n_units]


def _rotate_left(x: int, k: int) -> int:
    return ((x << k) | (x >> (64 - k))) & MASK
