"""Repeated measures: arms compared at one visit by a model of all of them, with the ladder where it cannot be fitted.

Means by visit and arm, baseline and covariates with an effect of their own at each visit, unstructured covariance and
Kenward and Roger's linear form. Where the fit fails by its own numbers the next rung answers, robustly; the rung that
did is part of the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from equipoise.analysis.comparison import text_of
from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.estimates import BLINDED, Estimate, counted, level_of, population
from equipoise.analysis.methods.endpoint import Endpoint, endpoint_objections
from equipoise.analysis.methods.panel import repeated_objections
from equipoise.analysis.methods.sites import Sites, site_columns
from equipoise.analysis.registry import Carries, Method, Objection, Outcome
from equipoise.analysis.results import Cell, ResultTable, TableColumn, finite
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier
from equipoise.protocol.schema.inference import Analysis
from equipoise.stats.mmrm import RUNGS, Climb, Rung, VisitDesign, climb_down, contrast, visit_design

NUMBERS = ("estimate", "standard_error", "df", "lower", "upper", "p_value")
COLUMNS = (
    TableColumn("visit", "Visit"),
    TableColumn("what", "Mean of an arm, or difference"),
    TableColumn("estimate", "Estimate"),
    TableColumn("standard_error", "Standard error"),
    TableColumn("df", "Degrees of freedom"),
    TableColumn("lower", "Lower"),
    TableColumn("upper", "Upper"),
)


class Options(Endpoint):
    """The visits of the model, what it adjusts for, its inference, and the rungs that may answer."""

    visits: Annotated[tuple[Identifier, ...], Field(min_length=2)]
    """Visits after baseline, in their order; the estimand's is among them."""
    baseline: Identifier
    """Adjust for the value at this baseline, with an effect of its own at each visit."""
    baseline_parameter: Identifier | None = None
    """Adjust for this parameter's value there instead; None: the parameter's own."""
    covariates: tuple[Literal["age_years", "sex"], ...] = ()
    """Each with an effect of its own at each visit."""
    sites: Sites | None = None
    """Adjust for the site too, as a factor with one effect at all visits."""
    average: bool = False
    """Compare the arms' averages over the visits, each visit counting the same, and not their means at one visit."""
    inference: Literal["kenward-roger-linear", "kenward-roger", "satterthwaite"] = "kenward-roger-linear"
    rungs: Annotated[tuple[Rung, ...], Field(min_length=1)] = RUNGS

    @property
    def usable(self) -> tuple[Rung, ...]:
        """The rungs that can answer: one visit alone tells nothing of an average."""
        return tuple(rung for rung in self.rungs if not (self.average and rung == "ancova"))


@dataclass(frozen=True, slots=True)
class _Trial:
    """The values of one trial as the model takes them: one row for each person and visit."""

    y: Floats
    person: NDArray[np.int64]
    visit: NDArray[np.int64]
    design: VisitDesign


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    estimand = data.protocol.estimand(str(analysis.estimand))
    parameter, visit = options.of(estimand)
    values = data.parameters[parameter][:, :, [data.panel.visit_index(name) for name in options.visits]]
    covariates = _covariates(data, parameter, options)
    members = population(data, analysis)
    sites = np.zeros((*covariates.shape[:2], 0)) if options.sites is None else site_columns(data, options.sites)
    known = ~np.isnan(covariates).any(axis=2) & ~np.isnan(sites).any(axis=2)
    complete = np.asarray((~np.isnan(values)).any(axis=2) & known)
    included = members & complete & (data.panel.arm >= 0)
    order = [arm.id for arm in data.protocol.arms]
    arms = (order.index(estimand.contrast.active), order.index(estimand.contrast.reference))
    level, at = level_of(data, analysis), options.visits.index(visit)
    climbs = [
        _climb(data, values[trial], (covariates[trial], sites[trial]), included[trial], trial, arms, at, options, level)
        for trial in range(data.panel.trials)
    ]
    n, missing = counted(data, members, complete)
    status = [climb.status.text for _, climb in climbs]
    estimate = Estimate(
        parameter=parameter,
        visit=visit,
        contrast=estimand.contrast,
        values={name: np.array([getattr(climb.contrast, name)[0] for _, climb in climbs]) for name in NUMBERS},
        n=n,
        missing=missing,
        status=np.array([BLINDED if data.blinded else text for text in status], dtype=object),
        level=level,
        covariance=options.usable[0],
        covariance_used=np.array([climb.rung for _, climb in climbs], dtype=object),
    )
    table = _means(data, analysis, options, *climbs[data.trial], level)
    return Outcome((estimate,), () if table is None or data.blinded else (table,))


def _covariates(data: AnalysisData, parameter: str, options: Options) -> Floats:
    """Baseline and other covariates, (R, n, k)."""
    baseline = data.baseline(options.baseline_parameter or parameter, options.baseline)
    return np.stack([baseline, *(data.panel.covariates[name] for name in options.covariates)], axis=2)


def _climb(
    data: AnalysisData,
    values: Floats,
    covariates: tuple[Floats, Floats],
    included: Flags,
    trial: int,
    arms: tuple[int, int],
    at: int,
    options: Options,
    level: float,
) -> tuple[_Trial, Climb]:
    """One trial (n, T) down the ladder; covariates: those with an effect at each visit and those with one, (n, k)."""
    count = values.shape[1]
    person = np.repeat(np.flatnonzero(included), count)
    visit = np.tile(np.arange(count), int(included.sum()))
    arm = np.asarray(data.panel.arm[trial], np.int64)[person]
    y = values[included].ravel()
    crossed, plain = (columns[person] for columns in covariates)
    design = visit_design(
        y, arm, person, visit, arms=len(data.protocol.arms), visits=count, crossed=crossed, plain=plain
    )
    weights = design.differences(*arms)
    days = np.array([data.protocol.visit(name).day for name in options.visits], np.float64)
    answer = climb_down(
        y,
        design.columns,
        person,
        visit,
        weights.mean(axis=0) if options.average else weights[at],
        at,
        method=options.inference,
        visits=count,
        times=days / days[-1],
        rungs=options.usable,
        filled=design.filled,
        level=level,
    )
    return _Trial(y, person, visit, design), answer


def _means(
    data: AnalysisData, analysis: Analysis, options: Options, trial: _Trial, climb: Climb, level: float
) -> ResultTable | None:
    """Means of the arms and their difference at every visit by the rung that answered; none for a single visit's."""
    if climb.fit is None or climb.fit.solved is None:
        return None
    protocol, estimand = data.protocol, data.protocol.estimand(str(analysis.estimand))
    order = [arm.id for arm in protocol.arms]
    method = options.inference if climb.rung == "us" else "cr2"
    parts = [(arm.id, trial.design.means()[place]) for place, arm in enumerate(protocol.arms)]
    pair = (order.index(estimand.contrast.active), order.index(estimand.contrast.reference))
    parts.append((text_of(estimand.contrast), trial.design.differences(*pair)))
    rows: list[tuple[Cell, ...]] = []
    for name, weights in parts:
        found = contrast(climb.fit, weights, method=method, level=level)
        for place, visit in enumerate(options.visits):
            rows.append((visit, name, *(finite(float(getattr(found, number)[place])) for number in NUMBERS[:5])))
    tried = "; ".join(f"{rung}: {status.text}" for rung, status in climb.tried)
    notes = (f"Covariance: {climb.rung}. Tried: {tried}.", "Means are at the average of baseline and covariates.")
    return ResultTable(analysis.id, analysis.label, COLUMNS, tuple(rows), notes)


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    yield from endpoint_objections(protocol, analysis, options)
    yield from repeated_objections(protocol, options.visits, options.baseline, options.baseline_parameter)
    estimand = next((item for item in protocol.estimands if item.id == analysis.estimand), None)
    if estimand is None:
        return
    if options.of(estimand)[1] not in options.visits:
        message = f"the estimand's visit {options.of(estimand)[1]!r} is none of the model's"
        yield Objection(("visits",), "visit-of-estimand", message, "Name it among the visits.")
    if not options.usable:
        message = "the analysis of one visit cannot answer for an average"
        yield Objection(("rungs",), "rungs-of-average", message, "Name another rung, or none.")
    if estimand.summary != "difference-in-means":
        message = f"repeated measures estimate a difference in means, not a {estimand.summary}"
        yield Objection((), "summary-of-method", message, "Choose another method or another estimand.")


METHOD = Method(
    name="mmrm",
    title="Mixed model for repeated measures",
    options=Options,
    page="mmrm",
    run=_run,
    shifts=True,
    objections=_objections,
    carries=lambda options: Carries(withheld=True, last_value=True),
)
