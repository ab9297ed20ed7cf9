"""Reference-based imputation: closed forms, brute force, invariances, explicit refits, trials that give no number."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from equipoise.stats import Status, ancova_design, contrast, difference_weights, fit_least_squares, leave_one_out
from equipoise.stats.imputation import (
    STRATEGIES,
    NormalFit,
    conditional_draws,
    conditional_mean_effect,
    conditional_means,
    drawn_effect,
    fit_normal,
    marginal_means,
    pool,
    repeated_measures,
)

JUMP = "jump-to-reference"


def trial(seed, n=26, visits=3, drop=0.25, gaps=0.0, covariates=1, arms=2):
    """Values, arms and covariates of one invented trial; two of each arm stay to the end."""
    source = np.random.default_rng(seed)
    arm = np.arange(n) % arms
    z = source.normal(size=(n, covariates))
    level = z.sum(axis=1) * 0.5 + source.normal(size=n) * 0.8
    y = level[:, None] + 0.4 * np.outer(arm, np.arange(1, visits + 1) / visits) + source.normal(size=(n, visits))
    last = np.where(source.random(n) < drop, source.integers(0, visits, n), visits)
    lost = (np.arange(visits) >= last[:, None]) | (source.random((n, visits)) < gaps)
    lost[: 4 * arms] = False
    y[lost] = np.nan
    return y, arm, z


def density(y, design, beta, covariance):
    """The log-likelihood of the observed values, one person at a time; beta None gives the restricted one."""
    k, visits = design.shape[1], y.shape[1]
    information, score, terms = np.zeros((k * visits, k * visits)), np.zeros(k * visits), []
    people = []
    for values, x in zip(y, design, strict=True):
        seen = ~np.isnan(values)
        if seen.any():
            part = np.linalg.inv(covariance[np.ix_(seen, seen)])
            big = np.kron(np.eye(visits)[seen], x)
            information += big.T @ part @ big
            score += big.T @ part @ values[seen]
            people.append((values[seen], big, part))
    best = np.linalg.solve(information, score) if beta is None else beta.T.ravel()
    for values, big, part in people:
        r = values - big @ best
        terms.append(-0.5 * (len(r) * np.log(2 * np.pi) - np.linalg.slogdet(part)[1] + r @ part @ r))
    if beta is not None:
        return sum(terms)
    return sum(terms) - 0.5 * (np.linalg.slogdet(information)[1] - k * visits * np.log(2 * np.pi))


@pytest.mark.parametrize("gaps", [0.0, 0.1])
@pytest.mark.parametrize("likelihood", ["restricted", "full"])
def test_the_fit_stands_at_the_top_of_a_likelihood_written_person_by_person(likelihood, gaps):
    y, arm, z = trial(1, gaps=gaps)
    people = repeated_measures(y, arm, z)
    fit = fit_normal(y, people.design, likelihood=likelihood)
    covariance = fit.covariance[0]
    beta = fit.coefficients[0] if likelihood == "full" else None

    def value(matrix, moved=beta):
        return density(y, people.design, moved, matrix)

    assert_allclose(fit.log_likelihood[0], value(covariance), rtol=1e-11)
    source = np.random.default_rng(2)
    for _ in range(6):
        step = source.normal(size=covariance.shape) * 1e-5
        step = step + step.T
        slope = (value(covariance + step) - value(covariance - step)) / (2 * np.linalg.norm(step))
        assert abs(slope) < 1e-6
    if beta is not None:
        step = source.normal(size=beta.shape) * 1e-5
        assert abs(value(covariance, beta + step) - value(covariance, beta - step)) / 2e-5 < 1e-6


def test_a_person_who_weighs_two_is_two_people_and_one_who_weighs_nothing_is_absent():
    y, arm, z = trial(3, gaps=0.05)
    design = repeated_measures(y, arm, z).design
    weights = np.random.default_rng(1).integers(0, 3, size=(4, len(y))).astype(float)
    weights[:, :8] = 1
    for likelihood in ("restricted", "full"):
        together = fit_normal(y, design, weights, likelihood=likelihood)
        for r, row in enumerate(weights.astype(int)):
            alone = fit_normal(np.repeat(y, row, axis=0), np.repeat(design, row, axis=0), likelihood=likelihood)
            assert_allclose(together.covariance[r], alone.covariance[0], rtol=1e-8)
            assert_allclose(together.coefficients[r], alone.coefficients[0], rtol=1e-7, atol=1e-8)
            assert_allclose(together.log_likelihood[r], alone.log_likelihood[0], rtol=1e-10)


def test_complete_values_give_the_residual_covariance():
    y, arm, z = trial(4, drop=0)
    design = repeated_measures(y, arm, z).design
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    n, k = design.shape
    assert_allclose(fit_normal(y, design).covariance[0], residual.T @ residual / (n - k), rtol=1e-10)
    full = fit_normal(y, design, likelihood="full").covariance[0]
    assert_allclose(full, residual.T @ residual / n, rtol=1e-10)


@pytest.mark.parametrize("likelihood", ["restricted", "full"])
def test_two_visits_without_covariates_have_closed_forms(likelihood):
    """With everybody seen at the first visit, each strategy is a mixture of two differences of the model's means."""
    y, arm, _ = trial(5, n=40, visits=2, drop=0.4)
    y[:, 0] = np.where(np.isnan(y[:, 0]), 0.1 * np.arange(40), y[:, 0])
    people = repeated_measures(y, arm, strategy=JUMP)
    fit = fit_normal(y, people.design, likelihood=likelihood)
    first, second = fit.coefficients[0, 1]
    slope = fit.covariance[0, 0, 1] / fit.covariance[0, 0, 0]
    stayed = np.mean(people.seen[arm == 1, 1])
    assert 0.4 < stayed < 0.9
    expected = {
        "missing-at-random": second,
        JUMP: stayed * second,
        "copy-reference": stayed * second + (1 - stayed) * slope * first,
        "copy-increments": stayed * second + (1 - stayed) * first,
    }
    for strategy in STRATEGIES:
        trial_ = repeated_measures(y, arm, strategy=strategy)
        found = conditional_mean_effect(trial_, likelihood=likelihood)
        assert_allclose(found.estimate, expected[strategy], rtol=1e-8)


def test_one_visit_alone_takes_the_reference_mean_in_a_jump():
    y, arm, _ = trial(23, visits=1, drop=0.4)
    stayed = np.mean(~np.isnan(y[arm == 1, 0]))
    gap = np.nanmean(y[arm == 1]) - np.nanmean(y[arm == 0])
    assert stayed < 1
    assert_allclose(conditional_mean_effect(repeated_measures(y, arm)).estimate, stayed * gap, rtol=1e-10)


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_missing_at_random_gives_the_models_own_difference(seed):
    y, arm, z = trial(seed, gaps=0.1)
    people = repeated_measures(y, arm, z, strategy="missing-at-random")
    fit = fit_normal(y, people.design)
    for visit in range(3):
        found = conditional_mean_effect(people, visit=visit)
        assert_allclose(found.estimate, fit.coefficients[0, 1, visit], atol=1e-8)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_missing_values_are_where_the_joint_density_is_highest(strategy):
    """By the precision matrix, not the covariance: r_mis = -Q_mm⁻¹ Q_mo r_obs."""
    y, arm, z = trial(6, visits=4, gaps=0.1)
    people = repeated_measures(y, arm, z, strategy=strategy)
    fit = fit_normal(people.fitted, people.design)
    precision = np.linalg.inv(fit.covariance[0])
    means, found = marginal_means(people, fit)[0], conditional_means(people, fit)[0]
    for i in np.flatnonzero(~people.seen.all(axis=1)):
        lost, seen = ~people.seen[i], people.seen[i]
        pull = precision[np.ix_(lost, seen)] @ (y[i, seen] - means[i, seen])
        best = means[i, lost] - np.linalg.solve(precision[np.ix_(lost, lost)], pull)
        assert_allclose(found[i, lost], best, rtol=1e-9, atol=1e-9)
        assert_array_equal(found[i, seen], y[i, seen])


def test_marginal_means_join_the_arms_where_the_strategy_says():
    y, arm, z = trial(7, n=24, visits=3, drop=0)
    y[9, 1:], y[11], y[8, 2] = np.nan, np.nan, np.nan
    y[13, 0] = np.nan
    people = {name: repeated_measures(y, arm, z, strategy=name) for name in STRATEGIES}
    fit = fit_normal(y, people[JUMP].design)
    own = people[JUMP].design @ fit.coefficients[0]
    other = people[JUMP].as_arm(0) @ fit.coefficients[0]
    means = {name: marginal_means(trial_, fit)[0] for name, trial_ in people.items()}
    assert_allclose(means["missing-at-random"], own)
    assert_allclose(means[JUMP][9], [own[9, 0], other[9, 1], other[9, 2]])
    assert_allclose(means["copy-reference"][9], other[9])
    gap = own[9, 0] - other[9, 0]
    assert_allclose(means["copy-increments"][9], [own[9, 0], other[9, 1] + gap, other[9, 2] + gap])
    for name in (JUMP, "copy-reference", "copy-increments"):
        assert_allclose(means[name][11], other[11])
        assert_allclose(means[name][8], own[8])
        # A gap before the last value is missing at random, and so is everybody who completed.
        assert_allclose(means[name][13], own[13])
        assert_allclose(means[name][15], own[15])


def test_each_person_may_have_a_strategy():
    y, arm, z = trial(8, drop=0.5)
    wanted = [STRATEGIES[i % 4] for i in range(len(y))]
    mixed = repeated_measures(y, arm, z, strategy=wanted)
    fit = fit_normal(y, mixed.design)
    each = {name: conditional_means(repeated_measures(y, arm, z, strategy=name), fit)[0] for name in STRATEGIES}
    found = conditional_means(mixed, fit)[0]
    for i, name in enumerate(wanted):
        assert_array_equal(found[i], each[name][i])


def test_values_after_the_event_are_kept_but_teach_the_own_arm_nothing():
    y, arm, z = trial(9, n=30, drop=0)
    after = np.full(30, 3)
    after[[9, 11]] = 1
    moved = y.copy()
    moved[[9, 11], 1:] += 50
    for strategy in STRATEGIES:
        one, two = (repeated_measures(v, arm, z, strategy=strategy, after=after) for v in (y, moved))
        same = np.allclose(fit_normal(one.fitted, one.design).covariance, fit_normal(two.fitted, two.design).covariance)
        assert same == (strategy != "missing-at-random")
        assert_array_equal(conditional_mean_effect(two).completed, moved)
        assert conditional_mean_effect(two).carried.tolist() == [0, 0]


def test_with_nothing_missing_every_strategy_is_the_analysis_of_covariance():
    y, arm, z = trial(10, drop=0)
    fit = fit_least_squares(y[None, :, -1], ancova_design(arm[None], z, 2), np.ones((1, len(y)), bool))
    weights = difference_weights(1, 0, 3)
    plain, moves = contrast(fit, weights), leave_one_out(fit, weights)[0]
    jackknife = np.sqrt((len(y) - 1) / len(y) * ((moves - moves.mean()) ** 2).sum())
    for strategy in STRATEGIES:
        people = repeated_measures(y, arm, z, strategy=strategy)
        found = conditional_mean_effect(people, distribution="t")
        assert_allclose(found.estimate, plain.estimate[0], rtol=1e-10)
        assert_allclose(found.standard_error, jackknife, rtol=1e-9)
        assert found.df == plain.df[0]
        drawn = drawn_effect(people, np.random.default_rng(1), draws=5)
        assert_allclose([drawn.estimate, drawn.standard_error], [plain.estimate[0], plain.standard_error[0]], rtol=1e-9)


@pytest.mark.requirement("STATS-IMPUTATION")
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_jackknife_is_that_of_explicit_refits(strategy):
    y, arm, z = trial(11, n=20, gaps=0.05)
    found = conditional_mean_effect(repeated_measures(y, arm, z, strategy=strategy))
    rest = []
    for i in range(len(y)):
        kept = np.arange(len(y)) != i
        rest.append(conditional_mean_effect(repeated_measures(y[kept], arm[kept], z[kept], strategy=strategy)).estimate)
    assert_allclose(found.left_out, rest, rtol=1e-7, atol=1e-8)
    error = np.sqrt(19 / 20 * ((np.array(rest) - np.mean(rest)) ** 2).sum())
    assert_allclose(found.standard_error, error, rtol=1e-7)
    assert_allclose(found.upper - found.estimate, 1.959963984540054 * error, rtol=1e-7)


@given(st.integers(0, 10_000), st.sampled_from(STRATEGIES), st.sampled_from([1e-3, 0.1, 30.0, -2.0]))
@settings(max_examples=25, deadline=None)
def test_units_and_order_change_nothing_but_the_unit(seed, strategy, unit):
    y, arm, z = trial(seed, n=24, gaps=0.05, covariates=2)
    plain = conditional_mean_effect(repeated_measures(y, arm, z, strategy=strategy))
    order = np.random.default_rng(seed).permutation(len(y))
    per_visit = np.array([100.0, -3.0, 7.0])
    there = unit * (y + per_visit) + (z @ [1.5, 10.0])[:, None]
    moved = repeated_measures(there[order], arm[order], 1000 + 20 * z[order], strategy=strategy)
    found = conditional_mean_effect(moved)
    assert_allclose(found.estimate, unit * plain.estimate, rtol=1e-6, atol=1e-7 * abs(unit))
    assert_allclose(found.standard_error, abs(unit) * plain.standard_error, rtol=1e-6)


def test_the_strategies_lie_in_the_order_of_what_they_assume():
    """A large effect throughout: own arm, increments, copy, and jump lose ever more of it."""
    y, arm, z = trial(12, n=60, drop=0.5)
    y = y + 5 * arm[:, None]
    order = ("missing-at-random", "copy-increments", "copy-reference", JUMP)
    found = [conditional_mean_effect(repeated_measures(y, arm, z, strategy=name)).estimate for name in order]
    assert found[0] > found[1] > found[2] > found[3] > 0


def test_exchanging_the_arms_under_missing_at_random_turns_the_sign():
    y, arm, z = trial(13)
    one = conditional_mean_effect(repeated_measures(y, arm, z, strategy="missing-at-random"))
    two = conditional_mean_effect(repeated_measures(y, 1 - arm, z, strategy="missing-at-random"))
    assert_allclose(two.estimate, -one.estimate, rtol=1e-8)
    assert_allclose(two.standard_error, one.standard_error, rtol=1e-7)


def test_three_arms_may_jump_to_the_last():
    y, arm, z = trial(14, n=45, arms=3)
    turned = conditional_mean_effect(repeated_measures(y, 2 - arm, z, arms=3, reference=2), active=1)
    plain = conditional_mean_effect(repeated_measures(y, arm, z, arms=3, reference=0), active=1)
    assert_allclose(turned.estimate, plain.estimate, rtol=1e-8)
    assert_allclose(turned.standard_error, plain.standard_error, rtol=1e-7)


def test_one_sided_p_values_and_levels():
    y, arm, z = trial(15)
    people = repeated_measures(y, arm, z)
    both, up = conditional_mean_effect(people), conditional_mean_effect(people, alternative="greater")
    assert_allclose(up.p_value, both.p_value / 2 if both.estimate > 0 else 1 - both.p_value / 2)
    wide = conditional_mean_effect(people, level=0.99)
    assert wide.lower < both.lower < both.upper < wide.upper
    assert np.isinf(both.df)
    assert conditional_mean_effect(people, distribution="t").p_value > both.p_value


def test_draws_have_the_conditional_mean_and_covariance():
    y, arm, z = trial(16, n=24, visits=3, drop=0)
    y[9, 1:], y[10, [0, 2]] = np.nan, np.nan
    people = repeated_measures(y, arm, z)
    fit = fit_normal(y, people.design)
    many = NormalFit(*(np.repeat(getattr(fit, field.name), 20_000, axis=0) for field in fields(fit)))
    drawn = conditional_draws(people, many, np.random.default_rng(3))
    means, s = conditional_means(people, fit)[0], fit.covariance[0]
    for i, lost in ((9, [1, 2]), (10, [0, 2])):
        seen = np.setdiff1d(range(3), lost)
        slope = s[np.ix_(lost, seen)] @ np.linalg.inv(s[np.ix_(seen, seen)])
        left = s[np.ix_(lost, lost)] - slope @ s[np.ix_(seen, lost)]
        assert_allclose(drawn[:, i][:, lost].mean(axis=0), means[i, lost], atol=5 * np.sqrt(s.max() / 20_000))
        assert_allclose(np.cov(drawn[:, i][:, lost].T), left, atol=0.06 * s.max())
        assert_array_equal(drawn[:, i][:, seen], np.broadcast_to(y[i, seen], (20_000, len(seen))))


@pytest.mark.requirement("STATS-IMPUTATION")
def test_pooled_draws_stand_near_the_conditional_mean_and_repeat_with_their_seed():
    y, arm, z = trial(17, n=60)
    people = repeated_measures(y, arm, z)
    one, again = (drawn_effect(people, np.random.default_rng(8), draws=400) for _ in range(2))
    assert one.estimate == again.estimate and one.p_value == again.p_value
    plain = conditional_mean_effect(people)
    assert abs(one.estimate - plain.estimate) < 0.15 * plain.standard_error
    # Under a jump to reference Rubin's rules are wider than the estimate varies.
    assert one.standard_error > plain.standard_error
    assert (one.draws, one.failed, one.df < 57) == (400, 0, True)
    assert_allclose(one.completed, plain.completed, atol=0.6)


def test_rubins_rules_by_hand():
    found = pool(np.array([1.0, 2.0, 4.0]), np.array([0.5, 0.7, 0.9]), 20.0)
    within, between = 0.7, 7 / 3
    total = within + 4 / 3 * between
    share = 4 / 3 * between / total
    observed = 21 / 23 * 20 * (1 - share)
    assert_allclose([found.estimate, found.within, found.between], [7 / 3, within, between])
    assert_allclose(found.standard_error, np.sqrt(total))
    assert_allclose(found.df, 1 / (share**2 / 2 + 1 / observed))
    with pytest.raises(ValueError, match="two finite"):
        pool(np.array([1.0]), np.array([1.0]), 5.0)


def refused(y, arm, z=None, **options):
    found = conditional_mean_effect(repeated_measures(y, arm, z, **options))
    assert np.isnan([found.estimate, found.standard_error, found.df, found.lower, found.p_value]).all()
    assert found.message != "ok"
    return found.status


@pytest.mark.requirement("STATS-STATUS-TRUE")
def test_trials_without_a_number_say_why():
    y, arm, z = trial(18, drop=0)
    unmeasured = y.copy()
    unmeasured[arm == 1, 2] = np.nan
    assert refused(unmeasured, arm, z) == Status.ONE_ARM_VISIT
    assert refused(np.full_like(y, np.nan), arm, z) == Status.NO_OBSERVATIONS
    assert refused(y, arm, np.where(z > z.max() - 1e-9, np.nan, z)) == Status.NOT_FINITE
    assert refused(y, arm, np.ones_like(z)) == Status.SINGULAR_DESIGN
    assert refused(y * [1, 0, 1], arm, z) == Status.CONSTANT_OUTCOME
    never_both = y.copy()
    never_both[::4, 0], never_both[1::4, 0], never_both[2::4, 1], never_both[3::4, 1] = (np.nan,) * 4
    assert refused(never_both, arm, z) == Status.TOO_FEW_OBSERVATIONS
    copied = y.copy()
    copied[:, 2] = 2 * y[:, 1] + 1
    copied[9, 2] = np.nan
    assert refused(copied, arm, z) == Status.NEAR_SINGULAR


def test_an_estimate_that_hangs_on_one_person_has_no_standard_error():
    y, arm, z = trial(19, drop=0)
    active = np.flatnonzero(arm == 1)
    y[active[1:], 2] = np.nan
    found = conditional_mean_effect(repeated_measures(y, arm, z, strategy="missing-at-random"))
    assert found.status == Status.LEFT_OUT_FAILED
    assert np.isfinite(found.estimate) and np.isnan([found.standard_error, found.p_value, found.df]).all()
    assert np.isnan(found.left_out).sum() == 1
    assert found.carried.tolist() == [0, len(active) - 1]


def test_more_than_one_draw_in_a_hundred_that_fails_is_unreliable():
    y, arm, z = trial(20, drop=0)
    active = np.flatnonzero(arm == 1)
    y[active[2:], 2] = np.nan
    found = drawn_effect(repeated_measures(y, arm, z), np.random.default_rng(1), draws=100)
    assert found.status == Status.UNRELIABLE and found.failed > 1 and found.draws == 100 - found.failed
    assert np.isnan([found.estimate, found.standard_error]).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"strategy": "best-case"}, "strategy"),
        ({"strategy": [JUMP]}, "strategy"),
        ({"after": np.array([1])}, "after"),
        ({"after": np.full(26, 4)}, "after"),
        ({"reference": 2}, "arm lies"),
        ({"arms": 1}, "arm lies"),
        ({"covariates": np.ones((3, 1))}, "covariates"),
        ({"values": np.full((26, 3), np.inf)}, "finite"),
        ({"values": np.ones(26)}, "visits"),
    ],
)
def test_people_who_make_no_sense_are_refused(change, words):
    y, arm, z = trial(21)
    given_ = {"values": y, "arm": arm, "covariates": z} | change
    with pytest.raises(ValueError, match=words):
        repeated_measures(**given_)


def test_words_that_nobody_knows_are_refused():
    y, arm, z = trial(22)
    people = repeated_measures(y, arm, z)
    with pytest.raises(ValueError, match="likelihood"):
        conditional_mean_effect(people, likelihood="marginal")
    with pytest.raises(ValueError, match="distribution"):
        conditional_mean_effect(people, distribution="cauchy")
    with pytest.raises(ValueError, match="two draws"):
        drawn_effect(people, np.random.default_rng(1), draws=1)
    with pytest.raises(ValueError, match="compared"):
        conditional_mean_effect(people, active=0)
    with pytest.raises(ValueError, match="do not fit"):
        fit_normal(y, people.design[:3])
    with pytest.raises(ValueError, match="weight"):
        fit_normal(y, people.design, np.full((1, 26), -1.0))
    with pytest.raises(ValueError, match="design is finite"):
        fit_normal(y, np.where(people.design == 1, np.nan, 0))


def simulated(seed, n=40):
    """No effect, three visits, about a fifth lost by a mechanism that looks at the first visit."""
    source = np.random.default_rng([seed, n])
    arm, z = source.permutation(np.arange(n) % 2), source.normal(size=(n, 1))
    y = source.normal(size=(n, 3)) @ np.linalg.cholesky(0.5 + 0.5 * np.eye(3)).T + 0.6 * z
    risk = 1 / (1 + np.exp(2.2 - 0.4 * y[:, 0]))
    y[source.random(n) < 0.8 * risk, 1:] = np.nan
    y[source.random(n) < 1.2 * risk, 2] = np.nan
    return repeated_measures(y, arm, z)


def test_jackknife_intervals_are_calibrated_and_rubins_are_wide_under_a_jump_to_reference():
    """400 trials without effect: 95 % give or take 2.5 standard errors of 1.1; the errors true to a tenth."""
    trials = [simulated(seed) for seed in range(400)]
    found = [conditional_mean_effect(people) for people in trials]
    assert {each.status for each in found} == {Status.OK}
    assert 0.17 < np.mean([each.carried.sum() / 40 for each in found]) < 0.24
    covered = np.mean([each.p_value > 0.05 for each in found])
    assert 0.923 <= covered <= 0.977
    estimates = np.array([each.estimate for each in found])
    assert abs(estimates.mean()) < 4 * estimates.std() / np.sqrt(400)
    typical = np.sqrt(np.mean([each.standard_error**2 for each in found]))
    assert_allclose(typical, estimates.std(), rtol=0.1)
    pooled = [drawn_effect(people, np.random.default_rng(i), draws=30) for i, people in enumerate(trials[:150])]
    wide = [each for each in pooled if each.status == Status.OK]
    assert len(wide) > 145
    assert np.mean([each.p_value > 0.05 for each in wide]) >= 0.95
    assert np.mean([each.standard_error for each in wide]) > 1.1 * estimates.std()
