"""Events of time that nobody watched, imputed from a negative binomial model: controlled imputation of counts.

The time at risk that the estimand's visit plans and a participant lacks is filled with events, at the participant's own
arm's rate or the reference arm's; draws are pooled by Rubin's rules. Keene, Roger, Hartley & Kenward, Pharm Stat
2014;13:258-264. Draws come from the protocol's declared seed, so that a repeated analysis gets the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from equipoise.analysis.data import AnalysisData
from equipoise.analysis.estimates import BLINDED, Estimate, counted, level_of, population
from equipoise.analysis.methods.endpoint import Endpoint, endpoint_objections
from equipoise.analysis.monte_carlo import Purpose, drawing_of
from equipoise.analysis.registry import Carries, Method, Objection, Outcome
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier
from equipoise.protocol.schema.inference import Analysis
from equipoise.records.order import ranks
from equipoise.stats.imputation import RateStrategy, controlled_rates

YEAR = 365.25
NUMBERS = ("estimate", "standard_error", "df", "lower", "upper", "p_value")


class Options(Endpoint):
    """The time at risk, what is assumed of the time that lacks, and how often it is drawn."""

    exposure: Identifier
    """The parameter that holds the days at risk."""
    planned_days: Annotated[int, Field(ge=1, le=36_500)]
    """Days at risk of somebody who lacks none."""
    covariates: tuple[Literal["age_years", "sex"], ...] = ()
    strategy: RateStrategy = "jump-to-reference"
    draws: Annotated[int, Field(ge=20, le=10_000)] = 200


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    estimand = data.protocol.estimand(str(analysis.estimand))
    parameter, visit = options.of(estimand)
    counts, days = data.at(parameter, visit), np.nan_to_num(data.at(options.exposure, visit))
    columns = [data.panel.covariates[name] for name in options.covariates]
    covariates = np.stack(columns, axis=2) if columns else np.zeros((*counts.shape, 0))
    members = population(data, analysis)
    known = np.asarray(~np.isnan(covariates).any(axis=2))
    included = members & known & (data.panel.arm >= 0)
    arms = [arm.id for arm in data.protocol.arms]
    active, reference = arms.index(estimand.contrast.active), arms.index(estimand.contrast.reference)
    order = np.argsort(ranks(data.panel), axis=1)
    level = level_of(data, analysis)
    planned = np.full(days.shape, float(options.planned_days))
    if data.applied is not None:
        # While on treatment: only the time until it ended is planned.
        planned = np.clip(data.applied.on_treatment, 0.0, planned)
    found = []
    for trial in range(data.panel.trials):
        who = order[trial][included[trial][order[trial]]]  # draws go to people in order of entry
        observed = days[trial][who] / YEAR
        found.append(
            controlled_rates(
                np.where(observed > 0, np.nan_to_num(counts[trial][who]), 0.0),
                observed,
                np.maximum(planned[trial][who] / YEAR, observed),
                np.asarray(data.panel.arm[trial], np.int64)[who],
                covariates[trial][who],
                drawing_of(data.protocol, Purpose.IMPUTED_COUNTS),
                arms=len(arms),
                active=active,
                reference=reference,
                strategy=options.strategy,
                draws=options.draws,
                level=level,
            )
        )
    n, missing = counted(data, members, np.asarray(known & (days > 0) & ~np.isnan(counts)))
    estimate = Estimate(
        parameter=parameter,
        visit=visit,
        contrast=estimand.contrast,
        values={name: np.array([float(getattr(item, name)) for item in found]) for name in NUMBERS},
        n=n,
        missing=missing,
        status=np.array([BLINDED if data.blinded else item.message for item in found], dtype=object),
        level=level,
        scale="log",
        extra={"draws": np.full(data.panel.trials, float(options.draws))},
    )
    return Outcome((estimate,))


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    yield from endpoint_objections(protocol, analysis, options)
    parameters = [parameter.id for parameter in protocol.parameters]
    if options.exposure not in parameters:
        message = f"there is no parameter {options.exposure!r}"
        yield Objection(("exposure",), "known-parameter", message, f"Name one of: {', '.join(parameters)}.")
    estimand = next((item for item in protocol.estimands if item.id == analysis.estimand), None)
    if estimand is not None and estimand.summary != "rate-ratio":
        message = f"imputed counts give a rate ratio, not a {estimand.summary}"
        yield Objection((), "summary-of-method", message, "Choose another method or another estimand.")


METHOD = Method(
    name="imputation-counts",
    title="Controlled imputation of counts",
    options=Options,
    page="imputation",
    run=_run,
    shifts=True,
    objections=_objections,
    carries=lambda options: Carries(withheld=True, last_value=True, counts=True),
)
