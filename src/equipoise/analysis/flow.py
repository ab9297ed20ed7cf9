"""The participants' flow: how many came how far, by arm once arms are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from equipoise.analysis.data import AnalysisData, Flags
from equipoise.analysis.estimates import POOLED
from equipoise.analysis.results import FlowStep, Result
from equipoise.records.classes import STATUSES
from equipoise.records.panel import HELD


def participants_flow(data: AnalysisData, results: tuple[Result, ...]) -> tuple[FlowStep, ...]:
    """Recorded, not eligible, randomised; by arm: allocated, last seen before the end, seen at each visit, analysed."""
    trial = data.trial
    present = data.panel.present[trial]
    status = data.panel.covariates["status"][trial]
    out = present & (status == STATUSES.index("not-eligible"))
    randomised = present & (np.nan_to_num(status, nan=-1) >= STATUSES.index("randomised"))
    steps = [FlowStep("recorded", "Recorded", int(present.sum()))]
    if out.any() or (present & ~randomised).any():
        steps.append(
            FlowStep(
                "not-randomised",
                "Not randomised",
                int((present & ~randomised).sum()),
                reasons=_reasons(data, present & ~randomised),
            )
        )
    steps.append(FlowStep("randomised", "Randomised", int(randomised.sum())))
    if data.blinded:
        return (*steps, *_after(data, randomised, None, results))
    for arm in data.protocol.arms:
        steps += _after(data, randomised & data.in_arm(arm.id)[trial], arm.id, results)
    return tuple(steps)


def _after(data: AnalysisData, members: Flags, arm: str | None, results: tuple[Result, ...]) -> Iterator[FlowStep]:
    yield FlowStep("allocated", "Allocated", int(members.sum()), arm)
    last = data.protocol.visits[-1]
    contact = data.panel.covariates["last_contact_day"][data.trial]
    left = members & (contact < last.day - last.before)
    if not np.isnan(contact[members]).all():
        label = f"Last seen before {last.label} was due"
        yield FlowStep("left", label, int(left.sum()), arm, reasons=_reasons(data, left))
    for index, visit in enumerate(data.protocol.visits):
        held = data.panel.visit_status[data.trial, :, index] == HELD
        yield FlowStep(f"visit-{visit.id}", f"Seen at {visit.label}", int((members & held).sum()), arm, visit.period)
    for result in results:
        group = arm if arm is not None else POOLED
        if result.role == "primary" and group in result.n:
            label = f"Analysed: {result.label}"
            yield FlowStep(f"analysed-{result.analysis}", label, result.n[group], arm, result.period)


def _reasons(data: AnalysisData, members: Flags) -> tuple[tuple[str, int], ...]:
    texts = data.panel.labels["reason"][data.trial][members]
    counts = Counter(str(text) for text in texts if text)
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
