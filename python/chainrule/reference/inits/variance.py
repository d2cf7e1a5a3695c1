"""Glorot, He and LeCun: random weights whose width follows from the sizes of the layer.

Weights too small let the signal fade from layer to layer, weights too large make it explode. Each rule below keeps the
variance of the signal (or of the error on its way back) about the same through a layer of n_in inputs and n_out units.
"""

# ruff: noqa: ARG002 - one signature for all of a kind; a formula takes from it what it needs

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from .base import Init

if TYPE_CHECKING:
    from ..rng import Stream


class GlorotUniform(Init):
    """Uniform in ±sqrt(6 / (n_in + n_out)). For sigmoid, tanh and softmax.

    Glorot & Bengio 2010, eq. 16. torch.nn.init.xavier_uniform_; scikit-learn uses 2 instead of 6 for its logistic.

    Examples
    --------
    >>> from chainrule.reference.rng import WEIGHTS, Stream
    >>> GlorotUniform().weights(Stream(0, WEIGHTS, 0), n_in=1, n_out=2)
    [[1.350844077, 0.678373485]]
    """

    name: ClassVar[str] = "glorot_uniform"

    def draw(self, stream: Stream, n_in: int, n_out: int) -> float:
        """Return a weight in ±sqrt(6 / (n_in + n_out))."""
        return (2.0 * stream.uniform() - 1.0) * math.sqrt(6.0 / (n_in + n_out))


class GlorotNormal(Init):
    """Normal with variance 2 / (n_in + n_out).

    Glorot & Bengio 2010, eq. 12. torch.nn.init.xavier_normal_.

    Examples
    --------
    >>> from chainrule.reference.rng import WEIGHTS, Stream
    >>> GlorotNormal().weights(Stream(0, WEIGHTS, 0), n_in=1, n_out=2)
    [[0.169709226, -0.555195422]]
    """

    name: ClassVar[str] = "glorot_normal"

    def draw(self, stream: Stream, n_in: int, n_out: int) -> float:
        """Return a weight of variance 2 / (n_in + n_out)."""
        return stream.normal() * math.sqrt(2.0 / (n_in + n_out))


class HeUniform(Init):
    """Uniform in ±sqrt(6 / n_in). For relu.

    He, Zhang, Ren & Sun 2015, §2.2. torch.nn.init.kaiming_uniform_ with its defaults.

    Examples
    --------
    >>> from chainrule.reference.rng import WEIGHTS, Stream
    >>> HeUniform().weights(Stream(0, WEIGHTS, 0), n_in=1, n_out=2)
    [[2.339730575, 1.174977342]]
    """

    name: ClassVar[str] = "he_uniform"

    def draw(self, stream: Stream, n_in: int, n_out: int) -> float:
        """Return a weight in ±sqrt(6 / n_in)."""
        return (2.0 * stream.uniform() - 1.0) * math.sqrt(6.0 / n_in)


class HeNormal(Init):
    """Normal with variance 2 / n_in. For relu.

    He, Zhang, Ren & Sun 2015, eq. 10. torch.nn.init.kaiming_normal_ with its defaults.

    Examples
    --------
    >>> from chainrule.reference.rng import WEIGHTS, Stream
    >>> HeNormal().weights(Stream(0, WEIGHTS, 0), n_in=1, n_out=2)
    [[0.293945002, -0.961626678]]
    """

    name: ClassVar[str] = "he_normal"

    def draw(self, stream: Stream, n_in: int, n_out: int) -> float:
        """Return a weight of variance 2 / n_in."""
        return stream.normal() * math.sqrt(2.0 / n_in)


class LeCunUniform(Init):
    """Uniform in ±sqrt(3 / n_in).

    LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", §4.6 (variance 1 / n_in).

    Examples
    --------
    >>> from chainrule.reference.rng import WEIGHTS, Stream
    >>> LeCunUniform().weights(Stream(0, WEIGHTS, 0), n_in=1, n_out=2)
    [[1.654439356, 0.830834446]]
    """

    name: ClassVar[str] = "lecun_uniform"

    def draw(self, stream: Stream, n_in: int, n_out: int) -> float:
        """Return a weight in ±sqrt(3 / n_in)."""
        return (2.0 * stream.uniform() - 1.0) * math.sqrt(3.0 / n_in)


class LeCunNormal(Init):
    """Normal with variance 1 / n_in.

    LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", §4.6.

    Examples
    --------
    >>> from chainrule.reference.rng import WEIGHTS, Stream
    >>> LeCunNormal().weights(Stream(0, WEIGHTS, 0), n_in=1, n_out=2)
    [[0.207850504, -0.679972745]]
    """

    name: ClassVar[str] = "lecun_normal"

    def draw(self, stream: Stream, n_in: int, n_out: int) -> float:
        """Return a weight of variance 1 / n_in."""
        return stream.normal() * math.sqrt(1.0 / n_in)
