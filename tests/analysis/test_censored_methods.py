"""Levels beyond limits of quantification in a trial: the model, its refusals, and detectable or not instead."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from equipoise.analysis.data import AnalysisData
from equipoise.analysis.estimates import BLINDED, Estimate, result_of
from equipoise.analysis.methods import censored_longitudinal, detectable
from equipoise.analysis.methods.detectable import NOT_NEEDED
from equipoise.analysis.methods.quantified import MOSTLY_CENSORED
from equipoise.stats.binomial import fisher_exact, proportion_difference
from equipoise.stats.censored import (
    change_weights,
    constrained_design,
    fit_censored_longitudinal,
    longitudinal_contrast,
)
from tests.analysis.one_trial import alone, analysis, blinded, emptied, model, numbers, trials, with_levels

TEST, LIMIT, VISITS = "il-6", 2.0, ("baseline", "dose-2-48h", "month-3", "month-6", "month-12")
MODEL = analysis("censored-longitudinal", "cytokine-balance-12")
OR_NOT = analysis("detectable", "cytokine-balance-12")


def levels(seed: int = 1, below: float = 0.12, effect: float = 1.0) -> AnalysisData:
    """Interleukin 6 about its limit, a share below it, `effect` (log2) higher in group a after baseline."""
    data = trials()
    source = np.random.default_rng(seed)
    shape = (*data.panel.present.shape, len(data.panel.blocks["cytokines"].visits))
    log_level = source.normal(0, 0.7, shape[:2])[..., None] + source.normal(0, 0.8, shape)
    log_level += effect * (data.panel.arm == 0)[..., None] * (np.arange(shape[2]) > 0)
    level = LIMIT * 2 ** (log_level - np.quantile(log_level, below))
    level[source.random(shape) < 0.08] = np.nan
    return with_levels(data, TEST, np.where(level < LIMIT, LIMIT, level), np.where(level < LIMIT, -1, 0))


def modelled(data: AnalysisData, **options: object) -> Estimate:
    given = censored_longitudinal.Options(**{"baseline": "efficacy", "parameters": (TEST,), **options})
    (estimate,) = censored_longitudinal.METHOD.run(data, MODEL, given).estimates
    return estimate


def shares(data: AnalysisData, **options: object) -> tuple[Estimate, ...]:
    given = detectable.Options(**{"parameters": (TEST,), **options})
    return detectable.METHOD.run(data, OR_NOT, given).estimates


def at_month_12(data: AnalysisData) -> tuple[np.ndarray, np.ndarray]:
    block = data.panel.blocks["cytokines"]
    value, code = block.test(TEST)
    place = block.visits.index("month-12")
    return value[:, :, place, 0], code[:, :, place, 0]


@pytest.mark.requirement("ANALYSIS-PLAN")
def test_the_model_is_that_of_the_library_on_log2_levels_with_their_codes() -> None:
    data = levels()
    found = modelled(data, covariates=("age_years",), test=True)
    block = data.panel.blocks["cytokines"]
    places = [block.visits.index(visit) for visit in VISITS]
    value, code = (part[:, :, places, 0] for part in block.test(TEST))
    upper, age = np.log2(value), data.panel.covariates["age_years"]
    lower = np.where(code < 0, -np.inf, upper)
    design = constrained_design(data.panel.arm, 5, 2)
    design = np.concatenate([design, np.broadcast_to(age[..., None, None], (*age.shape, 5, 1))], axis=3)
    included = data.sets["randomised"][..., None] & ~np.isnan(value)
    fit = fit_censored_longitudinal(lower, upper, design, included)
    assert fit.censored.sum() > 20
    expected = longitudinal_contrast(fit, change_weights(4, 0, 1, visits=5, arms=2, columns=10))
    assert_array_equal(found.status, "ok")
    for name in ("estimate", "standard_error", "df", "lower", "upper", "p_value"):
        assert_allclose(found.values[name], getattr(expected, name), rtol=1e-10)
    assert_allclose(found.values["estimate"].mean(), 1.0, atol=0.6)


def test_the_interval_says_that_it_is_approximate_and_there_is_no_p_value_unless_asked() -> None:
    data = levels()
    result = result_of(modelled(data), data, MODEL, 1)
    assert result.covariance_used == "likelihood, approximate" and result.unit == "log2(pg/mL)"
    assert result.p_value is None and result.p_kind is None and result.lower is not None and result.df is not None
    value, _ = at_month_12(data)
    for arm, code in (("group-a", 0), ("group-b", 1)):
        mine = data.sets["randomised"][1] & (data.panel.arm[1] == code)
        assert result.n[arm] == (mine & ~np.isnan(value[1])).sum()
        assert result.n_missing[arm] == (mine & np.isnan(value[1])).sum()


def test_a_trial_alone_gives_what_it_gives_among_others() -> None:
    data = levels()
    together, beside = modelled(data), shares(data)
    for trial in (0, 3):
        one = alone(data, trial)
        for name, values in numbers(modelled(one)).items():
            assert_allclose(values[0], together.values[name][trial], rtol=1e-7)
        for estimate, expected in zip(shares(one), beside, strict=True):
            for name, values in numbers(estimate).items():
                assert_array_equal(values[0], expected.values[name][trial])


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_over_half_censored_in_an_arm_the_one_method_sends_to_the_other() -> None:
    data = levels(below=0.45, effect=1.5)
    value, code = at_month_12(data)
    there = data.sets["randomised"] & ~np.isnan(value)
    mostly = np.array(
        [
            any((code[r][there[r] & (data.panel.arm[r] == arm)] != 0).mean() > 0.5 for arm in (0, 1))
            for r in range(data.panel.trials)
        ]
    )
    assert 0 < mostly.sum() < data.panel.trials, "the example has trials of both kinds"
    levels_compared, (detected, *_) = modelled(data), shares(data, where="mostly-censored")
    assert_array_equal(levels_compared.status == MOSTLY_CENSORED, mostly)
    assert_array_equal(detected.status == NOT_NEEDED, ~mostly)
    # In each trial there is one answer, and only one.
    answers = np.isfinite([levels_compared.values["estimate"], detected.values["estimate"]])
    assert_array_equal(answers.sum(axis=0), 1)


def test_half_censored_is_not_over_half() -> None:
    """Exactly half of an arm's values below the limit: levels are still compared; one more, and they are not."""
    data = alone(trials(), 0)
    block = data.panel.blocks["cytokines"]
    value = LIMIT * 2 ** np.random.default_rng(3).normal(2, 1, (*data.panel.present.shape, len(block.visits)))
    value, place = np.maximum(value, LIMIT * 1.01), block.visits.index("month-12")
    arm_a = np.flatnonzero(data.sets["randomised"][0] & (data.panel.arm[0] == 0))
    arm_a = arm_a[: len(arm_a) // 2 * 2]
    gone = np.setdiff1d(np.flatnonzero(data.panel.arm[0] == 0), arm_a)
    value[0, gone, place] = np.nan
    for below, refused in ((len(arm_a) // 2, False), (len(arm_a) // 2 + 1, True)):
        code, level = np.zeros(value.shape, np.int8), value.copy()
        code[0, arm_a[:below], place], level[0, arm_a[:below], place] = -1, LIMIT
        assert (modelled(with_levels(data, TEST, level, code)).status[0] == MOSTLY_CENSORED) == refused


@pytest.mark.requirement("ANALYSIS-FIRST-ANSWERS")
def test_detectable_is_fisher_mid_p_and_the_score_interval_of_those_with_a_value() -> None:
    data = levels(below=0.6)
    difference, early, late = shares(data)
    value, code = at_month_12(data)
    there = data.sets["randomised"] & ~np.isnan(value)
    arms = [there & (data.panel.arm == arm) for arm in (0, 1)]
    table = [count for arm in arms for count in ((arm & (code == 0)).sum(axis=1), arm.sum(axis=1))]
    assert_allclose(difference.values["p_value"], fisher_exact(*table).mid_p_value)
    assert_allclose(difference.values["lower"], proportion_difference(*table).lower)
    assert_allclose(early.values["estimate"], table[0] / table[1])
    assert_allclose(late.values["estimate"], table[2] / table[3])
    assert difference.p_kind == "mid-p" and difference.unit == "share"


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_a_cytokine_all_below_its_limit() -> None:
    data = levels()
    value = np.where(np.isnan(data.panel.blocks["cytokines"].test(TEST)[0][..., 0]), np.nan, LIMIT)
    low = with_levels(data, TEST, value, np.where(np.isnan(value), 0, -1))
    found = modelled(low)
    assert_array_equal(found.status, MOSTLY_CENSORED)
    assert all(np.isnan(column).all() for column in found.values.values())
    difference, early, _ = shares(low, where="mostly-censored")
    assert all(text.startswith("no one in either arm reaches the limit") for text in difference.status)
    assert_array_equal(difference.values["estimate"], 0.0)
    assert np.isnan(difference.values["p_value"]).all(), "the only table there can be tests nothing"
    assert_array_equal(early.values["estimate"], 0.0)


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_a_visit_between_that_was_never_held_is_left_out() -> None:
    data = levels()
    block = data.panel.blocks["cytokines"]
    value, code = (part[..., 0].copy() for part in block.test(TEST))
    place = block.visits.index("month-3")
    value[0, :, place], code[0, :, place] = np.nan, 0
    changed = with_levels(data, TEST, value, code)
    found = modelled(changed)
    assert_array_equal(found.status, "ok")
    without = modelled(data, visits=("dose-2-48h", "month-6"))
    assert found.values["estimate"][0] == pytest.approx(without.values["estimate"][0], rel=1e-9)
    assert found.values["estimate"][1:] == pytest.approx(modelled(data).values["estimate"][1:], rel=1e-9)


@pytest.mark.requirement("ANALYSIS-STATUS")
def test_an_empty_arm_everybody_lost_and_a_level_of_zero_have_a_status() -> None:
    data = levels()
    empty = modelled(emptied(data, 1))
    assert not (empty.status == "ok").any() and np.isnan(empty.values["estimate"]).all()
    assert all(text.startswith("nobody has a value") for text in shares(emptied(data, 1))[0].status)
    value, code = (part[..., 0].copy() for part in data.panel.blocks["cytokines"].test(TEST))
    lost = value.copy()
    lost[:, :, 1:] = np.nan
    assert all(text.startswith("nobody has a value") for text in modelled(with_levels(data, TEST, lost, code)).status)
    zero = value.copy()
    zero[0, np.flatnonzero(data.panel.arm[0] == 0)[0], 0] = 0.0
    found = modelled(with_levels(data, TEST, zero, np.zeros_like(code)))
    assert "missing or infinite" in found.status[0] and (found.status[1:] == "ok").all()


@pytest.mark.requirement("RESULTS-BLINDED")
def test_without_arms_nothing_is_compared() -> None:
    data = blinded(levels())
    (difference,) = shares(data)
    for estimate in (modelled(data), difference):
        assert_array_equal(estimate.status, BLINDED)
        assert not any(np.isfinite(column).any() for column in estimate.values.values())
        assert list(estimate.n) == ["pooled"]


def test_a_panel_that_repeats_one_trial_shares_its_block() -> None:
    """Leaving each participant out in turn repeats the trial and not what was measured."""
    data = alone(levels(), 0)
    panel = data.panel

    def often(values: np.ndarray) -> np.ndarray:
        return np.broadcast_to(values, (3, *values.shape[1:]))

    repeated = dataclasses.replace(
        panel,
        present=often(panel.present),
        arm=often(panel.arm),
        covariates=MappingProxyType({name: often(values) for name, values in panel.covariates.items()}),
    )
    sets = {"randomised": often(data.sets["randomised"]).copy()}
    sets["randomised"][1, np.flatnonzero(data.sets["randomised"][0])[0]] = False
    many = AnalysisData(repeated, data.parameters, sets, 0)
    found = modelled(many).values["estimate"]
    assert found[0] == pytest.approx(modelled(data).values["estimate"][0], rel=1e-9)
    assert found[0] == found[2] != found[1]


@pytest.mark.requirement("ANALYSIS-PLAN")
@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({}, None),
        ({"parameters": ("il-6", "nothing")}, "known-parameter"),
        ({"parameters": ("il-6", "il-6")}, "parameter-once"),
        ({"parameters": ("cytokine-balance",)}, "parameter-is-measured"),
        ({"parameters": ("hba1c",), "visit": "dose-1-48h"}, "measured-at-visit"),
        ({"visit": "never"}, "known-visit"),
        ({"baseline": "nowhere"}, "known-baseline"),
        ({"baseline": "period-2"}, "baseline-before-visit"),
        ({"visits": ("month-15",)}, "visit-between"),
        ({"visits": ("month-6",)}, None),
    ],
)
def test_options_of_the_model_that_do_not_fit_are_refused(options: dict[str, object], rule: str | None) -> None:
    given = censored_longitudinal.Options(**{"baseline": "efficacy", "parameters": (TEST,), **options})
    found = [item.rule for item in censored_longitudinal.METHOD.objections(model(), MODEL, given)]
    assert found[:1] == ([] if rule is None else [rule])


@pytest.mark.requirement("ANALYSIS-PLAN")
def test_a_family_and_another_summary_are_refused() -> None:
    given = censored_longitudinal.Options(baseline="efficacy", parameters=(TEST,))
    member = MODEL.model_copy(update={"family": "month-12"})
    assert [o.rule for o in censored_longitudinal.METHOD.objections(model(), member, given)] == ["family-needs-test"]
    other = MODEL.model_copy(update={"estimand": "remission-12"})
    assert [o.rule for o in censored_longitudinal.METHOD.objections(model(), other, given)] == ["summary-of-method"]
    nothing = MODEL.model_copy(update={"estimand": None})
    rules = [o.rule for o in censored_longitudinal.METHOD.objections(model(), nothing, given)]
    assert rules == ["method-needs-estimand"]


@pytest.mark.requirement("ANALYSIS-PLAN")
@pytest.mark.parametrize(
    ("estimand", "options", "rule"),
    [
        ("cytokine-balance-12", {"where": "mostly-censored"}, None),
        ("cytokine-balance-12", {}, "summary-of-method"),
        ("remission-12", {}, None),
        ("remission-12", {"parameters": ("hba1c",)}, "limit-of-quantification"),
        ("remission-12", {"parameters": ("idaa1c",)}, "parameter-is-measured"),
    ],
)
def test_options_of_detectable_that_do_not_fit_are_refused(
    estimand: str, options: dict[str, object], rule: str | None
) -> None:
    item = OR_NOT.model_copy(update={"estimand": estimand})
    given = detectable.Options(**{"parameters": (TEST,), **options})
    found = [objection.rule for objection in detectable.METHOD.objections(model(), item, given)]
    assert found == ([] if rule is None else [rule])
