"""The report of a training: one HTML file with its plots embedded."""

from __future__ import annotations

import base64
from functools import partial
from html import escape
from typing import TYPE_CHECKING

from chainrule import files
from chainrule.tabular.scores import TITLES, number
from chainrule.tabular.targets import Classes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from chainrule.plots import Display
    from chainrule.tabular import Score, TabularModel

MOST_CLASSES = 50  # drawn in the confusion matrix

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; color: #222; }}
h1 {{ font-size: 1.5rem; }} h2 {{ font-size: 1.15rem; margin-top: 2rem; }}
table {{ border-collapse: collapse; }} th, td {{ text-align: left; vertical-align: top;
  padding: .15rem 1.5rem .15rem 0; }}
th {{ font-weight: 600; }} td {{ overflow-wrap: anywhere; }} td.number {{ font-variant-numeric: tabular-nums; }}
img {{ max-width: 100%; }} pre {{ overflow-x: auto; font-size: .85rem; }}
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

    title = f"{facts['target'].partition(',')[0]} of {facts['data'].partition(':')[0]}"
    rows = {**facts, "epochs": f"{model.epochs:,}", "seed": str(model.settings.seed), "chainrule": __version__}
    body = [table(rows.items())]
    for score in scores:
        body += [heading(f"Score: {score.how}"), metrics(score)]
        name = "confusion matrix" if isinstance(model.target, Classes) else "predictions beside the truth"
        body.append(image(partial(predictions, model, score), name))
    if model.history is not None:
        body += [heading("Loss"), image(partial(plots.LossCurveDisplay.from_history, model.history), "loss by epochs")]
    body += [heading("Network"), f"<pre>{escape(model.network.summary())}</pre>"]
    files.write(path, PAGE.format(title=escape(title), body="\n".join(body)))


# ── Plots ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def predictions(model: TabularModel, score: Score) -> Display:
    """Draw the confusion matrix, or true against predicted numbers."""
    from chainrule import plots

    if isinstance(model.target, Classes):
        if len(model.target.labels) > MOST_CLASSES:
            raise ValueError(f"there are {len(model.target.labels)} classes, more than can be read")
        return plots.ConfusionMatrixDisplay.from_predictions(
            score.y_true, score.y_pred, labels=model.target.values(), display_labels=model.target.labels
        )
    return plots.PredictionErrorDisplay.from_predictions(score.y_true, score.y_pred)


def image(draw: Callable[[], Display], name: str) -> str:
    """Return a plot as an HTML image with its bytes embedded, or the reason why it cannot be drawn."""
    try:
        picture = draw()._repr_png_() or b""
    except ValueError as error:  # the rest of the report is still useful
        return f"<p>No picture of the {escape(name)}: {escape(str(error))}.</p>"
    return f'<img alt="{escape(name)}" src="data:image/png;base64,{base64.b64encode(picture).decode()}">'


# ── Text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def heading(text: str) -> str:
    """Return a heading."""
    return f"<h2>{escape(text)}</h2>"


def table(rows: Iterable[tuple[str, ...]], header: Sequence[str] = ()) -> str:
    """Return a table; the first cell of a row is its name."""
    lines = ["<table>"]
    if header:
        lines.append("<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in header) + "</tr>")
    for name, *cells in rows:
        lines.append(f"<tr><th>{escape(name)}</th>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    return "\n".join([*lines, "</table>"])


def metrics(score: Score) -> str:
    """Return the metrics of each fold or test set, and their means."""
    header = ("", *(TITLES[name] for name in score.mean))
    several = len(score.parts) > 1
    rows = [
        (f"fold {i}" if several else "all", *map(number, part.values())) for i, part in enumerate(score.parts, start=1)
    ]
    if several:
        rows.append(("mean", *map(number, score.mean.values())))
    return table(rows, header)
