"""Scripts written for scikit-learn run with this package's estimators, and see no other difference."""

import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import sklearn.neural_network
from sklearn.neural_network import _multilayer_perceptron

import chainrule.sklearn
from chainrule.sklearn import __main__ as command
from chainrule.sklearn import patch, patching, unpatch

# How a program is given, and its text as it is written to files.
WAYS = {
    "file": ["program.py"],
    "folder": ["folder"],
    "zip": ["program.zip"],
    "module": ["-m", "program"],
    "package": ["-m", "package"],
    "command": ["-c", "TEXT"],
    "stdin": ["-"],
}
SEES = """
'''Text.'''
from __future__ import annotations
import atexit, sys, __main__
x: int = 1
names = {name: globals().get(name) for name in ("__name__", "__file__", "__package__", "__doc__")}
print(names, sys.argv, sys.path[0], __annotations__, type(__builtins__).__name__)
print(__spec__ and (__spec__.name, __spec__.parent), __main__.x, sys.modules["__main__"] is __main__)
atexit.register(lambda: print(names is not None and __main__.x))
"""
ENDS = {
    "error": "def f():\n    1 / 0\n\nf()\n",
    "exit": "import sys\nsys.exit(3)\n",
    "exit with text": "import sys\nsys.exit('reason')\n",
    "interrupt": "raise KeyboardInterrupt\n",
    "syntax": "print(1\n",
    "chained": "try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ValueError('two') from error\n",
    "own hook": "import sys\nsys.excepthook = lambda *a: print(a[0], a[2].tb_frame.f_code.co_name)\n1 / 0\n",
}
# Runs programs given on standard input as JSON, each in a process of its own, which forks once the package is loaded:
# a new interpreter would load it again for each.
FORKS = """
import json, os, sys
from chainrule.sklearn.__main__ import main
for folder, arguments, text in json.load(sys.stdin):
    if not (child := os.fork()):
        os.chdir(folder)
        for number, name in enumerate(["in", "out", "err"]):
            os.dup2(os.open(name, os.O_RDWR | os.O_CREAT), number)
        os.write(0, text.encode())
        os.lseek(0, 0, os.SEEK_SET)
        sys.stdin = open(0, closefd=False)
        main(arguments)
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.fixture(autouse=True)
def _unpatched():
    yield
    unpatch()


def python(*arguments, cwd, text=""):
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, input=text, capture_output=True, text=True, check=False
    )


def write(folder, text):
    """Write a program in every way that a file can hold it, and return it as an argument of -c or as standard input."""
    (folder / "program.py").write_text(text)
    for name in ("folder", "package"):
        (folder / name).mkdir()
        (folder / name / "__main__.py").write_text(text)
    with zipfile.ZipFile(folder / "program.zip", "w") as archive:
        archive.writestr("__main__.py", text)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return by name what a program does patched, and under plain Python: exit status, output, errors."""
    cases = {(name, "file"): text for name, text in ENDS.items()} | {("sees", way): SEES for way in WAYS}
    jobs = []
    for (name, way), text in cases.items():
        folder = tmp_path_factory.mktemp("program")
        write(folder, text)
        arguments = [text if argument == "TEXT" else argument for argument in [*WAYS[way], "-x", "one two"]]
        jobs.append((str(folder), arguments, text if name == "sees" else ""))
    forked = python("-c", FORKS, cwd=tmp_path_factory.getbasetemp(), text=json.dumps(jobs))
    assert not forked.stderr
    results = {}
    for key, (folder, arguments, text), status in zip(cases, jobs, forked.stdout.split(), strict=True):
        plain = python(*arguments, cwd=folder, text=text)
        output, errors = ((Path(folder) / name).read_text() for name in ("out", "err"))
        results[key] = ((int(status), output, errors), (plain.returncode, plain.stdout, plain.stderr))
    return results


def test_patch_replaces_both_names_in_both_modules():
    patch()
    for module in (sklearn.neural_network, _multilayer_perceptron):
        assert module.MLPClassifier is chainrule.sklearn.MLPClassifier
        assert module.MLPRegressor is chainrule.sklearn.MLPRegressor
    patch()
    unpatch()
    for module in (sklearn.neural_network, _multilayer_perceptron):
        assert module.MLPClassifier is patching.ORIGINALS["MLPClassifier"]
        assert module.MLPRegressor is patching.ORIGINALS["MLPRegressor"]
    assert chainrule.sklearn.MLPClassifier is not sklearn.neural_network.MLPClassifier


def test_patch_as_context_goes_back_to_what_was():
    with patch():
        with patch():
            assert patching.is_patched()
        assert patching.is_patched()
        with pytest.raises(ZeroDivisionError), patch():
            raise ZeroDivisionError
    assert not patching.is_patched()


def test_pickle_made_under_patch_loads_without_it():
    with patch():
        model = sklearn.neural_network.MLPClassifier((3,), solver="lbfgs", random_state=0).fit([[0.0], [1.0]], [0, 1])
        data = pickle.dumps(model)
    again = pickle.loads(data)  # noqa: S301 - its own
    assert type(again) is chainrule.sklearn.MLPClassifier
    assert again.predict_proba([[0.3]]).tolist() == model.predict_proba([[0.3]]).tolist()


def test_pickle_of_scikit_learn_loads_under_patch_and_predicts_the_same():
    theirs = sklearn.neural_network.MLPRegressor(solver="lbfgs", random_state=0).fit([[0.0], [1.0]], [0.0, 1.0])
    data = pickle.dumps(theirs)
    with patch():
        ours = pickle.loads(data)  # noqa: S301 - its own
    assert type(ours) is chainrule.sklearn.MLPRegressor
    assert ours.predict([[0.3]]) == pytest.approx(theirs.predict([[0.3]]), rel=1e-12)
    assert ours.get_params()["solver"] == "lbfgs"
    ours.fit([[0.0], [1.0]], [0.0, 1.0])


@pytest.mark.parametrize("way", WAYS)
def test_program_sees_what_it_sees_under_python(runs, way):
    run, plain = runs["sees", way]
    assert run == plain
    assert run[0] == 0
    assert "'one two'] " in run[1]


@pytest.mark.parametrize("name", ENDS)
def test_program_ends_as_under_python(runs, name):
    run, plain = runs[name, "file"]
    assert run == plain
    assert run[0] != 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no program"),
        (["nowhere.py"], "nowhere.py': [Errno 2] No such file or directory"),
        (["empty"], "can't find '__main__' module in 'empty'"),
        (["-m"], "argument expected for the -m option"),
        (["-c"], "argument expected for the -c option"),
        (["-m", "nowhere"], "No module named nowhere"),
        (["-m", "nowhere.at.all"], "No module named 'nowhere'"),
        (["-m", ""], "module specification for ''"),
        (["-m", "empty"], "No module named empty.__main__"),
        (["-m", "sys"], "No code object available for sys"),
        (["-z", "a.py"], "unknown option -z"),
    ],
)
def test_program_that_cannot_be_found_is_named(arguments, message, tmp_path, monkeypatch, capsys):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SystemExit) as stop:
        command.main(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
    assert not patching.is_patched()


def test_help_says_how_a_program_is_given(capsys):
    command.main(["--help"])
    assert "SCRIPT | -m MODULE | -c COMMAND" in capsys.readouterr().out


def test_model_of_a_patched_script_loads_in_another(tmp_path):
    (tmp_path / "script.py").write_text("""
import pickle, sys
from sklearn.neural_network import MLPClassifier
with open(sys.argv[1], "wb") as file:
    pickle.dump(MLPClassifier((3,), solver="lbfgs", random_state=0).fit([[0.0], [1.0]], ["a", "b"]), file)
print(MLPClassifier.__module__.partition(".")[0])
""")
    run = python("-m", "chainrule.sklearn", "script.py", "model.pickle", cwd=tmp_path)
    assert (run.returncode, run.stdout) == (0, "chainrule\n"), run.stderr
    model = pickle.loads((tmp_path / "model.pickle").read_bytes())  # noqa: S301 - its own
    assert model.predict([[0.0], [1.0]]).tolist() == ["a", "b"]
