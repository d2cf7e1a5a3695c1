"""The record of a run: machine, versions and command, then every single figure (json) and the tables (md)."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path

from .machine import ROOT, describe

FOLDER = ROOT / "benches" / "record"


def new(module: str, peaks: dict[int, float]) -> dict:
    """Return a record of ``python -m module``, to be filled; `peaks` are the units' GFLOP/s by number of threads."""
    return {
        "date": f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%MZ}",
        "command": " ".join(["python -m", module, *sys.argv[1:]]),
        "machine": describe(),
        "versions": {},
        "left_out": {},
        "peak_gflops": peaks,
    }


def head(title: str, record: dict) -> list[str]:
    """Return the first lines of a report: title, machine, versions, missing peers, command."""
    machine = record["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    where = (
        f"{machine['processor']} (family/model {machine['family_model']}), {machine['cores']} cores, "
        f"{machine['vectors']}, {machine['clock_mhz'] or '?'} MHz, load {machine['load']} before, {machine['system']}"
    )
    peaks = ", ".join(f"{rate:.1f} on {threads}" for threads, rate in record["peak_gflops"].items())
    missing = "".join(f" Left out: {name} ({why})." for name, why in record["left_out"].items())
    return [
        f"# {title}, {record['date'][:10]}",
        "",
        f"{where}, Python {machine['python']}, commit {machine['commit']}. {versions}.{missing}",
        f"GFLOP/s of the multiply-add units by threads: {peaks or 'not measured'}. Command: `{record['command']}`.",
        "",
    ]


def write(folder: Path | None, name: str, record: dict, report: str) -> None:
    """Print the report; if a folder is given, write both files, DATE-name.json and .md."""
    print(report)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{record['date'][:10]}-{name}"
        path.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        path.with_suffix(".md").write_text(report, encoding="utf-8")
