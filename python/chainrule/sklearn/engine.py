"""The native network behind an estimator: made from its sizes, fed from its parameters, copied back to them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule import _native

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ACTIVATIONS = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}
# The loss that has scikit-learn's output activation inside.
LOSSES: dict[str, dict[str, Any]] = {
    "identity": {"name": "half_squared_error"},
    "exp": {"name": "poisson"},
    "softmax": {"name": "cross_entropy", "label_smoothing": 0.0},
    "logistic": {"name": "binary_cross_entropy"},
}
# Only which moments are kept matters here: each epoch brings its own rule.
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"name": "sgd", "learning_rate": 0.1, "momentum": 0.5, "nesterov": False},
    "adam": {"name": "adam", "learning_rate": 0.1, "beta_1": 0.9, "beta_2": 0.999, "eps": 1e-8},
}


class Engine:
    """A native network that holds the parameters of an estimator for as long as it computes."""

    steps = 0
    """Native epochs, gradients and predictions so far, of all engines: tests see that nothing else computed."""

    def __init__(self, estimator: Any, solver: str = "adam", dtype: np.dtype[Any] | None = None) -> None:
        self.shapes = [coef.shape for coef in estimator.coefs_]
        last = len(self.shapes) - 1
        hidden = ACTIVATIONS[estimator.activation]
        layers = [
            {
                "kind": "dense",
                "units": int(n_out),
                "activation": {"name": "identity" if l == last else hidden},
                "bias": True,
                "init": {"name": "zeros"},
                "l2": 0.0,
            }
            for l, (_, n_out) in enumerate(self.shapes)
        ]
        dtype = dtype or estimator.coefs_[0].dtype
        self.dtype: np.dtype[Any] = dtype if dtype == np.float32 else np.dtype(np.float64)
        config = {
            "n_inputs": int(self.shapes[0][0]),
            "layers": layers,
            "loss": LOSSES[estimator.out_activation_],
            "optimizer": OPTIMIZERS[solver],
            "dtype": self.dtype.name,
            "seed": 0,
            "n_threads": None if estimator.n_threads is None else int(estimator.n_threads),
        }
        self.network = _native.Network(json.dumps(config), draw=False)
        self.load(estimator)

    def load(self, estimator: Any) -> None:
        """Take the parameters over."""
        self.network.set_parameters(self.joined([*estimator.coefs_, *estimator.intercepts_]))

    def store(self, estimator: Any) -> None:
        """Write the parameters to the estimator's own arrays, as scikit-learn's updates in place do."""
        arrays = [*estimator.coefs_, *estimator.intercepts_]
        for array, value in zip(arrays, self.split(self.network.parameters()), strict=True):
            array[...] = value

    def joined(self, arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Weights of all layers and then biases of all layers, as w_1, b_1, w_2, …."""
        half = len(self.shapes)
        parts = [part.ravel() for pair in zip(arrays[:half], arrays[half:], strict=True) for part in pair]
        flat: NDArray[Any] = np.concatenate(parts).astype(self.dtype, copy=False)
        return flat

    def split(self, flat: NDArray[Any]) -> list[NDArray[Any]]:
        """Undo `joined`; views."""
        weights, biases, start = [], [], 0
        for n_in, n_out in self.shapes:
            middle, end = start + n_in * n_out, start + n_in * n_out + n_out
            weights.append(flat[start:middle].reshape(n_in, n_out))
            biases.append(flat[middle:end])
            start = end
        return weights + biases


def targets(y: NDArray[Any], out_activation: str, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Give y as the native loss takes it: labels for softmax, numbers for others."""
    if out_activation == "softmax":
        return np.asarray(y.argmax(axis=1), dtype=np.int64)
    return np.ascontiguousarray(y, dtype=dtype)
