"""``python -m chainrule`` is the command ``chainrule``."""

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
