"""Detectable or not: who has a level at or above the lower limit of quantification, arms compared.

It takes the place of a comparison of levels where over half of an arm's values lie beyond a limit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Literal

import numpy as np

from equipoise.analysis.data import AnalysisData, Flags
from equipoise.analysis.estimates import Estimate, level_of, population
from equipoise.analysis.methods.panel import PanelEndpoint, estimand_of, panel_objections
from equipoise.analysis.methods.proportion import share_estimates
from equipoise.analysis.methods.quantified import (
    measured_by,
    mostly_censored,
    quantified,
    quantified_objections,
)
from equipoise.analysis.registry import Carries, Method, Objection, Outcome
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import Analysis
from equipoise.records.panel import LEFT

NOT_NEEDED = (
    "at most half of each arm's values lie beyond a limit of the assay at this visit, so that the levels themselves "
    "are compared (the method censored-longitudinal)"
)


class Options(PanelEndpoint):
    """Where the comparison is made."""

    where: Literal["always", "mostly-censored"] = "always"
    """mostly-censored: arms are compared only where over half of an arm's values lie beyond a limit."""


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    estimand = data.protocol.estimand(str(analysis.estimand))
    names, visit = options.of(estimand)
    members, level = population(data, analysis), level_of(data, analysis)
    estimates: list[Estimate] = []
    for name in names:
        found = quantified(data, name)
        place = data.panel.visit_index(visit)
        value, code = found.at(place)
        complete = ~np.isnan(value)
        difference, *arms = share_estimates(
            data, estimand.contrast, name, visit, members, complete, complete & (code != LEFT), level
        )
        if options.where == "mostly-censored" and not data.blinded:
            difference = _withheld(difference, ~mostly_censored(data, members, found, place))
        estimates += [difference, *arms]
    return Outcome(tuple(estimates))


def _withheld(difference: Estimate, not_needed: Flags) -> Estimate:
    """The comparison left out in the trials in which levels are compared; a trial without values keeps its status."""
    withheld = not_needed & ~np.isnan(difference.values["estimate"])
    values = {name: np.where(withheld, np.nan, column) for name, column in difference.values.items()}
    return dataclasses.replace(
        difference, values=values, status=np.where(withheld, NOT_NEEDED, difference.status).astype(object)
    )


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    yield from panel_objections(protocol, analysis, options)
    yield from quantified_objections(protocol, analysis, options)
    estimand = estimand_of(protocol, analysis)
    if estimand is None:
        return
    allowed = ["difference-in-proportions"]
    if options.where == "mostly-censored":
        # It stands in for a comparison of means, and may share its estimand.
        allowed.append("difference-in-means")
    if estimand.summary not in allowed:
        message = f"this method estimates a difference in proportions, not a {estimand.summary}"
        yield Objection((), "summary-of-method", message, "Choose another method or another estimand.")
    for place, name in enumerate(options.of(estimand)[0]):
        source = measured_by(protocol, name)
        limits = source[1].quantification if source is not None else None
        if source is not None and (limits is None or limits.lower is None):
            at = ("parameters", place) if options.parameters else ()
            message = f"the test of {name!r} has no lower limit of quantification"
            yield Objection(at, "limit-of-quantification", message, "Name a parameter whose test has one.")


METHOD = Method(
    name="detectable",
    title="Shares of participants with a detectable level",
    options=Options,
    page="proportions",
    run=_run,
    objections=_objections,
    carries=lambda options: Carries(withheld=True, last_value=True, declared=True, failure=-np.inf),
)
