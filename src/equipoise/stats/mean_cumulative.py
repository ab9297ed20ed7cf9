"""The mean cumulative function: how many events a person has had, on average, by each time.

With dN(t) the events and Y(t) the people under observation at t, M(t) = sum of dN/Y up to t (Nelson, J Qual Technol
1988;20:24-35). Its variance allows for people who differ and for events that cluster: the sum over people of the square
of what each contributes, sum over t of (dN_i - Y_i dN/Y)/Y (Lawless & Nadeau, Technometrics 1995;37:158-168).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.stats.arrays import Floats
from equipoise.stats.binomial import normal_quantile
from equipoise.stats.status import Status, texts


@dataclass(frozen=True, slots=True)
class MeanCumulative:
    """A step function, right-continuous: at ``time`` (T,) it has risen to ``mean`` (T,).

    standard_error, lower, upper: (T,), pointwise; the limits on the scale of the logarithm, so that they stay positive.
    at_risk: (T,) people under observation just before each time. status: why there is none.
    """

    time: Floats
    mean: Floats
    standard_error: Floats
    lower: Floats
    upper: Floats
    at_risk: np.ndarray
    status: Status

    @property
    def message(self) -> str:
        """``ok`` or why there is no function."""
        return str(texts(np.array([int(self.status)]))[0])

    def at(self, times: Floats) -> Floats:
        """The mean number of events by each of these times."""
        place = np.searchsorted(self.time, np.asarray(times, np.float64), side="right")
        return np.concatenate([[0.0], self.mean])[place]


def mean_cumulative(
    person: np.ndarray, event_time: Floats, start: Floats, end: Floats, *, level: float = 0.95
) -> MeanCumulative:
    """The function of n people.

    person, event_time: (events,) index of who had each event, and when. start, end: (n,) the time under observation,
    open on the left and closed on the right; who was never observed has end <= start. Everyone is observed once.
    ValueError: an event of somebody who was not under observation then, an unknown person, a level outside (0, 1).
    """
    who, when = np.asarray(person, np.intp), np.asarray(event_time, np.float64)
    begin, stop = np.asarray(start, np.float64), np.asarray(end, np.float64)
    z = normal_quantile(level)
    if who.size and (who.min() < 0 or who.max() >= len(begin)):
        raise ValueError("an event belongs to nobody")
    if ((when <= begin[who]) | (when > stop[who])).any():
        raise ValueError("an event lies outside its person's time under observation")
    observed = stop > begin
    if not observed.any() or not when.size:
        status = Status.NO_OBSERVATIONS if not observed.any() else Status.NO_EVENTS
        none = np.zeros(0)
        return MeanCumulative(none, none, none, none, none, np.zeros(0, np.int64), status)
    time = np.unique(when)
    under = observed[:, None] & (begin[:, None] < time) & (stop[:, None] >= time)
    events = np.zeros(under.shape)
    np.add.at(events, (who, np.searchsorted(time, when)), 1.0)
    at_risk = under.sum(axis=0)
    step = events.sum(axis=0) / at_risk
    mean = np.cumsum(step)
    share = np.cumsum((events - under * step) / at_risk, axis=1)
    error = np.sqrt((share**2).sum(axis=0))
    spread = np.exp(z * error / mean)
    return MeanCumulative(time, mean, error, mean / spread, mean * spread, at_risk, Status.OK)
