"""Names in a plot, shown as they are: class names and column names may hold dollar signs and any script.

matplotlib reads text between two dollar signs as mathematics, and draws letters that its font lacks as boxes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


def literal(name: str) -> str:
    r"""Return a name as matplotlib shows it unchanged.

    >>> literal("$0-$50k")
    '\\$0-\\$50k'
    """
    return name.replace("$", r"\$")


def fonts(names: Iterable[str]) -> dict[str, Any]:
    """Return the property of texts that lets these names take letters from other fonts, if the usual font lacks some.

    Letters that no installed font has are left to matplotlib, which warns of them.
    """
    from matplotlib import rcParams

    usual = tuple(rcParams["font.family"])
    others = fallbacks(frozenset("".join(names)), usual)
    return {"fontfamily": [*usual, *others]} if others else {}


@lru_cache(maxsize=64)
def fallbacks(letters: frozenset[str], usual: tuple[str, ...]) -> tuple[str, ...]:
    """Return the families of installed fonts that have the letters which the usual font lacks."""
    from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

    have = get_font(findfont(FontProperties(family=list(usual)))).get_charmap()
    missing = {ord(letter) for letter in letters if letter not in "\n\t"} - have.keys()
    found: list[str] = []
    for entry in fontManager.ttflist if missing else ():
        if entry.name in found or entry.style != "normal":
            continue
        try:
            has = get_font(entry.fname).get_charmap().keys()
        except (OSError, RuntimeError):  # it was removed, or FreeType cannot read it
            continue
        if has & missing:
            found.append(entry.name)
            missing -= has
        if not missing:
            break
    return tuple(found)
