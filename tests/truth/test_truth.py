"""Truth by potential outcomes: exact where nothing acts, the shift where one is put in, and each strategy its own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from equipoise.analysis.analyse import prepare
from equipoise.analysis.plan import Plan, plan
from equipoise.errors import DataError, InputError
from equipoise.protocol.load import load_protocol
from equipoise.records.onsets import onset
from equipoise.records.panel import differences
from equipoise.simulate.scenario import Scenario, load_scenario
from equipoise.simulate.trial import simulate_trials
from equipoise.truth.json_schema import NAME, published
from equipoise.truth.own import truth_of_trial, with_population
from equipoise.truth.population import truth_of_population
from equipoise.truth.questions import Outcomes, answer, outcomes, questions
from equipoise.truth.table import read_truth, to_data, to_json
from equipoise.truth.worlds import People, both_outcomes, followed_whole, joined

SEED = 3
EMPIRICAL = "scenario.patients.model=empirical"
AT = "protocol.estimands.{}.intercurrent_events.{}={}"
AID, STEROIDS = "glucose-technology", "systemic-steroids"
COMING = "scenario.intercurrent_events={glucose-technology: 0.7, systemic-steroids: 0.5}"
SIZES = (
    "scenario.intercurrent_effects={glucose-technology: {hba1c: -2.0, hypoglycaemia_log_ratio: -1.0},"
    " systemic-steroids: {days: 60, hba1c: 2.0, insulin_log_ratio: 0.4}}"
)
ACTING = (COMING, SIZES)


def planned(*changes: str) -> Plan:
    return plan(load_protocol("msc-t1d", changes))


def world(name: str, *changes: str) -> Scenario:
    return load_scenario(name, [EMPIRICAL, *changes])


def under(strategy: str, estimand: str = "hba1c-12", event: str = AID) -> Plan:
    more = ()
    if strategy == "composite":
        more = (f"protocol.estimands.{estimand}.composite={{{event}: {{failure: true}}}}",)
    if strategy == "principal-stratum":
        stratum = f"{{{event}: {{event: would-not-occur, assumption: it comes to the same people in either arm}}}}"
        more = (f"protocol.estimands.{estimand}.principal={stratum}",)
    return planned(AT.format(estimand, event, strategy), *more)


def value(made: Plan, nature: Scenario, estimand: str = "hba1c-12") -> float:
    found = truth_of_trial(made, nature, SEED).estimand(estimand)
    assert found.value is not None, found.reason
    return found.value


@pytest.mark.requirement("TRUTH-NULL")
@pytest.mark.parametrize("model", ["empirical", "mechanistic"])
def test_without_effect_every_estimand_is_exactly_zero(model: str) -> None:
    nature = load_scenario("no-effect", [f"scenario.patients.model={model}", *ACTING])
    table = truth_of_trial(planned(), nature, SEED)
    assert len(table.estimands) > 20
    assert {item.estimand for item in table.estimands if item.value != 0} == {"cpeptide-loss-12"}
    assert "hazards" in table.estimand("cpeptide-loss-12").reason
    arms = [item for item in table.analyses if item.contrast == "group-a"]
    for item in arms:
        (other,) = [x for x in table.analyses if x.analysis == item.analysis and x.contrast == "group-b"]
        assert other.value == item.value
    assert all(item.value == 0 for item in table.analyses if item.variant)


@pytest.mark.requirement("TRUTH-NULL")
@pytest.mark.parametrize(
    ("strategy", "estimand"),
    [
        ("hypothetical", "hba1c-12"),
        ("while-on-treatment", "hba1c-12"),
        ("hypothetical", "hypoglycaemia-12"),
        ("while-on-treatment", "hypoglycaemia-12"),
        ("composite", "remission-12"),
        ("principal-stratum", "remission-12"),
    ],
)
def test_without_effect_every_strategy_is_exactly_zero(strategy: str, estimand: str) -> None:
    assert value(under(strategy, estimand), world("no-effect", *ACTING), estimand) == 0


@pytest.mark.requirement("TRUTH-SHIFT")
def test_a_pure_shift_is_the_truth() -> None:
    """HbA1c is moved up, away from its floor, for good and at once by all doses: the truth is that."""
    nature = world(
        "strong",
        "scenario.effects.hba1c_shift={value: 0.8, range: [0.8, 0.8]}",
        "scenario.effects.exercise_interaction={value: 0, range: [0, 0]}",
        "scenario.effects.early_weight={value: 0, range: [0, 0]}",
        "scenario.effects.onset_days={value: 0.1, range: [0.1, 0.1]}",
        "scenario.effects.persistence_days={value: 1000000, range: [1000000, 1000000]}",
        "scenario.doses={refused: 0, later_period_declined: 0, below_range: 0}",
        "scenario.manufacturing={lot_failure: 0, late_failure: 0, potency_log_sd: 0}",
        "scenario.dropout=0",
        "scenario.missing.visits=0",
    )
    found = truth_of_population(planned(), nature, 840, SEED, ("hba1c-12", "hba1c-24")).estimand("hba1c-12")
    assert found.value is not None and found.error is not None
    assert found.people == 840 and found.value == pytest.approx(0.8, abs=0.01)
    assert 0 < found.error < 0.01


@pytest.mark.requirement("TRUTH-STRATEGIES")
def test_hypothetical_differs_from_treatment_policy_where_the_event_acts_and_only_there() -> None:
    """Automated delivery comes to those without cells alone, and takes 2 % off: the policy's effect is smaller."""
    fewer = ACTING[1].replace("hba1c: -2.0,", "hba1c: -2.0, treated_log_hazard: -2.0,")
    acting = world("strong", ACTING[0], fewer)
    idle = world("strong", ACTING[0], "scenario.intercurrent_effects={glucose-technology: {treated_log_hazard: -2.0}}")
    policy, hypothetical = planned(), under("hypothetical")
    assert value(hypothetical, acting) < value(policy, acting) - 0.2
    assert value(hypothetical, idle) == value(policy, idle)
    never = world("strong", "scenario.intercurrent_events={}")
    without = world("strong", "scenario.intercurrent_events={systemic-steroids: 0.5}", fewer)
    assert value(hypothetical, acting) == value(policy, without)
    assert value(policy, never) == value(hypothetical, never)


@pytest.mark.requirement("TRUTH-STRATEGIES")
def test_strategies_by_hand() -> None:
    """While on treatment the last value up to the onset, composite a failure, principal stratum those without."""
    nature = world("strong", *ACTING)
    table = both_outcomes(planned(), followed_whole(nature), People(SEED), ("group-a", "group-b"))
    events = {item.id: item for item in table.protocol.authored.intercurrent_events}
    day = onset(table.panel, events[AID], table.parameters)
    order = [visit.id for visit in table.protocol.visits]
    place, days, hba1c = order.index("month-12"), table.panel.visit_day, table.parameters["hba1c"]
    half = day.shape[1] // 2
    by_hand: list[float] = []
    for person in range(2 * half):
        usable = [v for v in range(place + 1) if not np.isnan(hba1c[0, person, v])]
        before = [v for v in usable if days[0, person, v] <= day[0, person] or table.protocol.visits[v].day <= 0]
        chosen = place if days[0, person, place] <= day[0, person] else max(before, key=lambda v: days[0, person, v])
        by_hand.append(float(hba1c[0, person, chosen]))
    expected = np.mean(np.array(by_hand[:half]) - np.array(by_hand[half:]))
    assert value(under("while-on-treatment"), nature) == pytest.approx(expected, abs=1e-12)
    assert expected != pytest.approx(value(planned(), nature), abs=0.01)
    # Partial remission: whoever has begun automated delivery by month 12 is none.
    remitted = table.parameters["idaa1c"][0, :, place] <= 9
    happened = day[0] <= days[0, :, place]
    assert (remitted & happened).any()
    kept = remitted & ~happened
    assert value(under("composite", "remission-12"), nature, "remission-12") == pytest.approx(
        kept[:half].mean() - kept[half:].mean(), abs=1e-12
    )
    never = ~happened[:half] & ~happened[half:]
    assert 3 < never.sum() < half
    stratum = truth_of_trial(under("principal-stratum", "remission-12"), nature, SEED).estimand("remission-12")
    assert stratum.people == never.sum()
    assert stratum.value == pytest.approx(remitted[:half][never].mean() - remitted[half:][never].mean(), abs=1e-12)


@pytest.mark.requirement("TRUTH-STRATEGIES")
def test_counts_end_at_the_onset_with_their_time_at_risk() -> None:
    nature = world("strong", *ACTING)
    made = under("while-on-treatment", "hypoglycaemia-12")
    (question,) = [item for item in questions(made) if item.estimand.id == "hypoglycaemia-12"]
    data = both_outcomes(made, followed_whole(nature), People(SEED), question.arms)
    found = outcomes(question, data)
    assert found.exposures is not None
    events = {item.id: item for item in data.protocol.authored.intercurrent_events}
    day = onset(data.panel, events[AID], data.parameters)[0]
    half = day.size // 2
    visit = data.panel.visit_index("month-12")
    last = np.minimum(day, data.panel.visit_day[0, :, visit])
    rows = data.panel.events
    low = (rows.columns["term"] == "Hypoglycaemia") & (np.nan_to_num(np.asarray(rows.columns["level"], float)) >= 2)
    start = np.asarray(rows.columns["start_day"], float)
    counts = np.array(
        [np.sum(low & (rows.participant == p) & (start >= 0) & (start <= last[p])) for p in range(2 * half)]
    )
    np.testing.assert_array_equal(found.values, np.stack([counts[:half], counts[half:]], axis=1))
    assert (found.exposures[:, 0] <= last[:half] + 1).all() and (found.exposures.min() < 200)


@pytest.mark.requirement("TRUTH-OWN")
def test_a_world_that_cannot_be_simulated_has_no_truth_and_says_why() -> None:
    made = planned(AT.format("hba1c-12", "insulin-independence", "hypothetical"))
    found = truth_of_trial(made, world("published"), SEED).estimand("hba1c-12")
    assert found.value is None and "insulin-independence" in found.reason


@pytest.mark.requirement("TRUTH-OWN")
def test_both_outcomes_are_the_same_people_once_in_each_arm() -> None:
    nature = followed_whole(world("published"))
    data = both_outcomes(planned(), nature, People(SEED, 3), ("group-a", "group-b"))
    half = data.panel.participants // 2
    assert (data.panel.arm[:, :half] == 0).all() and (data.panel.arm[:, half:] == 1).all()
    for name in ("age_years", "sex", "diagnosis_day", "consent_day"):
        values = data.panel.covariates[name]
        np.testing.assert_array_equal(values[:, :half], values[:, half:])
    real = simulate_trials(planned().protocol, world("published"), SEED, 3)
    np.testing.assert_array_equal(
        np.concatenate([one.covariates["age_years"] for one in real]), data.panel.covariates["age_years"][:, :half]
    )
    np.testing.assert_array_equal(
        data.baseline("hba1c", "efficacy")[:, :half], data.baseline("hba1c", "efficacy")[:, half:]
    )
    assert not np.array_equal(
        data.at("treg-percent", "dose-2-48h")[:, :half], data.at("treg-percent", "dose-2-48h")[:, half:]
    )
    assert not np.isnan(data.at("hba1c", "month-24")).any()


@pytest.mark.requirement("TRUTH-OWN")
def test_who_leaves_has_no_dose_from_then_on_and_is_seen_all_the_same() -> None:
    gone, stays = (world("strong", f"scenario.dropout={share}") for share in (1, 0))
    counts = []
    for nature in (gone, stays):
        data = both_outcomes(planned(), followed_whole(nature), People(SEED), ("group-a", "group-b"))
        assert not np.isnan(data.at("hba1c", "month-24")).any()
        rows = data.panel.interventions
        given = (rows.columns["assessment"] == "study-infusion") & (rows.columns["status"] == "given")
        counts.append(np.bincount(rows.participant[given], minlength=data.panel.participants))
    assert counts[0].max() == 1 and counts[1].max() == 4, "everybody leaves on the day after the first dose"
    assert 0 < value(planned(), gone, "cpeptide-12") < value(planned(), stays, "cpeptide-12")


@pytest.mark.requirement("TRUTH-OWN")
def test_panels_are_joined_without_a_change() -> None:
    made = planned()
    nature = followed_whole(replace(world("strong"), digest="x"))
    whole = simulate_trials(made.protocol, nature, SEED, 4)
    parts = [panel for first in (0, 2) for panel in simulate_trials(made.protocol, nature, SEED, 2, first)]
    assert differences(joined(whole, 0), joined(parts, 0)) == []
    twice = prepare(made, joined([whole[0], whole[0]], 1))
    once = prepare(made, whole[0])
    for name in ("hba1c", "hypoglycaemia", "ln-cpeptide-auc", "time-at-risk"):
        np.testing.assert_array_equal(twice.parameters[name][:, :21], once.parameters[name])
        np.testing.assert_array_equal(twice.parameters[name][:, 21:], once.parameters[name])


@pytest.mark.requirement("TRUTH-OWN")
def test_contrasts_of_means_and_their_errors() -> None:
    values = np.array([[3.0, 1.0], [1.0, 1.0], [0.0, 2.0], [4.0, 0.0]])
    assert answer("difference-in-means", Outcomes(values)).value == 1.0
    assert answer("ratio-of-means", Outcomes(values)).value == pytest.approx(np.log(2))
    exposures = np.array([[2.0, 1.0], [2.0, 1.0], [2.0, 1.0], [2.0, 1.0]])
    assert answer("rate-ratio", Outcomes(values, exposures)).value == pytest.approx(0)
    shares = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    assert answer("difference-in-proportions", Outcomes(shares)).value == 0.5
    assert answer("odds-ratio", Outcomes(shares)).value == pytest.approx(np.log(9))
    assert answer("rate-ratio", Outcomes(np.zeros((3, 2)), np.ones((3, 2)))).value is None
    assert answer("difference-in-means", Outcomes(np.zeros((0, 2)))).reason


@pytest.mark.requirement("TRUTH-FILE")
def test_the_file_fits_its_schema_is_read_back_and_a_population_must_be_of_the_same_world(tmp_path: Path) -> None:
    stored = (Path(__file__).parents[2] / "docs" / "schemas" / NAME).read_text("utf-8")
    assert stored == published(), "run `python -m equipoise.truth.json_schema docs/schemas`"
    made, nature = planned(), world("published")
    table = truth_of_trial(made, nature, SEED)
    people = truth_of_population(made, nature, 42, SEED, ("hba1c-12",))
    assert people.trial is None and people.estimand("hba1c-12").error is not None
    both = with_population(table, people, "people.json")
    path = tmp_path / "truth.json"
    for one in (table, people, both):
        Draft202012Validator(json.loads(stored)).validate(to_data(one))
        path.write_text(to_json(one), "utf-8")
        assert to_data(read_truth(path)) == to_data(one)
    assert both.estimand("hba1c-12").population is not None and both.estimand("hba1c-12").value is not None
    for other in (truth_of_population(made, world("strong"), 21, SEED, ("hba1c-12",)), table):
        with pytest.raises(InputError, match="do not belong"):
            with_population(table, other, "people.json")
    path.write_text(path.read_text("utf-8").replace("truth/1", "truth/9"), "utf-8")
    with pytest.raises(DataError, match="true values"):
        read_truth(path)


@pytest.mark.requirement("TRUTH-FILE")
def test_a_result_has_a_true_value_only_where_it_answers_the_estimand() -> None:
    table = truth_of_trial(planned(), world("published"), SEED)
    place = "period-1/month-12/group-a-v-group-b"
    own = table.estimand("hba1c-12").value
    assert table.of_result(f"hba1c-12/hba1c/{place}", "%", "identity") == own
    assert table.of_result(f"hba1c-12-jump/hba1c/{place}", "%", "identity") == own
    for result, unit, scale in (
        (f"hypoglycaemia-12-course/hypoglycaemia/{place}", "episodes", "identity"),
        (f"cpeptide-loss-12/cpeptide-peak/{place}", "ln hazard ratio", "log"),
        (f"cytokines-12/il-6/{place}", "log2(pg/mL)", "identity"),
        ("hba1c-12/hba1c/period-1/month-9/group-a-v-group-b", "%", "identity"),
    ):
        assert table.of_result(result, unit, scale) is None
    parts = [table.of_result(f"hba1c-12-by-exercise/hba1c/{place}/{v}", "%", "identity") for v in ("with", "without")]
    (with_, without) = parts
    assert with_ is not None and without is not None
    both = table.of_result(f"hba1c-12-by-exercise/hba1c/{place}/interaction", "%", "identity")
    assert both == pytest.approx(with_ - without)
    arms = [
        table.of_result(f"hba1c-12-change/change-hba1c/period-1/month-12/{arm}", "%", "identity")
        for arm in ("group-a", "group-b")
    ]
    assert None not in arms and arms[0] - arms[1] == pytest.approx(own)
