"""The types of chainrule.names hold the names that the code takes. mypy reads this file too, and each wrong name in it
must be an error there: an ignored line without an error is reported.
"""

from __future__ import annotations

from typing import Any, get_args

import pytest
import sklearn
from sklearn.metrics import get_scorer_names
from sklearn.utils.fixes import parse_version

import chainrule
from chainrule import Dense, Network, names
from chainrule.metrics import METRICS
from chainrule.plots import ConfusionMatrixDisplay, PredictionErrorDisplay
from chainrule.plots.confusion_matrix import SHARES
from chainrule.reference import Network as Reference
from chainrule.reference.config import DTYPES, REGISTRIES
from chainrule.sklearn import MLPClassifier, MLPRegressor
from chainrule.tabular import TabularModel

X, Y = [[0.0], [1.0]], [0.0, 1.0]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("activation", names.ActivationName),
        ("loss", names.LossName),
        ("optimizer", names.OptimizerName),
        ("init", names.InitName),
    ],
)
def test_names_of_options_are_those_of_the_registries(kind: str, name: Any) -> None:
    assert list(get_args(name)) == chainrule.registry()[kind] == list(REGISTRIES[kind])


def test_names_of_dtypes_and_shares_are_those_taken() -> None:
    assert get_args(names.DTypeName) == DTYPES
    assert get_args(names.Normalize) == tuple(SHARES)


def test_names_of_metrics_are_own_ones_and_scorers() -> None:
    own, scorers = set(METRICS), set(get_args(names.ScorerName))
    assert set(get_args(names.MetricName)) == own | scorers
    assert set(get_args(names.Scoring)) == scorers | {"loss"}
    if parse_version(sklearn.__version__) < parse_version("1.8"):
        scorers -= {"d2_brier_score", "d2_log_loss_score"}
    assert scorers <= set(get_scorer_names())  # a later scikit-learn may have more


@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize(
    ("parameter", "name"),
    [
        ("activation", names.HiddenActivationName),
        ("solver", names.Solver),
        ("learning_rate", names.LearningRate),
        ("loss", names.RegressorLoss),
        ("class_weight", names.ClassWeight),
    ],
)
def test_names_of_estimators_are_those_that_they_validate(estimator: Any, parameter: str, name: Any) -> None:
    taken = estimator._parameter_constraints.get(parameter, [])
    options = [set(constraint.options) for constraint in taken if hasattr(constraint, "options")]
    assert options in ([], [set(get_args(name))])
    assert options or (estimator, parameter) in ((MLPClassifier, "loss"), (MLPRegressor, "class_weight"))


def test_a_wrong_name_is_an_error_of_types_and_at_run_time() -> None:
    # Each name is wrong on purpose. mypy must refuse it: an `ignore` without an error is an error of `make lint`.
    refused = pytest.raises(ValueError, match="rleu")
    with refused:
        Network([1, 1], activation="rleu")  # type: ignore[arg-type]
    with refused:
        Network([1, 1], output_activation="rleu")  # type: ignore[arg-type]
    with refused:
        Network([1, 1], loss="rleu")  # type: ignore[arg-type]
    with refused:
        Network([1, 1], optimizer="rleu")  # type: ignore[arg-type]
    with refused:
        Network([1, 1], init="rleu")  # type: ignore[arg-type]
    with refused:
        Network([1, 1], dtype="rleu")  # type: ignore[arg-type]
    with refused:
        Reference([1, 1], activation="rleu")  # type: ignore[arg-type]
    with refused:
        Dense(1, activation="rleu")  # type: ignore[arg-type]
    with refused:
        Dense(1, init="rleu")  # type: ignore[arg-type]
    net = Network([1, 1])
    with refused:
        net.optimizer = "rleu"  # type: ignore[assignment]
    with refused:
        net.evaluate(X, Y, metrics=["rleu"])  # type: ignore[list-item]
    with refused:
        net.fit(X, Y, metrics=["rleu"])  # type: ignore[list-item]
    with refused:
        ConfusionMatrixDisplay.from_predictions([0], [0], normalize="rleu")  # type: ignore[arg-type]
    with refused:
        PredictionErrorDisplay.from_predictions(Y, Y, kind="rleu")  # type: ignore[arg-type]
    with refused:
        TabularModel(activation="rleu")  # type: ignore[arg-type]
    with refused:
        TabularModel(decimal="rleu")  # type: ignore[arg-type]
    with refused:
        TabularModel(thousands="rleu")  # type: ignore[arg-type]
    with refused:
        TabularModel(class_weight="rleu")  # type: ignore[arg-type]
    with refused:
        MLPClassifier(solver="rleu").fit(X, [0, 1])  # type: ignore[arg-type]
    with refused:
        MLPRegressor(loss="rleu").fit(X, Y)  # type: ignore[arg-type]
    with refused:
        MLPRegressor(activation="rleu").fit(X, Y)  # type: ignore[arg-type]


def test_a_right_name_is_no_error_of_types() -> None:
    import numpy as np

    net = Network([1, Dense(2, "tanh", init="he_normal"), 1], optimizer="sgd", dtype=np.float64, seed=0)
    net.optimizer = "lion"
    assert Reference([1, 1], dtype=np.dtype("float32"), seed=0).dtype == "float32"
    assert net.evaluate(X, Y, metrics=["mae", "neg_max_error"])["loss"] >= 0.0
    assert MLPClassifier(activation=["relu", chainrule.ELU(), "logistic"]).solver == "adam"
