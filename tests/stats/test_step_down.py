"""Step-down p-values: by hand, by brute force, and in trials without effect."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from equipoise.stats.rerandomisation import rerandomise_difference
from equipoise.stats.status import Status
from equipoise.stats.step_down import step_down_differences, step_down_min_p

NONE = np.zeros((12, 0))


def allocations(n: int = 12) -> np.ndarray:
    """Every way to put half of n people into the active arm."""
    rows = np.zeros((len(list(combinations(range(n), n // 2))), n), np.bool_)
    for row, chosen in zip(rows, combinations(range(n), n // 2), strict=True):
        row[list(chosen)] = True
    return rows


def plain_step_down(statistics: np.ndarray) -> np.ndarray:
    """Westfall and Young's definition, written out with loops."""
    total, outcomes = statistics.shape
    p = np.array(
        [
            [(np.abs(statistics[:, j]) >= abs(statistics[b, j]) - 1e-12).sum() / total for j in range(outcomes)]
            for b in range(total)
        ]
    )
    order = sorted(range(outcomes), key=lambda j: p[0, j])
    adjusted, before = np.zeros(outcomes), 0.0
    for step, j in enumerate(order):
        left = order[step:]
        value = np.mean([min(p[b, i] for i in left) <= p[0, j] + 1e-12 for b in range(total)])
        before = max(before, value)
        adjusted[j] = before
    return adjusted


@pytest.mark.requirement("STATS-STEP-DOWN")
def test_it_is_the_definition() -> None:
    source = np.random.default_rng(4)
    for _ in range(6):
        statistics = np.round(source.normal(size=(120, 4)), 1)
        _, adjusted = step_down_min_p(statistics, np.full(4, 1e-9))
        np.testing.assert_allclose(adjusted, plain_step_down(statistics))


def test_one_outcome_alone_is_not_adjusted_and_has_the_p_of_the_plain_test() -> None:
    source = np.random.default_rng(5)
    outcome = source.normal(size=(1, 12))
    active, everyone = np.arange(12) % 2 == 0, np.ones((1, 12), np.bool_)
    drawn = source.permuted(np.tile(active, (4000, 1)), axis=1)
    found = step_down_differences(outcome, NONE, everyone, active, drawn)
    alone = rerandomise_difference(outcome, NONE, everyone, active[None], drawn)
    assert found.p_value[0] == found.p_adjusted[0] == pytest.approx(alone.p_value[0], abs=1e-12)
    assert found.smallest == pytest.approx(1 / 4001)


def test_adjusted_lies_between_the_p_alone_and_bonferroni_and_copies_cost_nothing() -> None:
    source = np.random.default_rng(6)
    outcomes = source.normal(size=(5, 12))
    outcomes[0, ::2] += 4.0
    active, everyone = np.arange(12) % 2 == 0, np.ones((5, 12), np.bool_)
    found = step_down_differences(outcomes, NONE, everyone, active, allocations())
    assert (found.p_adjusted >= found.p_value - 1e-12).all()
    assert (found.p_adjusted <= np.minimum(5 * found.p_value, 1) + 1e-9).all()
    assert found.p_adjusted[0] < 0.05
    copies = step_down_differences(np.repeat(outcomes[:1], 5, axis=0), NONE, everyone, active, allocations())
    np.testing.assert_allclose(copies.p_adjusted, found.p_value[0])


@pytest.mark.requirement("STATS-STEP-DOWN")
def test_the_chance_of_any_false_claim_keeps_the_level() -> None:
    """1,500 trials of six correlated outcomes without effect: 99.9 % of runs of 5 % give at most 7.0 %."""
    source = np.random.default_rng(20_260_402)
    active, everyone = np.arange(12) % 2 == 0, np.ones((6, 12), np.bool_)
    drawn = allocations()
    false, free = 0, 0
    for _ in range(1500):
        outcomes = source.normal(size=(6, 12)) + source.normal(size=12)
        found = step_down_differences(outcomes, NONE, everyone, source.permutation(active), drawn)
        false += bool((found.p_adjusted <= 0.05).any())
        free += bool((found.p_value <= 0.05).any())
    assert 0.03 < false / 1500 < 0.070
    assert free / 1500 > 0.10, "unadjusted, some outcome is claimed far too often"


def test_an_outcome_that_nobody_has_leaves_the_others_alone() -> None:
    source = np.random.default_rng(7)
    outcomes = source.normal(size=(3, 12))
    outcomes[1] = np.nan
    included = ~np.isnan(outcomes)
    active = np.arange(12) % 2 == 0
    found = step_down_differences(outcomes, NONE, included, active, allocations())
    others = step_down_differences(outcomes[[0, 2]], NONE, included[[0, 2]], active, allocations())
    np.testing.assert_array_equal(found.p_adjusted[[0, 2]], others.p_adjusted)
    assert np.isnan(found.p_adjusted[1]) and Status(found.status[1]) == Status.NO_OBSERVATIONS
    assert found.messages[1].startswith("nobody")


def test_baselines_of_their_own_are_taken_out_and_mistakes_are_errors() -> None:
    source = np.random.default_rng(8)
    baseline = source.normal(size=(2, 12, 1))
    outcomes = 3 * baseline[..., 0]
    outcomes[0, ::2] += 1.0
    outcomes += 0.01 * source.normal(size=(2, 12))
    active, everyone = np.arange(12) % 2 == 0, np.ones((2, 12), np.bool_)
    found = step_down_differences(outcomes, baseline, everyone, active, allocations())
    assert found.p_adjusted[0] < 0.01 < found.p_adjusted[1]
    with pytest.raises(ValueError, match="boolean"):
        step_down_differences(outcomes, baseline, everyone, active.astype(float), allocations())
    with pytest.raises(ValueError, match="do not fit"):
        step_down_differences(outcomes, baseline, everyone, active[:5], allocations())
