"""The data of a repeated-measures model as the likelihood wants them: by pattern of missing visits, compressed.

People with the same observed visits share every matrix of the likelihood, and enter it by sums over people only.
A QR decomposition of the distinct columns of a pattern's people therefore replaces them, exactly, by as many rows as
there are such columns. The design is orthogonalised and the outcome is replaced by its least-squares residuals in
units of their standard deviation, so that nothing depends on the units of the data.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from equipoise.stats.arrays import Counts, Flags, Floats
from equipoise.stats.least_squares import DEPENDENT, NO_SPREAD
from equipoise.stats.mmrm.tall import remains
from equipoise.stats.status import Status

EXACT = 1e-11
"""A visit of whose squared residuals this share is left, beside its own design, is fitted exactly."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """What the likelihood is computed from: m rows of people or of their compressions, sorted by pattern.

    rows: (m, T, p + 1) orthogonalised design and scaled outcome, 0 at missing visits. pattern: (m,) of each row.
    first: (P,) the first row of each pattern. seen: (P, T) 0 or 1. people: (P,). both: (P, T, T) 1 where both
    visits are seen. absent: (P, T, T) 1 on the diagonal of missing visits. whole: some person lacks no visit.
    """

    rows: Floats
    pattern: Counts
    first: Counts
    seen: Floats
    people: Floats
    both: Floats = field(init=False)
    absent: Floats = field(init=False)
    whole: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "both", self.seen[:, :, None] * self.seen[:, None, :])
        object.__setattr__(self, "absent", np.eye(self.seen.shape[1]) * (1.0 - self.seen)[:, None, :])
        object.__setattr__(self, "whole", bool(self.seen.all(axis=1).any()))

    @property
    def columns(self) -> int:
        """The number p of coefficients."""
        return self.rows.shape[2] - 1

    @property
    def visits(self) -> int:
        """The number T of visits."""
        return self.rows.shape[1]


@dataclass(frozen=True, slots=True)
class Arranged:
    """The data of one fit; ``blocks`` only where the status is OK, coefficients where least squares gave them.

    status: Status. design: (N', p) and outcome: (N',) of the values that count, each times the root of its weight.
    subject: (N',) 0 .. n - 1. visit: (N',). log_weights: half the sum of the weights' logarithms. pairs: (T, T)
    people with values at both visits. people: n. coefficients: (p,) by least squares. factor: (p, p), orthogonalised
    design = design @ factor. scale: of the residuals. residuals: (N',) over it. blocks: compressed.
    """

    status: Status
    design: Floats
    outcome: Floats
    subject: Counts
    visit: Counts
    log_weights: float
    pairs: Floats
    people: int
    coefficients: Floats
    factor: Floats
    scale: float
    residuals: Floats
    blocks: Blocks | None


def arrange(y: Floats, X: Floats, subject: Counts, visit: Counts, visits: int, weights: Floats | None) -> Arranged:
    """Leave out missing outcomes, check the rest, orthogonalise and group. Shapes as in ``fit_mmrm``.

    ValueError: shapes that do not fit, visits outside 0 .. T - 1, weights that are not above 0, a person with two
    values at one visit.
    """
    weight = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    _check(y, X, subject, visit, visits, weight)
    kept = ~np.isnan(y)
    root = np.sqrt(weight[kept])
    outcome, design = y[kept] * root, X[kept] * root[:, None]
    labels, person = np.unique(subject[kept], return_inverse=True)
    visit = visit[kept].astype(np.int64)
    seen = np.zeros((len(labels), visits))
    np.add.at(seen, (person, visit), 1.0)
    if (seen > 1).any():
        raise ValueError("a person has two values at one visit")
    p = X.shape[1]
    data = Arranged(
        status=_before_fitting(outcome, design),
        design=design,
        outcome=outcome,
        subject=person,
        visit=visit,
        log_weights=float(np.log(root).sum()),
        pairs=seen.T @ seen,
        people=len(labels),
        coefficients=np.full(p, np.nan),
        factor=np.eye(p),
        scale=np.nan,
        residuals=outcome,
        blocks=None,
    )
    return _with_blocks(data, seen) if data.status == Status.OK else data


def _before_fitting(outcome: Floats, design: Floats) -> Status:
    if not len(outcome):
        return Status.NO_OBSERVATIONS
    if not (np.isfinite(outcome).all() and np.isfinite(design).all()):
        return Status.NOT_FINITE
    return Status.TOO_FEW_OBSERVATIONS if len(outcome) <= design.shape[1] else Status.OK


def _with_blocks(data: Arranged, seen: Floats) -> Arranged:
    """Least squares, and what is left of the outcome in blocks."""
    found = remains(data.design, data.outcome)
    if not found.independent:
        return replace(data, status=Status.SINGULAR_DESIGN)
    residuals, factor = found.residuals, found.factor
    data = replace(data, coefficients=found.coefficients, factor=factor)
    if np.linalg.norm(residuals) <= NO_SPREAD * np.linalg.norm(data.outcome):
        return replace(data, status=Status.CONSTANT_OUTCOME)
    if (seen.sum(axis=0) == 0).any():
        return replace(data, status=Status.EMPTY_VISIT)
    scale = float(np.sqrt(residuals @ residuals / (len(residuals) - len(factor))))
    residuals = residuals / scale
    blocks = _blocks(data.design, residuals, factor, data.subject, data.visit, seen)
    return replace(data, scale=scale, residuals=residuals, blocks=blocks)


def _check(y: Floats, X: Floats, subject: Counts, visit: Counts, visits: int, weight: Floats) -> None:
    n = len(y)
    if y.shape != (n,) or X.ndim != 2 or {len(X), len(subject), len(visit), len(weight)} != {n}:
        raise ValueError("y, X, subject, visit and weights must have one row for each value")
    if n and not (visit.min() >= 0 and visit.max() < visits):
        raise ValueError(f"visits are numbered 0 .. {visits - 1}")
    if not (weight > 0).all():
        raise ValueError("weights must be above 0")


def _blocks(design: Floats, residuals: Floats, factor: Floats, person: Counts, visit: Counts, seen: Floats) -> Blocks:
    n, visits = seen.shape
    p = design.shape[1]
    rows = np.zeros((n, visits, p + 1))
    rows[person, visit, :p] = design
    rows[person, visit, p] = residuals
    patterns, pattern = _patterns(seen)
    order = np.argsort(pattern, kind="stable")
    people = np.bincount(pattern)
    parts = [_compressed(part) for part in np.split(rows[order], np.cumsum(people)[:-1])]
    lengths = np.array([len(part) for part in parts])
    together = np.concatenate(parts)
    together[..., :p] = together[..., :p] @ factor
    first = np.cumsum(lengths) - lengths
    return Blocks(together, np.repeat(np.arange(len(parts)), lengths), first, patterns, people.astype(np.float64))


def _patterns(seen: Floats) -> tuple[Floats, Counts]:
    """The distinct rows (P, T) of ``seen``, and which of them each row is."""
    packed = np.packbits(seen.astype(np.uint8), axis=1)
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, one, pattern = np.unique(keys, return_index=True, return_inverse=True)
    return seen[one], pattern


def visit_ranks(blocks: Blocks) -> Counts:
    """The number (T,) of independent columns of the design among the values of each visit."""
    return _at_each_visit(blocks)[0].sum(axis=1)


def fitted_exactly(blocks: Blocks) -> Flags:
    """Whether the values of each visit (T,) follow from the design there: then its variance would be 0."""
    kept, values, vectors, products = _at_each_visit(blocks)
    p = blocks.columns
    along = np.einsum("tji,tj->ti", vectors, products[:, :p, p])
    explained = np.where(kept, along**2 / np.where(kept, values, 1.0), 0.0).sum(axis=1)
    # The residuals have unit variance over all visits; what is left of their squares is rounding.
    return products[:, p, p] - explained <= EXACT * np.maximum(products[:, p, p], 1.0)


def _at_each_visit(blocks: Blocks) -> tuple[Flags, Floats, Floats, Floats]:
    """Products of the rows of each visit (T, p + 1, p + 1), with eigenvalues and -vectors and which of them count."""
    p = blocks.columns
    by_visit = blocks.rows.swapaxes(0, 1)
    products = by_visit.swapaxes(1, 2) @ by_visit
    values, vectors = np.linalg.eigh(products[:, :p, :p])
    return values > DEPENDENT**2 * values[:, -1:], values, vectors, products


def _compressed(people: Floats) -> Floats:
    """Rows (k, T, p + 1) with the same sums of products over people as the given (n, T, p + 1), k <= n.

    Distinct columns are found by a weighted sum of each, and then compared, so that a coincidence changes nothing.
    """
    n = len(people)
    flat = people.reshape(n, -1)
    if n <= people.shape[1] + 1:
        return people
    # Equal columns give equal sums; the irrational weights make other coincidences as good as impossible.
    mark = (np.sqrt(np.arange(2.0, n + 2.0))[:, None] * flat).sum(axis=0)
    _, one, which = np.unique(mark, return_index=True, return_inverse=True)
    if len(one) >= n or not np.array_equal(flat[:, one][:, which], flat):
        return people
    triangle = np.asarray(np.linalg.qr(flat[:, one], mode="r"))
    return triangle[:, which].reshape(len(triangle), *people.shape[1:])
