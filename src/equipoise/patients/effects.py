"""What the scenario lets treatment do: its parameters, who was exposed when, and the effect over time.

Every effect is zero by default, and with all effects at zero the treated are bit-identical to the untreated.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from equipoise.patients.chance import Floats

YEAR = 365.25


@dataclass(frozen=True, slots=True)
class EffectRange:
    """Unit, range and meaning of one effect, for the scenario's schema and the documents."""

    unit: str
    low: float
    high: float
    meaning: str


@dataclass(frozen=True, slots=True)
class Effects:
    """The scenario's effects at full exposure: all doses given at full potency, once the effect is there."""

    cpeptide_slope: float = 0.0
    hba1c_shift: float = 0.0
    insulin_log_ratio: float = 0.0
    hypoglycaemia_log_ratio: float = 0.0
    proinflammatory_log2: float = 0.0
    antiinflammatory_log2: float = 0.0
    treg_shift: float = 0.0
    wellbeing_shift: float = 0.0
    infusion_reaction_log_odds: float = 0.0
    exercise_hba1c: float = 0.0
    exercise_interaction: float = 0.0
    early_weight: float = 0.0
    onset_days: float = 30.0
    persistence_days: float = 540.0
    cell_onset_days: float = 1.0
    cell_persistence_days: float = 120.0

    def __post_init__(self) -> None:
        for name, row in EFFECT_RANGES.items():
            value = getattr(self, name)
            if not row.low <= value <= row.high:
                message = f"effects.{name}: {value} lies outside its range, {row.low} to {row.high} {row.unit}"
                raise ValueError(message)


EFFECT_RANGES: dict[str, EffectRange] = {
    "cpeptide_slope": EffectRange(
        "logit/year", -1.0, 3.0, "added to the yearly course of C-peptide while the effect lasts; about ln nmol/L/year"
    ),
    "hba1c_shift": EffectRange("%", -3.0, 1.0, "added to HbA1c"),
    "insulin_log_ratio": EffectRange("ln ratio", -1.5, 0.5, "on the insulin dose"),
    "hypoglycaemia_log_ratio": EffectRange("ln ratio", -2.0, 1.0, "on the rate of episodes of every level"),
    "proinflammatory_log2": EffectRange("log2 ratio", -3.0, 2.0, "on IFN-gamma, TNF-alpha, IL-6, IL-17, IL-1 beta"),
    "antiinflammatory_log2": EffectRange("log2 ratio", -2.0, 3.0, "on IL-4, IL-10, TGF-beta 1"),
    "treg_shift": EffectRange("% of CD4", -2.0, 6.0, "added to the share of regulatory T cells"),
    "wellbeing_shift": EffectRange("SD", -1.0, 2.0, "added to the latent score behind every questionnaire"),
    "infusion_reaction_log_odds": EffectRange("ln odds ratio", -1.0, 3.0, "of each reaction to an infusion of cells"),
    "exercise_hba1c": EffectRange("%", -1.5, 0.5, "added to HbA1c at a habit of 150 min a week, treated or not"),
    "exercise_interaction": EffectRange(
        "1", -1.0, 2.0, "share by which a habit of 150 min a week or more enlarges every effect of the cells"
    ),
    "early_weight": EffectRange(
        "1/year", 0.0, 4.0, "rate at which a dose loses its effect with each year since diagnosis; 0: time is no matter"
    ),
    "onset_days": EffectRange("days", 0.1, 365.0, "mean time until the metabolic effects of a dose are there"),
    "persistence_days": EffectRange("days", 1.0, 1e6, "mean time for which they last"),
    "cell_onset_days": EffectRange("days", 0.1, 365.0, "the same for regulatory T cells and cytokines: onset"),
    "cell_persistence_days": EffectRange("days", 1.0, 1e6, "and persistence"),
}
assert set(EFFECT_RANGES) == {field.name for field in fields(Effects)}


@dataclass(frozen=True, slots=True)
class Exposure:
    """Infusions of each person.

    day:     (R, n, doses), days since screening; NaN where it was not given.
    weight:  (R, n, doses), share of the full treatment that it is: 1/2 for each of two doses as planned, 0 for placebo.
    potency: (R, n), of the person's cells relative to the average; 1 for all if donors do not differ.
    """

    day: Floats
    weight: Floats
    potency: Floats


def no_exposure(trials: int, people: int) -> Exposure:
    """Nobody has an active dose."""
    return Exposure(np.full((trials, people, 1), np.nan), np.zeros((trials, people, 1)), np.ones((trials, people)))


@dataclass(frozen=True, slots=True)
class Activity:
    """The effect over time as a share of the full one, (R, n, V): 0 before the first dose.

    metabolic: on HbA1c, insulin, hypoglycaemia, wellbeing. cumulated: its integral in years, for the course of
    C-peptide. cells: on regulatory T cells and cytokines.
    """

    metabolic: Floats
    cumulated: Floats
    cells: Floats


def activity(
    exposure: Exposure, days: Floats, days_since_diagnosis: Floats, exercise_minutes: Floats, effects: Effects
) -> Activity:
    """Each dose rises as 1 - exp(-t / onset) and fades as exp(-t / persistence); doses add.

    days: (R, n, V) since screening; days_since_diagnosis: (R, n) at screening; exercise_minutes: (R, n).
    """
    metabolic, cumulated, cells = np.zeros(days.shape), np.zeros(days.shape), np.zeros(days.shape)
    habit = 1 + effects.exercise_interaction * np.minimum(exercise_minutes / 150, 1)
    for dose in range(exposure.day.shape[-1]):
        day, given = exposure.day[..., dose], np.isfinite(exposure.day[..., dose])
        since_diagnosis = np.where(given, days_since_diagnosis + day, 0.0)
        early = np.exp(-effects.early_weight * since_diagnosis / YEAR)
        size = np.where(given, exposure.weight[..., dose] * exposure.potency * habit * early, 0.0)[..., np.newaxis]
        since = np.maximum(days - np.where(given, day, 0.0)[..., np.newaxis], 0.0)
        metabolic += size * _share(since, effects.onset_days, effects.persistence_days)
        cumulated += size * _integral(since, effects.onset_days, effects.persistence_days) / YEAR
        cells += size * _share(since, effects.cell_onset_days, effects.cell_persistence_days)
    return Activity(metabolic, cumulated, cells)


def _share(since: Floats, onset: float, persistence: float) -> Floats:
    return -np.expm1(-since / onset) * np.exp(-since / persistence)


def _integral(since: Floats, onset: float, persistence: float) -> Floats:
    """The integral of the share from 0, in days."""
    both = onset * persistence / (onset + persistence)
    return both * np.expm1(-since / both) - persistence * np.expm1(-since / persistence)
