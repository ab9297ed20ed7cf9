"""The flow of participants as a figure: enrolment, allocation, each period, analysis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from equipoise.analysis.results import FlowStep
from equipoise.documents.drawings import ArmStyle, Flow, FlowBox, FlowStage, Role
from equipoise.documents.model import Column, FigureBlock, Row, Table, row
from equipoise.documents.numbers import digits
from equipoise.documents.runs import Code, Link, Text
from equipoise.protocol.schema.treatment import Period
from equipoise.report.source import ReportSource

Details = tuple[tuple[str, int | None], ...]
Steps = dict[tuple[str, str | None], FlowStep]
OUT = ("declined", "screen-failed", "not-randomised")
"""Steps of those who were left out after they were selected."""


_SOURCE: Text = (
    "Source: ",
    Code("flow"),
    " in results.json; rows: ",
    Link("every participant", "#listing-participants"),
    ".",
)


def flow_figure(source: ReportSource) -> FigureBlock:
    """The flow figure; one box for each arm at every level, or one for everybody in a blinded run."""
    steps = {(step.id, step.arm): step for step in source.results.flow}
    arms: tuple[str | None, ...] = (None,) if source.blinded else tuple(arm for arm, _ in source.groups)
    styles = tuple(style for _, style in source.groups)
    levels = _Levels(source, steps, arms, styles)
    several = len(source.protocol.periods) > 1
    unmet = frozenset(item.text for item in source.protocol.eligibility.inclusion)
    stages = (*_enrolment(steps, unmet), *(levels.by_period() if several else levels.one_period()))
    randomised = steps["randomised", None].count
    counts = ", ".join(
        f"{style.label} {steps['allocated', arm].count}" for arm, style in zip(arms, styles, strict=True)
    )
    return FigureBlock(
        id="flow",
        title=f"{randomised} participants were randomised" + ("" if source.blinded else f": {counts}"),
        drawing=Flow(styles, stages),
        alt=f"Flow of participants from record to analysis. Randomised: {randomised} ({counts}).",
        table=_numbers(source),
        notes=(_SOURCE,),
    )


def _numbers(source: ReportSource) -> Table:
    """The numbers behind the figure: every step of every arm with its reasons, and who was seen at each visit."""
    flow = source.results.flow
    labels = {period.id: period.label for period in source.protocol.periods}
    arms = {None: "all", **{arm.id: arm.label for arm in source.protocol.arms}}
    rows: list[Row] = []
    for name in dict.fromkeys(step.id for step in flow):
        for step in (step for step in flow if step.id == name):
            who, when = arms[step.arm], labels.get(step.period or "", "Before the first period")
            rows.append(row(step.label, who, digits(step.count, 0), group=when))
            rows += [row(why, who, digits(count, 0), indent=1, group=when) for why, count in step.reasons]
    columns = (Column("Step"), Column("Group"), Column("Participants", align="right"))
    return Table("flow-numbers", "The flow of participants, step by step", columns, tuple(rows))


def _enrolment(steps: Steps, inclusion: frozenset[str]) -> Iterator[FlowStage]:
    """Everybody's boxes, and beside them who went no further. A text of `inclusion` as a reason was not met."""
    early = steps.get(("not-eligible", None))
    side = _side([early], inclusion) if early else None
    yield FlowStage("Enrolment", (_box(steps["recorded", None]),))
    selected = steps.get(("selected", None))
    if selected is not None:
        yield FlowStage("", (_box(selected),), side)
    found = [step for name in OUT if (step := steps.get((name, None)))]
    yield FlowStage("", (_box(steps["randomised", None]),), _side(found, inclusion) if found else None)


def _side(found: list[FlowStep], inclusion: frozenset[str]) -> FlowBox:
    """One box for those who were left out: the step itself, or several steps with their reasons beneath each."""
    worded = [replace(step, reasons=tuple((_unmet(r, inclusion), n) for r, n in step.reasons)) for step in found]
    if len(worded) == 1:
        return _box(worded[0])
    details = tuple(line for step in worded for line in _lines(step))
    return FlowBox("Not randomised", sum(step.count for step in found), details)


def _unmet(reason: str, inclusion: frozenset[str]) -> str:
    return f"not met: {reason}" if reason in inclusion else reason


def _lines(step: FlowStep) -> Details:
    """A step as a line of a box, and its reasons as lines beneath it."""
    return ((step.label, step.count), *((f"· {reason}", count) for reason, count in step.reasons))


def _box(step: FlowStep, role: Role = "neutral") -> FlowBox:
    return FlowBox(step.label, step.count, tuple(step.reasons), role)


class _Levels:
    """The levels after randomisation, a box an arm."""

    def __init__(
        self, source: ReportSource, steps: Steps, arms: tuple[str | None, ...], styles: tuple[ArmStyle, ...]
    ) -> None:
        self.source, self.steps, self.arms, self.styles = source, steps, arms, styles

    def one_period(self) -> Iterator[FlowStage]:
        """Allocated, left, analysed; visits in between are in the figures of outcomes."""
        later = [step for step in self.steps.values() if step.arm == self.arms[-1]]
        begun = [step.id for step in later].index("allocated")
        for name in dict.fromkeys(step.id for step in later[begun:] if not step.id.startswith("visit-")):
            label = {"allocated": "Allocation", "left": "Follow-up"}.get(name, "Analysis")
            yield FlowStage(label, self._boxes(name))

    def by_period(self) -> Iterator[FlowStage]:
        """Allocated; a level for each period; analysed."""
        yield FlowStage("Allocation", self._boxes("allocated"))
        for period in self.source.protocol.periods:
            boxes = tuple(self._period_box(period, arm) for arm in self.arms)
            yield FlowStage("", boxes, period=period.label)
        analysed = tuple(self._analysed_box(arm) for arm in self.arms)
        if any(analysed):
            yield FlowStage("", analysed, period="Analysis")

    def _boxes(self, name: str) -> tuple[FlowBox | None, ...]:
        found = [self.steps.get((name, arm)) for arm in self.arms]
        return tuple(_box(step, style.role) if step else None for step, style in zip(found, self.styles, strict=True))

    def _period_box(self, period: Period, arm: str | None) -> FlowBox:
        """What was given in a period to how many; how many doses, who left, who was seen at its last visit."""
        every, some, none = (self.steps.get((f"received-{much}-{period.id}", arm)) for much in ("all", "some", "none"))
        details = [line for step in (every, some, none) if step and step.count for line in _lines(step)]
        if left := self.steps.get((f"left-{period.id}", arm)):
            details += _lines(left)
        visits = [visit.id for visit in self.source.protocol.visits if visit.period == period.id]
        if visits and (seen := self.steps.get((f"visit-{visits[-1]}", arm))):
            details.append((seen.label, seen.count))
        count = (every.count if every else 0) + (some.count if some else 0)
        title, role = self._treatment(period, arm)
        return FlowBox(f"{title} given" if every else title, count if every else None, tuple(details), role)

    def _treatment(self, period: Period, arm: str | None) -> tuple[str, Role]:
        if arm is None:
            return "Study treatment", "neutral"
        protocol = self.source.protocol
        label = protocol.product(protocol.arm(arm).treatments[period.id]).label
        return label, "active" if protocol.role(arm, period.id) == "active" else "placebo"

    def _analysed_box(self, arm: str | None) -> FlowBox | None:
        found = [step for step in self.steps.values() if step.arm == arm and step.id.startswith("analysed-")]
        lines = tuple((step.label.removeprefix("Analysed: "), step.count) for step in found)
        return FlowBox("Analysed", None, lines) if lines else None
