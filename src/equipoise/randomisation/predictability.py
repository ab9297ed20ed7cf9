"""How often somebody guesses the next allocation who knows all earlier ones.

The guesser bets on convergence (Blackwell & Hodges, Ann Math Stat 1957;28:449-460): on the arm that is behind its
share, and by a toss between arms that are equally far behind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.randomisation.arrays import Counts, Floats, Indices, Levels
from equipoise.randomisation.permuted_blocks import PermutedBlocks
from equipoise.randomisation.procedure import Procedure
from equipoise.randomisation.walk import Course, Sequential


@dataclass(frozen=True, slots=True, eq=False)
class Guesses:
    """How guessable n allocations are.

    correct:         expected share of the n that is guessed, the last block counted as far as it goes.
    certain:         expected share that is certain, to one who knows the procedure and the block sizes; NaN where it
                     was simulated.
    by_position:     (n,) probability of a correct guess at each.
    standard_error:  of `correct` by simulation; 0 where it is exact.
    """

    correct: float
    certain: float
    by_position: Floats
    standard_error: float


def correct_guesses(procedure: Sequential, n: int) -> Guesses:
    """Exact, by running over the distinct states that n allocations can reach, with their probabilities.

    Minimisation is taken without factors: then it knows the overall numbers only.
    ValueError: n below 1, or a stratified procedure: ask for the one within, and for the number in one stratum.
    """
    if n < 1:
        raise ValueError(f"there is nothing to guess among {n} allocations")
    if isinstance(procedure, PermutedBlocks):
        correct, certain = _by_blocks(procedure, n)
    else:
        correct, certain = _by_states(procedure, n)
    return Guesses(float(correct.mean()), float(certain.mean()), correct, 0.0)


def simulated_guesses(procedure: Procedure, uniforms: Floats, strata: Levels | None = None) -> Guesses:
    """The same from R simulated trials, uniforms (R, n) and strata as in `allocate`, with its standard error.

    The guesser counts the arms of all participants, whatever their strata; a toss counts as its chance of being right.
    """
    arms = procedure.allocate(uniforms, strata)
    rows = np.arange(len(arms))
    counts = np.zeros((len(arms), len(procedure.ratio)), np.int64)
    right = np.empty(arms.shape)
    for place, column in enumerate(arms.T):
        right[:, place] = _guess(counts, procedure.ratio)[rows, column]
        counts[rows, column] += 1
    shares = right.mean(axis=1)
    error = float(shares.std(ddof=1) / np.sqrt(len(shares))) if len(shares) > 1 else float("nan")
    return Guesses(float(shares.mean()), float("nan"), right.mean(axis=0), error)


def _guess(counts: Counts, ratio: tuple[int, ...]) -> Floats:
    """The probability (R, arms) with which each arm is guessed: those that would be furthest behind their share."""
    shares = np.array(ratio)
    behind = shares * (counts.sum(axis=1, keepdims=True) + 1) - shares.sum() * counts
    furthest = behind == behind.max(axis=1, keepdims=True)
    return furthest / furthest.sum(axis=1, keepdims=True)


def _by_states(procedure: Sequential, n: int) -> tuple[Floats, Floats]:
    """The probability of a correct guess, and of certainty, at each of n allocations.

    Sequences with the same numbers in the arms and the same state of the procedure are one row.
    """
    walk = procedure.walk(procedure.prepared(Course(1, n)))
    counts, chance = np.zeros((1, len(procedure.ratio)), np.int64), np.ones(1)
    correct, certain = np.empty(n), np.empty(n)
    for place in range(n):
        walk.arrive(place, np.zeros(len(chance)))
        weights = walk.weights()
        next_arm = (weights / weights.sum(axis=0)).T
        correct[place] = chance @ (next_arm * _guess(counts, procedure.ratio)).sum(axis=1)
        certain[place] = chance @ ((next_arm > 0).sum(axis=1) == 1)
        rows, arm = np.nonzero(next_arm)
        walk.keep(rows)
        walk.take(arm.astype(np.int8))
        counts, chance = counts[rows], chance[rows] * next_arm[rows, arm]
        counts[np.arange(len(rows)), arm] += 1
        kept, merged = _merged(np.concatenate([counts, walk.states()], axis=1))
        chance = np.bincount(merged, chance)
        counts = counts[kept]
        walk.keep(kept)
    return correct, certain


def _merged(states: Counts) -> tuple[Indices, Indices]:
    """The first row of each distinct state, and the state of each row."""
    _, kept, merged = np.unique(states, axis=0, return_index=True, return_inverse=True)
    return kept, merged.ravel()


def _by_blocks(procedure: PermutedBlocks, n: int) -> tuple[Floats, Floats]:
    """Each block begins in balance, so a place is guessed as within its block: a sum over where that began."""
    within = {size: _by_states(PermutedBlocks((size,), procedure.ratio), size) for size in procedure.sizes}
    begins = np.zeros(n + max(procedure.sizes))
    begins[0] = 1
    found = np.zeros((2, n))
    for start in range(n):
        for size, profile in within.items():
            met = min(size, n - start)
            share = begins[start] / len(procedure.sizes)
            begins[start + size] += share
            found[:, start : start + met] += share * np.stack(profile)[:, :met]
    return found[0], found[1]
