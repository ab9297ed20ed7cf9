"""One mixed model for repeated measures: its fit, what the fit says of itself, and the reasons to distrust it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log, nan, pi

import numpy as np

from equipoise.stats.arrays import Counts, Floats
from equipoise.stats.mmrm.blocks import Arranged, Blocks, arrange, fitted_exactly
from equipoise.stats.mmrm.likelihood import evaluate, slope_at
from equipoise.stats.mmrm.optimise import Optimum, minimise
from equipoise.stats.mmrm.structures import Structure, StructureName, Unstructured
from equipoise.stats.mmrm.structures import structure as family_of
from equipoise.stats.mmrm.threads import one_thread
from equipoise.stats.mmrm.trust import FEWEST, Diagnosis, diagnosed, freedoms, judged, unit_of
from equipoise.stats.status import Status

OWN_VARIANCES = ("us", "csh", "ar1h", "toeph")
"""Structures in which each visit has a variance of its own."""
PAIR = 2
"""An unstructured covariance needs so many people with values at both of two visits."""
SMALLEST = 0.05
"""The smallest eigenvalue of the correlations that the search starts from."""


@dataclass(frozen=True, slots=True)
class Solved:
    """What inference needs of a fit: the data as arranged, the family of covariances, and the optimum."""

    data: Arranged
    family: Structure
    optimum: Optimum


@dataclass(frozen=True, slots=True)
class MMRMFit:
    """A fitted model with p coefficients and T visits; NaN where the status is not OK.

    coefficients: (p,), in the order of the design's columns. sigma: (T, T) covariance of a person's values (of weight
    1). log_likelihood: restricted or full, with all constants. parameters: of the covariance. observations and
    people: that counted. complete_cases: people with a value at every visit. solved: for the inference, or nothing.
    """

    coefficients: Floats
    sigma: Floats
    status: Status
    structure: StructureName
    reml: bool
    log_likelihood: float
    parameters: int
    observations: int
    people: int
    complete_cases: int
    diagnosis: Diagnosis
    solved: Solved | None

    @property
    def message(self) -> str:
        """``ok`` or why numbers are missing."""
        return self.status.text

    @property
    def residual_df(self) -> int:
        """Observations less coefficients."""
        return self.observations - len(self.coefficients)

    @property
    def aic(self) -> float:
        """Akaike's criterion, -2 log L + 2 k, with the covariance's k parameters; of models with one design."""
        return -2.0 * self.log_likelihood + 2.0 * self.parameters

    @property
    def bic(self) -> float:
        """Schwarz's criterion, -2 log L + k log n, with n people."""
        return -2.0 * self.log_likelihood + self.parameters * log(self.people) if self.people else nan


def fit_mmrm(
    y: Floats,
    X: Floats,
    subject: Counts,
    visit: Counts,
    *,
    structure: StructureName = "us",
    reml: bool = True,
    weights: Floats | None = None,
    visits: int | None = None,
    times: Floats | None = None,
    places: Floats | None = None,
) -> MMRMFit:
    """The linear model y = Xb + e, with one T x T covariance of the errors e of each person, by restricted likelihood.

    y (N,): NaN is a missing value, and its row counts for nothing. X (N, p): of full rank. subject (N,): any codes.
    visit (N,): 0 .. T - 1, each once for each person. visits: T, if the last may be missing. weights (N,): a value of
    weight w has a variance divided by w. times (T,): of the visits, for the random slope of ``ris``. places (T,): of
    the visits, for the distances of ``ar1`` and ``toep``; without them, neighbours are one apart.

    Patterson & Thompson, Biometrika 1971;58:545-554; Mallinckrodt et al., Drug Inf J 2008;42:303-319.
    Data that cannot be analysed give a status. ValueError: shapes or codes that do not fit, an unknown structure.
    """
    y, X = np.asarray(y, dtype=np.float64), np.asarray(X, dtype=np.float64)
    visit = np.asarray(visit)
    T = visits if visits is not None else int(visit.max()) + 1 if len(visit) else 1
    family = family_of(structure, T, times, places)
    with one_thread():
        data = arrange(y, X, np.asarray(subject), visit, T, weights)
        if data.blocks is not None:
            data = replace(data, status=_refused(data, data.blocks, structure))
        found = _solve(data, data.blocks, family, reml=reml) if data.blocks and data.status == Status.OK else None
        return _told(data, family, found, structure, unit_of(y[~np.isnan(y)]), reml=reml)


def _refused(data: Arranged, blocks: Blocks, structure: StructureName) -> Status:
    if structure == "us" and data.pairs.min() < PAIR:
        return Status.TOO_FEW_PAIRS
    if (structure in OWN_VARIANCES or (structure == "ris" and blocks.visits == 2)) and fitted_exactly(blocks).any():
        return Status.EXACT_VISIT
    if structure == "us" and min(freedoms(data, blocks, structure)) < FEWEST:
        return Status.FEW_AT_VISIT
    return Status.OK


def _solve(data: Arranged, blocks: Blocks, family: Structure, *, reml: bool) -> Optimum | None:
    return minimise(blocks, family, family.start(_first_guess(data, blocks, reml=reml)), reml=reml)


def _first_guess(data: Arranged, blocks: Blocks, *, reml: bool) -> Floats:
    """A positive definite covariance (T, T) near the pairwise moments of the residuals, and one step of EM from it."""
    T = blocks.visits
    residuals = np.zeros((data.people, T))
    residuals[data.subject, data.visit] = data.residuals
    moments = residuals.T @ residuals / np.maximum(data.pairs, 1.0)
    # Neither a visit of one value nor one that happens to be fitted exactly may start at no variance.
    root = np.sqrt(np.maximum(np.diagonal(moments), 0.01))
    correlation = moments / np.outer(root, root)
    np.fill_diagonal(correlation, 1.0)
    least = np.linalg.eigvalsh(correlation)[0]
    if least < SMALLEST:
        correlation *= (1.0 - SMALLEST) / (1.0 - least)
        np.fill_diagonal(correlation, 1.0)
    sigma = correlation * np.outer(root, root)
    point = evaluate(blocks, sigma, reml=reml)
    if point is None:
        return sigma
    slope = slope_at(blocks, point, reml=reml)
    # Laird & Ware, Biometrics 1982;38:963-974; where that is singular already, the moments have to do.
    improved = sigma - sigma @ slope @ sigma / data.people
    return improved if evaluate(blocks, improved, reml=reml) else sigma


def _told(
    data: Arranged, family: Structure, found: Optimum | None, name: StructureName, unit: float, *, reml: bool
) -> MMRMFit:
    T, p = len(data.pairs), data.design.shape[1]
    numbers = diagnosed(data, found, name, unit)
    status = judged(data, found, numbers)
    solved = Solved(data, family, found) if found is not None and status == Status.OK else None
    coefficients, sigma, likelihood = np.full(p, nan), np.full((T, T), nan), nan
    if status == Status.CONSTANT_OUTCOME:
        coefficients = data.coefficients
    elif solved is not None:
        found = solved.optimum
        coefficients = data.coefficients + data.scale * (data.factor @ found.point.coefficients)
        sigma = data.scale**2 * found.point.sigma
        likelihood = _log_likelihood(data, found.point.value, reml=reml)
    seen = np.zeros((data.people, T), dtype=np.bool_)
    seen[data.subject, data.visit] = True
    return MMRMFit(
        coefficients=coefficients,
        sigma=sigma,
        status=status,
        structure=name,
        reml=reml,
        log_likelihood=likelihood,
        parameters=_parameters(family, T),
        observations=len(data.outcome),
        people=data.people,
        complete_cases=int(seen.all(axis=1).sum()),
        diagnosis=numbers,
        solved=solved,
    )


def _log_likelihood(data: Arranged, value: float, *, reml: bool) -> float:
    """In the units of the data: log|V| and log|X'V⁻¹X| of the scaled outcome and the design before it was turned."""
    N, p = data.design.shape
    free = N - p if reml else N
    turned = np.linalg.slogdet(data.factor)[1] if reml else 0.0
    return -(value + free * (log(data.scale) + 0.5 * log(2.0 * pi)) - turned) + data.log_weights


def _parameters(family: Structure, visits: int) -> int:
    if isinstance(family, Unstructured):
        return visits * (visits + 1) // 2
    return len(family.start(np.eye(visits)))
