"""The search for the covariance: Newton steps, along curves of positive definite matrices where there are such.

Where the curvature is not positive, the step is Newton's with the absolute curvatures in the metric of the expected
information (saddle-free Newton; Dauphin et al., Adv Neural Inf Process Syst 2014;27). Nocedal & Wright, Numerical
optimization, 2nd ed. 2006, chapters 3 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.stats.arrays import Floats
from equipoise.stats.mmrm.blocks import Blocks
from equipoise.stats.mmrm.likelihood import (
    Derivatives,
    Point,
    differentiate,
    evaluate,
    expected_information,
)
from equipoise.stats.mmrm.structures import Directions, Structure, Unstructured, directions, shares

STEPS = 200
AT_REST = 1e-18
"""A Newton decrement (twice the fall of f that a step promises) below which nothing is left to gain."""
NEAR = 1e-9
"""A decrement below which the steps are whole ones, until they no longer shrink: f itself then shows only rounding."""
LONGEST = 2.5
"""The longest step, as a Frobenius norm of Sigma^-½ D Sigma^-½."""
COLLAPSED = 1e-11
"""A visit whose variance given the others is below this share of its variance: the likelihood has no maximum."""
FLATTEST = 1e-4
"""A curvature below this share of the expected one counts as this, in a saddle-free step."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where the search ended: parameters (k,), the likelihood there, and its derivatives by the parameters.

    way: the directions of its parameters. gradient: (k,). hessian: (k, k), observed information.
    decrement: g'H⁻¹g of the last step. converged: the decrement came to rest at a minimum.
    """

    theta: Floats
    point: Point
    derivatives: Derivatives
    way: Directions
    gradient: Floats
    hessian: Floats
    decrement: float
    steps: int
    converged: bool


def minimise(blocks: Blocks, family: Structure, start: Floats, *, reml: bool) -> Optimum | None:
    """The minimum of f over the parameters, from ``start`` (k,); nothing where that gives no likelihood."""
    theta, point = start, evaluate(blocks, family.sigma(start), reml=reml)
    if point is None:
        return None
    last, steps = np.inf, 0
    while True:
        way = directions(family, theta, point.sigma)
        slopes = differentiate(blocks, point, way.basis, reml=reml, along=way.root)
        gradient = way.jacobian @ slopes.gradient
        hessian = way.jacobian @ slopes.observed @ way.jacobian.T
        slope = slopes.slope if isinstance(family, Unstructured) else way.outside(slopes.slope)
        curvature = hessian + family.bend(theta, slope)
        if shares(point.sigma).min() < COLLAPSED:
            return Optimum(theta, point, slopes, way, gradient, curvature, np.inf, steps, converged=False)
        step, convex = _direction(blocks, point, slopes, way, gradient, curvature, reml=reml)
        decrement = float(-gradient @ step)
        rest = convex and (decrement <= AT_REST or (decrement <= NEAR and decrement >= 0.25 * last))
        moved = None if rest or steps >= STEPS else _advance(blocks, family, theta, point, step, decrement, reml=reml)
        if moved is None:
            # At rest the gradient is 0, and so is what the curve of the steps adds to the curvature; a curved
            # parameter's own second derivative is part of the information, whatever the gradient's rounding.
            converged = rest or (convex and decrement <= NEAR)
            return Optimum(theta, point, slopes, way, gradient, curvature, decrement, steps, converged)
        theta, point = moved
        last, steps = decrement, steps + 1


def _direction(
    blocks: Blocks,
    point: Point,
    slopes: Derivatives,
    way: Directions,
    gradient: Floats,
    curvature: Floats,
    *,
    reml: bool,
) -> tuple[Floats, bool]:
    """The step (k,), and whether the curvature is positive."""
    try:
        root = np.linalg.cholesky(curvature)
        step = -np.asarray(np.linalg.solve(root.T, np.linalg.solve(root, gradient)), dtype=np.float64)
        convex = True
    except np.linalg.LinAlgError:
        metric = way.jacobian @ expected_information(blocks, slopes, reml=reml) @ way.jacobian.T
        step, convex = _saddle_free(metric, gradient, curvature), False
    change = way.basis.matrix(way.jacobian.T @ step)
    relative = change if way.root is not None else np.linalg.solve(point.sigma, change)
    length = np.sqrt(max(float(np.einsum("ab,ba->", relative, relative)), 0.0))
    return step * min(1.0, LONGEST / max(length, LONGEST)), convex


def _saddle_free(metric: Floats, gradient: Floats, curvature: Floats) -> Floats:
    values, vectors = np.linalg.eigh(0.5 * (metric + metric.T))
    basis = vectors / np.sqrt(np.maximum(values, 1e-10 * values[-1]))
    values, vectors = np.linalg.eigh(basis.T @ curvature @ basis)
    along = basis @ vectors
    return -along @ (along.T @ gradient / np.maximum(np.abs(values), FLATTEST))


def _advance(
    blocks: Blocks, family: Structure, theta: Floats, point: Point, step: Floats, decrement: float, *, reml: bool
) -> tuple[Floats, Point] | None:
    """The first of the whole, half, quarter ... steps that lowers f enough (Armijo)."""
    share = 1.0
    for _ in range(40):
        there = family.move(theta, share * step)
        found = evaluate(blocks, family.sigma(there), reml=reml)
        if found is not None and (decrement <= NEAR or found.value <= point.value - 1e-4 * share * decrement):
            return there, found
        share *= 0.5
    return None
