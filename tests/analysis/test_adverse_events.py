"""Adverse events by arm and period, worked out by hand for six people."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from equipoise.analysis.data import AnalysisData
from equipoise.analysis.methods.adverse_events import METHOD, Options
from equipoise.analysis.results import ResultTable
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import Analysis
from equipoise.records.classes import STATUSES, STUDY_TREATMENT
from equipoise.records.panel import Panel, Rows
from tests.records.panels import make_panel

NAN = float("nan")
CROSSOVER = Path(__file__).parents[1] / "protocols" / "valid" / "crossover.yaml"
SMALL = Path(__file__).parents[2] / "examples" / "small-trial" / "protocol.yaml"
ARMS = (0, 0, 0, 1, 1, -1)
# The third leaves in period 1; of the fourth nobody wrote down a last contact; the sixth was screened only.
LAST_CONTACT = (741.0, 735.0, 100.0, NAN, 371.0, -60.0)
ASPIRATION = {0: -42.0, 1: -40.0, 2: -42.0, 4: -35.0}  # the fourth was not aspirated
DOSES = [(0, 0.0), (0, 28.0), (0, 371.0), (1, 0.0), (2, 0.0), (3, 0.0), (4, 0.0)]
EVENTS = [  # participant, assessment, term, first day, grade, level, serious, related
    (0, "adverse-events", "Fever", 0.0, 1, NAN, 0, 1),
    (0, "adverse-events", "Fever", 29.0, 3, NAN, 1, 1),
    (0, "adverse-events", "Headache", 371.0, 2, NAN, 0, 0),
    (1, "adverse-events", "Fever", -40.0, 2, NAN, 0, 1),
    (1, "adverse-events", "Headache", -50.0, 2, NAN, 0, 0),  # before the aspiration
    (2, "adverse-events", "Sepsis", 120.0, 5, NAN, 1, 0),  # known after the last contact on record
    (3, "adverse-events", "Fever", 370.0, NAN, NAN, 0, NAN),
    (4, "adverse-events", "Headache", NAN, 1, NAN, 0, 0),
    (5, "adverse-events", "Fever", -60.0, 1, NAN, 1, 0),  # of nobody in the analysis set
    (0, "hypoglycaemia", "Hypoglycaemia", 10.0, NAN, 2, NAN, NAN),
    (0, "hypoglycaemia", "Hypoglycaemia", 400.0, NAN, 3, NAN, NAN),
    (3, "hypoglycaemia", "Hypoglycaemia", 11.0, NAN, 1, NAN, NAN),
    (0, "medical-history", "Asthma", 5.0, 3, NAN, 1, 1),  # of an assessment that was not asked for
]


def rows_like(rows: Rows, who: list[int], **columns: object) -> Rows:
    """Rows of the same columns; those not given are empty."""
    filled = {n: np.full(len(who), "" if c.dtype.kind == "U" else NAN) for n, c in rows.columns.items()}
    filled |= {name: np.array(values) for name, values in columns.items()}
    return Rows(np.zeros(len(who), np.int64), np.array(who, np.int64), MappingProxyType(filled))


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return load_protocol("msc-t1d")


@pytest.fixture(scope="module")
def panel(protocol: Protocol) -> Panel:
    return crossover_panel(protocol)


def crossover_panel(protocol: Protocol) -> Panel:
    """The six people and their events."""
    plain = make_panel(protocol, 6, seed=1, missing=0.0, awkward=False)
    status = np.full((1, 6), float(STATUSES.index("randomised")))
    status[0, 5] = STATUSES.index("screened")
    visit_day = np.full(plain.visit_day.shape, NAN)
    visit_day[0, 3, protocol.visits.index(protocol.visit("month-12"))] = 364.0
    who, assessment, term, start, grade, level, serious, related = (
        list(column) for column in zip(*EVENTS, strict=True)
    )
    dosed, dose_days = (list(column) for column in zip(*DOSES, strict=True))
    given = [*ASPIRATION, *dosed]
    return dataclasses.replace(
        plain,
        ids=tuple(f"P{number}" for number in range(6)),
        arm=np.array([ARMS], np.int8),
        covariates=MappingProxyType(
            {**plain.covariates, "status": status, "last_contact_day": np.array([LAST_CONTACT])}
        ),
        visit_day=visit_day,
        events=rows_like(
            plain.events,
            who,
            assessment=assessment,
            term=term,
            start_day=start,
            grade=np.array(grade, float),
            level=np.array(level, float),
            serious=np.array(serious, float),
            related=np.array(related, float),
        ),
        interventions=rows_like(
            plain.interventions,
            given,
            assessment=["aspiration"] * len(ASPIRATION) + ["study-infusion"] * len(DOSES),
            treatment=["aspirate"] * len(ASPIRATION) + [STUDY_TREATMENT] * len(DOSES),
            day=np.array([*ASPIRATION.values(), *dose_days], float),
            status=["given"] * len(given),
        ),
    )


def tables(panel: Panel, *events: str, by_term: bool = True) -> dict[str, ResultTable]:
    analysis = Analysis(
        id="harm", label="Harm", method="adverse-events", analysis_set="everybody", role="primary", options={}
    )
    members = panel.covariates["status"] >= STATUSES.index("randomised")
    data = AnalysisData(panel, {}, {"everybody": members})
    outcome = METHOD.run(data, analysis, Options(events=events, by_term=by_term))
    assert outcome.estimates == ()
    for table in outcome.tables:
        assert all(len(row) == len(table.columns) for row in table.rows)
    return {table.id: table for table in outcome.tables}


@pytest.fixture(scope="module")
def found(panel: Panel) -> dict[str, ResultTable]:
    return tables(panel, "adverse-events", "hypoglycaemia")


def statistic(table: ResultTable, period: str, name: str, assessment: str = "adverse-events") -> list[object]:
    """The cells of group-a, group-b and everybody."""
    ((*_, a, b, everybody),) = [row for row in table.rows if (row[0], row[2], row[4]) == (assessment, period, name)]
    return [a, b, everybody]


@pytest.mark.requirement("RESULTS-TABLES")
def test_time_at_risk_runs_from_the_aspiration_to_the_last_contact(found: dict[str, ResultTable]) -> None:
    harm = found["harm"]
    assert statistic(harm, "before", "at risk") == [3, 1, 4], "one was not aspirated"
    assert statistic(harm, "period-1", "at risk") == [3, 2, 5]
    assert statistic(harm, "period-2", "at risk") == [2, 1, 3]
    days = {
        "before": [42 + 40 + 42, 35],
        "period-1": [371 + 371 + 121, 371 + 371],  # the fourth's event on day 370 is the last that was heard
        "period-2": [371 + 365, 1],
    }
    for period, expected in days.items():
        years = statistic(harm, period, "person-years")
        assert years == pytest.approx([*(d / 365.25 for d in expected), sum(expected) / 365.25])
    whole = sum(sum(pair) for pair in days.values()) / 365.25
    assert statistic(harm, "whole", "person-years")[2] == pytest.approx(whole)


@pytest.mark.requirement("RESULTS-TABLES")
@pytest.mark.parametrize(
    ("period", "name", "expected"),
    [
        ("before", "participants: any", [1, 0, 1]),
        ("before", "events: related", [1, 0, 1]),
        ("period-1", "participants: any", [2, 1, 3]),
        ("period-1", "events: any", [3, 1, 4]),
        ("period-1", "participants: grade 3 or more", [2, 0, 2]),
        ("period-1", "participants: serious", [2, 0, 2]),
        ("period-1", "participants: related", [1, 0, 1]),
        ("period-1", "events: related", [2, 0, 2]),
        ("period-1", "participants: serious and related", [1, 0, 1]),
        ("period-1", "participants: grade 5 (death)", [1, 0, 1]),
        ("period-2", "events: any", [1, 0, 1]),
        ("period-2", "participants: serious", [0, 0, 0]),
        ("whole", "events: any", [5, 2, 7]),  # that of an unknown day is counted here alone
        ("whole", "participants: any", [3, 2, 5]),
    ],
)
def test_participants_and_events(found: dict[str, ResultTable], period: str, name: str, expected: list[int]) -> None:
    assert statistic(found["harm"], period, name) == expected


@pytest.mark.requirement("RESULTS-TABLES")
def test_the_upper_limit_of_serious_related_events_is_exact(found: dict[str, ResultTable]) -> None:
    from scipy.stats import binom

    harm, name = found["harm"], "upper limit: serious and related"
    # Nobody of m: the limit p has (1 - p)^m = 0.05.
    assert statistic(harm, "period-2", name) == pytest.approx([1 - 0.05 ** (1 / m) for m in (2, 1, 3)])
    limit = statistic(harm, "period-1", name)[0]
    assert binom.cdf(1, 3, limit) == pytest.approx(0.05)


def test_levels_stand_for_grades_where_events_have_them(found: dict[str, ResultTable]) -> None:
    harm = found["harm"]
    assert statistic(harm, "whole", "events: level 3", "hypoglycaemia") == [1, 0, 1]
    assert statistic(harm, "period-1", "participants: level 1", "hypoglycaemia") == [0, 1, 1]
    names = {row[4] for row in harm.rows if row[0] == "hypoglycaemia"}
    assert not [name for name in names if "grade" in str(name)]
    assert statistic(harm, "whole", "participants: serious", "hypoglycaemia") == [None, None, None], "nobody said"


@pytest.mark.requirement("RESULTS-TABLES")
def test_terms_count_a_participant_once_at_the_worst_grade(found: dict[str, ResultTable]) -> None:
    rows = [row for row in found["harm/by-term"].rows if row[0] == "adverse-events"]
    assert list(dict.fromkeys(row[4] for row in rows)) == ["Fever", "Headache", "Sepsis"], "the most frequent first"
    cells = {(row[2], row[4], row[6]): row[7:] for row in rows}
    assert cells["period-1", "Fever", "any"] == (1, 1, 2, 2, 1, 3)
    assert cells["period-1", "Fever", "grade 3"] == (1, 0, 1, 1, 0, 1)
    assert cells["period-1", "Fever", "grade 1"] == (0, 0, 0, 1, 0, 1), "the participant stands at grade 3"
    assert cells["period-1", "Fever", "not graded"] == (0, 1, 1, 0, 1, 1)
    assert ("period-2", "Fever", "any") not in cells
    for (period, term, grade), row in cells.items():
        if grade == "any":
            graded = [c for (p, t, g), c in cells.items() if (p, t) == (period, term) and g != "any"]
            assert tuple(map(sum, zip(*graded, strict=True))) == row


@pytest.mark.requirement("RESULTS-TABLES")
def test_every_serious_event_is_listed(found: dict[str, ResultTable]) -> None:
    listing = found["harm/serious"]
    names = [column.id for column in listing.columns]
    rows = [dict(zip(names, row, strict=True)) for row in listing.rows]
    assert [(row["participant"], row["day"], row["term"]) for row in rows] == [
        ("P0", 29, "Fever"),
        ("P2", 120, "Sepsis"),
    ]
    assert rows[0] | {"category": None} == {
        "participant": "P0",
        "arm": "MSC first (early)",
        "period": "Period 1 (months 0 to 12)",
        "day": 29,
        "since_dose": 1,
        "term": "Fever",
        "category": None,
        "grade": "grade 3",
        "related": "yes",
        "outcome": None,
    }


def test_what_was_left_out_is_told(found: dict[str, ResultTable]) -> None:
    notes = " ".join(found["harm"].notes)
    assert "1 recorded before the time at risk began" in notes
    assert "1 without a day" in notes
    assert "1 without an answer to relation to the treatment" in notes
    assert "everybody" in notes


@pytest.mark.requirement("RESULTS-BLINDED")
def test_a_blinded_run_tells_no_arm(panel: Panel) -> None:
    blind = dataclasses.replace(panel, arm=np.full((1, 6), -1, np.int8))
    found = tables(blind, "adverse-events")
    for table in found.values():
        assert not [column for column in table.columns if column.id.startswith(("group-", "arm"))]
    assert next(row for row in found["harm"].rows if row[2:5:2] == ("period-1", "events: any"))[-1] == 4


def test_no_events_are_no_missing_numbers(panel: Panel) -> None:
    asked = ("adverse-events", "hypoglycaemia")
    none = dataclasses.replace(panel, events=rows_like(panel.events, []), collected=asked)
    found = tables(none, "adverse-events", by_term=False)
    assert set(found) == {"harm", "harm/serious"}
    assert statistic(found["harm"], "period-1", "participants: serious and related") == [0, 0, 0]
    assert found["harm/serious"].rows == ()


@pytest.mark.requirement("EVENTS-NOT-RECORDED")
def test_events_that_nobody_collected_are_not_zero(panel: Panel) -> None:
    never = dataclasses.replace(panel, events=rows_like(panel.events, []), collected=())
    found = tables(never, "adverse-events", by_term=False)
    told = {row[4]: row[5:] for row in found["harm"].rows if row[2] == "period-1"}
    assert told.pop("at risk") == (3, 2, 5) and told.pop("person-years")[0] > 0
    assert told and all(set(cells) == {None} for cells in told.values())
    assert all("Adverse events: not recorded" in table.notes[-1] for table in found.values())


def test_without_a_procedure_the_first_period_begins_the_time_at_risk() -> None:
    protocol = load_protocol(CROSSOVER)
    plain = make_panel(protocol, 2, seed=1, missing=0.0, awkward=False)
    panel = dataclasses.replace(
        plain,
        arm=np.array([[0, 1]], np.int8),
        covariates=MappingProxyType(
            {**plain.covariates, "status": np.full((1, 2), 3.0), "last_contact_day": np.array([[9.0, 370.0]])}
        ),
        visit_day=np.full(plain.visit_day.shape, NAN),
        events=rows_like(plain.events, [0], assessment=["adverse"], term=["Cough"], start_day=[-1.0]),
    )
    harm = tables(panel, "adverse")["harm"]
    assert {row[2] for row in harm.rows} == {"first-year", "second-year", "whole"}
    # A period's time runs on until the next begins.
    days = [statistic(harm, "first-year", "person-years", "adverse")[i] for i in (0, 1)]
    assert days == pytest.approx([10 / 365.25, 371 / 365.25])
    assert statistic(harm, "whole", "events: any", "adverse") == [0, 0, 0]


def test_a_trial_of_one_period_has_one_stretch_that_holds_undated_events() -> None:
    protocol = load_protocol(SMALL)
    plain = make_panel(protocol, 2, seed=1, missing=0.0, awkward=False)
    panel = dataclasses.replace(
        plain,
        arm=np.array([[0, 1]], np.int8),
        covariates=MappingProxyType(
            {**plain.covariates, "status": np.full((1, 2), 3.0), "last_contact_day": np.array([[9.0, 370.0]])}
        ),
        visit_day=np.full(plain.visit_day.shape, NAN),
        events=rows_like(
            plain.events, [0, 0], assessment=["adverse-events"] * 2, term=["A", "B"], start_day=[NAN, 2.0]
        ),
    )
    found = tables(panel, "adverse-events")
    ((*_, first, second, everybody),) = [row for row in found["harm"].rows if row[4] == "events: any"]
    assert (first, second, everybody) == (2, 0, 2)
    assert {row[4] for row in found["harm/by-term"].rows} == {"A", "B"}
    assert not [note for note in found["harm"].notes if "without a day" in note]


@pytest.mark.requirement("ANALYSIS-PLAN")
def test_unknown_events_and_an_estimand_are_refused(protocol: Protocol) -> None:
    analysis = Analysis(
        id="harm", label="Harm", method="adverse-events", estimand="hba1c-12", role="exploratory", options={}
    )
    found = list(METHOD.objections(protocol, analysis, Options(events=("adverse-events", "diary"))))
    assert [(item.rule, item.at) for item in found] == [("known-event", ("events", 1)), ("method-needs-set", ())]
