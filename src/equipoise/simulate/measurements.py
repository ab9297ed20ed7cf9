"""Findings: which quantity of a simulated person each test of the protocol measures, and what the laboratory reports.

A test is known by its short code (CDISC's, where there is one), so that a protocol of one's own may name its
assessments as it likes. A test whose code is not known here has no values; `unknown_tests` names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.patients.chance import Bools, Draw, Floats
from equipoise.patients.empirical.model import Course, measure_fasting, measure_meal, measure_sensor, treg_count
from equipoise.patients.empirical.safety import measure_laboratory, measure_vital_signs
from equipoise.patients.empirical.sensor import SUMMARY
from equipoise.patients.empirical.wellbeing import Item, answer_items
from equipoise.patients.parameters import Parameters
from equipoise.patients.population import ANTIBODIES, CYTOKINES, LABORATORY, VITAL_SIGNS, People
from equipoise.protocol.model import Assessment, Protocol
from equipoise.protocol.schema.measurement import Item as QuestionnaireItem
from equipoise.protocol.schema.measurement import Questionnaire, Test
from equipoise.records.panel import LEFT, RIGHT, Block, empty_block

CPEPTIDE, GLUCOSE, DIARY = "CPEPTIDE", "GLUC", "DIARYDAY"

COURSE_TESTS = {
    "HBA1C": ("hba1c", "%"),
    "INSDOSE": ("insulin", "U/kg/day"),
    "MVPA": ("exercise", "min/week"),
    "HEIGHT": ("height", "cm"),
    "WEIGHT": ("weight", "kg"),
    "TREGCD4": ("treg", "%"),
}
"""Code -> the course's field and its unit."""
CYTOKINE_CODES = dict(
    zip(("IFNG", "TNFA", "INTLK6", "INTLK17", "INTLK1B", "INTLK4", "INTLK10", "TGFB1"), CYTOKINES, strict=True)
)
ANTIBODY_CODES = dict(zip(("GAD65AB", "IA2AB", "ZNT8AB"), ANTIBODIES, strict=True))
SENSOR_CODES = dict(
    zip(("TIR", "TBR70", "TBR54", "TAR180", "TAR250", "MEANGLUC", "GLUCCV", "WEAR"), SUMMARY, strict=True)
)
LABORATORY_CODES = dict(zip(("HGB", "WBC", "PLAT", "ALT", "CREAT"), LABORATORY, strict=True))
VITAL_CODES = dict(zip(("TEMP", "SYSBP", "DIABP", "HR", "OXYSAT"), VITAL_SIGNS, strict=True))
UNITS = {
    **dict.fromkeys(ANTIBODY_CODES, "U/mL"),
    **{code: "ng/mL" if code == "TGFB1" else "pg/mL" for code in CYTOKINE_CODES},
    **{code: "mg/dL" if code == "MEANGLUC" else "%" for code in SENSOR_CODES},
    **{code: unit for code, (_, unit) in COURSE_TESTS.items()},
    **dict(zip(LABORATORY_CODES, ("g/dL", "10^9/L", "10^9/L", "U/L", "mg/dL"), strict=True)),
    **dict(zip(VITAL_CODES, ("C", "mmHg", "mmHg", "beats/min", "%"), strict=True)),
    "TREG": "cells/uL",
    GLUCOSE: "mg/dL",
    DIARY: "days",
}
"""Unit in which the simulated people have each quantity; a protocol's own unit must be this one or convert to it."""


@dataclass(frozen=True, slots=True)
class Bedside:
    """Everything that measurements are made from; arrays have R trials of n people at V visits.

    visits: the ids of the V visits. held: (R, n, V) whether the visit was held. day: (R, n, V).
    fever: (R, n, V) whether fever follows an infusion of that visit.
    diary: (R, n, V) days with an entry since the last visit at which the diary was collected, by assessment.
    """

    people: People
    visits: tuple[str, ...]
    course: Course
    day: Floats
    held: Bools
    fever: Bools
    diary: Mapping[str, Floats]
    draw: Draw
    parameters: Parameters
    missing_results: float
    missing_points: float


def unknown_tests(protocol: Protocol) -> tuple[str, ...]:
    """The tests, as assessment.test, that simulated people have no value for, or none in this unit."""
    return tuple(
        f"{assessment.id}.{test.id}"
        for assessment in protocol.findings
        if assessment.questionnaire is None
        for test in assessment.tests
        if _factor(assessment, test) is None
    )


def measure(assessment: Assessment, bedside: Bedside) -> Block:
    """The block of one assessment: values at those of its visits that the bedside has and that were held."""
    block = empty_block(assessment, *bedside.held.shape[:2])
    places = [place for place, visit in enumerate(assessment.visits) if visit in bedside.visits]
    if not places or not block.tests:
        return block
    visits = [bedside.visits.index(assessment.visits[place]) for place in places]
    values = _answers(assessment, visits, bedside) if assessment.questionnaire else _values(assessment, visits, bedside)
    wanted = _wanted(assessment, places, bedside.held[:, :, visits], values.shape)
    if assessment.questionnaire is not None:
        wanted &= _of_age(assessment.questionnaire, bedside.people)[:, :, np.newaxis, np.newaxis, np.newaxis]
    wanted &= ~np.isnan(values).all(axis=(0, 1, 2, 3))  # what simulated people do not have, nobody asks for
    there = wanted & ~_missing(assessment, wanted, bedside)
    reported, censored = _reported(assessment, values)
    block.value[:, :, places] = np.where(there, reported, np.nan)
    block.censored[:, :, places] = np.where(there, censored, 0)
    block.day[:, :, places] = np.where(wanted.any(axis=(3, 4)), bedside.day[:, :, visits], np.nan)
    block.asked[:, :, places] = wanted & ~there
    return block


def _wanted(assessment: Assessment, places: list[int], held: Bools, shape: tuple[int, ...]) -> Bools:
    """What the protocol asks for at visits that were held, (R, n, visit, minute, test)."""
    minutes = assessment.minutes or (0,)
    planned = [
        [not assessment.minutes or minute in assessment.planned[assessment.visits[place]] for minute in minutes]
        for place in places
    ]
    return np.broadcast_to((held[..., np.newaxis] & np.array(planned))[..., np.newaxis], shape).copy()


def _missing(assessment: Assessment, wanted: Bools, bedside: Bedside) -> Bools:
    """Whole assessments of a visit, and single time points of a test, without a result."""
    visits, minutes = wanted.shape[2], wanted.shape[3]
    if any(test.code == DIARY for test in assessment.tests):  # a diary is collected when its owner comes
        return np.zeros_like(wanted)
    whole = bedside.draw(f"missing-{assessment.id}", visits) < bedside.missing_results
    missing = np.broadcast_to(whole[..., np.newaxis, np.newaxis], wanted.shape).copy()
    if minutes > 1:
        points = bedside.draw(f"missing-points-{assessment.id}", visits * minutes).reshape(*wanted.shape[:4])
        missing |= (points < bedside.missing_points)[..., np.newaxis]
    return missing


def _values(assessment: Assessment, visits: list[int], bedside: Bedside) -> Floats:
    """Uncensored values in the protocol's units, (R, n, visit, minute, test); NaN for tests that are not known."""
    minutes = assessment.minutes or (0,)
    shape = (*bedside.held.shape[:2], len(visits), len(minutes), len(assessment.tests))
    values = np.full(shape, np.nan)
    made = _Made(assessment, visits, bedside)
    for place, test in enumerate(assessment.tests):
        factor = _factor(assessment, test)
        if factor is not None:
            values[..., place] = factor * made.of(test.code)
    return values


class _Made:
    """The quantities of one assessment, each kind made once; `of` gives (R, n, visit, minute or 1)."""

    def __init__(self, assessment: Assessment, visits: list[int], bedside: Bedside) -> None:
        self._assessment = assessment
        self._visits = visits
        self._bedside = bedside
        self._course = bedside.course.at(visits)
        self._kept: dict[str, Floats] = {}

    def of(self, code: str) -> Floats:
        if code in (CPEPTIDE, GLUCOSE):
            return self._meal(code) if self._assessment.minutes else self._fasting(code)
        if code in VITAL_CODES:
            return self._once("vital", self._vital_signs)[..., list(VITAL_CODES).index(code)]
        return self._single(code)[..., np.newaxis]

    def _single(self, code: str) -> Floats:
        """(R, n, visit)."""
        bedside, visits = self._bedside, len(self._visits)
        if code in COURSE_TESTS:
            return getattr(self._course, COURSE_TESTS[code][0])
        if code == "TREG":
            return treg_count(self._course)
        if code in CYTOKINE_CODES:
            return self._course.cytokines[..., CYTOKINES.index(CYTOKINE_CODES[code])]
        if code in ANTIBODY_CODES:
            titre = bedside.people.antibodies[..., ANTIBODIES.index(ANTIBODY_CODES[code])]
            return np.repeat(titre[..., np.newaxis], visits, axis=-1)
        if code in SENSOR_CODES:
            summary = self._once("sensor", lambda: measure_sensor(self._course, bedside.draw, bedside.parameters))
            return summary[..., list(SENSOR_CODES).index(code)]
        if code in LABORATORY_CODES:
            made = self._once(
                "laboratory", lambda: measure_laboratory(bedside.people, visits, bedside.draw, bedside.parameters)
            )
            return made[..., list(LABORATORY_CODES).index(code)]
        return bedside.diary[self._assessment.id]

    def _fasting(self, code: str) -> Floats:
        cpeptide = self._once("fasting", self._sample)
        return cpeptide[..., 0 if code == CPEPTIDE else 1][..., np.newaxis]

    def _sample(self) -> Floats:
        return np.stack(measure_fasting(self._course, self._bedside.draw, self._bedside.parameters), axis=-1)

    def _meal(self, code: str) -> Floats:
        points = self._once("meal", self._meal_points)
        return points[..., 0 if code == CPEPTIDE else 1]

    def _meal_points(self) -> Floats:
        minutes = [float(minute) for minute in self._assessment.minutes]
        return np.stack(measure_meal(self._course, minutes, self._bedside.draw, self._bedside.parameters), axis=-1)

    def _vital_signs(self) -> Floats:
        minutes = [float(minute) for minute in self._assessment.minutes or (0,)]
        fever = self._bedside.fever[:, :, self._visits]
        people, draw, parameters = self._bedside.people, self._bedside.draw, self._bedside.parameters
        return measure_vital_signs(people, len(self._visits), minutes, fever, draw, parameters)

    def _once(self, kind: str, make: Callable[[], Floats]) -> Floats:
        if kind not in self._kept:
            self._kept[kind] = make()
        return self._kept[kind]


def _factor(assessment: Assessment, test: Test) -> float | None:
    """What turns the simulated value into the protocol's unit; None where the test or the unit is not known."""
    if test.code == CPEPTIDE:
        unit = "nmol/L" if assessment.minutes else "ng/mL"
    elif test.code in UNITS:
        unit = UNITS[test.code]
    else:
        return None
    return 1.0 if test.unit == unit else (test.conversions or {}).get(unit)


def _reported(assessment: Assessment, values: Floats) -> tuple[Floats, NDArray[np.int8]]:
    """Rounded as reported, the limit where a value lies beyond one, and the side on which it does."""
    reported, censored = values.copy(), np.zeros(values.shape, np.int8)
    for place, test in enumerate(assessment.tests):
        reported[..., place] = np.round(values[..., place], test.decimals)
        limits = test.quantification
        if limits is None:
            continue
        factor = 1.0 if limits.unit == test.unit else (test.conversions or {})[limits.unit]
        for limit, side in ((limits.lower, LEFT), (limits.upper, RIGHT)):
            if limit is not None:
                beyond = values[..., place] < limit * factor if side == LEFT else values[..., place] > limit * factor
                reported[..., place][beyond] = limit * factor
                censored[..., place][beyond] = side
    return reported, censored


def _answers(assessment: Assessment, visits: list[int], bedside: Bedside) -> Floats:
    assert assessment.questionnaire is not None
    score = bedside.course.wellbeing[:, :, visits]
    items = [Item(i.lowest, i.highest, higher) for i, higher in _directions(assessment.questionnaire)]
    given = answer_items(score, items, assessment.id, bedside.draw, bedside.parameters)
    return given.astype(np.float64)[:, :, :, np.newaxis, :]


def _of_age(questionnaire: Questionnaire, people: People) -> Bools:
    age = people.age_completed
    below = questionnaire.below_age_years
    return (age >= questionnaire.from_age_years) & ((age < below) if below is not None else True)


def _directions(questionnaire: Questionnaire) -> list[tuple[QuestionnaireItem, bool]]:
    """Each item and whether its highest answer is the best one; of an item that does not say, the highest."""
    return [(item, item.best != "lowest") for item in questionnaire.items]
