"""How to install the packages that only some features need.

pip reads which they are from the installed chainrule, whether that came from a wheel or from a clone, and looks for no
other copy of it.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

Extra: TypeAlias = Literal["cli", "demo", "onnx", "plot", "progress", "sklearn"]


def install(extra: Extra) -> str:
    """Return the command that installs the packages of an extra.

    >>> install("plot")
    "pip install 'chainrule[plot]'"
    """
    return f"pip install 'chainrule[{extra}]'"
