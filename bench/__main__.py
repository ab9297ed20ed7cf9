"""Measure everything and store it: `python -m bench`. The page docs/benchmarks.md is made from what is stored."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench import others, patients, repeated
from bench.clock import machine
from bench.page import write_page

RESULTS = Path(__file__).with_name("results.json")


def main() -> None:
    """Run, print, store, and write the page."""
    found = []
    for subject in (repeated, patients, others):
        for row in subject.rows():
            found.append(row.data())
            peer = f", {row.peer_name} {row.peer:.3g} {row.unit}" if row.peer is not None else ""
            met = {None: "", True: " (met)", False: " (NOT met)"}[row.met]
            target = f", target {row.target:g}{met}" if row.target is not None else ""
            sys.stdout.write(f"{row.id}: {row.ours:.3g} {row.unit}{target}{peer}\n")
            sys.stdout.flush()
    RESULTS.write_text(json.dumps({"machine": machine(), "rows": found}, indent=1) + "\n", "utf-8")
    write_page(RESULTS)


if __name__ == "__main__":
    main()
