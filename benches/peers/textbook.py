"""The result that each peer must reproduce before it is timed: the textbook's step, in float64."""

from __future__ import annotations

import numpy as np

from .workloads import Workload, data, first_weights


def parameters_after(workload: Workload, steps: int) -> list[np.ndarray]:
    """Return w_1, b_1, w_2, b_2, … after `steps` updates on the first batches in order, nothing shuffled."""
    x, y = data(workload)
    p = [array.astype(np.float64) for pair in zip(*first_weights(workload), strict=True) for array in pair]
    m, v = [np.zeros_like(q) for q in p], [np.zeros_like(q) for q in p]
    for t in range(1, steps + 1):
        rows = slice((t - 1) * workload.batch, t * workload.batch)
        for q, g, first, second in zip(
            p, gradient(workload, p, x[rows].astype(np.float64), y[rows]), m, v, strict=True
        ):
            if workload.optimizer == "sgd":
                q -= workload.learning_rate * g
                continue
            first += 0.1 * (g - first)
            second += 0.001 * (g * g - second)
            q -= workload.learning_rate * (first / (1 - 0.9**t)) / (np.sqrt(second / (1 - 0.999**t)) + 1e-8)
    return p


def gradient(workload: Workload, p: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
    """Backpropagate the mean loss of one batch."""
    tanh = workload.activation == "tanh"
    a = [x]
    for layer in range(0, len(p), 2):
        z = a[-1] @ p[layer] + p[layer + 1]
        a.append(z if layer == len(p) - 2 else np.tanh(z) if tanh else np.maximum(z, 0))
    if workload.classifies:  # delta = (softmax(z) − onehot(y)) / n
        delta = np.exp(a[-1] - a[-1].max(axis=1, keepdims=True))
        delta /= delta.sum(axis=1, keepdims=True)
        delta[np.arange(len(y)), y] -= 1
        delta /= len(y)
    else:  # the mean over rows and outputs: delta = 2 (a − y) / (n k)
        delta = 2 * (a[-1] - y) / y.size
    grads: list[np.ndarray] = []
    for layer in range(len(p) - 2, -1, -2):
        grads = [a[layer // 2].T @ delta, delta.sum(axis=0), *grads]
        if layer:
            hidden = a[layer // 2]
            delta = (delta @ p[layer].T) * (1 - hidden**2 if tanh else hidden > 0)
    return grads


def error(workload: Workload, parameters: list[np.ndarray], steps: int) -> float:
    """Return the largest error over the arrays, relative to the distance that the true steps moved the array."""
    start = [array for pair in zip(*first_weights(workload), strict=True) for array in pair]
    worst = 0.0
    for ours, true, first in zip(parameters, parameters_after(workload, steps), start, strict=True):
        moved = np.linalg.norm(true - first)
        worst = max(worst, float(np.linalg.norm(ours.astype(np.float64) - true) / moved))
    return worst
