"""The course of simulated people: every quantity at any days, and the measurements made of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.patients.chance import Draw, Floats
from equipoise.patients.effects import Activity, Effects, Exposure, activity
from equipoise.patients.empirical import body, cpeptide, exercise, glycaemia, hypoglycaemia, immunology, wellbeing
from equipoise.patients.empirical.sensor import sensor_summary
from equipoise.patients.parameters import Parameters
from equipoise.patients.population import People

RATE_STEP = 28.0
"""Days between the nodes at which the rate of hypoglycaemia is evaluated."""


@dataclass(frozen=True, slots=True)
class Course:
    """The truth at V days of each person; arrays are (R, n, V), cytokines (R, n, V, 8).

    days: since screening. latent_auc: nmol/L, without the day's variation. auc: the day's 2 h mean, nmol/L.
    fasting: the day's fasting C-peptide, ng/mL. hba1c: %. mean_glucose: of those weeks, mg/dL. insulin: U/kg/day.
    glucose: fasting, mg/dL.
    exercise: min/week. cytokines: pg/mL, TGF-beta 1 ng/mL. treg: % of CD4. cd4: cells/uL. wellbeing: SDs.
    height: cm. weight: kg. low_glucose_rate: episodes below 54 mg/dL a year.
    variation: points added to the coefficient of variation of glucose, in %.
    """

    days: Floats
    latent_auc: Floats
    auc: Floats
    fasting: Floats
    hba1c: Floats
    mean_glucose: Floats
    insulin: Floats
    glucose: Floats
    exercise: Floats
    cytokines: Floats
    treg: Floats
    cd4: Floats
    wellbeing: Floats
    height: Floats
    weight: Floats
    low_glucose_rate: Floats
    variation: Floats

    def at(self, visits: Sequence[int]) -> Course:
        """The course at some of the visits, by index."""
        return self._change(lambda values: values[:, :, list(visits)])

    def _change(self, make: Callable[[Floats], Floats]) -> Course:
        return Course(**{name: make(getattr(self, name)) for name in self.__slots__})


def simulate_course(
    people: People, days: Floats, exposure: Exposure, effects: Effects, draw: Draw, parameters: Parameters
) -> Course:
    """The course at `days` since screening, (R, n, V); before screening they are negative.

    The day's variation of visit v comes from its place v: the same visits in the same order give the same values.
    """
    p, visits = parameters, days.shape[-1]
    since_diagnosis = people.days_since_diagnosis[..., np.newaxis] + days
    act = activity(exposure, days, people.days_since_diagnosis, people.exercise_minutes, effects)
    untreated = cpeptide.latent_course(people, since_diagnosis, p)
    log_untreated = np.log(cpeptide.from_logit(untreated, p))
    latent = untreated + effects.cpeptide_slope * act.cumulated
    auc = cpeptide.visit_auc(latent, draw, p)
    habit = np.minimum(people.exercise_minutes / 150, 1)[..., np.newaxis]
    shift = effects.hba1c_shift * act.metabolic + effects.exercise_hba1c * habit
    hba1c = glycaemia.visit_hba1c(people, since_diagnosis, log_untreated, shift, draw, p)
    mean_glucose = glycaemia.mean_glucose(hba1c)
    less = effects.insulin_log_ratio * act.metabolic
    return Course(
        days=days,
        latent_auc=cpeptide.from_logit(latent, p),
        auc=auc,
        fasting=cpeptide.visit_fasting(people, auc, draw, p),
        hba1c=hba1c,
        mean_glucose=mean_glucose,
        insulin=glycaemia.visit_insulin(people, since_diagnosis, log_untreated, less, draw, p),
        glucose=glycaemia.visit_glucose(mean_glucose, draw, p),
        exercise=exercise.visit_exercise(people, visits, draw, p),
        cytokines=_cytokines(people, act, effects, draw, p),
        treg=immunology.visit_treg(people, days, effects.treg_shift * act.cells, draw, p),
        cd4=immunology.visit_cd4(people, visits, draw, p),
        wellbeing=wellbeing.visit_wellbeing(people, effects.wellbeing_shift * act.metabolic, draw, p),
        height=body.height(people, days, p),
        weight=body.weight(people, days, draw, p),
        low_glucose_rate=hypoglycaemia.low_glucose_rate(
            people, log_untreated, effects.hypoglycaemia_log_ratio * act.metabolic, p
        ),
        variation=np.zeros(days.shape),
    )


def _cytokines(people: People, act: Activity, effects: Effects, draw: Draw, p: Parameters) -> Floats:
    pro, anti = effects.proinflammatory_log2 * act.cells, effects.antiinflammatory_log2 * act.cells
    return immunology.visit_cytokines(people, pro, anti, draw, p)


def simulate_hypoglycaemia(
    people: People,
    first: Floats,
    last: Floats,
    exposure: Exposure,
    effects: Effects,
    draw: Draw,
    parameters: Parameters,
    besides: Callable[[Floats], Floats] | None = None,
) -> hypoglycaemia.Episodes:
    """Every episode from day `first` to day `last` since screening, (R, n) each.

    besides: what else is added to the logarithm of the rate on days (R, n, G).
    """
    p = parameters
    longest = float(np.max(last - first, initial=1.0))
    steps = max(int(np.ceil(longest / RATE_STEP)), 1)
    nodes = np.minimum(first[..., np.newaxis] + RATE_STEP * np.arange(steps + 1), last[..., np.newaxis])
    since_diagnosis = people.days_since_diagnosis[..., np.newaxis] + nodes
    act = activity(exposure, nodes, people.days_since_diagnosis, people.exercise_minutes, effects)
    log_cpeptide = np.log(cpeptide.from_logit(cpeptide.latent_course(people, since_diagnosis, p), p))
    rate = hypoglycaemia.low_glucose_rate(people, log_cpeptide, effects.hypoglycaemia_log_ratio * act.metabolic, p)
    if besides is not None:
        rate = rate * np.exp(besides(nodes))
    return hypoglycaemia.draw_episodes(nodes, rate, draw, p)


def measure_fasting(course: Course, draw: Draw, parameters: Parameters) -> tuple[Floats, Floats]:
    """Fasting C-peptide in ng/mL, uncensored, and fasting glucose in mg/dL; (R, n, V) each."""
    return (
        cpeptide.assayed_fasting(course.fasting, draw, parameters),
        glycaemia.assayed_glucose(course.glucose, draw, parameters),
    )


def measure_meal(course: Course, minutes: Sequence[float], draw: Draw, parameters: Parameters) -> tuple[Floats, Floats]:
    """Mixed-meal tests: C-peptide in nmol/L, uncensored, and glucose in mg/dL; (R, n, V, minutes) each."""
    return (
        cpeptide.meal_points(course.auc, course.fasting, minutes, draw, parameters),
        glycaemia.meal_glucose(course.glucose, course.auc, minutes, draw, parameters),
    )


def measure_sensor(course: Course, draw: Draw, parameters: Parameters) -> Floats:
    """The sensor's summary, (R, n, V, 8) in the order of sensor.SUMMARY."""
    return sensor_summary(course.mean_glucose, draw, parameters, course.variation)


def treg_count(course: Course) -> Floats:
    """Regulatory T cells per uL, (R, n, V)."""
    return course.cd4 * course.treg / 100
