"""Strategies for intercurrent events by hand: what each makes of values, of counts with their time, and of the set."""

from __future__ import annotations

import dataclasses
from functools import cache
from types import MappingProxyType

import numpy as np
import pytest

from equipoise.analysis.analyse import prepare, run
from equipoise.analysis.data import AnalysisData
from equipoise.analysis.occurrence import occurrence_table
from equipoise.analysis.plan import Plan, PlannedAnalysis, plan
from equipoise.analysis.results import Result
from equipoise.analysis.strategies import under_strategies
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.classes import STATUSES
from equipoise.records.panel import Panel
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials
from tests.protocol.places import PROTOCOLS
from tests.records.panels import make_panel
from tests.records.test_onsets import LOTS, Record, rows

PEOPLE = 8
STRATEGIES = ("treatment-policy", "hypothetical", "while-on-treatment")
STEROID = {"assessment": "concomitant-medication", "treatment": "Systemic corticosteroid", "status": "given"}
TECHNOLOGY = {**STEROID, "treatment": "Automated insulin delivery"}


def strategy(estimand: str, event: str, word: str) -> str:
    return f"protocol.estimands.{estimand}.intercurrent_events.{event}={word}"


@cache
def planned(*changes: str) -> Plan:
    return plan(load_protocol("msc-t1d", list(changes)))


def item_of(planned: Plan, analysis: str) -> PlannedAnalysis:
    return next(item for item in planned.analyses if item.analysis.id == analysis)


def plain_panel(protocol: Protocol) -> Panel:
    """Everybody at every visit, on its planned day; HbA1c is 5 + the number of the visit / 10; nobody had any event."""
    panel = make_panel(protocol, PEOPLE, seed=1, missing=0.0, awkward=False)
    days = np.empty(panel.visit_day.shape)
    days[:] = [visit.day for visit in protocol.visits]
    blocks = {}
    for name, block in panel.blocks.items():
        places = [panel.visit_index(visit) for visit in block.visits]
        blocks[name] = dataclasses.replace(block, day=days[:, :, places])
    hba1c = blocks["hba1c"]
    steps = np.array([panel.visit_index(visit) for visit in hba1c.visits]) / 10
    value = np.broadcast_to(5 + steps[:, None, None], hba1c.value.shape).copy()
    blocks["hba1c"] = dataclasses.replace(hba1c, value=value, censored=np.zeros(value.shape, np.int8))
    return dataclasses.replace(
        panel,
        visit_day=days,
        blocks=MappingProxyType(blocks),
        covariates=MappingProxyType(
            {
                **panel.covariates,
                "allocation_day": np.full(panel.present.shape, -20.0),
                "last_contact_day": np.full(panel.present.shape, 800.0),
                "status": np.full(panel.present.shape, float(STATUSES.index("completed"))),
            }
        ),
        arm=np.arange(PEOPLE, dtype=np.int8)[None] % 2,
        collected=tuple(item.id for item in protocol.assessments),
        events=rows({n: c.dtype.kind for n, c in panel.events.columns.items()}, []),
        interventions=rows({n: c.dtype.kind for n, c in panel.interventions.columns.items()}, []),
        lots=rows(LOTS, []),
    )


def with_rows(panel: Panel, kind: str, records: list[Record]) -> Panel:
    like = LOTS if kind == "lots" else {n: c.dtype.kind for n, c in getattr(panel, kind).columns.items()}
    return dataclasses.replace(panel, **{kind: rows(like, records)})


def view_of(plan: Plan, panel: Panel, analysis: str) -> AnalysisData:
    item = item_of(plan, analysis)
    return under_strategies(item.method, prepare(plan, panel), item.options)


def at(data: AnalysisData, parameter: str, *visits: str) -> list[list[float]]:
    """The values of the first people at some visits, one list a visit."""
    return [np.round(data.at(parameter, visit)[0], 6).tolist() for visit in visits]


MISSING = pytest.approx(np.nan, nan_ok=True)


@pytest.mark.requirement("STRATEGY-VALUES")
def test_hypothetical_withholds_values_of_days_after_the_onset_whatever_the_order_of_visits() -> None:
    under = planned(strategy("hba1c-12", "systemic-steroids", "hypothetical"))
    panel = plain_panel(under.protocol)
    days = panel.visit_day.copy()
    days[0, 1, panel.visit_index("month-6")] = 205.0  # planned for 182: came late, after the onset
    days[0, 2, panel.visit_index("month-9")] = 190.0  # came early, before it
    days[0, 3, panel.visit_index("month-9")] = 200.0  # came on the day itself
    begun = [(person, {**STEROID, "day": 200.0}) for person in range(4)]
    panel = with_rows(dataclasses.replace(panel, visit_day=days), "interventions", begun)
    view = view_of(under, panel, "hba1c-12")
    six, nine, twelve = (5 + panel.visit_index(name) / 10 for name in ("month-6", "month-9", "month-12"))
    found = at(view, "hba1c", "month-6", "month-9", "month-12")
    assert found[0][:5] == pytest.approx([six, np.nan, six, six, six], nan_ok=True)
    assert found[1][:5] == pytest.approx([np.nan, np.nan, nine, nine, nine], nan_ok=True)
    assert found[2][:5] == pytest.approx([np.nan] * 4 + [twelve], nan_ok=True)
    # The block of measurements, a change and a sum follow; the baseline stays.
    place = view.panel.blocks["hba1c"].visits.index("month-9")
    assert np.isnan(view.panel.blocks["hba1c"].value[0, :, place, 0, 0]).tolist()[:4] == [True, True, False, False]
    assert np.isnan(view.at("change-hba1c", "month-12")[0]).tolist() == [True] * 4 + [False] * 4
    assert np.isnan(view.at("idaa1c", "month-12")[0]).tolist() == [True] * 4 + [False] * 4
    assert not np.isnan(view.baseline("hba1c", "efficacy")).any()


@pytest.mark.requirement("STRATEGY-VALUES")
def test_while_on_treatment_takes_the_last_value_up_to_the_onset() -> None:
    under = planned(strategy("hba1c-12", "systemic-steroids", "while-on-treatment"))
    panel = plain_panel(under.protocol)
    days = panel.visit_day.copy()
    days[0, 1, panel.visit_index("month-6")] = 205.0
    days[0, 3, panel.visit_index("month-3")] = 190.0  # came after the visit of month 6
    begun = [(person, {**STEROID, "day": day}) for person, day in enumerate((200.0, 200.0, 1.0, 200.0))]
    view = view_of(under, with_rows(dataclasses.replace(panel, visit_day=days), "interventions", begun), "hba1c-12")
    three, six, twelve = (5 + panel.visit_index(name) / 10 for name in ("month-3", "month-6", "month-12"))
    start = 5 + panel.visit_index("baseline") / 10
    last = max(5 + panel.visit_index(v) / 10 for v in panel.blocks["hba1c"].visits if panel.protocol.visit(v).day <= 1)
    assert at(view, "hba1c", "month-12")[0][:5] == pytest.approx([six, three, last, three, twelve])
    changes = [value - start for value in (six, three, last, three, twelve)]
    assert at(view, "change-hba1c", "month-12")[0][:5] == pytest.approx(changes)


@pytest.mark.requirement("STRATEGY-VALUES")
def test_the_earliest_onset_governs_and_ties_go_by_order() -> None:
    first = strategy("hba1c-12", "systemic-steroids", "hypothetical")
    second = strategy("hba1c-12", "glucose-technology", "while-on-treatment")
    begun = [
        (0, {**STEROID, "day": 100.0}),
        (0, {**TECHNOLOGY, "day": 200.0}),
        (1, {**STEROID, "day": 200.0}),
        (1, {**TECHNOLOGY, "day": 100.0}),
        (2, {**STEROID, "day": 100.0}),
        (2, {**TECHNOLOGY, "day": 100.0}),
        (3, {**STEROID, "treatment": "SGLT2 inhibitor", "day": 10.0}),  # treatment policy
    ]
    three = 5 + plain_panel(planned(first, second).protocol).visit_index("month-3") / 10
    for order, tied in (('["systemic-steroids"]', np.nan), ('["glucose-technology"]', three), (None, three)):
        changes = [] if order is None else [f"protocol.estimands.hba1c-12.order={order}"]
        under = planned(first, second, *changes)
        panel = with_rows(plain_panel(under.protocol), "interventions", begun)
        twelve = 5 + panel.visit_index("month-12") / 10
        found = at(view_of(under, panel, "hba1c-12"), "hba1c", "month-12")[0][:4]
        assert found == pytest.approx([np.nan, three, tied, twelve], nan_ok=True)


def diaries(panel: Panel) -> Panel:
    """Everybody wrote 90 days before month 3, 60 before month 6 (of 91) and all of the days after."""
    block = panel.blocks["diary"]
    value = np.full(block.value.shape, np.nan)
    for visit, days in {"month-3": 90.0, "month-6": 60.0, "month-9": 91.0, "month-12": 91.0}.items():
        value[:, :, block.visits.index(visit)] = days
    return dataclasses.replace(
        panel, blocks=MappingProxyType({**panel.blocks, "diary": dataclasses.replace(block, value=value)})
    )


@pytest.mark.requirement("STRATEGY-COUNTS")
@pytest.mark.parametrize("word", ["hypothetical", "while-on-treatment"])
def test_counts_and_their_time_at_risk_end_on_the_day_of_the_onset(word: str) -> None:
    under = planned(strategy("hypoglycaemia-12", "systemic-steroids", word))
    plain = plain_panel(under.protocol)
    three, six = (float(under.protocol.visit(name).day) for name in ("month-3", "month-6"))
    onset = three + 30
    low = {"assessment": "hypoglycaemia", "level": 2.0}
    panel = with_rows(
        with_rows(diaries(plain), "interventions", [(0, {**STEROID, "day": onset}), (1, {**STEROID, "day": 0.0})]),
        "events",
        [(p, {**low, "start_day": day}) for p in (0, 2) for day in (10.0, onset, onset + 1, 300.0)],
    )
    view = view_of(under, panel, "hypoglycaemia-12")
    assert at(view, "hypoglycaemia", "month-3", "month-12")[0][:3] == [1, 0, 1]
    assert at(view, "hypoglycaemia", "month-12")[0][:3] == [2, 0, 4]
    cut = 90 + 60 * 30 / (six - three)
    assert at(view, "time-at-risk", "month-3", "month-12")[0][:3] == pytest.approx([90, 0, 90])
    assert at(view, "time-at-risk", "month-12")[0][:3] == pytest.approx([cut, 0, 90 + 60 + 91 + 91])
    # Nobody else's count moved, and without the event it would have been 4 in 332 days.
    plain_view = prepare(under, panel)
    assert plain_view.at("hypoglycaemia", "month-12")[0, 0] == 4
    assert np.array_equal(
        view.at("hypoglycaemia", "month-12")[0, 2:], plain_view.at("hypoglycaemia", "month-12")[0, 2:]
    )


@pytest.mark.requirement("STRATEGY-COUNTS")
def test_imputed_time_ends_with_the_time_on_treatment() -> None:
    shown = {}
    for word in ("hypothetical", "while-on-treatment"):
        under = planned(strategy("hypoglycaemia-12", "systemic-steroids", word))
        begun = [(0, {**STEROID, "day": 100.0})]
        low = {"assessment": "hypoglycaemia", "level": 2.0}
        events = [(p, {**low, "start_day": 10.0 + 20 * k}) for p in range(PEOPLE) for k in range(1 + p % 3)]
        panel = with_rows(with_rows(diaries(plain_panel(under.protocol)), "interventions", begun), "events", events)
        item = item_of(under, "hypoglycaemia-12-imputed")
        shown[word] = (
            item.method.run(prepare(under, panel), item.analysis, item.options).estimates[0].values["estimate"]
        )
    assert shown["hypothetical"] != shown["while-on-treatment"]


# ---- yes or no, and the principal stratum


@cache
def tablet() -> Plan:
    return plan(load_protocol(PROTOCOLS / "valid" / "version-2.yaml"))


@pytest.mark.requirement("STRATEGY-VALUES")
def test_composite_makes_a_failure_or_the_declared_value() -> None:
    under = tablet()
    panel = make_panel(under.protocol, 4, seed=1, missing=0.0, awkward=False)
    block = panel.blocks["hba1c"]
    days = np.empty(panel.visit_day.shape)
    days[:] = [visit.day for visit in under.protocol.visits]
    panel = dataclasses.replace(
        panel,
        arm=np.array([[0, 0, 1, 1]], np.int8),
        visit_day=days,
        blocks=MappingProxyType(
            {**panel.blocks, "hba1c": dataclasses.replace(block, value=np.full(block.value.shape, 6.5))}
        ),
    )
    steroid = {"assessment": "medication", "treatment": "Systemic corticosteroid", "status": "given"}
    acid = {"assessment": "adverse", "term": "Diabetic ketoacidosis"}
    panel = with_rows(panel, "interventions", [(0, {**steroid, "day": 364.0}), (3, {**steroid, "day": 365.0})])
    panel = with_rows(panel, "events", [(1, {**acid, "start_day": 50.0})])
    data = prepare(under, panel)
    item = item_of(under, "reached")
    view = under_strategies(item.method, data, item.options)
    # On the day of the visit it has happened; a day later it has not.
    assert view.at("hba1c", "month-12")[0].tolist() == [np.inf, 15.0, 6.5, 6.5]
    assert view.at("hba1c", "baseline")[0].tolist() == [6.5] * 4
    found = item.method.run(data, item.analysis, item.options).estimates
    assert [float(estimate.values["estimate"][0]) for estimate in found] == [-1.0, 0.0, 1.0]


@pytest.mark.requirement("STRATEGY-STRATUM")
@pytest.mark.parametrize(("event", "members"), [("would-not-occur", [1, 2, 5]), ("would-occur", [0, 3, 4])])
def test_the_stratum_of_lots_takes_those_whose_lots_show_it(event: str, members: list[int]) -> None:
    under = planned(
        strategy("hba1c-12", "lot-failed", "principal-stratum"),
        f'protocol.estimands.hba1c-12.principal={{"lot-failed": {{"event": "{event}"}}}}',
    )
    fine = {"test": "viability", "passed": 1.0, "decision": "released", "day": -1.0}
    lots: list[Record] = [(person, {**fine, "lot": f"{person}-1"}) for person in range(6)]  # 6 and 7 have none
    lots += [(person, {**fine, "lot": f"{person}-2", "passed": 0.0, "decision": "failed"}) for person in (0, 3, 4)]
    lots += [(5, {**fine, "lot": "5-3", "passed": 0.0, "decision": "failed", "day": 370.0})]  # after month 12
    panel = with_rows(plain_panel(under.protocol), "lots", lots)
    view = view_of(under, panel, "hba1c-12")
    assert np.flatnonzero(view.sets["randomised"][0] & view.panel.present[0]).tolist() == members


# ---- the same bits where nothing happens


def numbers(results: tuple[Result, ...]) -> list[dict[str, object]]:
    told = ("estimand_strategy", "intercurrent_events", "values_changed", "strategy_notes")
    return [{k: v for k, v in dataclasses.asdict(r).items() if k not in told} for r in results]


def results_of(plan: Plan, panel: Panel, estimand: str) -> tuple[Result, ...]:
    own = tuple(item for item in plan.analyses if item.analysis.estimand == estimand)
    return run(dataclasses.replace(plan, analyses=own), prepare(plan, panel))[0]


@pytest.mark.requirement("STRATEGY-BITS")
@pytest.mark.parametrize("estimand", ["hba1c-12", "hypoglycaemia-12"])
def test_strategies_differ_where_events_occur_and_agree_to_the_bit_where_none_does(estimand: str) -> None:
    events = ("second-dose-missed", "systemic-steroids", "sglt2-glp1", "pregnancy", "glucose-technology")
    with_events, without = {}, {}
    for word in STRATEGIES:
        under = planned(*(strategy(estimand, event, word) for event in events))
        panel = simulate_trials(under.protocol, load_scenario("published"), 1, 1)[0]
        nothing = dataclasses.replace(panel, events=_kept(panel.events), interventions=_kept(panel.interventions))
        if estimand == "hypoglycaemia-12":
            nothing = dataclasses.replace(nothing, events=panel.events)
        with_events[word] = numbers(results_of(under, panel, estimand))
        without[word] = numbers(results_of(under, nothing, estimand))
    assert without["hypothetical"] == without["treatment-policy"] == without["while-on-treatment"]
    for word in STRATEGIES[1:]:
        assert with_events[word] != with_events["treatment-policy"]
    if estimand == "hba1c-12":
        assert with_events["hypothetical"] != with_events["while-on-treatment"]
        for result in with_events["hypothetical"]:
            assert result["estimate"] is None or np.isfinite(result["estimate"])


def _kept(given):
    """Rows without the events of the test: nothing but infusions that were given."""
    kind = given.columns
    mine = (kind["status"] == "given") & (kind["assessment"] == "study-infusion") if "status" in kind else None
    mine = np.zeros(len(given), np.bool_) if mine is None else mine
    columns = {name: column[mine] for name, column in kind.items()}
    return dataclasses.replace(given, trial=given.trial[mine], participant=given.participant[mine], columns=columns)


@pytest.mark.requirement("STRATEGY-BITS")
def test_every_analysis_of_treatment_policy_reads_the_data_themselves() -> None:
    under = planned()
    data = prepare(under, plain_panel(under.protocol))
    for item in under.analyses:
        assert under_strategies(item.method, data, item.options) is data


# ---- what results say


@pytest.mark.requirement("STRATEGY-SAID")
def test_results_say_who_had_an_event_and_what_became_of_the_values() -> None:
    under = planned(strategy("hba1c-12", "systemic-steroids", "hypothetical"))
    begun = [(0, {**STEROID, "day": 100.0}), (2, {**STEROID, "day": 50.0}), (1, {**STEROID, "day": 400.0})]
    begun += [(5, {**STEROID})]
    panel = with_rows(plain_panel(under.protocol), "interventions", begun)
    found = {result.analysis: result for result in results_of(under, panel, "hba1c-12")}
    result = found["hba1c-12"]
    assert result.intercurrent_events == {"systemic-steroids": {"group-a": 2, "group-b": 0}}
    assert result.values_changed["withheld"] == {"group-a": 2, "group-b": 0}
    assert result.values_changed["replaced"] == result.values_changed["excluded"] == {"group-a": 0, "group-b": 0}
    ancova = found["hba1c-12-ancova"]
    assert (ancova.n, ancova.n_missing) == ({"group-a": 2, "group-b": 4}, {"group-a": 2, "group-b": 0})
    first, second = result.strategy_notes[:2]
    assert "2 of 4 in MSC first (early) and 0 of 4 in Placebo first (late)" in first
    assert first.endswith("their later values are not used.")
    assert "1 more without a day" in second
    null = "The test's null hypothesis is that the arm changes neither outcome nor event nor missingness."
    assert [null in item.strategy_notes for item in (result, found["hba1c-12-permuted"])] == [False, True]


@pytest.mark.requirement("STRATEGY-SAID")
def test_a_stratum_by_assumption_is_said_not_to_be_identified() -> None:
    under = planned(
        strategy("hba1c-12", "ketoacidosis", "principal-stratum"),
        'protocol.estimands.hba1c-12.principal={"ketoacidosis": {"event": "would-not-occur", "assumption": "No arm."}}',
    )
    found = results_of(under, plain_panel(under.protocol), "hba1c-12")
    assert "not identified by randomisation. Assumed: No arm." in " ".join(found[0].strategy_notes)


@pytest.mark.requirement("STRATEGY-SAID")
def test_what_was_never_recorded_is_no_zero() -> None:
    under = planned(strategy("hba1c-12", "systemic-steroids", "hypothetical"))
    panel = plain_panel(under.protocol)
    silent = dataclasses.replace(panel, collected=())
    note = "Systemic steroids: occurrence not recorded, so that the strategy changes no value."
    for given, told in ((silent, True), (with_rows(silent, "interventions", [(1, {**STEROID, "day": 400.0})]), False)):
        result = results_of(under, given, "hba1c-12")[0]
        assert (note in result.strategy_notes) is told
        assert ("systemic-steroids" in result.intercurrent_events) is not told
    table = occurrence_table(prepare(under, silent))
    assert table is not None
    assert {row[-1] for row in table.rows if row[0] in ("systemic-steroids", "lot-failed")} == {
        "occurrence not recorded"
    }
