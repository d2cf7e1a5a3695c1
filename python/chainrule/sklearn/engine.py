"""The native network behind an estimator: built from its sizes, loaded from and copied back to its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import xlogy

from chainrule import _native
from chainrule.engine import text_of
from chainrule.layout import Layout
from chainrule.reference.activations import Identity
from chainrule.sklearn.layers import activations_of, dropout_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SPARSE_ROWS = 1024
"""Rows of a sparse X that are converted to dense at a time."""

OUTPUT_LOSSES: dict[str, dict[str, Any]] = {
    "exp": {"name": "poisson"},
    "softmax": {"name": "cross_entropy", "label_smoothing": 0.0},
    "logistic": {"name": "binary_cross_entropy"},
}
"""The loss whose link is scikit-learn's output activation."""

# These choose only the moments that are kept. Each epoch passes its own update rule.
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"name": "sgd", "learning_rate": 0.1, "momentum": 0.5, "nesterov": False},
    "adam": {"name": "adam", "learning_rate": 0.1, "beta_1": 0.9, "beta_2": 0.999, "eps": 1e-8},
}


class Engine:
    """A native network that holds an estimator's parameters while it computes."""

    steps = 0
    """Native epochs, gradients and predictions of all engines so far. Tests check by it that nothing else computed."""

    def __init__(
        self,
        estimator: Any,
        solver: str = "adam",
        dtype: np.dtype[Any] | None = None,
        *,
        dropout_seed: int | None = None,
    ) -> None:
        """Build the network; it drops units only with a seed."""
        coefs = estimator.coefs_
        dtype = dtype or coefs[0].dtype
        self.dtype: np.dtype[Any] = dtype if dtype == np.float32 else np.dtype(np.float64)
        config = {
            "n_inputs": int(coefs[0].shape[0]),
            "layers": _layers(estimator, with_dropout=dropout_seed is not None),
            "loss": _loss(estimator),
            "optimizer": OPTIMIZERS[solver],
            "dtype": self.dtype.name,
            "seed": dropout_seed or 0,
            "n_threads": None if estimator.n_threads is None else int(estimator.n_threads),
        }
        self.network = _native.Network(text_of(config), draw=False)
        self.layout = Layout(self.network.tensors())
        self.network.set_parameters(self.joined([*coefs, *estimator.intercepts_]))

    def store(self, estimator: Any) -> None:
        """Write the parameters into the estimator's own arrays, as scikit-learn's in-place updates do."""
        for array, value in zip([*estimator.coefs_, *estimator.intercepts_], self.arrays(), strict=True):
            array[...] = value

    def arrays(self) -> list[NDArray[Any]]:
        """Return copies of the parameters: the weights of all layers, then the biases of all layers."""
        return self.split(self.network.parameters())

    def joined(self, arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Return weights and biases in the order of `arrays` as one flat array w_1, b_1, w_2, …."""
        flat = np.empty(self.layout.size, self.dtype)
        for view, array in zip(self.split(flat), arrays, strict=True):
            view[...] = array.reshape(view.shape)
        return flat

    def split(self, flat: NDArray[Any]) -> list[NDArray[Any]]:
        """Return the inverse of `joined`, as views of `flat`."""
        return [*self.layout.weights(flat), *self.layout.biases(flat)]


def dense(units: int, activation: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of a dense layer."""
    return {
        "kind": "dense",
        "units": int(units),
        "activation": activation,
        "bias": True,
        "init": {"name": "zeros"},
        "l2": 0.0,
    }


def _layers(estimator: Any, *, with_dropout: bool) -> list[dict[str, Any]]:
    """Return the configuration of the layers; the loss contains the output activation."""
    n_hidden = len(estimator.coefs_) - 1
    activations = [*activations_of(estimator.activation, n_hidden), Identity()]
    rates = [*(dropout_of(estimator, n_hidden) if with_dropout else [0.0] * n_hidden), 0.0]
    layers: list[dict[str, Any]] = []
    for coef, activation, rate in zip(estimator.coefs_, activations, rates, strict=True):
        layers.append(dense(coef.shape[1], activation.to_dict()))
        if rate:
            layers.append({"kind": "dropout", "rate": rate})
    return layers


def _loss(estimator: Any) -> dict[str, Any]:
    """Return the configuration of the loss."""
    if estimator.out_activation_ in OUTPUT_LOSSES:
        return OUTPUT_LOSSES[estimator.out_activation_]
    if estimator.loss == "huber":
        return {"name": "huber", "delta": float(estimator.huber_delta)}
    if estimator.loss == "quantile":
        return {"name": "quantile", "quantile": float(estimator.quantile)}
    return {"name": "absolute_error" if estimator.loss == "absolute_error" else "half_squared_error"}


def targets(y: NDArray[Any], out_activation: str, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return y as the native loss takes it: labels for softmax, numbers for others."""
    if out_activation == "softmax":
        return np.asarray(y.argmax(axis=1), dtype=np.int64)
    return np.ascontiguousarray(y, dtype=dtype)


def beside_poisson(y: NDArray[Any]) -> NDArray[Any]:
    """Return the term that scikit-learn's Poisson loss adds to ours for each target; it depends on y alone."""
    terms: NDArray[Any] = xlogy(y, y) - y
    return terms
