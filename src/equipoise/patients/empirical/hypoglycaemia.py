"""Episodes of hypoglycaemia: a Poisson process of all episodes, with a gamma frailty and a level for each.

rate below 54 mg/dL = rate * frailty * (A / A_ref)^k * exp(treatment), so that counts are negative binomial with a
variance of mu + frailty mu^2, and rates fall with C-peptide. Episodes of level 1 (54 to 69 mg/dL) come in a
fixed ratio to those; a few are severe (level 3), whatever the glucose. ln A is the untreated course, without the
visits' noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.patients.chance import Draw, Floats
from equipoise.patients.empirical.cpeptide import FLOOR, YEAR
from equipoise.patients.events import Happenings, count_in, happenings
from equipoise.patients.parameters import Parameters
from equipoise.patients.population import People


@dataclass(frozen=True, slots=True)
class Episodes:
    """Episodes as rows, ordered by trial, participant and day.

    day: exact days since screening. level: 1, 2 or 3.
    """

    trial: NDArray[np.int64]
    participant: NDArray[np.int64]
    day: Floats
    level: NDArray[np.int64]


def low_glucose_rate(people: People, log_cpeptide: Floats, log_ratio: Floats, p: Parameters) -> Floats:
    """Episodes below 54 mg/dL a year, (R, n, V)."""
    distance = np.maximum(log_cpeptide, np.log(FLOOR)) - p["hypoglycaemia.reference-ln-cpeptide"]
    relative = np.exp(p["hypoglycaemia.per-ln-cpeptide"] * distance + log_ratio)
    return p["hypoglycaemia.rate"] * people.hypoglycaemia_frailty[..., np.newaxis] * relative


def draw_episodes(nodes: Floats, low_rate: Floats, draw: Draw, p: Parameters) -> Episodes:
    """All episodes from the first node to the last.

    nodes: (R, n, G + 1) days since screening; low_rate: (R, n, G + 1) episodes below 54 mg/dL a year at the nodes.
    """
    ratio = p["hypoglycaemia.level-1-ratio"]
    middle = (low_rate[..., 1:] + low_rate[..., :-1]) / 2
    events = happenings(draw, "hypoglycaemia", nodes, middle * (1 + ratio) / YEAR)
    severe = p["hypoglycaemia.severe-rate"] / p["hypoglycaemia.rate"] / (1 + ratio)
    level = 1 + (events.mark < 1 / (1 + ratio)).astype(np.int64) + (events.mark < severe)
    return Episodes(events.trial, events.participant, events.day, level)


def count_episodes(episodes: Episodes, levels: tuple[int, ...], edges: Floats) -> NDArray[np.int64]:
    """Number of episodes of these levels in each interval of days, (R, n, K) from edges (R, n, K + 1)."""
    rows = Happenings(episodes.trial, episodes.participant, episodes.day, episodes.day)
    return count_in(rows, np.isin(episodes.level, levels), edges)
