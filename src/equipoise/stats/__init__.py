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
from equipoise.stats.describe import Description, Proportions, describe, proportions, quantiles
from equipoise.stats.least_squares import LeastSquares, fit_least_squares
from equipoise.stats.multiplicity import fixed_sequence, holm
from equipoise.stats.status import ADVICE, Advice, Status, texts
from equipoise.stats.student import Alternative, Inference, infer
from equipoise.stats.t_interval import TInterval, one_sample_t, paired_t, two_sample_t

__all__ = [
    "ADVICE",
    "Advice",
    "Alternative",
    "Contrast",
    "Description",
    "Inference",
    "JointTest",
    "LeastSquares",
    "Proportions",
    "Status",
    "TInterval",
    "ancova_design",
    "contrast",
    "describe",
    "difference_weights",
    "fit_least_squares",
    "fixed_sequence",
    "holm",
    "infer",
    "joint_test",
    "least_squares_mean_weights",
    "leave_one_out",
    "one_sample_t",
    "paired_t",
    "proportions",
    "quantiles",
    "texts",
    "two_sample_t",
]
