"""What differs between people in the mechanism, and where each starts on the day of diagnosis.

Nothing is drawn here: the standard normal levels of `population.People` are turned into units.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from equipoise.patients.chance import Floats
from equipoise.patients.empirical.cpeptide import BAND_AGES, BANDS, YEAR
from equipoise.patients.mechanistic.cells import Kinetics
from equipoise.patients.mechanistic.equations import Constants, Person, demand, inverse_glucose
from equipoise.patients.mechanistic.links import Links
from equipoise.patients.parameters import Parameters, default_parameters, read_table
from equipoise.patients.population import People

ADAG_SLOPE, ADAG_INTERCEPT = 28.7, -46.7
"""Mean glucose in mg/dL from HbA1c in % (Nathan 2008)."""
HABIT = 150.0
"""Minutes a week from which more exercise adds nothing."""


@cache
def mechanistic_parameters() -> Parameters:
    """The shipped table: the shared rows, with those of the mechanism added or in their place."""
    text = files("equipoise.patients.mechanistic").joinpath("parameters.toml").read_text("utf-8")
    return Parameters({**default_parameters().rows, **read_table(text)})


@dataclass(frozen=True, slots=True)
class Start:
    """People made ready for the solver, n of them.

    person: arrays (n,). homing: (n,) share of a dose. initial: (8, n), the states on the day of diagnosis.
    """

    person: Person
    homing: Floats
    initial: Floats
    constants: Constants
    kinetics: Kinetics

    def inverse_at(self, states: Floats, later: Floats | float) -> Floats:
        """1/G in dL/mg, (…, n), of states (8, …, n) in the order of STATES; later: `settled` at that time."""
        c = self.constants
        outer, own = demand(states[4], states[5], states[7], self.person, c)
        return inverse_glucose(outer, own, c.production * (1 + c.intake * later), c.alpha)


def make_start(people: People, links: Links, p: Parameters) -> Start:
    """Person by person in the order of the flattened (R, n)."""
    habit = exercise_habit(people, p)
    share = np.minimum(people.exercise_minutes.ravel() / HABIT, 1.0)
    regulation, control = _regulation(people, p), people.hba1c_level.ravel()
    sensitivity = p["glucose.sensitivity"] * (1 + p["exercise.sensitivity"] * habit)
    sensitivity = sensitivity * np.exp(-p["insulin.sensitivity-log-sd"] * people.insulin_level.ravel())
    saturation, weight = p["killing.effector"] ** -2, (p["killing.regulatory"] / p["killing.effector"]) ** 2
    injected = sensitivity * p["insulin.potency"]
    gain = p["insulin.gain"] * np.exp(p["insulin.gain-log-sd"] * people.insulin_level.ravel())
    person = Person(
        injected=injected,
        secretion=sensitivity * p["glucose.secretion"],
        strength=killing_rate(people, p) / YEAR * (saturation + 1.0 + weight),
        regulation=weight * regulation**2,
        calm=1 + p["exercise.inflammation"] * habit,
        half_gain=gain / 2,
        caution=gain * injected,
        habit=p["control.drift"] + p["control.person-sd"] * _skewed(control, p["control.person-skew"]),
        red_cell_rate=np.exp(-p["red-cells.log-sd"] * people.hba1c_recovery.ravel()) / p["red-cells.days"],
    )
    homing = np.minimum(links.homing * (1 + links.exercise_homing * share), 1 - p["cells.to-lung"])
    constants = _constants(links, p)
    return Start(person, homing, _initial(people, constants, person, p), constants, _kinetics(p))


def exercise_habit(people: People, p: Parameters) -> Floats:
    """Weekly exercise as far as 150 min, counted from the median habit in units of 150 min; (R n,)."""
    return (np.minimum(people.exercise_minutes.ravel(), HABIT) - min(p["exercise.median"], HABIT)) / HABIT


def mass_at_diagnosis(people: People, p: Parameters) -> Floats:
    """Beta-cell mass, 1 in health; (R n,)."""
    age = people.age.ravel()
    mean = np.interp(age, BAND_AGES, [p[f"beta.level-{band}"] for band in BANDS])
    sd = np.interp(age, BAND_AGES, [p[f"beta.level-sd-{band}"] for band in BANDS])
    return 1 / (1 + np.exp(-(mean + sd * people.cpeptide_level.ravel())))


def killing_rate(people: People, p: Parameters) -> Floats:
    """Share of beta cells killed a year while E = R = 1; (R n,). Falls with age, and goes with the level."""
    rho = p["killing.level-correlation"]
    z = rho * people.cpeptide_level.ravel() + np.sqrt(1 - rho**2) * people.cpeptide_decline.ravel()
    trend = p["killing.age"] * np.log(people.age.ravel() / 15)
    return p["killing.at-15"] * np.exp(trend + p["killing.log-sd"] * z)


def _regulation(people: People, p: Parameters) -> Floats:
    """The person's own level of regulatory cells relative to the mean."""
    cv = p["treg.person-sd"] / p["treg.typical"]
    variance = np.log1p(cv**2)
    return np.exp(np.sqrt(variance) * people.treg_level.ravel() - variance / 2)


def _skewed(z: Floats, skew: float) -> Floats:
    """A shifted log-normal of mean 0 and SD 1; the larger `skew`, the longer its right tail."""
    middle = np.exp(skew**2 / 2)
    return (np.exp(skew * z) - middle) / (middle * np.sqrt(np.expm1(skew**2)))


def _constants(links: Links, p: Parameters) -> Constants:
    half = p["activation.half"]
    return Constants(
        production=p["glucose.production"],
        effectiveness=p["glucose.effectiveness"],
        alpha=p["glucose.alpha"],
        alpha_2=2 * p["glucose.alpha"],
        saturation=p["killing.effector"] ** -2,
        memory=p["activation.memory"],
        antigen_half=half * p["killing.reference"] / YEAR,
        antigen_top=(1 - p["activation.memory"]) * (1 + half),
        cool=1 - p["activation.inflamed"],
        inflamed=p["activation.inflamed"],
        effector_rate=1 / p["effector.days"],
        regulatory_rate=1 / p["regulatory.days"],
        pro_rate=1 / p["pro.days"],
        anti_rate=1 / p["anti.days"],
        quiet=1 - p["pro.effector-share"],
        stirred=p["pro.effector-share"],
        unsoothed=1 - p["pro.soothing"],
        soothing=p["pro.soothing"],
        unregulated=1 - p["anti.regulatory-share"],
        regulating=p["anti.regulatory-share"],
        toxic_from=p["dysfunction.from"],
        toxic_square_4=4 * p["dysfunction.half"] ** 2,
        toxic_most=p["dysfunction.most"],
        recovery_rate=1 / p["dysfunction.recovery"],
        target=p["control.target"],
        intake=p["control.intake"],
        habit_square=p["control.drift-days"] ** 2,
        titration_rate=1 / p["insulin.titration"],
        least=p["insulin.lowest"],
        soft_2=2 * p["insulin.soft"],
        suppression=links.immunomodulation,
        expansion=links.regulatory_expansion,
        shift=links.cytokine_shift,
        regeneration=links.regeneration,
    )


def _kinetics(p: Parameters) -> Kinetics:
    days = (p["cells.blood-days"], p["cells.lung-days"], p["cells.pancreas-days"])
    blood, lung, pancreas = (1 / value for value in days)
    return Kinetics(blood, lung, pancreas, p["cells.to-lung"], p["cells.onward"])


def _initial(people: People, c: Constants, person: Person, p: Parameters) -> Floats:
    """The states on the day of diagnosis, cytokines in balance with the cells."""
    hba1c = _hba1c_at_diagnosis(people, p)
    above = 4 * np.maximum(ADAG_SLOPE * hba1c + ADAG_INTERCEPT - c.toxic_from, 0.0) ** 2
    one = np.ones_like(hba1c)
    regulatory = p["regulatory.at-diagnosis"] * one
    anti = 1 + c.regulating * (regulatory - 1)
    return np.stack([
        p["effector.at-diagnosis"] * one,
        regulatory,
        person.calm * (c.quiet + c.stirred * p["effector.at-diagnosis"]) / (c.unsoothed + c.soothing * anti),
        anti,
        mass_at_diagnosis(people, p),
        c.toxic_most * above / (c.toxic_square_4 + above),
        hba1c,
        p["insulin.start"] * one,
    ])  # fmt: skip


def _hba1c_at_diagnosis(people: People, p: Parameters) -> Floats:
    """Log-normal above the lowest; with a visit's noise it has the published SD."""
    lowest = p["hba1c.lowest"]
    mean = p["hba1c.at-diagnosis"] - lowest
    variance = max(float(np.log1p((p["hba1c.at-diagnosis-sd"] / mean) ** 2)) - p["hba1c.visit-sd"] ** 2, 0.0)
    return lowest + mean * np.exp(np.sqrt(variance) * people.hba1c_excess.ravel() - variance / 2)
