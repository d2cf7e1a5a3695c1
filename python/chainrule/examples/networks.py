"""What the networks of the examples have in common: sigmoids, half the squared error, plain gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule.reference import SGD

if TYPE_CHECKING:
    from collections.abc import Sequence

LEARNING_RATE = 0.5  # of both pages


def of_sigmoids(kind: type[Any], weights: Sequence[Any], biases: Sequence[Any]) -> Any:
    """Return a network in float64 with given w and b, of chainrule.Network or of chainrule.reference.Network."""
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
