"""class_weight multiplies sample weights by the weight of their class, and changes nothing if it is None."""

import warnings

import numpy as np
import pytest
import scipy.sparse
import sklearn
from sklearn import config_context
from sklearn.base import clone
from sklearn.utils import compute_class_weight, compute_sample_weight

from chainrule.sklearn import MLPClassifier

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = np.repeat(["a", "b", "c"], [35, 20, 5])
OWN = RNG.uniform(0.5, 2.0, 60)
OF_CLASS = {"a": 0.5, "b": 2.0, "c": 3.0}
SMALL = {"hidden_layer_sizes": (4,), "max_iter": 6, "random_state": 0}


def curve(y=Y, sample_weight=None, x=X, **parameters):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit_of(MLPClassifier(**SMALL, **parameters), x, y, sample_weight)


def fit_of(model, x, y, sample_weight):
    model.fit(x, y, sample_weight)
    return getattr(model, "loss_curve_", [model.loss_])


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("early", [False, True])
def test_dict_is_the_same_as_weights_of_samples(solver, early):
    if early and sklearn.__version__ < "1.9":
        pytest.skip("this scikit-learn takes no text with early stopping")
    weights = np.array([OF_CLASS[label] for label in Y])
    options = {"solver": solver, "early_stopping": early}
    assert curve(class_weight=OF_CLASS, **options) == curve(sample_weight=weights, **options)
    assert curve(class_weight=OF_CLASS, sample_weight=OWN, **options) == curve(sample_weight=weights * OWN, **options)


def test_balanced_classes_count_the_same_in_all():
    weights = compute_sample_weight("balanced", Y)
    assert curve(class_weight="balanced") == curve(sample_weight=weights)
    for label in "abc":
        assert weights[label == Y].sum() == pytest.approx(20.0)
    assert curve(class_weight="balanced", sample_weight=OWN) == curve(sample_weight=weights * OWN)


def test_none_is_the_default_and_changes_nothing():
    assert MLPClassifier().class_weight is None
    assert curve(class_weight=None) == curve()
    assert curve(class_weight=None, sample_weight=OWN) == curve(sample_weight=OWN)


def test_rare_class_is_found_more_often():
    rng = np.random.default_rng(1)
    x = np.vstack([rng.normal(0.0, 1.0, (190, 1)), rng.normal(1.5, 1.0, (10, 1))])
    y = np.repeat([0, 1], [190, 10])
    plain = MLPClassifier((4,), solver="lbfgs", random_state=0, max_iter=1000).fit(x, y)
    balanced = clone(plain).set_params(class_weight="balanced").fit(x, y)
    assert (balanced.predict(x)[y == 1] == 1).mean() > (plain.predict(x)[y == 1] == 1).mean() + 0.3


@pytest.mark.parametrize(
    "y", [Y, Y.tolist(), Y.reshape(-1, 1), Y.astype(object)], ids=["array", "list", "column", "objects"]
)
def test_labels_may_come_in_any_form(y):
    assert curve(y=y, class_weight=OF_CLASS) == curve(class_weight=OF_CLASS)


def test_multilabel_takes_a_dict_for_each_label():
    y = np.stack([X[:, 0] > 0, X[:, 1] > 1], axis=1).astype(int)
    of_labels = [{0: 1.0, 1: 2.0}, {0: 1.0, 1: 5.0}]
    weights = compute_sample_weight(of_labels, y)
    assert curve(y=y, class_weight=of_labels) == curve(y=y, sample_weight=weights)
    assert curve(y=y, class_weight="balanced") == curve(y=y, sample_weight=compute_sample_weight("balanced", y))
    assert curve(y=scipy.sparse.csr_matrix(y), class_weight=of_labels) == curve(y=y, class_weight=of_labels)
    with pytest.raises(ValueError, match="class_weight should be a list of dicts"):
        curve(y=y, class_weight={0: 1.0, 1: 2.0})


def test_partial_fit_takes_a_dict_but_cannot_know_what_is_balanced():
    weights = np.array([OF_CLASS[label] for label in Y])
    one = MLPClassifier(class_weight=OF_CLASS, **SMALL).partial_fit(X, Y, classes=["a", "b", "c"]).partial_fit(X, Y)
    two = MLPClassifier(**SMALL).partial_fit(X, Y, weights, classes=["a", "b", "c"]).partial_fit(X, Y, weights)
    assert one.loss_curve_ == two.loss_curve_
    with pytest.raises(ValueError, match="class_weight 'balanced' is not supported for partial_fit"):
        MLPClassifier(class_weight="balanced", **SMALL).partial_fit(X, Y, classes=["a", "b", "c"])
    of_class = dict(zip("abc", compute_class_weight("balanced", classes=np.array(["a", "b", "c"]), y=Y), strict=True))
    MLPClassifier(class_weight=of_class, **SMALL).partial_fit(X, Y, classes=["a", "b", "c"])


def test_part_of_the_data_may_lack_a_class():
    model = MLPClassifier(class_weight=OF_CLASS, **SMALL)
    model.partial_fit(X[:35], Y[:35], classes=["a", "b", "c"])
    weighted = MLPClassifier(**SMALL).partial_fit(X[:35], Y[:35], np.full(35, 0.5), classes=["a", "b", "c"])
    assert model.loss_curve_ == weighted.loss_curve_


@pytest.mark.parametrize("wrong", ["Balanced", 3, [1.0, 2.0, 3.0], ("balanced",), np.ones(3)])
def test_what_is_no_class_weight_is_refused(wrong):
    with pytest.raises(ValueError, match="class_weight"):
        curve(class_weight=wrong)


def test_unknown_classes_and_wrong_lengths_are_refused():
    with pytest.raises(ValueError, match=r"The classes, .*'b', 'c'.* are not in class_weight"):
        curve(class_weight={"a": 1.0, "z": 2.0})
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        curve(y=Y[:-1], class_weight="balanced")
    with pytest.raises(ValueError, match=r"sample_weight\.shape"):
        curve(sample_weight=OWN[:-1], class_weight="balanced")


def test_negative_weight_is_refused():
    with pytest.raises(ValueError, match="class_weight must be at least 0 for each class"):
        curve(class_weight={"a": 1.0, "b": -1.0, "c": 1.0})


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(bad):
    with pytest.raises(ValueError, match=r"(NaN|infinity)"):
        curve(class_weight={"a": 1.0, "b": bad, "c": 1.0})


def test_it_is_a_parameter_like_others():
    assert clone(MLPClassifier(class_weight=OF_CLASS)).class_weight == OF_CLASS
    with config_context(skip_parameter_validation=True):
        assert curve(class_weight="balanced") == curve(sample_weight=compute_sample_weight("balanced", Y))
