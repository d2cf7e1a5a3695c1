"""NumPy by hand, as a careful programmer writes it: float32, every buffer allocated once, every operation in place."""

from __future__ import annotations

import numpy as np

from .workloads import Workload, data, first_weights

NAME = "NumPy by hand"
VERSION = np.__version__


class Peer:
    """Parameters, gradient and moments are flat vectors; weights are views, so the update is one sweep."""

    def __init__(self, workload: Workload, threads: int) -> None:  # noqa: ARG002 - OpenBLAS was told by its variable
        self.workload, self.batch = workload, workload.batch
        self.x, self.y = data(workload)
        self.rng = np.random.default_rng(0)
        self.t = 0
        sizes, n = workload.sizes, workload.n_parameters
        self.p, self.g, self.m, self.v, self.scratch = (np.zeros(n, np.float32) for _ in range(5))
        self.w, self.b = self.views(self.p)
        self.d_w, self.d_b = self.views(self.g)
        for to, start in zip((*self.w, *self.b), (w for part in first_weights(workload) for w in part), strict=True):
            to[:] = start
        self.buffers(self.batch)
        self.order = np.arange(workload.rows)
        self.last = len(sizes) - 2
        self.tanh = workload.activation == "tanh"

    def views(self, flat: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        weights, biases, at = [], [], 0
        for n_in, n_out in zip(self.workload.sizes, self.workload.sizes[1:], strict=False):
            weights.append(flat[at : at + n_in * n_out].reshape(n_in, n_out))
            biases.append(flat[at + n_in * n_out : at + (n_in + 1) * n_out])
            at += (n_in + 1) * n_out
        return weights, biases

    def buffers(self, n: int) -> None:
        sizes = self.workload.sizes
        self.a = [np.empty((n, k), np.float32) for k in sizes]
        self.delta = [np.empty((n, k), np.float32) for k in sizes]
        self.mask = [np.empty((n, k), bool) for k in sizes]
        self.yb = np.empty((n, *self.y.shape[1:]), self.y.dtype)
        self.index = np.arange(n)
        self.ones = np.ones(n, np.float32)
        self.row = np.empty((n, 1), np.float32)

    def forward(self) -> np.ndarray:
        for layer, (w, b) in enumerate(zip(self.w, self.b, strict=True)):
            a = np.dot(self.a[layer], w, out=self.a[layer + 1])
            a += b
            if layer < self.last:
                np.tanh(a, out=a) if self.tanh else np.maximum(a, 0, out=a)
        return self.a[-1]

    def backward(self) -> None:
        a, delta = self.a[-1], self.delta[-1]
        if self.workload.classifies:
            np.subtract(a, a.max(axis=1, keepdims=True, out=self.row), out=delta)
            np.exp(delta, out=delta)
            delta /= delta.sum(axis=1, keepdims=True, out=self.row)
            delta[self.index, self.yb] -= 1
            delta *= np.float32(1 / len(delta))
        else:
            np.subtract(a, self.yb, out=delta)
            delta *= np.float32(2 / delta.size)
        for layer in range(self.last, -1, -1):
            np.dot(self.a[layer].T, self.delta[layer + 1], out=self.d_w[layer])
            np.dot(self.ones, self.delta[layer + 1], out=self.d_b[layer])
            if layer:
                np.dot(self.delta[layer + 1], self.w[layer].T, out=self.delta[layer])
                self.delta[layer] *= self.slope(layer)

    def slope(self, layer: int) -> np.ndarray:
        a = self.a[layer]
        if not self.tanh:
            return np.greater(a, 0, out=self.mask[layer])
        np.multiply(a, a, out=a)  # 1 − a²; nothing reads a after this
        return np.subtract(1, a, out=a)

    def update(self) -> None:
        rate = self.workload.learning_rate
        if self.workload.optimizer == "sgd":
            self.g *= np.float32(rate)
            self.p -= self.g
            return
        self.t += 1
        p, g, m, v, scratch = self.p, self.g, self.m, self.v, self.scratch
        m *= np.float32(0.9)
        np.multiply(g, np.float32(0.1), out=scratch)
        m += scratch
        v *= np.float32(0.999)
        np.multiply(g, g, out=g)
        g *= np.float32(0.001)
        v += g
        np.sqrt(v, out=scratch)
        scratch *= np.float32((1 - 0.999**self.t) ** -0.5)
        scratch += np.float32(1e-8)
        np.divide(m, scratch, out=scratch)
        scratch *= np.float32(rate / (1 - 0.9**self.t))
        p -= scratch

    def epoch(self, x: np.ndarray, y: np.ndarray, order: np.ndarray) -> None:
        for start in range(0, len(order), self.batch):
            rows = order[start : start + self.batch]
            x.take(rows, axis=0, out=self.a[0], mode="clip")
            y.take(rows, axis=0, out=self.yb, mode="clip")
            self.step()

    def step(self) -> None:
        self.forward()
        self.backward()
        self.update()

    def few_steps(self, steps: int) -> list[np.ndarray]:
        self.epoch(self.x, self.y, np.arange(steps * self.batch))
        return [array.copy() for pair in zip(self.w, self.b, strict=True) for array in pair]

    def fit(self, epochs: int) -> None:
        if not self.workload.shuffles:
            self.a[0], self.yb = self.x, self.y
        for _ in range(epochs):
            if self.workload.shuffles:
                self.rng.shuffle(self.order)
                self.epoch(self.x, self.y, self.order)
            else:
                self.step()

    def step_on(self, rows: int):
        x, y = self.x[:rows].copy(), self.y[:rows].copy()
        self.buffers(rows)

        def step() -> None:
            self.a[0][:] = x
            self.yb[:] = y
            self.step()

        return step

    def predict_on(self, rows: int):
        x = self.x[:rows].copy()
        w, b, last, classifies = self.w, self.b, self.last, self.workload.classifies

        def predict() -> np.ndarray:
            a = x
            for layer in range(last + 1):
                a = a @ w[layer]
                a += b[layer]
                if layer < last:
                    np.maximum(a, 0, out=a)
            if classifies:
                a -= a.max(axis=1, keepdims=True)
                np.exp(a, out=a)
                a /= a.sum(axis=1, keepdims=True)
            return a

        return predict
