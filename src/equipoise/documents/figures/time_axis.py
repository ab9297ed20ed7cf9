"""The time axis of a figure: visits as ticks, and under each the number of participants in every arm.

A label without room is left out, after labels have been tried one word under the other and in two tiers. A number is
never left out: numbers that would touch are set one below the other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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
    shown:  tick -> the tier of its label, 0 or 1, for those with room; the others keep their mark and their numbers.
    steps:  for each tick, how many lines down its numbers stand among those of an arm.
    title:  the axis's title in lines.
    names:  each arm's name in lines, beside its counts or above them.
    """

    ticks: tuple[float, ...]
    labels: tuple[tuple[str, ...], ...]
    shown: Mapping[int, int]
    steps: tuple[int, ...]
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
    def tiers(self) -> tuple[int, ...]:
        """The lines of the longest label of each tier."""
        found = [[len(self.labels[i]) for i, tier in self.shown.items() if tier == number] for number in (0, 1)]
        return tuple(max(lines, default=0) for lines in found)

    @property
    def counts_top(self) -> float:
        """From the axis down to the counts."""
        return 8 + self.style.small_line * (sum(self.tiers) + len(self.title)) + 18

    @property
    def depth(self) -> int:
        """How many lines the numbers of an arm take."""
        return 1 + max(self.steps, default=0)

    @property
    def _counts_height(self) -> float:
        if not self.rows:
            return 0.0
        lines = sum(max(self.depth, len(name)) if self.aside else self.depth + max(1, len(name)) for name in self.names)
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
    """Lay out the axis: labels in one line where all fit so, else one word under the other, else in two tiers."""
    one_line = tuple((label,) for _, label in ticks)
    word = widest([word for _, label in ticks for word in label.split()], style.small)
    stacked = tuple(wrapped(label, word, style.small) or ("",) for _, label in ticks)
    centres = [scale.at(value) for value, _ in ticks]
    candidates = [(_tiers(centres, labels, tiers, style), labels) for tiers in (1, 2) for labels in (one_line, stacked)]
    shown, labels = max(candidates, key=lambda candidate: len(candidate[0]))
    room = gutter - 28 if aside else style.width - 20
    return TimeAxis(
        tuple(value for value, _ in ticks),
        labels,
        shown,
        _steps(centres, rows, style),
        wrapped(title, abs(scale.end - scale.start), style.small, bold=True),
        tuple(rows),
        tuple(wrapped(row.label, room, style.small) for row in rows),
        count_label,
        scale,
        style,
        aside,
    )


def _tiers(centres: Sequence[float], labels: Sequence[tuple[str, ...]], tiers: int, style: Style) -> Mapping[int, int]:
    """Tick -> tier for the labels that have room beside the others of their tier; the last is always among them."""
    halves = [widest(lines, style.small) / 2 + 4 for lines in labels]
    return max((_placed(centres, halves, tiers, last) for last in range(tiers)), key=len)


def _placed(centres: Sequence[float], halves: Sequence[float], tiers: int, last_tier: int) -> Mapping[int, int]:
    """From left to right, each label in the first tier with room; the last keeps its place in its tier."""
    last = len(centres) - 1
    chosen: dict[int, int] = {}
    ends = [-math.inf] * tiers
    for index in range(last):
        left, right = centres[index] - halves[index], centres[index] + halves[index]
        for tier in range(tiers):
            if ends[tier] <= left and (tier != last_tier or right <= centres[last] - halves[last]):
                chosen[index], ends[tier] = tier, right
                break
    return {**chosen, last: last_tier}


def _steps(centres: Sequence[float], rows: Sequence[CountRow], style: Style) -> tuple[int, ...]:
    """For each tick, the first line in which its numbers touch none before them."""
    ends: list[float] = []
    steps: list[int] = []
    for index, centre in enumerate(centres):
        half = widest([row.counts[index] for row in rows], style.small) / 2 + 3
        step = next((place for place, end in enumerate(ends) if end <= centre - half), len(ends))
        ends[step : step + 1] = [centre + half]
        steps.append(step)
    return tuple(steps)


def draw_time_axis(sheet: Sheet, axis: TimeAxis, top: float, left: float, right: float) -> None:
    """Draw the axis from `left` to `right` at the height `top`, and everything under it."""
    style = axis.style
    sheet.line([left, right], [top, top], colour=MUTED)
    for value in axis.ticks:
        x = axis.scale.at(value)
        sheet.line([x, x], [top, top + 4], colour=MUTED)
    baseline = top + 8 + style.small
    for index, tier in axis.shown.items():
        x, first = axis.scale.at(axis.ticks[index]), baseline + tier * axis.tiers[0] * style.small_line
        sheet.write_lines(x, first, axis.labels[index], style.small, style.small_line, anchor="center")
    title_y = baseline + sum(axis.tiers) * style.small_line + 3
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
        for value, step, count in zip(axis.ticks, axis.steps, row.counts, strict=True):
            sheet.write(axis.scale.at(value), y + step * style.small_line, count, style.small, anchor="center")
        beside = len(name) - 1 if axis.aside else 0
        y += max(axis.depth - 1, beside) * style.small_line
