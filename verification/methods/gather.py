"""Trials in chunks that do not depend on who runs them, and their answers as shares and means."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from verification.methods.tally import Mean, Share

Floats = npt.NDArray[np.float64]
Answers = dict[str, Floats]
"""What each trial of a chunk said, (trials,) by label: 1 or 0 for a share, a number for a mean, NaN for no answer."""

LEVEL = 0.05
ROUNDING = 1e-9


def chunks(trials: int, size: int, *key: int) -> Iterator[tuple[np.random.Generator, int]]:
    """How many trials are in each chunk, with a generator of its own, keyed by ``key`` and the chunk's number."""
    for number, first in enumerate(range(0, trials, size)):
        yield np.random.default_rng([*key, number]), min(size, trials - first)


def gathered(chunk: Callable[[np.random.Generator, int], Answers], trials: int, size: int, *key: int) -> Answers:
    """The answers of all trials, chunk by chunk."""
    parts = [chunk(source, count) for source, count in chunks(trials, size, *key)]
    return {label: np.concatenate([part[label] for part in parts]) for label in parts[0]}


def rejected(p_value: Floats) -> Floats:
    """1 where p is at most 5 %, 0 where it is not, NaN where there is none."""
    return np.where(np.isnan(p_value), np.nan, (p_value <= LEVEL + ROUNDING).astype(np.float64))


def covered(lower: Floats, upper: Floats, truth: float) -> Floats:
    """1 where the interval holds the truth, 0 where it does not, NaN where there is none."""
    inside = ((lower <= truth) & (truth <= upper)).astype(np.float64)
    return np.where(np.isnan(lower) | np.isnan(upper), np.nan, inside)


def share(answers: Floats) -> Share:
    """Of ones among those that are not NaN."""
    there = ~np.isnan(answers)
    return Share(int(answers[there].sum()), int(there.sum()), int((~there).sum()))


def mean(answers: Floats, *, expected: float = 0.0, error: float = 0.0) -> Mean:
    """The mean of what is not NaN, less what is expected, which has an error of its own."""
    there = answers[~np.isnan(answers)]
    own = float(there.std(ddof=1) / np.sqrt(len(there)))
    return Mean(float(there.mean()) - expected, float(np.hypot(own, error)), int(np.isnan(answers).sum()))
