"""``python -m chainrule.sklearn script.py`` runs a script with this package's estimators in scikit-learn's place.

The script runs as under plain ``python``, with its own sys.argv, sys.path[0] and ``__main__``, and with tracebacks that
start at its own first line. runpy could do most of this, but it removes ``__main__`` before the atexit functions run,
and its own frames appear in tracebacks.
"""

from __future__ import annotations

import builtins
import importlib.util
import os
import sys
import zipfile
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType, TracebackType

from chainrule.sklearn.patching import patch

USAGE = """\
usage: python -m chainrule.sklearn (SCRIPT | -m MODULE | -c COMMAND | -) [ARGUMENT ...]

Run a Python program unchanged, with chainrule.sklearn.MLPClassifier and MLPRegressor in the place of
scikit-learn's classes of these names.

  SCRIPT      a file, or a folder or zip file that holds __main__.py
  -m MODULE   a module, or a package that holds __main__.py
  -c COMMAND  the text of a program
  -           the program is read from standard input

Options of Python itself go before -m: python -W error -m chainrule.sklearn SCRIPT"""


class Unusable(Exception):  # noqa: N818 - it says what cannot be run
    """The program cannot be found; the message says why."""


def main(arguments: list[str]) -> None:
    """Run the program named by `arguments`, the words after ``-m chainrule.sklearn``."""
    if arguments[:1] in (["-h"], ["--help"]):
        print(USAGE)
        return
    try:
        code, module, sys.argv, first_path = program(arguments)
    except Unusable as reason:
        print(f"{sys.executable} -m chainrule.sklearn: {reason}", file=sys.stderr)
        raise SystemExit(2) from None
    except SyntaxError as error:
        hide_own_frames(error, None)
        raise
    if not sys.flags.safe_path:
        sys.path[0] = first_path
    elif module.__spec__ and module.__spec__.name == "__main__":  # a folder or a zip file, which is always on sys.path
        sys.path.insert(0, first_path)
    patch()
    sys.modules["__main__"] = module
    try:
        exec(code, module.__dict__)  # noqa: S102 - running a program is the command
    except BaseException as error:
        hide_own_frames(error, error.__traceback__ and error.__traceback__.tb_next)
        raise


def program(arguments: list[str]) -> tuple[CodeType, ModuleType, list[str], str]:
    """Return the compiled program, its empty ``__main__``, its sys.argv and its sys.path[0]."""
    if not arguments:
        raise Unusable(f"no program\n{USAGE}")
    kind, *rest = arguments
    if kind in ("-m", "-c") and not rest:
        raise Unusable(f"argument expected for the {kind} option\n{USAGE}")
    if kind == "-m":
        spec, code = find_module(rest[0])
        module = main_module(spec.origin, spec)
        return code, module, [str(spec.origin), *rest[1:]], os.getcwd()  # noqa: PTH109 - as Python itself
    if kind == "-c":
        return compile(rest[0], "<string>", "exec", dont_inherit=True), main_module(None), ["-c", *rest[1:]], ""
    if kind == "-":
        return compile(sys.stdin.read(), "<stdin>", "exec", dont_inherit=True), main_module("<stdin>"), arguments, ""
    if kind.startswith("-"):
        raise Unusable(f"unknown option {kind}\n{USAGE}")
    return script(kind, arguments)


def script(given: str, arguments: list[str]) -> tuple[CodeType, ModuleType, list[str], str]:
    """Do the same as `program` for a file, a folder or a zip file."""
    path = os.path.abspath(given)  # noqa: PTH100 - as Python itself
    if os.path.isdir(path) or zipfile.is_zipfile(path):  # noqa: PTH112
        spec = PathFinder.find_spec("__main__", [path])
        if spec is None:
            raise Unusable(f"can't find '__main__' module in {given!r}")
        return code_of(spec), main_module(spec.origin, spec), arguments, path
    try:
        source = Path(path).read_bytes()  # bytes, since the file may name its encoding
    except OSError as error:
        raise Unusable(f"can't open file {path!r}: [Errno {error.errno}] {error.strerror}") from None
    folder = os.path.dirname(os.path.realpath(path))  # noqa: PTH120
    return compile(source, path, "exec", dont_inherit=True), main_module(path), arguments, folder


def find_module(name: str) -> tuple[ModuleSpec, CodeType]:
    """Return the spec and the code of the module that ``-m name`` runs; for a package, of its ``__main__``."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError) as error:  # ValueError: an empty name, or one without a spec
        raise Unusable(f"Error while finding module specification for {name!r} ({error})") from None
    if spec is not None and spec.submodule_search_locations is not None and not name.endswith(".__main__"):
        return find_module(f"{name}.__main__")
    if spec is None:
        raise Unusable(f"No module named {name}")
    return spec, code_of(spec)


def code_of(spec: ModuleSpec) -> CodeType:
    """Return the compiled module."""
    code = getattr(spec.loader, "get_code", lambda _: None)(spec.name)
    if not isinstance(code, CodeType):
        raise Unusable(f"No code object available for {spec.name}")
    return code


def main_module(path: str | None, spec: ModuleSpec | None = None) -> ModuleType:
    """Return an empty module named ``__main__`` with the attributes that Python sets before it runs a program."""
    module = ModuleType("__main__")
    vars(module).update(__builtins__=builtins, __annotations__={})
    if path is not None:
        module.__file__, module.__loader__ = path, SourceFileLoader("__main__", path)
    if spec is not None:
        module.__spec__, module.__loader__, module.__package__ = spec, spec.loader, spec.parent
        vars(module).update(__cached__=spec.cached)
    return module


def hide_own_frames(error: BaseException, inner: TracebackType | None) -> None:
    """Make the traceback of the error that ends the program show only `inner`, the program's own frames.

    The error still propagates through this file, so the other frames are removed when the traceback is printed.
    """
    show = sys.excepthook

    def show_inner(kind: type[BaseException], value: BaseException, traceback: TracebackType | None) -> None:
        traceback = inner if value is error else traceback
        show(kind, value.with_traceback(traceback), traceback)

    sys.excepthook = show_inner


if __name__ == "__main__":
    main(sys.argv[1:])
