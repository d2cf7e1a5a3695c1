"""class_weight: a factor for the weight of each row, by its class.

    wᵢ = sample_weightᵢ · class_weight[yᵢ];    'balanced':  class_weight[c] = n / (n_classes · n_c)

With 'balanced', all classes have the same total weight. King & Zeng 2001, as in scikit-learn's other classifiers.
"""

from __future__ import annotations

from typing import Any

from sklearn.utils import check_consistent_length, column_or_1d, compute_sample_weight
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import _check_sample_weight


def weights_of(class_weight: Any, X: Any, y: Any, sample_weight: Any, *, incremental: bool) -> Any:
    """Return the weight of each row, (n,), or `sample_weight` unchanged if `class_weight` is None.

    Raises
    ------
    ValueError
        `class_weight` does not name all classes; or is negative; or is a dict for a multilabel `y`, which needs a list
        of dicts; or is 'balanced' for a part of the data (`incremental`), which does not show the class frequencies.
        Lengths differ.
    """
    if class_weight is None:
        return sample_weight
    if incremental and class_weight == "balanced":
        raise ValueError(
            "class_weight 'balanced' is not supported for partial_fit. In order to use 'balanced' weights, use "
            "compute_class_weight('balanced', classes=classes, y=y) and pass the resulting weights as the class_weight "
            "parameter."
        )
    check_consistent_length(X, y)
    is_multilabel = type_of_target(y, input_name="y").startswith("multilabel")
    labels = y.toarray() if hasattr(y, "toarray") else y
    of_class = compute_sample_weight(class_weight, labels if is_multilabel else column_or_1d(labels))
    if (of_class < 0).any():
        raise ValueError(f"class_weight must be at least 0 for each class, not {class_weight!r}")
    return of_class if sample_weight is None else of_class * _check_sample_weight(sample_weight, X)
