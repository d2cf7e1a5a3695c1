"""No bit of a fixed training changes unintentionally: see tests/bits."""

import platform
import sys

import pytest

from chainrule import _native

from .bits import golden


@pytest.mark.skipif(
    sys.platform != "linux" or platform.libc_ver()[0] != "glibc",
    reason="some scalars, such as the powers of beta_2, are those of the C library: the hashes are glibc's",
)
@pytest.mark.parametrize("isa", _native.targets())
def test_bits_of_fixed_trainings_stay(isa):
    expected, found = golden.expected(isa), golden.measured(isa)
    assert found.keys() == expected.keys(), "cases came or went: python -m tests.bits --write"
    changed = [case for case, value in expected.items() if found[case] != value]
    assert not changed, f"{len(changed)} of {len(expected)} cases have other bits: {changed[:20]}"
