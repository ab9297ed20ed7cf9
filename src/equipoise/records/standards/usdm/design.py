"""The study design: arms, epochs, visits, activities, their timeline, criteria, objectives and estimands."""

from __future__ import annotations

from itertools import pairwise

from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import AnalysisSet, Estimand
from equipoise.protocol.schema.measurement import Visit
from equipoise.records.sdtm.design import age_limits, blinding, crossed
from equipoise.records.standards.usdm import terms as t
from equipoise.records.standards.usdm.maker import Json, Maker, chained

_LEVELS = {"primary": "primary", "key-secondary": "secondary", "secondary": "secondary"}
_SETS = {
    "randomised": "All randomised participants, as allocated",
    "any-post-baseline": "Randomised participants with a value of one of these after baseline",
    "every-post-baseline": "Randomised participants with a value of each of these after baseline",
    "visit-held": "Randomised participants whose visits were held",
    "dosed": "Randomised participants with at least one dose",
    "all-doses": "Randomised participants with every planned dose of a period",
}


def design_of(
    protocol: Protocol,
    make: Maker,
    interventions: dict[str, Json],
    items: list[Json],
    surrogates: dict[tuple[str, str], Json],
) -> Json:
    """The one design of the protocol; interventions, criteria's texts and tests stand in the version."""
    arms = {arm.id: _arm(protocol, arm.id, make) for arm in protocol.arms}
    epochs = _epochs(protocol, make)
    elements = _elements(protocol, make, interventions)
    cells = [
        make("StudyCell", armId=made["id"], epochId=epochs[epoch]["id"], elementIds=[elements[element]["id"]])
        for arm, made in arms.items()
        for epoch, element in _plan_of(protocol, arm)
    ]
    criteria = _criteria(protocol, make, items)
    sets = {item.id: _analysis_set(item, make) for item in protocol.conventions.analysis_sets}
    objectives = {item.id: _objective(protocol, item, make) for item in protocol.estimands}
    encounters, activities, timeline = _schedule(protocol, make, epochs, surrogates)
    traits = [t.RANDOMISED, *([t.STRATIFIED] if protocol.randomisation.strata else [])]
    return make(
        "InterventionalStudyDesign",
        name=f"{protocol.id} design",
        label=protocol.study.short_title,
        description=protocol.study.title,
        rationale=protocol.study.summary,
        studyType=make.code(t.INTERVENTIONAL),
        studyPhase=_phase(protocol, make),
        characteristics=[make.code(term) for term in traits],
        intentTypes=[make.code(t.TREATMENT_STUDY)],
        model=make.code(t.CROSSOVER if crossed(protocol) else t.PARALLEL),
        blindingSchema=make.alias(t.BLINDING[blinding(protocol)]),
        arms=list(arms.values()),
        epochs=list(epochs.values()),
        elements=list(elements.values()),
        studyCells=cells,
        encounters=encounters,
        activities=activities,
        scheduleTimelines=[timeline],
        population=_population(protocol, make, criteria),
        eligibilityCriteria=criteria,
        analysisPopulations=list(sets.values()),
        objectives=list(objectives.values()),
        estimands=[_estimand(protocol, item, make, sets, objectives, interventions) for item in protocol.estimands],
        studyInterventionIds=[item["id"] for item in interventions.values()],
    )


def _arm(protocol: Protocol, name: str, make: Maker) -> Json:
    arm = protocol.arm(name)
    active = any(protocol.product(product).role == "active" for product in arm.treatments.values())
    told = "; ".join(
        f"{period.label}: {protocol.product(arm.treatments[period.id]).label}" for period in protocol.periods
    )
    return make(
        "StudyArm",
        name=arm.id,
        label=arm.label,
        description=told,
        type=make.code(t.INVESTIGATIONAL_ARM if active else t.PLACEBO_ARM),
        dataOriginDescription="Collected within the trial",
        dataOriginType=make.code(t.WITHIN_STUDY),
    )


def _epochs(protocol: Protocol, make: Maker) -> dict[str, Json]:
    made = {"": make("StudyEpoch", name="screening", label="Screening", type=make.code(t.SCREENING_EPOCH))}
    for period in protocol.periods:
        told = f"Days {period.first_day} to {period.last_day}"
        kind = make.code(t.TREATMENT_EPOCH)
        made[period.id] = make("StudyEpoch", name=period.id, label=period.label, description=told, type=kind)
    chained(list(made.values()))
    return made


def _elements(protocol: Protocol, make: Maker, interventions: dict[str, Json]) -> dict[str, Json]:
    """Screening, and each product in each period in which it is given."""

    def rule(name: str, text: str) -> Json:
        return make("TransitionRule", name=name, text=text)

    first = protocol.periods[0].label
    made = {
        "": make(
            "StudyElement",
            name="screening",
            label="Screening",
            transitionStartRule=rule("screening start", "Informed consent"),
            transitionEndRule=rule("screening end", f"First day of {first}"),
        )
    }
    for period in protocol.periods:
        for product in protocol.products:
            if product.id in {arm.treatments[period.id] for arm in protocol.arms}:
                name = f"{product.id} in {period.id}"
                made[name] = make(
                    "StudyElement",
                    name=name,
                    label=f"{product.label}, {period.label}",
                    transitionStartRule=rule(f"{name} start", "First administration in the period"),
                    transitionEndRule=rule(f"{name} end", f"Last day of the period, day {period.last_day}"),
                    studyInterventionIds=[interventions[product.id]["id"]],
                )
    return made


def _plan_of(protocol: Protocol, arm: str) -> list[tuple[str, str]]:
    """The epochs of an arm, each with its element."""
    treatments = protocol.arm(arm).treatments
    return [("", ""), *((period.id, f"{treatments[period.id]} in {period.id}") for period in protocol.periods)]


def _criteria(protocol: Protocol, make: Maker, items: list[Json]) -> list[Json]:
    eligibility = protocol.eligibility
    both = [(item, "I", number, t.INCLUSION) for number, item in enumerate(eligibility.inclusion, 1)]
    both += [(item, "E", number, t.EXCLUSION) for number, item in enumerate(eligibility.exclusion, 1)]
    return chained(
        [
            make(
                "EligibilityCriterion",
                name=f"{mark}{number:02d}",
                label=item.text,
                category=make.code(term),
                identifier=f"{mark}{number:02d}",
                criterionItemId=text["id"],
            )
            for (item, mark, number, term), text in zip(both, items, strict=True)
        ]
    )


def _population(protocol: Protocol, make: Maker, criteria: list[Json]) -> Json:
    least, most = age_limits(protocol)
    age = None
    if least is not None and most is not None:
        low, high = make.quantity(least, t.YEAR), make.quantity(most, t.YEAR)
        age = make("Range", minValue=low, maxValue=high, isApproximate=False)
    return make(
        "StudyDesignPopulation",
        name="population",
        label="Planned population",
        description="; ".join(item.text for item in protocol.eligibility.inclusion),
        includesHealthySubjects=False,
        plannedEnrollmentNumber=make.quantity(protocol.randomisation.participants, None),
        plannedAge=age,
        criterionIds=[item["id"] for item in criteria],
    )


def _analysis_set(item: AnalysisSet, make: Maker) -> Json:
    named = [*item.parameters, *item.visits]
    text = _SETS[item.rule] + (f": {', '.join(named)}" if named else "")
    text += f"; {item.sex} participants" if item.sex is not None else ""
    text += f"; of the set {item.within}" if item.within is not None else ""
    return make("AnalysisPopulation", name=item.id, label=item.label, text=text)


def level_of(protocol: Protocol, estimand: str) -> str:
    """The level of an estimand: that of the most important analysis of it."""
    roles = {_LEVELS.get(item.role, "exploratory") for item in protocol.analyses if item.estimand == estimand}
    return next((level for level in ("primary", "secondary") if level in roles), "exploratory")


def _objective(protocol: Protocol, item: Estimand, make: Maker) -> Json:
    level = level_of(protocol, item.id)
    outcome = protocol.parameter(item.variable.parameter)
    text = f"{outcome.label}, {outcome.unit}, at {protocol.visit(item.variable.visit).label}"
    endpoint = make(
        "Endpoint",
        name=f"{item.id} endpoint",
        text=text,
        purpose="efficacy" if outcome.better is not None else "description",
        level=make.code(t.ENDPOINTS[level]),
    )
    made = make("Objective", name=item.id, text=item.label, level=make.code(t.OBJECTIVES[level]))
    return made | {"endpoints": [endpoint]}


def _estimand(
    protocol: Protocol,
    item: Estimand,
    make: Maker,
    sets: dict[str, Json],
    objectives: dict[str, Json],
    interventions: dict[str, Json],
) -> Json:
    period = protocol.visit(item.variable.visit).period or protocol.periods[0].id
    compared = [protocol.arm(arm).treatments[period] for arm in (item.contrast.active, item.contrast.reference)]
    labels = {event.id: event.label for event in protocol.authored.intercurrent_events}
    events = [
        make("IntercurrentEvent", name=name, text=labels[name], strategy=strategy.replace("-", " "))
        for name, strategy in item.intercurrent_events.items()
    ]
    return make(
        "Estimand",
        name=item.id,
        label=item.label,
        description=f"{protocol.arm(item.contrast.active).label} against {protocol.arm(item.contrast.reference).label}",
        populationSummary=item.summary.replace("-", " "),
        analysisPopulationId=sets[item.population]["id"],
        interventionIds=[interventions[product]["id"] for product in dict.fromkeys(compared)],
        variableOfInterestId=objectives[item.id]["endpoints"][0]["id"],
        intercurrentEvents=events,
    )


def _schedule(
    protocol: Protocol, make: Maker, epochs: dict[str, Json], surrogates: dict[tuple[str, str], Json]
) -> tuple[list[Json], list[Json], Json]:
    """Visits, what is done at them, and when: days from the visit nearest to day 0."""
    activities = {
        item.id: make(
            "Activity",
            name=item.id,
            label=item.label,
            bcSurrogateIds=[surrogates[item.id, test.id]["id"] for test in item.tests],
        )
        for item in protocol.assessments
    }
    encounters = {
        visit.id: make("Encounter", name=visit.id, label=visit.label, type=make.code(t.VISIT))
        for visit in protocol.visits
    }
    instances = [
        make(
            "ScheduledActivityInstance",
            name=f"{visit.id} instance",
            encounterId=encounters[visit.id]["id"],
            epochId=epochs[visit.period or ""]["id"],
            activityIds=[activities[item.id]["id"] for item in protocol.assessments if visit.id in item.visits],
        )
        for visit in protocol.visits
    ]
    leave = make("ScheduleTimelineExit")
    for here, after in pairwise(instances):
        here["defaultConditionId"] = after["id"]
    instances[-1]["timelineExitId"] = leave["id"]
    anchor = min(range(len(instances)), key=lambda place: abs(protocol.visits[place].day))
    timings = [
        _timing(visit, protocol.visits[anchor], instance, instances[anchor], make)
        for visit, instance in zip(protocol.visits, instances, strict=True)
    ]
    for visit, timing in zip(protocol.visits, timings, strict=True):
        encounters[visit.id]["scheduledAtId"] = timing["id"]
    timeline = make(
        "ScheduleTimeline",
        name="main",
        label="Visits",
        mainTimeline=True,
        entryCondition="Informed consent",
        entryId=instances[0]["id"],
        exits=[leave],
        timings=timings,
        instances=instances,
    )
    return chained(list(encounters.values())), chained(list(activities.values())), timeline


def _timing(visit: Visit, anchor: Visit, instance: Json, fixed: Json, make: Maker) -> Json:
    away = visit.day - anchor.day
    kind = t.FIXED if visit.id == anchor.id else (t.AFTER if away > 0 else t.BEFORE)
    # CDISC's rule DDF00025: the timing to which the others refer has no window, so its own stands in words.
    told = f"{visit.before} days before to {visit.after} days after" if visit.before or visit.after else None
    windowed = told is not None and kind is not t.FIXED
    return make(
        "Timing",
        name=f"{visit.id} timing",
        label=f"Day {visit.day}",
        description=None if told is None or windowed else f"May be held {told}",
        type=make.code(kind),
        value=f"P{abs(away)}D",
        valueLabel=f"{abs(away)} days",
        relativeToFrom=make.code(t.START_TO_START),
        relativeFromScheduledInstanceId=instance["id"],
        relativeToScheduledInstanceId=None if kind is t.FIXED else fixed["id"],
        windowLower=f"P{visit.before}D" if windowed else None,
        windowUpper=f"P{visit.after}D" if windowed else None,
        windowLabel=told if windowed else None,
    )


def _phase(protocol: Protocol, make: Maker) -> Json | None:
    term = t.PHASES.get(protocol.study.phase.upper())
    return None if term is None else make.alias(term)
