"""Names, options and what is refused; impossible histories; speed."""

from __future__ import annotations

import dataclasses
import time
from fractions import Fraction

import numpy as np
import pytest

from equipoise.randomisation import (
    BigStick,
    MaximalProcedure,
    Minimisation,
    PermutedBlocks,
    Realised,
    Simple,
    Stratified,
    procedure,
)
from tests.randomisation.plain import ALL, FACTORS, STRATA, name

MADE = [
    (("simple", {}), Simple()),
    (("simple", {"ratio": (2, 1)}), Simple((2, 1))),
    (("permuted-blocks", {"block_sizes": (4, 2, 4)}), PermutedBlocks((2, 4))),
    (("permuted-blocks", {"block_sizes": (6,), "ratio": (2, 1)}), PermutedBlocks((6,), (2, 1))),
    (("big-stick", {"limit": 2}), BigStick(2)),
    (("maximal-procedure", {"limit": 3}), MaximalProcedure(3)),
    (("maximal-procedure", {"limit": 3, "length": 21}), MaximalProcedure(3, 21)),
    (("minimisation", {"probability": 0.8}), Minimisation(0.8)),
    (("minimisation", {"probability": 0.8, "stratified": True}), Minimisation(0.8)),
    (("big-stick", {"limit": 2, "stratified": True}), Stratified(BigStick(2))),
    (("big-stick", {"limit": 2, "length": 21}), BigStick(2)),
]


@pytest.mark.requirement("RANDOMISATION-METHODS")
@pytest.mark.parametrize(("asked", "expected"), MADE)
def test_the_names_of_a_protocol_give_their_procedures(asked, expected):
    method, options = asked
    assert procedure(method, **options) == expected


REFUSED = [
    ("magic", {}, "no method 'magic'; there are simple, permuted-blocks"),
    ("permuted-blocks", {}, "permuted-blocks needs block_sizes"),
    ("big-stick", {}, "big-stick needs limit"),
    ("maximal-procedure", {}, "maximal-procedure needs limit"),
    ("minimisation", {}, "minimisation needs probability"),
    ("simple", {"limit": 2}, "simple does not use limit"),
    ("big-stick", {"limit": 2, "block_sizes": (4,)}, "big-stick does not use block_sizes"),
    ("big-stick", {"limit": 2, "ratio": (2, 1)}, "two arms at 1:1, not 2:1"),
    ("maximal-procedure", {"limit": 2, "ratio": (1, 1, 1)}, "two arms at 1:1, not 1:1:1"),
    ("big-stick", {"limit": 0}, "whole number of at least 1, not 0"),
    ("maximal-procedure", {"limit": -1}, "whole number of at least 1, not -1"),
    ("permuted-blocks", {"block_sizes": (5,)}, "a block of 5 cannot hold the ratio 1:1: use multiples of 2"),
    ("permuted-blocks", {"block_sizes": (4, 0)}, "a block holds 1 to 10000 participants, not 0"),
    ("permuted-blocks", {"block_sizes": (30_000,)}, "not 30000"),
    ("minimisation", {"probability": 0.5}, "above 0.5 and up to 1, not 0.5"),
    ("minimisation", {"probability": 1.1}, "not 1.1"),
    ("minimisation", {"probability": 0.0}, "not 0.0"),
    ("minimisation", {"probability": 0.8, "ratio": (2, 1)}, "equal shares, not 2:1"),
    ("minimisation", {"probability": 0.3, "ratio": (1, 1, 1)}, "above 0.333 and up to 1, not 0.3"),
    ("simple", {"ratio": (1,)}, "2 to 127 arms, not 1"),
    ("simple", {"ratio": (1, 0)}, "at least 1, not 1:0"),
    ("maximal-procedure", {"limit": 2, "length": -1}, "must not be negative"),
]


@pytest.mark.parametrize(("method", "options", "words"), REFUSED, ids=[row[2].replace(" ", "-") for row in REFUSED])
def test_what_cannot_be_is_refused_in_words(method, options, words):
    with pytest.raises(ValueError, match=words):
        procedure(method, **options)


def test_a_final_limit_must_be_reachable():
    with pytest.raises(ValueError, match="between 0 and the limit 2, not 3"):
        MaximalProcedure(2, final_limit=3)
    with pytest.raises(ValueError, match="a list of 21 cannot end in balance"):
        MaximalProcedure(2, 21, 0)


def test_strata_are_not_stratified_again():
    with pytest.raises(ValueError, match="takes strata itself"):
        Stratified(Stratified(BigStick(2)))
    with pytest.raises(ValueError, match="takes strata itself"):
        Stratified(Minimisation(0.8))


@pytest.mark.parametrize("one", ALL, ids=name)
def test_a_procedure_is_frozen_and_says_what_it_is(one):
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.ratio = (3, 1)
    assert hash(one) == hash(dataclasses.replace(one))
    assert one.description.split()[-1]


def test_different_procedures_describe_themselves_differently():
    assert len({one.description for one in ALL}) == len(ALL)


UNIFORMS = np.full((2, 4), 0.5)
BAD_INPUT = [
    (Simple(), (np.full(4, 0.5),), "must be .trials, participants."),
    (Simple(), (np.full((2, 4), 1.0),), r"\[0, 1\)"),
    (Simple(), (np.full((2, 4), -0.1),), r"\[0, 1\)"),
    (Simple(), (np.full((2, 4), np.nan),), r"\[0, 1\)"),
    (Simple(), (UNIFORMS, np.zeros(4, int)), "takes no strata"),
    (Stratified(Simple()), (UNIFORMS,), "needs the stratum"),
    (Stratified(Simple()), (UNIFORMS, np.zeros(3, int)), "not .3,."),
    (Stratified(Simple()), (UNIFORMS, np.zeros((1, 4), float)), "whole numbers"),
    (Stratified(Simple()), (UNIFORMS, np.zeros((4, 2), int)), "not .4, 2."),
    (Stratified(Simple()), (UNIFORMS, np.full(4, -1)), "whole numbers from 0"),
    (Minimisation(0.8), (UNIFORMS, np.zeros((3, 2), int)), "not .3, 2."),
    (Minimisation(0.8), (UNIFORMS, np.zeros((3, 4, 2), int)), "not .3, 4, 2."),
    (Minimisation(0.8), (UNIFORMS, np.zeros((1, 1, 4, 2), int)), "axes, not 4"),
]


@pytest.mark.parametrize(("one", "arguments", "words"), BAD_INPUT)
def test_bad_uniforms_and_strata_are_refused(one, arguments, words):
    with pytest.raises(ValueError, match=words):
        one.allocate(*arguments)


IMPOSSIBLE = [
    (PermutedBlocks((4,)), (0, 0, 0), None),
    (PermutedBlocks((2, 4)), (0, 1, 0, 0, 0), None),
    (BigStick(2), (1, 1, 1), None),
    (MaximalProcedure(2, 6), (0, 0, 0), None),
    (MaximalProcedure(2, 4, 0), (0, 0, 1), (0, 1)),
    (Stratified(BigStick(1)), (0, 1, 0), STRATA[[0, 1, 2, 3]]),
    (Minimisation(1.0), (0, 0), FACTORS[[0, 0, 0]]),
]


@pytest.mark.parametrize(("one", "history", "strata"), IMPOSSIBLE)
def test_an_impossible_history_is_refused(one, history, strata):
    if isinstance(strata, tuple):  # possible, and then there is only one way on
        assert one.probability_of_next(history) == (Fraction(strata[0]), Fraction(strata[1]))
        return
    with pytest.raises(ValueError, match="cannot have made this history"):
        one.probability_of_next(history, strata)


def test_a_history_must_name_arms_and_leave_a_slot():
    with pytest.raises(ValueError, match="numbers from 0 to 1"):
        Simple().probability_of_next((0, 2))
    with pytest.raises(ValueError, match="give one"):
        MaximalProcedure(2).probability_of_next(())
    with pytest.raises(ValueError, match="2 slots, and the history has used 2"):
        MaximalProcedure(2, 2).probability_of_next((0, 1))
    with pytest.raises(ValueError, match="takes no strata"):
        BigStick(2).probability_of_next((), np.zeros(1, int))


def fastest(work, times=5):
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


@pytest.mark.parametrize("one", [Simple(), PermutedBlocks((2, 4)), BigStick(2), MaximalProcedure(2)], ids=name)
def test_a_campaign_and_a_reference_set_are_quick(one):
    """10,000 trials of 21 in 0.2 s and 100,000 draws in 1 s, with room for a slow machine."""
    values = np.random.default_rng(1).random((100_000, 21))
    sizes = one.block_sizes(values[:1])
    given = Realised(21, block_sizes=None if sizes is None else sizes[0])
    assert fastest(lambda: one.allocate(values[:10_000])) < 0.2
    assert fastest(lambda: one.draw(given, values), times=3) < 1
