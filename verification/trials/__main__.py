"""Print how often each analysis rejects where there is nothing to find, and how often its interval holds the truth.

    python -m verification.trials [trials]

The exit status is 1 where a rate lies outside its band by the calibration rule.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from verification.trials.bands import Rate, read_bands
from verification.trials.campaign import rates

OUT = Path(__file__).parents[1] / "out" / "trials.json"


def line(rate: Rate) -> str:
    """One row of the printed table."""
    low, high = rate.interval
    band = f"{100 * rate.band.band[0]:.1f} to {100 * rate.band.band[1]:.1f}"
    interval = f"{100 * low:.2f} to {100 * high:.2f}"
    word = "yes" if rate.ok else "NO"
    head = f"{rate.band.id:28} {rate.trials:7} {100 * rate.rate:8.2f}"
    return f"{head} {interval:>16} {band:>12} {rate.refused:8}  {word}"


def main(trials: int | None = None) -> int:
    """Run, print, write; ``trials`` of each, with a file of its own, or as many as the bands say."""
    heading = f"{'analysis':28} {'trials':>7} {'% hits':>8} {'99.9 % interval':>16} {'band':>12} {'no p':>8}  ok"
    sys.stdout.write(heading + "\n")
    found: list[Rate] = []
    for rate in rates(read_bands(), trials):
        found.append(rate)
        sys.stdout.write(line(rate) + "\n")
        sys.stdout.flush()
    OUT.parent.mkdir(exist_ok=True)
    rows = [{"id": r.band.id, "trials": r.trials, "rejected": r.rejected, "no_p": r.refused, "ok": r.ok} for r in found]
    path = OUT if trials is None else OUT.with_name("trials-quick.json")
    path.write_text(json.dumps({"rates": rows}, indent=1) + "\n", "utf-8")
    return int(not all(rate.ok for rate in found))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
