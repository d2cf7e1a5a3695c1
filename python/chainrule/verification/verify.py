"""`verify`: checks a network's computations and returns a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.network import engine_of
from chainrule.reference.spelling import checks_keywords

from .case import verify_engine

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from chainrule.network import Network

    from .report import Report


@checks_keywords
def verify(
    network: Network,
    X: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    n_parameters: int = 500,
    n_rows: int = 32,
    seed: int = 0,
) -> Report:
    """Check a network's computations on the given data and return a report.

    The checks, in the order of the report:

    1. *reference*: every quantity of a step (z and a, slope, loss, delta, d_weight and d_bias of every layer), native
       in float64 against `chainrule.reference`. The error ‖native − reference‖ / ‖reference‖ may be at most
       1e-12 · layers · widest layer (more only if digits cancel and rounding alone can cause more).
    2. *central differences*: the native gradient in float64 against (L(p + eps) − L(p − eps)) / 2 eps of the native
       loss, with torch.autograd.gradcheck's eps, atol and rtol (1e-6, 1e-5, 1e-3). The report shows the worst number.
       A parameter is skipped if p ± eps crosses a kink (relu, absolute_error). If a unit or an output is on a kink
       (z = 0, a = y), all parameters are first moved by up to 1e-3 ("nearby").
    3. *update*: the optimizer, native in float64 against `chainrule.reference`, from the same gradient.
    4. *rounding*: for a float32 network, every quantity in float32 against float64, in units of the bound of rounding
       errors (`chainrule.verification.rounding`).
    5. *fused step*: `step` against `gradient` + `apply_gradient`, in the network's dtype: the count of numbers that
       differ.

    Parameters
    ----------
    network : Network
        The network; it is not changed. The checks use its current moments and counters, and the dropout masks of the
        coming step.
    X, y, sample_weight : array_like
        As in `Network.gradient`.
    n_parameters : int, default 500
        The most parameters to compare with central differences, >= 1. If the network has more, an equal number of each
        weight and bias is compared.
    n_rows : int, default 32
        The most rows to use, from the first, >= 1. The reference takes about 0.1 µs for each product.
    seed : int, default 0
        Chooses the parameters to compare.

    Returns
    -------
    Report
        It is truthy if all checks hold, and prints as a table.

    Raises
    ------
    TypeError, ValueError
        As in `Network.gradient`; or the loss or its gradient is not finite.

    Examples
    --------
    >>> from chainrule import Network
    >>> report = verify(Network([2, 3, 1], activation="tanh", seed=0), [[0.0, 1.0], [1.0, 0.5]], [1.0, 2.0])
    >>> bool(report), report.failures
    (True, ())
    """
    return verify_engine(
        engine_of(network), X, y, sample_weight, call=repr(network), n_parameters=n_parameters, n_rows=n_rows, seed=seed
    )
