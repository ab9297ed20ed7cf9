"""The participants' flow (CONSORT): how many came how far, by arm once arms are known, period by period.

A trial of one period is followed to its last visit. With several periods each has its own steps: the study doses
received, who left during it, who was seen, who was analysed. Who left in one period is not counted in the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from equipoise.analysis.comparison import POOLED
from equipoise.analysis.data import AnalysisData, Flags
from equipoise.analysis.results import FlowStep, Result
from equipoise.protocol.schema.treatment import Period
from equipoise.records.classes import STATUSES, STUDY_TREATMENT
from equipoise.records.panel import HELD

MOST_REASONS = 8
"""Reasons that a step tells apart; the rarer ones are counted together."""
OTHER, UNKNOWN = "other", "reason not recorded"
DECLINED = "declined"
"""How the reason of somebody begins who was asked and did not consent."""
ROLES = ("primary", "key-secondary", "secondary", "exploratory")


def participants_flow(data: AnalysisData, results: tuple[Result, ...]) -> tuple[FlowStep, ...]:
    """Assessed, not eligible, selected, declined, randomised; then for each arm allocated to analysed."""
    status = np.nan_to_num(data.panel.covariates["status"][data.trial], nan=-1)
    randomised = data.panel.present[data.trial] & (status >= STATUSES.index("randomised"))
    steps = [*_enrolment(data, randomised)]
    follow = _by_period if len(data.protocol.periods) > 1 else _one_period
    if data.blinded:
        return (*steps, *follow(data, randomised, None, results))
    for arm in data.protocol.arms:
        steps += follow(data, randomised & data.in_arm(arm.id)[data.trial], arm.id, results)
    return tuple(steps)


def _enrolment(data: AnalysisData, randomised: Flags) -> Iterator[FlowStep]:
    """Up to randomisation. Who was kept out without a visit was not selected; who had one was screened there."""
    present, status = data.panel.present[data.trial], data.panel.covariates["status"][data.trial]
    seen = (data.panel.visit_status[data.trial] == HELD).any(axis=1)
    unfit = present & (status == STATUSES.index("not-eligible"))
    unselected = unfit & ~seen
    rest = present & ~unfit & ~randomised
    declined = rest & np.char.startswith(np.char.lower(data.panel.labels["reason"][data.trial]), DECLINED)
    label = "Assessed for eligibility" if (present & ~randomised).any() else "Recorded"
    yield FlowStep("recorded", label, int(present.sum()))
    yield from _if_any("not-eligible", "Not eligible", unselected, data)
    if unselected.any():
        yield FlowStep("selected", "Eligible so far and selected", int((present & ~unselected).sum()))
    yield from _if_any("declined", "Declined to take part", declined, None)
    yield from _if_any("screen-failed", "Not eligible at screening", unfit & seen, data)
    left_over = "Not randomised for another reason" if (unfit | declined).any() else "Not randomised"
    yield from _if_any("not-randomised", left_over, rest & ~declined, data)
    yield FlowStep("randomised", "Randomised", int(randomised.sum()))


def _if_any(step: str, label: str, members: Flags, data: AnalysisData | None) -> Iterator[FlowStep]:
    """A step of those who go no further, with their reasons if `data` is given; nothing where there are none."""
    if members.any():
        yield FlowStep(step, label, int(members.sum()), reasons=() if data is None else _reasons(data, members))


def _one_period(data: AnalysisData, members: Flags, arm: str | None, results: tuple[Result, ...]) -> Iterator[FlowStep]:
    yield FlowStep("allocated", "Allocated", int(members.sum()), arm)
    last = data.protocol.visits[-1]
    contact = data.panel.covariates["last_contact_day"][data.trial]
    left = members & (contact < last.day - last.before)
    if not np.isnan(contact[members]).all():
        label = f"Last seen before {last.label} was due"
        yield FlowStep("left", label, int(left.sum()), arm, reasons=_reasons(data, left))
    for visit in data.protocol.visits:
        yield _seen(data, members, arm, visit.id)
    for result in results:
        group = arm if arm is not None else POOLED
        if result.role == "primary" and group in result.n:
            yield _analysed(result, arm, group)


def _by_period(data: AnalysisData, members: Flags, arm: str | None, results: tuple[Result, ...]) -> Iterator[FlowStep]:
    yield FlowStep("allocated", "Allocated", int(members.sum()), arm)
    for visit in data.protocol.visits:
        if visit.period is None:
            yield _seen(data, members, arm, visit.id)
    there = members
    for period in data.protocol.periods:
        yield from _doses(data, there, arm, period)
        left = there & _leavers(data, period)
        yield FlowStep(
            f"left-{period.id}", "Left during the period", int(left.sum()), arm, period.id, _reasons(data, left)
        )
        for visit in data.protocol.visits:
            if visit.period == period.id:
                yield _seen(data, members, arm, visit.id)
        yield from _main_analysis(period, arm, results)
        there = there & ~left


def _seen(data: AnalysisData, members: Flags, arm: str | None, visit_id: str) -> FlowStep:
    visit = data.protocol.visit(visit_id)
    held = data.panel.visit_status[data.trial, :, data.panel.visit_index(visit_id)] == HELD
    return FlowStep(f"visit-{visit.id}", f"Seen at {visit.label}", int((members & held).sum()), arm, visit.period)


def _leavers(data: AnalysisData, period: Period) -> Flags:
    """Who was last heard of before the period's last visit was due; nobody who completed the trial."""
    visits = [visit for visit in data.protocol.visits if visit.period == period.id]
    due = visits[-1].day - visits[-1].before if visits else period.last_day
    covariates = data.panel.covariates
    completed = covariates["status"][data.trial] == STATUSES.index("completed")
    return (covariates["last_contact_day"][data.trial] < due) & ~completed


def _main_analysis(period: Period, arm: str | None, results: tuple[Result, ...]) -> Iterator[FlowStep]:
    """The numbers of the period's most important analysis that counts this arm: the first of the highest role."""
    group = arm if arm is not None else POOLED
    found = [item for item in results if item.period == period.id and item.role in ROLES and group in item.n]
    if found:
        yield _analysed(min(found, key=lambda item: ROLES.index(item.role)), arm, group)


def _analysed(result: Result, arm: str | None, group: str) -> FlowStep:
    return FlowStep(f"analysed-{result.analysis}", f"Analysed: {result.label}", result.n[group], arm, result.period)


def _doses(data: AnalysisData, members: Flags, arm: str | None, period: Period) -> Iterator[FlowStep]:
    """Who received all, some or none of the period's doses, and why not; nothing where no dose is on record."""
    rows = data.panel.interventions
    study = (rows.trial == data.trial) & (rows.columns["treatment"] == STUDY_TREATMENT)
    if not study.any():
        return
    mine = study & (rows.columns["period"] == period.id)
    given = np.bincount(rows.participant[mine & (rows.columns["status"] == "given")], minlength=data.panel.participants)
    planned, noun = _planned(data, arm, period)
    every, some, none = _dose_words(planned, noun)
    why = _why_not_given(data, mine)
    if period != data.protocol.periods[0]:
        began = int((members & (given > 0)).sum())
        yield FlowStep(f"began-{period.id}", f"Began the period with the {noun}", began, arm, period.id)
    for step, label, group in (
        ("all", every, given >= planned),
        ("some", some, (given > 0) & (given < planned)),
        ("none", none, given == 0),
    ):
        if label:
            reasons = () if step == "all" else _counted([why[i] for i in np.flatnonzero(members & group)])
            yield FlowStep(f"received-{step}-{period.id}", label, int((members & group).sum()), arm, period.id, reasons)


def _planned(data: AnalysisData, arm: str | None, period: Period) -> tuple[int, str]:
    """How many doses the period has (the most of any arm where arms are not known), and what one is called."""
    arms = [item for item in data.protocol.arms if arm is None or item.id == arm]
    products = [data.protocol.product(item.treatments[period.id]) for item in arms]
    infused = all(product.route == "intravenous" for product in products)
    return max(len(product.dose_days) for product in products), "infusion" if infused else "dose"


def _dose_words(planned: int, noun: str) -> tuple[str, str, str]:
    """Labels of all, some and none; some is empty where there is one dose."""
    none = f"Received no {noun}"
    if planned == 1:
        return f"Received the {noun}", "", none
    if planned == 2:
        return f"Received both {noun}s", f"Received one {noun}", none
    return f"Received all {planned} {noun}s", f"Received some {noun}s", none


def _why_not_given(data: AnalysisData, mine: Flags) -> list[str]:
    """The reason for each participant's first dose not given; of who has no such record, the reason for leaving."""
    rows = data.panel.interventions
    reasons = [str(text) for text in data.panel.labels["reason"][data.trial]]
    withheld = np.flatnonzero(mine & (rows.columns["status"] == "not-given") & (rows.columns["reason"] != ""))
    for row in withheld[::-1]:  # backwards, so that the first stays
        reasons[rows.participant[row]] = str(rows.columns["reason"][row])
    return reasons


def _reasons(data: AnalysisData, members: Flags) -> tuple[tuple[str, int], ...]:
    texts = data.panel.labels["reason"][data.trial][members]
    return _counted([str(text) for text in texts if text])


def _counted(texts: list[str]) -> tuple[tuple[str, int], ...]:
    """Reasons with their counts, the most frequent first, the rarest together as `other`."""
    counts = sorted(Counter(text or UNKNOWN for text in texts).items(), key=lambda pair: (-pair[1], pair[0]))
    if len(counts) <= MOST_REASONS + 1:
        return tuple(counts)
    return (*counts[:MOST_REASONS], (OTHER, sum(count for _, count in counts[MOST_REASONS:])))
