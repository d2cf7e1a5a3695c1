"""Random numbers: published vectors of the generators, golden draws that must never change, and their distributions."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.reference import Dropout, Network
from chainrule.reference.rng import DROPOUT, GOLDEN, SAMPLE, SHUFFLE, WEIGHTS, Stream, ln, mix64, splitmix64


def test_splitmix64_published_vector():
    # Rosetta Code, "Pseudo-random numbers/Splitmix64".
    words = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert list(itertools.islice(splitmix64(1234567), 5)) == words


def test_mix64_of_one_increment_is_the_first_word_of_seed_zero():
    assert mix64(GOLDEN) == next(splitmix64(0)) == 0xE220A8397B1DCDAF


def test_xoshiro256_plus_plus_published_vector():
    # rand_xoshiro's test vector, made with Blackman & Vigna's C code from the state 1, 2, 3, 4.
    stream = Stream(0, WEIGHTS, 0)
    stream._state = [1, 2, 3, 4]
    assert [stream.next_u64() for _ in range(10)] == [
        41943041,
        58720359,
        3588806011781223,
        3591011842654386,
        9228616714210784205,
        9973669472204895162,
        14011001112246962877,
        12406186145184390807,
        15849039046786891736,
        10450023813501588000,
    ]


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        ((0, WEIGHTS, 0), [18033454065017673934, 13647662111921605750, 1190516019033460193]),
        ((0, WEIGHTS, 1), [13333434868929633786, 10451237622217957189, 1792032444220788834]),
        ((0, SHUFFLE, 0), [6320088523671671206, 7361690999865083890, 5534371065601766427]),
        ((2**63 - 1, DROPOUT, 458754), [5894973582559105035, 17768320499929736442, 6809001383320645639]),
        ((1, SAMPLE, 0), [16146378345186853348, 15762401087587353933, 448108854194771170]),
        ((42, SHUFFLE, 2**40), [4457972994680444570, 17941029690770897347, 18051366342111160006]),
    ],
)
def test_golden_words(stream, words):
    generator = Stream(*stream)
    assert [generator.next_u64() for _ in words] == words


def test_golden_uniforms():
    stream = Stream(0, WEIGHTS, 0)
    expected = [0.9775955037354856, 0.7398412455546756, 0.0645380027107435, 0.1430627751924466]
    assert [stream.uniform() for _ in expected] == expected


def test_golden_normals():
    stream = Stream(0, WEIGHTS, 0)
    expected = [
        0.20785050429185545,
        -0.6799727452900234,
        0.6942952958848082,
        1.4184492657994447,
        0.6289916874244653,
    ]
    assert [stream.normal() for _ in expected] == expected


def test_golden_permutations():
    assert [Stream(3, SHUFFLE, 1).permutation(n) for n in (0, 1, 2)] == [[], [0], [1, 0]]
    assert Stream(3, SHUFFLE, 1).permutation(10) == [8, 5, 1, 9, 7, 0, 2, 6, 3, 4]


def test_golden_integers_below():
    stream = Stream(0, SAMPLE, 0)
    assert [stream.below(3) for _ in range(8)] == [2, 1, 0, 2, 0, 2, 1, 2]
    # Nearly half of all products are drawn again for such an n.
    large = [5674480321172339101, 4293189846030032080, 7764595868581405165, 592052772778450496]
    assert [stream.below(2**63 + 12345) for _ in large] == large


def test_golden_masks():
    assert Dropout(0.5).mask(Stream(7, DROPOUT, 3 * 65536 + 1), 2, 5) == [
        [2.0, 0.0, 0.0, 0.0, 2.0],
        [2.0, 2.0, 0.0, 2.0, 2.0],
    ]
    assert Dropout(0.2).mask(Stream(7, DROPOUT, 0), 2, 6) == [
        [0.0, 1.25, 1.25, 1.25, 1.25, 0.0],
        [1.25, 1.25, 1.25, 0.0, 1.25, 1.25],
    ]


def test_golden_weights():
    expected = [-0.8442520768904344, 0.9828729255011008, 1.0912591664004403, 0.15168915338481598, 0.0, 0.0]
    expected += [0.20021287572060692, -0.9829800393094551, 0.0]
    assert Network([2, 2, 1], seed=5, dtype="float64").parameters == expected
    # The same, rounded to float32.
    expected = [-0.8442520499229431, 0.9828729033470154, 1.0912591218948364, 0.15168915688991547, 0.0, 0.0]
    expected += [0.20021288096904755, -0.9829800128936768, 0.0]
    assert Network([2, 2, 1], seed=5).parameters == expected


def test_dropout_layers_count_in_the_position_of_a_layer():
    plain = Network([2, 3, 3, 1], seed=0).weights
    with_dropout = Network([2, 3, Dropout(0.5), 3, 1], seed=0).weights
    assert with_dropout[0] == plain[0]
    assert with_dropout[1] != plain[1]


@given(st.floats(min_value=2.0**-200, max_value=1.0, exclude_max=True))
def test_ln_is_the_logarithm(s):
    assert ln(s) == pytest.approx(math.log(s), rel=1e-15, abs=0)


def test_ln_is_the_logarithm_at_the_seams():
    for e in range(1, 200):
        for m in (0.5, 0.7071067811865475, 0.7071067811865476, 0.7071067811865477, 1.0 - 2.0**-53):
            s = m * 2.0 ** (1 - e)
            if s < 1.0:
                assert ln(s) == pytest.approx(math.log(s), rel=1e-15, abs=0)


def test_uniform_is_even():
    stream = Stream(1, SAMPLE, 0)
    n, cells = 20_000, 20
    counts = [0] * cells
    for _ in range(n):
        counts[int(stream.uniform() * cells)] += 1
    chi_squared = sum((count - n / cells) ** 2 / (n / cells) for count in counts)
    assert chi_squared < 43.8  # exceeded once in a thousand seeds, at 19 degrees of freedom


def test_normal_has_the_moments_of_a_normal():
    stream = Stream(1, SAMPLE, 1)
    n = 20_000
    draws = [stream.normal() for _ in range(n)]
    for power, moment, variance in ((1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)):
        mean = sum(x**power for x in draws) / n
        assert abs(mean - moment) < 4.0 * math.sqrt(variance / n)  # four standard errors


@given(st.integers(1, 60), st.integers(0, 2**63 - 1))
def test_permutation_has_every_number_once(n, seed):
    assert sorted(Stream(seed, SHUFFLE, 0).permutation(n)) == list(range(n))


@given(st.integers(1, 2**64 - 1), st.integers(0, 2**63 - 1))
def test_below_is_below(n, seed):
    assert 0 <= Stream(seed, SAMPLE, 0).below(n) < n


def test_every_order_of_three_is_equally_likely():
    counts = dict.fromkeys(itertools.permutations(range(3)), 0)
    n = 6000
    for epoch in range(n):
        counts[tuple(Stream(0, SHUFFLE, epoch).permutation(3))] += 1
    chi_squared = sum((count - n / 6) ** 2 / (n / 6) for count in counts.values())
    assert chi_squared < 20.5  # once in a thousand, at 5 degrees of freedom
