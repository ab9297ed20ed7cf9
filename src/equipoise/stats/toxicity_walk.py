"""A toxicity rule walked through a trial as it happened: looked at whenever an event is recorded or a window ends.

At a look n counts the people whose window is complete and those with an event inside an open one. People whose window
is open and who have had no event are not in n: nothing is known of them yet, and to count them as unharmed would stop
too late. What happens on one day is taken in the order of first doses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.stats.arrays import Floats
from equipoise.stats.toxicity import ToxicityRule, toxicity_boundary


@dataclass(frozen=True, slots=True)
class ToxicityWalk:
    """Where a rule stands after everything that happened.

    counted:   people in n at the end. events: of them with the event. open: people in their window, without an event.
    met_after: n at the look at which the rule was first met, and met_on its day; None where it never was.
    """

    counted: int
    events: int
    open: int
    met_after: int | None
    met_on: float | None


def walk_toxicity(
    rule: ToxicityRule, first: Floats, complete: Floats, event: Floats, order: Floats, until: float
) -> ToxicityWalk:
    """Walk k people who were dosed; all days are of one calendar.

    first:    (k,) day of the first dose. complete: (k,) day on which the window ends. event: (k,) day of the first
              event, infinity for none. order: (k,) ranks among people with one first day.
    until:    the last day of the data: windows that end later are open.
    ValueError: shapes that differ, days that are missing.
    """
    if not first.shape == complete.shape == event.shape == order.shape:
        raise ValueError("first doses, windows, events and order must be of the same people")
    if np.isnan(np.concatenate([first, complete, event])).any():
        raise ValueError("every first dose and window needs its day")
    ends = np.where(complete <= until, complete, np.inf)
    happened = np.flatnonzero(np.isfinite(event) | np.isfinite(ends)).tolist()
    boundary = toxicity_boundary(rule, max(len(first), 1))
    looks = [(day, first[person], order[person], person) for person in happened for day in _days(event, ends, person)]
    counted, harmed = np.zeros(len(first), np.bool_), np.zeros(len(first), np.bool_)
    met_after: int | None = None
    met_on: float | None = None
    for day, _, _, person in sorted(looks):
        counted[person] = True
        harmed[person] |= event[person] <= day
        n = int(counted.sum())
        if met_after is None and harmed.sum() >= boundary[n - 1]:
            met_after, met_on = n, float(day)
    return ToxicityWalk(
        int(counted.sum()), int(harmed.sum()), int((~counted & (first <= until)).sum()), met_after, met_on
    )


def _days(event: Floats, ends: Floats, person: int) -> list[float]:
    return sorted({float(day) for day in (event[person], ends[person]) if np.isfinite(day)})


def order_matters(first: Floats, complete: Floats, event: Floats) -> bool:
    """Whether of two people first dosed on one day one has the event on the day on which the other's window ends.

    Then one order of the two may meet the rule and the other not.
    """
    kinds: dict[tuple[float, float], set[bool]] = {}
    for begin, end, harm in zip(first.tolist(), complete.tolist(), event.tolist(), strict=True):
        for day in {end, harm}:
            kinds.setdefault((begin, day), set()).add(harm <= day)
    return any(len(kind) > 1 for (_, day), kind in kinds.items() if np.isfinite(day))
