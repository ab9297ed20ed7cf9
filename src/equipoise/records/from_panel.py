"""Panel -> Records and Allocation: what a real trial with these values would have recorded."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.records.allocation import Allocation, Slot
from equipoise.records.classes import (
    EVENTS,
    FINDINGS,
    INTERVENTIONS,
    LOTS,
    PARTICIPANTS,
    SUPPLIED,
    VISITS,
    ObservationClass,
)
from equipoise.records.panel import (
    COVARIATES,
    HELD,
    LABELS,
    LEFT,
    NO_VISIT,
    NUMBERS_OF_ENTRY,
    STRATUM,
    UNKNOWN_ARM,
    Block,
    Panel,
    Rows,
)
from equipoise.records.records import Records


def to_records(panel: Panel, trial: int = 0, *, source: str = "simulated") -> tuple[Records, Allocation]:
    """The records and the allocation of one trial of a Panel; `source` is written as the source of each row.

    ``to_panel(*to_records(p), dispensed_of(p)) == p`` holds bit for bit for a Panel of one trial.
    """
    present = panel.present[trial]
    ids = np.array(panel.ids, dtype=object)
    tables = {
        "participants": _participants(panel, trial, source).filter(pl.Series(present)),
        "visits": _visits(panel, trial, ids, source),
        "findings": pl.concat([_findings(panel, block, trial, ids, source) for block in panel.blocks.values()])
        if panel.blocks
        else FINDINGS.empty(),
        "supplied": _supplied(panel, trial, ids, source),
        "events": _rows(panel, EVENTS, panel.events, trial, ids, source),
        "interventions": _rows(panel, INTERVENTIONS, panel.interventions, trial, ids, source),
        "lots": _lots(panel, trial, ids, source),
    }
    arms = {
        str(ids[index]): panel.protocol.arms[code].id
        for index, code in enumerate(panel.arm[trial])
        if code != UNKNOWN_ARM and present[index]
    }
    records = Records.of(panel.protocol, tables, collected=panel.collected)
    return records, Allocation.of(arms, _slots(panel, trial))


def _slots(panel: Panel, trial: int) -> dict[str, Slot]:
    numbers = {name: panel.entry[name][trial] for name in NUMBERS_OF_ENTRY}
    strata = panel.entry[STRATUM][trial]
    found: dict[str, Slot] = {}
    for place, participant in enumerate(panel.ids):
        known = {name: int(values[place]) for name, values in numbers.items() if not np.isnan(values[place])}
        found[participant] = Slot(stratum=str(strata[place]) or None, **known)
    return found


def _frame(observation_class: ObservationClass, columns: dict[str, Any], height: int, source: str) -> pl.DataFrame:
    """A frame of the class from some columns; the others are empty, NaN and "" count as empty."""
    columns = {"source": [source] * height, **columns}
    series: list[pl.Series] = []
    for column in observation_class.columns:
        values = columns.get(column.name, [None] * height)
        filled = pl.Series(column.name, values)
        if filled.dtype == pl.Float64:
            filled = filled.fill_nan(None)
        filled = filled.cast(column.kind)
        if column.kind is pl.String:
            filled = filled.replace("", None)
        series.append(filled)
    return pl.DataFrame(series)


def _participants(panel: Panel, trial: int, source: str) -> pl.DataFrame:
    columns: dict[str, Any] = {"participant": list(panel.ids)}
    for name in COVARIATES:
        values = panel.covariates[name][trial]
        words = PARTICIPANTS.column(name).words
        columns[name] = [None if np.isnan(v) else words[int(v)] for v in values] if words else values
    for name in LABELS:
        columns[name] = panel.labels[name][trial].tolist()
    return _frame(PARTICIPANTS, columns, len(panel.ids), source)


def _visits(panel: Panel, trial: int, ids: NDArray[np.object_], source: str) -> pl.DataFrame:
    status = panel.visit_status[trial]
    person, visit = np.nonzero(status != NO_VISIT)
    names = np.array([item.id for item in panel.protocol.visits], dtype=object)
    columns: dict[str, Any] = {
        "participant": ids[person].tolist(),
        "visit": names[visit].tolist(),
        "sequence": np.ones(len(person), np.int32),
        "day": panel.visit_day[trial][person, visit],
        "status": np.where(status[person, visit] == HELD, "held", "missed").tolist(),
        "protocol": [panel.protocol.digest] * len(person),
    }
    return _frame(VISITS, columns, len(person), source)


def _findings(panel: Panel, block: Block, trial: int, ids: NDArray[np.object_], source: str) -> pl.DataFrame:
    assessment = panel.protocol.assessment(block.assessment)
    value, censored, asked = block.value[trial], block.censored[trial], block.asked[trial]
    person, visit, minute, test = np.nonzero(~np.isnan(value) | asked)
    at = (person, visit, minute, test)
    units = np.array([item.unit for item in assessment.tests], dtype=object)[test].tolist()
    minutes = np.array(block.minutes or (0,), np.int32)[minute]
    sides = censored[at]
    columns: dict[str, Any] = {
        "participant": ids[person].tolist(),
        "visit": np.array(block.visits, dtype=object)[visit].tolist(),
        "assessment": [block.assessment] * len(person),
        "test": np.array(block.tests, dtype=object)[test].tolist(),
        "minute": minutes if block.minutes else [None] * len(person),
        "sequence": np.ones(len(person), np.int32),
        "domain": [assessment.domain] * len(person),
        "day": block.day[trial][person, visit],
        "original": _reported(value[at], sides),
        "original_unit": units,
        "value": value[at],
        "unit": units,
        "censored": np.where(sides == 0, "", np.where(sides == LEFT, "left", "right")).tolist(),
        "status": np.where(np.isnan(value[at]), "not-done", "done").tolist(),
    }
    return _frame(FINDINGS, columns, len(person), source)


def _reported(values: NDArray[np.float64], sides: NDArray[np.int8]) -> list[str]:
    """Values as a laboratory would report them: the shortest text that reads back to the same number."""
    signs = {-1: "<", 0: "", 1: ">"}
    return ["" if np.isnan(v) else f"{signs[int(s)]}{float(v)!r}" for v, s in zip(values, sides, strict=True)]


def _supplied(panel: Panel, trial: int, ids: NDArray[np.object_], source: str) -> pl.DataFrame:
    names = np.array([item.id for item in panel.protocol.visits], dtype=object)
    parts = [SUPPLIED.empty()]
    for parameter, values in panel.supplied.items():
        person, visit = np.nonzero(~np.isnan(values[trial]))
        columns: dict[str, Any] = {
            "participant": ids[person].tolist(),
            "visit": names[visit].tolist(),
            "parameter": [parameter] * len(person),
            "value": values[trial][person, visit],
            "unit": [panel.protocol.parameter(parameter).unit] * len(person),
        }
        parts.append(_frame(SUPPLIED, columns, len(person), source))
    return pl.concat(parts)


def _lots(panel: Panel, trial: int, ids: NDArray[np.object_], source: str) -> pl.DataFrame:
    rows = panel.lots
    mine = rows.trial == trial
    columns: dict[str, Any] = {name: column[mine] for name, column in rows.columns.items()}
    columns["participant"] = ids[rows.participant[mine]].tolist()
    if rows.columns:
        columns["passed"] = [None if np.isnan(flag) else bool(flag) for flag in np.asarray(columns["passed"])]
    return _frame(LOTS, columns, int(mine.sum()), source)


def _rows(
    panel: Panel,
    observation_class: ObservationClass,
    rows: Rows,
    trial: int,
    ids: NDArray[np.object_],
    source: str,
) -> pl.DataFrame:
    mine = rows.trial == trial
    person = rows.participant[mine]
    columns: dict[str, Any] = {name: column[mine] for name, column in rows.columns.items()}
    assessments = [str(name) for name in columns["assessment"]]
    columns |= {
        "participant": ids[person].tolist(),
        "sequence": _counted(person, assessments),
        "domain": [panel.protocol.assessment(name).domain for name in assessments],
    }
    for column in observation_class.columns:
        if column.kind is pl.Boolean:
            flags = np.asarray(columns[column.name])
            columns[column.name] = [None if np.isnan(flag) else bool(flag) for flag in flags]
    return _frame(observation_class, columns, len(person), source)


def _counted(person: NDArray[np.int64], assessments: list[str]) -> list[int]:
    """1, 2, … for the rows of each participant and assessment, in their order."""
    seen: dict[tuple[int, str], int] = {}
    numbers: list[int] = []
    for key in zip(person.tolist(), assessments, strict=True):
        seen[key] = seen.get(key, 0) + 1
        numbers.append(seen[key])
    return numbers
