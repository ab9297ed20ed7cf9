"""Slow, readable twins: every sequence by itertools, every probability by the definition, in exact fractions."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import accumulate, permutations, product

import numpy as np

from equipoise.randomisation import (
    BigStick,
    MaximalProcedure,
    Minimisation,
    PermutedBlocks,
    Simple,
    Stratified,
)

UNSTRATIFIED = (
    Simple(),
    Simple((2, 1)),
    Simple((1, 1, 1)),
    PermutedBlocks((4,)),
    PermutedBlocks((6,), (2, 1)),
    PermutedBlocks((3,), (1, 1, 1)),
    PermutedBlocks((2, 4)),
    PermutedBlocks((3, 6), (2, 1)),
    BigStick(1),
    BigStick(2),
    BigStick(3),
    MaximalProcedure(1, 8),
    MaximalProcedure(2, 8),
    MaximalProcedure(3, 9),
    MaximalProcedure(2, 8, final_limit=0),
    MaximalProcedure(3, 8, final_limit=0),
)
MINIMISATIONS = (Minimisation(0.8), Minimisation(0.7, (1, 1, 1)), Minimisation(1.0))
STRATIFIED = tuple(Stratified(within) for within in UNSTRATIFIED)
ALL = (*UNSTRATIFIED, *STRATIFIED, *MINIMISATIONS)
STRATA = np.array([0, 2, 0, 0, 2, 0, 2])
FACTORS = np.array([[0, 1], [1, 0], [0, 0], [1, 1], [0, 2], [0, 1], [1, 2]])


def name(procedure) -> str:
    return procedure.description.replace(" ", "-")


def strata_for(procedure, n):
    """Strata in the form that the procedure takes."""
    if isinstance(procedure, Stratified):
        return STRATA[:n]
    return FACTORS[:n] if isinstance(procedure, Minimisation) else None


def distribution(procedure, n):
    """Every sequence with its probability, by going down the tree of `probability_of_next`."""
    found = {(): Fraction(1)}
    for place in range(n):
        strata = strata_for(procedure, place + 1)
        found = {
            (*history, arm): chance * step
            for history, chance in found.items()
            for arm, step in enumerate(procedure.probability_of_next(history, strata))
            if step
        }
    return found


def imbalances(arms):
    """The first arm less the second after each of two arms' participants, (R, n)."""
    return np.cumsum(1 - 2 * np.asarray(arms, int), axis=-1)


def blocks_by_hand(procedure, sizes, n):
    """The beginnings of length n of all arrangements of these whole blocks, which are equally probable."""
    total = sum(procedure.ratio)
    whole = []
    for size in sizes:
        content = [arm for arm, share in enumerate(procedure.ratio) for _ in range(share * size // total)]
        whole.append(sorted(set(permutations(content))))
    counts = Counter(tuple(arm for block in blocks for arm in block)[:n] for blocks in product(*whole))
    return {arms: Fraction(count, counts.total()) for arms, count in counts.items()}


def stick_by_hand(limit, n):
    """Every sequence within the limit: a half for each step at which the coin was tossed."""
    found = {}
    for arms in product((0, 1), repeat=n):
        path = [0, *accumulate(1 - 2 * arm for arm in arms)]
        if max(map(abs, path)) <= limit:
            found[arms] = Fraction(1, 2 ** sum(abs(place) < limit for place in path[:-1]))
    return found


def maximal_by_hand(limit, length, n, final=None):
    """The beginnings of length n of all lists within the limit, all lists being equally probable."""
    final = limit if final is None else final
    counts = Counter()
    for arms in product((0, 1), repeat=length):
        path = [0, *accumulate(1 - 2 * arm for arm in arms)]
        if max(map(abs, path)) <= limit and abs(path[-1]) <= final:
            counts[arms[:n]] += 1
    return {arms: Fraction(count, counts.total()) for arms, count in counts.items()}


def same(reference, expected) -> None:
    """The reference set is exactly this distribution, in lexicographic order."""
    assert reference.status == "complete"
    assert reference.size == len(expected)
    assert [tuple(row) for row in reference.arms.tolist()] == sorted(expected)
    np.testing.assert_allclose(
        reference.probabilities, [float(expected[arms]) for arms in sorted(expected)], rtol=1e-12
    )
