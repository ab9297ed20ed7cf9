"""What an intercurrent event does to a simulated person: sizes from the scenario, for a time or for good.

The sizes act on what is seen, and each on its own quantity alone, in both models of people alike: a course of steroids
has the size of its HbA1c and the size of its glucose, and neither follows from the other or from the equations. All
sizes are zero by default, and people without an acting event are bit for bit the people they were.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from equipoise.patients.chance import Floats
from equipoise.patients.effects import YEAR, EffectRange
from equipoise.patients.empirical.glycaemia import HIGHEST_GLUCOSE, HIGHEST_HBA1C, LOWEST_GLUCOSE
from equipoise.patients.empirical.model import Course
from equipoise.patients.parameters import Parameters

RED_CELLS = 30 / math.log(2)
"""Days in which HbA1c goes 1 - 1/e of the way: half of HbA1c is from the last month (docs/patients.md)."""
LOWEST_MEAN = 55.0
"""mg/dL: the least mean glucose of those weeks."""


@dataclass(frozen=True, slots=True)
class InterludeSizes:
    """What one kind of intercurrent event does while it lasts; see INTERLUDE_RANGES."""

    days: float = math.inf
    hba1c: float = 0.0
    glucose: float = 0.0
    glucose_variation: float = 0.0
    insulin_log_ratio: float = 0.0
    hypoglycaemia_log_ratio: float = 0.0
    cpeptide_slope: float = 0.0
    wellbeing_shift: float = 0.0
    treated_log_hazard: float = 0.0

    @property
    def acts(self) -> bool:
        """Whether it moves any outcome."""
        return any(getattr(self, name) != 0 for name in INTERLUDE_RANGES if name not in ("days", "treated_log_hazard"))


INTERLUDE_RANGES: dict[str, EffectRange] = {
    "days": EffectRange("days", 1.0, 36_500.0, "how long it lasts; for good where it is not said"),
    "hba1c": EffectRange("%", -3.0, 4.0, "added to HbA1c, reached and lost as red cells are renewed (half in a month)"),
    "glucose": EffectRange("mg/dL", -80.0, 200.0, "added to mean glucose; fasting glucose moves in proportion"),
    "glucose_variation": EffectRange("points", -20.0, 20.0, "added to the coefficient of variation of glucose, in %"),
    "insulin_log_ratio": EffectRange("ln ratio", -1.5, 1.5, "on the insulin dose"),
    "hypoglycaemia_log_ratio": EffectRange("ln ratio", -2.0, 2.0, "on the rate of episodes of every level"),
    "cpeptide_slope": EffectRange("logit/year", -3.0, 3.0, "added to the yearly course of C-peptide; it stays"),
    "wellbeing_shift": EffectRange("SD", -2.0, 2.0, "added to the latent score behind every questionnaire"),
    "treated_log_hazard": EffectRange("ln ratio", -2.0, 2.0, "on the event's own hazard, from a first active dose on"),
}
"""Unit, limits and meaning of each size, for the scenario's schema and the documents."""
assert set(INTERLUDE_RANGES) == {field.name for field in fields(InterludeSizes)}


@dataclass(frozen=True, slots=True)
class Interlude:
    """One kind of event and its sizes. day: of its beginning, (R, n) days since screening, infinity for never."""

    day: Floats
    sizes: InterludeSizes

    def acting(self, days: Floats) -> Floats:
        """1 on the days, (R, n, V), on which it lasts, else 0."""
        day = self.day[..., np.newaxis]
        return ((days >= day) & (days < day + self.sizes.days)).astype(np.float64)

    def elapsed(self, days: Floats) -> Floats:
        """For how many days it has lasted by each of `days`, (R, n, V)."""
        return np.clip(days - self.day[..., np.newaxis], 0.0, self.sizes.days)

    def loaded(self, days: Floats) -> Floats:
        """How far HbA1c has followed, (R, n, V), between 0 and 1."""
        since = np.maximum(days - self.day[..., np.newaxis], 0.0)
        over = np.maximum(since - self.sizes.days, 0.0)
        return np.exp(-over / RED_CELLS) - np.exp(-since / RED_CELLS)


def log_rate_ratio(interludes: Sequence[Interlude], days: Floats) -> Floats:
    """What is added to the logarithm of the rate of hypoglycaemia on `days`, (R, n, V)."""
    total = np.zeros(days.shape)
    for item in interludes:
        total += item.sizes.hypoglycaemia_log_ratio * item.acting(days)
    return total


def disturbed(course: Course, interludes: Sequence[Interlude], p: Parameters) -> Course:
    """The course with the events of `interludes`; the same object where there is none.

    Fasting C-peptide follows the day's 2 h mean by the line that made it, fasting glucose the mean in proportion.
    """
    if not interludes:
        return course
    days = course.days
    zero = np.zeros(days.shape)
    hba1c, glucose, variation, insulin, logit, wellbeing = (zero.copy() for _ in range(6))
    for item in interludes:
        sizes, acting = item.sizes, item.acting(days)
        hba1c += sizes.hba1c * item.loaded(days)
        glucose += sizes.glucose * acting
        variation += sizes.glucose_variation * acting
        insulin += sizes.insulin_log_ratio * acting
        logit += sizes.cpeptide_slope * item.elapsed(days) / YEAR
        wellbeing += sizes.wellbeing_shift * acting
    auc = _raised(course.auc, logit, p)
    fasting = course.fasting * (auc / course.auc) ** p["cpeptide.fasting-slope"]
    mean = np.where(glucose == 0, course.mean_glucose, np.maximum(course.mean_glucose + glucose, LOWEST_MEAN))
    fasting_glucose = np.clip(course.glucose * (mean / course.mean_glucose), LOWEST_GLUCOSE, HIGHEST_GLUCOSE)
    return replace(
        course,
        latent_auc=_raised(course.latent_auc, logit, p),
        auc=auc,
        fasting=np.where(logit == 0, course.fasting, fasting),
        hba1c=np.where(hba1c == 0, course.hba1c, _hba1c(course.hba1c + hba1c, p)),
        mean_glucose=mean,
        glucose=np.where(glucose == 0, course.glucose, fasting_glucose),
        variation=course.variation + variation,
        insulin=course.insulin * np.exp(insulin),
        wellbeing=course.wellbeing + wellbeing,
        low_glucose_rate=course.low_glucose_rate * np.exp(log_rate_ratio(interludes, days)),
    )


def _hba1c(value: Floats, p: Parameters) -> Floats:
    return np.clip(value, p["hba1c.lowest"] - 0.3, HIGHEST_HBA1C)


def _raised(auc: Floats, logit: Floats, p: Parameters) -> Floats:
    """A 2 h mean moved on the logit scale, on which treatment and time act too."""
    highest = p["cpeptide.highest"]
    below = np.minimum(auc, highest * (1 - 1e-9))
    moved = np.exp(logit) * below
    return np.where(logit == 0, auc, highest * moved / (highest - below + moved))
