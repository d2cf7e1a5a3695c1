"""A column of dates or times of the day: one input for each of its parts that varies.

    2024-03-01 12:30  ─▶  year 2024, month 3, day 1, weekday 4 (Friday), time 45000 s, and the seconds since 1970

Each part is standardized as a column of numbers is, so the last is the time since any day, the first of the table too.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from .columns import median, moments, refuse_gaps
from .notation import AmbiguousError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .cells import Cells

ISO = "ISO8601"
TYPED = ""  # the form of a column whose type says that it holds dates
DAYS = (ISO, "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d/%m/%y", "%m/%d/%y")
NAMED_DAYS = ("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y")
TIMES = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p")
FORMS = (
    *DAYS,
    *NAMED_DAYS,
    *TIMES,
    *(f"{day} {time}" for day, time in itertools.product((*DAYS[1:], *NAMED_DAYS), TIMES)),
)
SAMPLE = 20  # texts on which the forms are tried first
DAY = 86_400.0
LAST_SECOND = 253_402_300_799.0  # of the year 9999
PARTS: tuple[str, ...] = ("year", "month", "day", "weekday", "time", "seconds")


@dataclass(frozen=True)
class Dates:
    """A column of dates: for each of `parts` one input, (part − mean) / scale.

    `form` is how they are written: "ISO8601", a format of `datetime.strptime`, or "" for a column of dates by type.
    `fill` is the median of the training rows in seconds since 1970, or None if gaps are refused.
    """

    kind: ClassVar[str] = "dates"
    name: str | int
    form: str
    parts: tuple[str, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    fill: float | None

    @property
    def width(self) -> int:
        """Number of inputs."""
        return len(self.parts)

    @property
    def meanings(self) -> tuple[str, ...]:
        """The part that each input stands for."""
        return tuple(f" ({part})" for part in self.parts)

    def read(self, cells: Cells, unknown: str) -> NDArray[np.float64]:  # noqa: ARG002 - a date is never unknown
        """Return the seconds since 1970 of a column, (n,), with NaN for gaps."""
        if self.fill is None:
            refuse_gaps(cells)
        return seconds(cells, self.form)

    def filled(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the seconds with the gaps filled."""
        return values if self.fill is None else np.where(np.isnan(values), self.fill, values)

    def encode(self, values: NDArray[Any], out: NDArray[np.float32], cells: Cells) -> None:  # noqa: ARG002 - all fit
        """Write the inputs to `out`, (n, width)."""
        for i, (part, mean, scale) in enumerate(zip(self.parts, self.means, self.scales, strict=True)):
            out[:, i] = (part_of(values, part) - mean) / scale

    def learn(self, values: NDArray[Any]) -> Dates:
        """Return the column with the means, scales and median of `values`, in which NaN marks gaps."""
        column = self if self.fill is None else dataclasses.replace(self, fill=median(values[~np.isnan(values)]))
        learned = [moments(part_of(column.filled(values), part)) for part in self.parts]
        means, scales = zip(*learned, strict=True)
        return dataclasses.replace(column, means=means, scales=scales)


def planned(cells: Cells, form: str, *, impute: bool) -> Dates:
    """Return a column of dates before its moments are learned, with the parts that vary."""
    values = seconds(cells, form)
    present = values[~np.isnan(values)]
    parts = PARTS if np.abs(present).max() >= DAY or present.min() < 0 else ("time",)
    if parts == PARTS and not (present % DAY).any():
        parts = tuple(part for part in parts if part != "time")
    parts = tuple(part for part in parts if np.ptp(part_of(present, part))) or ("seconds",)
    n = len(parts)
    return Dates(cells.name, form, parts, (0.0,) * n, (1.0,) * n, 0.0 if impute else None)


def shown(value: float, parts: tuple[str, ...]) -> str:
    """Return a date in messages, as much of it as the column has.

    >>> shown(0.0, ("year", "seconds")), shown(45000.0, ("day", "time")), shown(45000.0, ("time",))
    ('1970-01-01', '1970-01-01 12:30:00', '12:30:00')
    """
    day, _, time = str(np.datetime64(int(value), "s")).partition("T")
    return time if parts == ("time",) else f"{day} {time}" if "time" in parts else day


def part_of(values: NDArray[np.float64], part: str) -> NDArray[np.float64]:
    """Return a part of each date, given in seconds since 1970; Monday is weekday 0.

    >>> day = np.array([0.0, 45000.0 + 31 * 86400])
    >>> [part_of(day, part).tolist() for part in ("year", "month", "day", "weekday", "time")]
    [[1970.0, 1970.0], [1.0, 2.0], [1.0, 1.0], [3.0, 6.0], [0.0, 45000.0]]
    """
    if part == "seconds":
        return values
    if part == "time":
        return values % DAY
    days = np.floor(values / DAY)
    if part == "weekday":
        return (days + 3) % 7
    date = days.astype("datetime64[D]")
    months = date.astype("datetime64[M]")
    if part == "day":
        counted = (date - months).astype(np.float64) + 1
    elif part == "month":
        counted = months.astype(np.float64) % 12 + 1
    else:
        counted = date.astype("datetime64[Y]").astype(np.float64) + 1970
    return np.asarray(counted, dtype=np.float64)


def form_of(texts: Sequence[str], given: str | None = None) -> str | None:
    """Return the form in which all texts are dates, or None; `given` is tried alone.

    Raises
    ------
    AmbiguousError
        The day or the month may come first.

    Examples
    --------
    >>> form_of(["2024-03-01"]), form_of(["1.3.2024", "31.3.2024"]), form_of(["12:30"]), form_of(["red", "2024-03-01"])
    ('ISO8601', '%d.%m.%Y', '%H:%M', None)
    """
    sample = list(texts[:SAMPLE])
    if not sample or not all(may_be_date(text) for text in sample):
        return None
    fitting = [form for form in (FORMS if given is None else [given]) if fits(sample, form) and fits(texts, form)]
    if not fitting:
        return None
    first = parsed(texts, fitting[0])
    for form in fitting[1:]:
        other = parsed(texts, form)
        odd = np.flatnonzero(first != other)
        if len(odd):
            one, two = (str(values[odd[0]]).partition("T")[0] for values in (first, other))
            decides = f"--date-format {fitting[0]!r} (date_format= in Python) decides"
            raise AmbiguousError(f"{texts[odd[0]]!r} may be {one} or {two}; {decides}")
    return fitting[0]


def may_be_date(text: str) -> bool:
    """Tell whether a text is worth trying: it is short, ASCII, and has two groups of digits or more.

    >>> may_be_date("1/2/24"), may_be_date("2 Jan 2024"), may_be_date("red"), may_be_date("5%")
    (True, True, False, False)
    """
    if not 4 <= len(text) <= 40:
        return False
    groups = "".join(letter if letter.isdigit() else " " for letter in text).split()
    return len(groups) > 1 and text.isascii()


def fits(texts: Sequence[str], form: str) -> bool:
    """Tell whether all texts are dates in a form."""
    return not bool(np.isnat(parsed(texts, form)).any())


def parsed(texts: Sequence[str], form: str) -> NDArray[np.datetime64]:
    """Return texts as dates in UTC, NaT where one is none; times of the day are on 1970-01-01."""
    if form in TIMES:
        texts, form = [f"1970-01-01 {text}" for text in texts], f"%Y-%m-%d {form}"
    dates = pd.to_datetime(pd.Series(list(texts), dtype=object), format=form, errors="coerce", utc=True)
    values: NDArray[np.datetime64] = dates.dt.tz_localize(None).to_numpy()
    return values


def seconds(cells: Cells, form: str) -> NDArray[np.float64]:
    """Return the seconds since 1970 of a column, (n,), NaN for missing cells; refuse what is no date."""
    if cells.declared == "date":
        dates = pd.DatetimeIndex(cells.column)
        values = (dates if dates.tz is None else dates.tz_convert("UTC").tz_localize(None)).to_numpy()
    else:
        texts = cells.texts
        of_text = parsed(texts, form or ISO)
        if np.isnat(of_text).any():
            code = int(np.isnat(of_text).argmax())
            said = "" if form in (TYPED, ISO) else f" in the form {form!r}"
            raise ValueError(f"{cells.at(cells.first(code))}: {texts[code]!r} is not a date{said}")
        values = np.append(of_text, np.datetime64("NaT")).astype("datetime64[us]")[cells.codes]
    microseconds = values.astype("datetime64[us]").astype(np.int64)
    return np.where(np.isnat(values), np.nan, microseconds / 1e6)
