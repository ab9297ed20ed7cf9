"""Clocks: a function warm in this process, a program from its start, a peer in R."""

from __future__ import annotations

import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

PEERS = Path(__file__).with_name("peers.R")
LONGEST = 150
"""Seconds that a peer may take."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the results.

    ours, peer: seconds, or megabytes where `unit` says so; peer is None where there is none, with the reason in `word`.
    target: what is promised, None where nothing is. repeats: measurements behind the median.
    """

    id: str
    what: str
    ours: float
    repeats: int
    target: float | None = None
    peer_name: str = ""
    peer: float | None = None
    word: str = ""
    unit: str = "s"

    @property
    def ratio(self) -> float | None:
        """How many times as long the peer takes."""
        return None if self.peer is None else self.peer / self.ours

    @property
    def met(self) -> bool | None:
        """Whether the target is met, None where there is none."""
        return None if self.target is None else self.ours <= self.target

    def data(self) -> dict[str, object]:
        """As it is stored."""
        names = ("id", "what", "ours", "repeats", "target", "peer_name", "peer", "word", "unit")
        return {**{name: getattr(self, name) for name in names}, "ratio": self.ratio, "met": self.met}


def warm(function: Callable[[], object], seconds: float = 2.0) -> tuple[float, int]:
    """The median time of a function that has run before, over about so many seconds, and how often it ran."""
    function()
    found: list[float] = []
    while len(found) < 3 or (sum(found) < seconds and len(found) < 200):
        begun = perf_counter()
        function()
        found.append(perf_counter() - begun)
    return statistics.median(found), len(found)


def program(*arguments: str, repeats: int = 5) -> float:
    """The median time of a Python program from its start to its end."""
    found: list[float] = []
    for _ in range(repeats):
        begun = perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)  # noqa: S603 - our own words
        found.append(perf_counter() - begun)
    return statistics.median(found)


def largest_memory() -> float:
    """The most memory that this process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def peer(case: str, *arguments: str) -> tuple[float | None, str]:
    """The median seconds of a case in peers.R, or nothing and why."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return None, "R is not installed"
    try:
        done = subprocess.run(  # noqa: S603 - our own script and files
            [rscript, str(PEERS), case, *arguments], capture_output=True, text=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        return None, f"stopped after {LONGEST} s"
    found = re.search(r"seconds ([0-9.e+-]+)", done.stdout)
    return (float(found.group(1)), "") if found else (None, (done.stdout + done.stderr).strip().splitlines()[-1])


def machine() -> dict[str, object]:
    """What the figures were taken on."""
    cpu = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.+)", cpu.read_text()) if cpu.is_file() else None
    rscript = shutil.which("Rscript")
    r = ""
    if rscript is not None:
        done = subprocess.run([rscript, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
        r = (done.stdout + done.stderr).strip()
    return {
        "processor": model.group(1) if model else platform.processor(),
        "cores": os.cpu_count(),
        "threads of linear algebra": 1,
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "scipy", "polars", "formulaic")},
        "R": r,
    }
