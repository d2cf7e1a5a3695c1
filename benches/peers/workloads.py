"""The seven training workloads: sizes, data, first weights, and the floating-point work of one step.

One training step gathers a batch by a shuffled index, goes forward, takes the loss, goes backward and updates.
Hidden layers are ReLU; data are random and float32, the same for every peer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEARNING_RATE = {"sgd": 0.01, "adam": 1e-3}


@dataclass(frozen=True)
class Workload:
    """One row of the table. ``ratio`` is the goal against the fastest peer, in times as fast."""

    name: str
    sizes: tuple[int, ...]
    batch: int
    rows: int
    optimizer: str
    loss: str
    ratio: float | None = None

    @property
    def steps(self) -> int:
        """Updates in one epoch; every batch is full."""
        return self.rows // self.batch

    @property
    def classifies(self) -> bool:
        """Whether the targets are labels."""
        return self.loss == "cross_entropy"

    @property
    def learning_rate(self) -> float:
        """Step size that every peer uses."""
        return LEARNING_RATE[self.optimizer]

    @property
    def n_parameters(self) -> int:
        """Weights and biases."""
        return sum((n_in + 1) * n_out for n_in, n_out in zip(self.sizes, self.sizes[1:], strict=False))

    @property
    def flop(self) -> float:
        """Floating-point operations of one step: 6 W a row, less the first layer's unneeded dL/dx."""
        weights = sum(n_in * n_out for n_in, n_out in zip(self.sizes, self.sizes[1:], strict=False))
        return self.batch * (6 * weights - 2 * self.sizes[0] * self.sizes[1])

    def floor(self, gflops: float) -> float:
        """Microseconds that the step would take with every product at the peak ``gflops`` of the machine.

        The update adds its own time a parameter: Adam is bound by its square root and division (0.28 ns), plain
        gradient descent by the caches (0.05 ns) or, past them, by memory (0.32 ns). These three were measured on one
        core of AMD Zen 4.
        """
        resident = self.n_parameters * 8 < 32e6
        nanoseconds = 0.28 if self.optimizer == "adam" else 0.05 if resident else 0.32
        return self.flop / gflops * 1e-3 + self.n_parameters * nanoseconds * 1e-3


WORKLOADS = {
    w.name: w
    for w in (
        Workload("iris", (4, 16, 3), 16, 3200, "sgd", "cross_entropy", 30),
        Workload("policy", (8, 64, 64, 4), 64, 4096, "adam", "mse", 3.1),
        Workload("tab", (32, 64, 64, 1), 64, 4096, "adam", "mse", 2.65),
        Workload("digits", (64, 100, 10), 200, 4000, "adam", "cross_entropy", 2.85),
        Workload("mnist-s", (784, 128, 10), 128, 4096, "adam", "cross_entropy", 1.3),
        Workload("mnist-l", (784, 512, 512, 10), 128, 4096, "adam", "cross_entropy", 1.2),
        Workload("wide", (1024, 2048, 2048, 1000), 256, 1024, "sgd", "cross_entropy", 1.1),
    )
}


def data(workload: Workload) -> tuple[np.ndarray, np.ndarray]:
    """Return X (rows, n_in) float32 and y: labels (rows,) int64 with every class, or values (rows, n_out) float32."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((workload.rows, workload.sizes[0]), dtype=np.float32)
    if workload.classifies:
        return x, rng.permutation(workload.rows).astype(np.int64) % workload.sizes[-1]
    return x, rng.standard_normal((workload.rows, workload.sizes[-1]), dtype=np.float32)


def first_weights(workload: Workload) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the weights (n_in, n_out) and biases (n_out,) that every peer starts from, Glorot uniform, float32."""
    rng = np.random.default_rng(2)
    weights, biases = [], []
    for n_in, n_out in zip(workload.sizes, workload.sizes[1:], strict=False):
        limit = np.sqrt(6 / (n_in + n_out))
        weights.append(rng.uniform(-limit, limit, (n_in, n_out)).astype(np.float32))
        biases.append(np.zeros(n_out, np.float32))
    return weights, biases
