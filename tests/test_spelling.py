"""Hints in the messages for misspelled names and for other libraries' names."""

import inspect

import pytest

import chainrule
from chainrule import Network, reference
from chainrule.reference.spelling import ELSEWHERE, nearest, unknown
from chainrule.tabular import TabularModel


@pytest.mark.parametrize("network", [Network, reference.Network])
@pytest.mark.parametrize(
    ("keyword", "meant"),
    [("activaton", "activation"), ("solver", "optimizer"), ("random_state", "seed"), ("Loss", "loss")],
)
def test_keyword_of_the_constructor_is_hinted_at(network, keyword, meant):
    with pytest.raises(TypeError, match=rf"unexpected keyword argument '{keyword}'; did you mean '{meant}'\?"):
        network([2, 1], **{keyword: 1})


@pytest.mark.parametrize(
    ("method", "keyword", "meant"),
    [
        ("fit", "epoch", "epochs"),
        ("fit", "max_iter", "epochs"),
        ("fit", "verbose", "progress"),
        ("evaluate", "metric", "metrics"),
        ("verify", "rows", "n_rows"),
        ("save", "trainig_state", "training_state"),
    ],
)
def test_keyword_of_a_method_is_hinted_at(method, keyword, meant):
    with pytest.raises(TypeError, match=rf"Network\.{method}\(\) got .*'{keyword}'; did you mean '{meant}'\?"):
        getattr(Network([2, 1], seed=0), method)([[0, 1]], [1], **{keyword: 1})


def test_keyword_that_resembles_nothing_is_answered_with_all_there_are():
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'xyzzy' \(known: layers, activation, "):
        Network([2, 1], xyzzy=1)


X = [[0.0, 1.0]]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda n: Network([2, 1], "tanh"), r"Network\(\) takes 1 positional argument \(layers\), but 2 were given"),
        (lambda n: Network([2, 1], "tanh"), "given; write activation='tanh'"),
        (lambda n: reference.Network([2, 1], "tanh", "relu"), "write activation='tanh', output_activation='relu'"),
        (lambda n: Network(5, 3, 1), r"^layers is one list: write Network\(\[5, 3, 1\]\)$"),
        (lambda n: reference.Network(5, 3, 1), r"^layers is one list: write Network\(\[5, 3, 1\]\)$"),
        (lambda n: Network(*range(10**5)), r"^layers is one list: write Network\(\[0, 1, 2, 3, 4, 5, \.\.\.\]\)$"),
        (lambda n: n.fit(X, [1], 10, 32), r"takes 2 positional arguments \(X, y\), .*; write epochs=10, batch_size=32"),
        (lambda n: n.summary(True), r"takes 0 positional arguments, but 1 was given; write plan=True"),
        (lambda n: n.save("file", False), "write training_state=False"),
        (lambda n: n.state_dict(False), "write training_state=False"),
        (lambda n: n.verify(X, [1], None, 9), "write n_parameters=9"),
        (lambda n: n.explain(X, [1], None, 9), "write row=9"),
        (lambda n: n.backward(X, X, True), "write training=True"),
        (lambda n: n.copy(1, 2), "positional argument"),
        (lambda n: n.forward(X, True), r"Network.forward\(\) takes 1 .* \(X\), but 2 were given; write training=True$"),
        (lambda n: n.forward(X, True, None), "write training=True, out=None$"),
        (lambda n: n.predict(X, None), "write out=None$"),
        (lambda n: n.gradient(X, [1], None, True), "write training=True$"),
        (lambda n: n.trace(X, [1], None, 0), r"takes 3 .* \(X, y, sample_weight\), but 4 were given$"),
        (lambda n: n.evaluate(X, [1], None, [], 9), r"\(X, y, sample_weight, metrics\), but 5 were given$"),
        (lambda n: reference.Network([2, 1]).forward(X, True), "write training=True$"),
        (lambda n: reference.Network([2, 1]).predict(X, None), r"takes 1 positional argument \(X\), but 2 were given$"),
        (lambda n: reference.Network([2, 1]).fit(X, [1], 10), "write epochs=10$"),
        (lambda n: TabularModel().fit(None, "y", print), "write watch=<built-in function print>$"),
        (lambda n: TabularModel().held_out(None, "y", 0.2), "write share=0.2$"),
        (lambda n: TabularModel().cross_validated(None, "y", 5), "write folds=5$"),
        (lambda n: TabularModel().predict(None, "ignore"), "write unknown='ignore'$"),
        (lambda n: chainrule.gradcheck(n, X, len, 9), "write n_parameters=9"),
        (lambda n: chainrule.verify(n, X, [1], None, 9), "write n_parameters=9"),
        (
            lambda n: chainrule.Adam(1, 0.9, 0.9, 1e-8, True),
            r"\(learning_rate, beta_1, beta_2, eps\), but 5 were given$",
        ),
        (lambda n: chainrule.ReLU(0.1), r"ReLU\(\) takes 0 positional arguments, but 1 was given$"),
        (lambda n: Network([2, 1], "x" * 10**6), "write activation='xxx"),
    ],
)
def test_a_value_too_many_names_its_keyword(call, text):
    with pytest.raises(TypeError, match=text) as caught:
        call(Network([2, 1], seed=0))
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("keyword", ["lr", "learning_rate", "learning_rate_init"])
@pytest.mark.parametrize("network", [Network, reference.Network])
def test_learning_rate_is_said_to_belong_to_the_optimizer(network, keyword):
    text = rf"'{keyword}'; the learning rate belongs to the optimizer: write Network\(\.\.\., optimizer=Adam"
    with pytest.raises(TypeError, match=text):
        network([2, 1], **{keyword: 0.1})
    with pytest.raises(TypeError, match=text):
        network([2, 1], seed=0).fit(X, [1], **{keyword: 0.1})


def test_signature_stays_visible():
    assert list(inspect.signature(Network).parameters)[:2] == ["layers", "activation"]
    assert list(inspect.signature(Network.fit).parameters)[:3] == ["self", "X", "y"]


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("Cross Entropy", ["mse", "cross_entropy"], "cross_entropy"),
        ("xavier", ["zeros", "glorot_uniform"], "glorot_uniform"),
        ("he", ["he_uniform", "zeros"], "he_uniform"),
        ("mae", ["mse", "mae"], "mae"),  # what is known under the name is meant by it
        ("", ["mse"], None),
        ("x" * 10_000, ["mse"], None),
    ],
)
def test_nearest_name(word, known, meant):
    assert nearest(word, known) == meant


def test_long_names_are_cut_in_the_text():
    assert len(unknown("loss", "x" * 10_000, ["mse"])) < 120


def test_names_of_elsewhere_lead_to_names_of_here():
    names = {name for kind in chainrule.registry().values() for name in kind}
    options = (getattr(chainrule, name) for name in chainrule.__all__)
    names |= {field for option in options for field in getattr(option, "__dataclass_fields__", ())}
    for call in (Network, Network.fit):
        names |= set(inspect.signature(call).parameters)
    assert sorted(set(ELSEWHERE.values()) - names) == []


def test_module_offers_the_nearest_of_its_names():
    with pytest.raises(AttributeError) as caught:
        chainrule.Netwrok  # noqa: B018 - what is asked for is the error
    assert (caught.value.name, caught.value.obj) == ("Netwrok", chainrule)


@pytest.mark.parametrize(
    ("option", "field", "meant"),
    [
        (chainrule.Adam, "lr", "learning_rate"),
        (chainrule.Dropout, "p", "rate"),
        (chainrule.Dense, "activaton", "activation"),
        (chainrule.Huber, "dleta", "delta"),
        (chainrule.RMSprop, "epsilon", "eps"),
    ],
)
def test_field_of_an_option_is_hinted_at(option, field, meant):
    with pytest.raises(TypeError, match=rf"{option.__name__}\(\) got .*'{field}'; did you mean '{meant}'\?"):
        option(**{field: 1})


def test_keyword_of_a_picture_is_hinted_at():
    history = Network([2, 1], seed=0).fit([[0, 1], [1, 0]], [0, 1])
    with pytest.raises(TypeError, match=r"History\.plot\(\) got .*'colums'; did you mean 'columns'\?"):
        history.plot(colums=["loss"])
    with pytest.raises(TypeError, match=r"from_predictions\(\) got .*'normalise'; did you mean 'normalize'\?"):
        chainrule.plots.ConfusionMatrixDisplay.from_predictions([0, 1], [0, 1], normalise="true")
