"""Random networks with data to match: every activation × loss × init × weights × l2 × layer norm × dropout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

import chainrule
from chainrule import ELU, Dense, Dropout, LayerNorm, LeakyReLU
from chainrule.reference.losses import LOSSES, Loss

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS = chainrule.registry()
OPTIMIZERS = [
    chainrule.SGD(learning_rate=0.01),
    chainrule.SGD(learning_rate=0.005, momentum=0.9),
    chainrule.SGD(learning_rate=0.005, momentum=0.8, nesterov=True),
    chainrule.Adam(learning_rate=0.01),
    chainrule.AdamW(learning_rate=0.01, weight_decay=0.1),
    chainrule.AMSGrad(learning_rate=0.01, beta_2=0.9),
    chainrule.Adamax(learning_rate=0.01),
    chainrule.NAdam(learning_rate=0.01),
    chainrule.RAdam(learning_rate=0.01),
    chainrule.RMSprop(learning_rate=0.01, rho=0.9),
    chainrule.Adagrad(learning_rate=0.01, eps=1e-8),
    chainrule.Adadelta(learning_rate=0.5),
    chainrule.Rprop(learning_rate=0.001),
    chainrule.Lion(learning_rate=0.001, weight_decay=0.1),
]
# What they do with a component of the gradient that is zero but for rounding is chance: it has a sign all the same.
BY_SIGN = {"rprop", "lion"}
OTHER_LOSSES = [
    chainrule.Huber(delta=0.3),
    chainrule.Quantile(quantile=0.9),
    chainrule.GaussianNLL(eps=0.1),
    chainrule.CrossEntropy(label_smoothing=0.2),
    chainrule.Focal(gamma=0.5),
    chainrule.Focal(gamma=0.0),
    chainrule.BinaryFocal(gamma=0.5, alpha=1.0),
    chainrule.BinaryFocal(gamma=4.0, alpha=0.5),
]
# Small sizes are likely, all up to 70 are possible: that meets the tail of every vector width.
SIZES = st.one_of(st.integers(1, 8), st.integers(1, 70))


@dataclass
class Case:
    """What a test needs: constructor arguments, data, and the sizes that tolerances follow from."""

    layers: list[Any]
    arguments: dict[str, Any]
    X: np.ndarray
    y: np.ndarray
    sample_weight: np.ndarray | None
    depth: int
    width: int

    def native(self, **changes: Any) -> chainrule.Network:
        """Return the network in Rust."""
        return chainrule.Network(self.layers, **{"dtype": "float64", **self.arguments, **changes})

    def reference(self, **changes: Any) -> chainrule.reference.Network:
        """Return the same network in plain Python."""
        return chainrule.reference.Network(self.layers, **{"dtype": "float64", **self.arguments, **changes})

    @property
    def data(self) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """X, y and sample_weight."""
        return self.X, self.y, self.sample_weight


def activations() -> st.SearchStrategy[Any]:
    """Every activation by name, and those with a parameter as objects too."""
    with_parameters = [LeakyReLU(negative_slope=0.3), ELU(alpha=0.5)]
    return st.one_of(st.sampled_from(KINDS["activation"]), st.sampled_from(with_parameters))


def losses() -> st.SearchStrategy[Loss]:
    """Every loss with its defaults, and those with a parameter with others too."""
    return st.sampled_from([*(kind() for kind in LOSSES.values()), *OTHER_LOSSES])


def n_outputs(loss: Loss, n: int) -> int:
    """Return n, or the next number of outputs that the loss can stand on."""
    try:
        loss.check_outputs(n)
    except ValueError:
        return n_outputs(loss, n + 1)
    return n


def targets(loss: Loss, rng: np.random.Generator, n: int, k: int) -> np.ndarray:
    """Draw targets of k outputs that a loss takes, by what it says of itself; no labels."""
    shape = n, loss.n_targets(k)
    if loss.takes_labels:
        return rng.dirichlet(np.ones(k), n)
    numbers = [*rng.standard_normal(64), *rng.random(64), *rng.exponential(size=16), -1.0, 0.0, 1.0]
    return rng.choice([value for value in numbers if loss.allows(value)], shape)


def kink_distance(loss: Loss, outputs: Any, y: Any) -> float:
    """Return how near an output comes to a kink of the loss."""
    return float(np.abs(np.asarray(outputs) - np.reshape(y, np.shape(outputs))).min()) if loss.kinked else np.inf


def units_differ(layers: list[Any]) -> bool:
    """Return whether the last of layers is sure to make rows that can be normalized.

    Where all units of a row are equal but not 0, x̂ is rounding and nothing else. Units that begin alike are equal, and
    units of x = 0, as behind units of relu that are all off: their a is f(0).
    """
    dense = layers[-1]
    zero_stays = set(dense.transfer.value([0.0] * dense.units)) == {0.0}
    return dense.units > 1 and dense.init.name not in ("constant", "zeros") and (zero_stays or len(layers) == 2)


@st.composite
def cases(
    draw: st.DrawFn,
    *,
    max_depth: int = 5,
    sizes: st.SearchStrategy[int] = SIZES,
    optimizers: Sequence[Any] = OPTIMIZERS,
) -> Case:
    """Draw a network and a batch for it."""
    loss = draw(losses())
    depth = draw(st.integers(1, max_depth))
    widths = [draw(sizes) for _ in range(depth + 1)]
    widths[-1] = n_outputs(loss, widths[-1])
    repeated = loss.link.name if loss.link.name != "identity" else None
    layers: list[Any] = [widths[0]]
    for l, units in enumerate(widths[1:], start=1):
        last = l == len(widths) - 1
        activation = draw(activations().filter(lambda a, last=last: not (last and a == repeated)))
        layers.append(
            Dense(
                units,
                activation=activation,
                bias=draw(st.booleans()),
                init=draw(st.sampled_from(KINDS["init"])),
                l2=draw(st.sampled_from([0.0, 0.0, 0.01, 1.0])),
            )
        )
        if not last and units_differ(layers) and draw(st.integers(0, 3)) == 0:
            # x̂ of two units is (1, −1) or (−1, 1) but for eps: of an error that comes back almost nothing is left.
            layers.append(LayerNorm(eps=draw(st.sampled_from([0.1, 1.0] if units == 2 else [1e-5, 0.1, 1.0]))))
            depth += 1
        if not last and draw(st.integers(0, 3)) == 0:
            layers.append(Dropout(draw(st.sampled_from([0.0, 0.1, 0.5]))))
    n = draw(sizes)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    # Exponentials of outputs get out of hand where those are large.
    scales = [0.1] if loss.link.name in ("exp", "mean_variance") else [0.1, 1.0, 1.0, 3.0]
    X = rng.standard_normal((n, widths[0])) * draw(st.sampled_from(scales))
    k = widths[-1]
    y = rng.integers(0, k, n) if loss.takes_labels and draw(st.booleans()) else targets(loss, rng, n, k)
    weights = draw(st.sampled_from(["none", "none", "some", "with zeros"]))
    sample_weight = None if weights == "none" else rng.random(n) + 0.1
    if weights == "with zeros":
        sample_weight[rng.random(n) < 0.3] = 0.0
    arguments = {
        "loss": loss,
        "optimizer": draw(st.sampled_from(optimizers)),
        "seed": draw(st.integers(0, 2**63 - 1)),
    }
    return Case(layers, arguments, X, y, sample_weight, depth, max([*widths, n]))
