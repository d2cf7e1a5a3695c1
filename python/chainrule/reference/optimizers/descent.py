"""Gradient descent: the article's "updating the weights", with or without momentum."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..options import check_flag, check_number, option
from .base import Optimizer

if TYPE_CHECKING:
    from ..schedules import Schedule
    from ..vectors import Row
    from .base import State


@option
class SGD(Optimizer):
    """Gradient descent, with or without momentum.

    Without momentum w ← w − learning_rate · g. With it the weights move on with a velocity that the gradient changes:
    v ← momentum · v + g, w ← w − learning_rate · v, and with nesterov w ← w − learning_rate · (g + momentum · v).
    Rumelhart, Hinton & Williams 1986; Nesterov 1983 in the form of Sutskever et al. 2013. torch.optim.SGD with
    dampening 0; scikit-learn puts the learning rate inside the velocity.

    Parameters
    ----------
    learning_rate : float or schedule, default 0.01
        The step size, > 0.
    momentum : float, default 0.0
        The share of the velocity that is kept, in [0, 1).
    nesterov : bool, default False
        Look ahead along the velocity; needs momentum > 0.

    Examples
    --------
    >>> SGD(learning_rate=0.5).update(w=[1.0], g=[0.2], state={}, t=1)
    ([0.9], {})
    >>> SGD(learning_rate=0.5, momentum=0.9).update(w=[1.0], g=[0.2], state={"velocity": [1.0]}, t=2)
    ([0.45], {'velocity': [1.1]})
    """

    learning_rate: float | Schedule = 0.01
    momentum: float = 0.0
    nesterov: bool = False

    name: ClassVar[str] = "sgd"

    def __post_init__(self) -> None:
        """Check the fields."""
        super().__post_init__()
        check_number(self, "momentum", "[0, 1)")
        check_flag(self, "nesterov")
        if self.nesterov and self.momentum == 0.0:
            raise ValueError("nesterov=True needs momentum > 0, such as momentum=0.9; it is 0.0")

    @property
    def state_names(self) -> tuple[str, ...]:
        """The velocity, where there is momentum."""
        return ("velocity",) if self.momentum > 0.0 else ()

    def update(self, w: Row, g: Row, state: State, t: int) -> tuple[Row, State]:
        """Return the parameters after step t, and the memory after it."""
        direction, new_state = g, {}
        if self.momentum > 0.0:
            # v ← momentum · v + g
            v = [self.momentum * v_i + g_i for v_i, g_i in zip(state["velocity"], g, strict=True)]
            direction, new_state = v, {"velocity": v}
            if self.nesterov:
                direction = [g_i + self.momentum * v_i for g_i, v_i in zip(g, v, strict=True)]
        # w ← w − learning_rate · direction
        return [w_i - self.rate(t) * d_i for w_i, d_i in zip(w, direction, strict=True)], new_state
