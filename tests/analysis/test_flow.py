"""The participants' flow of a trial with two periods, counted by hand."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

import numpy as np
import pytest

from equipoise.analysis.data import AnalysisData
from equipoise.analysis.flow import MOST_REASONS, participants_flow
from equipoise.analysis.results import FlowStep, Result
from equipoise.protocol.load import load_protocol
from equipoise.records.classes import STATUSES, STUDY_TREATMENT
from equipoise.records.panel import HELD, NO_VISIT, Panel, Rows
from tests.records.panels import make_panel

# status, reason, arm, last contact, doses given in each period; of the first ten nobody was randomised.
CRITERIA = ("too old", "too old", "too old", "not new", "not new", "cancer")
SCREENED = [("not-eligible", text, -1, np.nan, (0, 0)) for text in CRITERIA] + [
    ("screened", "Declined: no time", -1, np.nan, (0, 0)),
    ("screened", "declined to take part", -1, np.nan, (0, 0)),
    ("not-eligible", "low C-peptide", -1, np.nan, (0, 0)),  # found at the screening visit
    ("screened", "", -1, np.nan, (0, 0)),
]
RANDOMISED = [
    ("completed", "", 0, 735.0, (2, 2)),
    ("completed", "", 0, 700.0, (2, 1)),  # the last visit was early
    ("withdrawn", "moved away", 0, 40.0, (2, 0)),
    ("lost", "lost to follow-up", 0, 401.0, (2, 2)),
    ("completed", "", 1, 735.0, (1, 2)),
    ("withdrawn", "withdrew consent", 1, 0.0, (0, 0)),
    ("completed", "", 1, 740.0, (2, 0)),
]
PEOPLE = SCREENED + RANDOMISED
SCREENING_VISIT = (8, 9, *range(len(SCREENED), len(PEOPLE)))
WITHHELD = [(11, "period-2", "lot not released"), (14, "period-1", "fever"), (16, "period-2", "declined period 2")]


def make(protocol_id: str = "msc-t1d") -> Panel:
    protocol = load_protocol(protocol_id)
    plain = make_panel(protocol, len(PEOPLE), seed=1, missing=0.0, awkward=False)
    visits = np.full(plain.visit_status.shape, NO_VISIT, np.int8)
    visits[0, list(SCREENING_VISIT), 0] = HELD
    visits[0, [10, 11, 14, 16], -1] = HELD
    status, reason, arm, contact, doses = zip(*PEOPLE, strict=True)
    rows = [
        (who, f"period-{p + 1}", "given", "") for who, both in enumerate(doses) for p in (0, 1) for _ in range(both[p])
    ]
    rows += [(who, period, "not-given", why) for who, period, why in WITHHELD]
    rows.sort(key=lambda row: row[0])
    columns = {
        n: np.full(len(rows), "" if c.dtype.kind == "U" else np.nan) for n, c in plain.interventions.columns.items()
    }
    columns |= {
        "treatment": np.full(len(rows), STUDY_TREATMENT),
        "period": np.array([row[1] for row in rows]),
        "status": np.array([row[2] for row in rows]),
        "reason": np.array([row[3] for row in rows]),
    }
    codes = np.array([[float(STATUSES.index(word)) for word in status]])
    who = np.array([row[0] for row in rows], np.int64)
    return dataclasses.replace(
        plain,
        arm=np.array([arm], np.int8),
        covariates=MappingProxyType(
            {**plain.covariates, "status": codes, "last_contact_day": np.array([contact], float)}
        ),
        labels=MappingProxyType({**plain.labels, "reason": np.array([reason])}),
        visit_status=visits,
        interventions=Rows(np.zeros(len(rows), np.int64), who, MappingProxyType(columns)),
    )


def result(analysis: str, role: str, visit: str, period: str, n: dict[str, int]) -> Result:
    return Result(
        id=f"{analysis}/x/{period}/{visit}/group-a-v-group-b",
        analysis=analysis,
        label=analysis.upper(),
        estimand=None,
        estimand_strategy={},
        role=role,
        family=None,
        method="ancova",
        parameter="x",
        unit="1",
        scale="identity",
        visit=visit,
        period=period,
        analysis_set="randomised",
        contrast="group-a-v-group-b",
        active="group-a",
        reference="group-b",
        n=n,
    )


RESULTS = (
    result("early", "secondary", "month-12", "period-1", {"group-a": 1, "group-b": 1}),
    result("robust", "sensitivity", "month-12", "period-1", {"group-a": 1, "group-b": 1}),
    result("main", "key-secondary", "month-12", "period-1", {"group-a": 3, "group-b": 2}),
    result("late", "exploratory", "month-24", "period-2", {"group-a": 2, "group-b": 2}),
)


def flow(panel: Panel) -> dict[tuple[str, str | None], FlowStep]:
    found = participants_flow(AnalysisData(panel, {}, {}), RESULTS)
    steps = {(step.id, step.arm): step for step in found}
    assert len(steps) == len(found), "a step stands once an arm"
    return steps


@pytest.fixture(scope="module")
def steps() -> dict[tuple[str, str | None], FlowStep]:
    return flow(make())


@pytest.mark.requirement("RESULTS-FLOW")
def test_enrolment_tells_who_was_kept_out_where_and_why(steps: dict[tuple[str, str | None], FlowStep]) -> None:
    whole = {step: found for (step, arm), found in steps.items() if arm is None}
    assert {name: step.count for name, step in whole.items()} == {
        "recorded": 17,
        "not-eligible": 6,
        "selected": 11,
        "declined": 2,
        "screen-failed": 1,
        "not-randomised": 1,
        "randomised": 7,
    }
    assert whole["recorded"].label == "Assessed for eligibility"
    assert whole["not-eligible"].reasons == (("too old", 3), ("not new", 2), ("cancer", 1))
    assert whole["screen-failed"].reasons == (("low C-peptide", 1),)


@pytest.mark.requirement("RESULTS-FLOW")
@pytest.mark.parametrize(
    ("step", "group_a", "group_b", "reasons_a", "reasons_b"),
    [
        ("allocated", 4, 3, (), ()),
        ("received-all-period-1", 4, 1, (), ()),
        ("received-some-period-1", 0, 1, (), (("fever", 1),)),
        ("received-none-period-1", 0, 1, (), (("withdrew consent", 1),)),
        ("left-period-1", 1, 1, (("moved away", 1),), (("withdrew consent", 1),)),
        ("analysed-main", 3, 2, (), ()),
        ("began-period-2", 3, 1, (), ()),
        ("received-all-period-2", 2, 1, (), ()),
        ("received-some-period-2", 1, 0, (("lot not released", 1),), ()),
        ("received-none-period-2", 0, 1, (), (("declined period 2", 1),)),
        ("left-period-2", 1, 0, (("lost to follow-up", 1),), ()),
        ("visit-month-24", 2, 2, (), ()),
        ("analysed-late", 2, 2, (), ()),
    ],
)
def test_both_periods_are_followed_arm_by_arm(
    steps: dict[tuple[str, str | None], FlowStep],
    step: str,
    group_a: int,
    group_b: int,
    reasons_a: tuple[tuple[str, int], ...],
    reasons_b: tuple[tuple[str, int], ...],
) -> None:
    a, b = steps[step, "group-a"], steps[step, "group-b"]
    assert (a.count, b.count, a.reasons, b.reasons) == (group_a, group_b, reasons_a, reasons_b)
    assert a.period == (
        "period-1" if "-1" in step or "main" in step else "period-2" if "-2" in step or "late" in step else None
    )


def test_only_the_main_analysis_of_a_period_is_in_the_flow(steps: dict[tuple[str, str | None], FlowStep]) -> None:
    assert {step for step, _ in steps if step.startswith("analysed")} == {"analysed-main", "analysed-late"}


def test_everybody_who_entered_a_period_is_counted_once_in_its_doses(
    steps: dict[tuple[str, str | None], FlowStep],
) -> None:
    for arm in ("group-a", "group-b"):
        entered = steps["allocated", arm].count
        for period in ("period-1", "period-2"):
            doses = [steps[f"received-{much}-{period}", arm].count for much in ("all", "some", "none")]
            assert sum(doses) == entered
            entered -= steps[f"left-{period}", arm].count


def test_the_words_are_those_of_the_product(steps: dict[tuple[str, str | None], FlowStep]) -> None:
    labels = [steps[f"received-{much}-period-1", "group-a"].label for much in ("all", "some", "none")]
    assert labels == ["Received both infusions", "Received one infusion", "Received no infusion"]


@pytest.mark.requirement("RESULTS-BLINDED")
def test_a_blinded_flow_tells_no_arm_and_the_same_people() -> None:
    panel = make()
    blind = flow(dataclasses.replace(panel, arm=np.full(panel.arm.shape, -1, np.int8)))
    assert {arm for _, arm in blind} == {None}
    assert blind["allocated", None].count == 7
    assert blind["received-some-period-1", None].count == 1
    assert not [step for step, _ in blind if step.startswith("analysed")], "these results compare arms"


@pytest.mark.requirement("RESULTS-FLOW")
def test_rare_reasons_are_counted_together() -> None:
    panel = make()
    people = 17
    reasons = np.array([[f"reason {number:02d}" for number in range(people)]])
    status = np.full((1, people), float(STATUSES.index("not-eligible")))
    changed = dataclasses.replace(
        panel,
        visit_status=np.zeros_like(panel.visit_status),
        covariates=MappingProxyType({**panel.covariates, "status": status}),
        labels=MappingProxyType({**panel.labels, "reason": reasons}),
    )
    step = flow(changed)["not-eligible", None]
    assert len(step.reasons) == MOST_REASONS + 1
    assert step.reasons[-1] == ("other", people - MOST_REASONS)
    assert sum(count for _, count in step.reasons) == step.count


def test_without_doses_on_record_none_are_told() -> None:
    panel = make()
    empty = Rows(
        np.zeros(0, np.int64),
        np.zeros(0, np.int64),
        MappingProxyType({name: column[:0] for name, column in panel.interventions.columns.items()}),
    )
    found = flow(dataclasses.replace(panel, interventions=empty))
    assert not [step for step, _ in found if step.startswith(("received", "began"))]
    assert found["left-period-1", "group-a"].count == 1


@pytest.mark.requirement("RESULTS-FLOW")
def test_a_trial_of_one_period_is_followed_to_its_last_visit() -> None:
    protocol = load_protocol("t1dal")
    plain = make_panel(protocol, 4, seed=1, missing=0.0, awkward=False)
    last = protocol.visits[-1]
    panel = dataclasses.replace(
        plain,
        arm=np.array([[0, 0, 1, 1]], np.int8),
        covariates=MappingProxyType(
            {
                **plain.covariates,
                "status": np.full((1, 4), float(STATUSES.index("randomised"))),
                "last_contact_day": np.array([[last.day, 10.0, last.day - last.before, last.day]], float),
            }
        ),
        labels=MappingProxyType({**plain.labels, "reason": np.array([["", "moved", "", ""]])}),
        visit_status=np.full(plain.visit_status.shape, HELD, np.int8),
    )
    first, second = (arm.id for arm in protocol.arms)
    steps = {(s.id, s.arm): s for s in participants_flow(AnalysisData(panel, {}, {}), ())}
    assert steps["recorded", None].label == "Recorded" and steps["randomised", None].count == 4
    assert (steps["left", first].count, steps["left", first].reasons) == (1, (("moved", 1),))
    assert steps["left", second].count == 0
    assert steps[f"visit-{last.id}", second].count == 2
    assert not [step for step, _ in steps if "period" in step]
