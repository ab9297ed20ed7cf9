"""Streams: keyed by seed, trial and purpose; nothing else moves them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from equipoise.simulate.streams import Streams

SEEDS = st.integers(0, 2**63)


@given(seed=SEEDS, people=st.integers(1, 30), more=st.integers(1, 30), count=st.integers(1, 5))
def test_a_participant_does_not_depend_on_how_many_there_are(seed: int, people: int, more: int, count: int) -> None:
    few, many = Streams(seed, 2, people)("x", count), Streams(seed, 2, people + more)("x", count)
    np.testing.assert_array_equal(few, many[:, :people])


@given(seed=SEEDS, first=st.integers(0, 5))
def test_chunks_of_trials_are_the_same_trials(seed: int, first: int) -> None:
    whole = Streams(seed, 9, 4)("x", 3)
    np.testing.assert_array_equal(whole[first : first + 3], Streams(seed, 3, 4, first=first)("x", 3))


@given(seed=SEEDS)
def test_purposes_seeds_and_trials_differ(seed: int) -> None:
    here = Streams(seed, 2, 50)("x", 1)
    for other in (Streams(seed, 2, 50)("y", 1), Streams(seed + 1, 2, 50)("x", 1)):
        assert not np.intersect1d(here, other).size
    assert not np.intersect1d(here[0], here[1]).size


def test_uniforms_are_uniform_and_never_0_or_1() -> None:
    values = Streams(1, 50, 100)("x", 20).ravel()
    assert values.min() > 0 and values.max() < 1
    observed = np.sort(values)
    expected = (np.arange(values.size) + 0.5) / values.size
    assert np.abs(observed - expected).max() < 1.95 / np.sqrt(values.size)  # Kolmogorov's bound at 0.1 %
