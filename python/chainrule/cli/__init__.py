"""The command ``chainrule``: parses the arguments, calls the function that does the work, prints errors in one line.

Exit codes: 0 success, 1 failure (a missing or invalid file, a missing package, wrong gradients), 2 a wrong command
line, 130 interrupted. Results go to standard output, progress to a terminal only, errors and remarks to standard error.

Each command has its own file here; `app.COMMANDS` lists them.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from chainrule.extras import install

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
        print(f"chainrule: the command line needs click: {install('cli')}", file=sys.stderr)
        return 1
    try:
        code = run(sys.argv[1:] if arguments is None else list(arguments))
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("chainrule: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of the pipe has closed it. Python's own flush at exit must not fail on it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code
