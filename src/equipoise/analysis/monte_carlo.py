"""Where analyses draw from: one declared seed, and a number for what is drawn.

An analysis that draws gets the stream of the protocol's `conventions.seed` and of the purpose. It depends on nothing
else: no identifier, arm, number of a trial, or digest, so that an edit elsewhere in the protocol moves no drawn value.
Trials of a Panel draw the same numbers; simulated people have streams of their own (`patients.chance`).
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from equipoise.protocol.model import Protocol


class Purpose(IntEnum):
    """What is drawn. A number once given is never given again."""

    REFERENCE_SET = 1
    IMPUTED_COUNTS = 2
    PANEL_MIN_P = 3


def drawing(seed: int, purpose: Purpose) -> np.random.Generator:
    """The stream of a declared seed for one purpose, from its beginning."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, int(purpose)])))


def drawing_of(protocol: Protocol, purpose: Purpose) -> np.random.Generator:
    """The stream of a protocol's declared seed for one purpose, from its beginning."""
    return drawing(protocol.conventions.seed, purpose)
