"""Invented trials of repeated measures, without effect: six visits, unevenly spaced, in 11 against 10 or 8 against 8.

A value is 0.6 of the baseline, -0.2 of the age, both in SDs, and an error. SD 1 at the last visit in both truths:
"drift", whose correlations fall with the months between two visits and whose SDs rise, and which no structure but the
unstructured one has exactly; "slopes", a random intercept and slope in time and a residual.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from equipoise.stats.mmrm import VisitDesign, visit_design
from verification.methods.gather import Floats

MONTHS = np.array([1.0, 2.0, 3.0, 6.0, 9.0, 12.0])
VISITS = len(MONTHS)
LAST = VISITS - 1
SIZES = {"21": (11, 10), "16": (8, 8)}
SLOPE_BASELINE, SLOPE_AGE = 0.6, -0.2

SDS = np.array([0.60, 0.70, 0.80, 0.90, 0.95, 1.0])
APART = np.abs(np.subtract.outer(MONTHS, MONTHS))
DRIFT = np.outer(SDS, SDS) * (0.35 + 0.45 * np.exp(-APART / 4) + 0.20 * np.eye(VISITS))
YEARS = MONTHS / 12
SLOPES = (0.25 + 1.50 * np.outer(YEARS, YEARS) + 0.10 * np.eye(VISITS)) / 1.85

Truth = Literal["drift", "slopes"]
Gaps = Literal["complete", "missing-10", "drop-out-25"]
TRUTHS: dict[Truth, Floats] = {"drift": DRIFT, "slopes": SLOPES}

MISSING, GAP = 0.10, 0.05
HAZARD, PULL = -2.93, 0.5
"""Logit of the risk to leave before the next visit, for somebody of average value, and its rise by 1 SD of the value
seen last: a quarter has left by the last visit."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Trials of one kind: people, coefficients (24: baseline and age by visit; 13: one slope of the baseline)."""

    people: str
    effects: Literal[24, 13]
    truth: Truth
    gaps: Gaps


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial as the models want it, a row for each person and visit; NaN is a missing value.

    y, arm, subject, visit: (n x 6,). design: with its ``columns``. last: weights of the difference at the last visit.
    """

    y: Floats
    arm: np.ndarray
    subject: np.ndarray
    visit: np.ndarray
    design: VisitDesign

    @property
    def last(self) -> Floats:
        return self.design.differences(active=1)[LAST]


def invented(setting: Setting, source: np.random.Generator, trials: int) -> Iterator[Trial]:
    """So many trials of a setting."""
    n = sum(SIZES[setting.people])
    baseline, age = source.standard_normal((2, trials, n))
    errors = source.standard_normal((trials, n, VISITS)) @ np.linalg.cholesky(TRUTHS[setting.truth]).T
    values = errors + (SLOPE_BASELINE * baseline + SLOPE_AGE * age)[..., None]
    values[missing(values, setting.gaps, source)] = np.nan
    for number in range(trials):
        yield _arranged(setting, values[number], baseline[number], age[number])


def missing(values: Floats, gaps: Gaps, source: np.random.Generator) -> np.ndarray:
    """Which of the values (..., 6) are not there.

    missing-10: each with the same probability. drop-out-25: single gaps, and nothing after somebody has left; the
    risk to leave depends on the last value that was seen, so that values are missing at random.
    """
    if gaps == "complete":
        return np.zeros(values.shape, dtype=np.bool_)
    chance = source.random(values.shape)
    if gaps == "missing-10":
        return chance < MISSING
    absent = chance < GAP
    seen, gone = np.where(absent[..., 0], 0.0, values[..., 0]), np.zeros(values.shape[:-1], dtype=np.bool_)
    for t in range(1, VISITS):
        gone |= source.random(gone.shape) < 1 / (1 + np.exp(-HAZARD - PULL * seen))
        absent[..., t] |= gone
        seen = np.where(absent[..., t], seen, values[..., t])
    return absent


def _arranged(setting: Setting, values: Floats, baseline: Floats, age: Floats) -> Trial:
    """From values (n, 6) and covariates (n,)."""
    first, second = SIZES[setting.people]
    n = first + second
    subject, visit = np.repeat(np.arange(n), VISITS), np.tile(np.arange(VISITS), n)
    arm = (subject >= first).astype(np.int64)
    both, one = np.stack([baseline, age], axis=1)[subject], baseline[subject, None]
    crossed, plain = (both, None) if setting.effects == 24 else (None, one)
    y = values.ravel()
    design = visit_design(y, arm, subject, visit, arms=2, visits=VISITS, crossed=crossed, plain=plain)
    return Trial(y, arm, subject, visit, design)
