"""The examples of README.md and docs/ run and print the text shown; the tables of options list exactly the registry."""

import doctest
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

import chainrule
from chainrule.reference import config

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Every Markdown file that is part of the project, design notes included.
TEXTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
# Sections whose examples need what not every Python, or every scikit-learn allowed, has.
NEEDS = {"ONNX": "skl2onnx", "Callbacks and time": "sklearn.callback"}
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def examples(page: Path) -> str:
    """Return the text of a page, with blank lines in the place of what is not to be run."""
    text = page.read_text(encoding="utf-8")
    for section, package in NEEDS.items():
        if find_spec(package) is None:
            pattern = rf"^###? {section}\n.*?(?=^##|\Z)"
            text = re.sub(pattern, lambda found: "\n" * found[0].count("\n"), text, flags=re.MULTILINE | re.DOTALL)
    # A fence would be read as expected output.
    return re.sub(r"^```.*$", "", text, flags=re.MULTILINE)


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_examples_of_a_page_print_what_they_say(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest(examples(page), {}, page.name, str(page), 0)
    report: list[str] = []
    doctest.DocTestRunner(optionflags=FLAGS).run(test, out=report.append)
    assert not report, "".join(report)


@pytest.mark.parametrize("kind", sorted(set(chainrule.registry()) - {"target", "metric"}))
def test_table_of_options_names_what_the_registry_has(kind):
    page = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", page, flags=re.MULTILINE | re.DOTALL))
    assert re.findall(r"^\| `(\w+)` \|", sections[kind], flags=re.MULTILINE) == chainrule.registry()[kind]


@pytest.mark.parametrize("name", config.OPTIMIZERS)
def test_table_of_optimizers_shows_their_defaults(name):
    page = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    assert f"\n| `{name}` | `{config.OPTIMIZERS[name]()!r}` | " in page


@pytest.mark.parametrize("page", TEXTS, ids=relative)
def test_links_between_files_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_architecture_names_files_that_exist():
    """Paths in ARCHITECTURE.md start at the root, or where the text around them says."""
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    places = [ROOT, ROOT / "rust/core/src", ROOT / "python/chainrule", ROOT / "python/chainrule/reference"]
    named = {name for name in re.findall(r"[\w/-]+\.(?:rs|pyi|py|md)\b", page) if "NAME" not in name}
    assert sorted(name for name in named if not any((place / name).exists() for place in places)) == []
