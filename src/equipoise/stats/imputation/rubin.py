"""Rubin's rules: one estimate from analyses of several completed data sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.stats.arrays import Floats


@dataclass(frozen=True, slots=True)
class Pooled:
    """The pooled estimate, its standard error and degrees of freedom, and the two parts of its variance."""

    estimate: float
    standard_error: float
    df: float
    within: float
    between: float


def pool(estimates: Floats, variances: Floats, df: float) -> Pooled:
    """Pool m estimates (m,) with their variances (m,), whose complete-data degrees of freedom are ``df``.

    T = W + (1 + 1/m) B, with the degrees of freedom of Barnard & Rubin, Biometrika 1999;86:948-955, which never exceed
    ``df``. Rubin, Multiple Imputation for Nonresponse in Surveys, 1987.
    ValueError: fewer than two estimates, or numbers that are not finite.
    """
    m = len(estimates)
    if m < 2 or len(variances) != m or not (np.isfinite(estimates).all() and np.isfinite(variances).all()):
        raise ValueError("Rubin's rules need at least two finite estimates with their variances")
    within, between = float(variances.mean()), float(estimates.var(ddof=1))
    total = within + (1 + 1 / m) * between
    share = (1 + 1 / m) * between / total if total > 0 else 0.0
    observed = (df + 1) / (df + 3) * df * (1 - share)
    freedom = observed if share == 0 else 1 / (share**2 / (m - 1) + 1 / observed)
    return Pooled(float(estimates.mean()), float(np.sqrt(total)), float(freedom), within, between)
