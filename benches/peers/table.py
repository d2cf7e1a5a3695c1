"""The figures as one table in Markdown: what each peer took, and how many times as fast chainrule is."""

from __future__ import annotations

from statistics import median

from .workloads import WORKLOADS

Times = dict[str, dict[str, list[float]]]  # row, then column, then microseconds round by round


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table whose columns line up in plain text too; all but the first are right-aligned."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(row: list[str]) -> str:
        cells = [c.rjust(w) if i else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
        return f"| {' | '.join(cells)} |"

    rule = "|" + "|".join("-" * (w + 1) + ("-" if not i else ":") for i, w in enumerate(widths)) + "|"
    return "\n".join([line(head), rule, *map(line, rows)])


def number(us: float) -> str:
    """Three significant digits, or whole microseconds."""
    return f"{us:,.0f}" if us >= 100 else f"{us:.3g}"


def cell(times: list[float] | None) -> str:
    """Median and, in brackets, minimum; a dash where the peer is missing or does not do this."""
    return f"{number(median(times))} ({number(min(times))})" if times else "–"


def best_peer(of_row: dict[str, list[float]], *, ours: str) -> tuple[str, float] | None:
    """Return the peer with the smallest median, and that median."""
    peers = {name: median(times) for name, times in of_row.items() if not name.startswith(ours) and times}
    return min(peers.items(), key=lambda item: item[1]) if peers else None


def steps(times: Times, columns: list[str], gflops: float, ours: str = "chainrule") -> str:
    """Return the table of training steps; the floor takes the machine's measured peak on the threads of this table."""
    rows = []
    for name, of_row in times.items():
        w = WORKLOADS[name]
        floor, best, mine = w.floor(gflops), best_peer(of_row, ours=ours), of_row.get(ours)
        ratio = f"{best[1] / median(mine):.2f}× {best[0]}" if best and mine else "–"
        rows.append(
            [
                f"{name} {'-'.join(map(str, w.sizes))}",
                f"{w.rows:,} / {w.batch} {w.optimizer}",
                *(cell(of_row.get(column)) for column in columns),
                number(floor),
                f"{floor / median(mine):.2f}" if mine else "–",
                ratio,
                f"≥ {w.ratio:g}×" if w.ratio else "–",
            ]
        )
    head = ["workload", "rows / batch", *columns, "floor", "floor / chainrule", "best peer / chainrule", "goal"]
    return markdown(head, rows)


def calls(times: Times, columns: list[str], ours: str = "chainrule") -> str:
    """Return the table of single calls from Python."""
    rows = []
    for name, of_row in times.items():
        best, mine = best_peer(of_row, ours=ours), of_row.get(ours)
        ratio = f"{best[1] / median(mine):.2f}× {best[0]}" if best and mine else "–"
        rows.append([name, *(cell(of_row.get(column)) for column in columns), ratio])
    return markdown(["call", *columns, "best peer / chainrule"], rows)
