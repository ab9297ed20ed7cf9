"""Time to an event seen at visits: closed forms, plain twins, hazards of 0, batches, statuses, false rejections."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from equipoise.stats.interval_censored import fit_interval_censored, hazard_contrast, likelihood_ratio_p
from equipoise.stats.status import Status
from tests.stats.reference import ROOT

ONE = np.array([1.0])


def simulated(count, *, people=40, intervals=4, ratio=1.0, rate=0.3, missed=0.0, seed=3):
    """Visits, arm as the covariate and mask; hazards proportional in continuous time, drop-outs, missed visits."""
    source = np.random.default_rng(seed)
    arm = np.tile([0.0, 1.0], people)[:people]
    time = source.exponential(1 / (rate * ratio**arm), (count, people))
    visit = np.arange(1, intervals + 1)
    stay = np.where(source.uniform(size=time.shape) < 0.1, source.integers(0, intervals, time.shape), intervals)
    seen = (source.uniform(size=(count, people, intervals)) >= missed) & (visit <= stay[..., None])
    found = seen & (time[..., None] <= visit)
    first_with = np.where(found.any(axis=2), found.argmax(axis=2) + 1, -1)
    last_without = np.where(seen & ~found, visit, 0).max(axis=2)
    covariates = np.broadcast_to(arm[:, None], (count, people, 1))
    return last_without, first_with, covariates, np.ones(time.shape, bool)


def log_likelihood(hazards, b, last_without, first_with, x):
    """As it is written, for one trial: ln S(last) where no event was seen, else ln(S(last) - S(first))."""
    cumulative = np.r_[0.0, np.cumsum(-np.log1p(-hazards))]
    survival = np.exp(-np.outer(np.exp(x @ b), cumulative))
    people = np.arange(len(x))
    after = np.where(first_with > 0, survival[people, first_with], 0.0)
    return np.log(np.maximum(survival[people, last_without] - after, 1e-300)).sum()


def test_without_an_effect_of_anything_the_hazards_are_events_by_people_at_risk():
    last, first, _, everyone = simulated(3)
    fit = fit_interval_censored(last, first, np.zeros((3, 40, 0)), everyone, intervals=4)
    for interval in range(1, 5):
        events = (first == interval).sum(axis=1)
        at_risk = ((last >= interval) | (first == interval)).sum(axis=1)
        assert_allclose(fit.hazards[:, interval - 1], events / at_risk, rtol=1e-7)


def test_one_interval_and_two_arms_have_a_closed_form():
    last, first, x, everyone = simulated(4, intervals=1, rate=0.8)
    fit = fit_interval_censored(last, first, x, everyone, intervals=1)
    found = hazard_contrast(fit, ONE)
    told = (last == 1) | (first == 1)
    share = [((first == 1) & told & (x[..., 0] == a)).sum(axis=1) for a in (0, 1)]
    n = [(told & (x[..., 0] == a)).sum(axis=1) for a in (0, 1)]
    p = [events / people for events, people in zip(share, n, strict=True)]
    log_hazard = [np.log(-np.log1p(-chance)) for chance in p]
    assert_allclose(found.estimate, log_hazard[1] - log_hazard[0], rtol=1e-7)
    # The delta method on each arm's proportion.
    variance = sum(c / (1 - c) / people / np.log1p(-c) ** 2 for c, people in zip(p, n, strict=True))
    assert_allclose(found.standard_error, np.sqrt(variance), rtol=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.3, 0.6]), st.integers(1, 5))
def test_nothing_near_the_estimate_is_likelier(seed, missed, intervals):
    last, first, x, everyone = simulated(3, intervals=intervals, ratio=0.6, missed=missed, seed=seed)
    fit = fit_interval_censored(last, first, x, everyone, intervals=intervals)
    source = np.random.default_rng(1)
    for row in np.flatnonzero(fit.status == Status.OK):
        parts = last[row], first[row], x[row]
        top = log_likelihood(np.minimum(fit.hazards[row], 1 - 1e-13), fit.coefficients[row], *parts)
        assert_allclose(top, fit.log_likelihood[row], rtol=1e-8)
        for _ in range(20):
            shaken = np.clip(fit.hazards[row] + source.normal(size=intervals) * 0.02, 0.0, 1 - 1e-9)
            near = log_likelihood(shaken, fit.coefficients[row] + source.normal(size=1) * 0.05, *parts)
            assert near <= top + 1e-7


def test_a_missed_visit_at_which_nothing_can_have_been_seen_changes_nothing():
    last, first, x, everyone = simulated(2, missed=0.3)
    fit = fit_interval_censored(last, first, x, everyone, intervals=4)
    # A fifth visit that nobody came to, and a person who was only there at entry.
    longer = fit_interval_censored(last, first, x, everyone, intervals=5)
    assert_allclose(longer.coefficients, fit.coefficients, rtol=1e-7)
    assert_allclose(longer.hazards[:, 4], 0.0, atol=1e-12)
    more = [np.concatenate([part, np.zeros((2, 1), part.dtype)], axis=1) for part in (last, first)]
    more[1][:, -1] = -1
    wider = np.concatenate([x, np.ones((2, 1, 1))], axis=1)
    found = fit_interval_censored(*more, wider, np.ones((2, 41), bool), intervals=4)
    assert_allclose(found.coefficients, fit.coefficients, rtol=1e-6)


def test_a_batch_gives_what_each_trial_gives_alone_and_order_and_units_do_not_matter():
    last, first, x, everyone = simulated(4, missed=0.2, ratio=0.5)
    age = np.random.default_rng(0).uniform(8, 40, (4, 40, 1))
    both = np.concatenate([x, age], axis=2)
    everyone[1, 3] = everyone[2, 7] = False
    together = fit_interval_censored(last, first, both, everyone, intervals=4)
    turned = slice(None, None, -1)
    months = np.concatenate([x, 12 * age], axis=2)
    other = fit_interval_censored(
        last[:, turned], first[:, turned], months[:, turned], everyone[:, turned], intervals=4
    )
    assert_allclose(other.coefficients * [1, 12], together.coefficients, rtol=1e-6, atol=1e-9)
    assert_allclose(other.hazards, together.hazards, rtol=1e-6, atol=1e-12)
    for row in range(4):
        one = fit_interval_censored(last[[row]], first[[row]], both[row], everyone[[row]], intervals=4)
        assert_allclose(one.coefficients[0], together.coefficients[row], rtol=1e-9)
        assert_allclose(one.covariance[0], together.covariance[row], rtol=1e-7)


def test_the_hazard_ratio_of_continuous_time_is_found_and_the_tests_keep_their_level():
    last, first, x, everyone = simulated(2000, people=200, ratio=0.5, missed=0.2)
    found = hazard_contrast(fit_interval_censored(last, first, x, everyone, intervals=4), ONE)
    assert abs(found.estimate.mean() - np.log(0.5)) < 0.02
    assert 0.93 < ((found.lower < np.log(0.5)) & (found.upper > np.log(0.5))).mean() < 0.97
    last, first, x, everyone = simulated(2000, people=60, missed=0.2)
    full = fit_interval_censored(last, first, x, everyone, intervals=4)
    reduced = fit_interval_censored(last, first, x[..., :0], everyone, intervals=4)
    shares = [(p < 0.05).mean() for p in (hazard_contrast(full, ONE).p_value, likelihood_ratio_p(full, reduced))]
    assert all(0.03 < share < 0.07 for share in shares)
    words = "rejected {:.1%} and the likelihood-ratio test {:.1%}".format(*shares).replace("%", " %")
    assert words in (ROOT / "docs" / "statistics" / "interval_censored.md").read_text(encoding="utf-8")


def test_everybody_with_the_event_by_the_last_visit_is_no_obstacle():
    last, first, x, everyone = simulated(1, people=20, rate=0.6)
    last, first = np.where(first == -1, 3, last), np.where(first == -1, 4, first)
    fit = fit_interval_censored(last, first, x, everyone, intervals=4)
    assert fit.messages[0] == "ok"
    assert_allclose(fit.hazards[0, 3], 1.0, atol=1e-6)
    # The last interval tells nothing: cutting it off leaves the hazard ratio as it was.
    cut = fit_interval_censored(np.minimum(last, 3), np.where(first == 4, -1, first), x, everyone, intervals=3)
    assert_allclose(fit.coefficients, cut.coefficients, rtol=1e-5)


def test_what_cannot_be_estimated_has_a_status():
    last, first, x, everyone = (np.repeat(part, 6, axis=0) for part in simulated(1))
    first[1] = -1
    first[2, x[2, :, 0] == 1] = -1
    everyone[3] = False
    x[4, 5, 0] = np.nan
    everyone[5, x[5, :, 0] == 1] = False
    fit = fit_interval_censored(last, first, x, everyone, intervals=4)
    expected = ["OK", "NO_EVENTS", "SEPARATED_HAZARDS", "NO_OBSERVATIONS", "NOT_FINITE", "SINGULAR_DESIGN"]
    assert [Status(code).name for code in fit.status] == expected
    found = hazard_contrast(fit, ONE)
    assert np.isfinite(found.p_value[0]) and np.isnan(found.p_value[1:]).all()
    assert fit.events[2] > 0 and fit.n[5] == 20


@pytest.mark.requirement("STATS-STATUS-TRUE")
def test_events_of_everybody_at_once_are_not_called_events_of_nobody():
    group = np.repeat([0.0, 1.0], 10)[:, None]
    last, first = np.zeros((1, 20), dtype=int), np.ones((1, 20), dtype=int)
    fit = fit_interval_censored(last, first, group, np.ones((1, 20), dtype=bool), intervals=3)
    assert (fit.events[0], fit.n[0]) == (20, 20)
    (text,) = fit.messages
    assert "everyone has it at once" in text and "ratio of hazards" in text
    assert "conditional" not in text and "rates" not in text


def test_arguments_are_checked():
    last, first, x, everyone = simulated(1)
    fit = fit_interval_censored(last, first, x, everyone, intervals=4)
    for wrong in ((last, last), (last + 4, first), (last - 1, first)):
        with pytest.raises(ValueError, match="a visit lies between"):
            fit_interval_censored(*wrong, x, everyone, intervals=4)
    with pytest.raises(ValueError, match="whole numbers"):
        fit_interval_censored(last.astype(float), first, x, everyone, intervals=4)
    with pytest.raises(ValueError, match="make no trial"):
        fit_interval_censored(last[0], first[0], x, everyone, intervals=4)
    with pytest.raises(ValueError, match="no contrast"):
        hazard_contrast(fit, np.zeros(1))
    with pytest.raises(ValueError, match="as many covariates"):
        likelihood_ratio_p(fit, fit)
