"""The participants' flow (CONSORT 2010, Schulz et al., BMJ 340:c332): boxes level by level, arms side by side.

Where the arms have no room beside each other they stand below each other, joined by a line at the left.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from equipoise.documents.drawings import Flow, FlowStage
from equipoise.documents.figures.flow_boxes import Box, at, box, draw_box
from equipoise.documents.figures.measure import widest, wrapped
from equipoise.documents.figures.sheet import Sheet, Style
from equipoise.documents.palette import MUTED, RULE

_GAP = 26.0
_BETWEEN = 16.0
_NARROWEST = 140.0
_SPINE = 8.0
_STEP = 24.0
_INDENT = 28.0


@dataclass(slots=True)
class _Plan:
    """What will be drawn, gathered from the top down; `y` is how far we are."""

    boxes: list[Box] = field(default_factory=list)
    arrows: list[tuple[tuple[float, ...], tuple[float, ...]]] = field(default_factory=list)
    lines: list[tuple[tuple[float, ...], tuple[float, ...]]] = field(default_factory=list)
    words: list[tuple[float, float, tuple[str, ...], bool]] = field(default_factory=list)
    dividers: list[tuple[float, float]] = field(default_factory=list)
    y: float = 2.0


def flow(drawing: Flow, style: Style) -> Sheet:
    """Draw a participants' flow."""
    gutter = _gutter(drawing, style)
    each = (style.width - 1 - gutter - _BETWEEN * (len(drawing.arms) - 1)) / max(1, len(drawing.arms))
    plan = _Plan()
    if each >= _NARROWEST:
        _plan_columns(plan, drawing, style, gutter, each)
    else:
        _plan_stacked(plan, drawing, style)
    sheet = Sheet(style, plan.y + 4)
    for left, y in plan.dividers:
        sheet.line([left, style.width], [y, y], colour=RULE, width=1.4)
    for xs, ys in plan.lines:
        sheet.line(xs, ys, colour=MUTED, width=1.1)
    for xs, ys in plan.arrows:
        sheet.arrow(xs, ys)
    for item in plan.boxes:
        draw_box(sheet, item, style)
    for x, y, lines, bold in plan.words:
        width = widest(list(lines), style.small, bold)
        sheet.box(x - 4, y - style.small, width + 8, len(lines) * style.small_line, edge="none")
        sheet.write_lines(x, y, lines, style.small, style.small_line, bold=bold, colour=MUTED)
    return sheet


def _gutter(drawing: Flow, style: Style) -> float:
    """Room at the left for the names of the stages, where the figure is wide."""
    if not style.wide:
        return 0.0
    words = [line for stage in drawing.stages for line in wrapped(stage.label, 100, style.small)]
    words += [line for stage in drawing.stages for line in wrapped(stage.period, 118, style.small, bold=True)]
    return widest(words, style.small, True) + 22 if words else 0.0


def _kicker(drawing: Flow, arm: int, title: str, named: set[int]) -> str:
    """The arm's name over its first box, unless the box says it."""
    label = drawing.arms[arm].label
    first = arm not in named
    named.add(arm)
    return label if first and label.lower() not in title.lower() else ""


def _plan_columns(plan: _Plan, drawing: Flow, style: Style, gutter: float, each: float) -> None:
    lefts = [gutter + i * (each + _BETWEEN) for i in range(len(drawing.arms))]
    spine = (gutter + style.width) / 2 if style.wide or len(lefts) != 2 else each / 2
    trunk_width = min(300.0, style.width - gutter) if style.wide else style.width
    trunk_left = spine - trunk_width / 2 if style.wide else 0.0
    ends: list[tuple[float, float]] = []
    period, named = "", set[int]()
    for stage in drawing.stages:
        if stage.period and stage.period != period:
            _plan_divider(plan, stage.period, style, gutter, ends, spine)
            period = stage.period
        side = _plan_side(plan, stage, style, spine) if ends else None
        if len(stage.boxes) == 1:
            placed = [box(b, trunk_left, trunk_width, style) if b else None for b in stage.boxes]
            tops = [spine]
        else:
            placed = [
                box(b, left, each, style, _kicker(drawing, i, b.title, named)) if b else None
                for i, (b, left) in enumerate(zip(stage.boxes, lefts, strict=True))
            ]
            tops = [left + each / 2 for left in lefts]
        top = plan.y + (_GAP if ends and side is None else 0)
        height = max((b.height for b in placed if b), default=0.0)
        _join(plan, ends, tops, top, [b is not None for b in placed])
        plan.boxes += [at(b, top, height) for b in placed if b]
        if style.wide and stage.label:
            lines = wrapped(stage.label, gutter - 12, style.small)
            plan.words.append((0, top + style.small + 8, lines, False))
            height = max(height, len(lines) * style.small_line + 10)
        ends = _ends(ends, tops, top + height, placed, top)
        plan.y = top + height


def _ends(
    ends: list[tuple[float, float]],
    tops: list[float],
    bottom: float,
    placed: list[Box | None],
    top: float,
) -> list[tuple[float, float]]:
    """Where lines leave a level: under its boxes, and where an arm has none, where its line last was (NaN: nowhere)."""
    before = ends if len(ends) == len(tops) else [(x, top - _GAP / 2 if ends else math.nan) for x in tops]
    return [
        (x, top + b.height if len(placed) == 1 else bottom) if b else before[i]
        for i, (x, b) in enumerate(zip(tops, placed, strict=True))
    ]


def _join(plan: _Plan, ends: list[tuple[float, float]], tops: list[float], top: float, present: list[bool]) -> None:
    """Lines from the level above to this one: straight down, forking or joining at a bar half way."""
    if not ends:
        return
    bar = top - _GAP / 2
    if len(ends) == len(tops):
        for (x, y), here in zip(ends, present, strict=True):
            if here and not math.isnan(y):
                plan.arrows.append(((x, x), (y, top)))
        return
    begun = [(x, y) for x, y in ends if not math.isnan(y)]
    for x, y in begun:
        plan.lines.append(((x, x), (y, bar)))
    everywhere = [x for x, _ in begun] + tops
    plan.lines.append(((min(everywhere), max(everywhere)), (bar, bar)))
    for x, here in zip(tops, present, strict=True):
        if here:
            plan.arrows.append(((x, x), (bar, top)))


def _plan_side(plan: _Plan, stage: FlowStage, style: Style, spine: float) -> Box | None:
    """Who leaves: a box right of the line that leads down, and room for it."""
    if stage.side is None:
        return None
    left = spine + _STEP
    item = at(box(stage.side, left, style.width - 1 - left, style), plan.y + 14)
    middle = item.top + item.height / 2
    plan.boxes.append(item)
    plan.arrows.append(((spine, left), (middle, middle)))
    plan.y = item.bottom + 18
    return item


def _plan_divider(
    plan: _Plan, period: str, style: Style, gutter: float, ends: list[tuple[float, float]], spine: float
) -> None:
    """A rule across the figure with the name of the period that begins, in the gutter or between the lines."""
    if style.wide:
        lines = wrapped(period, max(gutter - 12, 60), style.small, bold=True)
        plan.y += 18 if ends else 0
        plan.dividers.append((0, plan.y))
        plan.words.append((0, plan.y + style.small + 6, lines, True))
        plan.y += len(lines) * style.small_line + 2 if not ends else max(0.0, len(lines) * style.small_line - _GAP + 8)
        return
    left = spine + 14 if ends else 0.0
    room = (ends[1][0] - 14 if len(ends) > 1 else style.width) - left
    lines = wrapped(period, room, style.small, bold=True)
    plan.y += 10 if ends else 0
    plan.words.append((left, plan.y + style.small + 2, lines, True))
    plan.y += len(lines) * style.small_line + (0 if ends else 8)


def _segments(drawing: Flow) -> Iterator[tuple[bool, list[FlowStage]]]:
    for shared, stages in groupby(drawing.stages, key=lambda stage: len(stage.boxes) == 1):
        yield shared, list(stages)


def _plan_stacked(plan: _Plan, drawing: Flow, style: Style) -> None:
    """Everybody's boxes as wide as the figure; then arm after arm, indented, joined by a line at the left."""
    last: float | None = None
    named: set[int] = set()
    for shared, stages in _segments(drawing):
        if shared:
            last = _stack_shared(plan, stages, style, last)
        else:
            last = _stack_arms(plan, drawing, stages, style, last, named)


def _stack_shared(plan: _Plan, stages: list[FlowStage], style: Style, last: float | None) -> float | None:
    for stage in stages:
        if last is not None:
            if stage.side is not None:
                _plan_side(plan, stage, style, _SPINE)
            else:
                plan.y += _GAP
        for source in stage.boxes:
            if source is not None:
                item = at(box(source, 0, style.width, style), plan.y)
                if last is not None:
                    plan.arrows.append(((_SPINE, _SPINE), (last, item.top)))
                plan.boxes.append(item)
                last = plan.y = item.bottom
    return last


def _stack_arms(
    plan: _Plan, drawing: Flow, stages: list[FlowStage], style: Style, last: float | None, named: set[int]
) -> float | None:
    left = _INDENT if last is not None else 0.0
    start, reached = last, last
    for arm in range(len(drawing.arms)):
        plan.y += _BETWEEN
        above: Box | None = None
        period = ""
        for stage in stages:
            source = stage.boxes[arm]
            if source is None:
                continue
            if stage.period != period:
                lines = wrapped(stage.period, style.width - left - 30, style.small, bold=True)
                plan.y += 4 if above else 0
                plan.words.append((left + (30 if above else 0), plan.y + style.small + 4, lines, True))
                plan.y += len(lines) * style.small_line + 6
                period = stage.period
            plan.y += 0 if above is None or (above and plan.y > above.bottom + 20) else 18
            kicker = _kicker(drawing, arm, source.title, named)
            item = at(box(source, left, style.width - left, style, kicker), plan.y)
            if above is not None:
                plan.arrows.append(((left + 14, left + 14), (above.bottom, item.top)))
            elif start is not None:
                middle = item.top + item.height / 2
                plan.arrows.append(((_SPINE, left), (middle, middle)))
                reached = middle
            plan.boxes.append(item)
            above, plan.y = item, item.bottom
    if start is not None and reached is not None:
        plan.lines.append(((_SPINE, _SPINE), (start, reached)))
    return reached
