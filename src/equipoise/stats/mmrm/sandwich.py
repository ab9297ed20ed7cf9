"""A robust covariance of the coefficients for few people: CR2, with Bell and McCaffrey's degrees of freedom.

Each person's residuals are multiplied by A = D'B^(-½)D, B = D (V - X Phi X') D', D'D = V the person's model
covariance: then the sandwich is unbiased if the model is right, and consistent if its covariance is wrong.
Bell & McCaffrey, Surv Methodol 2002;28:169-181; Pustejovsky & Tipton, J Bus Econ Stat 2018;36:672-683.
"""

from __future__ import annotations

import numpy as np

from equipoise.stats.arrays import Floats
from equipoise.stats.mmrm.fit import Solved

ALONE = 1e-10
"""An eigenvalue of B below this share of its largest is 0: the person alone determines something."""

CARRIED = 0.9
"""CR2 expects all of the model's variance, less what people carry who alone determine a coefficient: at least this."""


def cluster_robust(solved: Solved, along: Floats) -> tuple[Floats, Floats]:
    """CR2 of C⁻¹b, (p, p), and the degrees of freedom (q,) of combinations c (q, p), as in ``inference``.

    The degrees of freedom are those of Satterthwaite for c'(CR2)c, a quadratic form in the values, under the model:
    (tr G)² / tr(GG), with G_st = [s = t] g_s'V_s g_s - u_s'u_t, g_s = A_s V_s⁻¹X_s C c and u_s = C'X_s'g_s.
    """
    data, point = solved.data, solved.optimum.point
    T = len(point.sigma)
    p = len(point.coefficients)
    seen = np.zeros((data.people, T))
    seen[data.subject, data.visit] = 1.0
    design = np.zeros((data.people, T, p))
    design[data.subject, data.visit] = data.design @ data.factor @ point.spread
    residuals = np.zeros((data.people, T))
    fitted = data.design @ data.factor @ point.coefficients
    residuals[data.subject, data.visit] = data.residuals - fitted

    both = seen[:, :, None] * seen[:, None, :]
    model = point.sigma * both + np.eye(T) * (1.0 - seen)[:, None, :]
    adjust = _adjustment(model, design)
    pull = np.linalg.solve(model, design)
    scores = np.einsum("sta,stu,su->sa", pull, adjust, residuals, optimize=True)

    parts = adjust @ (pull @ along.T)
    own = np.einsum("stq,stu,suq->qs", parts, model, parts, optimize=True)
    shared = np.einsum("sta,stq->qsa", design, parts, optimize=True)
    across = shared.swapaxes(1, 2) @ shared
    length = np.einsum("qsa,qsa->qs", shared, shared)
    model_variance = np.einsum("qa,qa->q", along, along)
    trace = (own - length).sum(axis=1)
    square = (own**2 - 2.0 * own * length).sum(axis=1) + np.einsum("qab,qab->q", across, across)
    # People who are fitted exactly have no residuals, and a combination that rests on them has no robust variance.
    some = (trace > CARRIED * model_variance) & (square > 0.0)
    return scores.T @ scores, np.where(some, trace**2 / np.where(some, square, 1.0), np.nan)


def _adjustment(model: Floats, design: Floats) -> Floats:
    """A (n, T, T) of each person, from V (n, T, T) and XC (n, T, p)."""
    root = np.linalg.cholesky(model)
    inner = root.swapaxes(1, 2) @ (model - design @ design.swapaxes(1, 2)) @ root
    values, vectors = np.linalg.eigh(inner)
    kept = values > ALONE * values[:, -1:]
    shrink = np.where(kept, 1.0, 0.0) / np.sqrt(np.where(kept, values, 1.0))
    half = root @ vectors
    return (half * shrink[:, None, :]) @ half.swapaxes(1, 2)
