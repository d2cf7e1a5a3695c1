"""scikit-learn's own MLPClassifier and MLPRegressor, in float32, with the same solver, sizes and batch.

Its squared error has other factors than torch's. All squared-error workloads use Adam, in which a constant factor of
the gradient cancels except for eps, so the same weights are expected here too.
"""

from __future__ import annotations

import warnings

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from .workloads import Workload, data, first_weights

NAME = "scikit-learn"
VERSION = sklearn.__version__
# Its Adam adds eps before the bias correction of v, which makes eps 30 times as large in the first step.
TOLERANCE = 2e-2
warnings.simplefilter("ignore", ConvergenceWarning)


class Peer:
    """`fit` makes many epochs without early stopping; the weights are set after a `partial_fit`."""

    def __init__(self, workload: Workload, threads: int) -> None:  # noqa: ARG002 - OpenBLAS was told by its variable
        self.workload = workload
        self.x, self.y = data(workload)
        if self.y.ndim == 2 and self.y.shape[1] == 1:
            self.y = self.y[:, 0]
        self.model = self.new(shuffle=workload.shuffles, warm_start=True)
        self.start(self.model, workload.rows)

    def new(self, *, shuffle: bool = False, warm_start: bool = False) -> MLPClassifier | MLPRegressor:
        kind = MLPClassifier if self.workload.classifies else MLPRegressor
        return kind(
            hidden_layer_sizes=self.workload.sizes[1:-1],
            activation=self.workload.activation,
            solver=self.workload.optimizer,
            alpha=0,
            batch_size=self.workload.batch,
            learning_rate_init=self.workload.learning_rate,
            momentum=0,
            nesterovs_momentum=False,
            shuffle=shuffle,
            random_state=0,
            tol=0,
            n_iter_no_change=10**9,
            warm_start=warm_start,
        )

    def partial_fit(self, model: MLPClassifier | MLPRegressor, rows: int) -> None:
        classes = {"classes": np.arange(self.workload.sizes[-1])} if self.workload.classifies else {}
        model.partial_fit(self.x[:rows], self.y[:rows], **classes)

    def start(self, model: MLPClassifier | MLPRegressor, rows: int) -> None:
        self.partial_fit(model, rows)  # allocates the arrays, which are then overwritten
        for to, start in zip(
            (*model.coefs_, *model.intercepts_), (w for part in first_weights(self.workload) for w in part), strict=True
        ):
            to[:] = start
        del model._optimizer  # noqa: SLF001 - its moments belong to the overwritten steps

    def few_steps(self, steps: int) -> list[np.ndarray]:
        model = self.new()
        self.start(model, self.workload.batch)
        self.partial_fit(model, steps * self.workload.batch)
        return [array for pair in zip(model.coefs_, model.intercepts_, strict=True) for array in pair]

    def fit(self, epochs: int) -> None:
        self.model.set_params(max_iter=epochs)
        self.model.fit(self.x, self.y)

    def step_on(self, rows: int):
        model = self.new().set_params(batch_size=rows)
        self.start(model, rows)
        x, y = self.x[:rows].copy(), self.y[:rows].copy()
        return lambda: model.partial_fit(x, y)

    def predict_on(self, rows: int):
        x = self.x[:rows].copy()
        call = self.model.predict_proba if self.workload.classifies else self.model.predict
        return lambda: call(x)
