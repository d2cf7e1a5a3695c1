"""The estimators inside scikit-learn's tools: clones, files, pipelines, searches, calibration, routing, names."""

import pickle
import warnings

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import make_classification
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from chainrule.sklearn import MLPClassifier, MLPRegressor

X, Y = make_classification(90, 5, random_state=0)
SMALL = {"hidden_layer_sizes": (5,), "random_state": 0, "max_iter": 15}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_clone_has_the_parameters_and_nothing_learned():
    model = MLPClassifier(**SMALL).fit(X, Y)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "coefs_")
    assert copy.fit(X, Y).loss_curve_ == model.loss_curve_


@pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_file_brings_the_model_back_and_it_goes_on_training(cls, solver, tmp_path):
    model = cls(solver=solver, **SMALL).fit(X, Y)
    joblib.dump(model, tmp_path / "model.joblib")
    for again in (joblib.load(tmp_path / "model.joblib"), pickle.loads(pickle.dumps(model))):  # noqa: S301 - its own
        np.testing.assert_array_equal(again.predict(X), model.predict(X))
        if solver != "lbfgs":
            more = pickle.loads(pickle.dumps(model)).partial_fit(X, Y)  # noqa: S301 - its own
            np.testing.assert_array_equal(again.partial_fit(X, Y).predict(X), more.predict(X))
            assert again.loss_curve_ == more.loss_curve_


def test_loaded_model_can_be_read_only(tmp_path):
    model = MLPClassifier(**SMALL).fit(X, Y)
    joblib.dump(model, tmp_path / "model.joblib")
    mapped = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    np.testing.assert_array_equal(mapped.predict_proba(X), model.predict_proba(X))


def test_pipeline_gives_what_its_steps_give():
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(**SMALL)).fit(X, Y)
    scaled = StandardScaler().fit_transform(X)
    np.testing.assert_array_equal(
        pipeline.predict_proba(X), MLPClassifier(**SMALL).fit(scaled, Y).predict_proba(scaled)
    )


def test_grid_search_in_two_processes_finds_what_one_finds():
    grid = {"alpha": [1e-4, 1.0], "hidden_layer_sizes": [(3,), (4, 3)]}
    one, two = (GridSearchCV(MLPClassifier(**SMALL), grid, n_jobs=n, cv=3).fit(X, Y) for n in (None, 2))
    np.testing.assert_array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])
    assert one.best_params_ == two.best_params_


def test_processes_of_a_search_share_the_processors():
    # joblib tells its workers by OMP_NUM_THREADS how many threads are theirs.
    count = joblib.delayed(lambda: __import__("chainrule").Network([1, 1]).n_threads)
    for n_threads in joblib.Parallel(n_jobs=2)(count() for _ in range(2)):
        assert n_threads <= max(1, joblib.cpu_count() // 2)


def test_calibration_works_around_it_as_around_scikit_learns():
    ours, theirs = (
        CalibratedClassifierCV(cls(**SMALL), cv=3).fit(X, Y).predict_proba(X)
        for cls in (MLPClassifier, TheirClassifier)
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize(
    "meta",
    [
        VotingClassifier([("mlp", MLPClassifier(**SMALL))], voting="soft"),
        OneVsRestClassifier(MLPClassifier(**SMALL)),
        BaggingClassifier(MLPClassifier(**SMALL), n_estimators=2, random_state=0),
        MultiOutputRegressor(MLPRegressor(**SMALL)),
        TransformedTargetRegressor(MLPRegressor(**SMALL), transformer=StandardScaler()),
    ],
    ids=lambda meta: type(meta).__name__,
)
def test_meta_estimators_take_it(meta):
    y = np.stack([Y, X[:, 0]], axis=1) if isinstance(meta, MultiOutputRegressor) else Y
    assert meta.fit(X, y).predict(X).shape == y.shape


def test_tags_say_what_it_is():
    assert is_classifier(MLPClassifier())
    assert is_regressor(MLPRegressor())
    tags = sklearn.utils.get_tags(MLPClassifier())
    assert tags.transformer_tags is not None  # beyond theirs
    tags.transformer_tags = None
    assert tags == sklearn.utils.get_tags(TheirClassifier())


def test_outputs_are_set_around_it():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X, columns=list("abcde"))
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(**SMALL)).set_output(transform="pandas").fit(table, Y)
    assert pipeline[-1].feature_names_in_.tolist() == list("abcde")
    np.testing.assert_array_equal(pipeline.predict(table), make_pipeline(*map(clone, pipeline)).fit(X, Y).predict(X))


def test_names_of_features_are_checked():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X, columns=list("abcde"))
    model = MLPClassifier(**SMALL).fit(table, Y)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(table.rename(columns={"a": "z"}))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.predict(X)
    with pytest.raises(ValueError, match="X has 4 features, but MLPClassifier is expecting 5"):
        MLPClassifier(**SMALL).fit(X, Y).predict(X[:, :4])


def test_weights_are_routed_where_they_are_asked_for():
    weights = np.where(Y == 1, 3.0, 0.5)
    with sklearn.config_context(enable_metadata_routing=True):
        model = MLPClassifier(**SMALL).set_fit_request(sample_weight=True).set_score_request(sample_weight=False)
        routed = cross_validate(model, X, Y, cv=3, params={"sample_weight": weights}, return_estimator=True)
        plain = cross_validate(model, X, Y, cv=3, return_estimator=True)
        with pytest.raises(ValueError, match="sample_weight"):
            cross_val_score(MLPClassifier(**SMALL), X, Y, params={"sample_weight": weights})
        requests = MLPClassifier().set_partial_fit_request(sample_weight=True).get_metadata_routing()
    assert routed["estimator"][0].loss_curve_ != plain["estimator"][0].loss_curve_
    assert requests.partial_fit.requests["sample_weight"] is True


def test_notebook_shows_it():
    html = make_pipeline(StandardScaler(), MLPClassifier(alpha=0.5, **SMALL)).fit(X, Y)._repr_html_()
    assert "MLPClassifier" in html
    assert "alpha" in html
    assert repr(MLPRegressor(alpha=0.5)) == "MLPRegressor(alpha=0.5)"


def test_threads_of_a_search_keep_to_themselves():
    with joblib.parallel_backend("threading", n_jobs=2):
        scores = cross_val_score(MLPClassifier(**SMALL), X, Y, cv=4)
    np.testing.assert_array_equal(scores, cross_val_score(MLPClassifier(**SMALL), X, Y, cv=4))


def test_convergence_warning_is_scikit_learns():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        MLPClassifier(**SMALL).fit(X, Y)
    assert [w.category for w in caught] == [ConvergenceWarning]
