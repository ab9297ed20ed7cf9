"""The page on randomisation: its table is true, and its other figures too (tests/docs runs its examples)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from equipoise.randomisation import (
    BigStick,
    MaximalProcedure,
    Minimisation,
    PermutedBlocks,
    Realised,
    Simple,
    correct_guesses,
)

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "randomisation.md").read_text(encoding="utf-8")
SHOWN = (
    Simple(),
    *(BigStick(limit) for limit in (1, 2, 3, 4)),
    *(MaximalProcedure(limit) for limit in (2, 3, 4)),
    *(PermutedBlocks(sizes) for sizes in ((2,), (4,), (6,), (2, 4), (4, 6))),
    Minimisation(0.8),
)


def row(procedure):
    """The line of the table for 21 participants."""
    guesses = correct_guesses(procedure, 21)
    random_sizes = len(getattr(procedure, "sizes", ())) > 1
    size = "by the sizes" if random_sizes else f"{procedure.enumerate(Realised(21)).size:,}"
    return f"| `{procedure.description}` | {guesses.correct:.3f} | {guesses.certain:.3f} | {size} |"


def test_the_table_of_guesses_is_what_the_program_finds():
    lines = [line for line in PAGE.splitlines() if re.match(r"\| `[a-z-]+ 1:1", line)]
    assert lines == [row(procedure) for procedure in SHOWN]


def test_simple_randomisation_leaves_the_arms_as_far_apart_as_the_page_says():
    (share,) = re.findall(r"leaves the arms 5 or more apart in (\d+) % of trials", PAGE)
    arms = np.arange(22)
    chances = np.array([float(part) for part in np.poly1d([0.5, 0.5]) ** 21])
    assert f"{100 * chances[np.abs(21 - 2 * arms) >= 5].sum():.0f}" == share
