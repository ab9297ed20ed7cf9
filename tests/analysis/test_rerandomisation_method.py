"""The re-randomisation test of a trial: its own design, who is in the sequence, what is refused and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from equipoise.analysis.data import AnalysisData
from equipoise.analysis.estimates import BLINDED, Estimate, result_of
from equipoise.analysis.methods import ancova
from equipoise.analysis.methods.rerandomisation import METHOD, NO_LIMITS, NO_RATIO, NOT_KNOWN, Options
from equipoise.analysis.reference_set import reference, sequences
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import Analysis
from equipoise.protocol.schema.people import Stratum
from equipoise.randomisation import BigStick, Realised
from equipoise.records.classes import STATUSES
from equipoise.records.panel import Panel, unknown_entry
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trial, simulate_trials
from equipoise.stats.rerandomisation import rerandomise_difference
from tests.records.panels import make_panel

NAN = float("nan")
PARAMETER, VISIT = "hba1c", "month-12"


@cache
def model() -> Protocol:
    return load_protocol("msc-t1d")


def designed(protocol: Protocol | None = None, **changes: object) -> Protocol:
    """The protocol with another randomisation."""
    protocol = protocol or model()
    made = protocol.randomisation.model_copy(update=changes)
    return dataclasses.replace(protocol, authored=protocol.authored.model_copy(update={"randomisation": made}))


def trials(arms: np.ndarray, protocol: Protocol | None = None) -> Panel:
    """A Panel with these arms (R, n), everybody randomised and numbered in the order of the axis."""
    protocol = protocol or model()
    count, n = arms.shape
    plain = make_panel(protocol, n, seed=1, missing=0.0, awkward=False)
    status = np.full((count, n), float(STATUSES.index("randomised")))
    ages = np.random.default_rng(3).uniform(8, 40, (count, n))
    covariates = {name: np.repeat(values, count, axis=0) for name, values in plain.covariates.items()}
    return dataclasses.replace(
        plain,
        ids=tuple(f"P{number:03d}" for number in range(n)),
        present=np.ones((count, n), np.bool_),
        arm=arms.astype(np.int8),
        covariates=MappingProxyType({**covariates, "status": status, "age_years": ages}),
        entry={**unknown_entry(count, n), "sequence": np.cumsum(np.where(arms >= 0, 1.0, 0.0), axis=1)},
    )


def data_of(panel: Panel, *, trial: int = 0, **parameters: np.ndarray) -> AnalysisData:
    """Values (R, n) of parameters at month 12; baseline values of HbA1c from a fixed generator."""
    shape = (*panel.present.shape, len(panel.protocol.visits))
    values = {"hba1c": np.full(shape, NAN), "hypoglycaemia": np.full(shape, NAN), "time-at-risk": np.full(shape, NAN)}
    values["hba1c"][..., panel.visit_index("baseline")] = np.random.default_rng(4).normal(8, 1, shape[:2])
    for name, given in parameters.items():
        values[name.replace("_", "-")][..., panel.visit_index(VISIT)] = given
    randomised = panel.present & (panel.covariates["status"] >= STATUSES.index("randomised"))
    return AnalysisData(panel, values, {"randomised": randomised}, trial)


def analysis(estimand: str = "hba1c-12", **more: object) -> Analysis:
    return Analysis(
        id="by-design", label="By design", method="re-randomisation", estimand=estimand, role="sensitivity", **more
    )


def compared(data: AnalysisData, item: Analysis | None = None, **options: object) -> Estimate:
    (estimate,) = METHOD.run(data, item or analysis(), Options(**{"draws": 999, **options})).estimates
    return estimate


def numbers(estimate: Estimate) -> Mapping[str, np.ndarray]:
    return {**estimate.values, **estimate.extra}


def many(count: int = 12, seed: int = 1, n: int = 21) -> tuple[Panel, np.ndarray]:
    """Trials under big stick with limit 2 as the model trial has it, HbA1c 0.8 lower in group a."""
    source = np.random.default_rng(seed)
    arms = BigStick(2).allocate(source.random((count, n)))
    return trials(arms), source.normal(8, 1, (count, n)) - 0.8 * (arms == 0)


@pytest.mark.requirement("RANDOMISATION-REFERENCE")
@pytest.mark.requirement("ANALYSIS-RERANDOMISED")
def test_a_small_trial_is_compared_with_every_sequence_that_its_design_allows() -> None:
    protocol = designed(participants=8)
    arms = np.array([[0, 1, 0, 0, 1, 1, 0, 1], [0, 0, 1, 0, 1, 0, 1, 1]])
    panel = trials(arms, protocol)
    outcome = np.random.default_rng(5).normal(8, 1, (2, 8))
    found = compared(data_of(panel, hba1c=outcome))
    # By hand: all sequences of big stick with four of each arm, weighted by what their walks make of them.
    for r in range(2):
        total = extreme = 0.0
        own = abs(outcome[r][arms[r] == 0].mean() - outcome[r][arms[r] == 1].mean())
        for code in range(256):
            sequence = np.array([code >> place & 1 for place in range(8)])
            ahead, chance = 0, 1.0
            for arm in sequence:
                chance *= 0.5 if abs(ahead) < 2 else float((arm == 0) == (ahead < 0))
                ahead += 1 if arm == 0 else -1
            if chance and sequence.sum() == 4:
                total += chance
                other = abs(outcome[r][sequence == 0].mean() - outcome[r][sequence == 1].mean())
                extreme += chance * (other >= own - 1e-9)
        assert found.values["p_value"][r] == pytest.approx(extreme / total, abs=1e-12)
    assert np.isnan(found.extra["draws"]).all() and np.isnan(found.extra["mc_error"]).all()
    assert (found.extra["smallest_p_value"] > 0.02).all()


@pytest.mark.requirement("RANDOMISATION-REFERENCE")
def test_draws_are_of_the_design_with_as_many_in_each_arm() -> None:
    panel, _ = many(40)
    groups = list(sequences(panel))
    assert sorted(int((group.arms[0] == 0).sum()) for group in groups) == [10, 11]
    assert sorted(np.concatenate([group.trials for group in groups])) == list(range(40))
    for group in groups:
        drawn = reference(panel.protocol, group, 999)
        assert drawn.arms.shape == (999, 21) and drawn.probabilities is None
        assert set((drawn.arms == 0).sum(axis=1)) == {(group.arms[0] == 0).sum()}
        assert (BigStick(2).probability_of(drawn.arms, Realised(21)) > 0).all()
        assert_array_equal(drawn.arms, reference(panel.protocol, group, 999).arms)


def test_drawn_and_written_out_agree_where_both_can_be_done(monkeypatch: pytest.MonkeyPatch) -> None:
    panel, outcome = many(8, seed=2, n=12)
    data = data_of(panel, hba1c=outcome)
    exact = compared(data, draws=20_000)
    monkeypatch.setattr("equipoise.analysis.reference_set.LARGEST_SET", 1)
    drawn = compared(data, draws=20_000)
    assert np.isnan(exact.extra["draws"]).all() and (drawn.extra["draws"] == 20_000).all()
    error = 4 * drawn.extra["mc_error"] + 1e-4
    assert (np.abs(exact.values["p_value"] - drawn.values["p_value"]) < error).all()


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "simple", "limit": None},
        {"method": "permuted-blocks", "limit": None, "block_sizes": (6,)},
        {"method": "maximal-procedure", "limit": 2, "participants": 24},
        {"method": "minimisation", "limit": None, "probability": 0.8},
    ],
)
def test_every_unstratified_method_has_its_reference_set(changes: Mapping[str, object]) -> None:
    protocol = designed(**changes)
    arms = np.array([[0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 0]])
    (group,) = sequences(trials(arms, protocol))
    drawn = reference(protocol, group, 2000)
    assert drawn.status[0] == "ok" and drawn.arms.shape == (2000, 21)
    assert ((drawn.arms == 0).sum(axis=1) == 11).all()
    if changes["method"] == "permuted-blocks":
        assert (drawn.arms[:, :18].reshape(2000, 3, 6).sum(axis=2) == 3).all()
    # Both arms are equally frequent at each place of a whole block, or over a trial of 11 and 10.
    assert_allclose((drawn.arms[:, 0] == 0).mean(), 0.5, atol=0.06)


@pytest.mark.requirement("ANALYSIS-STATUS")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strata": (Stratum(id="site", label="Site", recorded=False),)}, "the data do not hold site"),
        ({"strata": (Stratum(id="sex", label="Sex"),)}, "does not know each participant's sex"),
        ({"method": "permuted-blocks", "limit": None, "block_sizes": (2, 4)}, "sizes of the blocks were random"),
        ({"limit": 1}, "cannot have made these arms in this order"),
        ({"method": "permuted-blocks", "limit": None, "block_sizes": (2,)}, "cannot have made these arms"),
        ({"method": "maximal-procedure", "participants": 4}, "the list has 4 slots"),
    ],
)
def test_where_the_design_cannot_be_repeated_the_status_says_why(changes: Mapping[str, object], words: str) -> None:
    protocol = designed(**changes)
    arms = np.array([[0, 0, 1, 1, 0, 0, 1, 1]])
    found = compared(data_of(trials(arms, protocol), hba1c=np.random.default_rng(1).normal(size=(1, 8))))
    assert words in found.status[0] and found.status[0].startswith("the design-based test cannot be done: ")
    assert all(np.isnan(values).all() for values in numbers(found).values())


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_of_t1dal_the_test_cannot_be_done_without_the_sites() -> None:
    protocol = load_protocol("t1dal")
    panel = simulate_trial(protocol, load_scenario("no-effect"), 1)
    (group,) = sequences(panel)
    given = reference(protocol, group, 999)
    assert given.status[0].endswith("allocation was stratified, and the data do not hold site")
    assert given.arms.size == 0


def test_sequences_follow_the_recorded_numbers_and_not_the_study_days() -> None:
    """Study days count from each participant's own first dose, so that they tell no order of entry."""
    (panel,) = simulate_trials(model(), load_scenario("no-effect"), 1, 40)
    by_day = []
    for group in sequences(panel):
        assert (BigStick(2).probability_of(group.arms, Realised(21)) > 0).all()
        order = np.argsort(group.of(panel.covariates["allocation_day"]), axis=1, kind="stable")
        by_day.append(BigStick(2).probability_of(np.take_along_axis(group.arms, order, axis=1), Realised(21)) > 0)
    assert np.concatenate(by_day).mean() < 0.5


def test_who_was_screened_only_is_not_in_the_sequence_and_changes_nothing() -> None:
    panel, outcome = many(6)
    found = compared(data_of(panel, hba1c=outcome))
    wide = trials(np.insert(panel.arm, [0, 7, 21], -1, axis=1))
    status = wide.covariates["status"].copy()
    status[wide.arm < 0] = STATUSES.index("screened")
    wide = dataclasses.replace(wide, covariates=MappingProxyType({**wide.covariates, "status": status}))
    again = compared(data_of(wide, hba1c=np.insert(outcome, [0, 7, 21], NAN, axis=1)))
    for name, values in numbers(found).items():
        assert_allclose(numbers(again)[name], values, rtol=1e-12)


def test_who_has_no_value_keeps_the_place_in_the_sequence() -> None:
    panel, outcome = many(6)
    outcome[:, [2, 9]] = NAN
    found = compared(data_of(panel, hba1c=outcome))
    for group in sequences(panel):
        drawn = reference(panel.protocol, group, 999).arms == 0
        expected = rerandomise_difference(
            group.of(outcome), np.zeros((1, 0)), ~np.isnan(group.of(outcome)), group.arms == 0, drawn
        )
        assert_array_equal(found.values["p_value"][group.trials], expected.p_value)
    assert (found.n["group-a"] + found.n["group-b"] == 19).all()
    assert (found.missing["group-a"] + found.missing["group-b"] == 2).all()


def test_the_estimate_is_that_of_ancova_and_the_interval_holds_it() -> None:
    panel, outcome = many()
    data = data_of(panel, hba1c=outcome)
    options = {"baseline": "efficacy", "covariates": ("age_years",)}
    found = compared(data, **options)
    (beside,) = ancova.METHOD.run(data, analysis(), ancova.Options(**options)).estimates
    assert_allclose(found.values["estimate"], beside.values["estimate"], rtol=1e-9)
    assert (found.values["lower"] < found.values["estimate"]).all()
    assert (found.values["upper"] > found.values["estimate"]).all()
    assert found.p_kind == "re-randomisation" and found.contrast == beside.contrast
    assert_array_equal((found.values["upper"] < 0) | (found.values["lower"] > 0), found.values["p_value"] <= 0.05)


def test_a_trial_alone_gives_what_it_gives_among_others() -> None:
    panel, outcome = many()
    found = compared(data_of(panel, hba1c=outcome))
    for r in range(3):
        one = dataclasses.replace(trials(panel.arm[r : r + 1]))
        alone = compared(data_of(one, hba1c=outcome[r : r + 1]))
        assert alone.values["p_value"][0] == found.values["p_value"][r]
        assert alone.values["lower"][0] == pytest.approx(found.values["lower"][r], rel=1e-9)


def rates(arms: np.ndarray, seed: int = 7) -> tuple[Panel, np.ndarray, np.ndarray]:
    source = np.random.default_rng(seed)
    counts = source.negative_binomial(0.8, 0.8 / 6.8, arms.shape).astype(float)
    return trials(arms), counts, source.integers(200, 365, arms.shape).astype(float)


def of_rates(protocol: Protocol) -> Protocol:
    """With an estimand of the rate of hypoglycaemia."""
    plain = protocol.estimand("hba1c-12")
    variable = plain.variable.model_copy(update={"parameter": "hypoglycaemia"})
    made = plain.model_copy(update={"id": "rate-12", "summary": "rate-ratio", "variable": variable})
    estimands = (*protocol.authored.estimands, made)
    return dataclasses.replace(protocol, authored=protocol.authored.model_copy(update={"estimands": estimands}))


RATES = {"statistic": "log-rate-ratio", "exposure": "time-at-risk"}


def test_rates_are_compared_by_the_ratio_of_the_pooled_rates() -> None:
    arms = BigStick(2).allocate(np.random.default_rng(6).random((5, 21)))
    panel, counts, days = rates(arms)
    panel = dataclasses.replace(panel, protocol=of_rates(panel.protocol))
    counts[0, 4] = NAN
    days[0, 5] = 0
    data = data_of(panel, hypoglycaemia=counts, time_at_risk=days)
    found = compared(data, analysis("rate-12"), **RATES)
    assert_array_equal(found.status, "ok")
    for r in range(5):
        kept = ~np.isnan(counts[r]) & (days[r] > 0)
        rate = {
            arm: counts[r, kept & (arms[r] == arm)].sum() / days[r, kept & (arms[r] == arm)].sum() for arm in (0, 1)
        }
        assert found.values["estimate"][r] == pytest.approx(np.log(rate[0] / rate[1]))
    result = result_of(found, data, analysis("rate-12"), 0)
    kept = ~np.isnan(counts[0]) & (days[0] > 0)
    assert result.events == {
        "group-a": counts[0, kept & (arms[0] == 0)].sum(),
        "group-b": counts[0, kept & (arms[0] == 1)].sum(),
    }
    assert result.person_years is not None
    assert sum(result.person_years.values()) == pytest.approx(days[0, kept].sum() / 365.25)
    assert (result.scale, result.lower, result.upper) == ("log", None, None)
    assert sum(result.n_missing.values()) == 2


def test_an_arm_without_events_has_a_p_value_and_no_ratio() -> None:
    panel, counts, days = rates(np.array([[0, 1, 0, 1, 1, 0, 1, 0, 0, 1]]))
    panel = dataclasses.replace(panel, protocol=of_rates(panel.protocol))
    counts[:] = panel.arm == 1
    data = data_of(panel, hypoglycaemia=counts, time_at_risk=days)
    found = compared(data, analysis("rate-12"), **RATES)
    assert found.status[0] == NO_RATIO
    result = result_of(found, data, analysis("rate-12"), 0)
    assert result.estimate is None and result.p_value is not None and result.p_value < 0.05


@pytest.mark.requirement("RESULTS-SCHEMA")
def test_draws_and_their_error_reach_the_result() -> None:
    panel, outcome = many(2)
    data = data_of(panel, hba1c=outcome, trial=1)
    found = compared(data)
    result = result_of(found, data, analysis(), 1)
    assert (result.p_kind, result.draws) == ("re-randomisation", 999)
    p = found.values["p_value"][1]
    assert result.mc_error == pytest.approx(np.sqrt(p * (1 - p) / 1000))
    assert result.events is None and result.person_years is None
    assert result.p_value == pytest.approx(round(p * 1000) / 1000)
    (plain,) = ancova.METHOD.run(data, analysis(), ancova.Options()).estimates
    beside = result_of(plain, data, analysis(), 1)
    assert (beside.draws, beside.mc_error, beside.events) == (None, None, None)


@pytest.mark.requirement("RESULTS-BLINDED")
def test_a_blinded_run_has_no_test() -> None:
    panel, outcome = many(2)
    blind = dataclasses.replace(panel, arm=np.full(panel.arm.shape, -1, np.int8), protocol=of_rates(panel.protocol))
    for item, options in ((analysis(), {}), (analysis("rate-12"), RATES)):
        data = data_of(blind, hba1c=outcome, hypoglycaemia=outcome, time_at_risk=outcome)
        found = compared(data, item, **options)
        assert_array_equal(found.status, BLINDED)
        assert all(np.isnan(values).all() for values in numbers(found).values())
        assert found.n["pooled"].tolist() == [21, 21]
        assert found.events is None and found.person_years is None
        assert result_of(found, data, item, 0).p_kind is None


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_somebody_without_an_arm_a_trial_without_people_and_too_few_people() -> None:
    panel, outcome = many(3)
    arms = panel.arm.copy()
    arms[1, 3] = -1
    present = panel.present.copy()
    present[2], arms[2] = False, -1
    found = compared(data_of(dataclasses.replace(panel, arm=arms, present=present), hba1c=outcome))
    assert found.status[0] == "ok"
    assert found.status[1] == NOT_KNOWN
    assert found.status[2].startswith("nobody has a value")
    assert np.isfinite(found.values["p_value"]).tolist() == [True, False, False]
    few = trials(np.array([[0, 1, 1, 0]]), designed(participants=4))
    found = compared(data_of(few, hba1c=np.array([[7.0, 8.0, 9.0, 7.5]])))
    assert found.status[0] == NO_LIMITS and np.isinf(found.values["lower"][0]) and found.values["p_value"][0] > 0.05


@pytest.mark.requirement("ANALYSIS-PLAN")
@pytest.mark.parametrize(
    ("estimand", "options", "rule"),
    [
        ("hba1c-12", {"baseline": "nowhere"}, "known-baseline"),
        ("hba1c-12", {"parameter": "nothing"}, "known-parameter"),
        ("hba1c-12", {"exposure": "time-at-risk"}, "option-of-statistic"),
        ("hba1c-12", RATES, "summary-of-method"),
        ("rate-12", {}, "summary-of-method"),
        ("rate-12", {"statistic": "log-rate-ratio"}, "exposure-in-days"),
        ("rate-12", {**RATES, "exposure": "hba1c"}, "exposure-in-days"),
        ("rate-12", {**RATES, "covariates": ("sex",)}, "option-of-statistic"),
        ("rate-12", {**RATES, "baseline": "efficacy"}, "option-of-statistic"),
        ("hba1c-12", {"covariates": ("age_years",), "baseline": "efficacy"}, None),
        ("rate-12", RATES, None),
    ],
)
def test_options_that_do_not_fit_are_refused(estimand: str, options: Mapping[str, object], rule: str | None) -> None:
    protocol = of_rates(model())
    found = [item.rule for item in METHOD.objections(protocol, analysis(estimand), Options(**options))]
    assert found == ([] if rule is None else [rule])


@pytest.mark.requirement("ANALYSIS-PLAN")
def test_three_arms_and_too_few_draws_are_refused() -> None:
    protocol = model()
    third = protocol.arms[1].model_copy(update={"id": "group-c"})
    three = dataclasses.replace(
        protocol, authored=protocol.authored.model_copy(update={"arms": (*protocol.arms, third)})
    )
    assert [item.rule for item in METHOD.objections(three, analysis(), Options())] == ["two-arms"]
    with pytest.raises(ValueError, match="999"):
        Options(draws=998)


@pytest.mark.requirement("ORDER-STRATA")
def test_a_minimised_trial_is_drawn_anew_with_its_own_levels() -> None:
    levels = "{id: y, label: Y, expression: age < 15}, {id: o, label: O, expression: age >= 15}"
    strata = f"{{id: age, label: Age, levels: [{levels}]}}"
    change = f"protocol.randomisation={{participants: 21, method: minimisation, probability: 0.8, strata: [{strata}]}}"
    protocol = load_protocol("msc-t1d", [change])
    panel = simulate_trial(protocol, load_scenario("no-effect", ["scenario.patients.model=empirical"]), 1)
    (found,) = sequences(panel)
    assert found.layout is not None and not found.reason
    ages = panel.covariates["age_years"][0, found.place[0]]
    assert [level for (level,) in found.layout.levels] == [int(age >= 15) for age in ages]
    # One whose age is not known leaves the whole trial without its test.
    unknown = panel.covariates["age_years"].copy()
    unknown[0, found.place[0][3]] = NAN
    covariates = MappingProxyType({**panel.covariates, "age_years": unknown})
    entry = {**panel.entry, "stratum": np.full(panel.present.shape, "", np.str_)}
    (lost,) = sequences(dataclasses.replace(panel, covariates=covariates, entry=MappingProxyType(entry)))
    assert lost.layout is None and "age" in lost.reason.lower()
