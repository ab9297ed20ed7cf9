"""The studies of counts, re-randomisation, censoring and imputation: their rows in the bands, and what they invent."""

from __future__ import annotations

from functools import partial
from importlib import import_module

import numpy as np
import pytest
from ruamel.yaml import YAML
from scipy.integrate import quad
from scipy.stats import norm

from verification.methods import censored, counts, gather, imputation, missing_values, rerandomisation
from verification.methods.tally import Mean, Share
from verification.trials.bands import BANDS

STUDIES = ("censored", "counts", "imputation", "rerandomisation")
ROWS = YAML(typ="safe").load(BANDS.read_text("utf-8"))["methods"]


@pytest.mark.requirement("VERIFY-BANDS")
@pytest.mark.parametrize("study", STUDIES)
def test_a_study_counts_what_the_bands_name_and_nothing_else(study):
    rows = {row["id"]: row for row in ROWS if row["study"] == study}
    found = import_module(f"verification.methods.{study}").run(8, 1)
    assert set(found) == set(rows)
    for label, item in found.items():
        assert isinstance(item, Share | Mean)
        if isinstance(item, Share):
            assert 0 <= item.hits <= item.of and item.of + item.refused in (2, 8)
        if label.endswith("bias"):
            assert isinstance(item, Mean)


@pytest.mark.requirement("VERIFY-BANDS")
def test_each_row_has_a_reason_and_a_study_has_one_size_and_one_seed():
    for study in STUDIES:
        rows = [row for row in ROWS if row["study"] == study]
        assert len({(row["trials"], row["seed"]) for row in rows}) == 1 and rows[0]["trials"] >= 4000
        assert len({row["id"] for row in rows}) == len(rows)
        for row in rows:
            assert len(row["reason"]) > 20
            assert row["band"] is None or row["band"][0] < row["band"][1]


def test_the_seed_alone_decides_and_a_longer_run_begins_like_a_shorter_one():
    def once(trials, seed):
        return gather.gathered(lambda source, count: {"x": source.random(count)}, trials, 5, seed, 0)["x"]

    np.testing.assert_array_equal(once(20, 1), once(20, 1))
    np.testing.assert_array_equal(once(20, 1)[:10], once(10, 1))
    assert len(np.unique(np.concatenate([once(20, 1), once(20, 2)]))) == 40
    for chunk in (partial(counts.frequent, counts.SETTINGS[0]), rerandomisation.panel):
        twice = [gather.gathered(chunk, 12, 5, 1, 0) for _ in range(2)]
        np.testing.assert_equal(*twice)


def test_answers_that_are_missing_stand_outside_shares_and_means():
    answers = gather.rejected(np.array([0.05, 0.0501, np.nan, 0.0]))
    assert gather.share(answers) == Share(2, 3, 1)
    assert gather.share(gather.covered(np.array([0.0, np.nan, 2.0]), np.array([1.0, 1.0, 3.0]), 1.0)) == Share(1, 2, 1)
    found = gather.mean(np.array([1.0, 2.0, 3.0, np.nan]), expected=1.5, error=1.0)
    assert found == Mean(0.5, pytest.approx(np.hypot(1.0, np.sqrt(1 / 3))), 1)


def test_counts_have_the_rate_the_spread_and_the_time_that_their_setting_says():
    source = np.random.default_rng(1)
    for setting in (counts.SETTINGS[0], counts.SETTINGS[-1]):
        shape = (20_000, len(setting.arm))
        years = counts.exposures(source, shape, setting.left)
        assert years.mean() == pytest.approx(0.85 * (1 - setting.left / 2), abs=0.003)
        assert (years < counts.DIARY[0]).mean() == pytest.approx(setting.left * np.log(10 / 7) * 0.7 / 0.3, abs=0.01)
        y = counts.events(source, setting, np.ones(shape), counts.RATIO)
        first, second = y[:, setting.arm == 0], y[:, setting.arm == 1]
        assert first.mean() == pytest.approx(setting.rate, rel=0.01)
        assert second.mean() == pytest.approx(setting.rate / 2, rel=0.01)
        assert first.var() == pytest.approx(setting.rate + counts.DISPERSION * setting.rate**2, rel=0.04)


def test_first_events_come_at_the_rate_of_all(monkeypatch):
    """The people with an event, over the time free of it, is the rate of Poisson events."""
    seen = []
    monkeypatch.setattr(counts, "rate_difference", lambda *arms: seen.append(arms) or counts.exact_rate_ratio(*arms))
    counts.rare(0.5, 0.0, np.random.default_rng(2), 20_000)
    assert len(seen) == 2
    for x1, t1, x0, t0 in seen:
        assert x1.sum() / t1.sum() == pytest.approx(0.5, rel=0.02)
        assert x0.sum() / t0.sum() == pytest.approx(0.5, rel=0.02)


def test_the_wrong_set_lies_outside_the_design_and_the_right_one_within():
    source = np.random.default_rng(3)
    design = rerandomisation.DESIGNS["blocks-4-6"]
    active, sizes = rerandomisation.allocated(design, source, 20)
    assert sizes is not None
    own, wrong = rerandomisation.own_set(design, sizes, source, 20), rerandomisation.all_orders(active, source)
    assert own.shape == wrong.shape == (20, rerandomisation.DRAWS, rerandomisation.PEOPLE)
    for trial in range(20):
        first = sizes[trial, 0]
        assert (own[trial, :, :first].sum(axis=1) == first // 2).all()
        assert (wrong[trial, :, :first].sum(axis=1) != first // 2).any()
        assert (wrong[trial].sum(axis=1) == active[trial].sum()).all()
    assert len(np.unique(sizes, axis=0)) > 5


def test_outcomes_have_mean_0_and_sd_1_about_their_pattern_and_a_tenth_is_missing():
    those = rerandomisation.people(np.random.default_rng(4), 20_000)
    errors = those.outcome - rerandomisation.DRIFT
    assert errors.mean() == pytest.approx(0, abs=0.01) and errors.std() == pytest.approx(1, abs=0.01)
    assert (errors**3).mean() > 1
    assert (~those.included).mean() == pytest.approx(0.1, abs=0.003)


def test_a_z_test_is_the_difference_over_its_standard_error():
    values = np.array([[1.0, 2.0, 4.0, 9.0, 3.0, 8.0]])
    active, included = np.array([[True, True, True, False, False, False]]), np.array([[True] * 5 + [False]])
    those = rerandomisation.People(values, values, included)
    z = (7 / 3 - 6) / np.sqrt(np.var([1, 2, 4], ddof=1) / 3 + np.var([9, 3], ddof=1) / 2)
    assert rerandomisation.normal_p_value(those, active) == pytest.approx(2 * norm.cdf(-abs(z)))


@pytest.mark.parametrize("share", censored.SHARES)
def test_so_many_values_are_censored_in_the_first_arm_as_the_share_says(share):
    source, arm, limit = np.random.default_rng(5), np.repeat([0.0, 1.0], 10), censored.limit_of(share)
    values, _ = censored.one_visit(source, 10_000, arm, censored.EFFECT)
    visits, measured = censored.several_visits(source, 10_000, arm)
    for first in (values[:, :10], *np.moveaxis(visits[:, :10], 2, 0)):
        assert first.std() == pytest.approx(1, abs=0.01)
        lower, upper = censored.limits(first, limit)
        assert np.isinf(lower).mean() == pytest.approx(share, abs=0.01)
        assert (upper >= first).all() and (lower <= first).all()
    assert values[:, 10:].mean() == pytest.approx(1, abs=0.01)
    assert visits[:, 10:].mean(axis=(0, 1)) == pytest.approx([0, 0.5, 1], abs=0.02)
    assert measured[..., 0].all() and measured[..., 1:].mean() == pytest.approx(0.9, abs=0.01)


def test_estimands_are_what_integration_over_the_first_visit_gives():
    """Who leaves does so by the first value, so that a leaver's deviations are expected to be those seen so far."""
    mean, sd = missing_values.EFFECTS[0], np.sqrt(1 + missing_values.SLOPE**2)

    def risk(value):
        return 1 / (1 + np.exp(2.2 - 0.4 * value))

    def expected(of):
        return quad(lambda value: of(risk(value)) * norm.pdf(value, mean, sd), -12, 12)[0]

    early, late = expected(lambda r: 0.8 * r), expected(lambda r: (1 - 0.8 * r) * min(1.2 * r, 1))
    found = missing_values.truths()
    stay = 1 - early - late
    assert found["missing-at-random"].value == pytest.approx(1)
    for name, value in (
        ("jump-to-reference", stay),
        ("copy-increments", stay + 0.5 * early + 0.75 * late),
        # Half of the first effect is expected at the last visit; a third of each of the two.
        ("copy-reference", stay + early * 0.5 / 2 + late * (0.5 + 0.75) / 3),
    ):
        assert found[name].value == pytest.approx(value, abs=4 * found[name].error)
        assert 0 < found[name].error < 0.002


def test_values_leave_with_the_people_and_counts_with_the_time():
    source = np.random.default_rng(6)
    values = missing_values.invented(source, np.zeros(100_000), source.standard_normal(100_000))
    assert values.last.min() == 1 and (values.last < 3).mean() == pytest.approx(0.2, abs=0.02)
    assert np.isnan(values.measured).sum() == (3 - values.last).sum()
    assert values.complete[values.last < 3, 0].mean() > values.complete[:, 0].mean() + 0.2
    years = imputation.observed_years(source, 100_000)
    assert (years < 1).mean() == pytest.approx(imputation.LEAVE, abs=0.01)
    rates = imputation.rate_truths()
    assert rates["missing-at-random"].value == pytest.approx(np.log(0.5))
    assert rates["jump-to-reference"].value == pytest.approx(np.log(0.5 * 0.85 + 0.15), abs=0.003)
    assert rates["missing-at-random"].value < rates["copy-reference"].value < rates["jump-to-reference"].value
