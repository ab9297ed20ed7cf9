"""Everything that is verified by simulation: `python -m verification [--quick]`.

--quick has at most 1,000 trials of each kind, and writes files of its own; the simulated people are as many as ever,
since they take seconds. The exit status is 1 where anything failed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from verification.leak.__main__ import main as leak
from verification.methods.__main__ import QUICK
from verification.methods.__main__ import main as methods
from verification.patients.__main__ import main as patients
from verification.trials.__main__ import main as trials
from verification.trials.harm import main as harm


def main(arguments: Sequence[str]) -> int:
    """Run the five parts one after another, whatever becomes of each."""
    parser = argparse.ArgumentParser(prog="verification", description="Everything that is verified by simulation.")
    parser.add_argument("--quick", action="store_true", help=f"at most {QUICK} trials of each kind")
    quick = parser.parse_args(arguments).quick
    sys.stdout.write("Simulated untreated people against published ones\n\n")
    failed = patients()
    sys.stdout.write("\nHow often analyses reject where there is nothing to find\n\n")
    failed |= trials(QUICK if quick else None)
    sys.stdout.write("\nHow often the claim on safety calls a signal\n\n")
    failed |= harm(QUICK if quick else None)
    if not quick:  # few trials cannot find the planted column; each commit has the exact test
        sys.stdout.write("\nWhether what a masked role gets tells the arm\n\n")
        failed |= leak()
    sys.stdout.write("\nMethods on invented trials whose truth is known\n\n")
    return failed | methods(["--quick"] if quick else [])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
