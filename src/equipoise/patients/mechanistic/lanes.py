"""The loop of the compiled solver: LANES people side by side, a step at a time.

Written in the part of Python that compiles; kernel.py compiles it, and no function here is called otherwise. A lane
that has nobody, or whose person is done, stands still with steps of length 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.patients.chance import Floats
from equipoise.patients.mechanistic.cells import Kinetics, advance, decay
from equipoise.patients.mechanistic.equations import Constants, Person, derivatives, settled

LANES = 8
"""The width of a loop that the compiler turns into vector instructions."""
THIRD = 2.0 / 3.0


class Wanted(NamedTuple):
    """What is asked of a block of n people, besides themselves.

    doses, amounts: (n, D), days since diagnosis in order (infinite for none) and % of a treatment. homing: (n,).
    days: (n, V), and order, their order. pattern: offsets of the steps after a beginning.
    """

    doses: Floats
    amounts: Floats
    homing: Floats
    days: Floats
    order: NDArray[np.intp]
    pattern: Floats


class Clock(NamedTuple):
    """Where each lane is, (LANES,).

    node, following: a step's ends. h, half, centre: its length, half of it, its middle. begin: the node from which the
    pattern counts. inverse: 1/G when last seen. place, dose, asked: the next offset, infusion and day, by number.
    """

    node: Floats
    following: Floats
    h: Floats
    half: Floats
    centre: Floats
    begin: Floats
    inverse: Floats
    place: NDArray[np.int64]
    dose: NDArray[np.int64]
    asked: NDArray[np.int64]


class Inside(NamedTuple):
    """Cells of each lane: blood, lung (LANES,) at the node; systemic, local (3, LANES) at start, middle and end."""

    blood: Floats
    lung: Floats
    systemic: Floats
    local: Floats


def begin_lanes(
    base: int,
    here: int,
    visits: int,
    person: Floats,
    initial: Floats,
    inverse: Floats,
    q: Floats,
    x: Floats,
    clock: Clock,
    inside: Inside,
) -> None:
    """Put people base, base + 1, … into the lanes, on the day of diagnosis."""
    for i in range(LANES):
        whose = base + min(i, here - 1)
        for s in range(8):
            x[s, i] = initial[s, whose]
        for s in range(person.shape[0]):
            q[s, i] = person[s, whose]
        clock.node[i], clock.begin[i], clock.inverse[i] = 0.0, 0.0, inverse[whose]
        inside.blood[i], inside.lung[i], inside.local[2, i] = 0.0, 0.0, 0.0
        clock.place[i], clock.dose[i], clock.asked[i] = 0, 0, 0 if i < here else visits


def end_of_step(base: int, visits: int, wanted: Wanted, clock: Clock, inside: Inside) -> None:
    """Give the infusions of the node, and find where the step ends: as grid.make_nodes does."""
    for i in range(LANES):
        clock.following[i] = clock.node[i]
        if clock.asked[i] < visits:
            whose, dose = base + i, clock.dose[i]
            while dose < wanted.doses.shape[1] and wanted.doses[whose, dose] == clock.node[i]:
                inside.blood[i] += wanted.amounts[whose, dose]
                clock.begin[i], clock.place[i] = clock.node[i], 0
                dose += 1
            clock.dose[i] = dose
            clock.place[i] += 1
            clock.following[i] = clock.begin[i] + wanted.pattern[clock.place[i]]
            if dose < wanted.doses.shape[1] and clock.following[i] >= wanted.doses[whose, dose]:
                clock.following[i] = wanted.doses[whose, dose]
        clock.h[i] = clock.following[i] - clock.node[i]
        clock.half[i] = 0.5 * clock.h[i]
        clock.centre[i] = clock.node[i] + clock.half[i]


def cells_within(base: int, wanted: Wanted, kinetics: Kinetics, clock: Clock, inside: Inside) -> None:
    """Cells at the start, the middle and the end of the step."""
    systemic, local = inside.systemic, inside.local
    for i in range(LANES):
        systemic[0, i], local[0, i] = inside.blood[i] + inside.lung[i], local[2, i]
        systemic[1, i], local[1, i], systemic[2, i] = systemic[0, i], local[0, i], systemic[0, i]
        if systemic[0, i] + local[0, i] > 0.0 and clock.h[i] > 0.0:
            half, home = clock.half[i], wanted.homing[base + i]
            falls = decay(kinetics.blood * half), decay(kinetics.lung * half), decay(kinetics.pancreas * half)
            b, u, p = advance(
                inside.blood[i], inside.lung[i], local[0, i], falls[0], falls[1], falls[2], home, kinetics
            )
            systemic[1, i], local[1, i] = b + u, p
            b, u, p = advance(b, u, p, falls[0], falls[1], falls[2], home, kinetics)
            systemic[2, i], local[2, i] = b + u, p
            inside.blood[i], inside.lung[i] = b, u


def slopes(
    t: Floats, y: Floats, x: Floats, systemic: Floats, local: Floats, q: Floats, constants: Constants, out: Floats
) -> None:
    """The derivatives of all lanes' states, (8, LANES), into `out`, and 1/G, (LANES,), into `y`, which held a guess."""
    for i in range(LANES):
        person = Person(q[0, i], q[1, i], q[2, i], q[3, i], q[4, i], q[5, i], q[6, i], q[7, i], q[8, i])
        made = derivatives(
            settled(t[i], constants.habit_square),
            y[i],
            x[0, i],
            x[1, i],
            x[2, i],
            x[3, i],
            x[4, i],
            x[5, i],
            x[6, i],
            x[7, i],
            systemic[i],
            local[i],
            person,
            constants,
        )
        out[0, i], out[1, i], out[2, i], out[3, i] = made[0], made[1], made[2], made[3]
        out[4, i], out[5, i], out[6, i], out[7, i], y[i] = made[4], made[5], made[6], made[7], made[8]


def ahead(x: Floats, h: Floats, slope: Floats, out: Floats) -> None:
    """The states after a time h along a slope, (8, LANES)."""
    for s in range(8):
        for i in range(LANES):
            out[s, i] = x[s, i] + h[i] * slope[s, i]


def keep(
    base: int, here: int, visits: int, wanted: Wanted, clock: Clock, x: Floats, slope: Floats, result: Floats
) -> None:
    """Write the states on the days inside the step, by the cubic of its slopes (4, 8, LANES); the third is a sum."""
    for i in range(here):
        whose = base + i
        while clock.asked[i] < visits and wanted.days[whose, wanted.order[whose, clock.asked[i]]] <= clock.following[i]:
            v = wanted.order[whose, clock.asked[i]]
            share = (wanted.days[whose, v] - clock.node[i]) / clock.h[i]
            square = share * share
            cube = share * share * share
            one = share - 1.5 * square + THIRD * cube
            two = square - THIRD * cube
            three = THIRD * cube - 0.5 * square
            for s in range(8):
                change = one * slope[0, s, i] + two * slope[2, s, i] + three * slope[3, s, i]
                value = x[s, i] + clock.h[i] * change
                result[whose, v, s] = max(value, 0.0)
            clock.asked[i] += 1


def move(clock: Clock, x: Floats, slope: Floats) -> None:
    """The states at the end of the step, and the lanes with them."""
    for s in range(8):
        for i in range(LANES):
            x[s, i] = x[s, i] + clock.h[i] / 6.0 * (slope[0, s, i] + 2.0 * slope[2, s, i] + slope[3, s, i])
    for i in range(LANES):
        clock.node[i] = clock.following[i]


def run_block(
    person: Floats,
    initial: Floats,
    inverse: Floats,
    constants: Constants,
    kinetics: Kinetics,
    wanted: Wanted,
    result: Floats,
) -> None:
    """Solve for the people of a block, arrays (…, n), and write the states on the days asked for into (n, V, 8).

    inverse: 1/G on the day of diagnosis.
    """
    people, visits = wanted.days.shape
    q, x, y = np.empty((person.shape[0], LANES)), np.empty((8, LANES)), np.empty((8, LANES))
    slope = np.empty((4, 8, LANES))
    t = np.empty((7, LANES))
    n = np.empty((3, LANES), np.int64)
    clock = Clock(t[0], t[1], t[2], t[3], t[4], t[5], t[6], n[0], n[1], n[2])
    inside = Inside(np.empty(LANES), np.empty(LANES), np.empty((3, LANES)), np.empty((3, LANES)))
    systemic, local = inside.systemic, inside.local
    for base in range(0, people, LANES):
        here = min(LANES, people - base)
        begin_lanes(base, here, visits, person, initial, inverse, q, x, clock, inside)
        while clock.asked.min() < visits:
            end_of_step(base, visits, wanted, clock, inside)
            cells_within(base, wanted, kinetics, clock, inside)
            slopes(clock.node, clock.inverse, x, systemic[0], local[0], q, constants, slope[0])
            ahead(x, clock.half, slope[0], y)
            slopes(clock.centre, clock.inverse, y, systemic[1], local[1], q, constants, slope[1])
            ahead(x, clock.half, slope[1], y)
            slopes(clock.centre, clock.inverse, y, systemic[1], local[1], q, constants, slope[2])
            ahead(x, clock.h, slope[2], y)
            slopes(clock.following, clock.inverse, y, systemic[2], local[2], q, constants, slope[3])
            for s in range(8):
                for i in range(LANES):
                    slope[2, s, i] = slope[1, s, i] + slope[2, s, i]
            keep(base, here, visits, wanted, clock, x, slope, result)
            move(clock, x, slope)
