"""A panel of parameters tested together: step-down minP from one set of allocations of the trial's own design.

Each parameter has scores, the residuals of a working model of the value on its baseline, without arms; the statistic is
the difference of the arms' mean scores. Every allocation is applied to all parameters, so that their correlation is in
the adjusted p-values and nothing is assumed about it. Who lacks a value lacks it under each allocation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.derivations.balance_index import normal_scores
from equipoise.analysis.estimates import BLINDED, Estimate, counted, level_of, population
from equipoise.analysis.methods.panel import PanelEndpoint, baseline_objections, estimand_of, panel_objections
from equipoise.analysis.methods.quantified import measured_by, quantified
from equipoise.analysis.methods.rerandomisation import NO_LIMITS, NOT_KNOWN
from equipoise.analysis.monte_carlo import Purpose, drawing_of
from equipoise.analysis.reference_set import Reference, Sequences, reference, sequences
from equipoise.analysis.registry import Carries, Method, Objection, Outcome
from equipoise.analysis.results import ResultTable, TableColumn, finite
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier
from equipoise.protocol.schema.inference import Analysis
from equipoise.records.panel import UNKNOWN_ARM
from equipoise.stats.rerandomisation import rerandomise_difference, working_scores
from equipoise.stats.status import Status
from equipoise.stats.step_down import step_down_differences

VALUES = ("estimate", "lower", "upper", "p_value", "p_lower", "p_upper")
ALONE = (*VALUES, "mc_error")
NUMBERS = (*ALONE, "p_adjusted", "smallest_p_value", "draws")
SHOWN = ("estimate", "p_value", "p_adjusted", "smallest_p_value", "draws", "mc_error")
COLUMNS = (
    TableColumn("parameter", "Parameter"),
    TableColumn("unit", "Unit"),
    TableColumn("estimate", "Difference"),
    TableColumn("p_value", "p-value alone"),
    TableColumn("p_adjusted", "p-value adjusted within the panel"),
    TableColumn("smallest_p_value", "Smallest p-value that was attainable"),
    TableColumn("draws", "Allocations drawn"),
    TableColumn("mc_error", "Monte-Carlo standard error of the p-value alone"),
    TableColumn("status", "Status"),
)
NOTES = (
    "p-values by re-randomisation under the trial's own design, adjusted by step-down minP (Westfall and Young).",
    "Where all allocations are known the p-value alone is exact, and the adjusted one is from draws among them.",
)


class Options(PanelEndpoint):
    """On which scale parameters are compared, what the working model adjusts for, and how much is drawn."""

    scale: Literal["value", "log2", "normal-score"] = "value"
    """normal-score: of the ranks over all participants and visits, a level below its limit tied lowest."""
    baseline: Identifier | None = None
    """Adjust each parameter for its own value at this baseline."""
    covariates: tuple[Literal["age_years", "sex"], ...] = ()
    draws: Annotated[int, Field(ge=999, le=1_000_000)] = 20_000
    """Allocations that are drawn, where the design has more than so many."""


@dataclass(frozen=True, slots=True)
class _Values:
    """Outcomes (k, R, n), covariates (k, R, n, c), and who has both (k, R, n)."""

    outcome: Floats
    covariates: Floats
    complete: Flags


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    estimand = data.protocol.estimand(str(analysis.estimand))
    names, visit = options.of(estimand)
    values = _values(data, names, visit, options)
    members, level = population(data, analysis), level_of(data, analysis)
    columns = {name: np.full((len(names), data.panel.trials), np.nan) for name in NUMBERS}
    start = np.where(data.panel.present.any(axis=1), BLINDED, Status.NO_OBSERVATIONS.text)
    status = np.tile(start.astype(object), (len(names), 1))
    active = [arm.id for arm in data.protocol.arms].index(estimand.contrast.active)
    uniforms = drawing_of(data.protocol, Purpose.PANEL_MIN_P).random(options.draws)
    for group in sequences(data.panel):
        given = reference(data.protocol, group, options.draws)
        status[:, group.trials] = given.status
        if len(given.arms):
            _fill(columns, status, group, given, values, members, active, level, uniforms)
    unknown = (members & (data.panel.arm == UNKNOWN_ARM)).any(axis=1)
    status[:, unknown] = np.where(status[:, unknown] == BLINDED, BLINDED, NOT_KNOWN)
    shown = (status == "ok") | (status == NO_LIMITS)
    numbers = {name: np.where(shown, column, np.nan) for name, column in columns.items()}
    estimates = []
    for k, name in enumerate(names):
        n, missing = counted(data, members, values.complete[k])
        estimates.append(
            Estimate(
                parameter=name,
                visit=visit,
                contrast=estimand.contrast,
                values={key: numbers[key][k] for key in VALUES},
                n=n,
                missing=missing,
                status=status[k],
                level=level,
                p_kind="re-randomisation",
                extra={key: numbers[key][k] for key in ("draws", "mc_error", "smallest_p_value", "p_adjusted")},
                unit=_unit(data.protocol, name, options),
            )
        )
    return Outcome(tuple(estimates), (_table(data, analysis, estimates),))


def _values(data: AnalysisData, names: tuple[str, ...], visit: str, options: Options) -> _Values:
    place = data.panel.visit_index(visit)
    every = [_scaled(data, name, options.scale) for name in names]
    outcome = np.stack([each[:, :, place] for each in every])
    columns = [np.stack([data.panel.covariates[name]] * len(names)) for name in options.covariates]
    if options.baseline is not None:
        first = data.panel.visit_index(data.protocol.baseline(options.baseline).visit)
        columns.insert(0, np.stack([each[:, :, first] for each in every]))
    covariates = np.stack(columns, axis=3) if columns else np.zeros((*outcome.shape, 0))
    return _Values(outcome, covariates, ~np.isnan(outcome) & ~np.isnan(covariates).any(axis=3))


def _scaled(data: AnalysisData, name: str, scale: str) -> Floats:
    """The values of a parameter on the scale of comparison, (R, n, visits of the protocol)."""
    if scale == "normal-score":
        levels = quantified(data, name)
        return normal_scores(levels.value, levels.censored)
    values = data.parameters[name]
    if scale == "value":
        return values
    # 0 becomes -inf, which the fit refuses with a status; a negative value is treated like it, not as missing.
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values < 0, -np.inf, np.log2(values))


def _fill(
    columns: dict[str, Floats],
    status: NDArray[np.object_],
    group: Sequences,
    given: Reference,
    values: _Values,
    members: Flags,
    active: int,
    level: float,
    uniforms: Floats,
) -> None:
    """The numbers of a group of trials into the columns (k, R)."""
    observed, drawn = group.arms == active, given.arms == active
    included = np.stack([group.of(each) for each in values.complete & members])
    scores = np.zeros(included.shape)
    for k, mask in enumerate(included):
        outcome, covariates = group.of(values.outcome[k]), group.of(values.covariates[k])
        for some, varying in _alike(covariates, mask):
            own, beside = outcome[some], covariates[some][:, :, varying]
            scores[k, some] = np.nan_to_num(working_scores(own, beside, mask[some])[0])
            found = rerandomise_difference(
                own, beside, mask[some], observed[some], drawn, probabilities=given.probabilities, level=level
            )
            texts = np.where(given.status[some] == "ok", found.messages, given.status[some])
            texts[(texts == "ok") & (np.isinf(found.lower) | np.isinf(found.upper))] = NO_LIMITS
            trials = group.trials[some]
            status[k, trials] = texts
            for name in ALONE:
                columns[name][k, trials] = getattr(found, name)
            columns["smallest_p_value"][k, trials] = found.smallest
            columns["draws"][k, trials] = np.nan if found.exact else found.draws
    independent = _independent(given, drawn, uniforms)
    for r, trial in enumerate(group.trials):
        tested = np.isin(status[:, trial], ("ok", NO_LIMITS))
        nothing = np.zeros((*scores[:, r].shape, 0))
        mask = included[:, r] & tested[:, None]
        together = step_down_differences(scores[:, r], nothing, mask, observed[r], independent).p_adjusted
        # Only where the p-value alone is exact can drawing put the adjusted one below it.
        columns["p_adjusted"][:, trial] = np.where(tested, np.fmax(together, columns["p_value"][:, trial]), np.nan)


def _alike(covariates: Floats, included: Flags) -> Iterator[tuple[NDArray[np.intp], Flags]]:
    """Trials in which the same covariates vary, and which these are.

    One that does not vary, such as a baseline wholly below its limit, explains nothing and is left out, whatever the
    arms.
    """
    mask = included[:, :, None]
    largest = np.where(mask, covariates, -np.inf).max(axis=1, initial=-np.inf)
    least = np.where(mask, covariates, np.inf).min(axis=1, initial=np.inf)
    varies = np.asarray(largest > least)
    for pattern in np.unique(varies, axis=0):
        yield np.flatnonzero((varies == pattern).all(axis=1)), pattern


def _independent(given: Reference, drawn: Flags, uniforms: Floats) -> Flags:
    """Independent draws: those of the reference set, or one for each uniform from a whole one, by its probabilities."""
    if given.probabilities is None:
        return drawn
    edges = np.cumsum(given.probabilities)
    places = np.searchsorted(edges, uniforms * edges[-1], side="right")
    return drawn[np.minimum(places, len(drawn) - 1)]


def _unit(protocol: Protocol, name: str, options: Options) -> str | None:
    if options.scale == "log2":
        return f"log2({protocol.parameter(name).unit})"
    return "normal score" if options.scale == "normal-score" else None


def _table(data: AnalysisData, analysis: Analysis, estimates: list[Estimate]) -> ResultTable:
    """The panel in the data's own trial, p-values side by side."""
    rows = []
    for estimate in estimates:
        parameter = data.protocol.parameter(estimate.parameter)
        given = {**estimate.values, **estimate.extra}
        numbers = {name: finite(float(given[name][data.trial])) for name in SHOWN}
        drawn = numbers["draws"]
        numbers["draws"] = None if drawn is None else int(drawn)
        rows.append(
            (parameter.id, estimate.unit or parameter.unit, *numbers.values(), str(estimate.status[data.trial]))
        )
    return ResultTable(analysis.id, analysis.label, COLUMNS, tuple(rows), NOTES)


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    yield from panel_objections(protocol, analysis, options)
    yield from baseline_objections(protocol, options.baseline)
    if len(protocol.arms) != 2:
        message = f"this method compares two arms, and the protocol has {len(protocol.arms)}"
        yield Objection((), "two-arms", message, "Choose another method.")
    estimand = estimand_of(protocol, analysis)
    if estimand is not None and estimand.summary != "difference-in-means":
        message = f"this method estimates differences in means, not a {estimand.summary}"
        yield Objection((), "summary-of-method", message, "Choose another method or another estimand.")
    if analysis.family is not None:
        message = f"a panel adjusts its own p-values, and the family {analysis.family!r} would adjust them again"
        yield Objection((), "panel-in-family", message, "Leave the panel out of families.")
    if options.scale == "normal-score" and estimand is not None:
        known = {parameter.id for parameter in protocol.parameters}
        for place, name in enumerate(options.of(estimand)[0]):
            if name in known and measured_by(protocol, name) is None:
                at = ("parameters", place) if options.parameters else ()
                message = f"{name!r} is no measured value, so that nothing is known of its limits"
                yield Objection(at, "parameter-is-measured", message, "Name measured values, or another scale.")


METHOD = Method(
    name="panel-min-p",
    title="A panel of parameters by step-down minP",
    options=Options,
    page="step_down",
    run=_run,
    objections=_objections,
    carries=lambda options: Carries(withheld=True, last_value=True, declared=options.scale == "normal-score"),
)
