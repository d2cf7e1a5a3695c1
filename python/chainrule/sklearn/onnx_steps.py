"""Our estimators as steps before another model, where scikit-learn calls `transform`: the last hidden layer's outputs.

skl2onnx takes an estimator in any place for its predictions. So before a Pipeline and its like are parsed, each of ours
whose `transform` is meant is put into a `HiddenLayers`, which has a converter of its own.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

from chainrule.sklearn.classifier import MLPClassifier
from chainrule.sklearn.regressor import MLPRegressor

if TYPE_CHECKING:
    from collections.abc import Callable

CONTAINERS = (Pipeline, FeatureUnion, ColumnTransformer)


class HiddenLayers(TransformerMixin, BaseEstimator):  # type: ignore[misc] # the bases are Any to mypy
    """The hidden layers of a fitted estimator."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def __sklearn_is_fitted__(self) -> bool:
        return True


def with_steps(model: Any, *, is_step: bool = False) -> Any:
    """Return the fitted model with `HiddenLayers` where `transform` is called, with `is_step` on the model itself."""
    if is_step and isinstance(model, MLPClassifier | MLPRegressor):
        return HiddenLayers(model)
    if not isinstance(model, CONTAINERS):
        return model
    result = copy(model)
    if isinstance(model, Pipeline):
        last = len(model.steps) - 1
        result.steps = [
            (name, with_steps(step, is_step=is_step or i < last)) for i, (name, step) in enumerate(model.steps)
        ]
    elif isinstance(model, FeatureUnion):
        result.transformer_list = [(name, with_steps(step, is_step=True)) for name, step in model.transformer_list]
    else:
        result.transformers_ = [
            (name, with_steps(step, is_step=True), columns) for name, step, columns in model.transformers_
        ]
    return result


def register_parsers() -> None:
    """Make skl2onnx parse Pipelines and their like after `with_steps`."""
    from skl2onnx._parse import sklearn_parsers_map, update_registered_parser

    for container in CONTAINERS:
        parse = sklearn_parsers_map[container]
        if parse.__module__ != __name__:
            update_registered_parser(container, after_steps(parse))


def after_steps(parse: Callable[..., Any]) -> Callable[..., Any]:
    """Return skl2onnx's parser of a container, applied after `with_steps`."""

    def parser(scope: Any, model: Any, inputs: Any, custom_parsers: Any = None) -> Any:
        return parse(scope, with_steps(model), inputs, custom_parsers)

    return parser
