"""Forest plots: the comparisons of one outcome, or of one panel of outcomes, between the same two arms."""

from __future__ import annotations

import math
from collections.abc import Iterator

from equipoise.analysis.results import Result
from equipoise.documents.drawings import Forest, ForestHeading, ForestRow
from equipoise.documents.model import FigureBlock
from equipoise.documents.numbers import digits
from equipoise.documents.runs import plain
from equipoise.report.shown import INTERACTION, Shown, better, p_text, shown, variant_words, why_missing
from equipoise.report.source import ReportSource

Axis = tuple[str, str, str, str]
LOG = "log scale"


def forests(source: ReportSource) -> Iterator[FigureBlock]:
    """A figure for each axis that two estimates or more share; interactions compare no arms and stand in none."""
    compared = [item for item in source.comparisons() if item.estimate is not None and item.variant != INTERACTION]
    axes = dict.fromkeys(_axis(source, item) for item in compared)
    several = len({axis[2:] for axis in axes}) > 1
    for axis in axes:
        items = [item for item in compared if _axis(source, item) == axis]
        if len(items) > 1:
            yield _forest(source, items, several=several)


def _axis(source: ReportSource, item: Result) -> Axis:
    """What estimates must share to stand on one axis: unit, parameter (in a panel the analysis), and the two arms."""
    own = item.analysis if item.analysis in source.panels else item.parameter
    return item.unit, own, str(item.active), str(item.reference)


def _forest(source: ReportSource, items: list[Result], *, several: bool) -> FigureBlock:
    """The figure of one axis; several: whether the report compares other arms too."""
    unit, own, active, reference = _axis(source, items[0])
    first = shown(source, items[0])
    panel = items[0].analysis in source.panels
    labels = {arm.id: arm.label for arm in source.protocol.arms}
    directions = [better(source, item) for item in items]
    favoured = (labels[reference], labels[active])
    below, above = favoured if directions[0] == "higher" else favoured[::-1]
    one_way = directions[0] is not None and len(set(directions)) == 1
    words = first.unit or first.kind
    arms = f"{labels[active]} {'minus' if first.factor is not None else 'to'} {labels[reference]}"
    outcome = items[0].label if panel else source.protocol.parameter(own).label
    what = f"{outcome}, {arms}" if several else outcome
    mixed = panel and len(set(directions)) > 1
    columns = (f"{first.kind.capitalize()} ({_level(items[0])})", "p")
    return FigureBlock(
        id=f"forest-{_slug(f'{own} {unit} {active} {reference}' if several else f'{own} {unit}')}",
        title=f"{what}: {excluding([shown(source, item) for item in items], first.null)}",
        drawing=Forest(
            rows=tuple(_rows(source, items, panel=panel, mixed=mixed)),
            columns=(*columns, "better") if mixed else columns,
            axis_label=f"{arms}, {words}" + ("" if first.factor is not None else f", {LOG}"),
            reference=first.null,
            scale="linear" if first.factor is not None else "log",
            below=f"favours {below}" if one_way else "",
            above=f"favours {above}" if one_way else "",
        ),
        alt=f"Forest plot of {len(items)} estimates with intervals, in {words}.",
    )


def excluding(numbers: list[Shown], null: float) -> str:
    """How many of the intervals exclude no effect, without a double negation."""
    limits = [(n.lower, n.upper) for n in numbers if n.lower is not None or n.upper is not None]
    out = sum((low is not None and low > null) or (high is not None and high < null) for low, high in limits)
    value, count = f"{digits(null, 0)} (no effect)", len(limits)
    if not count:
        return "estimates without intervals"
    if count == 1:
        return f"the interval {'excludes' if out else 'includes'} {value}"
    if out in (0, count):
        return f"{'both' if count == 2 else f'all {count}'} intervals {'exclude' if out else 'include'} {value}"
    return f"{out} of {count} intervals {'excludes' if out == 1 else 'exclude'} {value}"


def _rows(
    source: ReportSource, items: list[Result], *, panel: bool, mixed: bool
) -> Iterator[ForestRow | ForestHeading]:
    """Rows under the headings of their estimands; those of a panel, which has one estimand, by their parameters."""
    if panel:
        for item in items:
            label = f"{source.protocol.parameter(item.parameter).label}{variant_words(item)}"
            yield _row(source, item, label, 0, mixed=mixed)
        return
    for estimand in dict.fromkeys(str(item.estimand) for item in items):
        yield ForestHeading(source.protocol.estimand(estimand).label)
        for item in items:
            if item.estimand == estimand:
                yield _row(source, item, f"{item.label}{variant_words(item)}", 1, mixed=False)


def _row(source: ReportSource, item: Result, label: str, indent: int, *, mixed: bool) -> ForestRow:
    number = shown(source, item)
    texts = (plain(number.text(why_missing(item))), plain(p_text(item)))
    texts += (better(source, item) or "not stated",) if mixed else ()
    strong = item.role in ("primary", "key-secondary")
    ends = (_or_nan(number.estimate), _or_nan(number.lower), _or_nan(number.upper))
    return ForestRow(label, *ends, texts, strong, indent)


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _level(result: Result) -> str:
    return f"{digits(100 * result.level, 0)}% CI"


def _slug(unit: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in unit.lower()).strip("-")
