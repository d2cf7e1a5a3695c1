"""Write the pictures of docs/pictures.md: run its examples, which save them, and compress the files.

    python docs/pictures/make.py [FOLDER]

The same versions of chainrule and matplotlib write the same bytes. The default folder is that of this file.
"""

import doctest
import re
import sys
import tempfile
from contextlib import chdir
from pathlib import Path

import matplotlib as mpl
from PIL import Image

PAGE = Path(__file__).parents[1] / "pictures.md"
WIDTH = 700  # pixels, the width of a page


def main(folder: Path) -> None:
    """Run the page in a temporary folder and move the pictures to `folder`."""
    mpl.use("Agg")
    examples = re.sub(r"^```.*$", "", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    test = doctest.DocTestParser().get_doctest(examples, {}, PAGE.name, str(PAGE), 0)
    with tempfile.TemporaryDirectory() as scratch:
        with chdir(scratch):
            if doctest.DocTestRunner().run(test).failed:
                sys.exit(f"the examples of {PAGE} do not print what they say")
        for path in sorted(Path(scratch).glob("*.png")):
            pack(path, folder / path.name)


def pack(source: Path, target: Path) -> None:
    """Shrink a picture: at most a page wide, in 128 colors, which are enough for flat areas and lines."""
    with Image.open(source) as picture:
        small = picture.convert("RGB")
    if small.width > WIDTH:
        small = small.resize((WIDTH, round(small.height * WIDTH / small.width)), Image.Resampling.LANCZOS)
    small.quantize(128, dither=Image.Dither.NONE).save(target, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent).resolve())
