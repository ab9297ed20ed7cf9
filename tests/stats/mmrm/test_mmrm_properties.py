"""What must hold of any data: exact special cases, invariance, awkward data and speed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from equipoise.stats import Status
from equipoise.stats.mmrm import coefficient_covariance, contrast, fit_mmrm, joint_test, visit_design
from equipoise.stats.mmrm.optimise import minimise
from equipoise.stats.mmrm.threads import one_thread
from equipoise.stats.mmrm.trust import unit_of
from tests.stats.mmrm.data import random_trial

ADJUSTED = ("kenward-roger", "kenward-roger-linear")
NUMBERS = ("estimate", "standard_error", "df", "lower", "upper", "statistic", "p_value")


def complete(seed=1, people=14, visits=4, baseline=False):
    data = random_trial(seed, people=people, visits=visits, missing=0.0, effect=0.4)
    return data if baseline else data.with_(X=data.X[:, :-1])


def same(found, expected, rtol=1e-7):
    for name in NUMBERS:
        assert_allclose(getattr(found, name), getattr(expected, name), rtol=rtol, err_msg=name)


# ---- cases with an exact answer


@pytest.mark.parametrize("method", ["satterthwaite", "kenward-roger-linear"])
def test_complete_people_give_the_t_test_at_each_visit(method):
    from scipy.stats import ttest_ind

    data, visits = complete(), 4
    found = contrast(fit_mmrm(*data.args), np.eye(2 * visits)[visits:], method=method)
    wide, arm = data.y.reshape(-1, visits), data.arm.reshape(-1, visits)[:, 0] == 1
    expected = ttest_ind(wide[arm], wide[~arm])
    assert_allclose(found.estimate, wide[arm].mean(axis=0) - wide[~arm].mean(axis=0), rtol=1e-10)
    assert_allclose(found.df, len(wide) - 2, rtol=1e-9)
    assert_allclose(found.p_value, expected.pvalue, rtol=1e-8)


def test_the_full_adjustment_is_not_exact_even_then():
    # Its second derivatives belong to the logarithms of the Cholesky factor; docs/statistics/mmrm.md says so.
    fit = fit_mmrm(*complete().args)
    full, linear = (contrast(fit, np.eye(8)[4:], method=method).standard_error for method in ADJUSTED)
    assert (full < 0.99 * linear).all()


@pytest.mark.requirement("STATS-MMRM-INFERENCE")
def test_complete_people_give_hotelling_s_test_of_all_visits():
    from scipy.stats import f

    data, visits = complete(), 4
    wide, arm = data.y.reshape(-1, visits), data.arm.reshape(-1, visits)[:, 0] == 1
    n, ones, others = len(wide), wide[arm], wide[~arm]
    spread = ((len(ones) - 1) * np.cov(ones.T) + (len(others) - 1) * np.cov(others.T)) / (n - 2)
    apart = ones.mean(axis=0) - others.mean(axis=0)
    squared = len(ones) * len(others) / n * apart @ np.linalg.solve(spread, apart)
    statistic = (n - visits - 1) / ((n - 2) * visits) * squared
    found = joint_test(fit_mmrm(*data.args), np.eye(2 * visits)[visits:], method="kenward-roger-linear")
    assert_allclose(found.statistic, statistic, rtol=1e-8)
    assert_allclose(found.df_denominator, n - visits - 1, rtol=1e-8)
    assert_allclose(found.p_value, f.sf(statistic, visits, n - visits - 1), rtol=1e-7)


@pytest.mark.parametrize("method", ["satterthwaite", "kenward-roger-linear"])
def test_compound_symmetry_gives_the_f_test_of_the_split_plot(method):
    data, visits = complete(2), 4
    wide, arm = data.y.reshape(-1, visits), data.arm.reshape(-1, visits)[:, 0]
    n = len(wide)
    cell = np.array([wide[arm == a].mean(axis=0) for a in (0, 1)])[arm]
    within = wide - wide.mean(axis=1, keepdims=True)
    fitted = cell - cell.mean(axis=1, keepdims=True)
    marginal = within.mean(axis=0)
    interaction = ((fitted - marginal) ** 2).sum() / (visits - 1)
    df = (n - 2) * (visits - 1)
    error = ((within - fitted) ** 2).sum() / df
    rows = np.zeros((visits - 1, 2 * visits))
    rows[:, visits] = -1.0
    rows[np.arange(visits - 1), visits + 1 + np.arange(visits - 1)] = 1.0
    found = joint_test(fit_mmrm(*data.args, structure="cs"), rows, method=method)
    assert_allclose(found.statistic, interaction / error, rtol=1e-8)
    assert_allclose(found.df_denominator, df, rtol=1e-7)


def test_one_visit_is_least_squares():
    data = random_trial(3, people=12, visits=1, missing=0.1)
    found = contrast(fit_mmrm(*data.args), [0.0, 1.0, 0.0])
    y, X = data.y[data.seen], data.X[data.seen]
    b = np.linalg.lstsq(X, y, rcond=None)[0]
    variance = (y - X @ b) @ (y - X @ b) / (len(y) - 3)
    assert_allclose(found.estimate, b[1], rtol=1e-10)
    assert_allclose(found.standard_error, np.sqrt(variance * np.linalg.inv(X.T @ X)[1, 1]), rtol=1e-8)
    assert_allclose(found.df, len(y) - 3, rtol=1e-8)


# ---- what must not matter


@pytest.mark.parametrize("structure", ["us", "toeph", "ris"])
@pytest.mark.parametrize("method", ["kenward-roger", "cr2"])
def test_units_and_order_do_not_matter(structure, method):
    data = random_trial(4)
    row = np.eye(13)[11]
    plain = contrast(fit_mmrm(*data.args, structure=structure), row, method=method)
    far = data.with_(y=data.y * 1e-4, X=data.X * np.r_[np.ones(12), 1e3] + np.r_[np.zeros(12), 1e5])
    scaled = contrast(fit_mmrm(*far.args, structure=structure), row * 1e4, method=method)
    same(scaled, plain, rtol=1e-5)
    order = np.random.default_rng(1).permutation(len(data.y))
    renamed = data.only(order).with_(subject=100 - 3 * data.subject[order])
    same(contrast(fit_mmrm(*renamed.args, structure=structure), row, method=method), plain, rtol=1e-6)


def test_another_form_of_the_same_design_says_the_same():
    data = random_trial(5)
    turn = np.random.default_rng(2).normal(size=(13, 13)) + 3 * np.eye(13)
    row = np.eye(13)[11]
    first, second = fit_mmrm(*data.args), fit_mmrm(data.y, data.X @ turn, data.subject, data.visit)
    assert_allclose(second.sigma, first.sigma, rtol=1e-7)
    for method in (*ADJUSTED, "satterthwaite", "cr2"):
        same(contrast(second, row @ turn, method=method), contrast(first, row, method=method), rtol=1e-6)


def test_renumbered_visits_renumber_the_covariance_and_nothing_else():
    data = random_trial(6)
    to = np.array([3, 0, 5, 1, 4, 2])
    first, second = fit_mmrm(*data.args), fit_mmrm(data.y, data.X, data.subject, to[data.visit])
    assert_allclose(second.sigma[np.ix_(to, to)], first.sigma, rtol=1e-7)
    same(contrast(second, np.eye(13)), contrast(first, np.eye(13)), rtol=1e-6)


def test_rows_without_a_value_might_as_well_not_exist():
    data = random_trial(7, missing=0.15)
    data.y[data.subject == 3] = np.nan
    data.X[~data.seen] = np.inf
    whole, seen = fit_mmrm(*data.args, visits=6), fit_mmrm(*data.only(data.seen).args, visits=6)
    assert (whole.people, whole.observations) == (20, data.seen.sum())
    assert_allclose(whole.coefficients, seen.coefficients, rtol=1e-10)


@pytest.mark.requirement("STATS-MMRM-STATUS")
def test_somebody_with_one_value_counts():
    data = random_trial(8, missing=0.0)
    data.y[(data.subject == 5) & (data.visit > 0)] = np.nan
    fit, without = fit_mmrm(*data.args), fit_mmrm(*data.only(data.subject != 5).args)
    assert (fit.message, without.message) == ("ok", "ok")
    assert (fit.people, fit.complete_cases) == (21, 20)
    assert abs(fit.coefficients[0] - without.coefficients[0]) > 1e-6


def test_intervals_and_one_sided_tests_are_those_of_t():
    from scipy.stats import t

    fit = fit_mmrm(*random_trial(9).args)
    row = np.eye(13)[8]
    found = contrast(fit, row, level=0.9)
    for side, other in (("greater", t.sf), ("less", t.cdf)):
        again = contrast(fit, row, level=0.9, alternative=side)
        assert_allclose(again.p_value, other(found.statistic, found.df), rtol=1e-9)
        assert_allclose(again.lower, found.lower)
    half = t.isf(0.05, found.df) * found.standard_error
    assert_allclose((found.lower, found.upper), (found.estimate - half, found.estimate + half), rtol=1e-9)


def test_means_by_arm_and_visit_differ_by_the_differences():
    data = random_trial(10, missing=0.1)
    crossed = np.column_stack([data.baseline, data.baseline**2])
    design = visit_design(
        data.y, data.arm, data.subject, data.visit, arms=2, visits=6, crossed=crossed[:, :1], plain=crossed[:, 1:]
    )
    assert_allclose(design.means()[1] - design.means()[0], design.differences(1), atol=1e-15)
    assert_allclose(design.differences(0, 1), -design.differences(1, 0))
    fit = fit_mmrm(data.y, design.columns, data.subject, data.visit)
    # The prediction for a person of the average covariates, written out.
    average = crossed[data.seen][np.unique(data.subject[data.seen], return_index=True)[1]].mean(axis=0)
    b = fit.coefficients
    expected = b[:6] + b[6:12] + b[12:18] * average[0] + b[18] * average[1]
    assert_allclose(contrast(fit, design.means()[1]).estimate, expected, rtol=1e-10)
    assert design.filled.all()


# ---- data that cannot be analysed, and what is said of them


def status_of(data, **arguments):
    fit = fit_mmrm(*data.args, **arguments)
    found = contrast(fit, np.eye(data.X.shape[1]))
    if fit.status != Status.OK:
        assert (found.status == fit.status).all()
        assert all(np.isnan(getattr(found, name)).all() for name in NUMBERS)
        assert np.isnan(coefficient_covariance(fit)).all()
        assert np.isnan([*joint_test(fit, np.eye(data.X.shape[1])[:2]).statistic, fit.log_likelihood]).all()
    return fit.status


def test_nobody_and_too_few():
    data = random_trial(1)
    assert status_of(data.with_(y=np.full(len(data.y), np.nan))) == Status.NO_OBSERVATIONS
    assert status_of(data.only(data.subject < 2)) == Status.TOO_FEW_OBSERVATIONS


def test_a_covariate_that_is_missing():
    data = random_trial(1)
    X = data.X.copy()
    X[np.flatnonzero(data.seen)[4], 12] = np.nan
    assert status_of(data.with_(X=X)) == Status.NOT_FINITE


@pytest.mark.requirement("STATS-MMRM-STATUS")
def test_columns_that_follow_from_others():
    data = random_trial(1)
    assert status_of(data.with_(X=np.column_stack([data.X, data.X[:, :6].sum(axis=1)]))) == Status.SINGULAR_DESIGN
    # The active arm has nobody at the third visit.
    gone = data.with_(y=np.where((data.visit == 2) & (data.arm == 1), np.nan, data.y))
    assert status_of(gone) == Status.SINGULAR_DESIGN


@pytest.mark.requirement("STATS-MMRM-STATUS")
def test_a_visit_without_values():
    data = random_trial(1, missing=0.0)
    here = np.eye(6)[data.visit]
    data = data.with_(X=np.column_stack([np.ones(len(data.y)), data.arm, data.baseline, here[:, 1:3]]))
    gone = data.with_(y=np.where(data.visit == 4, np.nan, data.y))
    assert status_of(gone) == Status.EMPTY_VISIT
    assert status_of(data.only(data.visit < 5), visits=6) == Status.EMPTY_VISIT


@pytest.mark.requirement("STATS-MMRM-STATUS")
def test_an_outcome_that_does_not_vary():
    data = random_trial(1)
    fit = fit_mmrm(np.where(data.seen, 7.25, np.nan), data.X, data.subject, data.visit)
    assert fit.status == Status.CONSTANT_OUTCOME
    assert_allclose(fit.coefficients, [7.25] * 6 + [0.0] * 7, atol=1e-10)


def test_too_few_people_with_two_visits():
    data = random_trial(1, missing=0.0)
    early = data.subject < 10
    y = np.where((early & (data.visit == 5)) | (~early & (data.visit == 0)), np.nan, data.y)
    y[(data.subject == 3) & (data.visit == 5)] = 0.5
    assert status_of(data.with_(y=y)) == Status.TOO_FEW_PAIRS
    assert status_of(data.with_(y=y), structure="csh") == Status.OK


@pytest.mark.requirement("STATS-MMRM-UNBOUNDED")
def test_a_likelihood_without_maximum_is_told_from_one_with():
    found = {}
    for seed in range(40):
        fit = fit_mmrm(*random_trial(seed, missing=0.2).args)
        found.setdefault(fit.status, []).append(fit)
    assert set(found) <= {Status.OK, Status.UNBOUNDED_LIKELIHOOD}
    assert len(found[Status.UNBOUNDED_LIKELIHOOD]) >= 5
    for fit in found[Status.UNBOUNDED_LIKELIHOOD]:
        assert fit.diagnosis.remaining < 1e-5
        assert fit.complete_cases <= (6 - 1) + 3
        assert "no maximum" in fit.message
    assert all(fit.diagnosis.remaining > 1e-5 for fit in found[Status.OK])


def test_a_visit_whose_values_follow_from_the_design():
    data = random_trial(1)
    floor = data.with_(y=np.where((data.visit == 3) & data.seen, 0.5, data.y))
    assert status_of(floor) == Status.EXACT_VISIT
    assert status_of(floor, structure="toeph") == Status.EXACT_VISIT
    # One variance for all visits is not lost with one of them.
    assert status_of(floor, structure="ar1") == Status.OK


def test_a_visit_that_repeats_another():
    data = random_trial(2, missing=0.0)
    data.y.reshape(-1, 6)[:, 3] = data.y.reshape(-1, 6)[:, 2] + 1.0
    assert status_of(data) == Status.NEAR_SINGULAR


def test_one_person_in_an_arm_leaves_no_robust_error():
    data = random_trial(3, people=12, visits=3, missing=0.0)
    arm = (data.subject == 4).astype(float)
    here = np.eye(3)[data.visit]
    data = data.with_(X=np.column_stack([here, here * arm[:, None]]))
    fit = fit_mmrm(*data.args)
    for rows in (np.eye(6)[3:], np.c_[np.eye(3), np.eye(3)]):
        assert (contrast(fit, rows).status == Status.OK).all()
        found = contrast(fit, rows, method="cr2")
        assert (found.status == Status.UNDEFINED_LEVERAGE).all()
        assert np.isnan(found.p_value).all()
    assert (contrast(fit, np.eye(6)[:3], method="cr2").status == Status.OK).all()


def nearly_the_same(noise, people=100, unit=None):
    """A trial whose fourth visit repeats the third but for some noise, perhaps recorded in units."""
    data = random_trial(2, people=people, missing=0.0)
    wide = data.y.reshape(-1, 6)
    wide[:, 3] = wide[:, 2] + np.random.default_rng(1).normal(size=people) * noise
    return data if unit is None else data.with_(y=np.round(data.y / unit) * unit)


@pytest.mark.requirement("STATS-MMRM-CORRELATION")
def test_visits_that_say_nearly_the_same_are_kept_whatever_their_correlation():
    for noise in (0.02, 0.001, 0.0003):
        fit = fit_mmrm(*nearly_the_same(noise).args)
        assert fit.status == Status.OK
        assert fit.diagnosis.correlation > 0.9997
        assert fit.diagnosis.limit > fit.diagnosis.remaining > 1e-8
        # With complete data and unstructured covariance, each visit has the t test of its own values.
        data = nearly_the_same(noise)
        here = data.visit == 3
        X = data.X[here][:, [3, 9]]
        # The baseline has one slope for all visits; without it the comparison is exact.
        alone = fit_mmrm(data.y, data.X[:, :12], data.subject, data.visit)
        b = np.linalg.lstsq(X, data.y[here], rcond=None)[0]
        assert_allclose(alone.coefficients[[3, 9]], b, rtol=1e-7)
        left = data.y[here] - X @ b
        found = contrast(alone, np.eye(12)[9], method="satterthwaite")
        assert_allclose(found.standard_error, np.sqrt(left @ left / 98 * 4 / 100), rtol=1e-6)
        assert_allclose(found.df, 98, rtol=1e-7)


@pytest.mark.requirement("STATS-MMRM-CORRELATION")
def test_visits_that_differ_by_less_than_rounding_or_by_nothing_are_refused():
    fine, coarse = (fit_mmrm(*nearly_the_same(0.01, unit=unit).args) for unit in (None, 0.1))
    assert (fine.status, coarse.status) == (Status.OK, Status.NEAR_SINGULAR)
    assert fine.diagnosis.rounding == 0 < coarse.diagnosis.limit < coarse.diagnosis.rounding
    assert status_of(nearly_the_same(1e-7)) == Status.NEAR_SINGULAR
    # At the same spread, ten times the unit is what decides.
    assert status_of(nearly_the_same(0.2, unit=0.1)) == Status.OK


@pytest.mark.requirement("STATS-MMRM-CORRELATION")
@pytest.mark.parametrize("name", ["us", "cs", "csh", "ar1", "toep", "toeph", "ris"])
def test_people_who_differ_much_more_than_their_visits_are_no_reason_to_refuse(name):
    source, n, T = np.random.default_rng(8), 100, 4
    person, arm = source.normal(size=n) * 10, np.arange(n) % 2
    y = 150 + person[:, None] + source.normal(size=(n, T)) * 0.2 + arm[:, None] * np.array([0, 0.05, 0.1, 0.15])
    visit, subject = np.tile(np.arange(T), n), np.repeat(np.arange(n), T)
    here = np.eye(T)[visit]
    X = np.column_stack([np.ones(n * T), arm[subject], here[:, 1:], here[:, 1:] * arm[subject][:, None]])
    fit = fit_mmrm(y.ravel(), X, subject, visit, structure=name)
    assert fit.status == Status.OK and fit.diagnosis.correlation > 0.999
    last = contrast(fit, np.eye(8)[7], method="satterthwaite")
    change = y[:, 3] - y[:, 0]
    assert_allclose(last.estimate, change[arm == 1].mean() - change[arm == 0].mean(), rtol=1e-6)
    if name == "us":  # exactly the t test of the changes
        left = change - np.where(arm == 1, change[arm == 1].mean(), change[arm == 0].mean())
        assert_allclose(last.standard_error, np.sqrt(left @ left / 98 * 4 / n), rtol=1e-6)
    if name == "cs":  # exactly the split plot
        assert_allclose(last.df, 294, rtol=1e-5)


@pytest.mark.requirement("STATS-MMRM-CORRELATION")
def test_a_visit_without_degrees_of_freedom_is_refused_and_no_other_reason_is_given():
    # Six visits and four effects at each: nine people with a visit leave none.
    data = random_trial(4, people=8, missing=0.0)
    here = np.eye(6)[data.visit]
    X = np.column_stack([data.X[:, :12], here * data.X[:, 12:]])
    assert status_of(data.with_(X=X)) == Status.FEW_AT_VISIT
    more = random_trial(4, people=9, missing=0.0)
    X = np.column_stack([more.X[:, :12], np.eye(6)[more.visit] * more.X[:, 12:]])
    fit = fit_mmrm(more.y, X, more.subject, more.visit)
    assert (fit.status, fit.diagnosis.freedom) == (Status.OK, 1)


@pytest.mark.requirement("STATS-MMRM-CORRELATION")
def test_the_unit_of_values_is_the_largest_power_of_ten_that_divides_them():
    for values, unit in (
        ([7.1, 6.8, 12.0], 0.1),
        ([7.13, 6.8], 0.01),
        ([150.0, 20.0], 10.0),
        ([3.0, 20.0], 1.0),
        ([0.001, 2.5], 0.001),
        ([np.pi, 2.0], 0.0),
        ([0.0, 0.0], 0.0),
        ([], 0.0),
    ):
        assert unit_of(np.array(values)) == pytest.approx(unit, rel=1e-12)


@pytest.mark.requirement("STATS-MMRM-CORRELATION")
def test_fits_of_high_correlation_reject_as_often_as_they_say():
    source, rejected, trials = np.random.default_rng(5), 0, 1500
    n, T = 21, 4
    arm, subject, visit = np.arange(n) % 2, np.repeat(np.arange(n), T), np.tile(np.arange(T), n)
    here = np.eye(T)[visit]
    X = np.column_stack([here, here * arm[subject][:, None]])
    change = np.eye(8)[7] - np.eye(8)[4]
    for _ in range(trials):
        y = source.normal(size=(n, 1)) * 10 + source.normal(size=(n, T)) * 0.2
        y[source.random(y.shape) < 0.1] = np.nan
        fit = fit_mmrm(y.ravel(), X, subject, visit)
        assert fit.status == Status.OK and fit.diagnosis.correlation > 0.999
        rejected += contrast(fit, change).p_value[0] < 0.05
    # 5 % with four Monte-Carlo standard errors; 4,000 trials gave 5.2 % (and 4.6 % of the difference itself).
    assert abs(rejected / trials - 0.05) < 4 * np.sqrt(0.05 * 0.95 / trials)


def test_a_search_that_is_cut_short_says_so(monkeypatch):
    monkeypatch.setattr("equipoise.stats.mmrm.optimise.STEPS", 1)
    assert status_of(random_trial(2)) == Status.NOT_CONVERGED


def test_contrasts_that_depend_on_each_other():
    fit = fit_mmrm(*random_trial(1).args)
    rows = np.eye(13)[[7, 8, 7]] + np.eye(13)[[8, 9, 8]]
    assert joint_test(fit, rows).status[0] == Status.DEPENDENT_CONTRASTS


def test_a_scaled_f_without_degrees_of_freedom():
    # All nine coefficients of twelve people at four visits: the moments of F ask for fewer than two of them.
    data = random_trial(1, people=12, visits=4, missing=0.1)
    found = joint_test(fit_mmrm(*data.args), np.eye(9), method="kenward-roger-linear")
    assert found.status[0] == Status.TOO_FEW_OBSERVATIONS
    assert np.isnan(found.p_value[0])


def test_mistakes_of_the_caller():
    data = random_trial(1)
    fit = fit_mmrm(*data.args)
    twice = data.only(np.r_[np.arange(len(data.y)), np.flatnonzero(data.seen)[:1]])
    for call, words in (
        (lambda: fit_mmrm(*twice.args), "two values"),
        (lambda: fit_mmrm(*data.args, visits=4), "numbered"),
        (lambda: fit_mmrm(data.y[:-1], *data.args[1:]), "one row"),
        (lambda: fit_mmrm(*data.args, structure="sp"), "structure"),
        (lambda: fit_mmrm(*data.args, weights=np.zeros(len(data.y))), "weights"),
        (lambda: fit_mmrm(*data.args, structure="ris", times=np.zeros(6)), "distinct"),
        (lambda: contrast(fit, np.zeros(13)), "all 0"),
        (lambda: contrast(fit, np.ones(12)), "do not fit"),
        (lambda: contrast(fit, np.ones(13), method="normal"), "method"),
        (lambda: coefficient_covariance(fit, "normal"), "method"),
        (lambda: joint_test(fit, np.eye(13)[:2], method="cr2"), "joint"),
        (lambda: visit_design(data.y, data.arm, data.subject, data.visit, arms=1, visits=6), "numbered"),
    ):
        with pytest.raises(ValueError, match=words):
            call()
    design = visit_design(data.y, data.arm, data.subject, data.visit, arms=2, visits=6)
    with pytest.raises(ValueError, match="compared"):
        design.differences(1, 1)


# ---- the search


@pytest.mark.requirement("STATS-MMRM-CONVERGENCE")
@pytest.mark.parametrize("name", ["us", "csh", "toeph", "ar1h", "ris"])
def test_starting_again_changes_nothing(name):
    data = random_trial(7, missing=0.05)
    fit = fit_mmrm(*data.args, structure=name)
    assert fit.message == "ok"
    solved, T = fit.solved, 6
    apart = np.abs(np.subtract.outer(np.arange(T), np.arange(T)))
    error = np.sqrt(np.diagonal(coefficient_covariance(fit, "satterthwaite")))
    for moments in (solved.optimum.point.sigma, np.eye(T), 2.0 * 0.7**apart, 0.5 + 0.5 * np.eye(T)):
        again = minimise(solved.data.blocks, solved.family, solved.family.start(moments), reml=True)
        assert again.converged
        assert_allclose(again.point.sigma, solved.optimum.point.sigma, rtol=1e-8, atol=1e-8)
        moved = again.point.coefficients - solved.optimum.point.coefficients
        assert np.abs(solved.data.scale * solved.data.factor @ moved / error).max() < 1e-8


def test_threads_are_given_back():
    with one_thread(), one_thread():
        pass
    for failing in (True, False):
        try:
            with one_thread():
                assert not failing
        except AssertionError:
            pass
    assert fit_mmrm(*random_trial(3).args).status == Status.OK
