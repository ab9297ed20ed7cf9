"""How much slower this machine is just now than the one on which limits of time were set."""

from __future__ import annotations

import resource
import subprocess
import sys

QUIET = 1.4
"""CPU seconds of the child process below on that machine when nothing else ran on it (median of 7)."""
WORK = "import matplotlib.figure, polars, scipy.stats; sum(n * n % 7 for n in range(1_000_000))"


def slower() -> float:
    """The factor by which limits are widened: 1 on a machine as fast, at most 3; work beside counts as slowness."""
    start = _children()
    subprocess.run([sys.executable, "-c", WORK], check=True)
    return min(3.0, max(1.0, (_children() - start) / QUIET))


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
