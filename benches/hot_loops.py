"""List the innermost loops of the kernels that multiply and add, and their uses of the stack and calls.

    RUSTFLAGS='-C symbol-mangling-version=v0' cargo build --release -p chainrule-py --target-dir DIR
    python -m benches.hot_loops DIR/release/lib_native.so

A loop is a backward jump and the instructions that it jumps over, without another loop inside. `saved` counts the
vectors written to the stack, `read` those read from it, which are constants if none is saved. Needs `objdump`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*)$")
SAVED = re.compile(r"%[xyz]mm\d+,[^,]*\(%rsp[^)]*\)")
READ = re.compile(r"\(%rsp[^)]*\).*,%[xyz]mm\d")
ENTRY = re.compile(r"enter_(avx512|avx2)::<(f32|f64), (.*)>$")


@dataclass(frozen=True)
class Loop:
    """One innermost loop of a function."""

    function: str
    instructions: list[tuple[str, str]]

    def count(self, *starts: str) -> int:
        """Return the number of instructions that begin with one of these."""
        return sum(name.startswith(starts) for name, _ in self.instructions)

    @property
    def saved(self) -> int:
        """Return the number of vectors written to the stack because registers ran out."""
        return sum(bool(SAVED.search(rest)) for _, rest in self.instructions)

    @property
    def read(self) -> int:
        """Return the number of vectors read from the stack: constants without a register, if none is saved."""
        return sum(bool(READ.search(rest)) for _, rest in self.instructions)


def functions(library: Path) -> Iterator[tuple[str, list[tuple[int, str, str]]]]:
    """Yield name and instructions (address, name, operands) of every function."""
    command = ["objdump", "-d", "-C", "--no-show-raw-insn", str(library)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    name, body = "", []
    for line in text.splitlines():
        if found := FUNCTION.match(line):
            if body:
                yield name, body
            name, body = found.group(1), []
        elif found := INSTRUCTION.match(line):
            body.append((int(found.group(1), 16), found.group(2), found.group(3)))
    if body:
        yield name, body


def innermost(name: str, body: list[tuple[int, str, str]]) -> Iterator[Loop]:
    """Yield the loops of a function that contain no other loop."""
    index = {address: i for i, (address, _, _) in enumerate(body)}
    jumps = []
    for i, (address, instruction, rest) in enumerate(body):
        if instruction.startswith("j") and (to := re.match(r"([0-9a-f]+)", rest)):
            target = int(to.group(1), 16)
            if target in index and target <= address:
                jumps.append((index[target], i))
    for first, last in jumps:
        if not any((first, last) != other and first <= other[0] and other[1] <= last for other in jumps):
            yield Loop(name, [(instruction, rest) for _, instruction, rest in body[first : last + 1]])


def main() -> int:
    """Print the table; fail if a loop of a product saves a vector or calls a function."""
    rows: Counter[tuple[str, str, str, int, int, int, int, int]] = Counter()
    for name, body in functions(Path(sys.argv[1])):
        if not (entry := ENTRY.search(name.removesuffix(" [clone .cold]"))):
            continue
        isa, dtype, kernel = entry.groups()
        kernel = re.sub(r"\b(?:chainrule_)?\w+::", "", kernel).replace(f"{dtype}, ", "")
        for loop in innermost(name, body):
            if fma := loop.count("vfmadd", "vfnmadd", "vfmsub"):
                size, calls = len(loop.instructions), loop.count("call")
                rows[isa, dtype, kernel, fma, size, loop.saved, loop.read, calls] += 1
    bad = 0
    print(f"{'isa':7s} {'type':4s} {'fma':>4s} {'all':>4s} {'saved':>5s} {'read':>4s} {'calls':>5s}  kernel")
    for (isa, dtype, kernel, fma, size, saved, read, calls), times in sorted(rows.items()):
        bad += bool(saved or calls) and kernel.startswith(("Tiles<", "Weights<"))
        numbers = f"{isa:7s} {dtype:4s} {fma:4d} {size:4d} {saved:5d} {read:4d} {calls:5d}"
        print(f"{numbers}  {kernel}" + f" x{times}" * (times > 1))
    print(f"{len(rows)} kinds of loops; {bad} of products save a vector or call")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
