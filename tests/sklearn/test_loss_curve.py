"""LossCurveDisplay draws the curves that an estimator kept of its fit."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.pipeline import make_pipeline

import chainrule
from chainrule.plots import LossCurveDisplay
from chainrule.sklearn import MLPClassifier, MLPRegressor

X = np.random.default_rng(0).normal(size=(40, 2))
Y = X[:, 0] > 0


def fitted(cls=MLPClassifier, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return cls(**{"hidden_layer_sizes": (4,), "max_iter": 7, "random_state": 0, **parameters}).fit(X, Y)


def lines(display):
    return {line.get_label(): line.get_ydata().tolist() for line in display.lines_}


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor, TheirClassifier])
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_curve_of_an_estimator_is_drawn(cls, solver):
    model = fitted(cls, solver=solver)
    display = LossCurveDisplay.from_estimator(model)
    assert lines(display) == {"training": model.loss_curve_}
    assert display.lines_[0].get_xdata().tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert display.ax_.get_ylabel() == "loss"


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
def test_validation_scores_are_drawn_beside_the_loss(cls):
    model = fitted(cls, early_stopping=True)
    display = LossCurveDisplay.from_estimator(model)
    assert lines(display) == {"loss": model.loss_curve_, "val_score": model.validation_scores_}
    assert display.ax_.get_ylabel() == "loss and score"
    alone = LossCurveDisplay.from_estimator(model, columns="val_score")
    assert lines(alone) == {"validation": model.validation_scores_}
    if cls is MLPRegressor:  # all accuracies may be equal
        assert (display.best_column, alone.best_epoch) == ("val_score", int(np.argmax(model.validation_scores_)) + 1)


def test_validation_losses_are_drawn_in_the_place_of_scores():
    model = fitted(early_stopping=True)
    model.validation_loss_curve_ = [2 * loss for loss in model.loss_curve_]
    display = LossCurveDisplay.from_estimator(model)
    assert lines(display) == {"training": model.loss_curve_, "validation": model.validation_loss_curve_}
    assert display.best_column == "val_loss"


def test_curve_that_ends_earlier_leaves_a_gap_at_the_end():
    model = fitted(MLPRegressor, early_stopping=True)
    del model.validation_scores_[5:]  # as where Ctrl-C ends a fit between an epoch and its score
    drawn = lines(LossCurveDisplay.from_estimator(model))
    assert drawn["loss"] == model.loss_curve_
    assert drawn["val_score"][:5] == model.validation_scores_
    assert np.isnan(drawn["val_score"][5:]).all()
    model.validation_scores_.clear()
    assert list(lines(LossCurveDisplay.from_estimator(model))) == ["training"]


def test_several_runs_are_drawn_with_their_median():
    models = [fitted(random_state=seed, max_iter=5 + seed) for seed in range(3)]
    display = LossCurveDisplay.from_estimator(models)
    (middle,) = lines(display).values()
    np.testing.assert_array_equal(middle[:5], np.median([model.loss_curve_[:5] for model in models], axis=0))
    assert np.isnan(middle[5:]).all()
    for model, line in zip(models, display.ax_.get_lines(), strict=False):
        assert line.get_ydata()[: model.n_iter_].tolist() == model.loss_curve_
    one_early = LossCurveDisplay.from_estimator((models[0], fitted(early_stopping=True)))
    assert list(lines(one_early)) == ["training"]


def test_model_that_is_not_fitted_is_refused():
    with pytest.raises(NotFittedError, match="MLPClassifier instance is not fitted"):
        LossCurveDisplay.from_estimator(MLPClassifier())


@pytest.mark.parametrize("model", [fitted(solver="lbfgs"), make_pipeline(fitted()), LinearRegression().fit(X, Y)])
def test_model_without_a_curve_is_refused(model):
    with pytest.raises(ValueError, match=rf"estimator\[1\], a {type(model).__name__}, has no loss_curve_"):
        LossCurveDisplay.from_estimator([fitted(), model])


@pytest.mark.parametrize("estimator", [None, 3, "model", MLPClassifier, chainrule.Network([1, 1], seed=0), X, {}])
def test_what_is_no_estimator_is_refused(estimator):
    with pytest.raises(TypeError, match="estimator must be a fitted MLPClassifier or MLPRegressor"):
        LossCurveDisplay.from_estimator(estimator)


def test_columns_that_are_missing_are_refused():
    with pytest.raises(ValueError, match="estimator is an empty list"):
        LossCurveDisplay.from_estimator([])
    with pytest.raises(ValueError, match="estimator has no column 'val_score', only loss"):
        LossCurveDisplay.from_estimator(fitted(), columns=["loss", "val_score"])
    with pytest.raises(TypeError, match="columns must be names"):
        LossCurveDisplay.from_estimator(fitted(), columns=3)
    with pytest.raises(TypeError, match="column"):
        LossCurveDisplay.from_estimator(fitted(), column="loss")
