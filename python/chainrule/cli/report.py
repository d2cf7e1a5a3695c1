"""The report of a training: one HTML file that needs nothing beside it, and follows the light or dark mode.

Class names stand in tables, never in pictures, so that the browser's fonts show every script.
"""

from __future__ import annotations

import base64
import dataclasses
from functools import partial
from html import escape
from io import BytesIO
from pathlib import PurePath
from typing import TYPE_CHECKING

from chainrule import files
from chainrule.reference.options import Option
from chainrule.tabular.cells import column_name
from chainrule.tabular.measures import TITLES
from chainrule.tabular.scores import number
from chainrule.tabular.targets import Classes

from .scores import confusion, constant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from chainrule.plots import Display
    from chainrule.tabular import Score, Settings, TabularModel

MOST_CLASSES = 50  # in the confusion
DPI = 160  # sharp on a screen of twice the usual density

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
{generator}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --text: #222; --back: #fff; --faint: #666; --line: #ddd; --warn: #b00020; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --text: #ddd; --back: #1b1b1b; --faint: #999; --line: #444; --warn: #ff8a80; }}
  img {{ filter: invert(.894) hue-rotate(180deg); }}
}}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 54rem; margin: 2rem auto; padding: 0 1.5rem;
  color: var(--text); background: var(--back); }}
h1 {{ font-size: 1.5rem; overflow-wrap: anywhere; }} h2 {{ font-size: 1.15rem; margin: 2.5rem 0 .5rem; }}
.scroll {{ overflow-x: auto; }}
table {{ border-collapse: collapse; }}
th, td {{ text-align: left; vertical-align: top; padding: .15rem 1.5rem .15rem 0; }}
th {{ font-weight: 600; }} td {{ overflow-wrap: anywhere; white-space: pre-line; }}
thead th {{ color: var(--faint); font-weight: 400; border-bottom: 1px solid var(--line); }}
.numbers th {{ white-space: nowrap; }}
.numbers td, .numbers thead th:not(:first-child) {{ text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }}
.confusion td {{ text-align: right; font-variant-numeric: tabular-nums; padding: .3rem .6rem; min-width: 2.5rem;
  background: rgb(0 114 178 / var(--share)); }}
.confusion td.dark {{ color: #fff; }}
.confusion th {{ padding: .3rem .8rem .3rem 0; max-width: 14rem; overflow-wrap: anywhere; }}
.confusion thead th:not(:first-child) {{ text-align: right; padding: .3rem .6rem; }}
.confusion tbody tr {{ border-top: 2px solid var(--back); }} .confusion td {{ border-left: 2px solid var(--back); }}
.note {{ color: var(--faint); font-size: .85rem; margin: 1.2rem 0 .3rem; }}
.warning {{ color: var(--warn); }}
img {{ max-width: 100%; height: auto; display: block; margin-top: 1.2rem; }}
pre {{ overflow-x: auto; font-size: .85rem; }} code {{ overflow-wrap: anywhere; }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def write(path: Path, model: TabularModel, facts: Mapping[str, str], scores: Sequence[Score]) -> None:
    """Write the report of a model that has been trained and measured."""
    from chainrule import __version__, plots

    shown = {score.how for score in scores} | {"confusion", "warning"}
    rows = {name: value for name, value in facts.items() if name not in shown} | {"chainrule": __version__}
    source, name = facts["data"].partition(": ")[0], model.target.name
    of = "standard input" if source == "-" else PurePath(source).name
    title = f"{name if isinstance(name, str) else column_name(name)} from {of}"
    body = [table(rows.items())]
    if "warning" in facts:
        body.append(f'<p class="warning">{escape(facts["warning"].capitalize())}.</p>')
    body += [heading("Columns"), table((str(of.name), of.kind, of.what) for of in model.decisions)]
    for score in scores:
        body += [heading(f"Score: {score.how}"), measures(score, model)]
        if isinstance(model.target, Classes):
            body.append(matrix(score, model.target))
        else:
            draw = partial(plots.PredictionErrorDisplay.from_predictions, score.y_true, score.y_pred)
            body.append(image(draw, "predictions beside the truth"))
    if model.history is not None:
        body += [heading("Loss"), image(partial(plots.LossCurveDisplay.from_history, model.history), "loss by epochs")]
    body += [heading("Options"), table(options(model.settings, model.epochs).items())]
    body += [heading("Network"), f"<pre>{escape(model.network.summary())}</pre>"]
    page = PAGE.format(title=escape(title), generator=files.GENERATOR, body="\n".join(body))
    files.write(path, page)


# ── Parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def image(draw: Callable[[], Display], name: str) -> str:
    """Return a plot as an HTML image with its bytes embedded, or the reason why it cannot be drawn."""
    try:
        figure = draw().figure_.figure
    except ValueError as error:  # the rest of the report is still useful
        return f"<p>No picture of the {escape(name)}: {escape(str(error))}.</p>"
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    source = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    return f'<img alt="{escape(name)}" width="{width}" height="{height}" src="{source}">'


def heading(text: str) -> str:
    """Return a heading."""
    return f"<h2>{escape(text)}</h2>"


def table(rows: Iterable[tuple[str, ...]], header: Sequence[str] = (), kind: str = "") -> str:
    """Return a table; the first cell of a row is its name."""
    lines = [f'<div class="scroll"><table class="{kind}">']
    if header:
        lines.append("<thead><tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in header) + "</tr></thead>")
    lines.append("<tbody>")
    for name, *cells in rows:
        lines.append(f"<tr><th>{escape(name)}</th>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    return "\n".join([*lines, "</tbody></table></div>"])


def measures(score: Score, model: TabularModel) -> str:
    """Return the measures of each fold or test set, their means, and those of the constant prediction."""
    several = len(score.parts) > 1
    parts = [f"fold {i}" for i in range(1, len(score.parts) + 1)] if several else []
    header = (f"{len(score.y_true):,} rows", "model", constant(model.target), *parts)
    rows = []
    for name in score.mean:
        each = [number(part[name]) for part in score.parts] if several else []
        rows.append((TITLES.get(name, name), score.value(name), number(score.baseline[name]), *each))
    return table(rows, header, kind="numbers")


def matrix(score: Score, target: Classes) -> str:
    """Return the confusion of the classes, shaded by the share of the true class."""
    if len(target.labels) > MOST_CLASSES:
        return f"<p>No confusion matrix: there are {len(target.labels)} classes, more than can be read.</p>"
    head = "".join(f"<th>{escape(label)}</th>" for label in target.labels)
    lines = [
        '<p class="note">Rows of each true class (lines) by predicted class (columns), shaded by their share:</p>',
        '<div class="scroll"><table class="confusion">',
        f"<thead><tr><th></th>{head}</tr></thead><tbody>",
    ]
    for label, row in zip(target.labels, confusion(score, target).tolist(), strict=True):
        total = max(sum(row), 1)
        cells = "".join(cell(n, n / total) for n in row)
        lines.append(f"<tr><th>{escape(label)}</th>{cells}</tr>")
    return "\n".join([*lines, "</tbody></table></div>"])


def cell(n: int, share: float) -> str:
    """Return a cell of the confusion; zeros are left blank."""
    dark = ' class="dark"' if share > 0.5 else ""
    return f'<td{dark} style="--share: {share:.3f}">{f"{n:,}" if n else ""}</td>'


def options(settings: Settings, epochs: int | None) -> dict[str, str]:
    """Return the choices for the training in words."""
    found = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}
    words = {name.replace("_", " "): in_words(value) for name, value in found.items() if value not in (None, ())}
    words["epochs"] = f"{epochs:,} of at most {settings.epochs:,}"
    return words


def in_words(value: object) -> str:
    """Return the value of an option."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return repr(value) if isinstance(value, Option) else str(value)
