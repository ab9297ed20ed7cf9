"""The tipping grid against imputing, shifting and analysing again, and its answers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from equipoise.stats import Status, ancova_design, contrast, difference_weights, fit_least_squares
from equipoise.stats.imputation import conditional_mean_effect, jackknife_error, repeated_measures, tipping_grid

FEW = np.linspace(-1.0, 1.0, 5)


def trial(seed=1, n=30, effect=1.2, lost=4):
    """Three visits; the last is missing for ``lost`` people of the active arm and half as many of the other."""
    source = np.random.default_rng(seed)
    arm, z = np.arange(n) % 2, source.normal(size=(n, 1))
    y = 0.5 * z + source.normal(size=(n, 1)) * 0.7 + source.normal(size=(n, 3)) * 0.6 + effect * arm[:, None]
    y[np.flatnonzero(arm == 1)[:lost], 2] = np.nan
    y[np.flatnonzero(arm == 0)[: lost // 2], 1:] = np.nan
    return y, arm, z


def shifted(y, arm, z, deltas, strategy):
    """The estimate after imputation, with each arm's delta added to what was imputed at the last visit."""
    last = conditional_mean_effect(repeated_measures(y, arm, z, strategy=strategy)).completed[:, 2]
    moved = last + np.where(np.isnan(y[:, 2]), np.asarray(deltas)[arm], 0.0)
    fit = fit_least_squares(moved[None], ancova_design(arm[None], z, 2), np.ones((1, len(arm)), bool))
    return contrast(fit, difference_weights(1, 0, 3)).estimate[0]


@pytest.mark.parametrize("strategy", ["missing-at-random", "jump-to-reference"])
def test_each_pair_is_what_shifting_and_analysing_again_gives(strategy):
    y, arm, z = trial(n=18)
    rows, columns = np.array([-1.0, 0.0, 0.5]), np.array([-2.0, 0.0])
    grid = tipping_grid(repeated_measures(y, arm, z, strategy=strategy), rows, columns)
    for g, one in enumerate(rows):
        for h, two in enumerate(columns):
            assert_allclose(grid.estimate[g, h], shifted(y, arm, z, (one, two), strategy), rtol=1e-9)
            rest = []
            for i in range(len(y)):
                kept = np.arange(len(y)) != i
                rest.append(shifted(y[kept], arm[kept], z[kept], (one, two), strategy))
            assert_allclose(grid.standard_error[g, h], jackknife_error(np.array(rest)), rtol=1e-6)


def test_without_deltas_it_is_the_analysis_itself():
    y, arm, z = trial()
    people = repeated_measures(y, arm, z)
    for distribution in ("normal", "t"):
        grid = tipping_grid(people, np.zeros(1), np.zeros(1), distribution=distribution)
        plain = conditional_mean_effect(people, distribution=distribution)
        found = [grid.estimate, grid.standard_error, grid.lower, grid.upper, grid.p_value]
        expected = [plain.estimate, plain.standard_error, plain.lower, plain.upper, plain.p_value]
        assert_allclose(np.ravel(found), expected, rtol=1e-12)
        assert not grid.tipped.any()


@pytest.mark.requirement("STATS-TIPPING")
def test_a_range_in_which_nothing_tips_is_an_answer():
    y, arm, z = trial(effect=3.0)
    grid = tipping_grid(repeated_measures(y, arm, z), FEW, FEW)
    assert grid.verdict == 1 and grid.nearest is None and not grid.tipped.any()
    assert grid.answer == "none within range (4 imputed values in the active arm and 2 in the reference)"


@pytest.mark.requirement("STATS-TIPPING")
def test_it_names_the_nearest_pair_that_tips_and_how_many_carry_it():
    y, arm, z = trial()
    rows, columns = np.linspace(0, 3, 7), np.linspace(-6, 0, 25)
    grid = tipping_grid(repeated_measures(y, arm, z), rows, columns)
    assert grid.verdict == 1 and grid.tipped.any() and not grid.tipped.all()
    assert_array_equal(grid.tipped, grid.lower <= 0)
    pairs = [(a, b) for g, a in enumerate(rows) for h, b in enumerate(columns) if grid.tipped[g, h]]
    assert np.hypot(*grid.nearest) == pytest.approx(min(np.hypot(a, b) for a, b in pairs))
    assert grid.nearest in pairs
    assert (grid.carried_reference, grid.carried_active) == (2, 4)
    reference, active = grid.nearest
    assert grid.answer.startswith(f"tips at {active:+g} in the active arm and {reference:+g} in the reference (4 ")


def test_an_effect_that_is_not_there_may_tip_in_either_direction():
    y, arm, z = trial(effect=0.0, lost=6)
    grid = tipping_grid(repeated_measures(y, arm, z), np.array([0.0]), np.array([-40.0, 0.0, 40.0]))
    assert grid.verdict == 0
    assert_array_equal(grid.tipped, [[True, False, True]])


def test_a_verdict_that_turns_round_has_tipped_too():
    y, arm, z = trial(effect=2.0, lost=10)
    grid = tipping_grid(repeated_measures(y, arm, z), np.array([0.0]), np.array([-80.0]))
    assert grid.verdict == 1 and grid.upper[0, 0] < 0 and grid.tipped[0, 0]


def test_who_was_measured_carries_no_delta():
    y, arm, z = trial(lost=0)
    people = repeated_measures(y, arm, z)
    grid = tipping_grid(people, np.array([-5.0, 0, 5]), np.array([-5.0, 0, 5]))
    assert_allclose(grid.estimate, conditional_mean_effect(people).estimate)
    assert grid.answer == "none within range (0 imputed values in the active arm and 0 in the reference)"


def test_a_trial_without_a_number_has_an_empty_grid():
    y, arm, z = trial()
    y[arm == 1, 2] = np.nan
    grid = tipping_grid(repeated_measures(y, arm, z), FEW, FEW)
    assert grid.status == Status.ONE_ARM_VISIT and grid.answer == grid.status.text
    assert np.isnan([grid.estimate, grid.standard_error, grid.lower, grid.p_value]).all()
    assert not grid.tipped.any() and grid.nearest is None and grid.verdict == 0


@pytest.mark.parametrize("deltas", [np.zeros(0), np.zeros((2, 2)), np.array([np.nan])])
def test_a_range_that_is_none_is_refused(deltas):
    y, arm, z = trial()
    people = repeated_measures(y, arm, z)
    with pytest.raises(ValueError, match="range of finite"):
        tipping_grid(people, deltas, FEW)
