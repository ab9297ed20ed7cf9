"""The time axis of a figure: visits as ticks, and under each the number of participants in every arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.documents.figures.measure import widest, wrapped
from equipoise.documents.figures.scale import Scale
from equipoise.documents.figures.sheet import Sheet, Style
from equipoise.documents.palette import MUTED, Look


@dataclass(frozen=True, slots=True)
class CountRow:
    """An arm's numbers of participants, one for each tick."""

    label: str
    look: Look
    counts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """The axis at its place.

    labels: each tick's label in lines.
    shown:  the ticks that have room for their label and counts; the others keep their mark on the axis.
    title:  the axis's title in lines.
    names:  each arm's name in lines, beside its counts or above them.
    """

    ticks: tuple[float, ...]
    labels: tuple[tuple[str, ...], ...]
    shown: tuple[int, ...]
    title: tuple[str, ...]
    rows: tuple[CountRow, ...]
    names: tuple[tuple[str, ...], ...]
    count_label: str
    scale: Scale
    style: Style
    aside: bool

    @property
    def height(self) -> float:
        """From the axis down to the last count."""
        return self.counts_top + self._counts_height

    @property
    def counts_top(self) -> float:
        """From the axis down to the counts."""
        tick_lines = max(len(self.labels[index]) for index in self.shown)
        return 8 + self.style.small_line * (tick_lines + len(self.title)) + 18

    @property
    def _counts_height(self) -> float:
        if not self.rows:
            return 0.0
        lines = sum(1 if self.aside else 1 + max(1, len(name)) for name in self.names)
        return self.style.small_line * (lines + 1) + 6 * len(self.rows)


def time_axis(
    ticks: Sequence[tuple[float, str]],
    title: str,
    rows: Sequence[CountRow],
    count_label: str,
    scale: Scale,
    style: Style,
    *,
    gutter: float,
    aside: bool,
) -> TimeAxis:
    """Lay out the axis: labels in one line each where all fit so, else one word under the other."""
    one_line = tuple((label,) for _, label in ticks)
    word = widest([word for _, label in ticks for word in label.split()], style.small)
    stacked = tuple(wrapped(label, word, style.small) or ("",) for _, label in ticks)
    candidates = [(_spaced(ticks, labels, rows, scale, style), labels) for labels in (one_line, stacked)]
    shown, labels = max(candidates, key=lambda candidate: len(candidate[0]))
    room = gutter - 28 if aside else style.width - 20
    return TimeAxis(
        tuple(value for value, _ in ticks),
        labels,
        shown,
        wrapped(title, abs(scale.end - scale.start), style.small, bold=True),
        tuple(rows),
        tuple(wrapped(row.label, room, style.small) for row in rows),
        count_label,
        scale,
        style,
        aside,
    )


def _spaced(
    ticks: Sequence[tuple[float, str]],
    labels: Sequence[tuple[str, ...]],
    rows: Sequence[CountRow],
    scale: Scale,
    style: Style,
) -> tuple[int, ...]:
    """The ticks whose labels and counts have room beside each other; the last is always among them."""
    halves = [
        widest([*lines, *(row.counts[index] for row in rows)], style.small) / 2 + 4
        for index, lines in enumerate(labels)
    ]
    centres = [scale.at(value) for value, _ in ticks]
    last = len(centres) - 1
    chosen: list[int] = []
    for index in range(last + 1):
        clear = not chosen or centres[chosen[-1]] + halves[chosen[-1]] <= centres[index] - halves[index]
        ends = index == last or centres[index] + halves[index] <= centres[last] - halves[last]
        if clear and ends:
            chosen.append(index)
    return tuple(chosen) or (last,)


def draw_time_axis(sheet: Sheet, axis: TimeAxis, top: float, left: float, right: float) -> None:
    """Draw the axis from `left` to `right` at the height `top`, and everything under it."""
    style = axis.style
    sheet.line([left, right], [top, top], colour=MUTED)
    for value in axis.ticks:
        x = axis.scale.at(value)
        sheet.line([x, x], [top, top + 4], colour=MUTED)
    baseline = top + 8 + style.small
    for index in axis.shown:
        x = axis.scale.at(axis.ticks[index])
        sheet.write_lines(x, baseline, axis.labels[index], style.small, style.small_line, anchor="center")
    lines = max(len(axis.labels[index]) for index in axis.shown)
    title_y = baseline + lines * style.small_line + 3
    sheet.write_lines(
        (left + right) / 2, title_y, axis.title, style.small, style.small_line, anchor="center", bold=True
    )
    if axis.rows:
        _draw_counts(sheet, axis, top + axis.counts_top)


def _draw_counts(sheet: Sheet, axis: TimeAxis, top: float) -> None:
    style = axis.style
    y = top + style.small
    sheet.write(0, y, axis.count_label, style.small, colour=MUTED)
    for row, name in zip(axis.rows, axis.names, strict=True):
        y += style.small_line + 6
        sheet.dots([6], [y - style.small * 0.36], row.look.marker, 6, colour=row.look.colour)
        after = sheet.write_lines(18, y, name, style.small, style.small_line)
        y = y if axis.aside else after
        for index in axis.shown:
            sheet.write(axis.scale.at(axis.ticks[index]), y, row.counts[index], style.small, anchor="center")
