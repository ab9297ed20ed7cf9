"""What the sources report of the other quantities: HbA1c since diagnosis, cells, hypoglycaemia, sensor, well-being."""

from __future__ import annotations

import numpy as np

from equipoise.patients.chance import Floats
from equipoise.patients.empirical.hypoglycaemia import count_episodes
from equipoise.patients.empirical.model import measure_sensor, treg_count
from equipoise.patients.empirical.wellbeing import Item, answer_items
from equipoise.patients.parameters import Parameters
from equipoise.patients.population import CYTOKINES
from verification.patients.cohort import MONTH, TREG_WEEKS, source_people
from verification.patients.models import EMPIRICAL, Model

DIAGNOSIS_MONTHS = (0, 3, 6, 12)
SENSOR_DAYS = (10.0, 361.0)
RETAIN_YEARS = 1.8
DQOL = [Item(1, 5, higher_is_better=False)] * 46
PRESERVED = 0.2
"""nmol/L: C-peptide counts as preserved from here on."""


def other_statistics(parameters: Parameters, people: int, seed: int, model: Model = EMPIRICAL) -> dict[str, float]:
    """Everything beside C-peptide, HbA1c by study month and insulin."""
    out: dict[str, float] = {}
    for part in (_since_diagnosis, treg_statistics, _hypoglycaemia, _answers):
        out |= part(parameters, people, seed, model)
    return {name: float(value) for name, value in out.items()}


def _since_diagnosis(parameters: Parameters, people: int, seed: int, model: Model) -> dict[str, float]:
    drawn, draw, _ = source_people(parameters, people, seed)
    days = np.array([*(month * MONTH for month in DIAGNOSIS_MONTHS), *SENSOR_DAYS])
    course = model.course(drawn, np.broadcast_to(days, (1, people, days.size)).copy(), draw, parameters)
    young = drawn.age[0] < 18
    out: dict[str, float] = {}
    for place, month in enumerate(DIAGNOSIS_MONTHS):
        value = course.hba1c[0, young, place]
        out |= {f"hba1c.since-diagnosis.mean.{month}": value.mean(), f"hba1c.since-diagnosis.sd.{month}": value.std()}
    summary = measure_sensor(course, draw, parameters)[0, young]
    early, year = summary[:, -2], summary[:, -1]
    return out | {
        "sensor.in-range.early": early[:, 0].mean(),
        "sensor.in-range.year": year[:, 0].mean(),
        "sensor.below-70": year[:, 1].mean(),
        "sensor.variation": year[:, 6].mean(),
        "tgf-beta-1.mean": course.cytokines[0, :, 0, CYTOKINES.index("tgf-beta-1")].mean(),
        "tgf-beta-1.sd": course.cytokines[0, :, 0, CYTOKINES.index("tgf-beta-1")].std(),
    }


def treg_statistics(parameters: Parameters, people: int, seed: int, model: Model) -> dict[str, float]:
    """Regulatory T cells at TN05's weeks."""
    drawn, draw, zero = source_people(parameters, people, seed)
    days = zero[..., np.newaxis] + 7.0 * np.array(TREG_WEEKS)
    if not model.cells_from_diagnosis:  # screening is study day 0 then
        days = days - zero[..., np.newaxis]
    course = model.course(drawn, days, draw, parameters)
    value = course.treg[0]
    out = {f"treg.placebo.mean.{week}w": value[:, place].mean() for place, week in enumerate(TREG_WEEKS)}
    level = value - value.mean(axis=0)
    within = ((level - level.mean(axis=1, keepdims=True)) ** 2).sum() / (people * (len(TREG_WEEKS) - 1))
    between = level.mean(axis=1).var() - within / len(TREG_WEEKS)
    return out | {
        "treg.mean.0": value[:, 0].mean(),
        "treg.sd.0": value[:, 0].std(),
        "treg.within-sd": np.sqrt(within),
        "treg.between-sd": np.sqrt(between),
        "treg.icc": between / (between + within),
        "treg.change-sd.5w": (value[:, 1] - value[:, 0]).std(),
        "treg.count": treg_count(course)[0, :, 0].mean(),
    }


def _hypoglycaemia(parameters: Parameters, people: int, seed: int, model: Model) -> dict[str, float]:
    drawn, draw, zero = source_people(parameters, people, seed)
    last = zero + RETAIN_YEARS * 365.25
    episodes = model.episodes(drawn, zero, last, draw, parameters)
    edges = np.stack([zero, last], axis=-1)
    low = count_episodes(episodes, (2, 3), edges)[0, :, 0]
    mean, variance = low.mean(), low.var()
    middle = model.course(drawn, ((zero + last) / 2)[..., np.newaxis], draw, parameters)
    kept = middle.latent_auc[0, :, 0] >= PRESERVED
    every: Floats = count_episodes(episodes, (1, 2, 3), edges)[0, :, 0].astype(np.float64)
    return {
        "hypoglycaemia.rate": mean / RETAIN_YEARS,
        "hypoglycaemia.dispersion": (variance - mean) / mean**2,
        "hypoglycaemia.ratio": every[kept].mean() / every[~kept].mean(),
        "hypoglycaemia.severe": (episodes.level == 3).sum() / people / RETAIN_YEARS,
    }


def _answers(parameters: Parameters, people: int, seed: int, model: Model) -> dict[str, float]:
    drawn, draw, zero = source_people(parameters, people, seed)
    course = model.course(drawn, zero[..., np.newaxis], draw, parameters)
    answers = answer_items(course.wellbeing, DQOL, "dqol", draw, parameters)
    total = 100 * (5 - answers[0, :, 0]).mean(axis=-1) / 4
    return {"dqol.mean": total.mean(), "dqol.sd": total.std()}
