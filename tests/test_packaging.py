"""The installed package: fast to import, typed, with one version, and NumPy as its only requirement."""

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import get_args

import pytest

import chainrule
from chainrule import _native
from chainrule.extras import Extra

ROOT = Path(__file__).parents[1]
PACKAGE = Path(chainrule.__file__).parent
HEAVY = {"sklearn", "scipy", "pandas", "matplotlib", "torch", "jax", "tqdm", "multiprocessing", "asyncio"}


def modules_after(code: str) -> set[str]:
    """Return the names of the modules that a fresh interpreter has loaded after running `code`."""
    code += "\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_import_loads_no_heavy_module():
    assert HEAVY & modules_after("import chainrule") <= HEAVY & modules_after("import numpy")


def test_import_loads_little_beside_numpy():
    of_chainrule = modules_after("import chainrule") - modules_after("import numpy")
    foreign = {name for name in of_chainrule if name.partition(".")[0] not in sys.stdlib_module_names}
    assert {name.partition(".")[0] for name in foreign} == {"chainrule"}


def test_command_line_loads_no_heavy_module():
    assert HEAVY & modules_after("import chainrule.cli") <= HEAVY & modules_after("import numpy")


def test_import_of_the_package_loads_no_command_line():
    loaded = modules_after("import chainrule; chainrule.Network([1, 1])")
    assert not {name for name in loaded if name.startswith(("click", "chainrule.cli", "chainrule.tabular"))}


def test_reference_needs_neither_numpy_nor_native_code():
    """Loaded apart from the package around it, the reference runs on the standard library alone."""
    loaded = modules_after(
        f"import sys, types\n"
        f"package = types.ModuleType('chainrule'); package.__path__ = [{str(PACKAGE)!r}]\n"
        f"sys.modules['chainrule'] = package\n"
        f"from chainrule.reference import Network\n"
        f"Network([2, 3, 1], seed=0).fit([[0.0, 1.0]], [[1.0]], epochs=1)"
    )
    assert not {"numpy", "chainrule._native"} & loaded


@pytest.mark.parametrize("name", ["py.typed", "_native.pyi"])
def test_types_are_shipped(name):
    assert (PACKAGE / name).is_file()


def test_version_is_the_same_everywhere():
    cargo = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    versions = {
        "Cargo.toml": cargo["workspace"]["package"]["version"],
        "package": chainrule.__version__,
        "native": _native.__version__,
        "metadata": importlib.metadata.version("chainrule"),
    }
    assert len(set(versions.values())) == 1, versions


def test_numpy_is_the_only_requirement():
    required = [line for line in importlib.metadata.requires("chainrule") or [] if "extra ==" not in line]
    assert len(required) == 1
    assert required[0].startswith("numpy")


def test_every_public_name_can_be_had():
    assert [name for name in chainrule.__all__ if not hasattr(chainrule, name)] == []
    assert set(chainrule.__all__) <= set(dir(chainrule))


def test_extras_that_messages_and_docs_name_exist():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = set(project["optional-dependencies"])
    assert set(get_args(Extra)) == extras
    sources = [*PACKAGE.rglob("*.py"), ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    texts = {path: path.read_text(encoding="utf-8") for path in sources}
    named = {name for text in texts.values() for name in re.findall(r"chainrule\[([a-z,]+)\]", text)}
    assert named
    assert named <= extras
    # The form for a clone alone, in which chainrule is built first, stands in the README.
    assert [path.name for path, text in texts.items() if "pip install '.[" in text] == ["README.md"]
