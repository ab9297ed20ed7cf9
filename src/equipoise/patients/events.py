"""Events in time by inverse transform: a person's waiting times on the clock of the cumulative hazard.

Event k of a person happens where the cumulative hazard reaches E1 + ... + Ek, with E = -ln(uniform). A higher hazard
moves every event earlier and adds some at the end; it never reshuffles them. Uniforms come in blocks of BLOCK events a
person, block after block until nobody has events left, so a person's events do not depend on the others. MOST_BLOCKS
bounds the number of blocks: a person would need more than 4,096 events, which at the default parameters has a
probability below 1e-12.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.patients.chance import Draw, Floats

BLOCK = 64
MOST_BLOCKS = 64


@dataclass(frozen=True, slots=True)
class Happenings:
    """Events as rows, ordered by trial, participant and time.

    trial, participant: indices. day: exact days since screening. mark: a uniform for whatever kind the event is of.
    """

    trial: NDArray[np.int64]
    participant: NDArray[np.int64]
    day: Floats
    mark: Floats


def happenings(draw: Draw, purpose: str, nodes: Floats, rates: Floats) -> Happenings:
    """Events of a Poisson process whose rate is constant between nodes.

    nodes: (R, n, G + 1) days, ascending. rates: (R, n, G) events a day in each step. Two uniforms an event.
    """
    shape, steps = nodes.shape[:2], rates.shape[-1]
    edges = nodes.reshape(-1, steps + 1)
    hazard = np.zeros(edges.shape)
    np.cumsum(rates.reshape(-1, steps) * np.diff(edges, axis=-1), axis=-1, out=hazard[:, 1:])
    total, reached = hazard[:, -1], np.zeros(edges.shape[0])
    found: list[tuple[NDArray[np.int64], Floats, Floats]] = []
    for block in range(MOST_BLOCKS):
        open_ = np.flatnonzero(reached < total)
        if not open_.size:
            break
        chance = draw(f"{purpose}-{block}", 2 * BLOCK).reshape(-1, BLOCK, 2)[open_]
        sums = reached[open_, np.newaxis] + np.cumsum(-np.log(chance[..., 0]), axis=1)
        row, place = np.nonzero(sums < total[open_, np.newaxis])
        found.append((open_[row], sums[row, place], chance[row, place, 1]))
        reached[open_] = sums[:, -1]
    return _in_time(found, edges, hazard, shape[1])


def _in_time(
    found: list[tuple[NDArray[np.int64], Floats, Floats]], edges: Floats, hazard: Floats, people: int
) -> Happenings:
    """From the clock of the hazard to days."""
    empty = np.empty(0)
    person = np.concatenate([part[0] for part in found] or [np.empty(0, np.int64)])
    clock = np.concatenate([part[1] for part in found] or [empty])
    mark = np.concatenate([part[2] for part in found] or [empty])
    order = np.lexsort((clock, person))
    person, clock, mark = person[order], clock[order], mark[order]
    step = np.zeros(person.size, np.int64)
    for node in range(1, hazard.shape[1] - 1):
        step += clock >= hazard[person, node]
    start, end = hazard[person, step], hazard[person, step + 1]
    share = (clock - start) / np.where(end > start, end - start, 1.0)
    day = edges[person, step] + share * (edges[person, step + 1] - edges[person, step])
    return Happenings(person // people, person % people, day, mark)


def count_in(events: Happenings, chosen: NDArray[np.bool_], edges: Floats) -> NDArray[np.int64]:
    """How many of the chosen events fall into each interval of a person, (R, n, K) from edges (R, n, K + 1) in days.

    An interval contains its first edge and not its last.
    """
    trials, people, wide = edges.shape
    counts = np.zeros((trials, people, wide - 1), np.int64)
    trial, person, day = events.trial[chosen], events.participant[chosen], events.day[chosen]
    place = np.full(day.size, -1)
    for edge in range(wide):
        place += day >= edges[trial, person, edge]
    inside = (place >= 0) & (place < wide - 1)
    np.add.at(counts, (trial[inside], person[inside], place[inside]), 1)
    return counts
