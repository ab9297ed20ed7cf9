"""How many events a participant had while under observation, up to each visit.

Observation is what a diary or its like covers: each collection covers the time since the one before. Events after the
last collection are not counted, as the days after it are no time at risk: counts and time at risk belong together.
Events that are recorded whenever they happen need no collection: they are known until the last contact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from equipoise.analysis.data import DerivationData
from equipoise.analysis.derivations.measured import find_test, source_objections
from equipoise.analysis.recorded import answered, counted_by, recorded
from equipoise.analysis.registry import Derivation, Objection
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier, Part, Reference
from equipoise.protocol.schema.measurement import Parameter
from equipoise.records.panel import Floats, Panel, Rows

Level = Annotated[int, Field(ge=1, le=3)]


class Options(Part):
    """Which events, from which day on, and the test whose presence shows that they were recorded."""

    events: Identifier
    collected: Reference | None = None
    """A test (as the number of diary days) that has a value at a visit where the record was collected; None: events are
    known until the last contact."""
    grade: Annotated[int, Field(ge=1, le=5)] | None = None
    """The least grade that counts; None: events of any grade, or without one."""
    related: bool = False
    """Only those that are at least possibly related to the study treatment."""
    levels: tuple[Level, ...] = ()
    """Levels of hypoglycaemia that count; none: all events count."""
    since: int = 0
    """The first study day that counts."""


def _derive(data: DerivationData, parameter: Parameter, options: Options) -> Floats:
    panel = data.panel
    covered = _covered_until(panel, options)
    if data.until is not None:
        covered = np.minimum(covered, data.until[..., None])
    rows = panel.events
    mine = rows.columns["assessment"] == options.events
    if options.levels:
        mine &= np.isin(rows.columns["level"], options.levels)
    if options.grade is not None:
        mine &= np.nan_to_num(np.asarray(rows.columns["grade"], np.float64)) >= options.grade
    if options.related:
        mine &= np.asarray(rows.columns["related"], np.float64) == 1
    start = np.asarray(rows.columns["start_day"], np.float64)
    mine &= start >= options.since
    counts = np.full(covered.shape, np.nan)
    for visit in range(covered.shape[2]):
        counts[:, :, visit] = _counted(rows, mine, start, covered[:, :, visit])
    known = recorded(panel, options.events) & answered(panel, options.events, counted_by(dict(options)))
    known = known[:, np.newaxis, np.newaxis]
    return np.where(known & ~np.isnan(covered), counts, np.nan)


def _covered_until(panel: Panel, options: Options) -> Floats:
    """The day until which the record is complete as of each visit, (R, n, visits); NaN before any collection."""
    if options.collected is None:
        last = panel.covariates["last_contact_day"]
        return np.stack([np.minimum(visit.day + visit.after, last) for visit in panel.protocol.visits], axis=-1)
    found = find_test(panel.protocol, options.collected)
    assert found is not None, "the plan has checked the source"
    block = panel.blocks[found[0].id]
    there = ~np.isnan(block.test(found[1].id)[0][..., 0])
    covered = np.full((*panel.present.shape, len(panel.protocol.visits)), np.nan)
    until = np.full(panel.present.shape, np.nan)
    for index, visit in enumerate(panel.protocol.visits):
        if visit.id in block.visits:
            place = block.visits.index(visit.id)
            day = np.where(np.isnan(block.day[:, :, place]), visit.day, block.day[:, :, place])
            until = np.where(there[:, :, place], day, until)
        covered[:, :, index] = until
    return covered


def _counted(rows: Rows, mine: NDArray[np.bool_], start: Floats, until: Floats) -> Floats:
    """Events of each participant on or before the day `until`, (R, n)."""
    with np.errstate(invalid="ignore"):
        counts = mine & (start <= until[rows.trial, rows.participant])
    total = np.zeros(until.shape)
    np.add.at(total, (rows.trial[counts], rows.participant[counts]), 1.0)
    return total


def _measured(protocol: Protocol, options: Options, others: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """From the first collection on; without collections at every visit."""
    if options.collected is None:
        return frozenset(visit.id for visit in protocol.visits)
    found = find_test(protocol, options.collected)
    if found is None or not found[0].visits:
        return frozenset()
    order = [visit.id for visit in protocol.visits]
    return frozenset(order[order.index(found[0].visits[0]) :])


def _objections(protocol: Protocol, parameter: Parameter, options: Options) -> Iterator[Objection]:
    for objection in source_objections(protocol, options.collected, "half") if options.collected is not None else ():
        yield Objection(("collected",), objection.rule, objection.message, objection.remedy)
    known = [item.id for item in protocol.assessments if item.observation_class == "events"]
    if options.events not in known:
        remedy = f"Name one of: {', '.join(known) or 'none'}."
        yield Objection(("events",), "known-events", f"there are no events {options.events!r}", remedy)


DERIVATION = Derivation(
    name="event-count",
    title="Events under observation, up to each visit",
    options=Options,
    needs=lambda options: (),
    derive=_derive,
    measured=_measured,
    objections=_objections,
    belongs="until",
)
