"""The networks of the examples: all have sigmoids, half the squared error and plain gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.reference import SGD

if TYPE_CHECKING:
    from collections.abc import Sequence

LEARNING_RATE = 0.5  # on both pages


def of_sigmoids(kind: type[Any], weights: Sequence[Any], biases: Sequence[Any]) -> Any:
    """Return a float64 network with these weights and biases, a chainrule.Network or a chainrule.reference.Network."""
    network = kind(
        [len(weights[0]), *map(len, biases)],
        activation="sigmoid",
        output_activation="sigmoid",
        loss="half_squared_error",
        optimizer=SGD(learning_rate=LEARNING_RATE),
        dtype="float64",
        seed=0,
    )
    network.weights, network.biases = weights, biases
    return network
