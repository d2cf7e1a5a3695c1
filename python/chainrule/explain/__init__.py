"""One training step of a network, written out as a textbook would: `Network.explain`.

    facts ─▶ sections (steps | summary) ─┬─▶ text
                                         └─▶ html, with a drawing

`facts` collects the numbers, all from the core's trace. `steps` writes small layers out and `summary` summarizes large
ones. `text` and `html` only format the result.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from chainrule import files
from chainrule.reference.options import LARGEST, integer

from . import text
from .facts import Names as Names
from .facts import gather
from .sections import is_small, sections
from .writing import Numbers, count

if TYPE_CHECKING:
    import os
    from collections.abc import Collection

    from numpy.typing import ArrayLike

    from chainrule.engine import Engine
    from chainrule.records import LayerTrace

    from .facts import Facts
    from .writing import Section


def explain(
    engine: Engine,
    X: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    call: str,
    row: int | None = None,
    limit: int = 40,
    digits: int = 6,
    title: str = "",
    names: Names | None = None,
    fixed: Collection[str] = (),
) -> Explanation:
    """Return the coming step of a network as an `Explanation`.

    `call` is the network's constructor call; `names` are those of inputs and outputs, by default of the columns of X;
    `fixed` are tensors, such as "bias", that the step leaves as they are.
    """
    limit = integer("limit", limit, 0, LARGEST)
    digits = integer("digits", digits, 1, 17)
    facts = gather(engine, X, y, sample_weight, call=call, row=row, names=names, fixed=fixed)
    return Explanation(facts, limit=limit, digits=digits, title=title)


class Explanation:
    """One training step with all its numbers, as text when printed and as a drawing in a notebook.

    Attributes
    ----------
    loss : float
        L of the batch before the step.
    loss_after : float or None
        L of the same rows with the same dropout masks after the step; None if L is not finite, so no step is possible.
    trace : list of LayerTrace
        The quantities shown, as `Network.trace` returns them.

    Examples
    --------
    >>> from chainrule import SGD, Network
    >>> net = Network([1, 1], optimizer=SGD(learning_rate=0.1), init="zeros", seed=0)
    >>> explanation = net.explain([2.0], 1.0)
    >>> explanation.loss, explanation.loss_after
    (1.0, 0.0)
    >>> [line for line in str(explanation).splitlines() if "←" in line][1:]
    ['          w ← 0 − 0.1·(-4) = 0.4', '          b ← 0 − 0.1·(-2) = 0.2']
    """

    def __init__(self, facts: Facts, *, limit: int, digits: int, title: str = "") -> None:
        self._facts = facts
        self._title = title or f"One training step on {count(facts.n, 'row')}"  # the heading
        self._limit = limit
        self._number = Numbers(digits)

    @property
    def loss(self) -> float:
        """L before the step."""
        return self._facts.loss

    @property
    def loss_after(self) -> float | None:
        """L of the same rows after the step."""
        return self._facts.loss_after

    @property
    def trace(self) -> list[LayerTrace]:
        """The quantities of each layer."""
        return [layer.trace for layer in self._facts.layers]

    @cached_property
    def _sections(self) -> list[Section]:
        """The content, shared by text and HTML."""
        with np.errstate(all="ignore"):  # as in `gather`
            return sections(self._facts, self._number, self._limit)

    @property
    def _notes(self) -> list[str]:
        """The notes below the heading, on how to read the rest."""
        facts = self._facts
        digits = count(self._number.digits, "significant digit")
        small = {is_small(layer, self._limit) for layer in facts.layers}
        rows = ""
        if facts.n > 1:
            rows = f" Row {facts.row} of {facts.n:,}, counted from 0, is written out; gradients are those of all rows."
        summed = f" A layer of more than {count(self._limit, 'weight')} is summed up, over all rows." * (False in small)
        indices = "indices count from 0, w[i, j] leads from input i to unit j."
        return [facts.call, f"Numbers have {digits}; {indices}{rows * (True in small)}{summed}"]

    def __str__(self) -> str:
        """Return the step as text."""
        return text.render(self._title, self._notes, self._sections)

    def __repr__(self) -> str:
        """Return the text too, since it is what a user wants to see at the prompt."""
        return str(self)

    def _repr_html_(self) -> str:
        """Return the step as HTML with a drawing, for a notebook."""
        from . import html

        return html.fragment(self._facts, self._number, (self._title, self._notes), self._sections)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the notebook's view as a self-contained HTML page.

        Parameters
        ----------
        path : str or os.PathLike
            The file; an existing one is replaced, and stays if the new one cannot be written whole.

        Raises
        ------
        OSError
            The file cannot be written.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> from chainrule import Network
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "step.html"
        ...     Network([1, 1], seed=0).explain([2.0], 1.0).save(path)
        ...     path.read_text(encoding="utf-8")[:15]
        '<!doctype html>'
        """
        from . import html

        files.write(path, html.page(self._title, self._repr_html_()))
