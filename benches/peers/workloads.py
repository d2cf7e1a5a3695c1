"""What is timed: the training workloads and the calls from Python, with their goals; data, first weights, floors.

One training step gathers a batch by a shuffled index, goes forward, takes the loss, goes backward and updates. A batch
of all rows is taken as it stands.
Data are random and float32, the same for every peer.

The goals in microseconds were set on one core of AMD Zen 4 whose multiply-add units did 116 GFLOP/s; on other machines
the goals against the fastest peer, which was timed in the same rounds, say more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

LEARNING_RATE = {"sgd": 0.01, "adam": 1e-3, "radam": 1e-3}
# For steps that are repeated on one batch. A network that fits it has gradients so small that their squares are
# subnormal numbers, which take the processor longer: Adam on 8-64-64-4 and one row 5.5 microseconds instead of 4.0.
STANDSTILL = 1e-9


@dataclass(frozen=True)
class Workload:
    """One row of the table.

    ``goal``: microseconds on one thread. ``ratio``: the goal against the fastest peer on one thread, in times as fast.
    ``gain``: the goal of two threads against one, in times as fast. ``l2``, ``dropout`` (after each hidden layer) and
    ``weighs_rows`` are chainrule's alone: no row that has them is in the table of the peers.
    """

    name: str
    sizes: tuple[int, ...]
    batch: int
    rows: int
    optimizer: str
    loss: str
    goal: float | None = None
    ratio: float | None = None
    gain: float = 1.0
    activation: str = "relu"
    dtype: str = "float32"
    stands_still: bool = False
    l2: float = 0.0
    dropout: float = 0.0
    weighs_rows: bool = False

    @property
    def steps(self) -> int:
        """Updates in one epoch; every batch is full."""
        return self.rows // self.batch

    @property
    def shuffles(self) -> bool:
        """Whether the order of the rows says anything: not where one batch holds them all."""
        return self.batch < self.rows

    @property
    def classifies(self) -> bool:
        """Whether the targets are labels."""
        return self.loss == "cross_entropy"

    @property
    def learning_rate(self) -> float:
        """Step size that every peer uses."""
        return STANDSTILL if self.stands_still else LEARNING_RATE[self.optimizer]

    @property
    def n_parameters(self) -> int:
        """Weights and biases."""
        return sum((n_in + 1) * n_out for n_in, n_out in zip(self.sizes, self.sizes[1:], strict=False))

    @property
    def flop(self) -> float:
        """Floating-point operations of one step: 6 W a row, less the first layer's unneeded dL/dx."""
        weights = sum(n_in * n_out for n_in, n_out in zip(self.sizes, self.sizes[1:], strict=False))
        return self.batch * (6 * weights - 2 * self.sizes[0] * self.sizes[1])

    def goal_on(self, threads: int) -> float | None:
        """Microseconds that the step should take; more threads than two have no goal."""
        gain = {1: 1.0, 2: self.gain}.get(threads)
        return self.goal / gain if self.goal and gain else None

    def floor(self, gflops: float, threads: int = 1) -> float:
        """Microseconds that the step would take with every product at the peak ``gflops`` of all its threads.

        The update adds its own time a parameter: Adam is bound by its square root and division (0.28 ns), plain
        gradient descent by the caches (0.05 ns) or, past them, by memory (0.32 ns). tanh adds 0.285 ns a unit and row;
        ReLU costs nothing. These were measured on one core of AMD Zen 4; threads share them evenly.
        """
        resident = self.n_parameters * 8 < 32e6
        update = 0.28 if self.optimizer == "adam" else 0.05 if resident else 0.32
        units = 0.285 * self.batch * sum(self.sizes[1:-1]) if self.activation == "tanh" else 0.0
        return self.flop / gflops * 1e-3 + (self.n_parameters * update + units) / threads * 1e-3


WORKLOADS = {
    w.name: w
    for w in (
        Workload("iris", (4, 16, 3), 16, 3200, "sgd", "cross_entropy", 0.45, 30),
        Workload("policy", (8, 64, 64, 4), 64, 4096, "adam", "mse", 19, 3.1),
        Workload("tab", (32, 64, 64, 1), 64, 4096, "adam", "mse", 22.3, 2.65),
        Workload("digits", (64, 100, 10), 200, 4000, "adam", "cross_entropy", 65.5, 2.85),
        Workload("mnist-s", (784, 128, 10), 128, 4096, "adam", "cross_entropy", 515, 1.3),
        Workload("mnist-l", (784, 512, 512, 10), 128, 4096, "adam", "cross_entropy", 3900, 1.2, 1.85),
        Workload("wide", (1024, 2048, 2048, 1000), 256, 1024, "sgd", "cross_entropy", 110_000, 1.1, 1.85),
        # The network that SimpleChains.jl shows itself with, all rows as one batch. Its authors publish 41 microseconds
        # a step on 18 cores, and 164 on the four cores of an i7-1165G7.
        Workload("simplechains", (4, 32, 16, 4), 10_000, 10_000, "adam", "mse", 560, None, 560 / 290, "tanh"),
    )
}


def extras(sizes: tuple[int, ...], loss: str) -> list[Workload]:
    """Return a plain workload and, after it, the same with one option more each.

    They stand still: a penalty makes the weights of units that are off so small that they are subnormal numbers.
    """
    plain = Workload(f"{'-'.join(map(str, sizes))} adam", sizes, 64, 4096, "adam", loss, stands_still=True)
    return [
        plain,
        replace(plain, name=f"{plain.name} + l2", l2=0.01),
        replace(plain, name=f"{plain.name} + weights", weighs_rows=True),
        replace(plain, name=plain.name.replace("adam", "radam"), optimizer="radam"),
        replace(plain, name=f"{plain.name} + dropout", dropout=0.2),
    ]


# Options that are not in the table: a step with one of them should cost what it adds in arithmetic, and no more.
EXTRAS = [
    extras((8, 64, 64, 4), "mse"),
    extras((13, 37, 29, 5), "cross_entropy"),
    extras((64, 100, 10), "cross_entropy"),
]
BY_NAME = WORKLOADS | {workload.name: workload for group in EXTRAS for workload in group}


@dataclass(frozen=True)
class Call:
    """One row of the tables of single calls: ``step`` or ``predict`` on so many rows, with a goal in microseconds."""

    kind: str
    sizes: tuple[int, ...]
    loss: str
    rows: int
    goal: float

    @property
    def name(self) -> str:
        """What the row is called."""
        return f"{self.kind} {'-'.join(map(str, self.sizes))}, {self.rows} row{'s' * (self.rows > 1)}"

    @property
    def workload(self) -> Workload:
        """The network that is called, with data enough for a call and for every class."""
        rows = max(self.rows, self.sizes[-1])
        return Workload(self.name, self.sizes, self.rows, rows, "adam", self.loss, stands_still=True)


CALLS = {
    call.name: call
    for call in (
        Call("step", (8, 64, 64, 4), "mse", 1, 4),
        Call("step", (8, 64, 64, 4), "mse", 32, 14),
        Call("predict", (4, 16, 3), "cross_entropy", 1, 0.6),
        Call("predict", (8, 64, 64, 4), "mse", 1, 1),
        Call("predict", (784, 128, 10), "cross_entropy", 1, 5),
        Call("predict", (8, 64, 64, 4), "mse", 256, 25),
        Call("predict", (64, 100, 10), "cross_entropy", 256, 40),
        Call("predict", (784, 128, 10), "cross_entropy", 256, 480),
    )
}


def data(workload: Workload) -> tuple[np.ndarray, np.ndarray]:
    """Return X (rows, n_in) and y: labels (rows,) int64 with every class, or values (rows, n_out) as X is."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((workload.rows, workload.sizes[0]), dtype=np.float32)
    if workload.classifies:
        y = rng.permutation(workload.rows).astype(np.int64) % workload.sizes[-1]
    else:
        y = rng.standard_normal((workload.rows, workload.sizes[-1]), dtype=np.float32).astype(workload.dtype)
    return x.astype(workload.dtype), y


def first_weights(workload: Workload) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the weights (n_in, n_out) and biases (n_out,) that every peer starts from, Glorot uniform."""
    rng = np.random.default_rng(2)
    weights, biases = [], []
    for n_in, n_out in zip(workload.sizes, workload.sizes[1:], strict=False):
        limit = np.sqrt(6 / (n_in + n_out))
        weights.append(rng.uniform(-limit, limit, (n_in, n_out)).astype(np.float32).astype(workload.dtype))
        biases.append(np.zeros(n_out, workload.dtype))
    return weights, biases


def sample_weights(workload: Workload) -> np.ndarray | None:
    """Return what each row counts, (rows,), or None where all count the same."""
    return np.random.default_rng(3).uniform(0.5, 1.5, workload.rows) if workload.weighs_rows else None
