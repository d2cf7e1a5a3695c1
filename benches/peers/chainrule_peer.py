"""chainrule itself: `Network.fit`, `step` and `predict` as a user calls them."""

from __future__ import annotations

import os

import numpy as np

import chainrule

from .machine import describe
from .workloads import Workload, data, first_weights, sample_weights

NAME = "chainrule"
VERSION = f"{chainrule.__version__} ({os.environ.get('CHAINRULE_TARGET') or describe()['vectors']})"


class Peer:
    """One Network per workload."""

    def __init__(self, workload: Workload, threads: int) -> None:
        self.workload, self.threads = workload, threads
        self.x, self.y = data(workload)
        self.weights = sample_weights(workload)
        self.net = self.new()

    def new(self) -> chainrule.Network:
        kind = {"sgd": chainrule.SGD, "adam": chainrule.Adam, "radam": chainrule.RAdam}[self.workload.optimizer]
        net = chainrule.Network(
            self.layers(),
            activation=self.workload.activation,
            loss=self.workload.loss,
            optimizer=kind(learning_rate=self.workload.learning_rate),
            dtype=self.workload.dtype,
            seed=0,
            n_threads=self.threads,
        )
        net.weights, net.biases = first_weights(self.workload)
        return net

    def layers(self) -> list:
        n_inputs, *hidden, n_outputs = self.workload.sizes
        l2, layers = self.workload.l2, []
        for units in hidden:
            layers.append(chainrule.Dense(units, l2=l2))
            if self.workload.dropout:
                layers.append(chainrule.Dropout(self.workload.dropout))
        return [n_inputs, *layers, chainrule.Dense(n_outputs, l2=l2)]

    def few_steps(self, steps: int) -> list[np.ndarray]:
        net, rows = self.new(), steps * self.workload.batch
        weights = None if self.weights is None else self.weights[:rows]
        options = {"batch_size": self.workload.batch, "sample_weight": weights, "shuffle": False, "progress": False}
        net.fit(self.x[:rows], self.y[:rows], **options)
        return [array for pair in zip(net.weights, net.biases, strict=True) for array in pair]

    def fit(self, epochs: int) -> None:
        options = {"batch_size": self.workload.batch, "sample_weight": self.weights, "progress": False}
        self.net.fit(self.x, self.y, epochs=epochs, **options)

    def step_on(self, rows: int):
        x, y, step = self.x[:rows].copy(), self.y[:rows].copy(), self.net.step
        return lambda: step(x, y)

    def predict_on(self, rows: int):
        x, call = self.x[:rows].copy(), self.net.predict
        return lambda: call(x)
