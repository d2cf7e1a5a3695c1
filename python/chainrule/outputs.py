"""The meaning of a network's outputs (probabilities, margins or numbers) and the classes they predict.

softmax in the loss                one class per row: the largest output
sigmoid in the loss                each output is a yes if it is at least 0.5
a margin (hinge)                   each output is a yes if it is at least 0
sigmoid or softmax on the outputs  one output: a yes if it is at least 0.5; several: the largest
anything else                      numbers
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from chainrule.reference.config import activation_of

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

    from chainrule.network import Network
    from chainrule.reference.config import Spec

    Array: TypeAlias = NDArray[Any]

PROBABILITIES = frozenset({"sigmoid", "softmax", "hard_sigmoid"})


@dataclass(frozen=True)
class Outputs:
    """How to interpret the result of `Network.predict`.

    Attributes
    ----------
    kind : str
        "one of several": the largest output is the class. "yes or no": the single output is class 1 or 0. "several yes
        or no": each output decides on its own; they do not exclude each other. "numbers": there are no classes.
    margin : bool
        Whether the outputs are margins, a yes from 0 on, instead of probabilities, a yes from 0.5 on.
    """

    kind: str
    margin: bool = False

    @classmethod
    def of(cls, network: Network | Spec) -> Self:
        """Derive the meaning from the loss and the output activation."""
        loss, last = network.loss, network.layers[-1]
        single = network.n_outputs == 1
        if loss.boundary is not None:
            return cls("yes or no" if single else "several yes or no", margin=loss.boundary == 0.0)
        if loss.link.name == "softmax":
            return cls("one of several")
        activation = activation_of(last)
        if activation and activation.name in PROBABILITIES:
            return cls("yes or no" if single else "one of several")
        return cls("numbers")

    @property
    def exclusive(self) -> bool:
        """Whether a row has one class."""
        return self.kind in ("one of several", "yes or no")

    def classes(self, values: Array) -> Array:
        """Return the class of each row, (n,), of outputs or targets (n, n_outputs), or of labels (n,)."""
        if values.ndim == 1:
            return values
        if self.kind == "one of several":
            return np.asarray(values.argmax(axis=1))
        return np.asarray(values[:, 0] >= (0.0 if self.margin else 0.5), dtype=np.int64)

    def truth(self, values: Array) -> Array:
        """Return what outputs or targets say: classes, (n,), a yes or no each, (n, n_outputs), or the numbers."""
        if self.exclusive:
            return self.classes(values)
        if self.kind == "numbers":
            return values[:, 0] if values.shape[1] == 1 else values
        return np.asarray(values >= (0.0 if self.margin else 0.5), dtype=np.int64)

    def leads(self, values: Array) -> Array:
        """Return the lead of each class over the best other class, (n, n_classes) in [−1, 1]; boundaries are at 0.

        The lead is a difference of probabilities, or a margin clipped to [−1, 1].
        """
        if self.kind != "one of several":
            lead = values[:, 0] if self.margin else 2.0 * values[:, 0] - 1.0
            return np.column_stack([-lead, lead]).clip(-1.0, 1.0)
        ranked = np.sort(values, axis=1)
        # For the largest class the best other is the second largest; for all others it is the largest.
        others = np.where(values == ranked[:, -1:], ranked[:, -2:-1], ranked[:, -1:])
        return np.subtract(values, others).clip(-1.0, 1.0)
