"""A report: a list of checks, each an error beside its tolerance; truthy where all hold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainrule.describe import aligned

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Check:
    """One comparison.

    Attributes
    ----------
    name : str
        What was compared with what.
    layer : str
        Where, such as "layer 2 (Dense 100 relu)"; "" for the network as a whole.
    error, tolerance : float
        How large the error is and how large it may be, in the same unit.
    n_compared, n_skipped : int
        How many numbers were compared, and how many could not be (finite differences across a kink).
    """

    name: str
    layer: str
    error: float
    tolerance: float
    n_compared: int
    n_skipped: int = 0

    @property
    def ok(self) -> bool:
        """Whether the error is within the tolerance; NaN is not."""
        return self.error <= self.tolerance and math.isfinite(self.error)


@dataclass(frozen=True)
class Report:
    """What `verify` and `gradcheck` return: truthy where every check holds, and printed as a table.

    Attributes
    ----------
    checks : tuple of Check
        In the order of the computation, so that the first to fail is the nearest to its cause.
    title : str
        What was looked at.
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
        """Raise AssertionError with the table where a check does not hold."""
        if not self:
            raise AssertionError(str(self))

    def __str__(self) -> str:
        """Return a table, one check a line."""
        rows = [("check", "where", "compared", "skipped", "error", "tolerance", "")]
        rows += [
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
        ]
        return "\n".join([self.title, *aligned(rows, right={2, 3, 4, 5}), self.verdict])

    @property
    def verdict(self) -> str:
        """The result in a line."""
        if self:
            return f"all {len(self)} checks hold"
        first = self.failures[0]
        where = f" of {first.layer}" if first.layer else ""
        return f"FAILED: {len(self.failures)} of {len(self)} checks, first {first.name}{where}"
