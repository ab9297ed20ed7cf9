"""The compiled solver: the steps of solve.py, person by person, with the same bits.

It needs the extra `design` (numba), which is imported and compiled when it is first used: some seconds a process, so a
single trial is left to the plain solver. The equations are those of equations.py, compiled from the same text.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from types import FunctionType
from typing import Any

import numpy as np

from equipoise.patients.chance import Floats
from equipoise.patients.mechanistic import cells, equations, lanes
from equipoise.patients.mechanistic.cells import DOSE
from equipoise.patients.mechanistic.equations import STATES
from equipoise.patients.mechanistic.grid import offsets
from equipoise.patients.mechanistic.lanes import Wanted
from equipoise.patients.mechanistic.people import Start

BLOCK = 256
"""People of a block; blocks are shared out among threads, and their size changes no bit."""


def solve(
    start: Start, dose_days: Floats, dose_weights: Floats, days: Floats, halvings: int = 0, threads: int = 1
) -> Floats:
    """As solve.solve: the states on the days asked for, (n, V, 8). `threads` blocks are worked on at a time."""
    run = _compiled()
    result = np.empty((*days.shape, len(STATES)))
    order = np.argsort(days, axis=1, kind="stable")
    doses = np.where(np.isfinite(dose_days) & (dose_days > 0), dose_days, np.inf)
    turn = np.argsort(doses, axis=1, kind="stable")
    doses = np.take_along_axis(doses, turn, axis=1)
    amounts = DOSE * np.take_along_axis(dose_weights, turn, axis=1)
    person, initial = np.stack(start.person), np.ascontiguousarray(start.initial)
    inverse = start.inverse_at(start.initial, 0.0)
    pattern = offsets(float(days.max(initial=0.0)), halvings)

    def work(first: int) -> None:
        rows = slice(first, first + BLOCK)
        wanted = Wanted(doses[rows], amounts[rows], start.homing[rows], days[rows], order[rows], pattern)
        run(person[:, rows], initial[:, rows], inverse[rows], start.constants, start.kinetics, wanted, result[rows])

    blocks = range(0, days.shape[0], BLOCK)
    if threads == 1:
        for first in blocks:
            work(first)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, blocks))
    return result


def _rebound(function: Callable[..., Any], **names: Any) -> FunctionType:
    """The same code with other functions in the place of some that it calls."""
    assert isinstance(function, FunctionType)
    return FunctionType(function.__code__, {**function.__globals__, **names}, function.__name__)


@cache
def _compiled() -> Callable[..., None]:
    """The kernel, compiled once a process."""
    import numba

    # error_model: a division by zero gives infinity as in NumPy; Python's check would keep loops from being vectorised.
    jit = numba.njit(error_model="numpy", nogil=True)
    inlined = numba.njit(error_model="numpy", nogil=True, inline="always")
    inner = {"nearer": inlined(equations.nearer), "demand": inlined(equations.demand)}
    names = {
        "derivatives": inlined(_rebound(equations.derivatives, **inner)),
        "settled": inlined(equations.settled),
        "advance": inlined(cells.advance),
        "decay": inlined(cells.decay),
    }
    parts = ("begin_lanes", "end_of_step", "cells_within", "slopes", "ahead", "keep", "move")
    pieces = {name: jit(_rebound(getattr(lanes, name), **names)) for name in parts}
    return jit(_rebound(lanes.run_block, **pieces))
