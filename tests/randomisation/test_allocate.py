"""What `allocate` promises: the exact distribution, limits and ratios kept, each participant's arm their own affair."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product
from math import lcm

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from equipoise.randomisation import (
    BigStick,
    MaximalProcedure,
    Minimisation,
    PermutedBlocks,
    Simple,
    Stratified,
    cells,
)
from tests.randomisation.plain import ALL, STRATA, distribution, imbalances, name, strata_for

# The extremes too: nothing below 1 is nearer to it than 1 - 2⁻⁵³.
UNIFORMS = st.one_of(st.just(0.0), st.just(1 - 2.0**-53), st.just(0.5), st.floats(0, 1, exclude_max=True))


def some(rows, n, highest=UNIFORMS):
    return arrays(np.float64, (rows, n), elements=highest)


def uniforms(rows, n, seed=7):
    return np.random.default_rng(seed).random((rows, n))


def boundaries(procedure, n):
    """How fine a grid must be to have every boundary between arms on it."""
    within = getattr(procedure, "within", procedure)
    if len(getattr(within, "sizes", ())) > 1:
        return 12 if within.ratio == (1, 1) else 60  # half a uniform for the size, then what is left of a block
    strata = strata_for(procedure, n)
    known = [None if strata is None else strata[: place + 1] for place in range(n)]
    steps = [procedure.probability_of_next(arms[:k], known[k]) for arms in distribution(procedure, n) for k in range(n)]
    return lcm(*(chance.denominator for step in steps for chance in step))


@pytest.mark.requirement("RANDOMISATION-METHODS")
@pytest.mark.parametrize("procedure", ALL, ids=name)
def test_a_grid_of_uniforms_gives_the_exact_distribution(procedure):
    """The midpoints of such a grid are equally probable, so their counts are the exact probabilities of `allocate`."""
    n = next(n for n in (4, 3, 2) if boundaries(procedure, n) ** n <= 300_000)
    grid = boundaries(procedure, n)
    points = (np.array(list(product(range(grid), repeat=n))) + 0.5) / grid
    met = Counter(map(tuple, procedure.allocate(points, strata_for(procedure, n)).tolist()))
    assert {arms: Fraction(count, grid**n) for arms, count in met.items()} == distribution(procedure, n)


@pytest.mark.parametrize("procedure", ALL, ids=name)
@given(values=some(3, 7))
def test_no_arm_of_probability_zero_is_ever_taken(procedure, values):
    strata = strata_for(procedure, 7)
    for arms in procedure.allocate(values, strata).tolist():
        for place, arm in enumerate(arms):
            before = None if strata is None else strata[: place + 1]
            assert procedure.probability_of_next(tuple(arms[:place]), before)[arm] > 0


@pytest.mark.requirement("RANDOMISATION-BALANCE")
@given(values=some(2, 30), limit=st.integers(1, 5), final=st.integers(0, 5))
def test_balance_limits_are_never_exceeded(values, limit, final):
    assert np.abs(imbalances(BigStick(limit).allocate(values))).max() <= limit
    assert np.abs(imbalances(MaximalProcedure(limit).allocate(values))).max() <= limit
    ends = imbalances(MaximalProcedure(limit, final_limit=min(final, limit)).allocate(values))
    assert np.abs(ends).max() <= limit
    assert np.abs(ends[:, -1]).max() <= min(final, limit)


@pytest.mark.requirement("RANDOMISATION-BALANCE")
@given(
    values=some(2, 36),
    ratio=st.sampled_from([(1, 1), (2, 1), (1, 2), (1, 1, 1), (3, 2, 1)]),
    multiples=st.sets(st.integers(1, 3), min_size=1),
)
def test_every_block_holds_the_ratio_exactly(values, ratio, multiples):
    procedure = PermutedBlocks(tuple(sum(ratio) * multiple for multiple in multiples), ratio)
    for arms, sizes in zip(procedure.allocate(values).tolist(), procedure.block_sizes(values).tolist(), strict=True):
        start = 0
        while start + sizes[start] <= len(arms):
            size = sizes[start]
            assert size in procedure.sizes
            assert set(sizes[start : start + size]) == {size}
            block = arms[start : start + size]
            assert [block.count(arm) for arm in range(len(ratio))] == [share * size // sum(ratio) for share in ratio]
            start += size
            if start == len(arms):
                break
        # The last block, broken off, is a beginning of a whole one.
        for arm, share in enumerate(ratio):
            assert arms[start:].count(arm) <= share * sizes[-1] // sum(ratio)


@pytest.mark.requirement("RANDOMISATION-METHODS")
@given(values=some(2, 24), strata=arrays(np.int64, (2, 24), elements=st.integers(0, 3)))
def test_each_stratum_is_a_sequence_of_its_own(values, strata):
    for within in (
        Simple((2, 1)),
        PermutedBlocks((4,)),
        PermutedBlocks((3, 6), (2, 1)),
        BigStick(2),
        MaximalProcedure(2, 24),
    ):
        arms = Stratified(within).allocate(values, strata)
        sizes = Stratified(within).block_sizes(values, strata)
        assert (sizes is None) == (not isinstance(within, PermutedBlocks))
        for trial in range(2):
            for stratum in range(4):
                members = strata[trial] == stratum
                alone = values[trial, members][None]
                np.testing.assert_array_equal(arms[trial, members], within.allocate(alone)[0])
                if sizes is not None:
                    np.testing.assert_array_equal(sizes[trial, members], within.block_sizes(alone)[0])


def test_strata_of_all_trials_may_be_given_once():
    values = uniforms(5, 7)
    for within in (BigStick(2), PermutedBlocks((2, 4))):
        once = Stratified(within).allocate(values, STRATA)
        np.testing.assert_array_equal(once, Stratified(within).allocate(values, np.tile(STRATA, (5, 1))))


def test_a_maximal_procedure_without_a_length_has_a_list_as_long_as_the_trial_in_each_stratum():
    values, strata = uniforms(200, 12), np.tile([0, 1, 2], (200, 4))
    found = Stratified(MaximalProcedure(2)).allocate(values, strata)
    np.testing.assert_array_equal(found, Stratified(MaximalProcedure(2, 12)).allocate(values, strata))
    assert (found != Stratified(MaximalProcedure(2, 4)).allocate(values, strata)).any()


@pytest.mark.requirement("RANDOMISATION-PURE")
@given(values=some(2, 20), shorter=st.integers(0, 20))
def test_an_arm_does_not_depend_on_how_many_follow(values, shorter):
    strata = np.arange(20) * 7 % 3
    factors = np.stack([np.arange(20) % 2, np.arange(20) // 3 % 3], axis=1)
    for procedure in (
        Simple((2, 1)),
        PermutedBlocks((2, 4)),
        BigStick(2),
        MaximalProcedure(2, length=20),
        Stratified(PermutedBlocks((3, 6), (2, 1))),
        Stratified(MaximalProcedure(2, length=20)),
        Minimisation(0.8),
    ):
        given_strata = {Stratified: strata, Minimisation: factors}.get(type(procedure))
        whole = procedure.allocate(values, given_strata)
        part = procedure.allocate(values[:, :shorter], None if given_strata is None else given_strata[:shorter])
        np.testing.assert_array_equal(part, whole[:, :shorter])


def test_without_a_length_the_maximal_procedure_looks_ahead():
    """It is uniform over whole sequences, so how the next one falls depends on how many are to come."""
    assert MaximalProcedure(2, 2).probability_of_next((0,)) == (Fraction(1, 2), Fraction(1, 2))
    assert MaximalProcedure(2, 3).probability_of_next((0,)) == (Fraction(1, 3), Fraction(2, 3))
    values = np.array([[0.0, 0.4, 0.0]])
    assert MaximalProcedure(2).allocate(values[:, :2])[0, 1] == 0
    assert MaximalProcedure(2).allocate(values)[0, 1] == 1


@pytest.mark.parametrize("procedure", ALL, ids=name)
def test_trials_do_not_touch_one_another(procedure):
    values = uniforms(20, 7)
    strata = strata_for(procedure, 7)
    together = procedure.allocate(values, strata)
    assert together.shape == (20, 7)
    assert together.dtype == np.int8
    alone = np.concatenate([procedure.allocate(values[trial : trial + 1], strata) for trial in range(20)])
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together, procedure.allocate(values, strata))


@pytest.mark.parametrize("procedure", ALL, ids=name)
def test_no_trials_and_no_participants_are_no_mistake(procedure):
    strata = strata_for(procedure, 7)
    assert procedure.allocate(np.zeros((0, 7)), strata).shape == (0, 7)
    assert procedure.allocate(np.zeros((3, 0)), None if strata is None else strata[:0]).shape == (3, 0)


def test_a_long_list_neither_overflows_nor_vanishes():
    """The ways to go on are more than any float holds long before 2,000."""
    arms = MaximalProcedure(3).allocate(uniforms(20, 2_000))
    assert np.abs(imbalances(arms)).max() == 3
    assert 0.45 < arms.mean() < 0.55
    long = MaximalProcedure(2, 400)
    middle = long.allocate(np.full((1, 400), 0.5))
    plain, history = [], ()
    for _ in range(400):
        plain.append(int(Fraction(1, 2) >= long.probability_of_next(history)[0]))
        history = tuple(plain)
    np.testing.assert_array_equal(middle[0], plain)


def test_minimisation_balances_the_margins_better_than_simple_randomisation():
    source = np.random.default_rng(11)
    factors = np.stack([source.integers(0, 2, (400, 40)), source.integers(0, 3, (400, 40))], axis=2)
    values = source.random((400, 40))

    def unbalanced(arms):
        signs = 1 - 2 * arms.astype(int)
        return np.mean([np.abs((signs * (factors[:, :, 0] == level)).sum(axis=1)).mean() for level in range(2)])

    assert unbalanced(Minimisation(0.8).allocate(values, factors)) < unbalanced(Simple().allocate(values)) / 2


@pytest.mark.parametrize("procedure", ALL, ids=name)
def test_everybody_has_each_arm_with_its_share_of_probability(procedure):
    """Over all sequences, each participant's chances are the ratio: else a re-randomisation test would be biased."""
    shares = {}
    for arms, chance in distribution(procedure, 5).items():
        for place, arm in enumerate(arms):
            shares[place, arm] = shares.get((place, arm), 0) + chance
    total = sum(procedure.ratio)
    assert shares == {
        (place, arm): Fraction(share, total) for place in range(5) for arm, share in enumerate(procedure.ratio)
    }


def test_minimisation_follows_its_preference_with_its_probability():
    procedure = Minimisation(0.8)
    factors = np.array([[0, 0], [0, 1], [0, 0]])
    assert procedure.probability_of_next((), factors[:1]) == (Fraction(1, 2), Fraction(1, 2))
    assert procedure.probability_of_next((0,), factors[:2]) == (Fraction(1, 5), Fraction(4, 5))
    # The first factor is in balance, the second is not.
    assert procedure.probability_of_next((0, 1), factors) == (Fraction(1, 5), Fraction(4, 5))
    three = Minimisation(0.7, (1, 1, 1))
    assert three.probability_of_next((0,)) == (Fraction(3, 20), Fraction(17, 40), Fraction(17, 40))


def test_levels_of_several_factors_become_one_stratum():
    levels = np.array([[[0, 0], [0, 2], [1, 1]], [[1, 2], [1, 0], [0, 1]]])
    np.testing.assert_array_equal(cells(levels, (2, 3)), [[0, 2, 4], [5, 3, 1]])
    with pytest.raises(ValueError, match="below 2, 3"):
        cells(np.array([[0, 3]]), (2, 3))
    with pytest.raises(ValueError, match="2 factors, and 1 numbers"):
        cells(np.array([[0, 1]]), (2,))
