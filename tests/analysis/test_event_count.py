"""Events are counted while someone was writing them down, and not a day longer."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

import numpy as np
import pytest

from equipoise.analysis.analyse import prepare
from equipoise.analysis.derive import derive
from equipoise.analysis.plan import plan
from equipoise.protocol.load import load_protocol
from equipoise.records.panel import Panel, Rows
from tests.records.panels import make_panel

# Three people. The first collects every diary, the second none after month 6, the third misses month 3.
DIARY = {"month-3": (90.0, 88.0, np.nan), "month-6": (91.0, 80.0, 150.0), "month-9": (92.0, np.nan, 90.0)}
EVENTS = [  # participant, study day, level
    (0, 10.0, 2),
    (0, 91.0, 3),  # on the day of the collection
    (0, 92.0, 2),  # the day after
    (0, 100.0, 1),  # of a level that does not count
    (1, 50.0, 2),
    (1, 300.0, 2),  # after the last diary
    (2, 40.0, 2),  # written down, though collected only at month 6
    (2, -5.0, 2),  # before day 0
]


@pytest.fixture(scope="module")
def panel() -> Panel:
    protocol = load_protocol("msc-t1d")
    plain = make_panel(protocol, 3, seed=1, missing=0.0, awkward=False)
    block = plain.blocks["diary"]
    value = np.full(block.value.shape, np.nan)
    day = np.full(block.day.shape, np.nan)
    for visit, days in DIARY.items():
        value[0, :, block.visits.index(visit), 0, 0] = days
        day[0, :, block.visits.index(visit)] = protocol.visit(visit).day
    rows = plain.events
    kinds = {name: column.dtype.kind for name, column in rows.columns.items()}
    columns = {name: np.full(len(EVENTS), "" if kind == "U" else np.nan) for name, kind in kinds.items()}
    columns |= {
        "assessment": np.array(["hypoglycaemia"] * len(EVENTS)),
        "start_day": np.array([when for _, when, _ in EVENTS]),
        "level": np.array([float(level) for _, _, level in EVENTS]),
    }
    who = np.array([person for person, _, _ in EVENTS], np.int64)
    return dataclasses.replace(
        plain,
        blocks=MappingProxyType({**plain.blocks, "diary": dataclasses.replace(block, value=value, day=day)}),
        events=Rows(np.zeros(len(EVENTS), np.int64), who, MappingProxyType(columns)),
    )


def at(panel: Panel, parameter: str, visit: str) -> list[float]:
    values = derive(plan(panel.protocol), panel)[parameter]
    return values[0, :, panel.visit_index(visit)].tolist()


@pytest.mark.requirement("ANALYSIS-COUNTS")
def test_counts_end_with_the_last_collected_diary(panel: Panel) -> None:
    assert at(panel, "hypoglycaemia", "month-3") == pytest.approx([2, 1, np.nan], nan_ok=True)
    assert at(panel, "hypoglycaemia", "month-6") == [3, 1, 1]
    assert at(panel, "hypoglycaemia", "month-12") == [3, 1, 1]


@pytest.mark.requirement("ANALYSIS-COUNTS")
def test_time_at_risk_is_the_days_written_down(panel: Panel) -> None:
    assert at(panel, "time-at-risk", "month-3") == pytest.approx([90, 88, np.nan], nan_ok=True)
    assert at(panel, "time-at-risk", "month-12") == [273, 168, 240]


def test_there_is_no_count_before_the_first_collection(panel: Panel) -> None:
    for parameter in ("hypoglycaemia", "time-at-risk"):
        assert np.isnan(at(panel, parameter, "baseline")).all()
        assert "baseline" not in plan(panel.protocol).measured[parameter]
        assert {"month-3", "month-12", "month-24"} <= plan(panel.protocol).measured[parameter]


@pytest.mark.requirement("RESULTS-TABLES")
def test_events_are_described_by_period_where_there_are_several(panel: Panel) -> None:
    change = "protocol.analyses.laboratory.options.events=[hypoglycaemia]"
    planned = plan(load_protocol("msc-t1d", [change]))
    data = prepare(planned, dataclasses.replace(panel, protocol=planned.protocol))
    item = next(item for item in planned.analyses if item.analysis.id == "laboratory")
    everybody = dataclasses.replace(data, sets={name: np.ones((1, 3), np.bool_) for name in data.sets})
    (table,) = item.method.run(everybody, item.analysis, item.options).tables
    counts = {row[1]: row[-1] for row in table.rows if row[0] == "events" and row[5] == "events"}
    assert counts["hypoglycaemia"] == len(EVENTS)
    assert counts["hypoglycaemia/period-1"] == len(EVENTS) - 1, "one was before day 0"
    assert counts["hypoglycaemia/period-2"] == 0
