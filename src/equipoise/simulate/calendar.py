"""When simulated people come: visits inside their windows, visits missed, and people who leave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.protocol.model import Protocol
from equipoise.simulate.scenario import Scenario
from equipoise.simulate.streams import Streams

Floats = NDArray[np.float64]
YEAR = 365.25
CLOSE = 3
"""Days: a visit so soon after another one of its period (48 hours after an infusion) moves along with it."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days of each visit and of leaving.

    day:  (R, n, visits), the day on which the visit is held, or would have been.
    held: (R, n, visits), whether it was.
    left: (R, n), the day on which the person left; infinity for those who stayed.
    came, ended: the same as `held` and `left`, but of treatment: whether they came to be given a dose, and the day from
          which they came for none. They differ from those only where everybody is followed whole.
    """

    day: Floats
    held: NDArray[np.bool_]
    left: Floats
    came: NDArray[np.bool_]
    ended: Floats


def make_calendar(scenario: Scenario, protocol: Protocol, draw: Streams) -> Calendar:
    """Visits uniform in the central `punctual` share of their window, some of them missed; people leave.

    They leave at a constant hazard that takes `dropout` of them in a year. Visits before the first period are held by
    everybody: who does not come to those is not in the trial. Where the scenario is of people who are seen whole,
    whoever leaves, or misses a visit, has no dose then, and is seen all the same.
    """
    visits, punctual = protocol.visits, scenario.authored.punctual
    place = draw("visit-days", len(visits))
    low = np.array([visit.day - visit.before * punctual for visit in visits])
    high = np.array([visit.day + visit.after * punctual for visit in visits])
    day = np.floor(low + place * (high - low) + 0.5)
    for index in range(1, len(visits)):
        gap = visits[index].day - visits[index - 1].day
        if gap <= CLOSE and visits[index].period == visits[index - 1].period is not None:
            day[..., index] = day[..., index - 1] + gap
    after = np.array([visit.period is not None for visit in visits])
    left = _leaving(draw("dropout", 1)[..., 0], scenario.authored.dropout)
    came = draw("visits-missed", len(visits)) >= scenario.authored.missing.visits
    held = ~after | (came & (day < left[..., np.newaxis]))
    if scenario.whole:
        return Calendar(day, np.ones_like(held), np.full_like(left, np.inf), held, left)
    return Calendar(day, held, left, held, left)


def _leaving(uniform: Floats, dropout: float) -> Floats:
    """The day of leaving, 1 at the earliest: after the first infusion."""
    if dropout <= 0:
        return np.full(uniform.shape, np.inf)
    if dropout >= 1:
        return np.ones(uniform.shape)
    return np.floor(np.log1p(-uniform) / np.log1p(-dropout) * YEAR) + 1
