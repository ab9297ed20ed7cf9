"""What the reference programs printed, and the data that they read."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "reference"


def stored(method):
    """The stored output of a method's reference script, case to numbers."""
    return json.loads((REFERENCE / method / f"{method}.json").read_text())["cases"]


def rows(method, case):
    """The invented data of one case, column to list of words."""
    with (REFERENCE / method / f"{method}.csv").open(newline="") as stream:
        lines = [row for row in csv.DictReader(stream) if row["case"] == case]
    return {name: [line[name] for line in lines] for name in lines[0]}


def numbers(words):
    """Floats, (1, n), NaN where a word is empty."""
    return np.array([[float(word) if word else np.nan for word in words]])


def everyone(values):
    """The mask that includes everybody."""
    return np.ones(values.shape, dtype=bool)
