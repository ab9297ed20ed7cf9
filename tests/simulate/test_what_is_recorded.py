"""What is made, given and written down of simulated people, by the scenario's own words and the protocol's limits."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from equipoise.protocol.load import load_protocol
from equipoise.protocol.schema.treatment import ReleaseTest
from equipoise.records.classes import STATUSES
from equipoise.records.panel import HELD, LEFT, RIGHT, Panel, Rows
from equipoise.simulate.assemble import assemble, participants_only
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.treatment import test_result as laboratory_result
from equipoise.simulate.trial import Nature, simulate_nature, simulate_trials

SEED, TRIALS, PLACES = 5, 12, 21
PROTOCOL = load_protocol("msc-t1d")
VISITS = {visit.id: place for place, visit in enumerate(PROTOCOL.visits)}
GATES = [test for test in PROTOCOL.product("msc").release_tests if test.use == "gate"]


# Few worlds, each for several tests.
USUAL: tuple[str, ...] = ()
UNSTEADY = (
    *("dropout=0.4", "missing.lost=0.5", "intercurrent_events.glucose-technology=0.6"),
    *("doses.below_range=0.3", "manufacturing.potency_log_sd=0.3"),
)
UNWILLING = (
    *("dropout=0", "intercurrent_events.glucose-technology=1", "manufacturing.lot_failure=0"),
    *("doses.refused=0.25", "doses.later_period_declined=0.4"),
    *("missing.visits=0.15", "missing.results=0.2", "missing.points=0.1"),
)
LOTS_FAIL = (
    *("manufacturing.lot_failure=0.3", "manufacturing.late_failure=0", "doses.below_range=0", "doses.refused=0.3"),
    *("dropout=1", "intercurrent_events.glucose-technology=0"),
)
LOTS_FAIL_LATE = ("manufacturing.lot_failure=0", "manufacturing.late_failure=0.3", "doses.below_range=0")


@cache
def truth(*changes: str) -> Nature:
    return simulate_nature(PROTOCOL, load_scenario("no-effect", [f"scenario.{c}" for c in changes]), SEED, TRIALS)


@cache
def seen(*changes: str) -> Panel:
    """The same trials as they are recorded."""
    scenario, nature = load_scenario("no-effect", [f"scenario.{c}" for c in changes]), truth(*changes)
    return assemble(PROTOCOL, scenario, nature, participants_only(nature.enrolment))


def rows_of(rows: Rows, column: str, word: str) -> dict[str, np.ndarray]:
    """The rows in which a column has a word, with trial and person."""
    wanted = np.asarray(rows.columns[column]) == word
    found = {name: np.asarray(values)[wanted] for name, values in rows.columns.items()}
    return found | {"at": np.array([rows.trial[wanted], rows.participant[wanted]])}


def near(share: float, expected: float, number: int) -> bool:
    """Within four standard errors of a share."""
    return abs(share - expected) <= 4 * np.sqrt(expected * (1 - expected) / number)


# ---- release tests: what a laboratory reports agrees with the limits


def release_test(**given: object) -> ReleaseTest:
    return ReleaseTest(**{"id": "x", "label": "X", "unit": "EU/kg", "use": "gate", "timing": "before-release", **given})


@pytest.mark.requirement("SIMULATE-RELEASE")
@pytest.mark.parametrize("unit", ["%", "EU/kg"])
@pytest.mark.parametrize(("lower", "upper"), [(80.0, None), (None, 5.0), (70.0, 80.0)])
def test_a_result_is_inside_the_limits_where_the_test_was_passed_and_outside_where_not(
    unit: str, lower: float | None, upper: float | None
) -> None:
    test = release_test(unit=unit, lower=lower, upper=upper)
    for place in np.linspace(0, 1 - 2**-53, 41):
        for failed in (False, True):
            text, value = laboratory_result(test, place, failed=failed)
            assert float(text) == value >= 0
            assert value <= 100 or unit != "%"
            inside = (lower is None or value >= lower) and (upper is None or value <= upper)
            assert inside == (not failed), (place, value)


@pytest.mark.requirement("SIMULATE-RELEASE")
def test_results_use_what_lies_between_the_limits_and_have_the_decimals_of_their_unit() -> None:
    at = lambda place, **given: laboratory_result(release_test(**given), place, failed=False)[1]  # noqa: E731
    assert (at(0.0, lower=80.0, unit="%"), at(0.5, lower=80.0, unit="%")) == (80.0, 90.0)
    assert (at(0.0, lower=10.0), at(1.0, lower=10.0)) == (10.0, 13.0)
    assert (at(0.0, upper=5.0), at(1.0, upper=5.0)) == (0.0, 4.5)
    assert (at(0.123456, lower=80.0, unit="%"), at(0.123456, upper=5.0)) == (82.5, 0.56)
    failed = lambda place, **given: laboratory_result(release_test(**given), place, failed=True)[1]  # noqa: E731
    assert (failed(0.0, lower=10.0), failed(1.0, lower=10.0)) == (8.0, 9.9)
    assert (failed(0.0, upper=5.0), failed(1.0, upper=5.0)) == (5.25, 10.25)


@pytest.mark.requirement("SIMULATE-RELEASE")
@pytest.mark.parametrize(
    ("expected", "otherwise"),
    [("no growth", "growth"), ("not detected", "detected"), ("blue", "other than blue")],
)
def test_a_result_in_words(expected: str, otherwise: str) -> None:
    test = release_test(unit="1", expected=expected)
    passed, failed = (laboratory_result(test, 0.5, failed=bad) for bad in (False, True))
    assert passed[0] == expected and failed[0] == otherwise and np.isnan([passed[1], failed[1]]).all()


@pytest.mark.requirement("SIMULATE-RELEASE")
@pytest.mark.parametrize(
    ("world", "decision", "timing"),
    [(LOTS_FAIL, "failed", "before-release"), (LOTS_FAIL_LATE, "quarantined", "after-release")],
    ids=["before-release", "after-release"],
)
def test_a_lot_fails_by_one_gate_of_its_time_and_by_no_test_that_is_reported_only(
    world: tuple[str, ...], decision: str, timing: str
) -> None:
    panel = seen(*world)
    lots = {name: np.asarray(values) for name, values in panel.lots.columns.items()}
    names, decided = np.unique(np.stack([lots["lot"], panel.lots.trial.astype(str)]), axis=1, return_index=True)
    bad = lots["decision"][decided] == decision
    assert names.shape[1] > 200 and near(bad.mean(), 0.3, bad.size)
    assert set(lots["decision"]) == {"released", decision}
    broken = lots["passed"] == 0
    assert broken.sum() == bad.sum(), "one test a lot"
    assert_array_equal(np.unique(lots["test"][broken]), sorted(t.id for t in GATES if t.timing == timing))
    # A lot that was not released is not given, whatever the arm; a late result comes after the infusion.
    reasons = rows_of(panel.interventions, "reason", "lot not released")
    assert (reasons["day"].size == 0) == (timing == "after-release")


@pytest.mark.requirement("SIMULATE-RELEASE")
def test_a_lot_is_released_the_day_before_its_infusion() -> None:
    panel = seen(*USUAL)
    due = {
        (int(trial), str(lot)): float(day)
        for trial, lot, day in zip(
            panel.interventions.trial,
            panel.interventions.columns["lot"],
            panel.interventions.columns["day"],
            strict=True,
        )
        if lot
    }
    assert len(due) > 500
    released = dict(
        zip(
            zip(panel.lots.trial.tolist(), panel.lots.columns["lot"].tolist(), strict=True),
            panel.lots.columns["day"],
            strict=True,
        )
    )
    for lot, day in due.items():
        assert released[lot] == day - 1


# ---- infusions


@pytest.mark.requirement("SIMULATE-TREATMENT")
def test_infusions_are_planned_given_and_fall_out_as_the_scenario_says() -> None:
    panel = seen(*UNWILLING)
    rows = rows_of(panel.interventions, "treatment", "study treatment")
    # Who misses the visit is not asked, so that the share of those who refuse is that of those who came.
    missed = rows["reason"] == "visit missed"
    assert near(missed.mean(), 0.15, missed.size)
    rows = {name: values[..., ~missed] for name, values in rows.items()}
    period_1, first = rows["period"] == "period-1", rows["dose_number"] == 1
    reason = rows["reason"]
    assert set(reason) == {"", "refused by the participant", "infusions of this period declined"}
    assert (rows["status"] == "given").sum() == (reason == "").sum()
    declined = reason == "infusions of this period declined"
    assert not declined[period_1].any()
    per_person = np.bincount(np.ravel_multi_index(rows["at"], panel.present.shape)[declined])
    later = np.bincount(np.ravel_multi_index(rows["at"], panel.present.shape)[~period_1], minlength=per_person.size)
    per_person = np.pad(per_person, (0, later.size - per_person.size))
    assert_array_equal(per_person[per_person > 0], later[per_person > 0])  # every infusion of the period
    assert near((per_person > 0).sum() / (later > 0).sum(), 0.4, int((later > 0).sum()))
    refused = reason == "refused by the participant"
    assert not refused[first].any()
    assert near(refused[period_1 & ~first].mean(), 0.25, int((period_1 & ~first).sum()))


@pytest.mark.requirement("SIMULATE-TREATMENT")
def test_an_infusion_has_the_day_of_its_visit_a_millilitre_per_kg_half_an_hour_to_an_hour_and_its_lot() -> None:
    panel, nature = seen(*USUAL), truth(*USUAL)
    rows = rows_of(panel.interventions, "treatment", "study treatment")
    slots = {(slot.period, float(slot.number)): slot for slot in nature.treatment.slots}
    given = rows["status"] == "given"
    for index in range(given.size):
        trial, person = rows["at"][:, index]
        slot = slots[str(rows["period"][index]), float(rows["dose_number"][index])]
        assert rows["day"][index] == nature.calendar.day[trial, person, slot.visit]
        if given[index]:
            number = list(slots.values()).index(slot) + 1
            assert rows["lot"][index] == f"{panel.ids[person]}-{number}"
            assert rows["volume_ml"][index] == np.round(nature.course.weight[trial, person, 0])
        else:
            assert rows["lot"][index] == "" and np.isnan(rows["volume_ml"][index])
    minutes = rows["minutes"][given]
    assert (minutes.min(), minutes.max()) == (30, 60) and np.isnan(rows["minutes"][~given]).all()


@pytest.mark.requirement("SIMULATE-TREATMENT")
def test_only_cells_that_were_given_weigh_anything_each_its_share_and_half_of_it_where_it_fell_short() -> None:
    nature = truth(*UNSTEADY)
    treatment, exposure = nature.treatment, nature.exposure
    cells = np.array([[arm.treatments[slot.period] == "msc" for slot in treatment.slots] for arm in PROTOCOL.arms])
    active = cells[nature.enrolment.arm] & treatment.given
    assert_array_equal(exposure.weight > 0, active)
    assert_array_equal(np.isnan(exposure.day), ~treatment.given)
    days = (treatment.day - nature.screening_day[..., None])[treatment.given]
    assert_array_equal(exposure.day[treatment.given], days)
    share = exposure.weight[active] / 0.5  # two infusions of a period are one treatment
    short = share == 0.5
    assert near(short.mean(), 0.3, short.size)
    assert abs(np.log(share[~short]).mean()) < 0.02 and abs(np.log(share[~short]).std() - 0.05) < 0.01
    potency = exposure.potency.ravel()
    assert abs(potency.mean() - 1) < 4 * 0.3 / np.sqrt(potency.size)
    assert abs(np.log(potency).std() - 0.3) < 0.04


@pytest.mark.requirement("SIMULATE-TREATMENT")
@pytest.mark.parametrize(
    ("world", "why"),
    [
        (LOTS_FAIL, {"lot not released"}),
        (UNWILLING, {"visit missed", "refused by the participant", "infusions of this period declined"}),
    ],
    ids=["lots", "people"],
)
def test_an_infusion_that_was_due_and_not_given_is_a_deviation_and_no_other_is(
    world: tuple[str, ...], why: set[str]
) -> None:
    panel = seen(*world)
    missed = rows_of(panel.interventions, "status", "not-given")
    deviations = rows_of(panel.events, "category", "Study treatment")
    assert set(missed["reason"]) - {"visit missed"} == why - {"visit missed"}

    def listed(found: dict[str, np.ndarray], text: str, day: str, before: str = "") -> list[tuple[object, ...]]:
        words = [f"{before}{word}" for word in found[text]]
        return sorted(zip(*found["at"].tolist(), words, found[day].tolist(), strict=True))

    told = listed(deviations, "term", "start_day")
    assert told == listed(missed, "reason", "day", "Infusion not given: ") and len(told) > 40


@pytest.mark.requirement("SIMULATE-TREATMENT")
def test_doses_without_a_visit_come_on_their_day_or_in_the_window_after_it() -> None:
    protocol = load_protocol("t1dal", ["protocol.randomisation.participants=12"])
    treatment = simulate_nature(protocol, load_scenario("no-effect"), SEED, 4).treatment
    late = treatment.day - np.array([slot.day for slot in treatment.slots])
    alone = np.array([slot.visit is None for slot in treatment.slots])
    assert alone.sum() > 20 and {slot.window for slot in treatment.slots} == {3}
    assert_array_equal(np.unique(late[..., alone]), [0, 1, 2, 3])
    assert treatment.lots is None


# ---- days: leaving, allocation, events at a constant hazard


@pytest.mark.requirement("SIMULATE-CALENDAR")
def test_people_leave_at_the_constant_hazard_of_the_scenario() -> None:
    """At 40 % a year, 1 - 0.6^(t / 365.25) have left by day t."""
    left = truth(*UNSTEADY).calendar.left.ravel()
    assert left.min() >= 1 and whole_days(left)
    for day in (91, 365, 700):
        assert near((left <= day).mean(), 1 - 0.6 ** (day / 365.25), left.size)
    assert np.isinf(truth(*UNWILLING).calendar.left).all()
    assert (truth(*LOTS_FAIL).calendar.left == 1).all()


def whole_days(days: np.ndarray) -> bool:
    return bool((days == np.floor(days)).all())


@pytest.mark.requirement("SIMULATE-CALENDAR")
def test_who_leaves_is_recorded_with_the_last_contact() -> None:
    nature, panel = truth(*UNSTEADY), seen(*UNSTEADY)
    status, last = panel.covariates["status"], panel.covariates["last_contact_day"]
    ends = nature.calendar.day[..., -1]
    gone = nature.calendar.left < ends
    withdrawn, lost = (status == STATUSES.index(word) for word in ("withdrawn", "lost"))
    assert_array_equal(withdrawn | lost, gone)
    assert near(lost.sum() / gone.sum(), 0.5, int(gone.sum()))
    assert_array_equal(last[withdrawn], nature.calendar.left[withdrawn])  # they say so on that day
    held = np.where(nature.calendar.held, nature.calendar.day, -np.inf).max(axis=-1)
    assert_array_equal(last[~withdrawn], held[~withdrawn])  # all others were last seen at a visit
    assert (panel.visit_status[..., 3:] == HELD)[panel.visit_day[..., 3:] >= nature.calendar.left[..., None]].sum() == 0


@pytest.mark.requirement("SIMULATE-CALENDAR")
def test_allocation_comes_in_the_week_after_baseline_and_before_the_next_visit() -> None:
    nature = truth(*USUAL)
    day = nature.allocation_day - nature.calendar.day[..., VISITS["baseline"]]
    room = nature.calendar.day[..., VISITS["aspiration"]] - nature.calendar.day[..., VISITS["baseline"]] - 1
    assert day.min() == 1 and whole_days(day)
    assert_array_equal(np.unique(day[room >= 7]), np.arange(1, 8))
    assert (day <= np.minimum(room, 7)).all()
    assert (nature.allocation_day <= 0).all()


@pytest.mark.requirement("SIMULATE-CALENDAR")
def test_intercurrent_events_come_at_their_yearly_share_and_end_with_the_stay() -> None:
    device = ("treatment", "Automated insulin delivery")
    panel, nature = seen(*UNSTEADY), truth(*UNSTEADY)
    rows = rows_of(panel.interventions, *device)
    assert (rows["day"] >= 1).all() and whole_days(rows["day"])
    assert (rows["day"] <= nature.stay.last[tuple(rows["at"])]).all()
    stayed = nature.stay.last >= 200
    early = np.zeros(stayed.shape, bool)
    early[tuple(rows["at"][:, rows["day"] <= 200])] = True
    assert near(early[stayed].mean(), 1 - 0.4 ** (200 / 365.25), int(stayed.sum()))
    always = rows_of(seen(*UNWILLING).interventions, *device)
    assert (always["day"] == 1).all() and always["day"].size == TRIALS * PLACES
    never = rows_of(seen(*LOTS_FAIL).interventions, *device)
    assert never["day"].size == 0


@pytest.mark.requirement("SIMULATE-CALENDAR")
def test_everybody_has_insulin_and_a_history_from_the_diagnosis_on() -> None:
    panel, nature = seen(*USUAL), truth(*USUAL)
    diagnosed = nature.screening_day - nature.people.days_since_diagnosis
    assert_array_equal(panel.covariates["diagnosis_day"], diagnosed)
    for rows, column, word, day in (
        (panel.interventions, "treatment", "Insulin", "day"),
        (panel.events, "term", "Type 1 diabetes mellitus", "start_day"),
    ):
        found = rows_of(rows, column, word)
        assert_array_equal(found[day], diagnosed[tuple(found["at"])])
        assert found[day].size == TRIALS * PLACES


@pytest.mark.requirement("SIMULATE-CALENDAR")
def test_adverse_events_have_an_end_unless_they_go_on_and_are_serious_by_grade_or_hospital() -> None:
    panel, nature = seen(*USUAL), truth(*USUAL)
    rows = rows_of(panel.events, "assessment", "adverse-events")
    events = nature.adverse_events
    assert rows["start_day"].size == events.day.size > 300
    ends = events.day + nature.screening_day[events.trial, events.participant] + events.duration - 1
    expected = sorted(zip(events.trial.tolist(), events.participant.tolist(), ends.tolist(), strict=True))
    ongoing = rows["outcome"] == "not recovered"
    last = nature.stay.last[tuple(rows["at"])]
    assert_array_equal(np.isnan(rows["end_day"]), ongoing)
    assert (rows["end_day"][~ongoing] <= last[~ongoing]).all()
    told = sorted(zip(*rows["at"][:, ~ongoing].tolist(), rows["end_day"][~ongoing].tolist(), strict=True))
    assert told == [row for row in expected if row[2] <= nature.stay.last[row[0], row[1]]]
    hospital = np.isin(rows["term"], ("Appendicitis", "Ketoacidosis"))
    assert_array_equal(rows["serious"] == 1, (rows["grade"] >= 4) | hospital)
    assert rows["serious"].sum() > 0 and (rows["related"] == 1).any() and (rows["related"] == 0).any()


# ---- results: what is asked for, what is missing, and limits of quantification on both sides


@pytest.mark.requirement("SIMULATE-LIMITS")
def test_a_value_beyond_either_limit_is_the_limit_with_its_side() -> None:
    limits = ("protocol.assessments.cytokines.tests.il-4.quantification", "{lower: 2.0, upper: 3.0, unit: pg/mL}")
    protocol = load_protocol("msc-t1d", ["=".join(limits)])
    free = load_protocol("msc-t1d", [f"{limits[0]}={{lower: 0.0001, unit: pg/mL}}"])
    scenario = load_scenario("no-effect")
    (bounded,), (whole,) = (simulate_trials(p, scenario, SEED, 4) for p in (protocol, free))
    value, side = bounded.blocks["cytokines"].test("il-4")
    true, exact = whole.blocks["cytokines"].test("il-4")
    there = ~np.isnan(true)
    assert not exact.any()
    assert_array_equal(there, ~np.isnan(value))
    half = 0.5 * 10.0 ** -next(t.decimals for t in protocol.assessment("cytokines").tests if t.id == "il-4")
    assert (true[side == RIGHT] >= 3.0 - half).all() and (true[side == LEFT] <= 2.0 + half).all()
    assert (value[side == RIGHT] == 3.0).all() and (value[side == LEFT] == 2.0).all()
    within = there & (side == 0)
    assert_array_equal(value[within], true[within])
    assert ((value[within] >= 2.0) & (value[within] <= 3.0)).all()
    assert (side == RIGHT).sum() > 20 and (side == LEFT).sum() > 5
    assert (side[~there] == 0).all()


@pytest.mark.requirement("SIMULATE-LIMITS")
def test_limits_in_another_unit_are_converted() -> None:
    """1 ng/mL of C-peptide is 0.331 nmol/L."""
    limits = (
        "protocol.assessments.mmtt.tests.cpeptide.quantification={lower: 0.5, upper: 2.0, unit: ng/mL, below: half}"
    )
    protocol = load_protocol("msc-t1d", [limits])
    assert next(t.unit for t in protocol.assessment("mmtt").tests if t.id == "cpeptide") == "nmol/L"
    (panel,) = simulate_trials(protocol, load_scenario("no-effect"), SEED, 2)
    value, side = panel.blocks["mmtt"].test("cpeptide")
    assert np.unique(value[side == RIGHT]).tolist() == [2.0 * 0.331]
    assert np.unique(value[side == LEFT]).tolist() == [0.5 * 0.331]
    assert np.nanmax(value) == 2.0 * 0.331 and np.nanmin(value) == 0.5 * 0.331


@pytest.mark.requirement("SIMULATE-CALENDAR")
def test_results_and_points_go_missing_at_their_shares_and_nothing_else_does() -> None:
    panel = seen(*UNWILLING)
    assert near((panel.visit_status[..., 3:] != HELD).mean(), 0.15, panel.visit_status[..., 3:].size)
    assert (panel.visit_status[..., :3] == HELD).all(), "before day 0 everybody comes"
    meal, hba1c = panel.blocks["mmtt"], panel.blocks["hba1c"]
    planned = PROTOCOL.assessment("mmtt").planned
    for place, visit in enumerate(meal.visits):
        held = panel.visit_status[..., VISITS[visit]] == HELD
        asked = meal.asked[:, :, place] | ~np.isnan(meal.value[:, :, place])
        due = np.array([minute in planned[visit] for minute in PROTOCOL.assessment("mmtt").minutes])
        assert_array_equal(asked.all(axis=-1), held[..., None] & due)
    tests = meal.asked.any(axis=(3, 4)) | ~np.isnan(meal.value).all(axis=(3, 4))
    none = np.isnan(meal.value).all(axis=(3, 4))
    assert near(none[tests].mean(), 0.2, int(tests.sum()))
    some = tests & ~none
    points = np.isnan(meal.value)[some][..., 0][
        :, np.array([m in planned[meal.visits[-1]] for m in PROTOCOL.assessment("mmtt").minutes])
    ]
    assert near(points.mean(), 0.1, points.size)
    wanted = hba1c.asked | ~np.isnan(hba1c.value)
    assert near(hba1c.asked[wanted].mean(), 0.2, int(wanted.sum()))
