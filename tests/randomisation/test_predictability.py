"""How guessable each procedure is: exact figures, against the definition by hand and against published ones."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest

from equipoise.randomisation import (
    BigStick,
    MaximalProcedure,
    Minimisation,
    PermutedBlocks,
    Simple,
    Stratified,
    correct_guesses,
    simulated_guesses,
)
from tests.randomisation.plain import MINIMISATIONS, UNSTRATIFIED, name


def guessed_by_hand(procedure, n):
    """Expected correct guesses and certain allocations, going down the whole tree in fractions."""
    total = sum(procedure.ratio)
    tree, correct, certain = {(): Fraction(1)}, Fraction(0), Fraction(0)
    for _ in range(n):
        after = {}
        for history, chance in tree.items():
            steps = procedure.probability_of_next(history)
            behind = [share * (len(history) + 1) - total * history.count(a) for a, share in enumerate(procedure.ratio)]
            best = [arm for arm, by in enumerate(behind) if by == max(behind)]
            correct += chance * sum(steps[arm] for arm in best) / len(best)
            certain += chance * (max(steps) == 1)
            after |= {(*history, arm): chance * step for arm, step in enumerate(steps) if step}
        tree = after
    return correct, certain


@pytest.mark.parametrize("procedure", [*UNSTRATIFIED, *MINIMISATIONS], ids=name)
@pytest.mark.parametrize("n", [1, 4, 7])
def test_the_exact_share_is_that_of_the_whole_tree(procedure, n):
    found = correct_guesses(procedure, n)
    correct, certain = guessed_by_hand(procedure, n)
    assert found.correct == pytest.approx(float(correct / n), abs=1e-12)
    assert found.by_position.shape == (n,)
    assert found.by_position.mean() == pytest.approx(found.correct)
    assert found.standard_error == 0
    if len(getattr(procedure, "sizes", ())) < 2:  # with random sizes the tree's guesser does not know them
        assert found.certain == pytest.approx(float(certain / n), abs=1e-12)


@pytest.mark.requirement("RANDOMISATION-GUESSED")
def test_the_required_figures_at_21():
    """Big stick with limit 2: 13/21; it is 0.620 to the accuracy of a simulation. Blocks of 4: 44/63. Simple: 1/2."""
    stick, blocks = correct_guesses(BigStick(2), 21), correct_guesses(PermutedBlocks((4,)), 21)
    assert stick.correct == pytest.approx(13 / 21, abs=1e-12)
    assert abs(stick.correct - 0.620) < 0.001
    assert blocks.correct == pytest.approx(44 / 63, abs=1e-12)
    assert round(blocks.correct, 3) == 0.698
    assert correct_guesses(Simple(), 21).correct == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize("size", [2, 4, 6, 8, 10, 20])
def test_whole_blocks_give_the_formula_of_blackwell_and_hodges(size):
    """m + 2^(2m-1)/C(2m, m) - 1/2 of 2m (Blackwell & Hodges 1957; Rosenberger & Lachin 2016, section 5.4)."""
    m = size // 2
    expected = Fraction(m) + Fraction(2 ** (size - 1), comb(size, m)) - Fraction(1, 2)
    for blocks in (1, 3):
        found = correct_guesses(PermutedBlocks((size,)), size * blocks)
        assert found.correct == pytest.approx(float(expected / size), abs=1e-12)


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_big_stick_tends_to_a_half_and_a_quarter_of_the_inverse_limit(limit):
    """The stationary share of certain allocations is 1/(2·limit), and half of the rest is guessed."""
    places = correct_guesses(BigStick(limit), 402).by_position[-2:]
    assert places.mean() == pytest.approx(0.5 + 1 / (4 * limit), abs=1e-6)


# Zhao, Weng, Wu & Palesch, Pharm Stat 2012;11:39-48, table IV: n = 100, by simulation of 5,000 trials.
PUBLISHED = [
    (BigStick(4), 0.558, 0.118),
    (PermutedBlocks((2,)), 0.751, 0.5),
    (PermutedBlocks((4,)), 0.709, 0.334),
    (PermutedBlocks((6,)), 0.680, 0.241),
    (PermutedBlocks((8,)), 0.662, 0.192),
    (PermutedBlocks((10,)), 0.654, 0.167),
    (PermutedBlocks((12,)), 0.639, 0.137),
    (PermutedBlocks((30,)), 0.591, 0.056),
    (PermutedBlocks((100,)), 0.558, 0.020),
]


@pytest.mark.parametrize(
    ("procedure", "correct", "certain"), PUBLISHED, ids=lambda value: getattr(value, "description", None)
)
def test_published_figures_at_100(procedure, correct, certain):
    found = correct_guesses(procedure, 100)
    # Each trial's share has a standard deviation below 0.05: 0.0007 of simulation error, and half a unit of rounding.
    assert found.correct == pytest.approx(correct, abs=0.0025)
    assert found.certain == pytest.approx(certain, abs=0.0015)


@pytest.mark.parametrize(("n", "correct"), [(20, 0.616), (80, 0.617), (300, 0.617)])
def test_published_figures_of_blocks_of_20(n, correct):
    """The same, table III."""
    assert correct_guesses(PermutedBlocks((20,)), n).correct == pytest.approx(correct, abs=0.002)


@pytest.mark.parametrize(
    "procedure",
    [Simple((2, 1)), BigStick(2), MaximalProcedure(2), PermutedBlocks((2, 4)), Minimisation(0.8)],
    ids=name,
)
def test_simulation_agrees_within_its_error(procedure):
    exact = correct_guesses(procedure, 21)
    found = simulated_guesses(procedure, np.random.default_rng(17).random((20_000, 21)))
    assert 0 < found.standard_error < 0.002
    assert abs(found.correct - exact.correct) < 4 * found.standard_error
    np.testing.assert_allclose(found.by_position, exact.by_position, atol=0.016)
    assert np.isnan(found.certain)


def test_strata_hide_the_next_arm_from_one_who_counts_them_all_together():
    source = np.random.default_rng(23)
    values, strata = source.random((5_000, 20)), source.integers(0, 4, (5_000, 20))
    mixed = simulated_guesses(Stratified(PermutedBlocks((4,))), values, strata)
    assert mixed.correct < correct_guesses(PermutedBlocks((4,)), 20).correct - 0.05


def test_a_toss_counts_as_its_chance_and_one_trial_has_no_error():
    found = simulated_guesses(BigStick(2), np.array([[0.1, 0.1, 0.9, 0.9]]))  # 0 0 1 1, so behind: =, 1, 1, 1
    np.testing.assert_array_equal(found.by_position, [0.5, 0, 1, 1])
    assert np.isnan(found.standard_error)


def test_there_must_be_something_to_guess():
    with pytest.raises(ValueError, match="nothing to guess"):
        correct_guesses(BigStick(2), 0)
    with pytest.raises(ValueError, match="needs the stratum"):
        correct_guesses(Stratified(BigStick(2)), 5)
