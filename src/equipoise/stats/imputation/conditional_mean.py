"""Conditional-mean imputation with the jackknife: how an estimate under a stated strategy varies between trials.

Wolbers, Noci, Delmar, Gower-Page, Yiu & Bartlett, Pharm Stat 2022;21:1246-1257.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.stats.ancova import difference_weights
from equipoise.stats.arrays import Flags, Floats
from equipoise.stats.imputation.effect import (
    Distribution,
    ImputedEffect,
    ancova_at,
    conclude,
    degrees_of_freedom,
    nothing,
)
from equipoise.stats.imputation.normal_model import Likelihood, NormalFit, fit_normal
from equipoise.stats.imputation.people import RepeatedMeasures
from equipoise.stats.imputation.profiles import conditional_means
from equipoise.stats.status import Status
from equipoise.stats.student import Alternative


@dataclass(frozen=True, slots=True)
class LeaveOneOut:
    """The estimate of the whole trial and without each person, with how each moves per unit of a delta in each arm.

    estimates: (1 + n,). slopes: (1 + n, arms). completed: (n, T), of the whole trial. df: n - p.
    status: of the whole trial, or LEFT_OUT_FAILED where it alone can be fitted.
    """

    estimates: Floats
    slopes: Floats
    completed: Floats
    df: float
    status: Status


def conditional_mean_effect(
    people: RepeatedMeasures,
    *,
    active: int = 1,
    visit: int = -1,
    likelihood: Likelihood = "restricted",
    distribution: Distribution = "normal",
    level: float = 0.95,
    alternative: Alternative = "two-sided",
) -> ImputedEffect:
    """Impute conditional means, compare the arms by analysis of covariance, and leave out each person in turn.

    The standard error is the jackknife's, √((n - 1)/n Σ(d_i - d)²), every fit and imputation repeated without the
    person. The reference is normal, as its authors have it: with few people the jackknife's error is too large by about
    as much as a normal interval is too short. ``t`` has the n - p degrees of freedom of the analysis of covariance.
    ValueError: arms that cannot be compared, a level outside (0, 1), an unknown word.
    """
    found = leave_one_out_effects(people, active=active, visit=visit, likelihood=likelihood)
    if not np.isfinite(found.estimates[0]):
        return nothing(people, visit, found.status)
    left_out = found.estimates[1:]
    return conclude(
        people,
        visit,
        float(found.estimates[0]),
        float(jackknife_error(left_out)),
        degrees_of_freedom(distribution, found.df),
        found.completed,
        status=found.status,
        left_out=left_out,
        level=level,
        alternative=alternative,
    )


def leave_one_out_effects(
    people: RepeatedMeasures, *, active: int, visit: int, likelihood: Likelihood = "restricted"
) -> LeaveOneOut:
    """Fit, impute and compare the arms with everybody and without each person; errors as above."""
    n = len(people.arm)
    weights = difference_weights(active, people.reference, people.design.shape[1])
    whole = np.concatenate([np.ones((1, n), np.bool_), ~np.eye(n, dtype=np.bool_)])
    fit = _fits(people, whole, likelihood)
    if fit.status[0] != Status.OK:
        gone = np.full((1 + n, people.arms), np.nan)
        return LeaveOneOut(gone[:, 0], gone, people.values, np.nan, people.reason(Status(fit.status[0])))
    completed = conditional_means(people, fit)
    estimates, _, status = ancova_at(people, completed[:, :, visit], whole, weights)
    slopes = [_slope(people, arm, visit, whole, weights) for arm in range(people.arms)]
    reason = Status(status[0])
    if reason == Status.OK and not np.isfinite(estimates).all():
        reason = Status.LEFT_OUT_FAILED
    return LeaveOneOut(estimates, np.stack(slopes, axis=1), completed[0], float(n - len(weights)), reason)


def jackknife_error(left_out: Floats) -> Floats:
    """The jackknife's standard error of estimates (...,) whose values without each person are ``left_out`` (..., n).

    Efron & Tibshirani, An Introduction to the Bootstrap, 1993, section 11.2.
    """
    n = left_out.shape[-1]
    if n == 0:
        return np.full(left_out.shape[:-1], np.nan)
    spread = left_out - left_out.mean(axis=-1, keepdims=True)
    return np.asarray(np.sqrt((n - 1) / n * (spread**2).sum(axis=-1)))


def _fits(people: RepeatedMeasures, whole: Flags, likelihood: Likelihood) -> NormalFit:
    """The model of each of the sets of people (1 + n, n); the first alone where it fails."""
    if not np.isfinite(people.covariates).all():
        empty, code = np.full((1, 1, 1), np.nan), np.array([Status.NOT_FINITE], np.int8)
        return NormalFit(empty, empty, empty[0, 0], code)
    y, x = people.fitted, people.design
    first = fit_normal(y, x, likelihood=likelihood)
    if first.status[0] != Status.OK:
        return first
    rest = fit_normal(y, x, whole[1:].astype(np.float64), likelihood=likelihood, start=first.covariance[0])
    return NormalFit(
        np.concatenate([first.coefficients, rest.coefficients]),
        np.concatenate([first.covariance, rest.covariance]),
        np.concatenate([first.log_likelihood, rest.log_likelihood]),
        np.concatenate([first.status, rest.status]),
    )


def _slope(people: RepeatedMeasures, arm: int, visit: int, whole: Flags, weights: Floats) -> Floats:
    """What 1 added to each imputed value of an arm adds to the estimates, (1 + n,): they are linear in the outcome."""
    shifted = (~people.seen[:, visit] & (people.arm == arm)).astype(np.float64)
    return ancova_at(people, np.broadcast_to(shifted, whole.shape), whole, weights)[0]
