"""The hidden layers that an estimator's parameters describe: their number, sizes, activations and dropout."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chainrule.reference.activations import ACTIVATIONS, Activation, Sigmoid
from chainrule.reference.options import choose, number, shown
from chainrule.sklearn.parameters import THEIR_ACTIVATIONS


def sizes_of(estimator: Any) -> Any:
    """Return `hidden_layer_sizes`, or the sizes that `n_layers` and `width` give.

    Raises
    ------
    ValueError
        `n_layers` or `width` is missing and does not follow from `hidden_layer_sizes`.
    """
    n, width, given = estimator.n_layers, estimator.width, estimator.hidden_layer_sizes
    if n is None and width is None:
        return given
    sizes = list(given) if isinstance(given, Iterable) else [given]
    if width is None and n:
        if len(set(sizes)) != 1:
            raise ValueError(f"n_layers={n} needs width, since hidden_layer_sizes={given!r} has no single width")
        width = sizes[0]
    return (width,) * (len(sizes) if n is None else n)


def activations_of(given: Any, n_hidden: int) -> list[Activation]:
    """Return the activation of each of `n_hidden` hidden layers, as the parameter `activation` gives them.

    Raises
    ------
    TypeError, ValueError
        `activation` does not have `n_hidden` entries, or an entry is not an activation for hidden layers.
    """
    if isinstance(given, (str, Activation)):
        return [_activation("activation", given)] * n_hidden
    several = _one_each("activation", given, n_hidden)
    return [_activation(f"activation[{i}]", one) for i, one in enumerate(several)]


def init_factor(estimator: Any, layer: int) -> float:
    """Return f in the bound √(f / (n_in + n_out)) of a layer's initial weights: 2 before a sigmoid, else 6.

    Like scikit-learn, the output layer uses the factor of the hidden layers, here that of the last hidden layer.
    """
    given = estimator.activation
    if not isinstance(given, (str, Activation)):
        given = [*given][: layer + 1][-1] if len(given) else "identity"
    return 2.0 if given in ("logistic", "sigmoid", Sigmoid()) else 6.0


def dropout_of(estimator: Any, n_hidden: int) -> list[float]:
    """Return the share of units that each hidden layer drops.

    Raises
    ------
    TypeError, ValueError
        `dropout` does not have `n_hidden` entries, or an entry is not in [0, 1).
    """
    given = estimator.dropout
    if not isinstance(given, Iterable):
        return [float(given)] * n_hidden
    several = _one_each("dropout", given, n_hidden)
    return [number(f"dropout[{i}]", rate, "[0, 1)") for i, rate in enumerate(several)]


def _activation(argument: str, given: Any) -> Activation:
    name = THEIR_ACTIVATIONS.get(given, given) if isinstance(given, str) else given
    activation = choose(argument, name, ACTIVATIONS)
    if activation.name == "softmax":
        raise ValueError(f"{argument} must be an activation of single units, not softmax")
    return activation


def _one_each(argument: str, given: Any, n_hidden: int) -> list[Any]:
    several = list(given)
    if len(several) != n_hidden:
        raise ValueError(
            f"{argument} must be one for all hidden layers or a list of one each: there are {n_hidden}, "
            f"not {len(several)} as in {shown(given)}"
        )
    return several
