"""A check of the derivative of a caller's own loss, and of its backpropagation, against central differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from chainrule import _arrays
from chainrule.describe import layer_name
from chainrule.network import engine_of
from chainrule.reference.losses import MSE
from chainrule.reference.options import LARGEST, integer, number, shown
from chainrule.reference.spelling import checks_keywords

from . import differences
from .differences import Derivative, Tolerance, chosen, leave_kinks, sample
from .report import Check, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import ArrayLike, NDArray

    from chainrule.network import Network

    Array: TypeAlias = NDArray[Any]
    CustomLoss: TypeAlias = Callable[[Array], tuple[float, ArrayLike]]


@checks_keywords
def gradcheck(
    network: Network,
    X: ArrayLike,
    loss: CustomLoss,
    *,
    n_parameters: int = 500,
    seed: int = 0,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
) -> Report:
    """Check your own loss, and its backpropagation by `Network.backward`, against central differences.

    ``value, d_output = loss(output)`` is called with the network's raw outputs in float64, (n, n_outputs), and returns
    L and dL/d(output) of the same shape. Three derivatives are compared: d_output itself, dL/d(parameters) and dL/dX as
    `backward` returns them. The error |derivative − difference| may be at most atol + rtol · |difference|, as in
    torch.autograd.gradcheck. Numbers next to a kink (relu) are skipped and counted. If a unit is on a kink (z = 0), all
    parameters are first moved by up to 1e-3.

    Parameters
    ----------
    network : Network
        The network; it is not changed, since a float64 copy is used. Dropout is off.
    X : array_like, (n, n_inputs)
        The samples, n >= 1.
    loss : function
        As above. It must be deterministic.
    n_parameters : int, default 500
        The most numbers of each derivative that are compared, >= 1.
    seed : int, default 0
        Chooses the numbers to compare if there are more.
    eps, atol, rtol : float
        The step, > 0, and the tolerances, >= 0.

    Returns
    -------
    Report
        It is truthy if all checks hold.

    Raises
    ------
    TypeError, ValueError
        `Network.forward` does not accept X, or `loss` does not return a number and an array of the right shape.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule import Network, gradcheck
    >>> net = Network([2, 3, 1], activation="tanh", seed=0)
    >>> y = np.array([[1.0], [2.0]])
    >>> def log_cosh(output):
    ...     return np.log(np.cosh(output - y)).sum(), np.tanh(output - y)
    >>> bool(gradcheck(net, [[0.0, 1.0], [1.0, 0.5]], log_cosh))
    True
    """
    n_parameters = integer("n_parameters", n_parameters, 1, LARGEST)
    seed = integer("seed", seed, 0, 2**63 - 1)
    eps, atol, rtol = number("eps", eps, "(0, inf)"), number("atol", atol, "[0, inf)"), number("rtol", rtol, "[0, inf)")
    tolerance = Tolerance(eps, atol, rtol)
    if not callable(loss):
        raise TypeError(f"loss must be a function of the output that returns (value, d_output), not {shown(loss)}")
    engine = engine_of(network)
    x = _arrays.features(X, network.n_inputs, engine.dtype).astype(np.float64)
    if not len(x):
        raise ValueError("X has no rows; at least one is needed")
    # The network's own loss is not used. Since a trace needs one, a loss that takes any target replaces it.
    engine = engine.in_float64(loss=MSE())
    native, layers = engine.native, engine.spec.layers
    l2 = [getattr(layers[tensor.layer], "l2", 0.0) for tensor in engine.layout.named("weight")]
    nothing = np.zeros((len(x), network.n_outputs))
    leave_kinks(native, layers, [record["z"] for record in native.trace(x, nothing, None)], seed)
    point = native.parameters()
    output = native.forward(x, False, None)
    value, d_output = called(loss, output)
    flat, inputs = native.backward(x, d_output, False)
    rounding_of_loss = 64 * np.finfo(np.float64).eps * abs(value)

    def by_output(moved: Array) -> float:
        return called(loss, moved.reshape(output.shape))[0]

    def by_parameters(moved: Array) -> float:
        native.set_parameters(moved)
        penalty = sum(0.5 * c * float((w * w).sum()) for c, w in zip(l2, engine.layout.weights(moved), strict=True))
        return by_output(native.forward(x, False, None)) + penalty

    def by_inputs(moved: Array) -> float:
        return by_output(native.forward(moved.reshape(x.shape), False, None))

    def check(what: str, where: Any, function: Any, derivative: Derivative, indices: Iterable[int]) -> Check:
        return Check(what, where, *differences.compare(function, derivative, indices, tolerance))

    by_outputs = Derivative(output.ravel(), d_output.ravel(), rounding_of_loss)
    checks = [check("d_output", "", by_output, by_outputs, chosen(output.size, n_parameters, seed, 0))]
    for l, indices in sample(engine.layout, n_parameters, seed):
        name = f"layer {l + 1} ({layer_name(layers[l])})"
        checks.append(check("parameters", name, by_parameters, Derivative(point, flat, rounding_of_loss), indices))
    native.set_parameters(point)
    along_x = Derivative(x.ravel(), inputs.ravel(), rounding_of_loss)
    checks.append(check("inputs", "", by_inputs, along_x, chosen(x.size, n_parameters, seed, 1)))
    name = getattr(loss, "__name__", "loss")
    return Report(tuple(checks), f"gradcheck of {name} through {network!r} on {len(x)} rows")


def called(loss: CustomLoss, output: Array) -> tuple[float, Array]:
    """Call the caller's loss, check its result and return it."""
    try:
        value, d_output = loss(output.copy())
        value = float(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"loss(output) must return (value, d_output): {error}") from error
    d = _arrays.as_numbers(d_output, np.dtype(np.float64), "d_output of the loss")
    if d.shape != output.shape:
        raise ValueError(f"d_output of the loss must have the output's shape {output.shape}, got {d.shape}")
    return value, _arrays.cast(d, output.dtype)
