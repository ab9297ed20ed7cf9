"""Statistical methods: arrays in, a frozen result out.

A method works on a leading axis of trials (one trial is R = 1), takes participants by a mask, and says in a status
per trial why a number is missing. It knows nothing of trials, tables or protocols. SciPy is loaded when a method
is first called, not here.
"""

from __future__ import annotations

from equipoise.stats.ancova import (
    Contrast,
    JointTest,
    ancova_design,
    contrast,
    difference_weights,
    joint_test,
    least_squares_mean_weights,
    leave_one_out,
)
from equipoise.stats.binomial import (
    FisherTest,
    ProportionInterval,
    ScoreInterval,
    clopper_pearson,
    fisher_exact,
    proportion_difference,
)
from equipoise.stats.counts import (
    CountContrast,
    CountFit,
    count_contrast,
    fit_negative_binomial,
    fit_quasi_poisson,
)
from equipoise.stats.describe import Description, Proportions, describe, proportions, quantiles
from equipoise.stats.least_squares import LeastSquares, fit_least_squares
from equipoise.stats.multiplicity import fixed_sequence, holm
from equipoise.stats.rates import ExactRateRatio, exact_rate_ratio, rate_difference, rate_ratio
from equipoise.stats.rerandomisation import (
    Rerandomisation,
    rerandomise_difference,
    rerandomise_rates,
    working_scores,
)
from equipoise.stats.status import ADVICE, Advice, Status, texts
from equipoise.stats.student import Alternative, Inference, infer
from equipoise.stats.t_interval import TInterval, one_sample_t, paired_t, two_sample_t

__all__ = [
    "ADVICE",
    "Advice",
    "Alternative",
    "Contrast",
    "CountContrast",
    "CountFit",
    "Description",
    "ExactRateRatio",
    "FisherTest",
    "Inference",
    "JointTest",
    "LeastSquares",
    "ProportionInterval",
    "Proportions",
    "Rerandomisation",
    "ScoreInterval",
    "Status",
    "TInterval",
    "ancova_design",
    "clopper_pearson",
    "contrast",
    "count_contrast",
    "describe",
    "difference_weights",
    "exact_rate_ratio",
    "fisher_exact",
    "fit_least_squares",
    "fit_negative_binomial",
    "fit_quasi_poisson",
    "fixed_sequence",
    "holm",
    "infer",
    "joint_test",
    "least_squares_mean_weights",
    "leave_one_out",
    "one_sample_t",
    "paired_t",
    "proportion_difference",
    "proportions",
    "quantiles",
    "rate_difference",
    "rate_ratio",
    "rerandomise_difference",
    "rerandomise_rates",
    "texts",
    "two_sample_t",
    "working_scores",
]
