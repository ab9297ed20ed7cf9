"""The visual language: one meaning for each colour, and a marker and a line for each arm besides its colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.documents.drawings import ArmStyle, Role

ACTIVE = "#0072B2"
PLACEBO = "#E69F00"
INK = "#1F2933"
MUTED = "#6B7785"
RULE = "#D9DEE3"
PAPER = "#FFFFFF"
ALERT = "#B42318"
GOOD = "#1B7F4B"

COLOURS: dict[Role, str] = {"active": ACTIVE, "placebo": PLACEBO, "neutral": INK}
_SHADES: dict[Role, tuple[str, ...]] = {
    "active": (ACTIVE, "#00324F"),
    "placebo": (PLACEBO, "#8F5E00"),
    "neutral": (INK,),
}
"""The colour of a role, and a darker shade of it for every second arm."""
_MARKERS: dict[Role, tuple[str, ...]] = {
    "active": ("o", "^", "v", "p"),
    "placebo": ("s", "D", "h", "<"),
    "neutral": ("X", "P", "*", ">"),
}
_DASHES: dict[Role, tuple[tuple[float, ...], ...]] = {
    "active": ((), (8, 2, 2, 2), (8, 2, 2, 2, 2, 2), (12, 3)),
    "placebo": ((4, 2), (2, 2), (6, 2, 1, 2), (1, 1.5)),
    "neutral": ((1, 2), (10, 2), (3, 1, 1, 1), (5, 4)),
}


@dataclass(frozen=True, slots=True)
class Look:
    """How an arm is drawn: colour, marker (matplotlib's letter) and dashes in points (empty: a solid line)."""

    colour: str
    marker: str
    dashes: tuple[float, ...]


def looks(styles: Sequence[ArmStyle]) -> tuple[Look, ...]:
    """A look for each arm, no two alike: those of a role share its colour in two shades; marker and line differ."""
    seen: dict[Role, int] = {}
    found: list[Look] = []
    for style in styles:
        index = seen.get(style.role, 0)
        seen[style.role] = index + 1
        marker, dashes = _MARKERS[style.role], _DASHES[style.role]
        shades = _SHADES[style.role]
        found.append(Look(shades[index % len(shades)], marker[index % len(marker)], dashes[index % len(dashes)]))
    return tuple(found)
