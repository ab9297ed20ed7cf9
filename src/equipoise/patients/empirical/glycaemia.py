"""HbA1c, insulin and glucose.

HbA1c, with d the days since diagnosis and ln A the untreated course of C-peptide:

    long  = level + per_year d/365.25 + per_ln_cpeptide ln A
    HbA1c = lowest + (long - lowest) exp(u - var(u)/2) + excess exp(-d / recovery)
    u     = person_sd (1 - exp(-d / person_onset)) b + visit_sd e

so that people fall from diagnosis at their own pace and then part from one another over the first year.
Insulin = (level + per_ln_cpeptide ln A - honeymoon exp(-d / days)) exp(b + e), less in those who exercise.
Treatment acts by the scenario alone: C-peptide that treatment preserves does not act a second time through ln A,
because the published links are associations.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from equipoise.patients.chance import Draw, Floats, normals
from equipoise.patients.empirical.cpeptide import FLOOR, YEAR
from equipoise.patients.parameters import Parameters
from equipoise.patients.population import People

ADAG_SLOPE, ADAG_INTERCEPT = 28.7, -46.7
"""Mean glucose in mg/dL from HbA1c in % (Nathan 2008)."""
HIGHEST_HBA1C = 18.0
MEAL_MINUTES = (0.0, 15.0, 30.0, 60.0, 90.0, 120.0, 180.0, 240.0)
MEAL_RISE = (0.0, 0.17, 0.42, 0.83, 1.0, 0.97, 0.7, 0.4)
"""Shape of the rise of glucose after a meal."""
LOWEST_GLUCOSE, HIGHEST_GLUCOSE = 40.0, 550.0


def visit_hba1c(
    people: People, since_diagnosis: Floats, log_cpeptide: Floats, shift: Floats, draw: Draw, p: Parameters
) -> Floats:
    """HbA1c in %, (R, n, V). log_cpeptide: ln nmol/L, untreated; shift: what treatment and exercise add."""
    days = np.maximum(since_diagnosis, 0.0)
    lowest = p["hba1c.lowest"]
    link = p["hba1c.per-ln-cpeptide"] * np.maximum(log_cpeptide, np.log(FLOOR))
    long = p["hba1c.level"] + p["hba1c.per-year"] * days / YEAR + link
    loading = p["hba1c.person-sd"] * -np.expm1(-days / p["hba1c.person-onset"])
    noise = p["hba1c.visit-sd"] * normals(draw, "hba1c-visit", days.shape[-1])
    part = loading * people.hba1c_level[..., np.newaxis] + noise - (loading**2 + p["hba1c.visit-sd"] ** 2) / 2
    value = lowest + np.maximum(long - lowest, 0.3) * np.exp(part) + _excess(people, days, p) + shift
    return np.clip(value, lowest - 0.3, HIGHEST_HBA1C)


def _excess(people: People, days: Floats, p: Parameters) -> Floats:
    """What is left of the glucose before diagnosis: log-normal, and lost at a person's own pace."""
    mean = p["hba1c.at-diagnosis"] - p["hba1c.level"]
    log_variance = np.log1p((p["hba1c.at-diagnosis-sd"] / mean) ** 2)
    excess = mean * np.exp(np.sqrt(log_variance) * people.hba1c_excess - log_variance / 2)
    pace = p["hba1c.recovery"] * np.exp(p["hba1c.recovery-log-sd"] * people.hba1c_recovery)
    return excess[..., np.newaxis] * np.exp(-days / pace[..., np.newaxis])


def visit_insulin(
    people: People, since_diagnosis: Floats, log_cpeptide: Floats, log_ratio: Floats, draw: Draw, p: Parameters
) -> Floats:
    """Insulin in U/kg/day, (R, n, V). log_cpeptide: ln nmol/L, untreated; log_ratio: what treatment adds to ln dose."""
    days = np.maximum(since_diagnosis, 0.0)
    mean = p["insulin.level"] + p["insulin.per-ln-cpeptide"] * np.maximum(log_cpeptide, np.log(FLOOR))
    mean = mean - p["insulin.honeymoon"] * np.exp(-days / p["insulin.honeymoon-days"])
    person, visit = p["insulin.person-log-sd"], p["insulin.visit-log-sd"]
    part = person * people.insulin_level[..., np.newaxis] - (person**2 + visit**2) / 2
    part = part + visit * normals(draw, "insulin-visit", days.shape[-1])
    habit = p["insulin.exercise"] * _habit_above_median(people, p)[..., np.newaxis]
    return np.maximum(mean, p["insulin.lowest"]) * np.exp(part + habit + log_ratio)


def _habit_above_median(people: People, p: Parameters) -> Floats:
    """Weekly exercise, as far as 150 min a week, counted from the median habit in units of 150 min."""
    return (np.minimum(people.exercise_minutes, 150.0) - min(p["exercise.median"], 150.0)) / 150.0


def mean_glucose(hba1c: Floats) -> Floats:
    """mg/dL by the ADAG line."""
    return ADAG_SLOPE * hba1c + ADAG_INTERCEPT


def visit_glucose(mean: Floats, draw: Draw, p: Parameters) -> Floats:
    """Fasting glucose of the day of a visit in mg/dL, (R, n, V), from the mean of those weeks."""
    sd = p["glucose.fasting-log-sd"]
    noise = np.exp(sd * normals(draw, "glucose-visit", mean.shape[-1]) - sd**2 / 2)
    return np.clip(p["glucose.fasting-share"] * mean * noise, LOWEST_GLUCOSE, HIGHEST_GLUCOSE)


def assayed_glucose(glucose: Floats, draw: Draw, p: Parameters) -> Floats:
    """Fasting glucose of one sample in mg/dL, (R, n, V)."""
    cv = p["glucose.assay-cv"]
    return glucose * np.exp(cv * normals(draw, "glucose-assay", glucose.shape[-1]) - cv**2 / 2)


def meal_glucose(glucose: Floats, auc: Floats, minutes: Sequence[float], draw: Draw, p: Parameters) -> Floats:
    """Glucose at the time points of mixed-meal tests in mg/dL, (R, n, V, minutes)."""
    times = np.asarray(minutes, np.float64)
    size = normals(draw, "meal-rise", auc.shape[-1])
    log_rise = p["glucose.meal-rise-per-ln-cpeptide"] * (np.log(np.maximum(auc, FLOOR)) - np.log(0.5))
    rise = p["glucose.meal-rise"] * np.exp(log_rise + p["glucose.meal-rise-log-sd"] * size)
    mean = glucose[..., np.newaxis] + rise[..., np.newaxis] * np.interp(times, MEAL_MINUTES, MEAL_RISE)
    noise = normals(draw, "meal-glucose", auc.shape[-1] * times.size).reshape(mean.shape)
    cv = p["glucose.assay-cv"]
    return np.clip(mean * np.exp(cv * noise - cv**2 / 2), LOWEST_GLUCOSE - 10, HIGHEST_GLUCOSE + 50)
