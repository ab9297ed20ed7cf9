"""Reference sets: exactly what the procedure could have done given what happened, written out and drawn."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from equipoise.randomisation import (
    BigStick,
    MaximalProcedure,
    Minimisation,
    PermutedBlocks,
    Realised,
    Simple,
    Stratified,
)
from tests.randomisation.plain import (
    ALL,
    STRATA,
    blocks_by_hand,
    distribution,
    imbalances,
    maximal_by_hand,
    name,
    same,
    stick_by_hand,
    strata_for,
)


def sizes_by_hand(blocks, n):
    """Each participant's block size, from the sizes of whole blocks."""
    return np.repeat(blocks, blocks)[:n]


def realised_for(procedure, n, seed=5):
    """What one trial of this procedure gave besides arms."""
    strata = strata_for(procedure, n)
    sizes = procedure.block_sizes(np.random.default_rng(seed).random((1, n)), strata)
    return Realised(n, strata, None if sizes is None else sizes[0])


def one_size(procedure):
    return len(getattr(getattr(procedure, "within", procedure), "sizes", ())) < 2


@pytest.mark.parametrize("procedure", [one for one in ALL if one_size(one)], ids=name)
@pytest.mark.parametrize("n", [0, 1, 5, 7])
def test_the_set_is_what_the_chances_of_each_step_multiply_to(procedure, n):
    strata = strata_for(procedure, n)
    same(procedure.enumerate(Realised(n, strata)), distribution(procedure, n))


@pytest.mark.requirement("RANDOMISATION-REFERENCE")
@pytest.mark.parametrize(
    ("procedure", "blocks", "n"),
    [
        (PermutedBlocks((4,)), [4, 4], 8),
        (PermutedBlocks((4,)), [4, 4], 6),
        (PermutedBlocks((2, 4)), [2, 4, 2], 8),
        (PermutedBlocks((2, 4)), [4, 2, 4], 7),
        (PermutedBlocks((6,), (2, 1)), [6, 6], 8),
        (PermutedBlocks((3, 6), (2, 1)), [3, 6], 8),
        (PermutedBlocks((3,), (1, 1, 1)), [3, 3, 3], 7),
    ],
)
def test_permuted_blocks_given_their_sizes_are_all_arrangements_of_those_blocks(procedure, blocks, n):
    found = procedure.enumerate(Realised(n, block_sizes=sizes_by_hand(blocks, n)))
    same(found, blocks_by_hand(procedure, blocks, n))
    if sum(blocks) == n:
        np.testing.assert_allclose(found.probabilities, 1 / found.size)


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_big_stick_is_every_sequence_within_the_limit_and_they_are_not_equally_probable(limit):
    found = BigStick(limit).enumerate(Realised(9))
    same(found, stick_by_hand(limit, 9))
    assert len(set(found.probabilities)) > (1 if limit > 1 else 0)


@pytest.mark.requirement("RANDOMISATION-EQUAL")
@pytest.mark.parametrize(("limit", "final"), [(1, None), (2, None), (2, 0), (3, None), (3, 2)])
def test_every_list_of_the_maximal_procedure_is_equally_probable(limit, final):
    found = MaximalProcedure(limit, final_limit=final).enumerate(Realised(10))
    same(found, maximal_by_hand(limit, 10, 10, final))
    np.testing.assert_allclose(found.probabilities, 1 / found.size, rtol=1e-12)


@pytest.mark.parametrize(("limit", "final"), [(2, None), (2, 0), (3, 1)])
def test_a_trial_that_ends_before_its_list_has_the_beginnings_of_lists(limit, final):
    same(MaximalProcedure(limit, 10, final).enumerate(Realised(7)), maximal_by_hand(limit, 10, 7, final))


def test_the_maximal_procedure_with_a_wide_limit_and_final_balance_is_one_permuted_block():
    one = MaximalProcedure(4, 8, final_limit=0).enumerate(Realised(8))
    other = PermutedBlocks((8,)).enumerate(Realised(8))
    assert one.size == other.size == comb(8, 4)
    np.testing.assert_array_equal(one.arms, other.arms)
    assert MaximalProcedure(1, 8, final_limit=0).enumerate(Realised(8)).size == 2**4  # blocks of two


def test_strata_multiply():
    """The set of a stratified trial is the product of the sets of its strata."""
    within = PermutedBlocks((2, 4))
    sizes = np.zeros(7, int)
    sizes[STRATA == 0], sizes[STRATA == 2] = sizes_by_hand([4], 4), sizes_by_hand([2, 4], 3)
    found = Stratified(within).enumerate(Realised(7, STRATA, sizes))
    expected = {}
    parts = blocks_by_hand(within, [4], 4), blocks_by_hand(within, [2, 4], 3)
    for (first, chance), (second, other) in product(parts[0].items(), parts[1].items()):
        arms = np.zeros(7, int)
        arms[STRATA == 0], arms[STRATA == 2] = first, second
        expected[tuple(arms.tolist())] = chance * other
    same(found, expected)


@pytest.mark.parametrize("procedure", [PermutedBlocks((2, 4)), PermutedBlocks((3, 6), (2, 1))], ids=name)
def test_averaged_over_the_sizes_the_conditional_sets_are_the_procedure(procedure):
    """Random block sizes: the sets given the sizes, weighted by the sizes' probabilities, are the unconditional one."""
    n, totals = 6, {}
    for blocks in product(procedure.sizes, repeat=n):
        count = next(count for count in range(n + 1) if sum(blocks[:count]) >= n)
        if blocks[count:] != (procedure.sizes[0],) * (n - count):
            continue  # sizes of blocks that were never begun
        found = procedure.enumerate(Realised(n, block_sizes=sizes_by_hand(blocks[:count], n)))
        for arms, chance in zip(map(tuple, found.arms.tolist()), found.probabilities, strict=True):
            totals[arms] = totals.get(arms, 0) + chance / len(procedure.sizes) ** count
    expected = distribution(procedure, n)
    assert totals.keys() == expected.keys()
    for arms, chance in expected.items():
        assert totals[arms] == pytest.approx(float(chance))


@pytest.mark.requirement("RANDOMISATION-REFERENCE")
@pytest.mark.parametrize("procedure", ALL, ids=name)
def test_draws_are_from_the_set_in_its_proportions(procedure):
    given_ = realised_for(procedure, 6)
    whole = procedure.enumerate(given_)
    drawn = procedure.draw(given_, np.random.default_rng(2_024).random((60_000, 6)))
    base = len(procedure.ratio) ** np.arange(5, -1, -1)
    names, counts = np.unique(drawn @ base, return_counts=True)
    expected = dict(zip((whole.arms @ base).tolist(), whole.probabilities, strict=True))
    assert set(names.tolist()) <= expected.keys()
    counted = dict(zip(names.tolist(), counts, strict=True))
    met = np.array([counted.get(code, 0) for code in expected])
    if len(met) > 1:
        assert chisquare(met, 60_000 * np.array(list(expected.values()))).pvalue > 1e-4


@pytest.mark.parametrize("procedure", ALL, ids=name)
def test_the_trial_itself_is_in_its_reference_set(procedure):
    values, n = np.random.default_rng(8).random((1, 7)), 7
    strata = strata_for(procedure, n)
    arms, sizes = procedure.allocate(values, strata), procedure.block_sizes(values, strata)
    given_ = Realised(n, strata, None if sizes is None else sizes[0])
    whole = procedure.enumerate(given_)
    (place,) = np.flatnonzero((whole.arms == arms).all(axis=1))
    assert procedure.probability_of(arms, given_)[0] == pytest.approx(whole.probabilities[place])
    if one_size(procedure):  # otherwise the first part of a uniform chose the size
        np.testing.assert_array_equal(procedure.draw(given_, values), arms)


@pytest.mark.parametrize("procedure", ALL, ids=name)
def test_the_probability_of_any_sequence_is_that_of_the_set_and_zero_outside(procedure):
    given_ = realised_for(procedure, 6)
    whole = procedure.enumerate(given_)
    every = np.array(list(product(range(len(procedure.ratio)), repeat=6)), np.int8)
    expected = dict(zip(map(tuple, whole.arms.tolist()), whole.probabilities, strict=True))
    wanted = [expected.get(arms, 0.0) for arms in map(tuple, every.tolist())]
    np.testing.assert_allclose(procedure.probability_of(every, given_), wanted, rtol=1e-12)


@pytest.mark.parametrize("procedure", ALL, ids=name)
def test_a_set_that_is_too_large_says_how_large(procedure):
    given_ = realised_for(procedure, 7)
    whole = procedure.enumerate(given_)
    assert procedure.enumerate(given_, at_most=whole.size).status == "complete"
    refused = procedure.enumerate(given_, at_most=whole.size - 1)
    assert refused.status == "too-many"
    assert refused.size == (None if procedure == Minimisation(1.0) else whole.size)
    assert refused.arms.shape == (0, 7)
    assert refused.probabilities.shape == (0,)


def test_the_sets_of_the_model_trial_are_small_enough_to_be_written_out():
    """n = 21: an exact test needs no draws under big stick with limit 2 or blocks of 4."""
    assert BigStick(2).enumerate(Realised(21)).size == 2 * 3**10
    assert PermutedBlocks((4,)).enumerate(Realised(21)).size == 6**5 * 2
    assert Simple().enumerate(Realised(21)).status == "too-many"
    assert Simple().enumerate(Realised(21)).size == 2**21


@given(
    limit=st.integers(1, 4),
    n=st.integers(1, 12),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_probabilities_of_a_set_sum_to_one_and_its_rows_differ(limit, n, seed):
    strata = np.random.default_rng(seed).integers(0, 2, n)
    for procedure in (BigStick(limit), MaximalProcedure(limit), Stratified(BigStick(limit))):
        found = procedure.enumerate(Realised(n, strata if isinstance(procedure, Stratified) else None))
        assert found.probabilities.sum() == pytest.approx(1)
        assert len(np.unique(found.arms, axis=0)) == found.size
        assert (found.probabilities > 0).all()


def test_the_conditional_set_differs_from_the_unconditional_one_where_sizes_are_random():
    """Conditioning matters: with blocks 2, 2 the pairs are balanced, with a block of 4 they need not be."""
    procedure = PermutedBlocks((2, 4))
    pairs = procedure.enumerate(Realised(4, block_sizes=np.array([2, 2, 2, 2])))
    four = procedure.enumerate(Realised(4, block_sizes=np.array([4, 4, 4, 4])))
    assert (pairs.size, four.size) == (4, 6)
    assert np.abs(imbalances(pairs.arms)).max() == 1
    assert procedure.probability_of_next((0,)) == (Fraction(1, 6), Fraction(5, 6))


WRONG = [
    (PermutedBlocks((2, 4)), Realised(4), "needs those that were realised"),
    (PermutedBlocks((2, 4)), Realised(4, block_sizes=np.array([4, 4, 2, 2])), "a block of 4 ends after 2"),
    (PermutedBlocks((2, 4)), Realised(2, block_sizes=np.array([6, 6])), "a block of 6 is none of"),
    (PermutedBlocks((4,)), Realised(2, block_sizes=np.array([2, 2])), "a block of 2 is none of"),
    (Stratified(PermutedBlocks((2, 4))), Realised(2, np.array([0, 1])), "needs those that were realised"),
    (Stratified(PermutedBlocks((2, 4))), Realised(2, np.array([0, 0]), np.array([2, 4])), "a block of 2 ends after 1"),
    (Stratified(Simple()), Realised(4), "needs the stratum of each"),
    (BigStick(2), Realised(2, np.array([0, 1])), "wrap it in Stratified"),
    (PermutedBlocks((2,)), Realised(2, np.array([0, 1])), "wrap it in Stratified"),
    (MaximalProcedure(2, 4), Realised(5), "4 slots, and 5 participants"),
    (Stratified(MaximalProcedure(2, 2)), Realised(4, np.array([0, 0, 0, 1])), "2 slots, and 3 participants"),
    (MaximalProcedure(2, final_limit=0), Realised(5), "cannot end in balance"),
]


@pytest.mark.parametrize(("procedure", "given_", "words"), WRONG, ids=[row[2].replace(" ", "-") for row in WRONG])
def test_what_happened_must_fit_the_procedure(procedure, given_, words):
    with pytest.raises(ValueError, match=words):
        procedure.enumerate(given_)
    with pytest.raises(ValueError, match=words):
        procedure.draw(given_, np.full((1, given_.participants), 0.5))
    with pytest.raises(ValueError, match=words):
        procedure.probability_of(np.zeros((1, given_.participants), np.int8), given_)


def test_a_list_per_stratum_need_not_be_as_long_as_the_trial():
    found = Stratified(MaximalProcedure(2, 3)).enumerate(Realised(6, np.array([0, 1, 0, 1, 0, 1])))
    assert found.size == len(maximal_by_hand(2, 3, 3)) ** 2


def test_realised_has_a_row_for_each_participant():
    with pytest.raises(ValueError, match="row for each of 3, not 2"):
        Realised(3, np.array([0, 1]))
    with pytest.raises(ValueError, match="block_sizes must have 1 axes, not 2"):
        Realised(2, block_sizes=np.array([[2, 2]]))
    with pytest.raises(ValueError, match="whole numbers from 0"):
        Realised(2, np.array([0, -1]))
    with pytest.raises(ValueError, match="whole numbers from 0"):
        Realised(2, np.array([0.5, 1.0]))
    with pytest.raises(ValueError, match="must not be negative"):
        Realised(-1)
    with pytest.raises(ValueError, match="3 columns of uniforms for 2"):
        Simple().draw(Realised(2), np.zeros((1, 3)))
    with pytest.raises(ValueError, match="3 columns of arms for 2"):
        Simple().probability_of(np.zeros((1, 3), np.int8), Realised(2))
    with pytest.raises(ValueError, match="numbers from 0 to 1"):
        Simple().probability_of(np.array([[0, 2]], np.int8), Realised(2))
