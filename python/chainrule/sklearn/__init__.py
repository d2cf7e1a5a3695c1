"""Drop-in `MLPClassifier` and `MLPRegressor`: scikit-learn's estimators, computed by the native core.

This package needs scikit-learn: ``pip install 'chainrule[sklearn]'``.
"""

from chainrule.extras import install

try:
    import sklearn as _sklearn  # noqa: F401
except ImportError as error:  # pragma: no cover
    raise ImportError(f"chainrule.sklearn needs scikit-learn: {install('sklearn')}") from error

from chainrule.sklearn.classifier import MLPClassifier
from chainrule.sklearn.conversion import from_sklearn, to_sklearn
from chainrule.sklearn.onnx import register_onnx, to_onnx
from chainrule.sklearn.patching import patch, unpatch
from chainrule.sklearn.regressor import MLPRegressor

__all__ = [
    "MLPClassifier",
    "MLPRegressor",
    "from_sklearn",
    "patch",
    "register_onnx",
    "to_onnx",
    "to_sklearn",
    "unpatch",
]
