"""Shares of participants whose value reaches a limit: each arm's with exact limits, and their difference.

The difference has Miettinen and Nurminen's score interval; its p-value is Fisher's exact mid-p. At the edge of the
level the two may disagree: they are different tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.comparison import Single
from equipoise.analysis.data import AnalysisData, Flags
from equipoise.analysis.estimates import BLINDED, Estimate, counted, level_of, population
from equipoise.analysis.methods.endpoint import Endpoint, endpoint_objections
from equipoise.analysis.registry import Carries, Method, Objection, Outcome
from equipoise.analysis.results import SHARE
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Number
from equipoise.protocol.schema.inference import Analysis, Contrast
from equipoise.stats.binomial import clopper_pearson, fisher_exact, proportion_difference
from equipoise.stats.student import Alternative

NO_ONE = "no one in either arm reaches the limit, so that a test has nothing to compare; read the interval alone"
EVERYONE = "everyone in both arms reaches the limit, so that a test has nothing to compare; read the interval alone"
SIDES: Mapping[str, Alternative] = {"p_value": "two-sided", "p_lower": "less", "p_upper": "greater"}
"""The p-values of Fisher's mid-p, by their alternatives."""
Counts = Mapping[str, NDArray[np.int64]]


class Options(Endpoint):
    """What counts: values of at least, or at most, a limit."""

    at_least: Number | None = None
    at_most: Number | None = None


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    estimand = data.protocol.estimand(str(analysis.estimand))
    parameter, visit = options.of(estimand)
    values = data.at(parameter, visit)
    members = population(data, analysis)
    complete = ~np.isnan(values)
    reached = complete & _reached(values, options)
    level = level_of(data, analysis)
    return Outcome(share_estimates(data, estimand.contrast, parameter, visit, members, complete, reached, level))


def share_estimates(
    data: AnalysisData,
    contrast: Contrast,
    parameter: str,
    visit: str,
    members: Flags,
    complete: Flags,
    reached: Flags,
    level: float,
) -> tuple[Estimate, ...]:
    """The difference of the arms' shares, then the share of each arm; in a blinded run a difference without numbers.

    members, complete, reached: (R, n) who is in the analysis set, has a value, and has one that counts.
    """
    active, reference = contrast.active, contrast.reference
    n, missing = counted(data, members, complete)
    if data.blinded:
        return (_blinded(parameter, visit, contrast, n, missing),)
    with_value = {arm.id: members & complete & data.in_arm(arm.id) for arm in data.protocol.arms}
    events = {arm: (mask & reached).sum(axis=1) for arm, mask in with_value.items()}
    size = {arm: mask.sum(axis=1) for arm, mask in with_value.items()}
    tables = (events[active], size[active], events[reference], size[reference])
    found = proportion_difference(*tables, level=level)
    exact = {name: fisher_exact(*tables, alternative=name).mid_p_value for name in SIDES.values()}
    # With nobody's or everybody's value reaching the limit there is one possible table, and a test of it tells nothing.
    total = events[active] + events[reference]
    alike = np.where(total == 0, NO_ONE, np.where(total == size[active] + size[reference], EVERYONE, "ok"))
    difference = Estimate(
        parameter=parameter,
        visit=visit,
        contrast=contrast,
        values={
            "estimate": found.estimate,
            "lower": found.lower,
            "upper": found.upper,
            **{name: np.where(alike == "ok", exact[side], np.nan) for name, side in SIDES.items()},
        },
        n=n,
        missing=missing,
        status=np.where(found.messages == "ok", alike, found.messages).astype(object),
        level=level,
        p_kind="mid-p",
        unit=SHARE,
    )
    arms = [_arm(arm, parameter, visit, events[arm], size[arm], missing[arm], level) for arm in with_value]
    return (difference, *arms)


def _reached(values: np.ndarray, options: Options) -> Flags:
    if options.at_least is not None:
        return np.asarray(values >= options.at_least)
    assert options.at_most is not None, "the plan has checked that there is one limit"
    return np.asarray(values <= options.at_most)


def _arm(
    arm: str, parameter: str, visit: str, events: np.ndarray, size: np.ndarray, missing: np.ndarray, level: float
) -> Estimate:
    found = clopper_pearson(events, size, level=level)
    return Estimate(
        parameter=parameter,
        visit=visit,
        contrast=Single(arm),
        values={"estimate": found.estimate, "lower": found.lower, "upper": found.upper},
        n={arm: size},
        missing={arm: missing},
        status=np.array(found.messages, dtype=object),
        level=level,
        unit=SHARE,
    )


def _blinded(parameter: str, visit: str, contrast: Contrast, n: Counts, missing: Counts) -> Estimate:
    trials = next(iter(n.values())).shape[0]
    return Estimate(
        parameter=parameter,
        visit=visit,
        contrast=contrast,
        values={},
        n=n,
        missing=missing,
        status=np.full(trials, BLINDED, dtype=object),
        unit=SHARE,
    )


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    yield from endpoint_objections(protocol, analysis, options)
    if (options.at_least is None) == (options.at_most is None):
        message = "a share needs one limit that values reach"
        yield Objection((), "one-limit", message, "Give either at_least or at_most.")
    estimand = next((item for item in protocol.estimands if item.id == analysis.estimand), None)
    if estimand is not None and estimand.summary != "difference-in-proportions":
        message = f"this method estimates a difference in proportions, not a {estimand.summary}"
        yield Objection((), "summary-of-method", message, "Choose another method or another estimand.")


def _carries(options: Options) -> Carries:
    """A value that misses the limit is no yes."""
    failure = -np.inf if options.at_least is not None else np.inf
    return Carries(withheld=True, last_value=True, declared=True, failure=failure)


METHOD = Method(
    name="proportion",
    title="Shares of participants with exact limits",
    options=Options,
    page="proportions",
    run=_run,
    objections=_objections,
    carries=_carries,
)
