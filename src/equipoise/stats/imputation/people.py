"""The people of one trial with repeated measures, and what is assumed of each after leaving treatment or trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from equipoise.stats.arrays import Flags, Floats
from equipoise.stats.status import Status

Strategy = Literal["missing-at-random", "jump-to-reference", "copy-reference", "copy-increments"]
STRATEGIES: tuple[str, ...] = get_args(Strategy)


@dataclass(frozen=True, slots=True)
class RepeatedMeasures:
    """n people of one trial at T visits. Make it by ``repeated_measures``, which checks it.

    values: (n, T), NaN where missing. arm: (n,) index 0 .. arms - 1. covariates: (n, k), measured before allocation.
    reference: the arm that the others may jump to. strategy: (n,) index into STRATEGIES. after: (n,) the first visit,
    counted from 0, to which the strategy applies; T for those without an event.
    """

    values: Floats
    arm: np.ndarray
    covariates: Floats
    arms: int
    reference: int
    strategy: np.ndarray
    after: np.ndarray

    @property
    def seen(self) -> Flags:
        """Which values were measured, (n, T)."""
        return ~np.isnan(self.values)

    @property
    def later(self) -> Flags:
        """Which visits lie at or after the person's event, (n, T)."""
        return np.arange(self.values.shape[1]) >= self.after[:, None]

    @property
    def fitted(self) -> Floats:
        """The values that tell of the person's own arm, (n, T).

        What was measured after the event of a person whose strategy is not missing at random belongs to no arm's model.
        """
        return np.where(self.later & (self.strategy > 0)[:, None], np.nan, self.values)

    @property
    def lacks_an_arm(self) -> bool:
        """Whether the model of some arm has no value at some visit."""
        there = ~np.isnan(self.fitted)
        return any(not there[self.arm == arm].any(axis=0).all() for arm in np.unique(self.arm))

    def reason(self, status: Status) -> Status:
        """A fit's status; of a singular design where an arm lacks a visit, that it does."""
        return Status.ONE_ARM_VISIT if status == Status.SINGULAR_DESIGN and self.lacks_an_arm else status

    @property
    def design(self) -> Floats:
        """(n, arms + k): 1, one column for each arm but the first, the covariates less their means."""
        return self.as_arm(self.arm)

    def as_arm(self, arm: np.ndarray | int) -> Floats:
        """The design as if everybody were in ``arm``."""
        columns = np.equal.outer(np.broadcast_to(arm, self.arm.shape), np.arange(self.arms)).astype(np.float64)
        columns[:, 0] = 1.0
        centre = self.covariates.mean(axis=0) if len(self.covariates) else 0.0
        return np.concatenate([columns, self.covariates - centre], axis=1)


def repeated_measures(
    values: Floats,
    arm: np.ndarray,
    covariates: Floats | None = None,
    *,
    arms: int = 2,
    reference: int = 0,
    strategy: Strategy | Sequence[Strategy] = "jump-to-reference",
    after: np.ndarray | None = None,
) -> RepeatedMeasures:
    """The people of one trial, checked; shapes as in ``RepeatedMeasures``.

    strategy: one for all, or one for each person; it speaks only of visits from ``after`` on. In the reference arm all
    strategies are the same. after: (n,); left out, the first visit after the person's last value. A missing value
    before it is missing at random.
    ValueError: shapes that do not fit, an unknown arm or strategy, an infinite value.
    """
    y, a = np.asarray(values, np.float64), np.asarray(arm)
    if y.ndim != 2 or a.shape != y.shape[:1]:
        raise ValueError(f"values {y.shape} must be (people, visits), and arms {a.shape} one a person")
    n, visits = y.shape
    z = np.zeros((n, 0)) if covariates is None else np.asarray(covariates, np.float64)
    if z.ndim != 2 or len(z) != n:
        raise ValueError(f"covariates {z.shape} must be ({n}, k)")
    if np.isinf(y).any():
        raise ValueError("a value is finite or NaN")
    if not (0 <= reference < arms and ((a >= 0) & (a < arms)).all()):
        raise ValueError(f"an arm lies between 0 and {arms - 1}")
    first = _after_the_last(y) if after is None else np.asarray(after)
    if first.shape != (n,) or not ((first >= 0) & (first <= visits)).all():
        raise ValueError(f"after must hold one visit of 0 .. {visits} for each of {n} people")
    return RepeatedMeasures(y, a, z, arms, reference, _codes(strategy, n), first)


def _after_the_last(values: Floats) -> np.ndarray:
    """The visit that follows the person's last value; 0 for a person without one."""
    visits = np.arange(1, values.shape[1] + 1)
    return np.where(np.isnan(values), 0, visits).max(axis=1, initial=0)


def _codes(strategy: Strategy | Sequence[Strategy], n: int) -> np.ndarray:
    names = [strategy] * n if isinstance(strategy, str) else list(strategy)
    unknown = sorted(set(names) - set(STRATEGIES))
    if unknown or len(names) != n:
        raise ValueError(f"one strategy of {STRATEGIES} for each of {n} people, not {len(names)} with {unknown}")
    return np.array([STRATEGIES.index(name) for name in names], dtype=np.int64)
