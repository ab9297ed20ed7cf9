"""Missing values filled by an assumption that has a name, and how far it must be wrong for the verdict to change.

Reference-based imputation by conditional means with the jackknife, or at random; a grid of one delta an arm over the
protocol's range says where the verdict tips, and who carries it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.estimates import BLINDED, Estimate, counted, level_of, population
from equipoise.analysis.methods.endpoint import Endpoint, endpoint_objections
from equipoise.analysis.methods.panel import repeated_objections
from equipoise.analysis.registry import Carries, Method, Objection, Outcome
from equipoise.analysis.results import Cell, ResultTable, TableColumn, finite
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier, Number, Part, Positive
from equipoise.protocol.schema.inference import Analysis
from equipoise.stats.imputation import (
    RepeatedMeasures,
    Strategy,
    TippingGrid,
    conditional_mean_effect,
    repeated_measures,
    tipping_grid,
)
from equipoise.stats.status import Status

NUMBERS = ("estimate", "standard_error", "lower", "upper", "p_value")
MOST_DELTAS = 41


class Tipping(Part):
    """The deltas that are tried in each arm, in the outcome's unit."""

    lowest: Number
    highest: Number
    step: Positive


class Options(Endpoint):
    """The visits of the model, what it adjusts for, what is assumed of missing values, and the grid."""

    visits: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    """Visits after baseline, in their order; the estimand's is the last that counts."""
    baseline: Identifier
    baseline_parameter: Identifier | None = None
    covariates: tuple[Literal["age_years", "sex"], ...] = ()
    strategy: Strategy = "jump-to-reference"
    """What is assumed of values after a participant's last one."""
    distribution: Literal["t", "normal"] = "t"
    tipping: Tipping | None = None


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    estimand = data.protocol.estimand(str(analysis.estimand))
    parameter, visit = options.of(estimand)
    values = data.parameters[parameter][:, :, [data.panel.visit_index(name) for name in options.visits]]
    baseline = data.baseline(options.baseline_parameter or parameter, options.baseline)
    covariates = np.stack([baseline, *(data.panel.covariates[name] for name in options.covariates)], axis=2)
    members = population(data, analysis)
    included = members & ~np.isnan(covariates).any(axis=2) & (data.panel.arm >= 0)
    order = [arm.id for arm in data.protocol.arms]
    active, reference = order.index(estimand.contrast.active), order.index(estimand.contrast.reference)
    level, at = level_of(data, analysis), options.visits.index(visit)
    found, grids = [], []
    for trial in range(data.panel.trials):
        people = _people(data, values[trial], covariates[trial], included[trial], trial, reference, options)
        found.append(
            conditional_mean_effect(people, active=active, visit=at, distribution=options.distribution, level=level)
        )
        if trial == data.trial and options.tipping is not None and not data.blinded:
            deltas = _deltas(options.tipping)
            grids.append(
                tipping_grid(
                    people,
                    deltas,
                    deltas,
                    active=active,
                    visit=at,
                    distribution=options.distribution,
                    level=level,
                )
            )
    n, missing = counted(data, members, np.asarray(included & ~np.isnan(values[:, :, at])))
    estimate = Estimate(
        parameter=parameter,
        visit=visit,
        contrast=estimand.contrast,
        values={name: np.array([getattr(item, name) for item in found]) for name in NUMBERS}
        | {"df": np.array([item.df if np.isfinite(item.df) else np.nan for item in found])},
        n=n,
        missing=missing,
        status=np.array([BLINDED if data.blinded else item.message for item in found], dtype=object),
        level=level,
        covariance="jackknife",
    )
    return Outcome((estimate,), tuple(_table(data, analysis, grid) for grid in grids))


def _people(
    data: AnalysisData,
    values: Floats,
    covariates: Floats,
    included: Flags,
    trial: int,
    reference: int,
    options: Options,
) -> RepeatedMeasures:
    """The included people of one trial."""
    return repeated_measures(
        values[included],
        np.asarray(data.panel.arm[trial], np.int64)[included],
        covariates[included],
        arms=len(data.protocol.arms),
        reference=reference,
        strategy=options.strategy,
    )


def _deltas(tipping: Tipping) -> Floats:
    """The deltas as the protocol's decimals give them: 0 is exactly 0, and no sum of binary fractions."""
    lowest, step = Decimal(repr(tipping.lowest)), Decimal(repr(tipping.step))
    count = round((tipping.highest - tipping.lowest) / tipping.step) + 1
    return np.array([float(lowest + step * number) for number in range(count)])


def _table(data: AnalysisData, analysis: Analysis, grid: TippingGrid) -> ResultTable:
    """Every pair of deltas, with the estimate there and whether the verdict tips; the notes say the answer in words."""
    columns = (
        TableColumn("delta_reference", "Delta of the reference arm"),
        TableColumn("delta_active", "Delta of the active arm"),
        TableColumn("estimate", "Estimate"),
        TableColumn("lower", "Lower"),
        TableColumn("upper", "Upper"),
        TableColumn("tips", "Verdict tips"),
    )
    rows: list[tuple[Cell, ...]] = []
    for i, first in enumerate(grid.deltas_reference):
        for j, second in enumerate(grid.deltas_active):
            numbers = (finite(float(part[i, j])) for part in (grid.estimate, grid.lower, grid.upper))
            rows.append((float(first), float(second), *numbers, "yes" if grid.tipped[i, j] else "no"))
    notes = (
        tipping_words(data.protocol, analysis, grid),
        "A delta is added to every imputed value of its arm at the visit.",
    )
    return ResultTable(f"{analysis.id}/tipping", f"{analysis.label}: tipping grid", columns, tuple(rows), notes)


def tipping_words(protocol: Protocol, analysis: Analysis, grid: TippingGrid) -> str:
    """The grid's answer for a reader: whose imputed values would have to be how much higher or lower, and what then."""
    if grid.status != Status.OK:
        return f"No tipping point: {grid.status.text}."
    estimand = protocol.estimand(str(analysis.estimand))
    parameter = protocol.parameter(estimand.variable.parameter)
    carried = ((estimand.contrast.active, grid.carried_active), (estimand.contrast.reference, grid.carried_reference))
    people = [(protocol.arm(arm).label, count) for arm, count in carried]
    imputed = [f"{count} of {label}" for label, count in people if count]
    if not imputed:
        return "No value of either arm was imputed, so that no shift of imputed values could change the result."
    if grid.nearest is None:
        low, high = (_number(end) for end in (grid.deltas_active[0], grid.deltas_active[-1]))
        whole = f"No shift from {low} to {high} of the imputed values ({', '.join(imputed)})"
        return f"{whole} would change whether the interval excludes no effect."
    unit = "" if parameter.unit == "1" else f" {parameter.unit}"
    moved: list[str] = []
    for (label, count), delta in zip(people, grid.nearest[::-1], strict=True):
        values = f"the {count} imputed values" if count > 1 else "the one imputed value"
        if count and delta:
            moved.append(f"{values} of {label} were {_number(abs(delta))}{unit} {_direction(delta, parameter.better)}")
        elif count:
            moved.append(f"{values} of {label} as assumed")
    moved.sort(key=lambda text: text.endswith("as assumed"))
    now = "would exclude no effect" if grid.verdict == 0 else "would no longer exclude no effect on the same side"
    return f"The interval {now} if {', and '.join(moved)}."


def _direction(delta: float, better: str | None) -> str:
    """Higher or lower than assumed, and whether that is better where the protocol says."""
    word = "higher" if delta > 0 else "lower"
    return f"{word} than assumed" + ("" if better is None else " (better)" if word == better else " (worse)")


def _number(value: float) -> str:
    return f"{value:.10g}".replace("-", "\N{MINUS SIGN}")


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    yield from endpoint_objections(protocol, analysis, options)
    yield from repeated_objections(protocol, options.visits, options.baseline, options.baseline_parameter)
    if options.tipping is not None:
        count = (options.tipping.highest - options.tipping.lowest) / options.tipping.step + 1
        if not 2 <= count <= MOST_DELTAS:
            message = f"the range gives {count:.0f} deltas, and a grid has 2 to {MOST_DELTAS} for each arm"
            yield Objection(("tipping",), "tipping-range", message, "Change lowest, highest or step.")
    estimand = next((item for item in protocol.estimands if item.id == analysis.estimand), None)
    if estimand is not None and options.of(estimand)[1] not in options.visits:
        message = f"the estimand's visit {options.of(estimand)[1]!r} is none of the model's"
        yield Objection(("visits",), "visit-of-estimand", message, "Name it among the visits.")
    if estimand is not None and estimand.summary != "difference-in-means":
        message = f"imputed values give a difference in means, not a {estimand.summary}"
        yield Objection((), "summary-of-method", message, "Choose another method or another estimand.")


METHOD = Method(
    name="imputation",
    title="Imputation from the reference arm",
    options=Options,
    page="imputation",
    run=_run,
    shifts=True,
    objections=_objections,
    carries=lambda options: Carries(withheld=True, last_value=True),
)
