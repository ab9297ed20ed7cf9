"""Random trials for the properties that hold whatever the data are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st


@dataclass(frozen=True, slots=True)
class Trials:
    """R trials of n participants: outcome (R, n), arm (R, n), covariates (R, n, k), who is included (R, n)."""

    outcome: np.ndarray
    arm: np.ndarray
    covariates: np.ndarray
    included: np.ndarray
    arms: int


@st.composite
def trials(draw, *, complete=False):
    """Small trials with absent people, unequal arms and outcomes of any size; NaN where somebody is not included."""
    count, people = draw(st.integers(1, 4)), draw(st.integers(9, 25))
    arms, k = draw(st.integers(2, 3)), draw(st.integers(0, 2))
    source = np.random.default_rng(draw(st.integers(0, 2**32)))
    scale, shift = 10.0 ** draw(st.integers(-3, 3)), draw(st.integers(-5, 5))
    arm = source.permuted(np.tile(np.arange(people) % arms, (count, 1)), axis=1)
    covariates = source.normal(size=(count, people, k)) * 10.0 ** source.integers(-2, 3, size=k)
    included = np.ones((count, people), dtype=bool)
    if not complete:
        # Three of each arm stay, so that every trial can be analysed and nobody alone carries an arm.
        included = (source.uniform(size=arm.shape) < 0.85) | _first_three(arm, arms)
    outcome = scale * (shift + 0.3 * arm + source.normal(size=arm.shape))
    outcome[~included] = np.nan
    return Trials(outcome, arm, covariates, included, arms)


def _first_three(arm, arms):
    """The first three participants of each arm."""
    place = sum((arm == index) * np.cumsum(arm == index, axis=1) for index in range(arms))
    return place <= 3
