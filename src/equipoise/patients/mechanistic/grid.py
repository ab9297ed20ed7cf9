"""The steps of each person: short after diagnosis and after an infusion, longer later.

A person's steps depend on nothing but the days of his infusions, so that neither other people nor the days that are
asked for can change a bit of the result. An infusion of saline makes the same steps as one of cells.
"""

from __future__ import annotations

import numpy as np

from equipoise.patients.chance import Floats

FIRST, GROWTH, LONGEST = 0.35, 1.25, 9.0
"""Days of the first step after a beginning, the ratio of one step to the one before, and the longest step."""


def offsets(until: float, halvings: int = 0) -> Floats:
    """Days after a beginning at which steps end, from 0 to `until` or later; each step cut in two `halvings` times."""
    steps = [FIRST]
    while sum(steps) < until:
        steps.append(min(steps[-1] * GROWTH, LONGEST))
    whole = np.concatenate([[0.0], np.cumsum(steps)])
    parts = 2**halvings
    inner = whole[:-1, np.newaxis] + np.diff(whole)[:, np.newaxis] * (np.arange(parts) / parts)
    return np.append(inner.ravel(), whole[-1])


def make_nodes(doses: Floats, until: Floats, halvings: int = 0) -> Floats:
    """Nodes of every person, (n, K + 1), ascending from 0; after a person's last needed step they repeat.

    doses: (n, D) days since diagnosis, NaN for none. until: (n,) the last day that is asked for.
    """
    people = doses.shape[0]
    last = float(np.max(until, initial=0.0))
    begins = np.where(np.isfinite(doses) & (doses > 0), doses, np.inf)
    begins = np.sort(np.concatenate([np.zeros((people, 1)), begins], axis=1), axis=1)
    begins = begins[:, begins.min(axis=0) <= last]
    ends = np.concatenate([begins[:, 1:], np.full((people, 1), np.inf)], axis=1)
    pattern = offsets(last, halvings)
    nodes = begins[:, :, np.newaxis] + pattern
    nodes = np.where(nodes < ends[:, :, np.newaxis], nodes, np.inf).reshape(people, -1)
    nodes.sort(axis=1)
    enough = np.maximum(np.argmax(nodes >= until[:, np.newaxis], axis=1), 1)
    nodes = nodes[:, : int(enough.max(initial=1)) + 1]
    final = np.take_along_axis(nodes, enough[:, np.newaxis], axis=1)
    return np.minimum(nodes, final)
