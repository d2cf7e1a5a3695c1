"""The inputs of a table: its columns, their positions in another table, and their matrix X.

With a header, columns are found by name in any order. Without one they are found by position, and their number must
match.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.reference.spelling import hint

from .cells import Cells, column_name, listed
from .columns import UNKNOWN, Numeric, numbers
from .decisions import CONSTANT, DROPPED, EMPTY, Decision, Reading, decide
from .frames import as_frame
from .notation import AmbiguousError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from chainrule.names import Unknown

    from .decisions import Column

    Array = NDArray[Any]

MOST_NUMBERS = 2**31  # in X: 8 GB, and training needs the same again


@dataclass(frozen=True)
class Inputs:
    """The columns of a model.

    Attributes
    ----------
    names : tuple
        The names of all columns of the training data in order, str with a header, else int.
    target : str or int
        The name of the column to predict.
    columns : tuple of Numeric, Categorical and Dates
        The inputs.
    left_out : tuple of (name, reason)
        Columns that are no input: they never change, are empty, or number the rows.
    missing : tuple of str
        The texts of a missing cell.
    """

    names: tuple[str | int, ...]
    target: str | int
    columns: tuple[Column, ...]
    left_out: tuple[tuple[str | int, str], ...]
    missing: tuple[str, ...]

    @property
    def constant(self) -> tuple[str | int, ...]:
        """The columns left out because all their values are equal, or missing."""
        return tuple(name for name, why in self.left_out if why in (CONSTANT, EMPTY))

    @property
    def by_name(self) -> bool:
        """Whether columns are found by name."""
        return isinstance(self.names[0], str)

    @property
    def width(self) -> int:
        """Number of inputs of the network."""
        return sum(column.width for column in self.columns)

    @property
    def input_names(self) -> list[str]:
        """A name for each input of the network: "column 'age'", or "column 'color' = 'red'"."""
        return [column_name(column.name) + meaning for column in self.columns for meaning in column.meanings]

    def cells(self, frame: pd.DataFrame, names: Sequence[str | int]) -> list[Cells]:
        """Return some columns of a table."""
        frame = as_frame(frame)
        at = self.indices(frame)
        return [Cells.of(frame.iloc[:, at[name]], name, self.missing) for name in names]

    def target_cells(self, frame: pd.DataFrame) -> Cells:
        """Return the column of the target; refuse a table without it."""
        if self.target not in self.indices(frame):
            raise ValueError(f"it lacks the target, {column_name(self.target)}")
        return self.cells(frame, [self.target])[0]

    def indices(self, frame: pd.DataFrame) -> dict[str | int, int]:
        """Return the position of each column in a table; refuse a table that lacks a column other than the target."""
        found = labels(frame)
        needed = [column.name for column in self.columns]
        if self.by_name:
            if isinstance(found[0], int):
                raise ValueError(
                    f"it has no header, but the model finds its columns by name: {listed(needed)} (--header takes the "
                    "first row as one)"
                )
            index_of = {name: i for i, name in enumerate(found)}
            absent = [name for name in needed if name not in index_of]
            if absent:
                s = "s" if len(absent) > 1 else ""
                raise ValueError(f"it lacks the column{s} {listed(absent)}; it has {listed(found)}")
            return {name: i for name, i in index_of.items() if name in self.names}
        n = len(self.names)
        if len(found) not in (n, n - 1):
            raise ValueError(
                f"it has {len(found)} columns, but the model was trained on {n} without a header, the "
                f"{column_name(self.target)} its target: give {n}, or {n - 1} without the target"
            )
        names = self.names if len(found) == n else [name for name in self.names if name != self.target]
        return {name: i for i, name in enumerate(names)}

    def extra_names(self, frame: pd.DataFrame) -> list[str]:
        """Return the names of the columns that the training data did not have."""
        return [str(name) for name in labels(frame) if self.by_name and name not in self.names]

    def encode(self, frame: pd.DataFrame, unknown: Unknown = "error") -> NDArray[np.float32]:
        """Return X, (n, width), of a table with old or new rows."""
        if unknown not in UNKNOWN:
            raise ValueError(f"unknown must be {' or '.join(map(repr, UNKNOWN))}, not {unknown!r}")
        cells = self.cells(frame, [column.name for column in self.columns])
        return self.matrix([column.read(c, unknown) for column, c in zip(self.columns, cells, strict=True)], cells)

    def matrix(self, values: Sequence[Array], cells: Sequence[Cells]) -> NDArray[np.float32]:
        """Return X from the values read from each column."""
        x = matrix(len(cells[0].codes), self.width)
        at = 0
        for column, v, c in zip(self.columns, values, cells, strict=True):
            column.encode(column.filled(v), x[:, at : at + column.width], c)
            at += column.width
        return x


@dataclass(frozen=True)
class TrainingRows:
    """The training rows, read once. Each fold learns its own means and medians from its rows.

    `values` has one array per column: numbers with NaN for gaps, or indices of categories with −1 for gaps.
    `decisions` tells what became of each column, and `problems` what forbids training.
    """

    inputs: Inputs
    cells: tuple[Cells, ...]
    values: tuple[Array, ...]
    decisions: tuple[Decision, ...]
    problems: tuple[str, ...]

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        target: str | int,
        reading: Reading,
        *,
        categorical: Collection[str | int] = (),
        drop: Collection[str | int] = (),
        missing: Sequence[str],
    ) -> TrainingRows:
        """Decide what each column is; see `decisions.decide`. All problems are raised as one error."""
        names = labels(frame)
        if len(frame) < 2:
            raise ValueError(f"it has {'1 row' if len(frame) else 'no rows'}; two at least are needed")
        for argument, given in (("target", (target,)), ("categorical", categorical), ("drop", drop)):
            for name in given:
                if name not in names:
                    raise ValueError(f"{argument}: {no_column(name, names)}")
        if target in drop:
            raise ValueError(f"{column_name(target)} is the target and cannot be dropped")
        found: dict[str | int, tuple[Cells, Column | None, Decision]] = {}
        problems: dict[str | int, str] = {}

        def read(i: int, reading: Reading) -> None:
            name = names[i]
            try:
                cells = Cells.of(frame.iloc[:, i], name, missing)
                found[name] = (cells, *decide(cells, i, reading, categorical=name in categorical))
            except AmbiguousError as error:
                problems[name], doubtful[i] = f"{column_name(name)}: {error}", error
            except ValueError as error:
                problems[name] = str(error)

        doubtful: dict[int, AmbiguousError] = {}
        for i, name in enumerate(names):
            if name != target and name not in drop:
                read(i, reading)
        decimal = decimal_of([(cells, column) for cells, column, _ in found.values()]) if doubtful else None
        for i in list(doubtful) if decimal else []:
            del problems[names[i]]
            read(i, dataclasses.replace(reading, decimal=decimal))
        told = [found[name][2] if name in found else Decision(name, "left out", DROPPED) for name in names]
        used = [(cells, column) for cells, column, _ in (found[n] for n in names if n in found) if column is not None]
        left_out = tuple((of.name, of.what) for of in told if of.kind == "left out" and of.what != DROPPED)
        if not used and not problems:
            left = "; " + listed([name for name, _ in left_out]) + " never change" if left_out else ""
            problems[target] = f"no column is left to learn from{left}"
        values = []
        inputs = Inputs(tuple(names), target, tuple(column for _, column in used), left_out, tuple(missing))
        if not problems:
            values = [column.read(cells, "error") for cells, column in used]
        kept = tuple(cells for cells, _ in used)
        return cls(inputs, kept, tuple(values), tuple(of for of in told if of.name != target), tuple(problems.values()))

    def learn(self, rows: Array) -> tuple[Inputs, NDArray[np.float32]]:
        """Return the inputs with moments learned from these rows, and X of all rows."""
        columns = [column.learn(v[rows]) for column, v in zip(self.inputs.columns, self.values, strict=True)]
        inputs = dataclasses.replace(self.inputs, columns=tuple(columns))
        return inputs, inputs.matrix(self.values, self.cells)


def decimal_of(columns: Sequence[tuple[Cells, Column | None]]) -> str | None:
    """Return the decimal mark of a table by those of its columns that are clear; None if they do not agree."""
    marks = set()
    for cells, column in columns:
        if isinstance(column, Numeric) and (numbers(cells, column.notation) % 1).any():
            marks.add(column.notation.decimal)
    return marks.pop() if len(marks) == 1 else None


def matrix(n: int, width: int) -> NDArray[np.float32]:
    """Return an empty X; refuse one that is too large for memory."""
    if n * width > MOST_NUMBERS:
        raise MemoryError(
            f"{n:,} rows of {width:,} inputs are {n * width * 4 / 1e9:,.0f} GB; drop a column of many categories"
        )
    return np.empty((n, width), np.float32)


def labels(frame: pd.DataFrame) -> list[str | int]:
    """Return the names of a table's columns, all str or all int, each different."""
    if not len(frame.columns):
        raise ValueError("the table has no columns")
    names = [int(name) if isinstance(name, np.integer) else name for name in frame.columns.tolist()]
    if not (all(isinstance(name, str) for name in names) or all(type(name) is int for name in names)):
        raise TypeError("the names of the columns must all be str, or all int if there is no header")
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise ValueError(f"two columns are named {twice!r}")
    return names


def no_column(name: object, names: Sequence[str | int]) -> str:
    """Return the message for an unknown column, with the nearest known one."""
    return f"there is no column {name!r}{hint(str(name), map(str, names))} (there are {listed(names)})"
