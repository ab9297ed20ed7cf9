"""Print whether what a masked role gets tells the arm, and write the numbers that docs/blinding.md quotes.

    python -m verification.leak [trials]

The exit status is 1 where a test fails. With fewer trials than 200 nothing is stored.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from time import process_time

from equipoise.protocol.load import load_protocol
from equipoise.records.visibility import view_of
from verification.leak.study import DRAWS, SEED, TRIALS, Conditional, Statistical, conditional, role_rows, statistical

RESULTS = Path(__file__).parent / "results.json"
SCENARIOS = ("published", "strong")


def roles() -> tuple[str, ...]:
    """One role for each view of the model trial that masked roles have: the first that has it."""
    protocol = load_protocol("msc-t1d")
    found = {view_of(protocol, role).lacks: role for role in reversed(protocol.blinding.masked)}
    return tuple(sorted(found.values()))


def line(found: Statistical | Conditional) -> str:
    """One row of the printed table."""
    word = "yes" if found.ok else "NO"
    if isinstance(found, Statistical):
        aucs = f"logistic {found.logistic:.3f}, trees {found.boosted:.3f}; null {found.mean:.3f} (SD {found.sd:.4f})"
        return f"leak       {found.role:22} {aucs}, bar {found.bar:.3f}; planted {found.planted_found} of 10  {word}"
    aucs = f"everything {found.everything:.3f}, allowed {found.allowed:.3f}"
    return f"{found.scenario:10} {found.role:22} {aucs}; 99.9 % {found.lower:+.4f} to {found.upper:+.4f}  {word}"


def main(trials: int | None = None) -> int:
    """Run both tests for each view, print, and store where the trials are as many as the rule says."""
    count, started = trials or TRIALS, process_time()
    found: list[Statistical | Conditional] = []
    for role in roles():
        found.append(statistical(role_rows("leak", role, count), role))
        sys.stdout.write(line(found[-1]) + "\n")
        sys.stdout.flush()
    for scenario in SCENARIOS:
        for role in roles():
            found.append(conditional(role_rows(scenario, role, count), scenario, role))
            sys.stdout.write(line(found[-1]) + "\n")
            sys.stdout.flush()
    if count == TRIALS:
        kept = {"trials": count, "draws": DRAWS, "seed": SEED, "processor_seconds": round(process_time() - started)}
        parts = {
            "statistical": [asdict(item) | {"ok": item.ok} for item in found if isinstance(item, Statistical)],
            "conditional": [asdict(item) | {"ok": item.ok} for item in found if isinstance(item, Conditional)],
        }
        RESULTS.write_text(json.dumps(kept | parts, indent=1) + "\n", "utf-8")
    return int(not all(item.ok for item in found))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
