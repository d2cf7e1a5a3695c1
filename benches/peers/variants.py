"""Variants of chainrule to compare it with: on one thread, in float64, and with the CPU's smaller vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .machine import describe
from .workloads import Workload

OURS = "chainrule"


@dataclass(frozen=True)
class Variant:
    """Another way to run chainrule in the same rounds.

    ``slower``: whether the quotient is the variant's time over chainrule's own, or the inverse; more is better.
    ``goal``: the smallest acceptable quotient for a workload and a number of threads.
    """

    remark: str
    title: str
    goal: Callable[[Workload, int], float]
    slower: bool = False
    threads: int | None = None
    dtype: str = "float32"
    variables: Mapping[str, str] = field(default_factory=dict)


# Two threads have their own goals. Any other number must at least not be slower than one.
ONE = Variant(
    "on 1 thread", "{threads} threads against 1", lambda w, n: w.gain if n == 2 else 1, slower=True, threads=1
)
FLOAT64 = Variant("float64", "float64 against float32, 1 thread", lambda *_: 0.5, dtype="float64")
AVX2 = Variant("avx2", "AVX2 against AVX-512, 1 thread", lambda *_: 0.92, variables={"CHAINRULE_TARGET": "avx2"})


def on(threads: int) -> list[Variant]:
    """Return the variants worth running on `threads` threads of this machine."""
    if threads > 1:
        return [ONE]
    return [FLOAT64, AVX2] if describe()["vectors"] == "avx512" else [FLOAT64]
