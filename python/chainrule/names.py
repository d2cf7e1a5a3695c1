"""The names that arguments take, as types: an editor completes them, and a type checker refuses any other.

They say nothing at run time, where a wrong name is an error that suggests the nearest right one. tests/test_names.py
compares each type with the names that the code takes.
"""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

# ── Options ──────────────────────────────────────────────────────────────────────────────────────────────────────────

# Each unit has an output of its own.
UnitActivationName: TypeAlias = Literal[
    "identity",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "softplus",
    "silu",
    "gelu",
    "gelu_tanh",
    "mish",
    "softsign",
    "hard_sigmoid",
    "hard_tanh",
    "hard_silu",
]
ActivationName: TypeAlias = Literal[UnitActivationName, "softmax"]
LossName: TypeAlias = Literal[
    "mse",
    "half_squared_error",
    "absolute_error",
    "huber",
    "log_cosh",
    "quantile",
    "poisson",
    "gaussian_nll",
    "cross_entropy",
    "kl_divergence",
    "focal",
    "binary_cross_entropy",
    "binary_focal",
    "hinge",
    "squared_hinge",
]
OptimizerName: TypeAlias = Literal[
    "sgd",
    "adam",
    "adamw",
    "amsgrad",
    "adamax",
    "nadam",
    "radam",
    "rmsprop",
    "adagrad",
    "adadelta",
    "rprop",
    "lion",
]
InitName: TypeAlias = Literal[
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "truncated_normal",
    "orthogonal",
    "constant",
    "zeros",
]
DTypeName: TypeAlias = Literal["float32", "float64"]


class Named(Protocol):
    """What has a name, as a numpy.dtype has."""

    @property
    def name(self) -> str:
        """The name."""


DType: TypeAlias = DTypeName | type | Named

# ── Metrics ──────────────────────────────────────────────────────────────────────────────────────────────────────────

# scikit-learn's scorers
ScorerName: TypeAlias = Literal[
    "accuracy",
    "adjusted_mutual_info_score",
    "adjusted_rand_score",
    "average_precision",
    "balanced_accuracy",
    "completeness_score",
    "d2_absolute_error_score",
    "d2_brier_score",
    "d2_log_loss_score",
    "explained_variance",
    "f1",
    "f1_macro",
    "f1_micro",
    "f1_samples",
    "f1_weighted",
    "fowlkes_mallows_score",
    "homogeneity_score",
    "jaccard",
    "jaccard_macro",
    "jaccard_micro",
    "jaccard_samples",
    "jaccard_weighted",
    "matthews_corrcoef",
    "mutual_info_score",
    "neg_brier_score",
    "neg_log_loss",
    "neg_max_error",
    "neg_mean_absolute_error",
    "neg_mean_absolute_percentage_error",
    "neg_mean_gamma_deviance",
    "neg_mean_poisson_deviance",
    "neg_mean_squared_error",
    "neg_mean_squared_log_error",
    "neg_median_absolute_error",
    "neg_negative_likelihood_ratio",
    "neg_root_mean_squared_error",
    "neg_root_mean_squared_log_error",
    "normalized_mutual_info_score",
    "positive_likelihood_ratio",
    "precision",
    "precision_macro",
    "precision_micro",
    "precision_samples",
    "precision_weighted",
    "r2",
    "rand_score",
    "recall",
    "recall_macro",
    "recall_micro",
    "recall_samples",
    "recall_weighted",
    "roc_auc",
    "roc_auc_ovo",
    "roc_auc_ovo_weighted",
    "roc_auc_ovr",
    "roc_auc_ovr_weighted",
    "top_k_accuracy",
    "v_measure_score",
]
MetricName: TypeAlias = Literal["accuracy", "subset_accuracy", "r2", "mae", "rmse", ScorerName]

# ── Plots ────────────────────────────────────────────────────────────────────────────────────────────────────────────

Normalize: TypeAlias = Literal["true", "pred", "all"]
ErrorKind: TypeAlias = Literal["actual_vs_predicted", "residual_vs_predicted"]

# ── chainrule.tabular ────────────────────────────────────────────────────────────────────────────────────────────────

Task: TypeAlias = Literal["classification", "regression"]
DecimalMark: TypeAlias = Literal[".", ","]
ThousandsMark: TypeAlias = Literal["", ",", ".", " ", "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}", "'", "’"]
Unknown: TypeAlias = Literal["error", "ignore"]
ClassWeight: TypeAlias = Literal["balanced"]

# ── chainrule.sklearn ────────────────────────────────────────────────────────────────────────────────────────────────

Solver: TypeAlias = Literal["lbfgs", "sgd", "adam"]
LearningRate: TypeAlias = Literal["constant", "invscaling", "adaptive"]
RegressorLoss: TypeAlias = Literal["squared_error", "poisson", "absolute_error", "huber", "quantile"]
Scoring: TypeAlias = Literal["loss", ScorerName]
# scikit-learn's name of "sigmoid", and ours
HiddenActivationName: TypeAlias = Literal["logistic", UnitActivationName]
