"""The key of a figure: what each line, marker and bar is, in a row above the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from equipoise.documents.figures.measure import text_width, wrapped
from equipoise.documents.figures.sheet import Sheet, Style
from equipoise.documents.palette import MUTED, Look

_SAMPLE = 30.0
_GAP = 7.0
_BETWEEN = 20.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that the key explains: the line and marker of an arm, faint individuals, the bar, or a tick."""

    label: str
    sample: Literal["arm", "individuals", "interval", "dot", "tick"]
    look: Look


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry at its place: the left end and first baseline, and its label in lines."""

    entry: Entry
    x: float
    y: float
    lines: tuple[str, ...]


def place_key(entries: Sequence[Entry], style: Style) -> tuple[tuple[Placed, ...], float]:
    """Every entry in rows as wide as the figure, and the height of them all."""
    placed: list[Placed] = []
    x, y, tallest = 0.0, style.line, 1
    for entry in entries:
        lines = wrapped(entry.label, style.width - _SAMPLE - _GAP, style.small)
        width = _SAMPLE + _GAP + max((text_width(line, style.small) for line in lines), default=0)
        if x > 0 and x + width > style.width:
            x, y, tallest = 0.0, y + tallest * style.small_line + 3, 1
        placed.append(Placed(entry, x, y, lines))
        x, tallest = x + width + _BETWEEN, max(tallest, len(lines))
    return tuple(placed), (y + (tallest - 1) * style.small_line + 6 if placed else 0.0)


def draw_key(sheet: Sheet, placed: Sequence[Placed], style: Style) -> None:
    """Draw the samples and their labels."""
    for item in placed:
        middle = item.y - style.small * 0.36
        _sample(sheet, item.entry, item.x, middle)
        sheet.write_lines(item.x + _SAMPLE + _GAP, item.y, item.lines, style.small, style.small_line)


def _sample(sheet: Sheet, entry: Entry, x: float, y: float) -> None:
    look, centre = entry.look, x + _SAMPLE / 2
    match entry.sample:
        case "arm":
            sheet.line([x, x + _SAMPLE], [y, y], colour=look.colour, width=2, dashes=look.dashes)
            sheet.dots([centre], [y], look.marker, 7, colour=look.colour)
        case "individuals":
            for shift in (-3, 0, 3):
                sheet.line([x, x + _SAMPLE], [y + shift - 1, y - shift * 0.6], colour=MUTED, width=0.9, alpha=0.5)
        case "interval":
            sheet.line([centre, centre], [y - 7, y + 7], colour=MUTED, width=1.6)
            sheet.dots([centre], [y], "o", 5, colour=MUTED)
        case "dot":
            sheet.dots([centre], [y], look.marker, 6, colour=look.colour, alpha=0.75)
        case "tick":
            sheet.line([centre, centre], [y - 7, y + 7], colour=look.colour, width=2.2)
