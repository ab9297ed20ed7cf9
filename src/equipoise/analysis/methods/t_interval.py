"""The mean of a parameter in each arm with Student's t interval."""

from __future__ import annotations

import numpy as np

from equipoise.analysis.comparison import Pooled, Single, text_of
from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.estimates import Estimate, counted, level_of, population
from equipoise.analysis.methods.endpoint import Endpoint, endpoint_objections
from equipoise.analysis.registry import Carries, Method, Outcome
from equipoise.protocol.schema.inference import Analysis
from equipoise.stats.t_interval import one_sample_t


class Options(Endpoint):
    """The parameter and the visit."""


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    parameter, visit = options.of(data.protocol.estimand(str(analysis.estimand)))
    values = data.at(parameter, visit)
    members = population(data, analysis)
    if data.blinded:
        return Outcome((_estimate(data, analysis, parameter, visit, values, members, Pooled()),))
    estimates = [
        _estimate(data, analysis, parameter, visit, values, members & data.in_arm(arm.id), Single(arm.id))
        for arm in data.protocol.arms
    ]
    return Outcome(tuple(estimates))


def _estimate(
    data: AnalysisData,
    analysis: Analysis,
    parameter: str,
    visit: str,
    values: Floats,
    members: Flags,
    group: Single | Pooled,
) -> Estimate:
    complete = ~np.isnan(values)
    level = level_of(data, analysis)
    found = one_sample_t(values, members & complete, level=level)
    n, missing = counted(data, members, complete)
    name = text_of(group)
    return Estimate(
        parameter=parameter,
        visit=visit,
        contrast=group,
        values={
            "estimate": found.estimate,
            "standard_error": found.standard_error,
            "df": found.df,
            "lower": found.lower,
            "upper": found.upper,
            "p_value": found.p_value,
        },
        n={name: n[name]},
        missing={name: missing[name]},
        status=np.array(found.messages, dtype=object),
        level=level,
    )


METHOD = Method(
    name="t-interval",
    title="Mean by arm with Student's t interval",
    options=Options,
    page="t_interval",
    run=_run,
    shifts=True,
    objections=endpoint_objections,
    carries=lambda options: Carries(withheld=True, last_value=True),
)
