"""The command ``chainrule``: parse, call the function that does the work, turn mistakes into one line.

Exit codes: 0 done, 1 it could not be done (a file that is missing or wrong, a missing package, gradients that are not
right), 2 the command line is wrong, 130 interrupted. Results go to standard output, progress to a terminal only, errors
and remarks to standard error.

Each command has a file of its own here; `app.COMMANDS` lists them.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line `arguments` (by default this process's) and return the exit code.

    Examples
    --------
    >>> main(["info"])  # doctest: +ELLIPSIS
    chainrule ...
    0
    """
    try:
        from .app import run
    except ImportError as missing:
        if missing.name != "click":
            raise
        print("chainrule: the command line needs click: pip install 'chainrule[cli]'", file=sys.stderr)
        return 1
    try:
        code = run(sys.argv[1:] if arguments is None else list(arguments))
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("chainrule: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read the output has enough; Python's own flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code
