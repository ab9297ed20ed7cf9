"""Which mutants are tried: so many of each room, of all kinds in turn, drawn by a fixed seed."""

from __future__ import annotations

from itertools import chain, zip_longest
from pathlib import Path

from verification.mutants.sites import PACKAGE, Mutant, mutants_of

SEED = 20261201
ROOMS = {
    "stats": 36,
    "analysis": 36,
    "records": 24,
    "randomisation": 16,
    "protocol": 20,
    "simulate": 20,
    "patients": 12,
    "report": 10,
    "documents": 6,
    "truth": 2,
    "verbs": 6,
    "source": 6,
    "formula": 4,
    "cli": 2,
}
"""Mutants of each room, 200 in all."""
TARGETS = {"stats": 90, "analysis": 90, "records": 90, "randomisation": 90, "protocol": 90, "simulate": 80}
"""Per cent of a room's mutants that must be killed."""


def sample(root: Path, seed: int = SEED) -> list[Mutant]:
    """The mutants of a tree, room by room."""
    return list(chain.from_iterable(_of_room(root, room, number, seed) for room, number in ROOMS.items()))


def _of_room(root: Path, room: str, number: int, seed: int) -> list[Mutant]:
    """The kinds take turns, so that constants, of which there are most, do not crowd out the rest."""
    paths = sorted((root / PACKAGE).glob(f"{room}/**/*.py"))
    found = [m for path in paths for m in mutants_of(path.relative_to(root).as_posix(), path.read_bytes())]
    found.sort(key=lambda mutant: mutant.rank(str(seed)))
    kinds = [[m for m in found if m.kind == kind] for kind in ("compare", "compute", "logic", "constant", "call")]
    turns = (mutant for turn in zip_longest(*kinds) for mutant in turn if mutant is not None)
    return [mutant for mutant, _ in zip(turns, range(number), strict=False)]
