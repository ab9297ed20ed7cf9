"""Records -> Panel: the records of one trial as arrays, by the protocol's conventions."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.protocol.model import Assessment, Protocol
from equipoise.records.allocation import Allocation, Slot
from equipoise.records.classes import EVENTS, INTERVENTIONS, LOTS, PARTICIPANTS, ObservationClass
from equipoise.records.dispensed import Dispensed, dispensed_rows
from equipoise.records.panel import (
    COVARIATES,
    HELD,
    LABELS,
    LEFT,
    MISSED,
    NUMBERS_OF_ENTRY,
    RIGHT,
    STRATUM,
    UNKNOWN_ARM,
    Block,
    Floats,
    Panel,
    Rows,
    empty_block,
)
from equipoise.records.records import Records
from equipoise.records.windows import by_nearest_day

_CARRIED = {"participant", "sequence", "source", "domain", "date"}


def to_panel(records: Records, allocation: Allocation | None = None, dispensed: Dispensed | None = None) -> Panel:
    """The records of one trial as a Panel with one trial.

    Values stand at the visit that the records name (nominal visits) or at the one planned nearest to their day, as the
    protocol says; of repeated values its first or last is taken; unscheduled values (where they do not count) and
    unplanned time points stay in the records. Without `allocation` every arm is -1; without `dispensed` the Panel does
    not say which product was given.
    """
    protocol = records.protocol
    table = records.participants
    ids = tuple(table["participant"].to_list())
    place = pl.DataFrame(
        {"participant": list(ids), "p": range(len(ids))}, schema={"participant": pl.String, "p": pl.Int64}
    )
    visits = [visit.id for visit in protocol.visits]
    visit_day, visit_status = _visits(records.visits, place, visits)
    blocks = {
        assessment.id: _block(protocol, assessment, records.findings, place, len(ids))
        for assessment in protocol.findings
    }
    return Panel(
        protocol=protocol,
        ids=ids,
        present=np.ones((1, len(ids)), np.bool_),
        arm=_arms(protocol, ids, allocation),
        covariates=MappingProxyType({name: _covariate(table, name) for name in COVARIATES}),
        labels=MappingProxyType({name: _texts(table[name])[np.newaxis] for name in LABELS}),
        visit_day=visit_day,
        visit_status=visit_status,
        blocks=MappingProxyType(blocks),
        supplied=MappingProxyType(_supplied(records.supplied, place, visits)),
        events=_rows(EVENTS, records.events, place),
        interventions=_rows(INTERVENTIONS, records.interventions, place),
        lots=_lots(records.lots, place),
        entry=MappingProxyType(_entry(ids, allocation)),
        collected=records.collected,
        dispensed=dispensed_rows(dispensed, ids),
    )


def _arms(protocol: Protocol, ids: tuple[str, ...], allocation: Allocation | None) -> NDArray[np.int8]:
    order = {arm.id: index for index, arm in enumerate(protocol.arms)}
    arms = allocation.arms if allocation is not None else {}
    codes = [order[arms[participant]] if participant in arms else UNKNOWN_ARM for participant in ids]
    return np.array(codes, np.int8).reshape(1, len(ids))


def _entry(ids: tuple[str, ...], allocation: Allocation | None) -> dict[str, Floats | NDArray[np.str_]]:
    """The columns of the allocation, (1, n); without one nothing is known."""
    slots = allocation.slots if allocation is not None else {}
    every = [slots.get(participant, Slot()) for participant in ids]
    found: dict[str, Floats | NDArray[np.str_]] = {}
    for name in NUMBERS_OF_ENTRY:
        numbers = [getattr(slot, name) for slot in every]
        found[name] = np.array([[np.nan if number is None else float(number) for number in numbers]], np.float64)
    found[STRATUM] = np.array([[slot.stratum or "" for slot in every]], np.str_)
    return found


def _covariate(table: pl.DataFrame, name: str) -> Floats:
    words = PARTICIPANTS.column(name).words
    column = table[name]
    if words:
        column = column.replace_strict(
            list(words), [float(code) for code in range(len(words))], return_dtype=pl.Float64
        )
    return _floats(column)[np.newaxis]


def _floats(column: pl.Series) -> Floats:
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy().copy()


def _texts(column: pl.Series) -> NDArray[np.str_]:
    return np.array(column.fill_null("").to_list(), dtype=np.str_)


def _visits(table: pl.DataFrame, place: pl.DataFrame, visits: list[str]) -> tuple[Floats, NDArray[np.int8]]:
    day = np.full((1, place.height, len(visits)), np.nan)
    status = np.zeros((1, place.height, len(visits)), np.int8)
    known = table.filter(pl.col("visit").is_in(visits)).sort("sequence").unique(["participant", "visit"], keep="first")
    rows = known.join(place, on="participant").with_columns(v=_position("visit", visits))
    at = (0, rows["p"].to_numpy(), rows["v"].to_numpy())
    day[at] = _floats(rows["day"])
    status[at] = np.where((rows["status"] == "held").to_numpy(), HELD, MISSED)
    return day, status


def _position(column: str, words: list[str]) -> pl.Expr:
    return pl.col(column).replace_strict(words, list(range(len(words))), return_dtype=pl.Int64)


def _block(
    protocol: Protocol, assessment: Assessment, findings: pl.DataFrame, place: pl.DataFrame, participants: int
) -> Block:
    block = empty_block(assessment, 1, participants)
    own = findings.filter(pl.col("assessment") == assessment.id)
    if assessment.nearest:
        own = by_nearest_day(protocol, assessment, own)
    planned = own.filter(pl.col("visit").is_in(list(assessment.visits)))
    if assessment.minutes:
        planned = planned.filter(pl.col("minute").is_in(list(assessment.minutes)))
        minute = _position("minute", list(assessment.minutes))  # pyright: ignore[reportArgumentType]  numbers as words
    else:
        planned, minute = planned.filter(pl.col("minute").is_null()), pl.lit(0)
    if planned.height == 0:
        return block
    keep = protocol.conventions.windows.repeated
    once = planned.sort("sequence").unique(
        ["participant", "visit", "minute", "test"],
        keep="first" if keep == "first" else "last",
        maintain_order=True,
    )
    rows = once.join(place, on="participant", maintain_order="left").with_columns(
        v=_position("visit", list(assessment.visits)), m=minute, t=_position("test", list(block.tests))
    )
    at = (0, *(rows[axis].to_numpy() for axis in ("p", "v", "m", "t")))
    block.value[at] = _floats(rows["value"])
    side = rows["censored"].fill_null("").replace_strict(["left", "", "right"], [LEFT, 0, RIGHT], return_dtype=pl.Int8)
    block.censored[at] = side.to_numpy()
    block.asked[at] = (rows["status"] == "not-done").to_numpy()
    dated = rows.filter(pl.col("day").is_not_null()).unique(["p", "v"], keep="first", maintain_order=True)
    block.day[0, dated["p"].to_numpy(), dated["v"].to_numpy()] = _floats(dated["day"])
    return block


def _supplied(table: pl.DataFrame, place: pl.DataFrame, visits: list[str]) -> dict[str, Floats]:
    found: dict[str, Floats] = {}
    for parameter in sorted(table["parameter"].unique().to_list()):
        rows = table.filter(pl.col("parameter") == parameter).join(place, on="participant")
        values = np.full((1, place.height, len(visits)), np.nan)
        values[0, rows["p"].to_numpy(), rows.select(_position("visit", visits))["visit"].to_numpy()] = _floats(
            rows["value"]
        )
        found[parameter] = values
    return found


def _rows(observation_class: ObservationClass, table: pl.DataFrame, place: pl.DataFrame) -> Rows:
    rows = table.join(place, on="participant", maintain_order="left").sort("p", "assessment", "sequence")
    columns: dict[str, NDArray[np.float64] | NDArray[np.str_]] = {}
    for column in observation_class.columns:
        if column.name not in _CARRIED:
            series = rows[column.name]
            columns[column.name] = _texts(series) if column.kind is pl.String else _floats(series)
    zeros = np.zeros(rows.height, np.int64)
    return Rows(zeros, rows["p"].to_numpy().astype(np.int64), MappingProxyType(columns))


def _lots(table: pl.DataFrame, place: pl.DataFrame) -> Rows:
    """Release tests by participant; without rows there are no columns either."""
    if table["participant"].count() == 0:
        return Rows(np.zeros(0, np.int64), np.zeros(0, np.int64), MappingProxyType({}))
    rows = table.join(place, on="participant", maintain_order="left").sort("p", "lot", "test")
    columns = {
        column.name: _texts(rows[column.name]) if column.kind is pl.String else _floats(rows[column.name])
        for column in CARRIED_COLUMNS["lots"]
    }
    return Rows(np.zeros(rows.height, np.int64), rows["p"].to_numpy().astype(np.int64), MappingProxyType(columns))


CARRIED_COLUMNS = {
    item.name: tuple(column for column in item.columns if column.name not in _CARRIED)
    for item in (EVENTS, INTERVENTIONS, LOTS)
}
"""The columns of events, interventions and lots that a Panel carries."""
