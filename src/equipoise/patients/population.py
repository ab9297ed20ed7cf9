"""Who is assessed: age, body, time since diagnosis, eligibility, and the latent levels that a person keeps.

Everything is (R, n): R trials of n people. A latent level is a standard normal unless its comment says otherwise;
the file of each quantity turns it into units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.patients.chance import (
    Bools,
    Draw,
    Floats,
    gamma,
    normal,
    normals,
    one,
    truncated_gamma,
)
from equipoise.patients.parameters import Parameters

ANTIBODIES = ("gad65", "ia2", "znt8")
CYTOKINES = ("ifn-gamma", "tnf-alpha", "il-6", "il-17", "il-1-beta", "il-4", "il-10", "tgf-beta-1")
LABORATORY = ("haemoglobin", "leucocytes", "platelets", "alt", "creatinine")
VITAL_SIGNS = ("temperature", "systolic", "diastolic", "heart-rate", "oxygen")
CONDITIONS = (
    "cancer",
    "acute_or_severe_disease",
    "hiv",
    "htlv",
    "hbv",
    "hcv",
    "cmv",
    "immune_deficiency",
    "hypersensitivity",
    "severe_ketoacidosis",
)
TITRES = (5.0, 120.0, 100.0, 80.0)
"""U/mL: the level below which there is no antibody, and the median of those who have GAD65, IA-2, ZnT8."""


@dataclass(frozen=True, slots=True)
class People:
    """People at their screening; arrays are (R, n), or (R, n, k) where said.

    age: exact years. days_since_diagnosis: days from diagnosis to screening. exercise_minutes: habitual min/week.
    conditions: the eligibility variables that are plain yes or no, by name. antibodies: (R, n, 3) in U/mL.
    hla_risk: 2 for both HLA-DR3 and DR4, 1 for one of them, 0 for neither.
    consents: whether they would take part if they were eligible.
    hypoglycaemia_frailty, adverse_frailty: multiply a rate; mean 1.
    *_level and the others: standard normal latent values; cytokine_level (R, n, 8), laboratory_level and
    vital_level (R, n, 5), in the order of the tuples of this module.
    """

    age: Floats
    female: Bools
    days_since_diagnosis: Floats
    consents: Bools
    conditions: Mapping[str, Bools]
    antibodies: Floats
    hla_risk: Floats
    height_level: Floats
    weight_level: Floats
    exercise_level: Floats
    exercise_minutes: Floats
    cpeptide_level: Floats
    cpeptide_decline: Floats
    fasting_level: Floats
    hba1c_level: Floats
    hba1c_excess: Floats
    hba1c_recovery: Floats
    insulin_level: Floats
    hypoglycaemia_frailty: Floats
    cytokine_level: Floats
    treg_level: Floats
    cd4_level: Floats
    wellbeing_level: Floats
    adverse_frailty: Floats
    laboratory_level: Floats
    vital_level: Floats

    @property
    def age_completed(self) -> Floats:
        return np.floor(self.age)

    @property
    def shape(self) -> tuple[int, int]:
        return self.age.shape[0], self.age.shape[1]

    def choose(self, places: NDArray[np.integer]) -> People:
        """The people at `places`, (R, m) indices along n, for example those who were randomised, in their order."""
        rows = np.arange(places.shape[0])[:, np.newaxis]
        chosen: dict[str, Any] = {"conditions": {name: value[rows, places] for name, value in self.conditions.items()}}
        for name in self.__slots__:
            if name not in chosen:
                chosen[name] = getattr(self, name)[rows, places]
        return People(**chosen)


def draw_people(draw: Draw, parameters: Parameters) -> People:
    """People as they come to be assessed, each from his own uniforms."""
    p = parameters
    age = _age(one(draw, "age"), p)
    female = one(draw, "sex") < p["people.female"]
    diagnosis = normal(one(draw, "diagnosis"))
    habit = normal(one(draw, "exercise-habit"))
    latent = normals(draw, "people", 11)
    conditions, antibodies = _eligibility(draw, age, female, p)
    return People(
        age=age,
        female=female,
        days_since_diagnosis=np.ceil(p["people.diagnosis-median"] * np.exp(p["people.diagnosis-log-sd"] * diagnosis)),
        consents=one(draw, "consent") < p["people.consent"],
        conditions=conditions,
        antibodies=antibodies,
        hla_risk=_hla_risk(one(draw, "hla"), age, p),
        height_level=latent[..., 0],
        weight_level=latent[..., 1],
        exercise_level=habit,
        exercise_minutes=p["exercise.median"] * np.exp(p["exercise.person-log-sd"] * habit),
        cpeptide_level=latent[..., 2],
        cpeptide_decline=latent[..., 3],
        fasting_level=latent[..., 4],
        hba1c_level=latent[..., 5],
        hba1c_excess=latent[..., 6],
        hba1c_recovery=latent[..., 7],
        insulin_level=latent[..., 8],
        hypoglycaemia_frailty=_frailty(one(draw, "hypoglycaemia-frailty"), p["hypoglycaemia.frailty"]),
        cytokine_level=_sharing(normals(draw, "cytokine-levels", 1 + len(CYTOKINES)), p["cytokine.shared"]),
        treg_level=latent[..., 9],
        cd4_level=latent[..., 10],
        wellbeing_level=normal(one(draw, "wellbeing-level")),
        adverse_frailty=_frailty(one(draw, "adverse-frailty"), p["adverse.frailty"]),
        laboratory_level=normals(draw, "laboratory-levels", len(LABORATORY)),
        vital_level=normals(draw, "vital-levels", len(VITAL_SIGNS)),
    )


def eligibility_values(people: People) -> dict[str, Floats | Bools]:
    """The variables of eligibility that do not need a sample; (R, n) each. Fasting C-peptide is measured."""
    return {
        "age": people.age_completed,
        "days_since_diagnosis": people.days_since_diagnosis,
        "hla_risk": people.hla_risk,
        **people.conditions,
    }


def _age(uniform: Floats, p: Parameters) -> Floats:
    """Gamma above the lowest age, cut at the highest; exact years."""
    lowest = p["people.age-lowest"]
    mean = p["people.age-mean"] - lowest
    scale = p["people.age-sd"] ** 2 / mean
    return lowest + truncated_gamma(uniform, mean / scale, scale, p["people.age-highest"] - lowest)


def _hla_risk(uniform: Floats, age: Floats, p: Parameters) -> Floats:
    """2, 1 or 0; both haplotypes the more often the younger at diagnosis."""
    share = p["people.hla-both"]
    both = 1 / (1 + np.exp(-(np.log(share / (1 - share)) + p["people.hla-both-age"] * np.log(age / 15))))
    return np.where(uniform < both, 2.0, np.where(uniform < both + (1 - both) * p["people.hla-one"], 1.0, 0.0))


def _frailty(uniform: Floats, variance: float) -> Floats:
    return gamma(uniform, 1 / variance) if variance > 0 else np.ones_like(uniform)


def _sharing(values: Floats, shared: float) -> Floats:
    """Standard normal values that share one: the first column is common to all that follow."""
    return np.sqrt(shared) * values[..., :1] + np.sqrt(1 - shared) * values[..., 1:]


def _eligibility(draw: Draw, age: Floats, female: Bools, p: Parameters) -> tuple[dict[str, Bools], Floats]:
    """The yes-or-no variables by name, and the antibodies in U/mL."""
    chance = draw("conditions", 3 + len(CONDITIONS))
    positive = chance[..., 0] < p["people.autoantibody-positive"]
    fertile = female & (age >= 16) & (age < 46)
    conditions = {
        "ada_criteria": chance[..., 1] < p["people.ada-criteria"],
        "autoantibody_positive": positive,
        "pregnant_or_breastfeeding": fertile & (chance[..., 2] < p["people.pregnant"]),
    }
    for place, name in enumerate(CONDITIONS, start=3):
        key = "severe_ketoacidosis_history" if name == "severe_ketoacidosis" else name
        conditions[key] = chance[..., place] < p["people." + name.replace("_", "-")]
    return conditions, _antibodies(draw, positive, p)


def _antibodies(draw: Draw, positive: Bools, p: Parameters) -> Floats:
    """Titres, (R, n, 3): whoever is positive has one antibody at least."""
    chance = draw("antibodies", 2 * len(ANTIBODIES))
    has = chance[..., :3] < np.array([p[f"people.{name}"] for name in ANTIBODIES])
    has[..., 0] |= ~has.any(axis=-1)
    has &= positive[..., np.newaxis]
    level = np.exp(p["people.antibody-log-sd"] * normal(chance[..., 3:]))
    return np.where(has, TITRES[0] * 2 + np.array(TITRES[1:]) * level, TITRES[0] * chance[..., 3:])
