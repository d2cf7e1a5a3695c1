"""ONNX export: converters of skl2onnx for the two estimators, also inside a Pipeline.

    z = a w + b,  a = f(z)  layer by layer;  labels = classes[argmax of the probabilities]

skl2onnx's own converter for scikit-learn's classes has three errors that this one does not have: it lacks the Poisson
output, flattens the outputs of a multi-output regressor, and takes two labels of a multilabel problem for two classes.
A new activation is added to the table in sklearn/onnx_nodes.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from chainrule import _arrays
from chainrule.extras import install
from chainrule.reference.options import shown
from chainrule.sklearn.classifier import MLPClassifier
from chainrule.sklearn.layers import activations_of
from chainrule.sklearn.onnx_nodes import ACTIVATIONS, OUTPUTS, Graph, Value
from chainrule.sklearn.onnx_steps import HiddenLayers, register_parsers
from chainrule.sklearn.regressor import MLPRegressor

CLASSIFIER_OPTIONS = {"zipmap": [True, False, "columns"], "output_class_labels": [False, True], "nocl": [True, False]}


def to_onnx(model: Any, X: Any = None, **options: Any) -> Any:
    """Return a fitted model as ONNX. It calls `register_onnx`, then ``skl2onnx.to_onnx(model, X, **options)``.

    Parameters
    ----------
    model : estimator
        A fitted estimator of this package, or a Pipeline or another estimator of scikit-learn that holds one.
    X : array_like, (n, n_features), optional
        One or more rows of the kind that the ONNX model will get; only their type matters. For an estimator of this
        package, float32 gives an ONNX model in float32, any other numbers one in float64. Not needed with
        `initial_types`.
    **options
        Options of skl2onnx: `initial_types` in place of `X`, `target_opset`, and `options`. By default the
        probabilities of an MLPClassifier are an array; ``options={"zipmap": True}`` gives a dictionary for each row,
        in float32 only.

    Returns
    -------
    onnx.ModelProto
        A classifier has the outputs "label", (n,) or (n, n_labels), and "probabilities", (n, n_classes); a regressor
        has "variable", (n, n_outputs).

    Raises
    ------
    ImportError
        skl2onnx is not installed: ``pip install 'chainrule[onnx]'``.
    NotFittedError
        `model` is not fitted.
    TypeError
        `model` is not an estimator, neither `X` nor `initial_types` is given, or `X` does not hold numbers.
    ValueError
        `X` is not 2-D or does not have as many columns as the data `model` was fitted with; a hidden layer's activation
        cannot be written in ONNX.

    Notes
    -----
    onnxruntime adds in another order, so its results agree up to rounding. It computes erf, and so "gelu", in float32
    only.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule.sklearn import MLPRegressor, to_onnx
    >>> X = np.linspace(0, 1, 20, dtype=np.float32).reshape(-1, 1)
    >>> model = MLPRegressor(hidden_layer_sizes=(4,), solver="lbfgs", random_state=0).fit(X, X.ravel() ** 2)
    >>> to_onnx(model, X[:1]).graph.output[0].name  # doctest: +SKIP
    'variable'
    """
    register_onnx()
    from skl2onnx import to_onnx as convert

    if not isinstance(model, BaseEstimator):
        raise TypeError(f"model must be an estimator of chainrule.sklearn, or one that holds it, not {shown(model)}")
    check_is_fitted(model)
    if X is None and options.get("initial_types") is None:
        raise TypeError("X is missing: pass one or more rows of the kind that the model will get, or initial_types")
    # skl2onnx's default gives a dictionary for each row, which onnxruntime cannot load if it holds doubles.
    options.setdefault("options", {MLPClassifier: {"zipmap": False}})
    return convert(model, None if X is None else example(model, X), **options)


def register_onnx() -> None:
    """Register the converters, for callers of skl2onnx itself; `to_onnx` does this on its own.

    Raises
    ------
    ImportError
        skl2onnx is not installed: ``pip install 'chainrule[onnx]'``.
    """
    try:
        from skl2onnx import update_registered_converter
    except ImportError as missing:
        raise ImportError(f"ONNX export needs skl2onnx: {install('onnx')}") from missing
    update_registered_converter(
        MLPClassifier,
        "ChainruleMLPClassifier",
        classifier_shapes,
        convert_classifier,
        options=CLASSIFIER_OPTIONS,
    )
    update_registered_converter(MLPRegressor, "ChainruleMLPRegressor", regressor_shapes, convert_regressor)
    update_registered_converter(HiddenLayers, "ChainruleHiddenLayers", hidden_shapes, convert_hidden)
    register_parsers()


def example(model: Any, X: Any) -> Any:
    """Return a row of X from which skl2onnx can derive the type of the inputs."""
    if isinstance(model, MLPClassifier | MLPRegressor):
        X = _arrays.as_numbers(X, np.dtype(np.float64), "X")
    elif not hasattr(X, "iloc"):  # a DataFrame becomes one input per column
        X = _arrays.as_array(X, "X")
    if X.ndim != 2:
        hint = "; a single row is X.reshape(1, -1)" if X.ndim == 1 else ""
        raise ValueError(f"X must be 2-D (n_rows, n_features), got shape {X.shape}{hint}")
    n_features = getattr(model, "n_features_in_", X.shape[1])
    if X.shape[1] != n_features:
        raise ValueError(f"X has {X.shape[1]} columns but the model was fitted with {n_features}")
    if not len(X):
        raise ValueError("X has no rows; at least one is needed")
    return X[:1]


def classifier_shapes(operator: Any) -> None:
    """Set the types of both outputs: labels (n,) or (n, n_labels), probabilities (n, n_classes)."""
    from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes

    calculate_linear_classifier_output_shapes(operator)
    if is_multilabel(operator.raw_operator):
        n = operator.inputs[0].get_first_dimension()
        operator.outputs[0].type.shape = [n, operator.raw_operator.n_outputs_]
    if len(operator.raw_operator.classes_) == 1:  # scikit-learn gives two columns for the single class
        operator.outputs[1].type.shape = [operator.inputs[0].get_first_dimension(), 2]


def regressor_shapes(operator: Any) -> None:
    """Set the type of the output: (n, n_outputs)."""
    from skl2onnx.common.shape_calculator import calculate_linear_regressor_output_shapes

    calculate_linear_regressor_output_shapes(operator)
    operator.outputs[0].type.shape[1] = operator.raw_operator.n_outputs_


def hidden_shapes(operator: Any) -> None:
    """Set the type of the output: (n, n_units) of the input's type."""
    model = operator.raw_operator.model
    kind = type(operator.outputs[0].type)
    operator.outputs[0].type = kind([operator.inputs[0].get_first_dimension(), int(model.coefs_[-1].shape[0])])


def convert_hidden(scope: Any, operator: Any, container: Any) -> None:
    """Write the nodes of the hidden layers."""
    model = operator.raw_operator.model
    a = forward(scope, operator, container, model, len(model.coefs_) - 1)
    a.apply("Identity", result=operator.outputs[0].full_name)


def convert_regressor(scope: Any, operator: Any, container: Any) -> None:
    """Write the nodes of a regressor."""
    model = operator.raw_operator
    a = forward(scope, operator, container, model, len(model.coefs_))
    a.apply("Identity", result=operator.outputs[0].full_name)


def convert_classifier(scope: Any, operator: Any, container: Any) -> None:
    """Write the nodes of a classifier."""
    from onnx import TensorProto

    model = operator.raw_operator
    labels, probabilities = (output.full_name for output in operator.outputs)
    a = forward(scope, operator, container, model, len(model.coefs_))
    if is_multilabel(model):
        a.apply("Identity", result=probabilities)
        a.apply("Greater", 0.5).apply("Cast", to=TensorProto.INT64, result=labels)
        return
    if model.out_activation_ == "logistic":  # the one output is the probability of the second class
        a = (a.graph.constant(1.0) - a).apply("Concat", a, axis=1)
    a.apply("Identity", result=probabilities)
    # If probabilities are equal, both this and scikit-learn take the first class.
    place = a.apply("ArgMax", axis=1, keepdims=0)
    label_values(a.graph, model).apply("Gather", place, axis=0, result=labels)


def forward(scope: Any, operator: Any, container: Any, model: Any, n_layers: int) -> Value:
    """Write the nodes of the model's first `n_layers` layers; return their outputs, after the last activation."""
    from onnx import TensorProto
    from skl2onnx.common.data_types import guess_proto_type

    is_double = guess_proto_type(operator.inputs[0].type) == TensorProto.DOUBLE
    graph = Graph(scope, container, TensorProto.DOUBLE if is_double else TensorProto.FLOAT)
    a = Value(graph, operator.inputs[0].full_name).apply("Cast", to=graph.kind)
    hidden = activations_of(model.activation, len(model.coefs_) - 1)
    layers = list(zip(model.coefs_, model.intercepts_, [*hidden, None], strict=True))
    for w, b, f in layers[:n_layers]:
        z = a @ graph.constant(w) + graph.constant(b)
        a = ACTIVATIONS[f.name](z, f) if f else OUTPUTS[model.out_activation_](z)
    return a


def label_values(graph: Graph, model: Any) -> Value:
    """Return the label value of each column of probabilities, of which there are two or more."""
    from onnx import TensorProto
    from skl2onnx.common.utils_classifier import get_label_classes

    classes = np.asarray(get_label_classes(graph.scope, model)).tolist()
    # A single class was trained as the negative class of two, and is predicted for every probability.
    classes = classes * 2 if len(classes) == 1 else classes
    if isinstance(classes[0], str):
        return graph.constant([value.encode() for value in classes], TensorProto.STRING)
    return graph.constant([int(value) for value in classes], TensorProto.INT64)


def is_multilabel(model: Any) -> bool:
    """Tell whether the classifier decides each output independently."""
    return bool(model._label_binarizer.y_type_.startswith("multilabel"))  # noqa: SLF001 - nothing public says so
