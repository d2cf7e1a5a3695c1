"""Formulas as nodes of an ONNX graph, and the table of the activations a = f(z) written with them.

    relu:  z.apply("Relu")          elu:  z.apply("Relu") + (z.apply("Min", 0.0).apply("Exp") - 1.0)

A `Value` is the result of a node when the graph runs. Applying an operator to it adds a node. onnxruntime implements
many of ONNX's own activations in float32 only, so all but the plainest are composed of operators that it has in float64
too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.reference.activations.gated import FAR
from chainrule.reference.activations.rectifiers import SELU_ALPHA, SELU_LAMBDA

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike


class Graph:
    """The nodes of one model, and the type that it computes in."""

    def __init__(self, scope: Any, container: Any, kind: int) -> None:
        self.scope, self.container, self.kind = scope, container, kind

    def constant(self, values: ArrayLike, kind: int | None = None) -> Value:
        """Return constants, numbers or entries of the ONNX type `kind`, as a value."""
        array = np.asarray(values)
        name = self.scope.get_unique_variable_name("constant")
        self.container.add_initializer(name, self.kind if kind is None else kind, array.shape, array.ravel().tolist())
        return Value(self, name)

    def node(self, operator: str, *inputs: Value, result: str | None = None, **attributes: Any) -> Value:
        """Add a node and return its single result, named `result` or by a free name."""
        name = self.scope.get_unique_variable_name(operator.lower()) if result is None else result
        self.container.add_node(operator, [value.name for value in inputs], [name], **attributes)
        return Value(self, name)


class Value:
    """The result of a node, with arithmetic that adds nodes."""

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph, self.name = graph, name

    def apply(self, operator: str, *others: Value | float, **attributes: Any) -> Value:
        """Return the result of the operator for this value and the others."""
        graph = self.graph
        values = [other if isinstance(other, Value) else graph.constant(other) for other in others]
        return graph.node(operator, self, *values, **attributes)

    def __add__(self, other: Value | float) -> Value:
        return self.apply("Add", other)

    def __sub__(self, other: Value | float) -> Value:
        return self.apply("Sub", other)

    def __mul__(self, other: Value | float) -> Value:
        return self.apply("Mul", other)

    def __truediv__(self, other: Value | float) -> Value:
        return self.apply("Div", other)

    def __matmul__(self, other: Value) -> Value:
        return self.apply("MatMul", other)


def expm1_below(z: Value) -> Value:
    """Return exp(z) − 1 where z < 0, else 0."""
    # For z ≤ 0 it equals 2 t / (1 − t) with t = tanh(z / 2), which keeps the digits that exp(z) − 1 loses for small z.
    t = (z.apply("Min", 0.0) * 0.5).apply("Tanh")
    return t * 2.0 / (z.graph.constant(1.0) - t)


def softplus(z: Value) -> Value:
    """Return log(1 + exp(z)) = max(z, 0) + log(1 + exp(−|z|))."""
    return z.apply("Relu") + (z.apply("Abs").apply("Neg").apply("Exp") + 1.0).apply("Log")


def erf(x: Value) -> Value:
    """Return erf(x) computed in float32, the only type in which onnxruntime has it."""
    from onnx import TensorProto

    return x.apply("Cast", to=TensorProto.FLOAT).apply("Erf").apply("Cast", to=x.graph.kind)


def gated(z: Value, gate: Value) -> Value:
    """Return z times its gate, or the limit 0 if z = −∞."""
    return z.apply("Max", -FAR) * gate


def gelu_tanh(z: Value) -> Value:
    """Return ½ z (1 + tanh(u)) = z σ(2 u), u = √(2/π) (z + 0.044715 z³)."""
    u = (z + z * z * z * 0.044715) * float(np.sqrt(2.0 / np.pi))
    return gated(z, (u * 2.0).apply("Sigmoid"))


def hard_sigmoid(z: Value) -> Value:
    """Return min(max(z + 3, 0), 6) / 6."""
    return (z + 3.0).apply("Relu").apply("Min", 6.0) / 6.0


ACTIVATIONS: dict[str, Callable[[Value, Any], Value]] = {
    "identity": lambda z, _: z,
    "sigmoid": lambda z, _: z.apply("Sigmoid"),
    "tanh": lambda z, _: z.apply("Tanh"),
    "relu": lambda z, _: z.apply("Relu"),
    "leaky_relu": lambda z, f: z.apply("Max", z * f.negative_slope),  # the slope is below 1
    "elu": lambda z, f: z.apply("Relu") + expm1_below(z) * f.alpha,
    "selu": lambda z, _: z.apply("Relu") * SELU_LAMBDA + expm1_below(z) * (SELU_LAMBDA * SELU_ALPHA),
    "softplus": lambda z, _: softplus(z),
    "silu": lambda z, _: gated(z, z.apply("Sigmoid")),
    "gelu": lambda z, _: gated(z, (erf(z * float(np.sqrt(0.5))) + 1.0) * 0.5),
    "gelu_tanh": lambda z, _: gelu_tanh(z),
    "mish": lambda z, _: gated(z, softplus(z).apply("Tanh")),
    "softsign": lambda z, _: z / (z.apply("Abs") + 1.0),
    "hard_sigmoid": lambda z, _: hard_sigmoid(z),
    "hard_tanh": lambda z, _: z.apply("Max", -1.0).apply("Min", 1.0),
    "hard_silu": lambda z, _: gated(z, hard_sigmoid(z)),
}
"""Activations of hidden layers: functions of z and the option, whose formula chainrule.reference.activations has."""

OUTPUTS: dict[str, Callable[[Value], Value]] = {
    "identity": lambda z: z,
    "logistic": lambda z: z.apply("Sigmoid"),
    "softmax": lambda z: z.apply("Softmax", axis=1),
    "exp": lambda z: z.apply("Exp"),  # with the Poisson loss
}
"""Activations of the output layer, by scikit-learn's `out_activation_`."""
