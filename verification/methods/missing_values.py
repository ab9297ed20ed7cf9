"""Invented trials with people who leave, and what each strategy's estimand is worth in them.

Three visits after a baseline: values have SD 1 and correlation 0.5 given the baseline, whose slope is 0.6; the second
arm is higher by 0.5, 0.75 and 1 at the visits. About a fifth has left by the last visit, more of those who were high at
the first, which everybody attends: missing at random. In units of that SD.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verification.methods.gather import Floats

EFFECTS = np.array([0.5, 0.75, 1.0])
COVARIANCE = 0.5 + 0.5 * np.eye(3)
ROOT = np.linalg.cholesky(COVARIANCE)
SLOPE = 0.6
PEOPLE, SEED = 200_000, 20_260_503
"""Of the estimands' values."""


@dataclass(frozen=True, slots=True)
class Values:
    """complete: (..., n, 3) what would have been measured. last: (..., n) visits attended, 1 to 3."""

    complete: Floats
    last: np.ndarray

    @property
    def measured(self) -> Floats:
        return np.where(np.arange(3) < self.last[..., None], self.complete, np.nan)


@dataclass(frozen=True, slots=True)
class Truth:
    """The value of an estimand, with its Monte-Carlo standard error."""

    value: float
    error: float


def left(complete: Floats, uniforms: Floats) -> np.ndarray:
    """Visits attended (..., n) of people with these values (..., n, 3), by two uniforms (..., n, 2) each."""
    risk = 1 / (1 + np.exp(2.2 - 0.4 * complete[..., 0]))
    last = np.where(uniforms[..., 1] < 1.2 * risk, 2, 3)
    return np.where(uniforms[..., 0] < 0.8 * risk, 1, last)


def invented(source: np.random.Generator, arm: np.ndarray, baseline: Floats) -> Values:
    """People (n,) of these arms with these baselines (n,)."""
    errors = source.standard_normal((len(arm), 3)) @ ROOT.T
    complete = SLOPE * baseline[:, None] + np.outer(arm, EFFECTS) + errors
    return Values(complete, left(complete, source.random((len(arm), 2))))


def truths(people: int = PEOPLE) -> dict[str, Truth]:
    """The difference at the last visit that each strategy means, by name.

    Each person is followed in either arm. Who leaves the second has there the mean that the strategy says, with the
    deviation that is expected given the person's own before; who leaves the first would have gone on unchanged.
    """
    source = np.random.default_rng(SEED)
    own = SLOPE * source.standard_normal((people, 1)) + np.zeros(3)
    errors = source.standard_normal((people, 3)) @ ROOT.T
    treated = Values(own + EFFECTS + errors, left(own + EFFECTS + errors, source.random((people, 2))))
    # Of how far each visit is from its mean, what is expected at the last: by the visits that were attended.
    weights = np.zeros((4, 3))
    for attended in (1, 2):
        weights[attended, :attended] = np.linalg.solve(COVARIANCE[:attended, :attended], COVARIANCE[:attended, 2])
    gone, weight = treated.last < 3, weights[treated.last]
    expected = (weight * errors).sum(axis=1)
    above = (weight * EFFECTS).sum(axis=1)
    later = {
        "missing-at-random": EFFECTS[2] + errors[:, 2],
        "jump-to-reference": expected,
        # Seen from the reference arm's mean, the treated person's own past lies higher by the effects before.
        "copy-reference": expected + above,
        "copy-increments": expected + EFFECTS[treated.last - 1],
    }
    found: dict[str, Truth] = {}
    for name, after in later.items():
        difference = np.where(gone, after, EFFECTS[2] + errors[:, 2]) - errors[:, 2]
        found[name] = Truth(float(difference.mean()), float(difference.std() / np.sqrt(people)))
    return found
