"""The course of simulated people by the mechanism, in the form of the empirical model.

What is measured, with its noise and its limits, is the same as there; what moves it is the mechanism: C-peptide is mass
times function, HbA1c what red cells have seen, the dose what glucose asked for, and so on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from importlib.util import find_spec
from typing import Literal

import numpy as np

from equipoise.patients.chance import Draw, Floats, normals
from equipoise.patients.effects import Exposure
from equipoise.patients.empirical import body, cpeptide, exercise, glycaemia, hypoglycaemia, immunology, wellbeing
from equipoise.patients.empirical.model import RATE_STEP, Course
from equipoise.patients.mechanistic import people as made
from equipoise.patients.mechanistic.cells import course_of_cells
from equipoise.patients.mechanistic.equations import STATES, settled
from equipoise.patients.mechanistic.links import Links
from equipoise.patients.parameters import Parameters
from equipoise.patients.population import People

Engine = Literal["plain", "compiled"]
MANY = 30_000
"""People from which on compiling, some two seconds a process, is the shorter way."""
SMALLEST_LOGIT = -12.0
"""C-peptide below 2e-5 nmol/L is no longer told apart."""
SMALLEST_DOSE = 0.005
"""U/kg/day: what is injected at least."""


@dataclass(frozen=True, slots=True)
class Mechanism:
    """The states on V days of each person, (R, n, V): see equations.py for the first eight.

    glucose: mg/dL, at quasi-steady state. blood, lung, pancreas: cells, in % of a full treatment.
    cpeptide: 2 h mean, nmol/L, without the day's variation.
    """

    days: Floats
    effector: Floats
    regulatory: Floats
    pro: Floats
    anti: Floats
    mass: Floats
    dysfunction: Floats
    hba1c: Floats
    insulin: Floats
    glucose: Floats
    blood: Floats
    lung: Floats
    pancreas: Floats
    cpeptide: Floats

    def part(self, first: int, last: int) -> Mechanism:
        """The days from place `first` to before place `last`."""
        return Mechanism(**{field.name: getattr(self, field.name)[..., first:last] for field in fields(self)})


def simulate_mechanism(
    people: People,
    days: Floats,
    exposure: Exposure,
    links: Links,
    parameters: Parameters,
    engine: Engine = "plain",
    halvings: int = 0,
) -> Mechanism:
    """The states at `days` since screening, (R, n, V); days before the diagnosis show the day of diagnosis.

    Which other days are asked for changes no bit of a result, and neither do the other people. The two engines agree
    bit for bit; the compiled one needs the extra `design` and pays for itself from some thousand people on.
    """
    start = made.make_start(people, links, parameters)
    n, visits = people.age.size, days.shape[-1]
    since = people.days_since_diagnosis.reshape(n, 1)
    asked = np.maximum(days.reshape(n, visits) + since, 0.0)
    dose_days = exposure.day.reshape(n, -1) + since
    weights = (exposure.weight * exposure.potency[..., np.newaxis]).reshape(n, -1)
    states = _solver(engine)(start, dose_days, weights, asked, halvings)
    named = {name: states[..., place].reshape(days.shape) for place, name in enumerate(STATES)}
    cells = course_of_cells(asked, dose_days, weights, start.homing, start.kinetics)
    sugar = _glucose(start, states, asked)
    function = states[..., 4] * (1 - states[..., 5])
    return Mechanism(
        days=days,
        **named,
        glucose=sugar.reshape(days.shape),
        **{name: cell.reshape(days.shape) for name, cell in zip(("blood", "lung", "pancreas"), cells, strict=True)},
        cpeptide=(parameters["beta.highest"] * function).reshape(days.shape),
    )


def _glucose(start: made.Start, states: Floats, since_diagnosis: Floats) -> Floats:
    """Glucose in mg/dL from the states, (n, V, 8) to (n, V)."""
    later = settled(since_diagnosis, start.constants.habit_square)
    return 1 / start.inverse_at(np.moveaxis(states, 0, -1).swapaxes(0, 1), later.T).T


def simulate_course(
    people: People,
    days: Floats,
    exposure: Exposure,
    links: Links,
    draw: Draw,
    parameters: Parameters,
    engine: Engine = "plain",
) -> Course:
    """The course at `days` since screening, (R, n, V), as of the empirical model."""
    mechanism = simulate_mechanism(people, days, exposure, links, parameters, engine)
    return observe(people, mechanism, draw, parameters)


def observe(people: People, mechanism: Mechanism, draw: Draw, parameters: Parameters) -> Course:
    """What the days of the mechanism look like from outside."""
    p, m, visits = parameters, mechanism, mechanism.days.shape[-1]
    auc = cpeptide.visit_auc(_logit(m.cpeptide, p), draw, p)
    rate = low_glucose_rate(people, mechanism, p)
    return Course(
        days=m.days,
        latent_auc=m.cpeptide,
        auc=auc,
        fasting=cpeptide.visit_fasting(people, auc, draw, p),
        hba1c=_visit_hba1c(m.hba1c, draw, p),
        mean_glucose=m.glucose,
        insulin=_visit_insulin(m.insulin, draw, p),
        glucose=glycaemia.visit_glucose(m.glucose, draw, p),
        exercise=exercise.visit_exercise(people, visits, draw, p),
        cytokines=immunology.visit_cytokines(people, np.log2(m.pro), np.log2(m.anti), draw, p),
        treg=immunology.treg_about(people, p["regulatory.level"] * m.regulatory, np.zeros(m.days.shape), draw, p),
        cd4=immunology.visit_cd4(people, visits, draw, p),
        wellbeing=wellbeing.visit_wellbeing(people, _wellbeing_shift(people, m, rate, p), draw, p),
        height=body.height(people, m.days, p),
        weight=body.weight(people, m.days, draw, p),
        low_glucose_rate=rate,
        variation=np.zeros(m.days.shape),
    )


def simulate_people(
    people: People,
    days: Floats,
    first: Floats,
    last: Floats,
    exposure: Exposure,
    links: Links,
    draw: Draw,
    parameters: Parameters,
    engine: Engine = "plain",
    besides: Callable[[Floats], Floats] | None = None,
) -> tuple[Course, hypoglycaemia.Episodes]:
    """The course at `days`, (R, n, V), and every episode from `first` to `last`, (R, n), since screening.

    The equations are solved once for both, with the bits that they have when they are solved for each. besides: what
    else is added to the logarithm of the rate of episodes on days (R, n, G).
    """
    nodes, visits = rate_nodes(first, last), days.shape[-1]
    mechanism = simulate_mechanism(people, np.concatenate([days, nodes], axis=-1), exposure, links, parameters, engine)
    rate = low_glucose_rate(people, mechanism.part(visits, visits + nodes.shape[-1]), parameters)
    if besides is not None:
        rate = rate * np.exp(besides(nodes))
    course = observe(people, mechanism.part(0, visits), draw, parameters)
    return course, hypoglycaemia.draw_episodes(nodes, rate, draw, parameters)


def engine_for(people: int) -> Engine:
    """The engine that has the result of so many people first; both give the same bits."""
    return "compiled" if people >= MANY and find_spec("numba") is not None else "plain"


def low_glucose_rate(people: People, mechanism: Mechanism, p: Parameters) -> Floats:
    """Episodes below 54 mg/dL a year, (R, n, V): more with less C-peptide, more insulin and more exercise."""
    habit = made.exercise_habit(people, p).reshape(people.shape)[..., np.newaxis]
    dose = np.log(np.maximum(mechanism.insulin, SMALLEST_DOSE) / p["hypoglycaemia.reference-insulin"])
    link = p["hypoglycaemia.per-insulin"] * dose + p["hypoglycaemia.exercise"] * habit
    return hypoglycaemia.low_glucose_rate(people, np.log(np.maximum(mechanism.cpeptide, 1e-9)), link, p)


def simulate_hypoglycaemia(
    people: People,
    first: Floats,
    last: Floats,
    exposure: Exposure,
    links: Links,
    draw: Draw,
    parameters: Parameters,
    engine: Engine = "plain",
) -> hypoglycaemia.Episodes:
    """Every episode from day `first` to day `last` since screening, (R, n) each."""
    nodes = rate_nodes(first, last)
    mechanism = simulate_mechanism(people, nodes, exposure, links, parameters, engine)
    return hypoglycaemia.draw_episodes(nodes, low_glucose_rate(people, mechanism, parameters), draw, parameters)


def rate_nodes(first: Floats, last: Floats) -> Floats:
    """The days at which the rate of hypoglycaemia is evaluated, (R, n, G + 1)."""
    steps = max(int(np.ceil(float(np.max(last - first, initial=1.0)) / RATE_STEP)), 1)
    return np.minimum(first[..., np.newaxis] + RATE_STEP * np.arange(steps + 1), last[..., np.newaxis])


def _solver(engine: Engine) -> Callable[[made.Start, Floats, Floats, Floats, int], Floats]:
    if engine == "compiled":
        from equipoise.patients.mechanistic.kernel import solve
    else:
        from equipoise.patients.mechanistic.solve import solve
    return solve


def _logit(value: Floats, p: Parameters) -> Floats:
    share = value / p["cpeptide.highest"]
    return np.maximum(np.log(np.maximum(share, 1e-12)) - np.log1p(-np.minimum(share, 1 - 1e-9)), SMALLEST_LOGIT)


def _visit_hba1c(hba1c: Floats, draw: Draw, p: Parameters) -> Floats:
    """HbA1c of a visit in %, (R, n, V): log-normal above the lowest."""
    lowest, sd = p["hba1c.lowest"], p["hba1c.visit-sd"]
    noise = sd * normals(draw, "hba1c-visit", hba1c.shape[-1]) - sd**2 / 2
    return np.minimum(lowest + np.maximum(hba1c - lowest, 0.1) * np.exp(noise), glycaemia.HIGHEST_HBA1C)


def _visit_insulin(insulin: Floats, draw: Draw, p: Parameters) -> Floats:
    sd = p["insulin.visit-log-sd"]
    noise = np.exp(sd * normals(draw, "insulin-visit", insulin.shape[-1]) - sd**2 / 2)
    return np.maximum(insulin, SMALLEST_DOSE) * noise


def _wellbeing_shift(people: People, mechanism: Mechanism, rate: Floats, p: Parameters) -> Floats:
    """SDs by HbA1c and by lows, whose frailty is left out: people are used to their own."""
    own = np.log(rate / people.hypoglycaemia_frailty[..., np.newaxis] / p["hypoglycaemia.rate"])
    glycaemic = p["wellbeing.per-hba1c"] * (mechanism.hba1c - p["wellbeing.reference-hba1c"])
    return glycaemic + p["wellbeing.per-ln-lows"] * own
