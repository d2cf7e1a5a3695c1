"""scikit-learn's own tests of its multilayer perceptron, and its general estimator checks, pass with our classes."""

import os
import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from chainrule.sklearn import MLPClassifier, MLPRegressor

IMPORT = "from sklearn.neural_network import MLPClassifier, MLPRegressor"
CONFTEST = "import pytest\n\n@pytest.fixture(params=[42])\ndef global_random_seed(request):\n    return request.param\n"


def test_their_own_tests(tmp_path):
    spec = find_spec("sklearn.neural_network.tests.test_mlp")
    if spec is None or spec.origin is None:
        pytest.skip("this scikit-learn was installed without its tests")
    text = Path(spec.origin).read_text(encoding="utf-8")
    assert IMPORT in text
    ours = IMPORT.replace("sklearn.neural_network", "chainrule.sklearn")
    (tmp_path / "test_ours.py").write_text(text.replace(IMPORT, ours))
    (tmp_path / "conftest.py").write_text(CONFTEST)
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", ".", "-p", "no:cacheprovider", "."]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-5000:]
    assert " passed" in run.stdout


CHECKS = parametrize_with_checks([MLPClassifier(), MLPRegressor()])


# A list of the checks: before scikit-learn 1.9 they are a generator, of which newer versions of pytest warn.
@pytest.mark.parametrize(CHECKS.args[0], list(CHECKS.args[1]), **CHECKS.kwargs)
def test_checks_of_any_estimator(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)
