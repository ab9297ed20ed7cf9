"""Levels of which some lie beyond a limit of the assay: change of the mean log2 level, arms compared at a visit.

The baseline is an outcome like the later visits, with one mean for all arms; people have random intercepts, and each
visit a residual SD of its own. A level below the limit is known to lie there and nothing more. The interval is that of
the likelihood, approximate with few people; the test to rely on is by re-randomisation, so that there is no p-value
unless it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.estimates import BLINDED, Estimate, counted, level_of, population
from equipoise.analysis.methods.panel import PanelEndpoint, baseline_objections, estimand_of, panel_objections
from equipoise.analysis.methods.quantified import (
    MOSTLY_CENSORED,
    measured_by,
    mostly_censored,
    quantified,
    quantified_objections,
)
from equipoise.analysis.registry import Carries, Method, Objection, Outcome
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier
from equipoise.protocol.schema.inference import Analysis
from equipoise.records.panel import EXACT
from equipoise.stats.censored import (
    CensoredContrast,
    censoring_limits,
    change_weights,
    constrained_design,
    fit_censored_longitudinal,
    longitudinal_contrast,
)

APPROXIMATE = "likelihood, approximate"
"""How results name the covariance: the observed information, whose interval is approximate."""
NUMBERS = ("estimate", "standard_error", "df", "lower", "upper", "p_value")
TOGETHER = 250
"""Trials fitted at a time: each has a number for every person, visit and node of the quadrature."""


class Options(PanelEndpoint):
    """The baseline, the visits between, and what else the model adjusts for."""

    baseline: Identifier
    """Its visit is the first of the model."""
    visits: tuple[Identifier, ...] = ()
    """Visits between baseline and the visit compared; none: all at which the test is planned there."""
    covariates: tuple[Literal["age_years", "sex"], ...] = ()
    test: bool = False
    """Whether the likelihood's own p-value is given."""


@dataclass(frozen=True, slots=True)
class _Levels:
    """What the model is fitted to, V visits from baseline on: limits and use (R, n, V), covariates (R, n, k)."""

    lower: Floats
    upper: Floats
    use: Flags
    exact: Flags
    covariates: Floats


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    names, _ = options.of(data.protocol.estimand(str(analysis.estimand)))
    return Outcome(tuple(_estimate(data, analysis, options, name) for name in names))


def _estimate(data: AnalysisData, analysis: Analysis, options: Options, parameter: str) -> Estimate:
    estimand = data.protocol.estimand(str(analysis.estimand))
    visit = options.of(estimand)[1]
    members = population(data, analysis)
    found = quantified(data, parameter)
    places = _places(data.protocol, options, parameter, visit)
    levels = _levels(data, members, options, found.value[:, :, places], found.censored[:, :, places])
    arms = [arm.id for arm in data.protocol.arms]
    pair = (arms.index(estimand.contrast.active), arms.index(estimand.contrast.reference))
    level = level_of(data, analysis)
    status = np.where(mostly_censored(data, members, found, places[-1]), MOSTLY_CENSORED, "ok").astype(object)
    if data.blinded:
        status[:] = BLINDED
    numbers = _fitted(data, levels, pair, level, status)
    complete = ~np.isnan(found.at(places[-1])[0]) & ~np.isnan(levels.covariates).any(axis=2)
    n, missing = counted(data, members, complete)
    if not options.test:
        numbers["p_value"] = np.full_like(numbers["estimate"], np.nan)
    return Estimate(
        parameter=parameter,
        visit=visit,
        contrast=estimand.contrast,
        values=numbers,
        n=n,
        missing=missing,
        status=status,
        level=level,
        covariance=APPROXIMATE,
        unit=f"log2({data.protocol.parameter(parameter).unit})",
    )


def _places(protocol: Protocol, options: Options, parameter: str, visit: str) -> list[int]:
    """Where on the protocol's visits stand the baseline, the visits between, and the visit compared."""
    order = [item.id for item in protocol.visits]
    source = measured_by(protocol, parameter)
    assert source is not None, "the plan has checked the parameter"
    first, last = order.index(protocol.baseline(options.baseline).visit), order.index(visit)
    between = {order.index(name) for name in options.visits or source[0].visits}
    return [first, *sorted(place for place in between if first < place < last), last]


def _levels(data: AnalysisData, members: Flags, options: Options, value: Floats, code: np.ndarray) -> _Levels:
    columns = [data.panel.covariates[name] for name in options.covariates]
    covariates = np.stack(columns, axis=2) if columns else np.zeros((*members.shape, 0))
    known = members & (data.panel.arm >= 0) & ~np.isnan(covariates).any(axis=2)
    # A level of 0 or below has no logarithm; the fit says that it is not finite.
    with np.errstate(divide="ignore", invalid="ignore"):
        lower, upper = censoring_limits(np.log2(value), code)
    use = known[..., None] & ~np.isnan(value)
    return _Levels(lower, upper, use, use & (code == EXACT), covariates)


def _fitted(
    data: AnalysisData, levels: _Levels, pair: tuple[int, int], level: float, status: np.ndarray
) -> dict[str, Floats]:
    """The contrast in every trial whose status is ok so far; those in which the same visits count are fitted together.

    A visit between, at which nobody's level is exact, holds no mean: a trial does without it, whatever the arms.
    """
    held = np.asarray(levels.exact.any(axis=1))
    held[:, [0, -1]] = True
    numbers = {name: np.full(len(held), np.nan) for name in NUMBERS}
    wanted = status == "ok"
    for pattern in np.unique(held[wanted], axis=0):
        alike = np.flatnonzero(wanted & (held == pattern).all(axis=1))
        for start in range(0, len(alike), TOGETHER):
            some = alike[start : start + TOGETHER]
            found = _contrast(data, levels, some, np.flatnonzero(pattern), pair, level)
            status[some] = found.messages
            for name in NUMBERS:
                numbers[name][some] = getattr(found, name)
    return numbers


def _contrast(
    data: AnalysisData, levels: _Levels, some: np.ndarray, visits: np.ndarray, pair: tuple[int, int], level: float
) -> CensoredContrast:
    arms, count = len(data.protocol.arms), len(visits)
    lower, upper = (limit[some][:, :, visits] for limit in (levels.lower, levels.upper))
    use = levels.use[some][:, :, visits]
    covariates = levels.covariates[some][:, :, None, :]
    beside = np.broadcast_to(covariates, (*use.shape, covariates.shape[-1]))
    design = np.concatenate([constrained_design(data.panel.arm[some], count, arms), beside], axis=3)
    weights = change_weights(count - 1, *pair, visits=count, arms=arms, columns=design.shape[3])
    return longitudinal_contrast(fit_censored_longitudinal(lower, upper, design, use), weights, level=level)


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    yield from panel_objections(protocol, analysis, options)
    yield from quantified_objections(protocol, analysis, options)
    yield from baseline_objections(protocol, options.baseline)
    order = [visit.id for visit in protocol.visits]
    estimand = estimand_of(protocol, analysis)
    if estimand is not None and estimand.summary != "difference-in-means":
        message = f"this method estimates a difference in mean log2 level, not a {estimand.summary}"
        yield Objection((), "summary-of-method", message, "Choose another method or another estimand.")
    if analysis.family is not None and not options.test:
        message = f"the family {analysis.family!r} needs p-values, and this analysis gives an interval alone"
        yield Objection(("test",), "family-needs-test", message, "Let it test, or leave it out of the family.")
    first = {item.id: item.visit for item in protocol.conventions.baselines}.get(options.baseline)
    last = options.of(estimand)[1] if estimand is not None else None
    if first not in order or last not in order:
        return
    if order.index(first) >= order.index(last):
        message = f"the baseline is at {first!r}, which is not before {last!r}"
        yield Objection(("baseline",), "baseline-before-visit", message, "Name an earlier baseline.")
    for place, name in enumerate(options.visits):
        if name not in order[order.index(first) + 1 : order.index(last)]:
            message = f"{name!r} is no visit between {first!r} and {last!r}"
            yield Objection(("visits", place), "visit-between", message, "Name visits between them, or none.")


METHOD = Method(
    name="censored-longitudinal",
    title="Change of mean log2 level, some beyond limits of quantification",
    options=Options,
    page="censored",
    run=_run,
    objections=_objections,
    carries=lambda options: Carries(withheld=True, last_value=True),
)
