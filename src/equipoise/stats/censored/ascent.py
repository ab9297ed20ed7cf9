"""Newton's method for a maximum in many trials at once, safeguarded where the function is not concave."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.stats.arrays import Flags, Floats

Places = NDArray[np.intp]
ITERATIONS = 100
HALVINGS = 30
LONGEST_STEP = 4.0
"""No parameter moves farther at once; they are all scaled to be of order 1."""
FLATTEST = 1e-10
"""Where the function curves less than this share of its largest curvature, it is treated as if it curved so much."""
AT_REST = 1e-13
"""A step that promises less of a gain, as a share of the value's size, is the last; it squares what is still amiss."""
SLACK = 1e-11
"""A loss of this share of the value's size is rounding, not descent."""


@dataclass(frozen=True, slots=True)
class Landscape:
    """A function at one point of each of R trials: value (R,), gradient (R, k), Hessian (R, k, k)."""

    value: Floats
    gradient: Floats
    hessian: Floats


@dataclass(frozen=True, slots=True)
class Summit:
    """Where the ascent ended: point (R, k), what the function is there, and whether each trial came to rest (R,)."""

    point: Floats
    landscape: Landscape
    converged: Flags


Surface = Callable[[Floats, Places], Landscape]
"""The function at points (m, k) of the trials at m places, so that those that are at rest cost nothing."""


def ascend(surface: Surface, start: Floats, *, slack: float = SLACK) -> Summit:
    """Climb from ``start`` (R, k) until the promised gain vanishes.

    The step is (|H|)⁻¹g, with the Hessian's eigenvalues made positive, so that it always points uphill; it is halved
    until it does not lead down. ``slack`` is the share of the value's size that counts as rounding.
    Nocedal & Wright, Numerical Optimization, 2006, section 3.4.
    """
    point, active = start.copy(), np.arange(len(start))
    here = surface(point, active)
    converged = np.zeros(len(point), np.bool_)
    for _ in range(ITERATIONS):
        step, gain = _step(_at(here, active))
        converged[active] = gain <= AT_REST * (1 + np.abs(here.value[active]))
        moved = _halved(surface, point, here, active, step, slack)
        active = active[moved & ~converged[active]]
        if not len(active):
            break
    return Summit(point, here, converged)


def _step(here: Landscape) -> tuple[Floats, Floats]:
    """The step (m, k), no longer than allowed, and the gain that the full one promises (m,)."""
    curvature, axes = np.linalg.eigh(-here.hessian)
    most = np.abs(curvature).max(axis=1, keepdims=True)
    firm = np.maximum(np.abs(curvature), FLATTEST * np.where(most > 0, most, 1.0))
    along = np.einsum("rkj,rk->rj", axes, here.gradient)
    step = np.einsum("rkj,rj->rk", axes, along / firm)
    longest = np.abs(step).max(axis=1, keepdims=True)
    return step * np.minimum(1.0, LONGEST_STEP / np.maximum(longest, LONGEST_STEP)), (along**2 / firm).sum(axis=1) / 2


def _halved(surface: Surface, point: Floats, here: Landscape, active: Places, step: Floats, slack: float) -> Flags:
    """Move each active trial by the longest of step, step/2, step/4 .. that does not lead down; which moved (m,)."""
    pending = np.arange(len(active))
    for halving in range(HALVINGS):
        rows = active[pending]
        trial = point[rows] + step[pending] / 2**halving
        there = surface(trial, rows)
        better = there.value >= here.value[rows] - slack * (1 + np.abs(here.value[rows]))
        up = rows[better]
        point[up], here.value[up] = trial[better], there.value[better]
        here.gradient[up], here.hessian[up] = there.gradient[better], there.hessian[better]
        pending = pending[~better]
        if not len(pending):
            break
    moved = np.ones(len(active), np.bool_)
    moved[pending] = False
    return moved


def _at(here: Landscape, rows: Places) -> Landscape:
    return Landscape(here.value[rows], here.gradient[rows], here.hessian[rows])
