"""Measure rmo against the least that its work can cost, and against its gates.

    python -m tests.bench [pages|processes|kernel|ingest|mails]...

Prints one table and keeps it in bench.json, so that the next run shows what moved. The anchors are in
tests/bench/anchors; anchor and contestant take turns in one run, so that ratios hold where seconds do not.
"""

import sys
import time
from pathlib import Path

from tests.bench import ingest, kernel, mails, pages, processes
from tests.bench.table import Row, last_time, print_table, save

KEPT = Path(__file__).parents[2] / "bench.json"
PARTS = {
    "pages": pages.rows,
    "processes": processes.rows,
    "kernel": kernel.rows,
    "ingest": ingest.rows,
    "mails": mails.rows,
}


def main(chosen: list[str]) -> None:
    """Measure the chosen parts, or all."""
    if unknown := [name for name in chosen if name not in PARTS]:
        sys.exit(f"There is no part {unknown[0]!r}; choose of {', '.join(PARTS)}.")
    start, last, rows = time.monotonic(), last_time(KEPT), list[Row]()
    for name in chosen or PARTS:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        rows += PARTS[name]()
    print_table(rows, last)
    missed = sum(1 for row in rows if row.outcome == "MISSED")
    gates = sum(1 for row in rows if row.outcome)
    print(f"\n{gates - missed} of {gates} gates met, {time.monotonic() - start:.0f} s.")
    save(KEPT, rows, last)


if __name__ == "__main__":
    main(sys.argv[1:])
