"""Whether a fitted covariance may be believed: the numbers by which a fit is judged, and the judgement.

The share s of a visit's variance that the other visits leave is estimated with a relative standard error of √(2 / v)
whatever its size, v being the degrees of freedom left to it. A high correlation is therefore no reason to distrust a
fit; too few people for it are, and so is a share that cannot be told from none, or from the rounding of the values.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10, nan

import numpy as np

from equipoise.stats.arrays import Floats
from equipoise.stats.mmrm.blocks import Arranged, Blocks, visit_ranks
from equipoise.stats.mmrm.optimise import Optimum
from equipoise.stats.mmrm.structures import StructureName, shares
from equipoise.stats.status import Status

UNBOUNDED = 1e-5
"""Where the search runs on until a visit keeps less than this share of its variance, there is no maximum."""
FLAT = 1e-6
"""The least curvature, as a share of the largest, that still determines the covariance."""
NONE_LEFT = 1e-8
"""A share of a visit's variance that is below this with such certainty is none."""
CERTAINTY = 0.999
"""Of the upper limit of a share."""
FEWEST = 1
"""Degrees of freedom that an unstructured covariance needs at each visit."""
MULTIPLE = 1e-9
"""How far from a whole number a multiple may be."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The numbers by which a fit is judged; NaN where it came to nothing.

    decrement: what the last step still promised to gain in twice the log-likelihood. information: the least curvature
    of the log-likelihood, each measured by that of complete data, as a share of the largest. correlation: the largest
    between two visits, absolute. remaining: the smallest share of a visit's variance that the other visits leave.
    limit: upper limit of 99.9 % of such a share, at the visit where it is nearest to what would be none. rounding: the
    share there that rounding of the values alone would leave. freedom: the fewest degrees of freedom of a share.
    pairs: the fewest people with values at both of two visits. few: with an unstructured covariance, so few people
    have a value at every visit that one direction of their values may be fitted exactly.
    """

    decrement: float
    information: float
    correlation: float
    remaining: float
    limit: float
    freedom: int
    rounding: float
    pairs: int
    few: bool


def judged(data: Arranged, found: Optimum | None, numbers: Diagnosis) -> Status:
    """The status of a fit by its numbers. found: where the search ended, if it began."""
    if data.status != Status.OK:
        return data.status
    if found is None:
        return Status.NOT_CONVERGED
    if not found.converged and numbers.remaining < UNBOUNDED:
        return Status.UNBOUNDED_LIKELIHOOD if numbers.few else Status.NEAR_SINGULAR
    if not found.converged:
        return Status.NOT_CONVERGED
    if numbers.limit < max(NONE_LEFT, numbers.rounding) or numbers.information < FLAT:
        return Status.NEAR_SINGULAR
    return Status.OK


def diagnosed(data: Arranged, found: Optimum | None, structure: StructureName, unit: float) -> Diagnosis:
    """The numbers of a fit; ``unit``: of which all values are multiples, or 0."""
    pairs, free, few = int(data.pairs.min()), [0], False
    if data.blocks is not None:
        free = freedoms(data, data.blocks, structure)
        few = structure == "us" and _few_are_complete(data.blocks)
    if found is None:
        return Diagnosis(nan, nan, nan, nan, nan, min(free), nan, pairs, few)
    sigma = found.point.sigma
    variances = np.diagonal(sigma)
    root = np.sqrt(variances)
    between = float(np.abs(sigma / np.outer(root, root) - np.eye(len(sigma))).max())
    left = shares(sigma)
    limits = left * np.array([_factor(count) for count in free])
    rounding = unit**2 / (12.0 * data.scale**2 * variances)
    j = int(np.argmin(limits / np.maximum(rounding, NONE_LEFT)))
    return Diagnosis(
        decrement=found.decrement,
        information=information(data, found),
        correlation=between,
        remaining=float(left.min()),
        limit=float(limits[j]),
        freedom=min(free),
        rounding=float(rounding[j]),
        pairs=pairs,
        few=few,
    )


def _few_are_complete(blocks: Blocks) -> bool:
    """Whether no more people have all visits than a visit has effects and other visits."""
    complete = float(blocks.people @ blocks.seen.all(axis=1))
    return complete <= blocks.visits - 1 + float(visit_ranks(blocks).max())


def freedoms(data: Arranged, blocks: Blocks, structure: StructureName) -> list[int]:
    """Degrees of freedom (T,) of the share of each visit's variance that the other visits leave.

    Unstructured: people with that visit and another, less the fixed effects of the visit, less the other visits. The
    parameters of the other structures are shared by the visits, and so are the observations less all coefficients.
    """
    T = blocks.visits
    if structure != "us" or T == 1:
        return [len(data.outcome) - blocks.columns] * T
    several = blocks.seen * (blocks.seen.sum(axis=1, keepdims=True) > 1)
    people = blocks.people @ several
    return [int(n) - int(rank) - (T - 1) for n, rank in zip(people, visit_ranks(blocks), strict=True)]


def _factor(freedom: int) -> float:
    """What a share is multiplied by for its upper limit."""
    if freedom < 1:
        return np.inf
    from scipy.special import chdtri

    return float(freedom / chdtri(freedom, CERTAINTY))


def information(data: Arranged, found: Optimum) -> float:
    """The smallest eigenvalue, as a share of the largest, of the observed information over that of complete data."""
    basis = found.derivatives.basis
    try:
        # In the coordinates of a Cholesky factor, a complete person's covariance is I.
        whole = found.point.sigma if found.way.root is None else np.eye(len(found.point.sigma))
        inverse = np.asarray(np.linalg.inv(whole), dtype=np.float64)
        complete = found.way.jacobian @ basis.quartic(inverse[None], inverse[None]) @ found.way.jacobian.T
        triangle = np.linalg.inv(np.linalg.cholesky(0.5 * data.people * complete))
    except np.linalg.LinAlgError:
        return 0.0
    values = np.linalg.eigvalsh(triangle @ found.hessian @ triangle.T)
    return float(values[0] / values[-1]) if values[-1] > 0.0 else 0.0


def unit_of(values: Floats) -> float:
    """The largest power of ten of which all values are multiples; 0 where there is none to speak of."""
    size = np.abs(values)
    largest = float(size.max(initial=0.0))
    if not 0.0 < largest < np.inf:
        return 0.0
    top = floor(log10(largest))
    for power in range(top, top - 12, -1):
        # 10 to a negative power is not exact; dividing by its reciprocal is nearer.
        counts = values * 10.0**-power if power < 0 else values / 10.0**power
        if (np.abs(counts - np.round(counts)) <= MULTIPLE).all():
            return 10.0**power
    return 0.0
