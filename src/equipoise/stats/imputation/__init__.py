"""Missing values after people left a trial: what the data are filled with is an assumption, and each has a name.

One trial at a time. ``repeated_measures`` checks the people and their strategies; ``conditional_mean_effect`` is the
default, with the jackknife; ``drawn_effect`` pools draws by Rubin's rules; ``tipping_grid`` shifts what was imputed;
``controlled_rates`` does the same for counts of events in time at risk.
"""

from __future__ import annotations

from equipoise.stats.imputation.conditional_mean import conditional_mean_effect, jackknife_error
from equipoise.stats.imputation.counts import ImputedRates, RateStrategy, controlled_rates
from equipoise.stats.imputation.draws import drawn_effect
from equipoise.stats.imputation.effect import Distribution, ImputedEffect
from equipoise.stats.imputation.normal_model import Likelihood, NormalFit, fit_normal
from equipoise.stats.imputation.people import STRATEGIES, RepeatedMeasures, Strategy, repeated_measures
from equipoise.stats.imputation.profiles import conditional_draws, conditional_means, marginal_means
from equipoise.stats.imputation.rubin import Pooled, pool
from equipoise.stats.imputation.tipping import TippingGrid, tipping_grid

__all__ = [
    "STRATEGIES",
    "Distribution",
    "ImputedEffect",
    "ImputedRates",
    "Likelihood",
    "NormalFit",
    "Pooled",
    "RateStrategy",
    "RepeatedMeasures",
    "Strategy",
    "TippingGrid",
    "conditional_draws",
    "conditional_mean_effect",
    "conditional_means",
    "controlled_rates",
    "drawn_effect",
    "fit_normal",
    "jackknife_error",
    "marginal_means",
    "pool",
    "repeated_measures",
    "tipping_grid",
]
