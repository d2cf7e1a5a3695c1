"""Where kinds of layers are told apart outside their own files: the number of places, file by file.

A kind's own files are rust/core/src/layer/ and python/chainrule/reference/layers/. Other code asks a layer for what it
needs, so that a new kind changes nothing there.
"""

import ast
import re
from collections import Counter
from pathlib import Path

from chainrule.explain import rules
from chainrule.reference.layers import LAYERS
from chainrule.verification import rounding

ROOT = Path(__file__).parents[1]
OWN = ("rust/core/src/layer/", "python/chainrule/reference/layers")
CLASSES = {kind.__name__ for kind in LAYERS.values()}
ROW_AND_IMPORT = 2  # of each kind, in a table of one rule a kind

EXPECTED = {
    # The kernels of small networks know networks of dense layers with dropout between them, and no others.
    "rust/core/src/pass/small/memory.rs": 1,
    "rust/core/src/pass/small/mod.rs": 3,
    "rust/core/src/plan/small/mod.rs": 3,
    "python/chainrule/explain/rules.py": ROW_AND_IMPORT * len(rules.RULES),
    "python/chainrule/verification/rounding.py": ROW_AND_IMPORT * len(rounding.RULES),
    # An int in `layers` is a dense layer; `repr` makes an int of it again.
    "python/chainrule/reference/config.py": 1,
    "python/chainrule/reference/describe.py": 3,
    # They build networks from options of their own: hidden_layer_sizes, dropout.
    "python/chainrule/sklearn/engine.py": 2,
    "python/chainrule/tabular/settings.py": 2,
}
ADVICE = (
    "a kind of layer is told apart in another place than these; let the layer say what is asked: a method of its file "
    "in rust/core/src/layer/ (and Layer in mod.rs), a method or field in reference/layers/ (and base.py), or its "
    "rule in explain/rules.py or verification/rounding.py"
)


def places(root: Path) -> dict[str, int]:
    """Return how often each file under `root` tells kinds apart, but for their own files and tests."""
    found: Counter[str] = Counter()
    for folder in ("rust/core/src", "rust/py/src", "python/chainrule"):
        for path in (root / folder).rglob("*"):
            name = path.relative_to(root).as_posix()
            if path.suffix in (".rs", ".py") and path.stem != "tests" and not name.startswith(OWN):
                found[name] = (in_rust if path.suffix == ".rs" else in_python)(path.read_text(encoding="utf-8"))
    return dict(+found)


def in_rust(text: str) -> int:
    """Return how often the code names a variant of `Layer`, or a kind in quotes."""
    code = re.sub(r"//.*", "", text.partition("#[cfg(test)]\nmod tests {")[0])
    return len(re.findall(rf'\bLayer::[A-Z][a-z]\w*|"(?:{"|".join(LAYERS)})"', code))


def in_python(text: str) -> int:
    """Return how often the code imports a kind, asks whether a layer is one, or has a table of kinds."""
    named: list[ast.AST | None] = []
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.ImportFrom(names=aliases):
                named += [ast.Name(alias.name) for alias in aliases]
            case ast.Call(func=ast.Name("isinstance" | "issubclass"), args=[_, kinds]):
                named += ast.walk(kinds)
            case ast.Compare():
                named += ast.walk(node)
            case ast.MatchClass(cls=kind):
                named.append(kind)
            case ast.Dict(keys=keys, values=values):
                named += [key for key in keys if not isinstance(key, ast.Constant)]
                named += [
                    v for k, v in zip(keys, values, strict=True) if isinstance(k, ast.Constant) and k.value == "kind"
                ]
    return sum(is_kind(node) for node in named)


def is_kind(node: ast.AST | None) -> bool:
    """Tell whether a node is the class of a kind or its name in quotes."""
    match node:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name in CLASSES
        case ast.Constant(value):
            return isinstance(value, str) and value in LAYERS
    return False


def test_kinds_of_layers_are_told_apart_in_few_places():
    assert places(ROOT) == EXPECTED, ADVICE
