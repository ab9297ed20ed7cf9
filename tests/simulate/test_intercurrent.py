"""Intercurrent events of simulated people: what they move, and worlds in which they never happen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from equipoise.errors import InputError
from equipoise.patients.empirical.model import Course
from equipoise.patients.interludes import INTERLUDE_RANGES, RED_CELLS, Interlude, InterludeSizes, log_rate_ratio
from equipoise.protocol.load import load_protocol
from equipoise.records.panel import Panel
from equipoise.simulate.intercurrent import HAPPENINGS, cannot_switch_off
from equipoise.simulate.scenario import Scenario, load_scenario
from equipoise.simulate.trial import Nature, simulate_nature, simulate_trials

PROTOCOL = load_protocol("msc-t1d")
SEED, TRIALS = 5, 12
SIZES = (
    "{days: 42, hba1c: 2.0, glucose: 57, insulin_log_ratio: 0.35, hypoglycaemia_log_ratio: -0.4, wellbeing_shift: -0.3}"
)
ALWAYS = "scenario.intercurrent_events={systemic-steroids: 0.9}"


def scenario(*changes: str, name: str = "no-effect", model: str = "empirical") -> Scenario:
    return load_scenario(name, [f"scenario.patients.model={model}", *changes])


def nature(of: Scenario, arm: int | None = 0, without: tuple[str, ...] = ()) -> Nature:
    return simulate_nature(PROTOCOL, of, SEED, TRIALS, 0, arm, without)


def panel(of: Scenario, without: tuple[str, ...] = ()) -> Panel:
    (made,) = simulate_trials(PROTOCOL, of, SEED, TRIALS, without=without)
    return made


def assert_same_course(one: Nature, other: Nature) -> None:
    for field in Course.__slots__:
        np.testing.assert_array_equal(getattr(one.course, field), getattr(other.course, field), err_msg=field)
    np.testing.assert_array_equal(one.episodes.day, other.episodes.day)
    np.testing.assert_array_equal(one.episodes.level, other.episodes.level)


@pytest.mark.requirement("SIMULATE-EVENTS-ACT")
@pytest.mark.parametrize("model", ["empirical", "mechanistic"])
def test_events_without_sizes_move_nothing_bit_for_bit(model: str) -> None:
    plain = scenario(model=model)
    zero = scenario("scenario.intercurrent_effects={systemic-steroids: {hba1c: 0}}", model=model)
    rare = scenario("scenario.intercurrent_events={}", model=model)
    assert panel(plain) == panel(zero)
    assert_same_course(nature(plain), nature(rare))
    assert (panel(plain).interventions.columns["treatment"] == "Systemic corticosteroid").any()


@pytest.mark.requirement("SIMULATE-EVENTS-ACT")
@pytest.mark.parametrize("model", ["empirical", "mechanistic"])
def test_an_event_has_the_sizes_of_its_scenario_while_it_lasts(model: str) -> None:
    changes = (ALWAYS, f"scenario.intercurrent_effects={{systemic-steroids: {SIZES}}}")
    acting, spared = (nature(scenario(*changes, model=model), without=off) for off in ((), ("systemic-steroids",)))
    start = acting.event_days["systemic-steroids"][..., np.newaxis]
    assert np.isinf(spared.event_days["systemic-steroids"]).all()
    since = acting.calendar.day - start
    now = (since >= 0) & (since < 42)
    assert 0.02 < now.mean() < 0.5 and (since > 200).any()
    before, after = spared.course, acting.course
    loaded = np.where(since < 0, 0.0, 1 - np.exp(-np.maximum(since, 0) / RED_CELLS))
    faded = np.where(since < 42, 0.0, 1 - np.exp(-np.maximum(since - 42, 0) / RED_CELLS))
    inside = (after.hba1c < 17.9) & (before.hba1c > 5)
    np.testing.assert_allclose((after.hba1c - before.hba1c)[inside], 2.0 * (loaded - faded)[inside], atol=1e-12)
    np.testing.assert_allclose(after.mean_glucose - before.mean_glucose, np.where(now, 57.0, 0.0), atol=1e-9)
    np.testing.assert_allclose(np.log(after.insulin / before.insulin), np.where(now, 0.35, 0.0), atol=1e-12)
    np.testing.assert_allclose(after.wellbeing - before.wellbeing, np.where(now, -0.3, 0.0), atol=1e-12)
    rates = np.log(after.low_glucose_rate / before.low_glucose_rate)
    np.testing.assert_allclose(rates, np.where(now, -0.4, 0.0), atol=1e-12)
    assert (after.glucose[now] > before.glucose[now]).mean() > 0.95
    np.testing.assert_array_equal(after.auc, before.auc)
    for field in Course.__slots__:  # nobody is moved before the day of the event
        np.testing.assert_array_equal(
            getattr(after, field)[since < 0], getattr(before, field)[since < 0], err_msg=field
        )


@pytest.mark.requirement("SIMULATE-EVENTS-ACT")
def test_half_of_a_change_of_glucose_is_in_hba1c_after_a_month_and_what_cpeptide_wins_stays() -> None:
    one = Interlude(np.array([[10.0]]), InterludeSizes(days=100.0, hba1c=1.0, cpeptide_slope=2.0))
    days = np.array([[[9.0, 10.0, 40.0, 110.0, 140.0, 5000.0]]])
    np.testing.assert_allclose(one.loaded(days)[0, 0, :3], [0, 0, 0.5], atol=1e-12)
    assert (
        one.loaded(days)[0, 0, 4] == pytest.approx(one.loaded(days)[0, 0, 3] / 2) and one.loaded(days)[0, 0, 5] < 1e-9
    )
    np.testing.assert_array_equal(one.elapsed(days)[0, 0], [0, 0, 30, 100, 100, 100])
    never = replace(one, day=np.array([[np.inf]]))
    assert not never.loaded(days).any() and not never.elapsed(days).any() and not never.acting(days).any()
    assert log_rate_ratio((one,), days).shape == days.shape
    for_good = Interlude(np.array([[0.0]]), InterludeSizes(hypoglycaemia_log_ratio=-0.5))
    np.testing.assert_array_equal(log_rate_ratio((for_good,), days), np.full(days.shape, -0.5))


@pytest.mark.requirement("SIMULATE-EVENTS-ACT")
@pytest.mark.parametrize("model", ["empirical", "mechanistic"])
def test_the_shipped_sizes_go_the_way_that_is_known(model: str) -> None:
    """Insulin delivered by a machine: less HbA1c, more time in range, fewer episodes; immunotherapy: more C-peptide."""
    shares = "scenario.intercurrent_events={glucose-technology: 1, other-immunotherapy: 1, systemic-steroids: 1}"
    world = scenario(shares, name="events", model=model)
    last = [visit.id for visit in PROTOCOL.visits].index("month-12")

    def mean(course: Course, field: str) -> float:
        return float(getattr(course, field)[..., last].mean())

    whole = nature(world)
    for event, field, sign in (
        ("glucose-technology", "hba1c", -1),
        ("glucose-technology", "low_glucose_rate", -1),
        ("other-immunotherapy", "auc", 1),
        ("other-immunotherapy", "fasting", 1),
    ):
        spared = nature(world, without=(event,))
        assert sign * (mean(whole.course, field) - mean(spared.course, field)) > 0, (event, field)
    with_, spared = (panel(world, off) for off in ((), ("glucose-technology",)))
    in_range = [item.blocks["cgm"].test("time-in-range")[0] for item in (with_, spared)]
    visits = [place for place, visit in enumerate(with_.blocks["cgm"].visits) if visit != "baseline"]
    assert np.nanmean(in_range[0][:, :, visits]) > np.nanmean(in_range[1][:, :, visits]) + 2


@pytest.mark.requirement("SIMULATE-EVENTS-ACT")
def test_events_know_no_arm() -> None:
    shares = "scenario.intercurrent_events={systemic-steroids: 0.5, glucose-technology: 0.5}"
    sizes = f"{{systemic-steroids: {SIZES}, glucose-technology: {{hba1c: -0.3, hypoglycaemia_log_ratio: -0.5}}}}"
    world = scenario(shares, f"scenario.intercurrent_effects={sizes}")
    active, reference = (nature(world, arm) for arm in (0, 1))
    assert_same_course(active, reference)
    for name in HAPPENINGS:
        np.testing.assert_array_equal(active.event_days[name], reference.event_days[name])


@pytest.mark.requirement("SIMULATE-EVENTS-OFF")
def test_a_world_without_an_event_is_the_same_but_for_it() -> None:
    world = scenario(name="events")
    whole, spared = panel(world), panel(world, ("systemic-steroids", "ketoacidosis"))
    name = "Systemic corticosteroid"
    assert (whole.interventions.columns["treatment"] == name).sum() > 10
    keep = whole.interventions.columns["treatment"] != name
    for column, values in spared.interventions.columns.items():
        np.testing.assert_array_equal(values, whole.interventions.columns[column][keep], err_msg=column)
    terms = whole.events.columns["term"]
    np.testing.assert_array_equal(spared.events.columns["term"], terms[terms != "Ketoacidosis"])
    assert (terms == "Ketoacidosis").any()
    for covariate in whole.covariates:
        np.testing.assert_array_equal(spared.covariates[covariate], whole.covariates[covariate])
    assert not np.array_equal(*(item.blocks["hba1c"].value for item in (whole, spared)), equal_nan=True)
    np.testing.assert_array_equal(*(item.blocks["treg"].value for item in (whole, spared)))
    assert panel(world) == panel(world, ())


@pytest.mark.requirement("SIMULATE-EVENTS-OFF")
@pytest.mark.parametrize("event", ["lot-failed", "second-dose-missed", "period-2-declined", "dose-below-range"])
def test_doses_that_failed_are_given_in_a_world_without_the_failure(event: str) -> None:
    failures = (
        "scenario.manufacturing={lot_failure: 0.2, late_failure: 0.1, potency_log_sd: 0.3}",
        "scenario.doses={refused: 0.2, later_period_declined: 0.3, below_range: 0.3}",
        "scenario.dropout=0",
    )
    world = scenario(*failures, name="published")
    whole, spared = (nature(world, None, off).treatment for off in ((), (event,)))
    slots = whole.slots
    second = np.array([slot.number == 2 for slot in slots])
    later = np.array([slot.period == "period-2" for slot in slots])
    assert (~whole.given[..., second]).any() and whole.lots is not None and spared.lots is not None
    assert (spared.given >= whole.given).all()
    if event == "lot-failed":
        assert spared.lots.released.all() and not spared.lots.late.any() and not whole.lots.released.all()
    elif event == "second-dose-missed":
        assert spared.given[..., second].all()
        np.testing.assert_array_equal(spared.given[..., ~second], whole.given[..., ~second])
    elif event == "period-2-declined":
        np.testing.assert_array_equal(spared.given[..., ~later], whole.given[..., ~later])
        assert spared.given.sum() > whole.given.sum() and (spared.outcome != 4).all()
    else:
        short = whole.weight != spared.weight
        assert 0.2 < short.mean() < 0.4 and (spared.weight[short] / spared.slots[0].share > 0.7).all()
    np.testing.assert_array_equal(spared.potency, whole.potency)


@pytest.mark.requirement("SIMULATE-EVENTS-OFF")
@pytest.mark.parametrize("event", ["insulin-independence", "martians"])
def test_what_cannot_be_left_out_is_refused(event: str) -> None:
    with pytest.raises(InputError, match="cannot be simulated") as refused:
        panel(scenario(), (event,))
    assert refused.value.problems[0].value == repr(event)
    declared = {item.id: item for item in PROTOCOL.authored.intercurrent_events}
    assert [name for name, item in declared.items() if cannot_switch_off(PROTOCOL, item)] == ["insulin-independence"]


@pytest.mark.requirement("SIMULATE-EVENTS-OFF")
def test_an_event_is_known_by_what_records_call_it_and_not_by_its_name() -> None:
    """A protocol's own name for steroids; the medicine is written in other capitals."""
    events = PROTOCOL.document.data["intercurrent_events"]
    place = [item["id"] for item in events].index("systemic-steroids")
    assert events[place]["recorded"]["treatments"] == ["Systemic corticosteroid"]
    change = "protocol.intercurrent_events.systemic-steroids.recorded.treatments=[SYSTEMIC CORTICOSTEROID]"
    protocol = load_protocol("msc-t1d", [change])
    world = scenario(name="events")
    (whole,) = simulate_trials(protocol, world, SEED, TRIALS)
    (spared,) = simulate_trials(protocol, world, SEED, TRIALS, without=("systemic-steroids",))
    counts = [(item.interventions.columns["treatment"] == "Systemic corticosteroid").sum() for item in (whole, spared)]
    assert counts[0] > 10 and counts[1] == 0


@pytest.mark.requirement("SIMULATE-EVENTS-ACT")
@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("scenario.intercurrent_effects={systemic-steroids: {hba1c: 9}}", "effect-possible"),
        ("scenario.intercurrent_effects={systemic-steroids: {days: 0.5}}", "effect-possible"),
        ("scenario.intercurrent_effects={martians: {hba1c: 1}}", "known-simulated-event"),
        ("scenario.intercurrent_effects={systemic-steroids: {hba1k: 1}}", "unknown-key"),
    ],
)
def test_sizes_outside_their_limits_or_of_no_event_are_refused(change: str, rule: str) -> None:
    with pytest.raises(InputError) as refused:
        load_scenario("no-effect", [change])
    assert rule in {problem.rule for problem in refused.value.problems}


def test_the_page_tells_every_size_with_its_limits() -> None:
    page = (Path(__file__).parents[2] / "docs" / "simulation.md").read_text("utf-8")
    for name, row in INTERLUDE_RANGES.items():
        assert f"| `{name}` | {row.unit} | {row.low:g} to {row.high:g} | {row.meaning} |" in page


@pytest.mark.requirement("SIMULATE-EVENTS-ACT")
def test_an_event_may_come_less_often_to_those_who_had_cells() -> None:
    changes = "scenario.intercurrent_effects={systemic-steroids: {treated_log_hazard: -0.7}}"
    plain, fewer = (
        scenario("scenario.intercurrent_events={systemic-steroids: 0.5}", *more) for more in ((), (changes,))
    )
    for arm, treated in ((0, True), (1, False)):
        before, after = (nature(of, arm).event_days["systemic-steroids"] for of in (plain, fewer))
        first = nature(plain, arm).treatment.first_active
        np.testing.assert_array_equal(after[before <= first], before[before <= first])
        late = (before > first) & (first >= 0)
        np.testing.assert_allclose(after[late] - first[late], (before - first)[late] * np.exp(0.7), atol=2.1)
        assert late.mean() > 0.8 if treated else late.mean() < 0.8
