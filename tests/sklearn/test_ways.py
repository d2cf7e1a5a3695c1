"""Weights of one are no weights, to the bit, though the step goes another way with them.

Without weights a small network is computed in one kernel, with weights layer by layer: with sums that are used as soon
as they are there, or, for batches of several tiles and for optimizers of one moment, from the whole gradient in memory.
The loss is summed in another order, the parameters do not depend on it.
"""

import numpy as np
import pytest

from chainrule import sklearn as ours

RNG = np.random.default_rng(0)
X = RNG.normal(size=(290, 9))
TASKS = {
    "binary": ("MLPClassifier", {}, X[:, 0] + X[:, 1] > 0),
    "multiclass": ("MLPClassifier", {}, np.digitize(X[:, 0], [-0.4, 0.4])),
    "multilabel": ("MLPClassifier", {}, (X[:, :3] > 0).astype(int)),
    "regression": ("MLPRegressor", {}, X[:, 0] * X[:, 1]),
    "multi_output": ("MLPRegressor", {}, X[:, :2] * X[:, 1:3]),
    "poisson": ("MLPRegressor", {"loss": "poisson"}, RNG.poisson(np.exp(X[:, 0]))),
    "huber": ("MLPRegressor", {"loss": "huber"}, X[:, 0] * X[:, 1]),
}
SOLVERS = {
    "adam": {},
    "sgd": {"solver": "sgd"},
    "momentum": {"solver": "sgd", "nesterovs_momentum": False, "activation": "tanh"},
}
# Layers that one kernel holds and layers too wide for it; batches of one tile and of two.
NETWORKS = {"small": ((17, 9), 64), "small, two tiles": ((17, 9), 290), "wide": ((150, 9), 64), "no hidden": ((), 64)}


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("task", TASKS)
def test_weights_of_one_change_no_bit(task, solver, network, dtype):
    (name, options, y), (hidden, batch_size), x = TASKS[task], NETWORKS[network], X.astype(dtype)
    options = {**options, **SOLVERS[solver], "hidden_layer_sizes": hidden, "batch_size": batch_size, "max_iter": 2}
    plain, weighted = (
        getattr(ours, name)(random_state=3, **options).fit(x, y, sample_weight=weights)
        for weights in (None, np.ones(len(x)))
    )
    for a, b in zip(plain.coefs_ + plain.intercepts_, weighted.coefs_ + weighted.intercepts_, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(weighted.loss_curve_, plain.loss_curve_, rtol=1e-14)
