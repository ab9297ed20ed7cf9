"""Events without grade, seriousness or relation: what is counted by these is not recorded, and never 0."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest

from equipoise.analysis.analyse import prepare, run
from equipoise.analysis.data import AnalysisData
from equipoise.analysis.event_datasets import events_table, times_table
from equipoise.analysis.plan import plan
from equipoise.analysis.results import Cell, ResultTable
from equipoise.analysis.safety_claim import safety_claim
from equipoise.analysis.safety_findings import safety_tables
from equipoise.records.panel import Rows
from tests.analysis.one_trial import alone, model, trials, with_panel

EVENTS = "adverse-events"


def silent(*columns: str) -> AnalysisData:
    """A trial with adverse events whose answers in these columns are all missing."""
    data = alone(trials(), 0)
    rows = data.panel.events
    mine = rows.columns["assessment"] == EVENTS
    assert mine.sum() > 3
    blank = {name: np.where(mine, np.nan, np.asarray(rows.columns[name], np.float64)) for name in columns}
    return with_panel(data, events=Rows(rows.trial, rows.participant, MappingProxyType({**rows.columns, **blank})))


def tables(data: AnalysisData, *analyses: str) -> dict[str, ResultTable]:
    """The tables of these analyses, and those of the claim on safety."""
    planned = [item for item in plan(model()).analyses if item.analysis.id in analyses]
    found = [t for item in planned for t in item.method.run(data, item.analysis, item.options).tables]
    return {table.id: table for table in (*found, *safety_tables(data))}


def lines(table: ResultTable, column: int = 0) -> dict[Cell, tuple[Cell, ...]]:
    return {row[column]: row[column + 1 :] for row in table.rows}


def note(what: str) -> str:
    return f"Adverse events, {what}: not recorded, which is not the same as none."


@pytest.mark.requirement("EVENTS-UNANSWERED")
@pytest.mark.parametrize("column", ["grade", "related"])
def test_a_stopping_rule_without_its_answers_cannot_be_assessed(column: str) -> None:
    found = tables(silent(column), "toxicity")
    table = found["toxicity"]
    assert set(table.rows[0][1:-1]) == {None} and table.rows[0][-1] == "not recorded"
    assert note({"grade": "grade", "related": "relation to the treatment"}[column]) in table.notes
    (claim,) = (item for item in model().claims if item.rule == "safety")
    told = safety_claim(claim, tuple(found.values()))
    assert told.verdict == "not recorded" and "the stopping rule cannot be assessed (not recorded)" in told.reason
    assert "never met" not in told.reason


@pytest.mark.requirement("EVENTS-UNANSWERED")
def test_without_seriousness_the_rule_is_walked_and_serious_events_are_not_counted() -> None:
    table = tables(silent("serious"), "toxicity")["toxicity"]
    cells = dict(zip([column.id for column in table.columns], table.rows[0], strict=True))
    assert cells["status"] == "ok" and cells["events"] is not None
    assert cells["serious_related"] is None and cells["serious_upper"] is None


@pytest.mark.requirement("EVENTS-UNANSWERED")
@pytest.mark.parametrize(
    ("column", "what", "blank"),
    [
        ("grade", "grade", {"grade 2 or more", "grade 3 or more"}),
        ("serious", "seriousness", {"serious"}),
        ("related", "relation to the treatment", {"related"}),
    ],
)
def test_rates_by_an_answer_that_is_not_there_are_blank(column: str, what: str, blank: set[str]) -> None:
    (name,) = (item.analysis.id for item in plan(model()).analyses if item.method.name == "event-rates")
    before, after = (tables(data, name)[name] for data in (alone(trials(), 0), silent(column)))
    assert note(what) in after.notes and note(what) not in before.notes
    for (label, *cells), (_, *old) in zip(after.rows, before.rows, strict=True):
        assert (set(cells) == {None}) if label in blank else (cells == old), label


@pytest.mark.requirement("EVENTS-UNANSWERED")
def test_a_share_of_people_by_grade_says_that_the_grade_was_not_recorded() -> None:
    planned = plan(model())
    data = prepare(planned, silent("grade").panel)
    shares = {item.id: item for item in run(planned, data)[0] if item.analysis == "grade-3-12"}
    assert shares and all(item.estimate is None and note("grade") in item.status for item in shares.values())


@pytest.mark.requirement("EVENTS-UNANSWERED")
def test_the_listing_of_serious_events_says_that_nobody_answered() -> None:
    listing = tables(silent("serious"), "safety")
    (table,) = (
        item for name, item in listing.items() if name.endswith("/serious") and not name.startswith("safety-claim")
    )
    assert not table.rows and note("seriousness") in table.notes


@pytest.mark.requirement("EVENTS-UNANSWERED")
def test_events_that_are_withheld_have_no_times() -> None:
    planned, data = plan(model()), alone(trials(), 0)
    kinds = {"hypoglycaemia", EVENTS}
    whole = times_table(prepare(planned, data.panel))
    masked = times_table(prepare(planned, data.panel, lacks=("events/assessment=hypoglycaemia",)))
    labels = {model().assessment(kind).label for kind in kinds}
    assert {name.removeprefix("Days to the first: ") for name in whole["PARAM"].unique()} >= labels
    assert set(whole["PARAM"].unique()) - set(masked["PARAM"].unique()) == {
        f"Days to the first: {model().assessment('hypoglycaemia').label}"
    }


@pytest.mark.requirement("EVENTS-PERIOD")
def test_an_event_belongs_to_the_period_of_its_day_and_one_without_a_day_to_none() -> None:
    data = alone(trials(), 0)
    rows = data.panel.events
    start = np.asarray(rows.columns["start_day"], np.float64).copy()
    mine = np.flatnonzero(rows.participant == rows.participant[0])[:1].tolist()
    wanted = {-70.0: None, 0.0: 1, 370.0: 1, 371.0: 2, np.nan: None}
    found = {}
    for day in wanted:
        start[mine] = day
        changed = Rows(rows.trial, rows.participant, MappingProxyType({**rows.columns, "start_day": start.copy()}))
        table = events_table(prepare(plan(model()), with_panel(data, events=changed).panel))
        own = table.filter(table["USUBJID"] == data.panel.ids[int(rows.participant[0])])
        line = own.filter(own["ASTDY"].is_null() if np.isnan(day) else own["ASTDY"] == day)
        found[day] = line["APERIOD"][0]
    assert list(found.values()) == list(wanted.values())


@pytest.mark.requirement("STRATEGY-VALUES")
def test_the_value_that_fails_a_detectable_level_is_below_every_limit() -> None:
    item = next(item for item in plan(model()).analyses if item.method.name == "detectable")
    assert item.method.carries(item.options).failure == -np.inf
