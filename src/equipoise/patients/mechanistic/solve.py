"""The plain solver: classical Runge-Kutta of fourth order, all people of a block in one array operation.

Between steps the states follow the cubic that the four slopes of a step define, so any day may be asked for.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from equipoise.patients.chance import Floats
from equipoise.patients.mechanistic.cells import DOSE, advance, decay
from equipoise.patients.mechanistic.equations import STATES, Constants, derivatives, settled
from equipoise.patients.mechanistic.grid import make_nodes
from equipoise.patients.mechanistic.people import Start

BLOCK = 512
"""People at a time: enough to hide the cost of a call, few enough to stay in the processor's memory."""


def solve(start: Start, dose_days: Floats, dose_weights: Floats, days: Floats, halvings: int = 0) -> Floats:
    """The states on the days asked for, (n, V, 8) in the order of STATES.

    dose_days: (n, D) days since diagnosis, NaN for none. dose_weights: (n, D) shares of a full treatment, times the
    potency of the cells. days: (n, V) days since diagnosis, 0 at least, in any order.
    """
    n = days.shape[0]
    result = np.empty((*days.shape, len(STATES)))
    for first in range(0, n, BLOCK):
        rows = slice(first, first + BLOCK)
        part = block(start, rows)
        result[rows] = _solve_block(part, dose_days[rows], dose_weights[rows], days[rows], halvings)
    return result


def block(start: Start, rows: slice) -> Start:
    """Some of the people."""
    person = type(start.person)(*(values[rows] for values in start.person))
    return Start(person, start.homing[rows], start.initial[:, rows], start.constants, start.kinetics)


def _with_arrays(start: Start, people: int) -> Start:
    """The constants as arrays: with few people NumPy takes half as long for an array as for a number."""
    return replace(start, constants=Constants(*(np.full(people, value) for value in start.constants)))


def infused(nodes: Floats, dose_days: Floats, dose_weights: Floats) -> Floats:
    """% of a full treatment that enters the blood at each node, (n, K + 1)."""
    amount = np.zeros(nodes.shape)
    for dose in range(dose_days.shape[1]):
        day = dose_days[:, dose]
        place = np.argmax(nodes >= np.where(np.isfinite(day), day, np.inf)[:, np.newaxis], axis=1)
        rows = np.arange(day.size)
        hit = nodes[rows, place] == day
        amount[rows[hit], place[hit]] += DOSE * dose_weights[hit, dose]
    return amount


def _solve_block(start: Start, dose_days: Floats, dose_weights: Floats, days: Floats, halvings: int) -> Floats:
    nodes = make_nodes(dose_days, days.max(axis=1, initial=0.0), halvings)
    amount = infused(nodes, dose_days, dose_weights)
    times = np.ascontiguousarray(nodes.T)
    people = times.shape[1]
    values = np.empty((times.shape[0] - 1, 4, len(STATES), people))
    x = start.initial.copy()
    ahead, second, third = np.empty((3, len(STATES), people))
    here, there = tuple(x), tuple(ahead)  # the states one by one, where they stand for good
    steps = np.diff(times, axis=0)
    halves, sixths = 0.5 * steps, steps / 6.0
    wide = _with_arrays(start, people)
    at, between = (settled(when, wide.constants.habit_square) for when in (times, times[:-1] + halves))
    falls = [decay(rate * halves) for rate in start.kinetics[:3]]
    blood = lung = pancreas = np.zeros(people)
    y = start.inverse_at(start.initial, 0.0)
    infusions = np.asarray(amount.any(axis=0))
    empty = True
    for k in range(steps.shape[0]):
        h, half = steps[k], halves[k]
        before, first, middles, last = values[k]
        before[:] = x
        if infusions[k]:
            blood, empty = blood + amount[:, k], False
        middle = end = (blood, lung, pancreas)
        if not empty:
            fall = falls[0][k], falls[1][k], falls[2][k]
            middle = advance(blood, lung, pancreas, *fall, start.homing, start.kinetics)
            end = advance(*middle, *fall, start.homing, start.kinetics)
        systemic, local = middle[0] + middle[1], middle[2]
        y = _slopes(at[k], y, here, blood + lung, pancreas, wide, first)
        np.add(x, half * first, out=ahead)
        y = _slopes(between[k], y, there, systemic, local, wide, second)
        np.add(x, half * second, out=ahead)
        y = _slopes(between[k], y, there, systemic, local, wide, third)
        np.add(x, h * third, out=ahead)
        y = _slopes(at[k + 1], y, there, end[0] + end[1], end[2], wide, last)
        np.add(second, third, out=middles)
        np.add(x, sixths[k] * (first + 2.0 * middles + last), out=x)
        blood, lung, pancreas = end
    return _between(nodes, values, days)


def _slopes(
    later: Floats,
    guess: Floats,
    states: tuple[Floats, ...],
    systemic: Floats,
    local: Floats,
    start: Start,
    out: Floats,
) -> Floats:
    """The derivatives into `out`, (8, n); returns 1/G."""
    e, r, p, a, b, d, h, u = states
    made = derivatives(later, guess, e, r, p, a, b, d, h, u, systemic, local, start.person, start.constants)
    out[:] = made[:8]
    return made[8]


def _between(nodes: Floats, values: Floats, days: Floats) -> Floats:
    """The states on days inside steps, (n, V, 8)."""
    rows = np.arange(nodes.shape[0])[:, np.newaxis]
    place = np.minimum((days[:, :, np.newaxis] > nodes[:, np.newaxis, 1:]).sum(axis=2), nodes.shape[1] - 2)
    begin = nodes[rows, place]
    h = nodes[rows, place + 1] - begin
    s = (days - begin) / np.where(h > 0, h, 1.0)
    x, first, middle, last = (values[place, part, :, rows] for part in range(4))
    square, cube = s * s, s * s * s
    weights = (s - 1.5 * square + 2.0 / 3.0 * cube, square - 2.0 / 3.0 * cube, 2.0 / 3.0 * cube - 0.5 * square)
    one, two, three = (w[..., np.newaxis] for w in weights)
    value = x + h[..., np.newaxis] * (one * first + two * middle + three * last)
    return np.maximum(value, 0.0)  # a cubic may dip by 1e-6 below what has all but died away
