"""Rates of events: arms compared by a regression in which people differ in their own rates.

The reported interval is that of the negative binomial with Cox-Reid adjusted dispersion and t on n - p degrees of
freedom; quasi-Poisson is its sensitivity analysis. Numbers are logarithms of ratios.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.estimates import BLINDED, Estimate, counted, level_of, population
from equipoise.analysis.methods.endpoint import Endpoint, endpoint_objections
from equipoise.analysis.registry import Carries, Method, Objection, Outcome
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier
from equipoise.protocol.schema.inference import Analysis
from equipoise.stats.ancova import ancova_design, difference_weights
from equipoise.stats.counts import count_contrast, fit_negative_binomial, fit_quasi_poisson

YEAR = 365.25


class Options(Endpoint):
    """The time at risk, what the model adjusts for, and its variance."""

    exposure: Identifier
    """The parameter that holds the days at risk."""
    covariates: tuple[Literal["age_years", "sex"], ...] = ()
    variance: Literal["negative-binomial", "quasi-poisson"] = "negative-binomial"


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    estimand = data.protocol.estimand(str(analysis.estimand))
    parameter, visit = options.of(estimand)
    counts, years = data.at(parameter, visit), data.at(options.exposure, visit) / YEAR
    covariates = _covariates(data, options)
    members = population(data, analysis)
    complete = ~np.isnan(counts) & (np.nan_to_num(years) > 0) & ~np.isnan(covariates).any(axis=2)
    order = [arm.id for arm in data.protocol.arms]
    design = ancova_design(data.panel.arm, covariates, len(order))
    fit = (fit_quasi_poisson if options.variance == "quasi-poisson" else fit_negative_binomial)(
        counts, years, design, members & complete & (data.panel.arm >= 0)
    )
    active, reference = (order.index(arm) for arm in (estimand.contrast.active, estimand.contrast.reference))
    level = level_of(data, analysis)
    found = count_contrast(fit, difference_weights(active, reference, design.shape[-1]), level=level)
    n, missing = counted(data, members, complete)
    estimate = Estimate(
        parameter=parameter,
        visit=visit,
        contrast=estimand.contrast,
        values={
            "estimate": found.estimate,
            "standard_error": found.standard_error,
            "df": found.df,
            "lower": found.lower,
            "upper": found.upper,
            "p_value": found.p_value,
        },
        n=n,
        missing=missing,
        status=np.array([BLINDED if data.blinded else text for text in found.messages], dtype=object),
        level=level,
        scale="log",
        extra={"dispersion": fit.dispersion},
        events=_by_arm(data, members & complete, counts),
        person_years=_by_arm(data, members & complete, years),
    )
    return Outcome((estimate,))


def _covariates(data: AnalysisData, options: Options) -> Floats:
    """(R, n, k)."""
    columns = [data.panel.covariates[name] for name in options.covariates]
    return np.stack(columns, axis=2) if columns else np.zeros((*data.panel.present.shape, 0))


def _by_arm(data: AnalysisData, members: Flags, values: Floats) -> dict[str, Floats] | None:
    """The sum of values over the members of each arm, (R,); None in a blinded run."""
    if data.blinded:
        return None
    return {arm.id: np.where(members & data.in_arm(arm.id), values, 0.0).sum(axis=1) for arm in data.protocol.arms}


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    yield from endpoint_objections(protocol, analysis, options)
    in_days = [parameter.id for parameter in protocol.parameters if parameter.unit == "days"]
    if options.exposure not in in_days:
        message = "a rate needs the parameter that holds the days at risk"
        remedy = f"Name one in days: {', '.join(in_days) or 'there is none'}."
        yield Objection(("exposure",), "exposure-in-days", message, remedy)
    estimand = next((item for item in protocol.estimands if item.id == analysis.estimand), None)
    if estimand is not None and estimand.summary != "rate-ratio":
        message = f"this method estimates a ratio of rates, not a {estimand.summary}"
        yield Objection((), "summary-of-method", message, "Choose another method or another estimand.")


METHOD = Method(
    name="negative-binomial",
    title="Negative binomial rates",
    options=Options,
    page="counts",
    run=_run,
    shifts=True,
    objections=_objections,
    carries=lambda options: Carries(withheld=True, last_value=True, counts=True),
)
