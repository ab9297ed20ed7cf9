"""A simulated placebo cohort with the age mix and the clock of the source trials."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from equipoise.patients.chance import Floats, normal
from equipoise.patients.empirical.cpeptide import auc_from_points
from equipoise.patients.empirical.model import Course, measure_fasting, measure_meal
from equipoise.patients.parameters import Parameters
from equipoise.patients.population import People, draw_people
from equipoise.simulate.streams import Streams
from verification.patients.models import EMPIRICAL, Model

MINUTES = (-10, 0, 15, 30, 60, 90, 120)
MONTH = 365.25 / 12
DAY_ZERO, DAY_ZERO_SD, BASELINE = 74.0, 21.0, -20.0
"""Days after diagnosis of study day 0, and the day of the baseline sample."""
MONTHS = (0, 3, 6, 12, 18, 24)
TREG_WEEKS = (0, 5, 12, 26, 52, 104)
EARLIEST = 25.0


@dataclass(frozen=True, slots=True)
class Cohort:
    """People and what was seen of them; arrays (people, visits). Screening is the day of diagnosis here."""

    people: People
    auc: Floats
    fasting: Floats
    course: Course


def source_people(parameters: Parameters, people: int, seed: int) -> tuple[People, Streams, Floats]:
    """People (their ages are the source's), screened at diagnosis, and the day of their study day 0 (1, n)."""
    draw = Streams(seed, 1, people)
    drawn = draw_people(draw, parameters)
    drawn = replace(drawn, days_since_diagnosis=np.zeros_like(drawn.days_since_diagnosis))
    zero = np.maximum(DAY_ZERO + DAY_ZERO_SD * normal(draw("day-zero", 1)[..., 0]), EARLIEST)
    return drawn, draw, zero


def source_cohort(parameters: Parameters, people: int, seed: int, model: Model = EMPIRICAL) -> Cohort:
    """Everyone at baseline and months 3 to 24, untreated; column v of an array is MONTHS[v]."""
    drawn, draw, zero = source_people(parameters, people, seed)
    offsets = np.array([BASELINE if month == 0 else month * MONTH for month in MONTHS])
    course = model.course(drawn, zero[..., np.newaxis] + offsets, draw, parameters)
    points, _ = measure_meal(course, MINUTES, draw, parameters)
    fasting, _ = measure_fasting(course, draw, parameters)
    return Cohort(drawn, auc_from_points(points, MINUTES)[0], fasting[0], course)
