"""The guard of the arithmetic: hashes of the results of fixed trainings, for every instruction set.

A change that should not affect arithmetic must not change a hash. `python -m tests.bits` prints the hashes of this
processor's best instruction set, or of the one that CHAINRULE_TARGET names. With `--write` it writes them to
tests/golden/bits.json, so a reviewer can see which of them changed.
"""
