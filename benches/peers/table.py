"""The figures as Markdown tables: the times of the peers, chainrule's speedup, and the goals."""

from __future__ import annotations

from statistics import median

from .variants import OURS, Variant
from .workloads import CALLS, WORKLOADS

Times = dict[str, dict[str, list[float]]]  # row, then column, then microseconds round by round


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table with columns aligned in plain text too, all but the first to the right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(row: list[str]) -> str:
        cells = [c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        return f"| {' | '.join(cells)} |"

    rule = "|" + "|".join("-" * (w + 1) + ("-" if not i else ":") for i, w in enumerate(widths)) + "|"
    return "\n".join([line(head), rule, *map(line, rows)])


def number(value: float) -> str:
    """Return a number with three significant digits, or without decimals if it is large."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def cell(times: list[float] | None) -> str:
    """Return median and, in brackets, minimum; a dash if the peer is missing or does not do this."""
    return f"{number(median(times))} ({number(min(times))})" if times else "–"


def quotient(above: float | None, times: list[float] | None) -> str:
    """Return a figure divided by the median of times, or a dash if either is missing."""
    return f"{above / median(times):.2f}" if above and times else "–"


def best_peer(of_row: dict[str, list[float]]) -> str:
    """Return chainrule's speedup over the peer with the smallest median, and that peer."""
    peers = {name: median(times) for name, times in of_row.items() if not name.startswith(OURS) and times}
    if not peers or OURS not in of_row:
        return "–"
    name = min(peers, key=peers.__getitem__)
    return f"{quotient(peers[name], of_row[OURS])}× {name}"


def title(workload: str) -> str:
    """Return a workload's name with its sizes."""
    return f"{workload} {'-'.join(map(str, WORKLOADS[workload].sizes))}"


def steps(times: Times, columns: list[str], gflops: float, threads: int) -> str:
    """Return the table of training steps; the floor uses the machine's measured peak on this number of threads."""
    rows = []
    for name, of_row in times.items():
        w, mine = WORKLOADS[name], of_row.get(OURS)
        goal, floor = w.goal_on(threads), w.floor(gflops, threads)
        rows.append(
            [
                title(name),
                f"{w.rows:,} / {w.batch:,} {w.optimizer}",
                *(cell(of_row.get(column)) for column in columns),
                f"≤ {number(goal)}" if goal else "–",
                quotient(goal, mine),
                best_peer(of_row),
                f"≥ {w.ratio:g}×" if w.ratio and threads == 1 else "–",
                number(floor),
                quotient(floor, mine),
            ]
        )
    head = ["workload", "rows / batch", *columns, "goal", f"goal / {OURS}"]
    head += [f"best peer / {OURS}", "goal of that", "floor", f"floor / {OURS}"]
    return markdown(head, rows)


def ratio(times: Times, variant: Variant, threads: int) -> str:
    """Return the table of chainrule against a variant of itself, run in the same rounds."""
    other = f"{OURS} {variant.remark}"
    above, below = (other, OURS) if variant.slower else (OURS, other)
    rows = [
        [
            title(name),
            cell(of_row[above]),
            cell(of_row[below]),
            quotient(median(of_row[above]), of_row[below]),
            f"≥ {variant.goal(WORKLOADS[name], threads):.3g}",
        ]
        for name, of_row in times.items()
    ]
    return markdown(["workload", above, below, f"{above} / {below}", "goal"], rows)


def calls(times: Times, kind: str, columns: list[str]) -> str:
    """Return the table of single calls of one kind from Python."""
    rows = [
        [
            name,
            *(cell(of_row.get(column)) for column in columns),
            f"≤ {CALLS[name].goal:g}",
            quotient(CALLS[name].goal, of_row.get(OURS)),
            best_peer(of_row),
        ]
        for name, of_row in times.items()
        if CALLS[name].kind == kind
    ]
    return markdown(["call", *columns, "goal", f"goal / {OURS}", f"best peer / {OURS}"], rows)
