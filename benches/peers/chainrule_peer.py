"""chainrule itself: `Network.fit`, `step` and `predict` as a user calls them."""

from __future__ import annotations

import numpy as np

import chainrule
from chainrule.engine import Engine
from chainrule.reference.config import resolve

from .workloads import Workload, data, first_weights

NAME = "chainrule"
VERSION = f"{chainrule.__version__} ({Engine.of(resolve([1, 1], seed=0)).native.target})"


class Peer:
    """One Network a workload."""

    def __init__(self, workload: Workload, threads: int) -> None:
        self.workload, self.threads = workload, threads
        self.x, self.y = data(workload)
        self.net = self.new()

    def new(self) -> chainrule.Network:
        kind = {"sgd": chainrule.SGD, "adam": chainrule.Adam}[self.workload.optimizer]
        net = chainrule.Network(
            self.workload.sizes,
            activation=self.workload.activation,
            loss=self.workload.loss,
            optimizer=kind(learning_rate=self.workload.learning_rate),
            dtype=self.workload.dtype,
            seed=0,
            n_threads=self.threads,
        )
        net.weights, net.biases = first_weights(self.workload)
        return net

    def few_steps(self, steps: int) -> list[np.ndarray]:
        net, rows = self.new(), steps * self.workload.batch
        net.fit(self.x[:rows], self.y[:rows], batch_size=self.workload.batch, shuffle=False, progress=False)
        return [array for pair in zip(net.weights, net.biases, strict=True) for array in pair]

    def fit(self, epochs: int) -> None:
        self.net.fit(self.x, self.y, epochs=epochs, batch_size=self.workload.batch, progress=False)

    def step_on(self, rows: int):
        x, y, step = self.x[:rows].copy(), self.y[:rows].copy(), self.net.step
        return lambda: step(x, y)

    def predict_on(self, rows: int):
        x, call = self.x[:rows].copy(), self.net.predict
        return lambda: call(x)
