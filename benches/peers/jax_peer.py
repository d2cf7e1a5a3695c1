"""JAX: one jit-compiled function per epoch, a lax.scan over its batches, parameters donated, compiling not timed."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from .workloads import Workload, data, first_weights

NAME = "JAX jit + scan"
VERSION = jax.__version__


class Peer:
    """The state is (parameters, m, v, t); `epoch` maps it and an order of the rows to the next state."""

    def __init__(self, workload: Workload, threads: int) -> None:  # noqa: ARG002 - XLA was told by its variable
        self.workload = workload
        self.x, self.y = (jnp.asarray(array) for array in data(workload))
        self.rng = np.random.default_rng(0)  # NumPy's permutation is faster than jax.random's, which sorts
        self.state = self.start()
        self.epoch = jax.jit(self.scan, donate_argnums=0)

    def start(self) -> tuple:
        p = [(jnp.asarray(w), jnp.asarray(b)) for w, b in zip(*first_weights(self.workload), strict=True)]
        zeros = partial(jax.tree.map, jnp.zeros_like)
        return p, zeros(p), zeros(p), jnp.zeros((), jnp.int32)

    def output(self, p: list, x: jax.Array) -> jax.Array:
        activation = jnp.tanh if self.workload.activation == "tanh" else jax.nn.relu
        for w, b in p[:-1]:
            x = activation(x @ w + b)
        return x @ p[-1][0] + p[-1][1]

    def loss(self, p: list, x: jax.Array, y: jax.Array) -> jax.Array:
        z = self.output(p, x)
        if self.workload.classifies:
            picked = jnp.take_along_axis(z, y[:, None], axis=1)[:, 0]
            return jnp.mean(jax.nn.logsumexp(z, axis=1) - picked)
        return jnp.mean((z - y) ** 2)

    def step(self, state: tuple, x: jax.Array, y: jax.Array) -> tuple:
        p, m, v, t = state
        g = jax.grad(self.loss)(p, x, y)
        rate = self.workload.learning_rate
        if self.workload.optimizer == "sgd":
            return jax.tree.map(lambda p, g: p - rate * g, p, g), m, v, t
        t += 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        first, second = rate / (1 - 0.9**t), (1 - 0.999**t) ** -0.5
        p = jax.tree.map(lambda p, m, v: p - first * m / (jnp.sqrt(v) * second + 1e-8), p, m, v)
        return p, m, v, t

    def scan(self, state: tuple, x: jax.Array, y: jax.Array, order: jax.Array | None) -> tuple:
        if order is None:
            return self.step(state, x, y)
        batches = order.reshape(-1, self.workload.batch)
        state, _ = jax.lax.scan(lambda s, rows: (self.step(s, x[rows], y[rows]), None), state, batches)
        return state

    def few_steps(self, steps: int) -> list[np.ndarray]:
        order = np.arange(steps * self.workload.batch, dtype=np.int32)
        state = jax.jit(self.scan)(self.start(), self.x, self.y, order)
        return [np.asarray(array) for pair in state[0] for array in pair]

    def fit(self, epochs: int) -> None:
        for _ in range(epochs):
            order = None
            if self.workload.shuffles:
                order = self.rng.permutation(self.workload.rows).astype(np.int32)
            self.state = self.epoch(self.state, self.x, self.y, order)
        jax.block_until_ready(self.state)

    def step_on(self, rows: int):
        x, y = self.x[:rows], self.y[:rows]
        one = jax.jit(self.step, donate_argnums=0)

        def step() -> None:
            self.state = jax.block_until_ready(one(self.state, x, y))

        return step

    def predict_on(self, rows: int):
        x = np.asarray(self.x[:rows])
        link = partial(jax.nn.softmax, axis=1) if self.workload.classifies else lambda z: z
        call = jax.jit(lambda p, x: link(self.output(p, x)))
        return lambda: np.asarray(call(self.state[0], x))
