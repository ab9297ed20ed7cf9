"""Shifts of laboratory values: within a range or outside it at baseline, against the worst value afterwards.

Low and high are worst cases of their own: a participant may shift to both. Every value after baseline within the period
counts, whatever the visit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field

from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.estimates import population
from equipoise.analysis.registry import Method, Objection, Outcome
from equipoise.analysis.results import Cell, ResultTable, TableColumn
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier, Number, Part, read_only
from equipoise.protocol.schema.inference import Analysis

AT_BASELINE = ("low", "normal", "high", "missing")
WORST = ("low", "normal", "high", "missing")


class Options(Part):
    """The parameters with their normal ranges, what they are compared with, and when."""

    ranges: Annotated[dict[Identifier, tuple[Number, Number]], Field(min_length=1), AfterValidator(read_only)]
    """Parameter -> the lowest and the highest normal value."""
    baseline: Identifier
    period: Identifier


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    protocol = data.protocol
    members = population(data, analysis)[data.trial]
    arms = () if data.blinded else protocol.arms
    groups = [(arm.id, arm.label, members & data.in_arm(arm.id)[data.trial]) for arm in arms]
    groups.append(("all", "All participants", members))
    rows: list[tuple[Cell, ...]] = []
    for name, (low, high) in options.ranges.items():
        start = _categories(data.baseline(name, options.baseline)[data.trial], low, high)
        worst = _worst(data, name, options, low, high)
        label, unit = protocol.parameter(name).label, protocol.parameter(name).unit
        for before in AT_BASELINE:
            for after in WORST:
                both = (start == before) & worst[after]
                if both[members].any():
                    counts = (int((both & inside).sum()) for _, _, inside in groups)
                    rows.append((name, label, unit, before, after, *counts))
    columns = (
        TableColumn("parameter", "Parameter"),
        TableColumn("label", "Label"),
        TableColumn("unit", "Unit"),
        TableColumn("baseline", "At baseline"),
        TableColumn("worst", "Worst afterwards"),
        *(TableColumn(name, label) for name, label, _ in groups),
    )
    told = (f"{protocol.parameter(name).label} {low:g} to {high:g}" for name, (low, high) in options.ranges.items())
    period = next(item.label for item in protocol.periods if item.id == options.period)
    notes = (
        f"Normal: {'; '.join(told)}.",
        f"Worst of all values after baseline in {period}; who had low and high values counts in both lines.",
    )
    return Outcome(tables=(ResultTable(analysis.id, analysis.label, columns, tuple(rows), notes),))


def _categories(values: Floats, low: float, high: float) -> np.ndarray:
    """The word of each value."""
    words = np.where(values < low, "low", np.where(values > high, "high", "normal"))
    return np.where(np.isnan(values), "missing", words)


def _worst(data: AnalysisData, name: str, options: Options, low: float, high: float) -> dict[str, Flags]:
    """Who had what as the worst value after baseline within the period, (n,)."""
    protocol = data.protocol
    order = [visit.id for visit in protocol.visits]
    after = order.index(protocol.baseline(options.baseline).visit)
    inside = [place for place, v in enumerate(protocol.visits) if v.period == options.period and place > after]
    values = data.parameters[name][data.trial][:, inside]
    there = ~np.isnan(values)
    below, above = (there & (values < low)).any(axis=1), (there & (values > high)).any(axis=1)
    seen = there.any(axis=1)
    return {"low": below, "high": above, "normal": seen & ~below & ~above, "missing": ~seen}


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    parameters = [parameter.id for parameter in protocol.parameters]
    for name, (low, high) in options.ranges.items():
        if name not in parameters:
            remedy = f"Name one of: {', '.join(parameters)}."
            yield Objection(("ranges", name), "known-parameter", f"there is no parameter {name!r}", remedy)
        if not low < high:
            yield Objection(("ranges", name), "range-order", f"{low:g} is not below {high:g}", "Give low, then high.")
    for key, name, known in (
        ("baseline", options.baseline, [item.id for item in protocol.conventions.baselines]),
        ("period", options.period, [item.id for item in protocol.periods]),
    ):
        if name not in known:
            yield Objection((key,), f"known-{key}", f"there is no {key} {name!r}", f"Name one of: {', '.join(known)}.")
    if analysis.analysis_set is None:
        message = "a table of shifts has an analysis set, not an estimand"
        yield Objection((), "method-needs-set", message, "Name the analysis_set.")


METHOD = Method(
    name="shift-table",
    title="Shifts of laboratory values",
    options=Options,
    page="adverse_events",
    run=_run,
    objections=_objections,
)
