"""What methods return: one estimate in every trial of a Panel, and its Result in one of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.comparison import POOLED, Comparison, arms_of, text_of
from equipoise.analysis.data import AnalysisData, Applied, Flags, Floats
from equipoise.analysis.occurrence import changed_values, had_events, strategy_notes
from equipoise.analysis.reasons import in_words
from equipoise.analysis.recorded import events_not_recorded
from equipoise.analysis.results import RATE_RATIO, Result, finite
from equipoise.protocol.schema.inference import Analysis, Contrast, Estimand
from equipoise.stats.tails import Tails, student_tails

BLINDED = "blinded run: arms are not known, so arms cannot be compared; analyse with the allocation"


@dataclass(frozen=True, slots=True)
class Estimate:
    """One estimate in each of R trials.

    parameter, visit, contrast, variant: make the result's id, with the analysis. The contrast says which arms the
                number is about: two that are compared, one, or everybody.
    values:     estimate, standard_error, df, lower, upper, p_value, each (R,); NaN where there is none. p_lower and
                p_upper, one-sided, of a method whose test is not Student's t of the estimate.
    n, missing: arm -> (R,) participants with and without all values.
    status:     (R,) text, ``ok`` or why numbers are missing.
    covariance: asked for; covariance_used: (R,) of the answer, where it may be another.
    extra:      further numbers, each (R,); `draws`, `mc_error`, and `p_adjusted` of a method that adjusts its own
                p-values, go into the result.
    unit:       where it is not the parameter's own: of a share, or of the logarithm of a ratio.
    events, person_years: arm -> (R,) events and years at risk of those with all values, where events are counted.
    applied:    the strategies for intercurrent events that acted; None: treatment policy alone.
    """

    parameter: str
    visit: str
    contrast: Comparison
    values: Mapping[str, Floats]
    n: Mapping[str, NDArray[np.int64]]
    missing: Mapping[str, NDArray[np.int64]]
    status: NDArray[np.object_]
    level: float = 0.95
    scale: str = "identity"
    p_kind: str = "model"
    alternative: str = "two-sided"
    variant: str | None = None
    covariance: str | None = None
    covariance_used: NDArray[np.object_] | None = None
    extra: Mapping[str, Floats] = field(default_factory=dict)
    events: Mapping[str, Floats | NDArray[np.int64]] | None = None
    person_years: Mapping[str, Floats] | None = None
    unit: str | None = None
    applied: Applied | None = None


def result_of(estimate: Estimate, data: AnalysisData, analysis: Analysis, trial: int) -> Result:
    """The Result of an estimate in one trial."""
    protocol = data.protocol
    estimand = protocol.estimand(analysis.estimand) if analysis.estimand is not None else None
    parameter = protocol.parameter(estimate.parameter)
    period = protocol.visit(estimate.visit).period
    number = {name: finite(float(v[trial])) for name, v in {**estimate.extra, **estimate.values}.items()}
    tails = tails_of({name: column[trial : trial + 1] for name, column in estimate.values.items()})
    draws, events, years = number.get("draws"), estimate.events, estimate.person_years
    pair = estimate.contrast if isinstance(estimate.contrast, Contrast) else None
    contrast = text_of(estimate.contrast)
    parts = [analysis.id, parameter.id, period or "before", estimate.visit, contrast]
    return Result(
        id="/".join([*parts, estimate.variant] if estimate.variant else parts),
        analysis=analysis.id,
        label=analysis.label,
        estimand=analysis.estimand,
        estimand_strategy=dict(estimand.intercurrent_events) if estimand is not None else {},
        role=analysis.role,
        family=analysis.family,
        method=analysis.method,
        parameter=parameter.id,
        unit=estimate.unit or (RATE_RATIO if estimate.scale == "log" else parameter.unit),
        scale=estimate.scale,
        visit=estimate.visit,
        period=period,
        analysis_set=_set_of(analysis, estimand),
        contrast=contrast,
        active=None if pair is None else pair.active,
        reference=None if pair is None else pair.reference,
        variant=estimate.variant,
        level=estimate.level,
        p_kind=estimate.p_kind if number.get("p_value") is not None else None,
        alternative=estimate.alternative,
        n={arm: int(count[trial]) for arm, count in estimate.n.items()},
        n_missing={arm: int(count[trial]) for arm, count in estimate.missing.items()},
        events=None if events is None else {arm: int(count[trial]) for arm, count in events.items()},
        person_years=None if years is None else {arm: float(time[trial]) for arm, time in years.items()},
        covariance_requested=estimate.covariance,
        covariance_used=_covariance_used(estimate, trial) if number.get("standard_error") is not None else None,
        draws=None if draws is None else int(draws),
        mc_error=number.get("mc_error"),
        status=_status(estimate, data, analysis, trial, number.get("estimate")),
        estimate=number.get("estimate"),
        standard_error=number.get("standard_error"),
        df=number.get("df"),
        lower=number.get("lower"),
        upper=number.get("upper"),
        p_value=number.get("p_value"),
        p_lower=finite(tails.lower.item()),
        p_upper=finite(tails.upper.item()),
        p_adjusted=number.get("p_adjusted"),
        **_of_strategies(estimate, data, estimand, trial),
    )


def _status(estimate: Estimate, data: AnalysisData, analysis: Analysis, trial: int, number: float | None) -> str:
    """The method's status; of a missing estimate in words that name arm, parameter and visit."""
    if not data.blinded and (silent := events_not_recorded(data, data.protocol.parameter(estimate.parameter), trial)):
        return silent
    told = str(estimate.status[trial])
    if told == "ok" or number is not None:
        return told
    events = estimate.events
    return in_words(
        told,
        dataclasses.replace(data, trial=trial),
        analysis,
        parameter=estimate.parameter,
        visit=estimate.visit,
        arms=arms_of(estimate.contrast),
        members=population(data, analysis)[trial],
        n={arm: int(count[trial]) for arm, count in estimate.n.items()},
        events=None if events is None else {arm: int(count[trial]) for arm, count in events.items()},
    )


def _of_strategies(estimate: Estimate, data: AnalysisData, estimand: Estimand | None, trial: int) -> dict[str, Any]:
    """What the strategies for intercurrent events did to an estimate; nothing where they are treatment policy alone."""
    applied = estimate.applied
    if applied is None or estimand is None:
        return {}
    changed = changed_values(data, applied, estimate.parameter, estimate.visit, trial)
    drawn = estimate.p_kind == "re-randomisation"
    notes = strategy_notes(
        data, applied, estimand, estimate.visit, trial, counts=estimate.person_years is not None, drawn=drawn
    )
    return {
        "intercurrent_events": had_events(data, applied, estimate.visit, trial),
        "values_changed": changed,
        "strategy_notes": notes,
    }


def tails_of(values: Mapping[str, Floats], null: float = 0.0) -> Tails:
    """The one-sided p-values of an estimate against a value of its own scale, each (R,), from what its method gave.

    Against no effect the method's own, where it gives them; else Student's t of estimate and standard error. NaN where
    the method made no test, or gave neither.
    """
    if "p_value" not in values:
        return Tails(*(np.full(len(next(iter(values.values()), np.zeros(1))), np.nan) for _ in range(2)))
    tested, nothing = np.isfinite(values["p_value"]), np.full(values["p_value"].shape, np.nan)
    given = Tails(values.get("p_lower", nothing), values.get("p_upper", nothing))
    student = Tails(nothing, nothing)
    if "standard_error" in values:
        df = values.get("df", nothing)
        student = student_tails(values["estimate"], values["standard_error"], df, null)
    own = np.isfinite(given.lower) & (null == 0)
    lower, upper = (
        np.where(tested, np.where(own, a, b), np.nan)
        for a, b in zip((given.lower, given.upper), (student.lower, student.upper), strict=True)
    )
    return Tails(lower, upper)


def _covariance_used(estimate: Estimate, trial: int) -> str | None:
    return estimate.covariance if estimate.covariance_used is None else str(estimate.covariance_used[trial])


def _set_of(analysis: Analysis, estimand: Estimand | None) -> str:
    return estimand.population if estimand is not None else str(analysis.analysis_set)


def population(data: AnalysisData, analysis: Analysis) -> Flags:
    """The analysis set of an analysis, (R, n)."""
    estimand = data.protocol.estimand(analysis.estimand) if analysis.estimand is not None else None
    return data.sets[_set_of(analysis, estimand)]


def counted(data: AnalysisData, members: Flags, complete: Flags) -> tuple[dict[str, NDArray[np.int64]], ...]:
    """By arm, (R,): members with all values, and members without; of everybody as `pooled` in a blinded run."""
    if data.blinded:
        return {POOLED: (members & complete).sum(axis=1)}, {POOLED: (members & ~complete).sum(axis=1)}
    arms = [arm.id for arm in data.protocol.arms]
    have = {arm: (members & complete & data.in_arm(arm)).sum(axis=1) for arm in arms}
    lack = {arm: (members & ~complete & data.in_arm(arm)).sum(axis=1) for arm in arms}
    return have, lack


def level_of(data: AnalysisData, analysis: Analysis) -> float:
    """The level of an analysis's intervals: one minus its family's, else 0.95."""
    levels = {family.id: family.level for family in data.protocol.families}
    return 1 - levels[analysis.family] if analysis.family is not None else 0.95
