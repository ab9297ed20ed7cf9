"""Re-randomisation: arms compared beside all the ways in which the trial's own design could have allocated them.

Participants are adjusted by a working model without arms; the test assumes nothing about the outcome, only that the
allocation was made as the protocol says. Its null is sharp: arms change neither anybody's outcome nor who has one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.estimates import BLINDED, Estimate, counted, level_of, population
from equipoise.analysis.methods.endpoint import Endpoint, endpoint_objections
from equipoise.analysis.reference_set import CANNOT, Reference, Sequences, reference, sequences
from equipoise.analysis.registry import Carries, Method, Objection, Outcome
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier
from equipoise.protocol.schema.inference import Analysis
from equipoise.records.panel import UNKNOWN_ARM
from equipoise.stats.rerandomisation import Rerandomisation, rerandomise_difference, rerandomise_rates
from equipoise.stats.status import Status

YEAR = 365.25
SHOWN = ("estimate", "lower", "upper", "p_value", "p_lower", "p_upper")
NUMBERS = (*SHOWN, "draws", "mc_error", "smallest_p_value")
NOT_KNOWN = f"{CANNOT}the allocation does not say which arm everybody in the analysis set was in"
NO_LIMITS = "too few allocations were possible or drawn to exclude any effect at this level; report the p-value alone"
NO_RATIO = "one arm has no event, so the ratio of rates has no finite estimate; its p-value stands"


class Options(Endpoint):
    """What is compared, what the working model adjusts for, and how many allocations are drawn."""

    statistic: Literal["difference", "log-rate-ratio"] = "difference"
    """difference: of adjusted means; log-rate-ratio: of pooled rates, where the parameter is a count of events."""
    baseline: Identifier | None = None
    """Adjust for the parameter's value at this baseline."""
    covariates: tuple[Literal["age_years", "sex"], ...] = ()
    exposure: Identifier | None = None
    """For log-rate-ratio: the parameter that holds the days at risk."""
    draws: Annotated[int, Field(ge=999, le=1_000_000)] = 20_000
    """Allocations that are drawn, where the design has more than so many."""


@dataclass(frozen=True, slots=True)
class _Values:
    """What is tested: outcome or counts (R, n), covariates (R, n, k) or years at risk (R, n), who has all of it."""

    outcome: Floats
    beside: Floats
    complete: Flags


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    contrast = data.protocol.estimand(str(analysis.estimand)).contrast
    parameter, visit = options.of(data.protocol.estimand(str(analysis.estimand)))
    values = _values(data, parameter, visit, options)
    members = population(data, analysis)
    rates = options.statistic == "log-rate-ratio"
    columns = {name: np.full(data.panel.trials, np.nan) for name in NUMBERS}
    status = np.where(data.panel.present.any(axis=1), BLINDED, Status.NO_OBSERVATIONS.text).astype(object)
    active = [arm.id for arm in data.protocol.arms].index(contrast.active)
    for group in sequences(data.panel):
        given = reference(data.protocol, group, options.draws)
        status[group.trials] = given.status
        if len(given.arms):
            found = _tested(group, given, values, members, active, level_of(data, analysis), rates)
            _fill(columns, status, group, given, found)
    unknown = (members & (data.panel.arm == UNKNOWN_ARM)).any(axis=1) & (status != BLINDED)
    status[unknown] = NOT_KNOWN
    tested = np.array([text in ("ok", NO_LIMITS, NO_RATIO) for text in status], np.bool_)
    shown = {name: np.where(tested, column, np.nan) for name, column in columns.items()}
    n, missing = counted(data, members, values.complete)
    estimate = Estimate(
        parameter=parameter,
        visit=visit,
        contrast=contrast,
        values={name: shown[name] for name in SHOWN},
        n=n,
        missing=missing,
        status=status,
        level=level_of(data, analysis),
        scale="log" if rates else "identity",
        p_kind="re-randomisation",
        extra={name: shown[name] for name in ("draws", "mc_error", "smallest_p_value")},
        events=_by_arm(data, members & values.complete, values.outcome) if rates else None,
        person_years=_by_arm(data, members & values.complete, values.beside) if rates else None,
    )
    return Outcome((estimate,))


def _values(data: AnalysisData, parameter: str, visit: str, options: Options) -> _Values:
    outcome = data.at(parameter, visit)
    if options.statistic == "log-rate-ratio":
        years = data.at(str(options.exposure), visit) / YEAR
        return _Values(outcome, years, ~np.isnan(outcome) & (np.nan_to_num(years) > 0))
    columns = [data.panel.covariates[name] for name in options.covariates]
    if options.baseline is not None:
        columns.insert(0, data.baseline(parameter, options.baseline))
    covariates = np.stack(columns, axis=2) if columns else np.zeros((*outcome.shape, 0))
    return _Values(outcome, covariates, ~np.isnan(outcome) & ~np.isnan(covariates).any(axis=2))


def _tested(
    group: Sequences, given: Reference, values: _Values, members: Flags, active: int, level: float, rates: bool
) -> Rerandomisation:
    included = group.of(members & values.complete)
    observed, drawn = group.arms == active, given.arms == active
    outcome, beside = group.of(values.outcome), group.of(values.beside)
    if rates:
        return rerandomise_rates(outcome, beside, included, observed, drawn, probabilities=given.probabilities)
    return rerandomise_difference(
        outcome, beside, included, observed, drawn, probabilities=given.probabilities, level=level
    )


def _fill(
    columns: Mapping[str, Floats],
    status: NDArray[np.object_],
    group: Sequences,
    given: Reference,
    found: Rerandomisation,
) -> None:
    """The numbers of a group into the columns (R,); nothing was drawn where the whole set was written out."""
    texts = np.where(given.status == "ok", found.messages, given.status)
    texts[(texts == "ok") & (np.isinf(found.lower) | np.isinf(found.upper))] = NO_LIMITS
    texts[(texts == "ok") & np.isinf(found.estimate)] = NO_RATIO
    status[group.trials] = texts
    for name in SHOWN:
        columns[name][group.trials] = getattr(found, name)
    columns["smallest_p_value"][group.trials] = found.smallest
    if not found.exact:
        columns["draws"][group.trials] = found.draws
        columns["mc_error"][group.trials] = found.mc_error


def _by_arm(data: AnalysisData, members: Flags, values: Floats) -> dict[str, Floats] | None:
    """The sum of values over the members of each arm, (R,); None in a blinded run."""
    if data.blinded:
        return None
    return {arm.id: np.where(members & data.in_arm(arm.id), values, 0.0).sum(axis=1) for arm in data.protocol.arms}


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    yield from endpoint_objections(protocol, analysis, options)
    if len(protocol.arms) != 2:
        message = f"this method compares two arms, and the protocol has {len(protocol.arms)}"
        yield Objection((), "two-arms", message, "Choose another method.")
    rates = options.statistic == "log-rate-ratio"
    estimand = next((item for item in protocol.estimands if item.id == analysis.estimand), None)
    wanted = "rate-ratio" if rates else "difference-in-means"
    if estimand is not None and estimand.summary != wanted:
        message = f"the statistic {options.statistic} is for a {wanted}, not a {estimand.summary}"
        yield Objection(("statistic",), "summary-of-method", message, "Choose the other statistic or another estimand.")
    baselines = [baseline.id for baseline in protocol.conventions.baselines]
    if options.baseline is not None and options.baseline not in baselines:
        remedy = f"Name one of: {', '.join(baselines)}."
        yield Objection(("baseline",), "known-baseline", f"there is no baseline {options.baseline!r}", remedy)
    yield from _of_rates(protocol, options) if rates else _of_differences(options)


def _of_rates(protocol: Protocol, options: Options) -> Iterator[Objection]:
    in_days = [parameter.id for parameter in protocol.parameters if parameter.unit == "days"]
    if options.exposure not in in_days:
        message = "a rate needs the parameter that holds the days at risk"
        remedy = f"Name one in days: {', '.join(in_days) or 'there is none'}."
        yield Objection(("exposure",), "exposure-in-days", message, remedy)
    for name in ("baseline", "covariates"):
        if getattr(options, name):
            message = "the ratio of pooled rates is not adjusted"
            yield Objection((name,), "option-of-statistic", message, "Leave it out.")


def _of_differences(options: Options) -> Iterator[Objection]:
    if options.exposure is not None:
        message = "only the ratio of rates has time at risk"
        yield Objection(("exposure",), "option-of-statistic", message, "Leave it out.")


def _carries(options: Options) -> Carries:
    return Carries(withheld=True, last_value=True, counts=options.statistic == "log-rate-ratio")


METHOD = Method(
    name="re-randomisation",
    title="Re-randomisation test by the trial's own design",
    options=Options,
    page="rerandomisation",
    run=_run,
    objections=_objections,
    carries=_carries,
)
