"""The mean level over a stretch of time: trapezoid area under the curve divided by its length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from equipoise.analysis.data import DerivationData
from equipoise.analysis.derivations.measured import (
    Below,
    find_test,
    nanmean,
    numbers,
    source_objections,
    spread,
)
from equipoise.analysis.registry import Derivation, Objection
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Part, Reference
from equipoise.protocol.schema.measurement import Parameter
from equipoise.records.panel import Floats


class Options(Part):
    """Which test, from which minute to which."""

    source: Reference
    start: int = Field(alias="from")
    end: int = Field(alias="to")
    basal: tuple[int, ...] = ()
    """Minutes whose mean is taken as the value at the start; of several, those that are there."""
    interpolated: Annotated[int, Field(ge=0, le=3)] = 1
    """How many interior points may be missing and be bridged by a straight line; the ends never."""
    ended_early: Literal["missing", "mean-to-last"] = "missing"
    """A test that stopped before `to`: no value, or the mean level up to its last point."""
    below: Below | None = None


def _derive(data: DerivationData, parameter: Parameter, options: Options) -> Floats:
    protocol = data.panel.protocol
    found = find_test(protocol, options.source)
    assert found is not None, "the plan has checked the source"
    assessment, test = found
    block = data.panel.blocks[assessment.id]
    values = numbers(*block.test(test.id), test, options.below)
    minutes = [minute for minute in block.minutes if options.start <= minute <= options.end]
    curve = values[..., [block.minutes.index(minute) for minute in minutes]]
    if options.basal:
        curve[..., 0] = nanmean(values[..., [block.minutes.index(minute) for minute in options.basal]])
    to_last = options.ended_early == "mean-to-last"
    area = mean_level(np.array(minutes, np.float64), curve, options.interpolated, to_last=to_last)
    planned = np.array([set(minutes) <= set(assessment.planned[visit]) for visit in block.visits])
    return spread(protocol, block, np.where(planned, area, np.nan))


def mean_level(minutes: Floats, curve: Floats, interpolated: int, *, to_last: bool = False) -> Floats:
    """Trapezoid area under `curve` (…, minutes) divided by its length; shape (…).

    A missing interior point is bridged by a straight line between its neighbours. NaN where the start is missing, where
    more than `interpolated` interior points are, and where the end is missing; but with `to_last` a curve that ends
    early gives the mean level up to its last point.
    """
    there = ~np.isnan(curve)
    area = np.zeros(curve.shape[:-1])
    last_minute = np.full(curve.shape[:-1], minutes[0])
    last_value = np.where(there[..., 0], curve[..., 0], 0.0)
    bridged = np.zeros(curve.shape[:-1], np.int64)
    gap = np.zeros(curve.shape[:-1], np.int64)
    for index in range(1, len(minutes)):
        here = there[..., index]
        value = np.where(here, curve[..., index], 0.0)
        area += np.where(here, (minutes[index] - last_minute) * (last_value + value) / 2, 0.0)
        bridged += np.where(here, gap, 0)
        gap = np.where(here, 0, gap + 1)
        last_minute = np.where(here, minutes[index], last_minute)
        last_value = np.where(here, value, last_value)
    length = last_minute - minutes[0]
    usable = there[..., 0] & (bridged <= interpolated) & (length > 0)
    if not to_last:
        usable &= there[..., -1]
    return np.where(usable, area / np.where(length > 0, length, 1.0), np.nan)


def _measured(protocol: Protocol, options: Options, others: Mapping[str, frozenset[str]]) -> frozenset[str]:
    found = find_test(protocol, options.source)
    if found is None:
        return frozenset()
    assessment = found[0]
    return frozenset(
        visit for visit in assessment.visits if {options.start, options.end} <= set(assessment.planned[visit])
    )


def _objections(protocol: Protocol, parameter: Parameter, options: Options) -> Iterator[Objection]:
    yield from source_objections(protocol, options.source, options.below)
    found = find_test(protocol, options.source)
    if found is None:
        return
    minutes = found[0].minutes
    for key, minute in (
        ("from", options.start),
        ("to", options.end),
        *(("basal", minute) for minute in options.basal),
    ):
        if minute not in minutes:
            message = f"{found[0].id} has no time point at minute {minute}"
            remedy = f"Its time points are {', '.join(map(str, minutes)) or 'none'}."
            yield Objection((key,), "minute-measured", message, remedy)
    if options.end <= options.start:
        yield Objection(("to",), "auc-length", "the stretch has no length", "Let `to` be later than `from`.")
    if found[1].unit != parameter.unit:
        message = f"a mean level of {options.source} is in {found[1].unit}, not in {parameter.unit}"
        yield Objection((), "parameter-unit", message, "Correct the parameter's unit.")


DERIVATION = Derivation(
    name="auc",
    title="Mean level by the trapezoid rule",
    options=Options,
    needs=lambda options: (),
    derive=_derive,
    measured=_measured,
    objections=_objections,
)
