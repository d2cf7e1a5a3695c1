"""The guard of the arithmetic: hashes of what fixed trainings compute, for every instruction set.

A change that should not change arithmetic changes none of them. `python -m tests.bits` prints the hashes of this
processor's best instruction set, or of the one that CHAINRULE_TARGET names; with `--write` it writes them to
tests/golden/bits.json, for the reviewer to see which of them moved.
"""
