"""Print what the studies of methods count: `python -m verification.methods [--quick] [study ...]`.

Without names, every study of bands.yaml is run. Beside each band stand the nearest values below and above it that a run
of that size would find with a chance of 90 %. --quick runs at most 1,000 trials of each, and never replaces the full
run's file. The exit status is 1 where a number lies outside its band by the calibration rule.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from verification.methods.studies import Judged, as_json, check_known, judged, read_rows
from verification.methods.tally import Share

OUT = Path(__file__).parents[1] / "out"
QUICK = 1000
HEADING = (
    f"{'number':62} {'trials':>7} {'value':>8} {'99.9 % interval':>18} {'band':>16} {'found':>16} {'refused':>8}  ok"
)


def line(item: Judged) -> str:
    """One row of the printed table; shares in percent."""
    head = f"{item.row.study + ' ' + item.row.id:62} {item.trials:7}"
    if item.counted is None:
        return f"{head} {'not counted':>8}{'NO':>68}"
    unit, digits = (100, 2) if isinstance(item.counted, Share) else (1, 4)
    value = f"{unit * item.counted.value:.{digits}f}"
    interval = _range(item.counted.interval, unit, digits)
    band = _range(item.row.band, unit, digits) if item.row.band else "-"
    found = _range(item.counted.finds(item.row.band), unit, digits) if item.row.band and item.trials else "-"
    word = "yes" if item.row.band else "-"
    return (
        f"{head} {value:>8} {interval:>18} {band:>16} {found:>16} {item.counted.refused:8}  {word if item.ok else 'NO'}"
    )


def written(found: Sequence[Judged], path: Path) -> None:
    """Replace the rows of the studies that ran; those of other studies stay, with the trials that they had."""
    rows = [as_json(item) for item in found]
    ran = {item.row.study for item in found}
    before = json.loads(path.read_text("utf-8"))["methods"] if path.exists() else []
    rows = [row for row in before if row["study"] not in ran] + rows
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"methods": rows}, indent=1) + "\n", "utf-8")


def main(arguments: Sequence[str] = ()) -> int:
    """Run, print, write."""
    parser = argparse.ArgumentParser(prog="verification.methods", description="Studies of methods against bands.")
    parser.add_argument("--quick", action="store_true", help=f"at most {QUICK} trials of each study")
    parser.add_argument("study", nargs="*", help="all of bands.yaml if none is named")
    options = parser.parse_args(arguments)
    rows = read_rows()
    for study in options.study:
        check_known(study)
        if all(row.study != study for row in rows):
            raise ValueError(f"bands.yaml has no row of study {study!r}; write its bands before the run")
    chosen = [row for row in rows if not options.study or row.study in options.study]
    sys.stdout.write(HEADING + "\n")
    found: list[Judged] = []
    for items in judged(chosen, at_most=QUICK if options.quick else None):
        found += items
        sys.stdout.write("".join(line(item) + "\n" for item in items))
        sys.stdout.flush()
        written(items, OUT / ("methods-quick.json" if options.quick else "methods.json"))
    missed = sum(not item.ok for item in found)
    sys.stdout.write(f"{len(found)} numbers, {missed} outside their band or not counted\n")
    return int(missed > 0)


def _range(ends: tuple[float, float], unit: float, digits: int) -> str:
    return f"{unit * ends[0]:.{digits}f} to {unit * ends[1]:.{digits}f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
