"""What the sources report, computed from a simulated cohort; keys are the ids of targets.yaml."""

from __future__ import annotations

import numpy as np

from equipoise.patients.chance import Bools, Floats
from equipoise.patients.empirical.cpeptide import FLOOR, censored_ng
from verification.patients.cohort import MONTHS, Cohort

BANDS = {"child": (0, 13), "adolescent": (13, 18), "young-adult": (18, 22), "adult": (22, 99)}
SLOPE_BANDS = {"child": (0, 13), "adolescent": (13, 18), "18-and-over": (18, 99)}
AT = {month: place for place, month in enumerate(MONTHS)}
YEARS = np.array([-20 / 365.25, *(month / 12 for month in MONTHS[1:])])
EXPECTED = (-0.191, 0.812, 0.00638)
"""ln(C12 + 1) = -0.191 + 0.812 ln(C0 + 1) + 0.00638 age (Bundy & Krischer)."""


def cpeptide_statistics(cohort: Cohort) -> dict[str, float]:
    """Everything of C-peptide."""
    auc, age = cohort.auc, cohort.people.age[0]
    log_auc = np.log(auc)
    out: dict[str, float] = {"log-auc.mean.0": log_auc[:, 0].mean(), "log-auc.sd.0": log_auc[:, 0].std()}
    for month in (0, 12, 24):
        here = auc[:, AT[month]]
        out |= {f"auc.mean.{month}": here.mean(), f"auc.sd.{month}": here.std()}
        out[f"auc.median.{month}"] = float(np.median(here))
    for band, (low, high) in BANDS.items():
        here = auc[(age >= low) & (age < high), 0]
        out |= {f"auc.mean.0.{band}": here.mean(), f"auc.sd.0.{band}": here.std()}
    for month in MONTHS[1:]:
        out[f"log-auc.change.{month}"] = (log_auc[:, AT[month]] - log_auc[:, 0]).mean()
        out[f"auc.floor.{month}"] = (auc[:, AT[month]] <= FLOOR * 1.0001).mean()
        out[f"auc.above.{month}"] = (auc[:, AT[month]] > 1.2 * auc[:, 0]).mean()
    out |= _subset_change(cohort) | _log_slopes(log_auc, age) | _quantitative_response(auc, age) | _fasting(cohort)
    return {name: float(value) for name, value in out.items()}


def _subset_change(cohort: Cohort) -> dict[str, float]:
    """Change of the AUC among ages 8 to 40 with fasting C-peptide of 0.3 ng/mL or more."""
    age = np.floor(cohort.people.age[0])
    chosen = (age >= 8) & (age <= 40) & (cohort.fasting[:, 0] >= 0.3)
    out: dict[str, float] = {}
    for month in (12, 24):
        change = (cohort.auc[:, AT[month]] - cohort.auc[:, 0])[chosen]
        out |= {f"auc-change.mean.{month}": change.mean(), f"auc-change.sd.{month}": change.std()}
    return out


def _log_slopes(log_auc: Floats, age: Floats) -> dict[str, float]:
    """Slopes by age, and the working mixed model: with equal visits its estimates are moments of people's own lines."""
    design = np.stack([np.ones_like(YEARS), YEARS], axis=1)
    inverse = np.linalg.inv(design.T @ design)
    lines = log_auc @ design @ inverse
    out = {
        f"log-auc.slope.{band}": lines[(age >= low) & (age < high), 1].mean()
        for band, (low, high) in SLOPE_BANDS.items()
    }
    residual = log_auc - lines @ design.T
    noise = (residual**2).sum() / (residual.shape[0] * (residual.shape[1] - 2))
    covariate = np.stack([np.ones_like(age), np.log(age / 15)], axis=1)
    fixed = np.linalg.lstsq(covariate, lines, rcond=None)[0]
    spread = np.cov((lines - covariate @ fixed).T) - noise * inverse
    sds = np.sqrt(np.maximum(np.diag(spread), 1e-9))
    keys = ("intercept", "slope", "slope-age", "intercept-sd", "slope-sd", "correlation", "residual-sd")
    values = (fixed[0, 0], fixed[0, 1], fixed[1, 1], *sds, spread[0, 1] / sds.prod(), np.sqrt(noise))
    return out | {f"log-auc.working.{key}": value for key, value in zip(keys, values, strict=True)}


def _quantitative_response(auc: Floats, age: Floats) -> dict[str, float]:
    log1p = np.log1p(auc)
    expected = EXPECTED[0] + EXPECTED[1] * log1p[:, 0] + EXPECTED[2] * age
    response = log1p - expected[:, np.newaxis]
    year = response[:, AT[12]]
    # Beyond 12 months the straight line from baseline to the expected value at 12 months is drawn on.
    second = log1p[:, AT[24]] - (2 * expected - log1p[:, 0])
    return {
        "log1p-auc.change.12": (log1p[:, AT[12]] - log1p[:, 0]).mean(),
        "qr.mean.12": year.mean(),
        "qr.sd.12": year.std(),
        "qr.above.12": (year >= 0).mean(),
        "qr.mean.24": second.mean(),
    }


def _fasting(cohort: Cohort) -> dict[str, float]:
    out: dict[str, float] = {}
    for month in (0, 12, 24):
        here = censored_ng(cohort.fasting[:, AT[month]])
        out |= {f"fasting.mean.{month}": here.mean(), f"fasting.sd.{month}": here.std()}
    seen = (cohort.fasting > 0.05) & (cohort.auc > 2 * FLOOR)
    x, y = np.log(cohort.auc[seen]), np.log(cohort.fasting[seen])
    slope, intercept = np.polyfit(x, y, 1)
    residual = (y - intercept - slope * x).std()
    return out | {"fasting.slope": slope, "fasting.intercept": intercept, "fasting.residual-sd": residual}


def hba1c_statistics(cohort: Cohort) -> dict[str, float]:
    """HbA1c at the source's visits, with its working model from month 3 on."""
    value = cohort.course.hba1c[0]
    out: dict[str, float] = {}
    for month in MONTHS:
        out |= {f"hba1c.mean.{month}": value[:, AT[month]].mean(), f"hba1c.sd.{month}": value[:, AT[month]].std()}
    for month in (12, 24):
        change = value[:, AT[month]] - value[:, 0]
        out |= {f"hba1c-change.mean.{month}": change.mean(), f"hba1c-change.sd.{month}": change.std()}
        out[f"hba1c.correlation.0-{month}"] = _correlation(value, 0, month)
    out["hba1c.correlation.6-12"] = _correlation(value, 6, 12)
    out["hba1c.correlation.12-24"] = _correlation(value, 12, 24)
    late = slice(1, None)
    fixed, between, residual = random_intercept(value[:, late], [np.log(cohort.auc[:, late]), _times(value)[:, late]])
    keys = ("intercept", "log-auc", "slope", "between-sd", "residual-sd")
    out |= {f"hba1c.working.{key}": v for key, v in zip(keys, (*fixed, between, residual), strict=True)}
    return {name: float(value) for name, value in out.items()}


def insulin_statistics(cohort: Cohort) -> dict[str, float]:
    """Insulin at T1DAL's ages."""
    age = np.floor(cohort.people.age[0])
    chosen: Bools = (age >= 12) & (age <= 35)
    value = cohort.course.insulin[0][chosen]
    out: dict[str, float] = {}
    for month in (0, 6, 12, 18, 24):
        out |= {f"insulin.mean.{month}": value[:, AT[month]].mean(), f"insulin.sd.{month}": value[:, AT[month]].std()}
    fixed, between, residual = random_intercept(value, [np.log(cohort.auc[chosen])])
    keys = ("intercept", "log-auc", "between-sd", "residual-sd")
    out |= {f"insulin.working.{key}": v for key, v in zip(keys, (*fixed, between, residual), strict=True)}
    return {name: float(value) for name, value in out.items()}


def random_intercept(value: Floats, covariates: list[Floats]) -> tuple[Floats, float, float]:
    """A model with a random intercept, people at equal visits: coefficients, SD between people, residual SD.

    Generalised least squares by quasi-demeaning, with the two variances from the residuals, in turn until they stand.
    """
    visits, share = value.shape[1], 0.5
    fixed = np.zeros(1 + len(covariates))
    between = residual = 0.0
    design = np.stack([np.ones_like(value), *covariates], axis=-1)
    for _ in range(8):
        y = value - share * value.mean(axis=1, keepdims=True)
        x = design - share * design.mean(axis=1, keepdims=True)
        fixed = np.linalg.lstsq(x.reshape(-1, x.shape[-1]), y.ravel(), rcond=None)[0]
        left = value - design @ fixed
        means = left.mean(axis=1)
        within = ((left - means[:, np.newaxis]) ** 2).sum() / (left.shape[0] * (visits - 1))
        outer = max(means.var() - within / visits, 0.0)
        share = 1 - np.sqrt(within / (within + visits * outer))
        between, residual = float(np.sqrt(outer)), float(np.sqrt(within))
    return fixed, between, residual


def _times(value: Floats) -> Floats:
    return np.broadcast_to(YEARS, value.shape)


def _correlation(value: Floats, first: int, second: int) -> float:
    return float(np.corrcoef(value[:, AT[first]], value[:, AT[second]])[0, 1])
