"""The boxes of a participants' flow: their words in lines measured to fit, and how a box is drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

from equipoise.documents.drawings import FlowBox
from equipoise.documents.figures.measure import wrapped
from equipoise.documents.figures.sheet import Sheet, Style
from equipoise.documents.numbers import counted
from equipoise.documents.palette import COLOURS, INK, MUTED

_PAD = 9.0
_HANG = 10.0


@dataclass(frozen=True, slots=True)
class Words:
    """A line of a box: its text, how far it is moved right, whether it is bold, muted."""

    text: str
    shift: float = 0.0
    bold: bool = False
    muted: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A box at its place; `top` and `height` may be moved before it is drawn."""

    source: FlowBox
    left: float
    width: float
    lines: tuple[Words, ...]
    height: float
    top: float = 0.0

    @property
    def centre(self) -> float:
        """The middle, in x."""
        return self.left + self.width / 2

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.top + self.height


def box(source: FlowBox, left: float, width: float, style: Style, kicker: str = "") -> Box:
    """A box as wide as told and as high as its words need; a kicker stands small above the title."""
    room = width - 2 * _PAD - 2
    lines = [Words(line, muted=True) for line in wrapped(kicker, room, style.small)]
    lines += [Words(line, bold=True) for line in wrapped(counted(source.title, source.count), room, style.small, True)]
    for label, count in source.details:
        for index, line in enumerate(wrapped(counted(label, count), room - _HANG, style.small)):
            lines.append(Words(line, shift=0 if index == 0 else _HANG))
    return Box(source, left, width, tuple(lines), len(lines) * style.small_line + 2 * _PAD - 2)


def at(item: Box, top: float, height: float | None = None) -> Box:
    """The box moved, and made as high as its neighbours."""
    return replace(item, top=top, height=item.height if height is None else height)


def draw_box(sheet: Sheet, item: Box, style: Style) -> None:
    """Draw a box; its left edge has the colour of the treatment that it is about."""
    sheet.box(item.left + 0.5, item.top, item.width - 1, item.height)
    if item.source.role != "neutral":
        sheet.box(item.left, item.top - 0.5, 5, item.height + 1, edge="none", fill=COLOURS[item.source.role])
    y = item.top + _PAD + style.small * 0.86
    for line in item.lines:
        colour = MUTED if line.muted else INK
        sheet.write(item.left + _PAD + 2 + line.shift, y, line.text, style.small, bold=line.bold, colour=colour)
        y += style.small_line
