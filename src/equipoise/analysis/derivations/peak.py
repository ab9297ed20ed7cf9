"""The largest value of a test over a stretch of time, as the peak of C-peptide after a meal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

import numpy as np
from pydantic import Field

from equipoise.analysis.data import DerivationData
from equipoise.analysis.derivations.measured import Below, find_test, numbers, source_objections, spread
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
    missing: Annotated[int, Field(ge=0, le=3)] = 1
    """How many of the stretch's time points may be missing; the peak may have been at one of them."""
    below: Below | None = None


def _derive(data: DerivationData, parameter: Parameter, options: Options) -> Floats:
    protocol = data.panel.protocol
    found = find_test(protocol, options.source)
    assert found is not None, "the plan has checked the source"
    assessment, test = found
    block = data.panel.blocks[assessment.id]
    values = numbers(*block.test(test.id), test, options.below)
    peak = np.full(values.shape[:3], np.nan)
    for place, visit in enumerate(block.visits):
        minutes = [m for m in assessment.planned[visit] if options.start <= m <= options.end]
        if _covers(minutes, options):
            curve = values[:, :, place][..., [block.minutes.index(minute) for minute in minutes]]
            gaps = np.isnan(curve).sum(axis=2)
            largest = np.where(np.isnan(curve), -np.inf, curve).max(axis=2)
            peak[:, :, place] = np.where((gaps <= options.missing) & np.isfinite(largest), largest, np.nan)
    return spread(protocol, block, peak)


def _covers(minutes: list[int], options: Options) -> bool:
    """Whether a visit's time points reach over the whole stretch."""
    return {options.start, options.end} <= set(minutes)


def _measured(protocol: Protocol, options: Options, others: Mapping[str, frozenset[str]]) -> frozenset[str]:
    found = find_test(protocol, options.source)
    if found is None:
        return frozenset()
    return frozenset(visit for visit in found[0].visits if _covers(list(found[0].planned[visit]), options))


def _objections(protocol: Protocol, parameter: Parameter, options: Options) -> Iterator[Objection]:
    yield from source_objections(protocol, options.source, options.below)
    found = find_test(protocol, options.source)
    if found is None:
        return
    minutes = found[0].minutes
    for key, minute in (("from", options.start), ("to", options.end)):
        if minute not in minutes:
            remedy = f"Its time points are {', '.join(map(str, minutes)) or 'none'}."
            yield Objection((key,), "minute-measured", f"{found[0].id} has no time point at minute {minute}", remedy)
    if options.end <= options.start:
        yield Objection(("to",), "peak-length", "the stretch has no length", "Let `to` be later than `from`.")
    if found[1].unit != parameter.unit:
        message = f"a peak of {options.source} is in {found[1].unit}, not in {parameter.unit}"
        yield Objection((), "parameter-unit", message, "Correct the parameter's unit.")


DERIVATION = Derivation(
    name="peak",
    title="Largest value over a stretch of time",
    options=Options,
    needs=lambda options: (),
    derive=_derive,
    measured=_measured,
    objections=_objections,
)
