"""A report: a list of checks, each with an error and its tolerance, truthy if all hold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainrule.describe import aligned
from chainrule.reference.markup import paragraph, shown_in, table

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS = range(2, 6)  # the columns of numbers


@dataclass(frozen=True)
class Check:
    """One comparison.

    Attributes
    ----------
    name : str
        The quantities compared.
    layer : str
        The layer, such as "layer 2 (Dense 100 relu)", or "" for the whole network.
    error, tolerance : float
        The error and the largest error allowed, in the same unit.
    n_compared, n_skipped : int
        The count of numbers compared, and of those skipped (finite differences across a kink).
    """

    name: str
    layer: str
    error: float
    tolerance: float
    n_compared: int
    n_skipped: int = 0

    @property
    def ok(self) -> bool:
        """Whether the error is within the tolerance; false for NaN."""
        return self.error <= self.tolerance and math.isfinite(self.error)


@dataclass(frozen=True)
class Report:
    """The result of `verify` and `gradcheck`: truthy if every check holds, and printed as a table.

    Attributes
    ----------
    checks : tuple of Check
        The checks in the order of the computation, so the first failure is the nearest to its cause.
    title : str
        The network and the data checked.
    """

    checks: tuple[Check, ...]
    title: str

    def __bool__(self) -> bool:
        """Tell whether every check holds."""
        return not self.failures

    def __iter__(self) -> Iterator[Check]:
        """Iterate over the checks."""
        return iter(self.checks)

    def __len__(self) -> int:
        """Return the number of checks."""
        return len(self.checks)

    @property
    def failures(self) -> tuple[Check, ...]:
        """The checks that do not hold."""
        return tuple(check for check in self.checks if not check.ok)

    def raise_if_failed(self) -> None:
        """Raise AssertionError with the table if a check does not hold."""
        if not self:
            raise AssertionError(str(self))

    def rows(self) -> list[tuple[str, ...]]:
        """Return a header and one row per check."""
        return [
            ("check", "where", "compared", "skipped", "error", "tolerance", ""),
            *(
                (
                    check.name,
                    check.layer,
                    f"{check.n_compared:,}",
                    f"{check.n_skipped:,}" if check.n_skipped else "",
                    f"{check.error:.1e}" if check.error else "0",
                    f"{check.tolerance:.1e}" if check.tolerance else "0",
                    "ok" if check.ok else "FAILED",
                )
                for check in self.checks
            ),
        ]

    def __str__(self) -> str:
        """Return a table with one check per line."""
        return "\n".join([self.title, *aligned(self.rows(), right=NUMBERS), self.verdict])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """Return the same as HTML, for a notebook."""
        header, *rows = self.rows()
        return shown_in(paragraph(self.title), table(header, rows, right=NUMBERS), paragraph(self.verdict))

    @property
    def verdict(self) -> str:
        """The result in one line."""
        if self:
            return f"all {len(self)} checks hold"
        first = self.failures[0]
        where = f" of {first.layer}" if first.layer else ""
        return f"FAILED: {len(self.failures)} of {len(self)} checks, first {first.name}{where}"
