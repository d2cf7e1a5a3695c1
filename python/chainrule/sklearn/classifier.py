"""scikit-learn's `MLPClassifier`, computed by the native core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from sklearn import neural_network

from chainrule.sklearn.base import NativeFit
from chainrule.sklearn.parameters import CLASSIFIER, described

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chainrule.names import ClassWeight, HiddenActivationName, LearningRate, Scoring, Solver
    from chainrule.reference.activations import Activation


@described
class MLPClassifier(NativeFit, neural_network.MLPClassifier):  # type: ignore[misc]
    """MLPClassifier of scikit-learn, computed in Rust.

    It has all parameters, attributes and methods of scikit-learn's class, and more. `activation` may also be one of
    chainrule's, by name or as an object such as ``chainrule.LeakyReLU(0.2)``, or a list with one for each hidden layer.

    Parameters
    ----------
    class_weight : dict, "balanced", list of dicts or None, default=None
        The weight of each class, a factor beside `sample_weight`. "balanced" is n / (n_classes · n_c), which gives all
        classes the same total weight. For multilabel targets, a list with a dict for each label.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **neural_network.MLPClassifier._parameter_constraints,  # noqa: SLF001
        **CLASSIFIER,
    }

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: HiddenActivationName | Activation | Sequence[HiddenActivationName | Activation] = "relu",
        *,
        solver: Solver = "adam",
        alpha: float = 0.0001,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: LearningRate = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 0.0001,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-08,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        class_weight: ClassWeight | dict[Any, float] | list[dict[Any, float]] | None = None,
        dropout: Any = 0.0,
        n_layers: int | None = None,
        width: int | None = None,
        scoring: Scoring | Callable[..., float] | None = None,
        max_seconds: float | None = None,
        n_threads: int | None = None,
        strict: bool = True,
    ) -> None:
        super().__init__(
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            power_t=power_t,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            n_iter_no_change=n_iter_no_change,
            max_fun=max_fun,
        )
        self.class_weight = class_weight
        self.dropout = dropout
        self.n_layers = n_layers
        self.width = width
        self.scoring = scoring
        self.max_seconds = max_seconds
        self.n_threads = n_threads
        self.strict = strict

    def _predict(self, X: Any, check_input: bool = True) -> Any:
        # As `LabelBinarizer.inverse_transform` does, without its checks, which take longer than a row.
        if self.out_activation_ == "softmax":
            return self.classes_[self._forward_pass_fast(X, check_input=check_input).argmax(axis=1)]
        if self.n_outputs_ == 1 and len(self.classes_) == 2:
            return self.classes_[np.where(self._forward_pass_fast(X, check_input=check_input)[:, 0] > 0.5, 1, 0)]
        return super()._predict(X, check_input=check_input)
