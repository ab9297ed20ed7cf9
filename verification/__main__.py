"""Everything that is verified by simulation: `python -m verification`. The exit status is 1 where anything failed."""

from __future__ import annotations

import sys

from verification.patients.__main__ import main as patients
from verification.trials.__main__ import main as trials

if __name__ == "__main__":
    sys.stdout.write("Simulated untreated people against published ones\n\n")
    failed = patients()
    sys.stdout.write("\nHow often analyses reject where there is nothing to find\n\n")
    sys.exit(trials() or failed)
