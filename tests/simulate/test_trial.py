"""A simulated trial is one that could have been run: its Panel, its records, and what stays the same when."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from equipoise.errors import InputError
from equipoise.protocol.load import load_protocol
from equipoise.records.classes import STATUSES
from equipoise.records.dispensed import dispensed_of
from equipoise.records.from_panel import to_records
from equipoise.records.from_records import to_panel
from equipoise.records.panel import HELD, LEFT, Panel, differences
from equipoise.simulate.enrolment import DECLINED, ENROLLED, NOT_ELIGIBLE, NOT_SELECTED, enrol
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_nature, simulate_trial, simulate_trials

SEED = 11


@cache
def model_trial(scenario: str = "published", seed: int = SEED, *changes: str) -> Panel:
    return simulate_trial(load_protocol("msc-t1d"), load_scenario(scenario, changes), seed)


def seated(panel: Panel) -> np.ndarray:
    return panel.arm[0] >= 0


@pytest.mark.requirement("SIMULATE-RECORDS")
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("protocol", ["msc-t1d", "t1dal"])
def test_records_pass_every_check_and_give_back_the_panel(protocol: str, seed: int) -> None:
    panel = simulate_trial(load_protocol(protocol), load_scenario("published"), seed)
    records, allocation = to_records(panel)
    assert differences(to_panel(records, allocation, dispensed_of(panel)), panel) == []
    rules = {warning.rule for warning in records.warnings}
    assert rules <= {"plausible"}, "no visit outside its window"
    assert len(records.warnings) < 20


@pytest.mark.requirement("SIMULATE-SCREENING")
def test_people_are_enrolled_by_the_protocols_own_criteria_until_the_places_are_full() -> None:
    protocol = load_protocol("msc-t1d")
    found = enrol(protocol, load_scenario("no-effect"), SEED, 60)
    people, stage = found.people, found.stage
    inside = np.arange(stage.shape[1]) < found.assessed[:, np.newaxis]
    enrolled = inside & (stage == ENROLLED)
    assert (enrolled.sum(axis=1) == 21).all() and found.present.all()
    assert ((people.age_completed >= 8) & (people.age_completed <= 40))[enrolled].all()
    assert (people.days_since_diagnosis <= 42)[enrolled].all()
    assert (found.fasting >= 0.3)[enrolled].all() and people.consents[enrolled].all()
    for name in ("hiv", "cmv", "cancer", "pregnant_or_breastfeeding", "severe_ketoacidosis_history"):
        assert not people.conditions[name][enrolled].any()
    out = inside & (stage == NOT_SELECTED)
    late = people.days_since_diagnosis > 42
    assert out[inside & late].all(), "whoever comes too late is not selected"
    reasons = {found.texts[index] for index in found.reason[inside & (stage == NOT_ELIGIBLE)]}
    assert reasons <= {
        "Antibody against beta cells",
        "Fasting C-peptide at least 0.3 ng/mL",
        "Positive HIV, HTLV, HBV, HCV or CMV",
    }
    assert (found.fasting < 0.3)[inside & (stage == NOT_ELIGIBLE)].any()
    assert (stage == DECLINED).any() and not people.consents[stage == DECLINED].any()
    last = np.take_along_axis(stage, found.assessed[:, np.newaxis] - 1, axis=1)
    assert (last == ENROLLED).all(), "recruitment ends with the last place"


@pytest.mark.requirement("SIMULATE-SCREENING")
def test_the_flow_of_the_model_trial_is_near_the_published_one() -> None:
    """212 assessed, 43 selected for further verification, 21 randomised: inside the middle 95 % of trials."""
    found = enrol(load_protocol("msc-t1d"), load_scenario("no-effect"), SEED, 400)
    selected = (np.isin(found.stage, (DECLINED, NOT_ELIGIBLE, ENROLLED))).sum(axis=1)
    for published, simulated in ((212, found.assessed), (43, selected)):
        low, high = np.percentile(simulated, [2.5, 97.5])
        assert low < published < high


@pytest.mark.requirement("SIMULATE-SCREENING")
def test_the_screening_sample_that_decides_is_the_one_recorded() -> None:
    protocol, scenario = load_protocol("msc-t1d"), load_scenario("no-effect")
    found = enrol(protocol, scenario, SEED, 1)
    panel = simulate_trial(protocol, scenario, SEED)
    value = panel.blocks["fasting"].test("cpeptide")[0][0, :, 0, 0]
    screened = ~np.isnan(value)
    assert screened.sum() == np.isin(found.stage[0, : panel.participants], (NOT_ELIGIBLE, ENROLLED)).sum()
    expected = np.maximum(found.fasting[0, : panel.participants][screened], 0.05)
    np.testing.assert_allclose(value[screened], expected, rtol=0, atol=1e-12)


@pytest.mark.requirement("SIMULATE-TREATMENT")
def test_everyone_has_an_aspirate_and_lots_and_infusions_that_look_alike() -> None:
    panel = model_trial()
    rows = panel.interventions.columns
    treatment = rows["treatment"]
    aspirated = panel.interventions.participant[treatment == "Bone-marrow aspiration"]
    assert sorted(aspirated) == np.flatnonzero(seated(panel)).tolist()
    given = (treatment == "study treatment") & (rows["status"] == "given")
    per_person = np.bincount(panel.interventions.participant[given], minlength=panel.participants)
    assert per_person.max() == 4 and (per_person[~seated(panel)] == 0).all()
    arm = panel.arm[0][panel.interventions.participant[given]]
    for name in ("volume_ml", "minutes"):
        values = np.asarray(rows[name], np.float64)[given]
        assert not np.isnan(values).any()
        assert abs(values[arm == 0].mean() - values[arm == 1].mean()) < values.std()
    assert np.isnan(np.asarray(rows["amount"], np.float64)).all(), "the number of cells would tell the arm"
    owners = set(panel.lots.participant.tolist())
    assert owners == set(np.flatnonzero(seated(panel)).tolist())


@pytest.mark.requirement("SIMULATE-TREATMENT")
def test_a_lot_that_fails_is_not_infused_in_either_arm() -> None:
    panel = model_trial("no-effect", 5, "scenario.manufacturing.lot_failure=0.5")
    lots = panel.lots.columns
    failed = {str(lot) for lot in np.asarray(lots["lot"])[np.asarray(lots["decision"]) == "failed"]}
    rows = panel.interventions.columns
    given = {str(lot) for lot in np.asarray(rows["lot"])[np.asarray(rows["status"]) == "given"]} - {""}
    assert failed and given and not failed & given
    arms = {
        int(panel.arm[0, who])
        for who, reason in zip(panel.interventions.participant, rows["reason"], strict=True)
        if reason == "lot not released"
    }
    assert arms == {0, 1}
    gates = {test.id for test in panel.protocol.product("msc").release_tests if test.use == "gate"}
    broken = np.asarray(lots["passed"]) == 0
    assert set(np.asarray(lots["test"])[broken].tolist()) <= gates | {"viable-cells"}
    limits = {test.id: test for test in panel.protocol.product("msc").release_tests}
    for test, value, passed in zip(lots["test"], lots["value"], lots["passed"], strict=True):
        lower, upper = limits[str(test)].lower, limits[str(test)].upper
        if not np.isnan(value):
            inside = (lower is None or value >= lower) and (upper is None or value <= upper)
            assert inside == bool(passed)


@pytest.mark.requirement("SIMULATE-CALENDAR")
def test_visits_windows_leaving_and_missing_values() -> None:
    protocol = load_protocol("msc-t1d")
    panel = simulate_trials(protocol, load_scenario("no-effect"), SEED, 60)[0]
    for index, visit in enumerate(protocol.visits):
        days = panel.visit_day[..., index]
        held = panel.visit_status[..., index] == HELD
        assert np.nanmin(days) >= visit.day - visit.before and np.nanmax(days) <= visit.day + visit.after
        assert (held == ~np.isnan(days)).all()
    status = panel.covariates["status"]
    gone = np.isin(status, [STATUSES.index("withdrawn"), STATUSES.index("lost")])
    assert 0.15 < gone.mean() < 0.33, "about a quarter in two years"
    assert (panel.labels["reason"][gone] != "").all() and (panel.labels["reason"][~gone] == "").all()
    seen = np.nanmax(np.where(panel.visit_status == HELD, panel.visit_day, np.nan), axis=-1)
    assert (panel.covariates["last_contact_day"] >= seen - 1e-9).all()
    hba1c = panel.blocks["hba1c"]
    missing = hba1c.asked.sum() / (hba1c.asked | ~np.isnan(hba1c.value)).sum()
    assert 0.01 < missing < 0.03
    assert np.isnan(hba1c.value[hba1c.asked]).all()


@pytest.mark.requirement("SIMULATE-CALENDAR")
def test_diary_days_are_time_under_observation_and_episodes_lie_in_it() -> None:
    protocol = load_protocol("msc-t1d")
    nature = simulate_nature(protocol, load_scenario("no-effect", ["scenario.missing.diary=0.3"]), SEED, 20)
    panel = simulate_trials(protocol, load_scenario("no-effect", ["scenario.missing.diary=0.3"]), SEED, 20)[0]
    diary = panel.blocks["diary"]
    days = diary.value[..., 0, 0]
    order = [visit.id for visit in protocol.visits]
    for trial, person in ((0, 0), (7, 3), (19, 20)):
        total = np.nansum(days[trial, person])
        held = [panel.visit_day[trial, person, order.index(v)] for v in diary.visits]
        last = np.nanmax(np.array(held)) if not np.isnan(held).all() else -1
        assert total == nature.diary_kept[trial, person, : int(last) + 1].sum()
    rows = panel.events.columns
    mild = (rows["assessment"] == "hypoglycaemia") & (np.asarray(rows["level"]) < 3)
    kept = nature.diary_kept[
        panel.events.trial[mild], panel.events.participant[mild], np.asarray(rows["start_day"])[mild].astype(int)
    ]
    assert mild.sum() > 100 and kept.all()


@pytest.mark.requirement("SIMULATE-CALENDAR")
def test_intercurrent_events_are_recorded_at_their_yearly_share() -> None:
    scenario = load_scenario("no-effect", ["scenario.intercurrent_events.systemic-steroids=0.5", "scenario.dropout=0"])
    panel = simulate_trials(load_protocol("msc-t1d"), scenario, SEED, 40)[0]
    rows = panel.interventions
    mine = np.asarray(rows.columns["treatment"]) == "Systemic corticosteroid"
    within = mine & (np.asarray(rows.columns["day"]) <= 365)
    share = within.sum() / panel.present.sum()
    assert abs(share - 0.5) < 4 * np.sqrt(0.25 / panel.present.sum())


@pytest.mark.requirement("SIMULATE-PANELS", "SIMULATE-STREAMS")
def test_a_campaigns_trial_is_the_trial_of_a_single_run() -> None:
    protocol, scenario = load_protocol("msc-t1d"), load_scenario("no-effect")
    many = simulate_trials(protocol, scenario, SEED, 4)[0]
    for trial in (0, 3):
        one = simulate_trial(protocol, scenario, SEED, trial)
        place = np.flatnonzero(seated(one))
        np.testing.assert_array_equal(one.arm[0, place], many.arm[trial])
        np.testing.assert_array_equal(one.covariates["age_years"][0, place], many.covariates["age_years"][trial])
        for name, block in one.blocks.items():
            np.testing.assert_array_equal(block.value[0, place], many.blocks[name].value[trial], err_msg=name)
            np.testing.assert_array_equal(block.day[0, place], many.blocks[name].day[trial], err_msg=name)
        ours, theirs = one.events, many.events
        mine = theirs.trial == trial
        for name, column in ours.columns.items():
            np.testing.assert_array_equal(column, theirs.columns[name][mine], err_msg=name)


@pytest.mark.requirement("SIMULATE-STREAMS")
def test_chunks_of_a_campaign_are_the_same_trials() -> None:
    protocol, scenario = load_protocol("msc-t1d"), load_scenario("no-effect")
    whole = simulate_trials(protocol, scenario, SEED, 5)[0]
    part = simulate_trials(protocol, scenario, SEED, 2, first=3)[0]
    np.testing.assert_array_equal(whole.blocks["mmtt"].value[3:], part.blocks["mmtt"].value)
    np.testing.assert_array_equal(whole.arm[3:], part.arm)


@pytest.mark.requirement("SIMULATE-STREAMS")
def test_more_places_do_not_change_those_who_came_before() -> None:
    scenario = load_scenario("no-effect")
    few = simulate_trials(load_protocol("msc-t1d"), scenario, SEED, 1)[0]
    more = simulate_trials(load_protocol("msc-t1d", ["protocol.randomisation.participants=40"]), scenario, SEED, 1)[0]
    for name, block in few.blocks.items():
        np.testing.assert_array_equal(block.value[0], more.blocks[name].value[0, :21], err_msg=name)
    np.testing.assert_array_equal(few.arm[0], more.arm[0, :21])


@pytest.mark.requirement("SIMULATE-DERIVED", "PATIENTS-EFFECTS")
def test_another_scenario_changes_only_what_its_effects_touch() -> None:
    protocol = load_protocol("msc-t1d")
    nothing = simulate_trial(protocol, load_scenario("no-effect"), SEED)
    everything = simulate_trial(protocol, load_scenario("strong"), SEED)
    assert nothing.ids == everything.ids
    np.testing.assert_array_equal(nothing.arm, everything.arm)
    np.testing.assert_array_equal(nothing.visit_day, everything.visit_day)
    same = ("safety-laboratory", "autoantibodies", "body", "diary", "exercise")
    for name in same:
        np.testing.assert_array_equal(nothing.blocks[name].value, everything.blocks[name].value)
    treg = nothing.blocks["treg"]
    before = [treg.visits.index(v) for v in ("baseline", "dose-1")]
    np.testing.assert_array_equal(treg.value[:, :, before], everything.blocks["treg"].value[:, :, before])
    early = treg.visits.index("dose-2-48h")
    changed = everything.blocks["treg"].value[0, :, early, 0, 0] - treg.value[0, :, early, 0, 0]
    assert np.nanmean(changed[nothing.arm[0] == 0]) > 1.5
    np.testing.assert_array_equal(changed[nothing.arm[0] == 1][~np.isnan(changed[nothing.arm[0] == 1])], 0)


@pytest.mark.requirement("SIMULATE-DERIVED")
def test_the_late_group_is_treated_in_period_2() -> None:
    protocol = load_protocol("msc-t1d")
    nothing = simulate_trial(protocol, load_scenario("no-effect"), SEED)
    strong = simulate_trial(protocol, load_scenario("strong"), SEED)
    block = nothing.blocks["treg"]
    for visit, moved in (("dose-2-48h", False), ("month-12", False), ("dose-4-48h", True)):
        place = block.visits.index(visit)
        change = strong.blocks["treg"].value[0, :, place, 0, 0] - block.value[0, :, place, 0, 0]
        late = change[(nothing.arm[0] == 1) & ~np.isnan(change)]
        assert (np.abs(late) > 0.5).any() if moved else not late.any()


def test_censored_values_hold_the_limit_and_reported_ones_their_decimals() -> None:
    panel = model_trial()
    value, censored = panel.blocks["cytokines"].test("il-4")
    assert (value[censored == LEFT] == 2.0).all() and (censored == LEFT).mean() > 0.02
    assert (value[(censored == 0) & ~np.isnan(value)] >= 2.0).all()
    hba1c = panel.blocks["hba1c"].value
    np.testing.assert_array_equal(hba1c, np.round(hba1c, 1))


def test_questionnaires_are_asked_of_their_ages_only() -> None:
    panel = model_trial()
    age = np.floor(panel.covariates["age_years"][0])
    there = {
        name: ~np.isnan(panel.blocks[name].value[0]).all(axis=(1, 2, 3)) for name in ("rand-36", "pedsql-diabetes")
    }
    assert (age[there["rand-36"]] >= 14).all() and (age[there["pedsql-diabetes"]] < 14).all()
    asked = panel.blocks["rand-36"].asked[0].any(axis=(1, 2, 3))
    assert (age[asked] >= 14).all(), "below its ages a questionnaire is not applicable, not missing"


@pytest.mark.requirement("SIMULATE-ODD")
def test_a_criterion_that_simulated_people_cannot_meet_is_refused() -> None:
    change = "protocol.eligibility.variables.age.name=shoe_size"
    others = [
        "protocol.eligibility.inclusion.age.expression=shoe_size >= 8.0",
    ]
    protocol = load_protocol("msc-t1d", [change, *others])
    with pytest.raises(InputError) as refused:
        simulate_trial(protocol, load_scenario("no-effect"), 1)
    (problem,) = refused.value.problems
    assert problem.rule == "simulated-variable" and "shoe_size" in str(problem.value)


@pytest.mark.requirement("SIMULATE-MARKED")
def test_records_say_that_they_are_simulated() -> None:
    from equipoise.records.records import simulated_source

    records, _ = to_records(model_trial(), source=simulated_source("published", 17))
    assert records.seed == 17
    assert records.findings["source"].unique().to_list() == ["simulated: scenario published, seed 17"]
    real, _ = to_records(model_trial(), source="site-1.csv:4")
    assert real.seed is None


@pytest.mark.requirement("SIMULATE-ODD")
def test_a_trial_too_large_for_a_machine_is_refused() -> None:
    protocol = load_protocol("msc-t1d", ["protocol.randomisation.participants=100000"])
    with pytest.raises(InputError) as refused:
        simulate_trial(protocol, load_scenario("no-effect"), 1)
    assert [problem.rule for problem in refused.value.problems] == ["simulation-size"]


AGE_GROUPS = (
    "[{id: age, label: Age, levels: [{id: child, label: Child, expression: age < 18.0},"
    " {id: adult, label: Adult, expression: age >= 18.0}]}]"
)


@pytest.mark.parametrize(
    "method",
    [
        "method: permuted-blocks, block_sizes: [4, 6], strata: []",
        "method: permuted-blocks, block_sizes: [2], strata: " + AGE_GROUPS,
        "method: maximal-procedure, limit: 2, strata: []",
        "method: simple, strata: []",
        "method: minimisation, probability: 0.8, strata: " + AGE_GROUPS,
    ],
)
def test_methods_of_allocation_run_in_a_trial(method: str) -> None:
    protocol = load_protocol("msc-t1d", [f"protocol.randomisation={{participants: 12, {method}}}"])
    panel = simulate_trials(protocol, load_scenario("no-effect"), SEED, 3)[0]
    assert panel.present.all() and set(np.unique(panel.arm)) == {0, 1}
    if "block_sizes: [2], strata" in method:  # balanced within each age group
        for trial in range(3):
            child = panel.covariates["age_years"][trial] < 18
            for group in (child, ~child):
                assert abs((panel.arm[trial][group] == 0).sum() - (panel.arm[trial][group] == 1).sum()) <= 1
    assert to_records(panel)[0].participants.height == 12
