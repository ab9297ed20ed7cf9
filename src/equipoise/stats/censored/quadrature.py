"""The log-likelihood of people whose censored values share a random intercept, by adaptive Gauss-Hermite quadrature.

A value at visit v is mean + τu + σ_v e, with standard normal u of the person and e of the value. The likelihood of a
person is an integral over u. Its integrand is log-concave; the nodes are put where it is: around its mode, as wide as
its curvature says (Liu & Pierce, Biometrika 1994;81:624-629). Without censoring three nodes are exact. Derivatives
follow from those of the integrand by the identities of Fisher and Louis (J R Stat Soc B 1982;44:226-233).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.stats.arrays import Flags, Floats
from equipoise.stats.censored.ascent import Landscape, Places, Surface
from equipoise.stats.censored.terms import Terms, normal_terms

MODE_STEPS = 60
MODE_AT_REST = 1e-10
LARGEST_MODE_STEP = 3.0


@dataclass(frozen=True, slots=True)
class Repeated:
    """Limits of values (R, n, V), minus and plus infinity for one that is missing, and their design (R, n, V, p)."""

    lower: Floats
    upper: Floats
    design: Floats


@dataclass(frozen=True, slots=True)
class Parameters:
    """Coefficients (R, p), the SD τ of the intercepts, of either sign (R, 1), and ln σ by visit (R, V)."""

    coefficients: Floats
    tau: Floats
    log_sd: Floats


LEAST_SD = 0.2
"""A residual SD, in units of that of a fit without intercepts, comes no lower: nobody has the same level twice, and no
assay measures it without error. A smaller one would make a censored value a step between the nodes."""


def parameters(point: Floats, coefficients: int) -> Parameters:
    """The parts of points (R, p + 1 + V), the last of which are w_v: σ_v² = w_v² + ``LEAST_SD``².

    τ and w may be of either sign: the likelihood does not see it, so that 0 is no edge and Newton's method arrives.
    """
    w = point[:, coefficients + 1 :]
    return Parameters(
        point[:, :coefficients], point[:, coefficients : coefficients + 1], np.log(w * w + LEAST_SD**2) / 2
    )


def marginal(everything: Repeated, nodes: int) -> Surface:
    """The log-likelihood of (coefficients, τ, w_1 .. w_V), (R, p + 1 + V), as a surface."""
    p = everything.design.shape[3]
    abscissae, weights = np.polynomial.hermite.hermgauss(nodes)
    log_weights = np.log(weights) + abscissae**2

    def at(point: Floats, rows: Places) -> Landscape:
        data = Repeated(everything.lower[rows], everything.upper[rows], everything.design[rows])
        parts = parameters(point, p)
        mean = np.einsum("rivp,rp->riv", data.design, parts.coefficients)
        mode, width = _mode(data, mean, parts)
        # The rule's weight is exp(-x²) = exp(-(u - mode)² / (2 width²)).
        u = mode[..., None] + np.sqrt(2) * width[..., None] * abscissae
        terms = _terms(data, mean, parts, u)
        log_integrand = terms.value.sum(axis=2) - u * u / 2 - np.log(2 * np.pi) / 2
        log_parts = log_integrand + log_weights + np.log(np.sqrt(2) * width)[..., None]
        top = log_parts.max(axis=2, keepdims=True)
        share = np.exp(log_parts - top)
        total = share.sum(axis=2, keepdims=True)
        value = (top + np.log(total))[..., 0].sum(axis=1)
        return Landscape(value, *_by_w(*_derivatives(data, terms, u, share / total), point[:, p + 1 :]))

    return at


def _by_w(gradient: Floats, hessian: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Derivatives by w_v instead of ln σ_v: ∂ln σ/∂w = w/σ², and once more 1/σ² - 2w²/σ⁴."""
    variance = w * w + LEAST_SD**2
    chain = np.ones_like(gradient)
    chain[:, -w.shape[1] :] = w / variance
    bend = np.zeros_like(gradient)
    bend[:, -w.shape[1] :] = 1 / variance - 2 * (w / variance) ** 2
    hessian = hessian * chain[:, :, None] * chain[:, None, :]
    diagonal = np.arange(gradient.shape[1])
    hessian[:, diagonal, diagonal] += gradient * bend
    return gradient * chain, hessian


def _known(data: Repeated) -> Flags:
    return np.isfinite(data.lower) | np.isfinite(data.upper)


def _terms(data: Repeated, mean: Floats, parts: Parameters, u: Floats) -> Terms:
    """Of each value at each node, (R, n, V, K); 0 where the value is missing."""
    means = mean[..., None] + parts.tau[:, :, None, None] * u[:, :, None, :]
    terms = normal_terms(data.lower[..., None], data.upper[..., None], means, parts.log_sd[:, None, :, None])
    there = _known(data)[..., None].astype(np.float64)
    fields = (terms.value, terms.by_m, terms.by_s, terms.by_mm, terms.by_ms, terms.by_ss)
    return Terms(*(field * there for field in fields))


def _mode(data: Repeated, mean: Floats, parts: Parameters) -> tuple[Floats, Floats]:
    """Where each person's integrand is highest, and the SD of the normal curve that touches it there, both (R, n)."""
    u = np.zeros(mean.shape[:2])
    curvature = np.ones_like(u)
    for _ in range(MODE_STEPS):
        terms = _terms(data, mean, parts, u[..., None])
        slope = parts.tau * terms.by_m[..., 0].sum(axis=2) - u
        # The integrand is log-concave; rounding in a far tail must not make it otherwise.
        curvature = 1 - parts.tau**2 * np.minimum(terms.by_mm[..., 0], 0.0).sum(axis=2)
        step = np.clip(slope / curvature, -LARGEST_MODE_STEP, LARGEST_MODE_STEP)
        if np.abs(step).max(initial=0.0) < MODE_AT_REST:
            break
        u = u + step
    return u, 1 / np.sqrt(curvature)


def _derivatives(data: Repeated, terms: Terms, u: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Gradient (R, k) and Hessian (R, k, k) of the log-likelihood, ``share`` (R, n, K) the posterior at the nodes.

    With s and H the integrand's own derivatives: gradient E(s), Hessian E(H) + E(ss') - E(s)E(s').
    """
    # By coefficients, τ (the mean moves by u) and ln σ_v, at each node.
    s = np.concatenate(
        [
            np.einsum("rivp,rivk->rikp", data.design, terms.by_m),
            (terms.by_m.sum(axis=2) * u)[..., None],
            terms.by_s.swapaxes(2, 3),
        ],
        axis=3,
    )
    mean_s = np.einsum("rik,rika->ria", share, s)
    outer = np.einsum("rik,rika,rikb->rab", share, s, s, optimize=True) - np.einsum("ria,rib->rab", mean_s, mean_s)
    return mean_s.sum(axis=1), outer + _expected_hessian(data, terms, u, share)


def _expected_hessian(data: Repeated, terms: Terms, u: Floats, share: Floats) -> Floats:
    p, visits = data.design.shape[3], data.design.shape[2]
    k = p + 1 + visits
    mm, mmu, mmuu = (np.einsum("rik,rivk->riv", share * u**power, terms.by_mm) for power in (0, 1, 2))
    ms, msu = (np.einsum("rik,rivk->riv", share * u**power, terms.by_ms) for power in (0, 1))
    ss = np.einsum("rik,rivk->rv", share, terms.by_ss)
    hessian = np.zeros((len(u), k, k))
    hessian[:, :p, :p] = np.einsum("rivp,riv,rivq->rpq", data.design, mm, data.design)
    hessian[:, :p, p] = np.einsum("rivp,riv->rp", data.design, mmu)
    hessian[:, p, p] = mmuu.sum(axis=(1, 2)) / 2
    hessian[:, :p, p + 1 :] = np.einsum("rivp,riv->rpv", data.design, ms)
    hessian[:, p, p + 1 :] = msu.sum(axis=1)
    diagonal = np.arange(p + 1, k)
    hessian[:, diagonal, diagonal] = ss / 2
    hessian[:, :p, :p] /= 2
    return hessian + hessian.swapaxes(1, 2)
