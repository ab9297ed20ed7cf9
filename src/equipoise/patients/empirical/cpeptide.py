"""C-peptide: the 2 h mean of a mixed-meal test over the time since diagnosis, its time points, and fasting C-peptide.

With A the 2 h mean in nmol/L and H the level that nobody passes, y = ln(A / (H - A)) falls by a power of time, a
little more slowly in the first months than later:

    y(t) = level(age) + sd(age) z1 - rate t^k + what treatment added + visit noise,
    ln rate = a + b ln(age / 15) + s (rho z1 + sqrt(1 - rho^2) z2),      t in years since diagnosis.

On this scale a high level cannot run away, and a low one falls on the logarithm's scale, as the real ones do.
Fasting C-peptide follows the regression of Dufort 2019: ln fasting = 0.384 + 1.016 ln A, in ng/mL.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from equipoise.patients.chance import Draw, Floats, normals
from equipoise.patients.parameters import Parameters
from equipoise.patients.population import People

YEAR = 365.25
NMOL_PER_NG = 0.331
"""nmol/L for 1 ng/mL, exactly as T1DAL's laboratory."""
LIMIT_NG = 0.05
"""ng/mL: the lower limit of the assay."""
FLOOR = LIMIT_NG * NMOL_PER_NG / 2
"""nmol/L: what a test counts when every point lies below the limit (0.00828)."""
BANDS = ("child", "adolescent", "young-adult", "adult")
BAND_AGES = (10.5, 15.5, 20.0, 28.0)
"""Years at which the four levels hold; between them a straight line, beyond them the outer level."""
RISE_MINUTES = (0.0, 15.0, 30.0, 60.0, 90.0, 120.0, 150.0, 180.0, 240.0)
RISE = (0.0, 0.35, 0.72, 1.20, 1.32, 1.20, 1.0, 0.8, 0.45)
"""Shape of the rise above the fasting value after a meal; only ratios matter."""
SMALLEST_SHARE = 0.05
"""No point of a test lies below this share of its 2 h mean."""


def latent_course(people: People, since_diagnosis: Floats, p: Parameters) -> Floats:
    """The untreated course without visit noise on the logit scale, (R, n, V); since_diagnosis in days, (R, n, V)."""
    years = np.maximum(since_diagnosis, 0.0) / YEAR
    return level(people, p)[..., np.newaxis] - rate(people, p)[..., np.newaxis] * years ** p["cpeptide.decline-power"]


def level(people: People, p: Parameters) -> Floats:
    """The level at diagnosis on the logit scale, (R, n)."""
    mean = np.interp(people.age, BAND_AGES, [p[f"cpeptide.level-{band}"] for band in BANDS])
    sd = np.interp(people.age, BAND_AGES, [p[f"cpeptide.level-sd-{band}"] for band in BANDS])
    return mean + sd * people.cpeptide_level


def rate(people: People, p: Parameters) -> Floats:
    """The fall of the first year since diagnosis on the logit scale, (R, n); positive."""
    rho = p["cpeptide.level-decline-correlation"]
    z = rho * people.cpeptide_level + np.sqrt(1 - rho**2) * people.cpeptide_decline
    mean = p["cpeptide.decline-15"] + p["cpeptide.decline-age"] * np.log(people.age / 15)
    return np.exp(mean + p["cpeptide.decline-sd"] * z)


def from_logit(value: Floats, p: Parameters) -> Floats:
    """The 2 h mean in nmol/L, below its bound."""
    return p["cpeptide.highest"] / (1 + np.exp(-value))


def visit_auc(latent: Floats, draw: Draw, p: Parameters) -> Floats:
    """The 2 h mean of the day of a visit in nmol/L, (R, n, V)."""
    return from_logit(latent + p["cpeptide.visit-sd"] * normals(draw, "cpeptide-visit", latent.shape[-1]), p)


def visit_fasting(people: People, auc: Floats, draw: Draw, p: Parameters) -> Floats:
    """Fasting C-peptide of the day of a visit in ng/mL, (R, n, V)."""
    person = np.sqrt(p["cpeptide.fasting-person-share"]) * people.fasting_level[..., np.newaxis]
    visit = np.sqrt(1 - p["cpeptide.fasting-person-share"]) * normals(draw, "fasting-visit", auc.shape[-1])
    line = p["cpeptide.fasting-intercept"] + p["cpeptide.fasting-slope"] * np.log(auc)
    return np.exp(line + p["cpeptide.fasting-sd"] * (person + visit))


def assayed_fasting(fasting: Floats, draw: Draw, p: Parameters) -> Floats:
    """Fasting C-peptide of one sample in ng/mL, with the noise of sampling and assay, uncensored; (R, n, V)."""
    cv = p["cpeptide.assay-cv"]
    return fasting * np.exp(cv * normals(draw, "fasting-assay", fasting.shape[-1]) - cv**2 / 2)


def meal_points(auc: Floats, fasting: Floats, minutes: Sequence[float], draw: Draw, p: Parameters) -> Floats:
    """The time points of mixed-meal tests in nmol/L, uncensored, (R, n, V, minutes).

    auc: nmol/L, fasting: ng/mL, both (R, n, V). Points up to minute 0 are fasting samples with the assay's noise.
    The later ones have the same noise and are then scaled, so that the trapezoid mean of 0 to 120 minutes, from the
    mean of the fasting samples, is `auc`.
    """
    times = np.asarray(minutes, np.float64)
    block = normals(draw, "meal-cpeptide", auc.shape[-1] * times.size).reshape(*auc.shape, times.size)
    cv = p["cpeptide.assay-cv"]
    noise = np.exp(cv * block - cv**2 / 2)
    basal = (fasting * NMOL_PER_NG)[..., np.newaxis]
    before = times <= 0
    points = np.empty(noise.shape)
    points[..., before] = basal * noise[..., before]
    start = points[..., before].mean(axis=-1) if before.any() else basal[..., 0]
    rise = np.interp(times[~before], RISE_MINUTES, np.asarray(RISE) / _rise_mean())
    raw = np.maximum(basal + (auc[..., np.newaxis] - basal) * rise, SMALLEST_SHARE * auc[..., np.newaxis])
    raw *= noise[..., ~before]
    weights = trapezoid_weights(times[~before])
    scale = (auc - weights[0] * start) / (raw * weights[1:]).sum(axis=-1)
    points[..., ~before] = raw * np.maximum(scale, SMALLEST_SHARE)[..., np.newaxis]
    return points


def trapezoid_weights(after: Floats) -> Floats:
    """Weights in the mean over 0 to 120 minutes of the start at 0 and of the points after it; later points have 0."""
    times = np.concatenate([[0.0], np.asarray(after, np.float64)])
    inside = times[times <= 120]
    weights = np.zeros(times.size)
    weights[: inside.size - 1] += np.diff(inside) / 2
    weights[1 : inside.size] += np.diff(inside) / 2
    return weights / inside[-1]


def censored_ng(value: Floats) -> Floats:
    """Values in ng/mL, with half the lower limit for those below it."""
    return np.where(value < LIMIT_NG, LIMIT_NG / 2, value)


def auc_from_points(points: Floats, minutes: Sequence[float]) -> Floats:
    """The 2 h mean in nmol/L from points (…, minutes), where half the limit stands for those below it."""
    times = np.asarray(minutes, np.float64)
    seen = np.where(points < LIMIT_NG * NMOL_PER_NG, FLOOR, points)
    weights = trapezoid_weights(times[times > 0])
    return weights[0] * seen[..., times <= 0].mean(axis=-1) + (seen[..., times > 0] * weights[1:]).sum(axis=-1)


def _rise_mean() -> float:
    return float((trapezoid_weights(np.array(RISE_MINUTES[1:6])) * np.array(RISE[:6])).sum())
