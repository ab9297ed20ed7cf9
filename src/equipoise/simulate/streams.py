"""Random numbers keyed by what they are for, so that nothing that happens elsewhere can shift them.

A stream is named by (seed, trial, purpose) and gives one block of uniforms, a row a participant. So a changed
parameter never shifts later draws, participant i does not depend on how many there are, trials can be made in any
order and in any chunks, and two scenarios share their common random numbers.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

HALF_STEP = 2.0**-54
"""Half the distance of neighbouring uniforms: added, so that 0 never occurs and the inverse normal is finite."""


@dataclass(frozen=True, slots=True)
class Streams:
    """The random numbers of trials `first` … `first + trials - 1` of a seed, each with `people` participants."""

    seed: int
    trials: int
    people: int
    first: int = 0

    def __call__(self, purpose: str, count: int) -> NDArray[np.float64]:
        """Uniforms in (0, 1), (trials, people, count): `count` a participant for one purpose."""
        blocks = [self._generator(trial, purpose).random((self.people, count)) for trial in range(self.trials)]
        return np.stack(blocks) + HALF_STEP if blocks else np.empty((0, self.people, count))

    def _generator(self, trial: int, purpose: str) -> np.random.Generator:
        words = f"equipoise/streams/1:{self.seed}:{self.first + trial}:{purpose}"
        key = int.from_bytes(hashlib.sha256(words.encode()).digest()[:16], "little")
        return np.random.Generator(np.random.Philox(key=key))
