"""Checks of the network to draw and of its data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from chainrule import _arrays
from chainrule.batch import read_batch
from chainrule.network import engine_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chainrule.network import Network

    Array: TypeAlias = NDArray[Any]


def as_network(network: Network) -> Network:
    """Return the network; refuse anything else."""
    engine_of(network)
    return network


def features(network: Network, X: object) -> Array:
    """Return X, (n, n_inputs) with n >= 1, every value checked."""
    x = _arrays.features(X, network.n_inputs, network.dtype)
    if not len(x):
        raise ValueError("X has no rows; at least one is needed")
    network.forward(x)  # the core refuses values that are not finite
    return x


def batch(network: Network, X: object, y: object) -> tuple[Array, Array]:
    """Return X, (n, n_inputs), and y, labels (n,) or (n, n_outputs), every value checked."""
    x, targets, _ = read_batch(engine_of(network).spec, X, y)
    network.evaluate(x, targets)  # the core refuses values that are not finite or out of range
    return x, targets
