"""chainrule beside itself: on one thread beside several, in float64, and with the CPU's smaller vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .machine import describe
from .workloads import Workload

OURS = "chainrule"


@dataclass(frozen=True)
class Variant:
    """Another way to run chainrule in the same rounds.

    ``slower``: whether its time is divided by chainrule's own, so that more is better, or the other way round.
    ``goal``: the least that this quotient should be on a workload and a number of threads.
    """

    remark: str
    title: str
    goal: Callable[[Workload, int], float]
    slower: bool = False
    threads: int | None = None
    dtype: str = "float32"
    variables: Mapping[str, str] = field(default_factory=dict)


# Two threads have goals of their own; for any number of them the least is that they are not slower than one.
ONE = Variant(
    "on 1 thread", "{threads} threads against 1", lambda w, n: w.gain if n == 2 else 1, slower=True, threads=1
)
FLOAT64 = Variant("float64", "float64 against float32, 1 thread", lambda *_: 0.5, dtype="float64")
AVX2 = Variant("avx2", "AVX2 against AVX-512, 1 thread", lambda *_: 0.92, variables={"CHAINRULE_TARGET": "avx2"})


def on(threads: int) -> list[Variant]:
    """Return what is worth running beside chainrule on so many threads of this machine."""
    if threads > 1:
        return [ONE]
    return [FLOAT64, AVX2] if describe()["vectors"] == "avx512" else [FLOAT64]
