"""Rules of meaning for what is measured and when: visits, assessments, tests."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from equipoise.errors import Problem
from equipoise.protocol.lookup import Draft, listed
from equipoise.protocol.schema.measurement import Assessment, Test
from equipoise.source.paths import Step

Problems = Iterator[Problem]

# SDTM domains whose general observation class is fixed (SDTM Implementation Guide 3.4, section 2.3).
CLASS_OF_DOMAIN = {
    **dict.fromkeys(("AE", "CE", "DS", "DV", "HO", "MH"), "events"),
    **dict.fromkeys(("AG", "CM", "EC", "EX", "ML", "PR", "SU"), "interventions"),
    **dict.fromkeys(("CV", "DA", "EG", "FT", "IE", "IS", "LB", "MB", "MO", "PC", "PE", "QS", "RS", "VS"), "findings"),
}


def visits_in_periods(draft: Draft) -> Problems:
    """A visit's period exists and holds its target day; a visit without one comes before the first."""
    periods = {period.id: period for period in draft.authored.periods}
    first = draft.authored.periods[0].first_day
    for index, visit in enumerate(draft.authored.schedule.visits):
        steps = ("schedule", "visits", index)
        if visit.period is None:
            if visit.day > first:
                message = f"the visit names no period, but the first begins before it, on day {first}"
                yield draft.problem((*steps, "day"), "visit-in-period", message, "Name the period it belongs to.")
            continue
        yield from draft.unknown((*steps, "period"), "known-period", visit.period, draft.periods)
        period = periods.get(visit.period)
        ordered = period is not None and period.first_day < period.last_day
        if period is not None and ordered and not period.first_day <= visit.day <= period.last_day:
            message = f"the day lies outside period {period.id!r}, days {period.first_day} to {period.last_day}"
            yield draft.problem((*steps, "day"), "visit-in-period", message, "Correct the day or the period.")


def visits_apart(draft: Draft) -> Problems:
    """No two visits aim at one day, and the days on which they may happen do not overlap."""
    order = sorted(enumerate(draft.authored.schedule.visits), key=lambda pair: pair[1].day)
    for (_, earlier), (index, later) in pairwise(order):
        steps = ("schedule", "visits", index)
        if later.day == earlier.day:
            message = f"{earlier.id!r} is planned for the same day"
            yield draft.problem((*steps, "day"), "visit-day-unique", message, "Plan one visit, or another day.")
        elif later.day - later.before <= earlier.day + earlier.after:
            message = (
                f"the visit may come as early as day {later.day - later.before}, "
                f"and {earlier.id!r} as late as day {earlier.day + earlier.after}"
            )
            yield draft.problem(
                (*steps, "day"), "visit-windows", message, "Narrow one of the two windows (before, after)."
            )


def assessments_are_planned(draft: Draft) -> Problems:
    """An assessment's visits exist; its domain, tests and time points fit its class."""
    for index, assessment in enumerate(draft.authored.assessments):
        steps = ("assessments", index)
        yield from _known_visits(draft, (*steps, "visits"), assessment.visits)
        expected = CLASS_OF_DOMAIN.get(assessment.domain)
        if expected not in (None, assessment.observation_class):
            message = f"SDTM keeps {expected} in this domain, not {assessment.observation_class}"
            yield draft.problem((*steps, "domain"), "domain-class", message, "Correct the domain or the class.")
        if assessment.observation_class == "findings":
            yield from _finding(draft, steps, assessment)
        elif assessment.tests or assessment.minutes or assessment.minutes_at:
            message = "only findings have tests and time points"
            remedy = "Use class findings, or remove tests, minutes and minutes_at."
            yield draft.problem((*steps, "class"), "class-has-tests", message, remedy)
    for index, use in enumerate(draft.authored.questionnaires):
        yield from _known_visits(draft, ("questionnaires", index, "visits"), use.visits)


def _known_visits(draft: Draft, steps: tuple[Step, ...], visits: tuple[str, ...]) -> Problems:
    for number, visit in enumerate(visits):
        yield from draft.unknown((*steps, number), "known-visit", visit, draft.visits)
        if visit in visits[:number]:
            yield draft.problem((*steps, number), "visit-once", "the visit is listed twice", "List it once.")


def _finding(draft: Draft, steps: tuple[Step, ...], assessment: Assessment) -> Problems:
    if not assessment.tests:
        message = f"assessment {assessment.id!r} measures nothing"
        yield draft.problem(steps, "findings-have-tests", message, "Add its tests.")
    if not assessment.visits:
        message = f"assessment {assessment.id!r} is planned at no visit"
        yield draft.problem(steps, "findings-have-visits", message, "List the visits at which it is done.")
    yield from _minutes(draft, (*steps, "minutes"), assessment.minutes or ())
    planned: set[str] = set()
    for number, variant in enumerate(assessment.minutes_at):
        inner = (*steps, "minutes_at", number)
        yield from _minutes(draft, (*inner, "minutes"), variant.minutes)
        for place, visit in enumerate(variant.visits):
            at = (*inner, "visits", place)
            if visit not in assessment.visits:
                remedy = f"Name one of {listed(assessment.visits)}, or add the visit to the assessment."
                yield draft.problem(at, "minutes-at-visit", f"{assessment.id!r} is not planned at this visit", remedy)
            elif visit in planned:
                message = "the visit already has time points of its own"
                yield draft.problem(at, "minutes-at-once", message, "Name each visit once.")
            planned.add(visit)
    if assessment.minutes is None and assessment.minutes_at and planned != set(assessment.visits):
        message = f"only some visits of {assessment.id!r} have time points"
        yield draft.problem((*steps, "minutes_at"), "minutes-complete", message, "Give `minutes` for the other visits.")


def _minutes(draft: Draft, steps: tuple[Step, ...], minutes: tuple[int, ...]) -> Problems:
    if any(later <= earlier for earlier, later in pairwise(minutes)):
        message = "the minutes do not ascend"
        yield draft.problem(steps, "minutes-order", message, "List each minute once, in order.")


def tests_have_sense(draft: Draft) -> Problems:
    """Ranges, conversions and limits of a test agree with its unit and with one another; codes are unique."""
    for index, assessment in enumerate(draft.authored.assessments):
        codes: set[str] = set()
        for number, test in enumerate(assessment.tests):
            steps = ("assessments", index, "tests", number)
            yield from _test(draft, steps, test)
            if test.code in codes:
                message = f"another test of {assessment.id!r} has this code"
                yield draft.problem((*steps, "code"), "unique-code", message, "Give each test its own code.")
            codes.add(test.code)


def _test(draft: Draft, steps: tuple[Step, ...], test: Test) -> Problems:
    if test.plausible is not None and test.plausible[0] >= test.plausible[1]:
        message = "the lowest plausible value is not below the highest"
        yield draft.problem((*steps, "plausible"), "plausible-range", message, "Write [lowest, highest].")
    conversions = test.conversions or {}
    if test.unit in conversions:
        message = f"{test.unit} is the test's own unit and needs no conversion"
        yield draft.problem((*steps, "conversions", test.unit), "conversion-unit", message, "Remove it.")
    limits = test.quantification
    if limits is None:
        return
    inner = (*steps, "quantification")
    if limits.unit != test.unit and limits.unit not in conversions:
        message = f"limits in this unit cannot be converted to {test.unit}"
        remedy = "Add the unit to conversions, or use the test's own unit."
        yield draft.problem((*inner, "unit"), "quantification-unit", message, remedy)
    if limits.lower is None and limits.upper is None:
        yield draft.problem(inner, "quantification-limit", "there is no limit", "Give lower, upper or both.")
    elif limits.lower is not None and limits.upper is not None and limits.lower >= limits.upper:
        message = f"the lower limit is not below the upper limit, {limits.upper:g}"
        yield draft.problem((*inner, "lower"), "quantification-order", message, "Exchange or correct the limits.")


RULES = (
    visits_in_periods,
    visits_apart,
    assessments_are_planned,
    tests_have_sense,
)
