"""Repeated normal values, some censored: arms that start from one mean, random intercepts, and a residual SD by visit.

The baseline is an outcome like the later visits, with one mean for all arms, as randomisation makes it (constrained
longitudinal analysis: Liang & Zeger, Sankhya B 2000;62:134-148). So a censored baseline needs no number of its own. The
effect at a visit is the difference of the arms' mean changes from baseline, which is the arms' coefficient there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.stats.arrays import Codes, Counts, Flags, Floats, Texts, all_of
from equipoise.stats.censored.ascent import Summit, ascend
from equipoise.stats.censored.quadrature import LEAST_SD, Repeated, marginal
from equipoise.stats.censored.regression import NO_INFORMATION, CensoredContrast, Reference, contrast_of
from equipoise.stats.censored.terms import exactly_known
from equipoise.stats.least_squares import NO_SPREAD, blank, orthogonalise
from equipoise.stats.status import Status, first_of, texts
from equipoise.stats.student import Alternative

NODES = 51
FEWEST_NODES = 3
"""Without censoring the posterior of an intercept is normal; three nodes integrate its powers up to the fifth."""
SLACK = 1e-7
"""The nodes move with the parameters, so that the likelihood may fall by so small a share where it should not."""


@dataclass(frozen=True, slots=True)
class LongitudinalFit:
    """The model in each of R trials with V visits and p coefficients; NaN where the status says.

    coefficients:   (R, p), maximum likelihood.
    covariance:     (R, p, p), from the observed information of all parameters.
    intercept_sd:   (R,) SD of the people's intercepts, 0 or more.
    residual_sd:    (R, V) by visit; held at 1/5 of the SD of a fit without intercepts where it would fall lower.
    log_likelihood: (R,).
    df:             (R,) people less the coefficients that one visit holds at most: those of an analysis of covariance.
    people:         (R,) with a value at some visit.
    n, censored:    (R, V) values, and how many of them are not exact.
    """

    coefficients: Floats
    covariance: Floats
    intercept_sd: Floats
    residual_sd: Floats
    log_likelihood: Floats
    df: Floats
    people: Counts
    n: Counts
    censored: Counts
    status: Codes

    @property
    def messages(self) -> Texts:
        """``ok`` or why numbers are missing, (R,)."""
        return texts(self.status)


def constrained_design(arm: np.ndarray, visits: int, arms: int) -> Floats:
    """The design (R, n, V, V + (V - 1)(arms - 1)): a mean by visit, then at each later one the arms but the first.

    arm (R, n) or (n,): index 0 .. arms - 1; any other value makes NaN, so that it must be left out. Visit 0 is the
    baseline. Covariates are further columns, to be appended along the last axis.
    ValueError: fewer than two visits or arms.
    """
    if visits < 2 or arms < 2:
        raise ValueError(f"change needs two visits and a comparison two arms, not {visits} and {arms}")
    code = np.atleast_2d(arm)
    design = np.zeros((*code.shape, visits, visits + (visits - 1) * (arms - 1)))
    design[..., :visits] = np.eye(visits)
    for visit in range(1, visits):
        for index in range(1, arms):
            design[..., visit, _column(visit, index, visits, arms)] = code == index
    design[(code < 0) | (code >= arms)] = np.nan
    return design


def change_weights(
    visit: int, active: int, reference: int, *, visits: int, arms: int, columns: int | None = None
) -> Floats:
    """Weights of the difference in mean change from baseline to ``visit``, arm ``active`` less arm ``reference``.

    (p,) in a design of ``constrained_design``, with zeros for what was appended up to ``columns``.
    ValueError: one arm twice, or a visit or arm that the design has not.
    """
    if active == reference or not (0 <= active < arms and 0 <= reference < arms and 1 <= visit < visits):
        raise ValueError(f"arms {active} and {reference} cannot be compared at visit {visit}")
    own = visits + (visits - 1) * (arms - 1)
    weights = np.zeros(own if columns is None else columns)
    if active > 0:
        weights[_column(visit, active, visits, arms)] = 1.0
    if reference > 0:
        weights[_column(visit, reference, visits, arms)] = -1.0
    return weights


def fit_censored_longitudinal(
    lower: Floats, upper: Floats, design: Floats, included: Flags, *, nodes: int = NODES
) -> LongitudinalFit:
    """Maximum likelihood in every trial, values missing at random.

    lower, upper: (R, n, V) limits, equal for an exact value, -inf and inf where a side is open. design: (R, n, V, p) or
    one that fits it. included: (R, n, V), the values that were measured. nodes: of the quadrature, at least 3.
    ValueError: shapes that do not fit, a mask that is not boolean, or too few nodes.
    """
    data, use, status = _prepared(lower, upper, design, included, nodes)
    trials, _, visits, p = data.design.shape
    flat = (trials, -1)
    basis, factor, independent = orthogonalise(data.design.reshape(*flat, p))
    status = np.where((status == Status.OK) & ~independent, np.int8(Status.SINGULAR_DESIGN), status)
    effects, scale, constant = _start(data, basis)
    status = np.where((status == Status.OK) & constant, np.int8(Status.CONSTANT_OUTCOME), status)
    shift = np.einsum("rnp,rp->rn", basis, effects).reshape(data.lower.shape)
    low, high = ((limit - shift) / scale[:, None, None] for limit in (data.lower, data.upper))
    start = np.zeros((trials, p + 1 + visits))
    start[:, p:] = np.sqrt(0.5)
    summit = ascend(marginal(Repeated(low, high, basis.reshape(data.design.shape)), nodes), start, slack=SLACK)
    status = np.where(status == Status.OK, _after(summit, p), status).astype(np.int8)
    fitted = status == Status.OK
    exact = exactly_known(data.lower, data.upper)
    people = use.any(axis=2).sum(axis=1)
    likelihood = summit.landscape.value - exact.sum(axis=(1, 2)) * np.log(scale)
    back = factor * scale[:, None, None]
    information = np.where(fitted[:, None, None], -summit.landscape.hessian, np.eye(p + 1 + visits))
    covariance = back @ np.linalg.inv(information)[:, :p, :p] @ back.swapaxes(1, 2)
    b = np.einsum("rpq,rq->rp", factor, effects + scale[:, None] * summit.point[:, :p])
    return LongitudinalFit(
        coefficients=blank(b, fitted),
        covariance=blank(covariance, fitted),
        intercept_sd=blank(np.abs(summit.point[:, p]) * scale, fitted),
        residual_sd=blank(np.hypot(summit.point[:, p + 1 :], LEAST_SD) * scale[:, None], fitted),
        log_likelihood=blank(likelihood, fitted),
        df=blank((people - _at_one_visit(data)).astype(np.float64), fitted),
        people=people,
        n=use.sum(axis=1),
        censored=(use & ~exactly_known(np.asarray(lower), np.asarray(upper))).sum(axis=1),
        status=status,
    )


def longitudinal_contrast(
    fit: LongitudinalFit,
    weights: Floats,
    *,
    level: float = 0.95,
    reference: Reference = "t",
    alternative: Alternative = "two-sided",
) -> CensoredContrast:
    """The combination weights·b, weights (p,), by its standard error from the observed information.

    reference ``t``: t on ``df``, the standard error enlarged by √(people/df), as for one visit; ``normal``: neither.
    Both are approximate, censored or not: the test to rely on is by re-randomisation.
    ValueError: weights that do not fit, a level outside (0, 1), an unknown reference or alternative.
    """
    covariance, known = fit.covariance, fit.status == Status.OK
    return contrast_of(
        fit.coefficients, covariance, fit.people, fit.df, known, fit.status, weights, level, reference, alternative
    )


def _column(visit: int, arm: int, visits: int, arms: int) -> int:
    return visits + (visit - 1) * (arms - 1) + arm - 1


def _prepared(
    lower: Floats, upper: Floats, design: Floats, included: Flags, nodes: int
) -> tuple[Repeated, Flags, Codes]:
    """The data with nothing in them where there is nothing to fit, which values are there, and the status so far."""
    if lower.ndim != 3 or lower.shape != upper.shape:
        raise ValueError(f"limits {lower.shape} and {upper.shape} are not (trials, people, visits)")
    if included.dtype != np.bool_:
        raise ValueError(f"included must be boolean, not {included.dtype}")
    if nodes < FEWEST_NODES:
        raise ValueError(f"quadrature and its derivatives need at least {FEWEST_NODES} nodes, not {nodes}")
    use = np.broadcast_to(included, lower.shape)
    x = np.where(use[..., None], design, 0.0)
    open_side = ~np.isfinite(lower) | ~np.isfinite(upper)
    sound = ((lower < upper) & (np.isfinite(lower) | np.isfinite(upper))) | exactly_known(lower, upper)
    people = use.any(axis=2).sum(axis=1)
    beyond = all_of(open_side | ~use, 1).sum(axis=1) > 0
    finite = np.isfinite(x).all(axis=3)
    held = np.max((x != 0).any(axis=1).sum(axis=2), axis=1, initial=0)
    status = first_of(
        {
            Status.NO_OBSERVATIONS: np.asarray((use.sum(axis=1) == 0).any(axis=1)),
            Status.NOT_FINITE: np.asarray((use & ~(sound & finite)).any(axis=(1, 2))),
            Status.TOO_FEW_OBSERVATIONS: np.asarray((people <= held) | (use.sum(axis=(1, 2)) <= x.shape[3])),
            Status.ALL_CENSORED: np.asarray(beyond),
        }
    )
    fine = use & (status == Status.OK)[:, None, None]
    low, high = np.where(fine, lower, -np.inf), np.where(fine, upper, np.inf)
    return Repeated(low, high, np.where(fine[..., None] & np.isfinite(x), x, 0.0)), use, status


def _at_one_visit(data: Repeated) -> Counts:
    """The most coefficients that one visit's values hold, (R,)."""
    ranks = [np.linalg.matrix_rank(data.design[:, :, visit]) for visit in range(data.design.shape[2])]
    return np.max(ranks, axis=0)


def _start(data: Repeated, basis: Floats) -> tuple[Floats, Floats, Flags]:
    """Least squares, a limit or the middle of two standing in: effects, residual SD, and whether it is 0."""
    low, high = (limit.reshape(len(limit), -1) for limit in (data.lower, data.upper))
    ends = np.isfinite(low).astype(np.float64) + np.isfinite(high)
    known_low, known_high = (np.where(np.isfinite(limit), limit, 0.0) for limit in (low, high))
    stand_in = (known_low + known_high) / np.maximum(ends, 1.0)
    effects = np.einsum("rnp,rn->rp", basis, stand_in)
    residual = np.where(ends > 0, stand_in - np.einsum("rnp,rp->rn", basis, effects), 0.0)
    size, spread = np.linalg.norm(stand_in, axis=1), np.linalg.norm(residual, axis=1)
    none = spread <= NO_SPREAD * size
    scale = np.where(none, np.where(size > 0, size, 1.0), spread) / np.sqrt(np.maximum((ends > 0).sum(axis=1), 1))
    return effects, scale, none


def _after(summit: Summit, p: int) -> Codes:
    """Whether the ascent went on towards infinity, or did not come to rest."""
    information = -summit.landscape.hessian[:, :p, :p]
    least = np.linalg.eigvalsh(information).min(axis=1, initial=np.inf)
    return first_of({Status.NO_MAXIMUM: np.asarray(least < NO_INFORMATION), Status.NOT_CONVERGED: ~summit.converged})
