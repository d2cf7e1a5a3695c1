"""HTML for notebooks: tables that keep their own alignment and weight, on light and on dark pages.

Each result is one <div> without scripts or external resources. It takes the colors of the text around it.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

# Notebooks style tables too, by several classes at once. `:is` weighs as much as the heaviest selector in its list, and
# an id, which no element needs to have, outweighs any number of classes. & stands for it below.
ROOT = ":is(.chainrule, #chainrule)"
STYLE = """
& { color: inherit; font-size: 13px; line-height: 1.45; max-width: 1100px; text-align: left; }
& p { margin: 2px 0; max-width: 85ch; opacity: 0.8; text-align: left; }
& code { font-size: 12px; background: none; color: inherit; padding: 0; white-space: normal; }
& .scroll { overflow-x: auto; }
& table { border-collapse: collapse; border: 0; margin: 0; table-layout: auto; color: inherit;
  font: 12px ui-monospace, Menlo, Consolas, monospace; }
& thead, & tr, & th, & td { background: none; border: 0; color: inherit; }
& th, & td { padding: 1px 14px 1px 0; text-align: left; vertical-align: top; font-weight: normal; line-height: 1.45;
  white-space: nowrap; max-width: none; }
& th { opacity: 0.75; }
& .right { text-align: right; }
""".replace("&", ROOT)


def shown_in(*parts: str, style: str = "") -> str:
    """Return the parts as one element with its style."""
    return f'<div class="chainrule"><style>{STYLE}{style}</style>{"".join(parts)}</div>'


def paragraph(text: str) -> str:
    """Return a sentence."""
    return f"<p>{escape(text)}</p>"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], right: Container[int] = ()) -> str:
    """Return a table whose first column names the rows; the columns in `right` are aligned to the right.

    >>> table(["", "n"], [["a", "1"]], right={1})
    '<div class="scroll"><table><thead><tr><th></th><th class="right">n</th></tr></thead><tbody>...'
    """
    head = "".join(cell("th", name, j in right) for j, name in enumerate(header))
    lines = "".join(
        f"<tr>{''.join(cell('td' if j else 'th', text, j in right) for j, text in enumerate(row))}</tr>" for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'


def cell(tag: str, text: str, right: bool) -> str:
    """Return a cell."""
    kind = ' class="right"' if right else ""
    return f"<{tag}{kind}>{escape(text)}</{tag}>"
