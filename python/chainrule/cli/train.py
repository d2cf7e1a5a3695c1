"""``chainrule train``: reads a table, measures a network on held-out rows, trains it on all rows and saves it."""

from __future__ import annotations

import json
import shlex
import warnings
from collections import Counter
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from chainrule.names import ClassWeight, Task

from .common import (
    Choice,
    about,
    column,
    columns,
    marks,
    read,
    reading,
    unknown_option,
    watching,
)
from .info import BATCH_SIZE
from .options import Hidden, Named, Number
from .writing import check_writable, force_option, quiet_option, remark, rows, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from chainrule.tabular import Decision, Score, TabularModel
    from chainrule.tabular.model import Data

COUNT = click.IntRange(1)
WIDTH = 10  # of the column of names: "regression" is the longest
MOST_COLUMNS = 40  # listed of a table
MOST_NAME = 30  # letters of a column's name that the table makes room for
MOST_CLASSES = 8  # with more classes, their sizes are not printed
# The options that are fields of `Settings`.
SETTINGS = (
    "hidden",
    "activation",
    "init",
    "loss",
    "optimizer",
    "learning_rate",
    "epochs",
    "batch_size",
    "dropout",
    "l2",
    "patience",
    "seed",
    "class_weight",
)


@click.command("train", short_help="Train a network on a CSV file, measure it, write model and report.")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--target", metavar="COLUMN", help="What to predict: the name of a column, or its number (-1: the last).")
@click.option(
    "--task",
    type=Choice(get_args(Task)),
    help="What the target is.  [default: classes where it holds words or at most 10 different whole numbers]",
)
@click.option("--test", type=click.Path(path_type=Path), metavar="FILE", help="Measure on the rows of this file.")
@click.option("--folds", type=click.IntRange(2), metavar="K", help="Measure by cross-validation.")
@click.option("--categorical", multiple=True, metavar="COLUMN", help="A column of numbers that are categories.")
@click.option("--drop", multiple=True, metavar="COLUMN", help="A column to leave out, or several: a,b,c.")
@click.option("--drop-missing-target", is_flag=True, help="Leave rows without a target out.")
@click.option("--impute", is_flag=True, help="Fill gaps: the median, or a category of their own.")
@click.option("--date-format", metavar="FORMAT", help="Of dates, such as %d/%m/%Y.  [default: as found]")
@click.option("--missing", multiple=True, metavar="TEXT", help="How a gap is written, in place of the usual texts.")
@unknown_option
@reading
@click.option(
    "--hidden", type=Hidden(), default="64,32", show_default=True, help="Units of the hidden layers, or none."
)
@click.option("--activation", type=Named("activation"), default="tanh", show_default=True, help="Of the hidden layers.")
@click.option("--init", type=Named("init"), default="glorot_uniform", show_default=True, help="Of the first weights.")
@click.option("--loss", type=Named("loss"), help="The loss to minimize.  [default: cross_entropy, or mse for numbers]")
@click.option("--optimizer", type=Named("optimizer"), default="adam", show_default=True, help="The update rule.")
@click.option("--learning-rate", type=Number("(0, inf)"), help="Size of an update.  [default: the optimizer's own]")
@click.option("--epochs", type=COUNT, default=1000, show_default=True, metavar="N", help="Most passes over the data.")
@click.option("--batch-size", type=COUNT, metavar="N", help="Rows per update.  [default: 8 to 256, by size of DATA]")
@click.option("--dropout", type=Number("[0, 1)"), default=0.1, show_default=True, help="Share of hidden units dropped.")
@click.option("--l2", type=Number("[0, inf)"), default=0.0, show_default=True, help="Factor of ½‖w‖² in the loss.")
@click.option(
    "--patience",
    type=click.IntRange(0),
    default=30,
    show_default=True,
    metavar="N",
    help="Epochs without a better validation loss before training stops; 0 never stops early.",
)
@click.option("--weight", metavar="COLUMN", help="A column of numbers that weigh the rows, in the loss and the scores.")
@click.option(
    "--class-weight",
    type=Choice(get_args(ClassWeight)),
    help="Let every class count as much in the loss, however many rows it has.",
)
@click.option(
    "--metric", multiple=True, metavar="NAME", help="A further measure: the name of one of scikit-learn's scorers."
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, metavar="N", help="Seed of every random choice."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="model.safetensors",
    show_default=True,
    metavar="FILE",
    help="The model file.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The report: a .html file, or a folder for report.html.  [default: beside the model]",
)
@click.option("--no-report", is_flag=True, help="Write no report.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, when all is done.")
@quiet_option
@force_option
def command(**options: Any) -> None:
    """Train a network on the rows of the CSV file DATA (- is standard input).

    A NAME may have fields, as in --optimizer sgd:momentum=0.9; `chainrule info` lists the names.

    Without --test and --folds, the model is measured on a fifth of the rows, held out of training. The model that is
    written is trained on all rows of DATA. The number of epochs is the one that did best on a tenth of them held back.
    """
    data, out, force = options["data"], options["out"], options["force"]
    report = None if options["no_report"] else report_path(options["report"], out)
    given = [path for path in (data, options["test"]) if path is not None]
    check_writable(out, *given, force=force)  # fail before the work, not after it
    if report is not None:
        from chainrule import plots

        plots.axes()
        check_writable(report if report.parent.is_dir() else report.parent, *given, out, force=force)

    frame = read(data, options["sep"], options["header"])
    model, target = configured(options, frame)
    with about(data), doubts_as_remarks():
        rows_read = model.read(frame, target)
    try:
        model.settings.loss_for(rows_read.target)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--loss'") from None
    if options["folds"] and options["folds"] > rows_read.n:
        raise click.BadParameter(f"there are only {rows_read.n:,} rows", param_hint="'--folds'")
    test = None if options["test"] is None else tested(rows_read, options)

    from .scores import as_json, told

    show = Shown(silent=options["quiet"] or options["as_json"])
    main = "balanced_accuracy" if options["class_weight"] else None
    show(described(data, frame, rows_read))
    if not show.silent:
        for line in lines(rows_read.decisions):
            say(line)
    scores = []
    with doubts_as_remarks(), watching(quiet=options["quiet"]) as watch:
        if options["folds"]:
            scores.append(model.cross_validated(rows_read, folds=options["folds"], watch=watch))
        elif test is None:
            scores.append(model.held_out(rows_read, watch=watch))
        for score in scores:
            show(told(score, rows_read.target, main))
        model.fit(rows_read, watch=watch)
    if test is not None:
        with about(options["test"]):
            weight = model.weight
            scores.append(
                model.score(test, unknown=options["unknown"], how="test", weight=weight, metrics=model.settings.metrics)
            )
        show({"tested on": str(options["test"])} | told(scores[-1], rows_read.target, main))

    model.notes = {
        "data": show.facts["data"],
        "epochs": f"{model.epochs:,}",
        BATCH_SIZE: f"{model.settings.batch_size_for(rows_read.n):,}",
    }
    model.notes |= {score.how: measured(score) for score in scores}
    model.save(out)
    epochs = "1 epoch" if model.epochs == 1 else f"{model.epochs:,} epochs"
    facts = dict(show.facts)
    show({"model": f"{out}, trained on all {rows_read.n:,} rows for {epochs}"})
    if report is not None:
        from . import report as html

        report.parent.mkdir(exist_ok=True)
        about_it = {
            "written": f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}",
            "command": shlex.join(["chainrule", *click.get_current_context().find_root().obj]),
        }
        html.write(report, model, facts | about_it, scores)
        show({"report": str(report)})
    if options["as_json"]:
        found = {score.how: as_json(score, rows_read.target) for score in scores}
        click.echo(json.dumps(show.facts | {"epochs": model.epochs, "scores": found}, ensure_ascii=False))


@contextmanager
def doubts_as_remarks() -> Iterator[None]:
    """Print the warnings of reading and training as remarks, each once."""
    with warnings.catch_warnings(record=True) as doubts:
        warnings.simplefilter("always", UserWarning)
        yield
    for text in dict.fromkeys(str(doubt.message) for doubt in doubts):
        remark(text)


class Shown:
    """Prints facts, one a line, and keeps them."""

    def __init__(self, *, silent: bool) -> None:
        self.silent = silent
        self.facts: dict[str, str] = {}

    def __call__(self, facts: dict[str, str]) -> None:
        """Print more facts."""
        if not self.silent:
            rows(facts, WIDTH)
        self.facts |= facts


def configured(options: dict[str, Any], frame: pd.DataFrame) -> tuple[TabularModel, str | int]:
    """Return the model that the options describe and the name of its target."""
    from chainrule.tabular import TabularModel
    from chainrule.tabular.cells import MISSING, listed

    names = frame.columns.tolist()
    if options["target"] is None:
        raise click.UsageError(f"say what to predict by --target: {listed(names)}", click.get_current_context())
    target = column("--target", options["target"], names)
    drop = columns("--drop", options["drop"], names)
    if target in drop:
        raise click.BadParameter(f"{options['target']} is the target", param_hint="'--drop'")
    weight = None if options["weight"] is None else column("--weight", options["weight"], names)
    if weight == target:
        raise click.BadParameter(f"{options['weight']} is the target", param_hint="'--weight'")
    categorical = columns("--categorical", options["categorical"], names)
    given = marks()
    try:
        model = TabularModel(
            task=options["task"],
            categorical=categorical,
            drop=drop,
            drop_missing_target=options["drop_missing_target"],
            impute=options["impute"],
            decimal=given["decimal"],  # type: ignore[arg-type] # checked by `marks`
            thousands=given["thousands"],  # type: ignore[arg-type] # checked by `marks`
            date_format=options["date_format"],
            missing=options["missing"] or MISSING,
            weight=weight,
            metrics=options["metric"],
            **{name: options[name] for name in SETTINGS},
        )
    except ValueError as error:
        raise click.UsageError(str(error), click.get_current_context()) from None
    kept = {"sep": options["sep"], "encoding": given["encoding"]}
    model.reading = {name: text for name, text in kept.items() if text is not None}
    return model, target


def tested(data: Data, options: dict[str, Any]) -> pd.DataFrame:
    """Return the table of --test, checked before training begins."""
    inputs = data.columns.inputs
    header = inputs.by_name if options["header"] is None else options["header"]
    frame = read(options["test"], options["sep"], header, text=data.has_marks())
    with about(options["test"]):
        inputs.encode(frame, options["unknown"])
        data.target.read(inputs.target_cells(frame))
    return frame


def described(path: Path, frame: pd.DataFrame, data: Data) -> dict[str, str]:
    """Return the facts to print about the table."""
    from chainrule.tabular.cells import column_name, listed
    from chainrule.tabular.targets import Classes

    inputs, target = data.columns.inputs, data.target
    count = Counter(column.kind for column in inputs.columns)
    kinds = [f"{count[kind]:,} {kind}" for kind in ("numeric", "categorical", "dates") if count[kind]]
    header = "a header" if inputs.by_name else "no header"
    facts = {
        "data": f"{path}: {len(frame):,} rows, {len(frame.columns):,} columns, {header}",
        "columns": f"{' and '.join(kinds)}, {inputs.width:,} input{'s' * (inputs.width > 1)}",
    }
    if inputs.constant:
        facts["constant"] = f"{listed(inputs.constant)}, left out"
    if data.n_dropped:
        facts["rows"] = f"{data.n:,}; {data.n_dropped:,} without a target left out"
    what = f"{column_name(target.name)}, {target.task} ({data.why})"
    if isinstance(target, Classes):
        facts["target"] = f"{what}, {len(target.labels)} classes"
        sizes = sorted(zip(data.counts(), target.labels, strict=True), key=lambda pair: -pair[0])
        shown = ", ".join(f"{label}: {size:,}" for size, label in sizes[:MOST_CLASSES])
        facts["classes"] = shown + (", …" if len(sizes) > MOST_CLASSES else "")
    else:
        facts["target"] = f"{what}, {data.y.min():g} to {data.y.max():g}"
    return facts


def lines(decisions: Sequence[Decision]) -> list[str]:
    """Return the table of what became of each column, a line for each, as many as can be read."""
    shown = [decision for decision in decisions if decision.kind != "target"][:MOST_COLUMNS]
    width = min(max(len(str(of.name)) for of in shown), MOST_NAME) if shown else 0
    more = len(decisions) - 1 - len(shown)
    table = [f"  {of.name!s:<{width}}  {of.kind:<10}  {of.what}" for of in shown]
    return [*table, f"  and {more:,} more columns"] if more else table


def measured(score: Score) -> str:
    """Return a score with the number of rows it was measured on."""
    return f"{score} on {len(score.y_true):,} rows"


def report_path(asked: Path | None, out: Path) -> Path:
    """Return the path of the report."""
    if asked is None:
        return out.with_suffix(".html")
    if asked.suffix.lower() in (".html", ".htm"):
        return asked
    if asked.suffix and not asked.is_dir():
        raise click.BadParameter(
            f"a report is a .html file, or report.html in a folder, not {asked.suffix}",
            param_hint="'--report'",
        )
    return asked / "report.html"
