"""From the people assessed to those allocated: pre-screening, consent, screening, and places until they are full.

Criteria that need no sample are asked first, of everybody; those who meet them are asked for consent, screened with
the samples of the screening visit, and take the trial's places in the order in which they came.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import InputError, Problem
from equipoise.patients.chance import Bools, Floats
from equipoise.patients.empirical.model import measure_fasting
from equipoise.patients.population import People, draw_people, eligibility_values
from equipoise.protocol.model import Protocol
from equipoise.randomisation.choose import procedure
from equipoise.simulate.entry import Slots, contact_days, slots
from equipoise.simulate.followed import untreated
from equipoise.simulate.scenario import Scenario
from equipoise.simulate.screening import Values, answer, screen
from equipoise.simulate.streams import Streams

FASTING = "fasting_cpeptide"
SITE = "01"
"""Where everybody is seen."""
SAMPLED = frozenset({"autoantibody_positive", "hiv", "htlv", "hbv", "hcv", "cmv", FASTING})
"""Variables that only the screening visit's samples show; the others are known when a person is assessed."""

MOST_ASSESSED = 1_000_000
"""People in one trial: more would not fit into the memory of an ordinary machine."""

ASSESSED, NOT_SELECTED, DECLINED, NOT_ELIGIBLE, ENROLLED = 0, 1, 2, 3, 4
"""How far a person came. ASSESSED: nobody looked, the places were full."""


class ScreeningStreams:
    """The random numbers of the screening visit: of everybody assessed, apart from those of the trial itself."""

    def __init__(self, streams: Streams, chosen: NDArray[np.int64] | None = None) -> None:
        """`chosen`: (R, K) whose numbers are wanted; None: everybody's."""
        self._streams = streams
        self._chosen = chosen

    def __call__(self, purpose: str, count: int) -> Floats:
        uniforms = self._streams(f"screening-{purpose}", count)
        return uniforms if self._chosen is None else uniforms[np.arange(len(uniforms))[:, np.newaxis], self._chosen]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Everybody who was assessed in R trials, M of them at most, and who took the places.

    people:   (R, M), in the order in which they came.
    fasting:  (R, M) fasting C-peptide of the screening sample in ng/mL.
    stage:    (R, M), how far each came.
    reason:   (R, M) index into `texts` of the criterion that kept a person out, -1 for none.
    assessed: (R,) how many were assessed before the places were full or recruitment ended.
    chosen:   (R, n) index among M of who took each place; 0 where nobody did.
    present:  (R, n) whether somebody did.
    arm:      (R, n) index into the protocol's arms; -1 where nobody is present.
    slots:    where those present stand in the allocation list.
    contact:  (R, M) calendar day on which each came, from the start of recruitment.
    """

    people: People
    fasting: Floats
    stage: NDArray[np.int8]
    reason: NDArray[np.int16]
    texts: tuple[str, ...]
    assessed: NDArray[np.int64]
    chosen: NDArray[np.int64]
    present: Bools
    arm: NDArray[np.int8]
    slots: Slots
    contact: Floats


def enrol(
    protocol: Protocol, scenario: Scenario, seed: int, trials: int, first: int = 0, arm: int | None = None
) -> Enrolment:
    """Fill the places of trials `first` … `first + trials - 1`; with `arm`, everybody is in that one.

    Raises InputError where a criterion asks for something that simulated people do not have.
    """
    check_variables(protocol)
    places = protocol.randomisation.participants
    most = max(math.ceil(scenario.authored.recruitment.assessed_per_place * places), 1)
    if most > MOST_ASSESSED:
        message = f"{places} places would mean up to {most} people to assess, more than {MOST_ASSESSED}"
        remedy = "Plan fewer participants, or let the scenario assess fewer for each place."
        problem = protocol.document.problem(("randomisation", "participants"), "simulation-size", message, remedy)
        raise InputError(f"{protocol.path}: too large to be simulated", [problem])
    draw = Streams(seed, trials, most, first)
    people = draw_people(draw, scenario.parameters)
    fasting = _screening_fasting(people, ScreeningStreams(draw), scenario)
    values = {**eligibility_values(people), FASTING: fasting}
    stage, reason, texts = _stages(protocol, people, values)
    order = np.cumsum(stage == ENROLLED, axis=1)
    assessed = np.where(order[:, -1] >= places, (order < places).sum(axis=1) + 1, most)
    late = np.arange(most) >= assessed[:, np.newaxis]
    stage[late], reason[late] = ASSESSED, -1
    chosen = np.argsort(stage != ENROLLED, axis=1, kind="stable")[:, :places]
    if chosen.shape[1] < places:  # fewer were assessed than there are places
        chosen = np.pad(chosen, ((0, 0), (0, places - chosen.shape[1])))
    present = np.arange(places) < np.minimum(order[:, -1], places)[:, np.newaxis]
    chosen = np.where(present, chosen, 0)
    drawn, listed = _allocate(protocol, Streams(seed, trials, places, first), values, chosen)
    arms = np.where(present, drawn if arm is None else np.full_like(drawn, arm), -1)
    contact = contact_days(draw, scenario.authored.recruitment.assessed_per_month)
    return Enrolment(people, fasting, stage, reason, texts, assessed, chosen, present, arms, listed, contact)


def check_variables(protocol: Protocol) -> None:
    """Refuse a protocol whose criteria or strata ask for what simulated people do not have; raises InputError."""
    known = {*eligibility_names(), FASTING}
    problems: list[Problem] = []
    for index, variable in enumerate(protocol.eligibility.variables):
        if variable.name not in known:
            message = "simulated people have no value for this variable, so nobody would be eligible"
            remedy = f"Simulated people have: {', '.join(sorted(known))}."
            steps = ("eligibility", "variables", index, "name")
            problems.append(protocol.document.problem(steps, "simulated-variable", message, remedy, variable.name))
    if problems:
        raise InputError(f"{protocol.path} cannot be simulated", problems)


def eligibility_names() -> tuple[str, ...]:
    """The variables of eligibility that a simulated person has, but for the one that is measured."""
    from equipoise.patients.parameters import default_parameters

    return tuple(eligibility_values(draw_people(Streams(0, 1, 1), default_parameters())))


def _screening_fasting(people: People, draw: ScreeningStreams, scenario: Scenario) -> Floats:
    """Fasting C-peptide on the day of screening as the laboratory reports it, ng/mL; (R, M)."""
    days = np.zeros((*people.shape, 1))
    course = untreated(scenario, people, days, draw)
    return np.round(measure_fasting(course, draw, scenario.parameters)[0][..., 0], 2)


def _stages(
    protocol: Protocol, people: People, values: Values
) -> tuple[NDArray[np.int8], NDArray[np.int16], tuple[str, ...]]:
    """How far each would come if there were a place, and the criterion that stopped them."""
    early = {name for name, expression in protocol.criteria.items() if not SAMPLED & set(expression.names)}
    late = set(protocol.criteria) - early
    before = screen(protocol, values, early)
    stage = np.where(before.eligible, np.where(people.consents, ENROLLED, DECLINED), NOT_SELECTED).astype(np.int8)
    asked = stage == ENROLLED
    reason = np.where(before.eligible, -1, before.failed).astype(np.int16)
    if asked.any():
        some = {name: np.asarray(value)[asked] for name, value in values.items()}
        after = screen(protocol, some, late)
        stage[asked] = np.where(after.eligible, ENROLLED, NOT_ELIGIBLE)
        reason[asked] = after.failed
    return stage, reason, before.texts


def _allocate(
    protocol: Protocol, draw: Streams, values: Values, chosen: NDArray[np.int64]
) -> tuple[NDArray[np.int8], Slots]:
    """The arms of the places, (R, n), and where these stand in the list."""
    plan = protocol.randomisation
    stratified = bool(plan.strata) and plan.method != "minimisation"
    try:
        made = procedure(
            plan.method,
            ratio=tuple(arm.ratio for arm in protocol.arms),
            block_sizes=plan.block_sizes,
            limit=plan.limit,
            probability=plan.probability,
            length=plan.participants,
            stratified=stratified,
        )
    except ValueError as error:
        problem = protocol.document.problem(
            ("randomisation", "method"), "procedure-possible", str(error), "Change the method or its numbers."
        )
        raise InputError(f"{protocol.path}: nobody can be allocated so", [problem]) from None
    levels = _levels(protocol, values, chosen)
    strata = None
    if plan.method == "minimisation":
        strata = np.stack(levels, axis=-1) if levels else np.zeros((*chosen.shape, 1), np.int64)
    elif stratified:
        strata = np.zeros(chosen.shape, np.int64)
        for level in levels:
            strata = strata * (level.max(initial=0) + 1) + level
    uniforms = draw("allocation", 1)[..., 0]
    arms = made.allocate(uniforms, strata).astype(np.int8)
    sizes = made.block_sizes(uniforms, strata) if plan.block_sizes else None
    return arms, slots(protocol, levels, sizes, arms.shape, SITE)


def _levels(protocol: Protocol, values: Values, chosen: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The level of each stratum, (R, n); a stratum without expressions (a site) has one level here."""
    rows = np.arange(chosen.shape[0])[:, np.newaxis]
    some = {name: np.asarray(value)[rows, chosen] for name, value in values.items()}
    found: list[NDArray[np.int64]] = []
    for index, stratum in enumerate(protocol.randomisation.strata):
        level, met = np.zeros(chosen.shape, np.int64), np.zeros(chosen.shape, np.int64)
        for number, item in enumerate(stratum.levels):
            if item.expression is not None:
                from equipoise.source.expressions import Expression

                true = answer(Expression(item.expression), some, chosen.shape) == 1.0
                level[true] = number
                met += true
        if any(item.expression is not None for item in stratum.levels) and (met != 1).any():
            raise _no_one_level(protocol, index, overlap=bool((met > 1).any()))
        found.append(level)
    return found


def _no_one_level(protocol: Protocol, index: int, *, overlap: bool) -> InputError:
    """Somebody who may take part belongs to several levels of a stratum, or to none."""
    message = f"an eligible participant belongs to {'more than one of the levels' if overlap else 'none of the levels'}"
    remedy = "Let exactly one level's expression be true of every eligible participant."
    steps = ("randomisation", "strata", index, "levels")
    label = protocol.randomisation.strata[index].id
    problem = protocol.document.problem(steps, "strata-one-level", message, remedy, label)
    return InputError(f"the stratum {label!r} cannot be allocated by", [problem])
