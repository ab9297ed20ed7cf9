"""Normal models of values some of which are only known to lie below, above or between limits."""

from __future__ import annotations

from equipoise.stats.censored.longitudinal import (
    LongitudinalFit,
    change_weights,
    constrained_design,
    fit_censored_longitudinal,
    longitudinal_contrast,
)
from equipoise.stats.censored.regression import CensoredContrast, CensoredFit, censored_contrast, fit_censored
from equipoise.stats.censored.terms import censoring_limits

__all__ = [
    "CensoredContrast",
    "CensoredFit",
    "LongitudinalFit",
    "censored_contrast",
    "censoring_limits",
    "change_weights",
    "constrained_design",
    "fit_censored",
    "fit_censored_longitudinal",
    "longitudinal_contrast",
]
