"""Every method that tests gives both one-sided p-values, and the part's p is twice the smaller."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from equipoise.analysis.analyse import prepare, run
from equipoise.analysis.data import AnalysisData
from equipoise.analysis.measured import measured_results
from equipoise.analysis.plan import plan
from equipoise.analysis.results import Result
from equipoise.protocol.load import load_protocol
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials
from equipoise.stats.rerandomisation import rerandomise_difference, rerandomise_rates
from equipoise.stats.tails import Tails, signed_tails, student_quantile, student_tails

pytestmark = pytest.mark.requirement("STATS-TAILS")


@pytest.fixture(scope="module")
def results() -> tuple[Result, ...]:
    planned = plan(load_protocol("msc-t1d"))
    (panel,) = simulate_trials(planned.protocol, load_scenario("published"), 3, 1)
    data: AnalysisData = prepare(planned, panel)
    return run(planned, data)[0]


def test_a_result_has_tails_if_and_only_if_it_has_a_p_value(results: tuple[Result, ...]) -> None:
    tested = [item for item in results if item.p_value is not None]
    assert {item.p_kind for item in tested} == {"model", "re-randomisation", "mid-p"}
    assert len({item.method for item in tested}) >= 9
    for item in results:
        assert (item.p_lower is None) == (item.p_upper is None) == (item.p_value is None), item.id


def test_the_tails_of_a_symmetric_test_are_halves_of_its_p_value(results: tuple[Result, ...]) -> None:
    for item in results:
        if item.p_kind == "model":
            tails = (item.p_lower or 0.0, item.p_upper or 0.0)
            assert 2 * min(tails) == pytest.approx(item.p_value, rel=1e-9), item.id
            assert sum(tails) == pytest.approx(1), item.id
            assert item.estimate is not None
            assert (tails[0] < tails[1]) == (item.estimate < 0), item.id


def test_the_tails_of_other_tests_share_what_was_seen(results: tuple[Result, ...]) -> None:
    """The allocation that was made is in both tails of re-randomisation, half of the table seen in each of a mid-p."""
    for item in results:
        tails = (item.p_lower or 0.0) + (item.p_upper or 0.0)
        if item.p_kind == "re-randomisation":
            assert tails > 1, item.id
        if item.p_kind == "mid-p" and item.p_value is not None:
            assert tails == pytest.approx(1), item.id


def test_re_randomisation_counts_draws_on_either_side() -> None:
    source = np.random.default_rng(5)
    outcome, active = np.round(source.normal(size=(3, 12)), 1), source.random((3, 12)) < 0.5
    active[:, :2] = [True, False]
    drawn = np.array([source.permutation(12) < 6 for _ in range(199)])
    everybody, nothing = np.ones((3, 12), np.bool_), np.zeros((3, 12, 0))
    found = rerandomise_difference(outcome, nothing, everybody, active, drawn)
    for row in range(3):
        seen = outcome[row][active[row]].mean() - outcome[row][~active[row]].mean()
        others = [outcome[row][w].mean() - outcome[row][~w].mean() for w in drawn]
        assert found.p_lower[row] == (1 + sum(t <= seen + 1e-9 for t in others)) / 200
        assert found.p_upper[row] == (1 + sum(t >= seen - 1e-9 for t in others)) / 200
    counts, years = source.poisson(2.0, (3, 12)).astype(np.float64), np.full((3, 12), 1.0)
    rates = rerandomise_rates(counts, years, everybody, active, drawn)
    for row in range(3):
        seen = np.log(counts[row][active[row]].mean() / counts[row][~active[row]].mean())
        others = [np.log(counts[row][w].mean() / counts[row][~w].mean()) for w in drawn]
        assert rates.p_lower[row] == (1 + sum(t <= seen + 1e-9 for t in others)) / 200


def test_an_allocation_that_leaves_an_arm_empty_is_extreme_on_both_sides() -> None:
    outcome, active = np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([[True, True, False, False]])
    drawn = np.array([[True, True, True, True], [False, True, False, True]])
    found = rerandomise_difference(outcome, np.zeros((1, 4, 0)), np.ones((1, 4), np.bool_), active, drawn)
    assert found.p_upper[0] == 1.0 and found.p_lower[0] == pytest.approx(2 / 3)


def test_the_part_is_twice_the_smaller_tail_with_its_side() -> None:
    tails = Tails(np.array([0.02, 0.9, 0.7, 0.5, np.nan]), np.array([0.99, 0.1, 0.6, 0.5, np.nan]))
    assert tails.two_sided[:4] == pytest.approx([0.04, 0.2, 1.0, 1.0]) and np.isnan(tails.two_sided[4])
    assert tails.side.tolist() == [-1, 1, 1, 0, 0]


def test_student_against_any_value_and_the_signed_root() -> None:
    estimate, error, df = np.array([1.2, 1.2, np.nan]), np.array([0.5, 0.5, 0.5]), np.array([9.0, np.inf, 9.0])
    found = student_tails(estimate, error, df, null=0.3)
    assert found.upper[0] == pytest.approx(scipy_stats.t.sf(1.8, 9))
    assert found.lower[1] == pytest.approx(scipy_stats.norm.cdf(1.8)) and np.isnan(found.lower[2])
    signed = signed_tails(np.array([0.04, 0.04, 1.0, np.nan]), np.array([-1.0, 2.0, 0.0, 1.0]))
    assert signed.lower[:3] == pytest.approx([0.02, 0.98, 0.5]) and np.isnan(signed.upper[3])
    assert student_quantile(0.975, None) == pytest.approx(1.959964) and student_quantile(0.975, 5.0) > 2.5


def test_a_margin_moves_the_null_value_of_a_model(results: tuple[Result, ...]) -> None:
    item = next(found for found in results if found.analysis == "hba1c-24")
    (own,) = measured_results([item])
    assert own.tails().two_sided[0] == pytest.approx(item.p_value)
    assert item.estimate is not None and item.upper is not None and item.lower is not None
    assert own.tails(item.upper).lower[0] == pytest.approx((1 - item.level) / 2)
    assert own.tails(item.lower).upper[0] == pytest.approx((1 - item.level) / 2)
    assert math.isclose(float(own.tails(item.estimate).two_sided[0]), 1.0)
