"""Several outcomes tested together by re-randomisation: step-down adjusted p-values from one set of allocations.

The allocations carry the correlation of the outcomes with them, so that nothing is assumed about it. Westfall & Young,
Resampling-Based Multiple Testing, 1993, algorithm 2.8 (minP), with the null that arms change no outcome.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.stats.arrays import Flags, Floats, beside
from equipoise.stats.rerandomisation import TIE, working_scores
from equipoise.stats.status import Status, texts


@dataclass(frozen=True, slots=True)
class StepDown:
    """The p-values of k outcomes in one trial; NaN for an outcome whose status says why.

    statistic: (k,) differences of the arms' mean scores. p_value: (k,) each outcome alone. p_adjusted: (k,) adjusted.
    smallest: the least p-value that was attainable. draws: how many allocations there were. status: (k,) codes.
    """

    statistic: Floats
    p_value: Floats
    p_adjusted: Floats
    smallest: float
    draws: int
    status: np.ndarray

    @property
    def messages(self) -> np.ndarray:
        """``ok`` or why numbers are missing, (k,)."""
        return texts(self.status)


def step_down_differences(
    outcomes: Floats, covariates: Floats, included: Flags, active: Flags, drawn: Flags
) -> StepDown:
    """Differences of the arms' mean scores of k outcomes, scores being residuals of working models without arms.

    outcomes: (k, n). covariates: (k, n, c), each outcome's own (its baseline), or (n, c); c may be 0.
    included: (k, n) who has the outcome. active: (n,) who was in the active arm. drawn: (m, n) who would have been, in
    m independent draws from the trial's design. Two-sided. An allocation under which an arm has no value is extreme.
    ValueError: shapes that do not fit, or masks that are not boolean.
    """
    if active.dtype != np.bool_ or drawn.dtype != np.bool_:
        raise ValueError("active and drawn must be boolean")
    if outcomes.ndim != 2 or active.shape != outcomes.shape[1:] or drawn.ndim != 2 or drawn.shape[1:] != active.shape:
        raise ValueError(f"arms of {active.shape} and allocations of {drawn.shape} do not fit {outcomes.shape}")
    mask = beside(outcomes, included)
    scores, status = working_scores(outcomes, covariates, mask)
    status = np.where(mask.any(axis=1), status, np.int8(Status.NO_OBSERVATIONS))
    every = np.concatenate([active[np.newaxis], drawn])
    statistics = _differences(scores, mask, every)
    use = (status == Status.OK) & np.isfinite(statistics[0])
    found = step_down_min_p(statistics[:, use], TIE * np.abs(scores[use]).max(axis=1, initial=0.0))
    p_value, p_adjusted = (np.full(len(outcomes), np.nan) for _ in range(2))
    p_value[use], p_adjusted[use] = found
    shown = np.where(use, statistics[0], np.nan)
    return StepDown(shown, p_value, p_adjusted, 1 / len(every), len(drawn), status.astype(np.int8))


def _differences(scores: Floats, included: Flags, allocations: Flags) -> Floats:
    """(1 + m, k); infinite where an arm has no value."""
    arms = allocations.astype(np.float64)
    size = arms @ included.T.astype(np.float64)
    everybody = included.sum(axis=1)
    defined = (size > 0) & (size < everybody)
    mine = arms @ scores.T
    rest = scores.sum(axis=1) - mine
    mean = mine / np.where(defined, size, 1.0) - rest / np.where(defined, everybody - size, 1.0)
    return np.where(defined, mean, np.inf)


def step_down_min_p(statistics: Floats, tolerance: Floats) -> tuple[Floats, Floats]:
    """p-values alone and adjusted, (k,) each, from statistics (1 + m, k) whose first row was observed.

    tolerance: (k,), by how much absolute statistics may differ and still be equal.
    """
    total, outcomes = statistics.shape
    size = np.abs(statistics)
    # The p-value of each allocation's statistic among all of them, the observed one included.
    p = np.empty_like(size)
    for place in range(outcomes):
        ordered = np.sort(size[:, place])
        p[:, place] = (total - np.searchsorted(ordered, size[:, place] - tolerance[place], side="left")) / total
    order = np.argsort(p[0], kind="stable")
    adjusted = np.empty(outcomes)
    # From the least significant outcome backwards the smallest p of those that remain.
    smallest = np.full(total, np.inf)
    for place in order[::-1]:
        smallest = np.minimum(smallest, p[:, place])
        adjusted[place] = (smallest <= p[0, place] * (1 + TIE)).mean()
    adjusted[order] = np.maximum.accumulate(adjusted[order])
    return p[0], adjusted
