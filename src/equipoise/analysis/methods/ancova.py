"""Analysis of covariance at one visit: arms compared after adjustment for the baseline value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from equipoise.analysis.data import AnalysisData, Floats
from equipoise.analysis.estimates import BLINDED, Estimate, counted, level_of, population
from equipoise.analysis.methods.endpoint import Endpoint, endpoint_objections
from equipoise.analysis.registry import Method, Objection, Outcome
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier
from equipoise.protocol.schema.inference import Analysis
from equipoise.stats.ancova import ancova_design, contrast, difference_weights, fit_least_squares


class Options(Endpoint):
    """What the model adjusts for, and how its standard error is computed."""

    baseline: Identifier | None = None
    """Adjust for the parameter's value at this baseline."""
    baseline_parameter: Identifier | None = None
    """Adjust for this parameter's value there instead; None: the parameter's own."""
    covariates: tuple[Literal["age_years", "sex"], ...] = ()
    standard_error: Literal["model", "hc3"] = "model"
    test: bool = True
    """Without a test there is the interval alone, for a comparison that may conclude nothing."""


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    estimand = data.protocol.estimand(str(analysis.estimand))
    parameter, visit = options.of(estimand)
    response = data.at(parameter, visit)
    covariates = _covariates(data, parameter, options)
    members = population(data, analysis)
    complete = ~np.isnan(response) & ~np.isnan(covariates).any(axis=2)
    included = members & complete & (data.panel.arm >= 0)
    design = ancova_design(data.panel.arm, covariates, len(data.protocol.arms))
    fit = fit_least_squares(response, design, included)
    order = [arm.id for arm in data.protocol.arms]
    active, reference = (order.index(arm) for arm in (estimand.contrast.active, estimand.contrast.reference))
    weights = difference_weights(active, reference, design.shape[-1])
    level = level_of(data, analysis)
    found = contrast(fit, weights, covariance=options.standard_error, level=level)
    n, missing = counted(data, members, complete)
    status = np.array([BLINDED if data.blinded else text for text in found.messages], dtype=object)
    estimate = Estimate(
        parameter=parameter,
        visit=visit,
        contrast=f"{estimand.contrast.active}-v-{estimand.contrast.reference}",
        values={
            "estimate": found.estimate,
            "standard_error": found.standard_error,
            "df": found.df,
            "lower": found.lower,
            "upper": found.upper,
            "p_value": found.p_value if options.test else np.full_like(found.p_value, np.nan),
        },
        n=n,
        missing=missing,
        status=status,
        level=level,
        covariance=options.standard_error,
    )
    return Outcome((estimate,))


def _covariates(data: AnalysisData, parameter: str, options: Options) -> Floats:
    """Baseline and other covariates, (R, n, k)."""
    columns = [data.panel.covariates[name] for name in options.covariates]
    if options.baseline is not None:
        columns.insert(0, data.baseline(options.baseline_parameter or parameter, options.baseline))
    return np.stack(columns, axis=2) if columns else np.zeros((*data.panel.present.shape, 0))


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    yield from endpoint_objections(protocol, analysis, options)
    baselines = {baseline.id: baseline.visit for baseline in protocol.conventions.baselines}
    if options.baseline is not None and options.baseline not in baselines:
        remedy = f"Name one of: {', '.join(baselines)}."
        message = f"there is no baseline {options.baseline!r}"
        yield Objection(("baseline",), "known-baseline", message, remedy)
    parameters = [parameter.id for parameter in protocol.parameters]
    if options.baseline_parameter is not None and options.baseline_parameter not in parameters:
        remedy = f"Name one of: {', '.join(parameters)}."
        message = f"there is no parameter {options.baseline_parameter!r}"
        yield Objection(("baseline_parameter",), "known-parameter", message, remedy)
    if analysis.family is not None and not options.test:
        message = f"the family {analysis.family!r} needs p-values, and this analysis gives an interval alone"
        yield Objection(("test",), "family-needs-test", message, "Let it test, or leave it out of the family.")
    estimands = {item.id: item for item in protocol.estimands}
    estimand = estimands.get(analysis.estimand or "")
    if estimand is not None and estimand.summary != "difference-in-means":
        message = f"analysis of covariance estimates a difference in means, not a {estimand.summary}"
        yield Objection((), "summary-of-method", message, "Choose another method or another estimand.")


METHOD = Method(
    name="ancova", title="Analysis of covariance", options=Options, page="ancova", run=_run, objections=_objections
)
