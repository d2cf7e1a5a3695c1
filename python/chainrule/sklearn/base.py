"""The common base of both estimators: it implements scikit-learn's private hooks with the native core."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin, is_classifier
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.validation import check_is_fitted

from chainrule.sklearn import validation
from chainrule.sklearn.callbacks import CallbackSupportMixin, Hooks
from chainrule.sklearn.inputs import refuse_texts, refuse_times
from chainrule.sklearn.layers import activations_of, dropout_of, init_factor, sizes_of
from chainrule.sklearn.lbfgs import Objective, fit_lbfgs
from chainrule.sklearn.optimizers import converted
from chainrule.sklearn.prediction import outputs, validated
from chainrule.sklearn.stochastic import fit_stochastic
from chainrule.sklearn.weighting import weights_of


# The bases are Any to mypy: scikit-learn has no types.
class NativeFit(ClassNamePrefixFeaturesOutMixin, TransformerMixin, CallbackSupportMixin):  # type: ignore[misc]
    """Native versions of the computing hooks of scikit-learn's multilayer perceptron, and the additions to both."""

    solver: str
    alpha: float
    hidden_layer_sizes: Any
    n_layers: int | None
    width: int | None
    scoring: Any
    strict: bool
    coefs_: list[Any]
    intercepts_: list[Any]
    n_outputs_: int
    validation_loss_curve_: list[float]
    _optimizer: Any
    _parameter_constraints: ClassVar[dict[str, Any]]
    _random_state: Any
    # While `fit` runs:
    _given: validation.Given | None = None
    _hooks: Hooks | None = None

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Under `patch` this may be the state of scikit-learn's own class.
        super().__setstate__({**type(self)().get_params(deep=False), **state})
        if hasattr(self, "_optimizer"):
            self._optimizer = converted(self._optimizer, to_ours=True)

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Any:
        """Fit the model to X and y.

        Parameters
        ----------
        X : ndarray or sparse matrix of shape (n_samples, n_features)
            The input data.

        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The target values: class labels in classification, real numbers in regression.

        sample_weight : array-like of shape (n_samples,), default=None
            The weight of each row, >= 0.

        X_val, y_val : array-like, default=None
            Validation data: (n_val_samples, n_features), and targets of y's form. Their loss after each epoch, the
            weighted mean without the penalty, is stored in `validation_loss_curve_`. Early stopping uses these rows
            and trains on all of X. For solvers 'sgd' and 'adam'.

        sample_weight_val : array-like of shape (n_val_samples,), default=None
            The weight of each validation row, >= 0.

        Returns
        -------
        self : object
            The trained model.

        Raises
        ------
        ValueError
            An argument is invalid (the message names it), or training produced numbers that are not finite.
        """
        self._given = validation.given(X_val, y_val, sample_weight_val, self.solver)
        try:
            return super().fit(X, y, sample_weight)
        finally:
            del self._given

    def transform(self, X: Any) -> Any:
        """Return the activations of the last hidden layer, the features that the output layer gets.

        a_l = f_l(a_(l-1) coefs_[l-1] + intercepts_[l-1]) for each hidden layer l, from a_0 = X.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.

        Returns
        -------
        ndarray of shape (n_samples, n_units)
            Activations without dropout; X itself if there is no hidden layer.

        Raises
        ------
        NotFittedError
            The model is not fitted.
        """
        check_is_fitted(self)
        return outputs(self, validated(self, X), len(self.coefs_) - 1)

    @property
    def _n_features_out(self) -> int:
        return int(self.coefs_[-1].shape[0])

    def _fit(self, X: Any, y: Any, sample_weight: Any = None, incremental: bool = False) -> Any:
        for argument, values in (("X", X), ("y", y), ("sample_weight", sample_weight)):
            if argument != "y" or not is_classifier(self):
                refuse_times(argument, values)
        if not is_classifier(self):
            refuse_texts("y", y)
        weights = weights_of(getattr(self, "class_weight", None), X, y, sample_weight, incremental=incremental)
        self._hooks = None if incremental else Hooks(self, X, y, sample_weight)
        try:
            super()._fit(X, y, sample_weight=weights, incremental=incremental)
            if self._hooks:
                self._hooks.end()
        finally:
            del self._hooks
        return self

    def _initialize(self, y: Any, layer_units: list[int], dtype: Any) -> None:
        if self.n_layers is not None or self.width is not None:
            layer_units = [layer_units[0], *sizes_of(self), layer_units[-1]]
        n_hidden = len(layer_units) - 2
        activations_of(self.activation, n_hidden)  # refuse bad activations before any random number is drawn
        if any(dropout_of(self, n_hidden)) and self.solver == "lbfgs":
            raise ValueError("dropout changes the loss at each step, so solver='lbfgs' needs dropout=0")
        self.__dict__.pop("validation_loss_curve_", None)
        super()._initialize(y, layer_units, dtype)

    def _init_coef(self, fan_in: int, fan_out: int, dtype: Any) -> tuple[Any, Any]:
        bound = np.sqrt(init_factor(self, len(self.coefs_)) / (fan_in + fan_out))
        coef = self._random_state.uniform(-bound, bound, (fan_in, fan_out))
        intercept = self._random_state.uniform(-bound, bound, fan_out)
        return coef.astype(dtype, copy=False), intercept.astype(dtype, copy=False)

    def _fit_stochastic(self, X: Any, y: Any, sample_weight: Any, *arguments: Any, **keywords: Any) -> None:
        incremental = keywords.get("incremental", arguments[-1] if arguments else False)
        fit_stochastic(self, X, y, sample_weight, incremental=incremental, given=self._given, hooks=self._hooks)

    def _fit_lbfgs(self, X: Any, y: Any, sample_weight: Any, *_: Any, **__: Any) -> None:
        fit_lbfgs(self, X, y, sample_weight, hooks=self._hooks)

    def _loss_grad_lbfgs(self, packed_coef_inter: Any, X: Any, y: Any, sample_weight: Any, *_: Any) -> Any:
        return Objective(self, X, y, sample_weight)(packed_coef_inter)

    def _score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the score that decides about early stopping: scikit-learn's, or that of `scoring`."""
        if self.scoring is not None:
            return validation.score_of(self, X, y, sample_weight)
        # As in scikit-learn 1.9. Before it, labels of text were an error.
        predicted = self._predict(X, check_input=False)
        if np.issubdtype(predicted.dtype, np.floating) and not np.isfinite(predicted).all():
            return np.nan
        score: float = (accuracy_score if is_classifier(self) else r2_score)(y, predicted, sample_weight=sample_weight)
        return score

    def _forward_pass_fast(self, X: Any, check_input: bool = True) -> Any:
        if check_input:
            X = validated(self, X)
        elif not all(np.isfinite(part).all() for part in [*self.coefs_, *self.intercepts_]):
            # scikit-learn scores even a fit that has diverged.
            return np.full((X.shape[0], self.n_outputs_), np.nan)
        return outputs(self, X, len(self.coefs_))
