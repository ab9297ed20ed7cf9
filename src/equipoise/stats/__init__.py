"""Statistical methods: arrays in, a frozen result out.

A method works on a leading axis of trials (one trial is R = 1), takes participants by a mask, and says in a status
per trial why a number is missing. It knows nothing of trials, tables or protocols. SciPy is loaded when a method
is first called, not here.

``contrast`` and ``joint_test`` here are those of least squares; those of repeated measures, with the same names,
stand in ``equipoise.stats.mmrm``.
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
from equipoise.stats.censored import (
    CensoredContrast,
    CensoredFit,
    LongitudinalFit,
    censored_contrast,
    censoring_limits,
    change_weights,
    constrained_design,
    fit_censored,
    fit_censored_longitudinal,
    longitudinal_contrast,
)
from equipoise.stats.counts import (
    CountContrast,
    CountFit,
    count_contrast,
    fit_negative_binomial,
    fit_quasi_poisson,
    likelihood_ratio,
    profile_limits,
)
from equipoise.stats.describe import (
    Description,
    Proportions,
    describe,
    proportions,
    quantiles,
)
from equipoise.stats.graphs import (
    Graph,
    GraphicalTest,
    fixed_sequence_graph,
    graphical_test,
    holm_graph,
    rejected_by_graph,
)
from equipoise.stats.imputation import (
    ImputedEffect,
    ImputedRates,
    RepeatedMeasures,
    TippingGrid,
    conditional_mean_effect,
    controlled_rates,
    drawn_effect,
    repeated_measures,
    tipping_grid,
)
from equipoise.stats.interval_censored import (
    HazardContrast,
    HazardFit,
    fit_interval_censored,
    hazard_contrast,
    likelihood_ratio_p,
)
from equipoise.stats.least_squares import (
    LeastSquares,
    fit_least_squares,
)
from equipoise.stats.mean_cumulative import (
    MeanCumulative,
    mean_cumulative,
)
from equipoise.stats.mmrm import (
    Climb,
    MMRMFit,
    VisitDesign,
    climb_down,
    coefficient_covariance,
    fit_mmrm,
    visit_design,
)
from equipoise.stats.multiplicity import (
    benjamini_hochberg,
    fixed_sequence,
    hochberg,
    holm,
)
from equipoise.stats.rates import (
    ExactRateRatio,
    exact_rate_ratio,
    rate_difference,
    rate_ratio,
)
from equipoise.stats.rerandomisation import (
    Rerandomisation,
    rerandomise_difference,
    rerandomise_rates,
    working_scores,
)
from equipoise.stats.status import (
    ADVICE,
    Advice,
    Status,
    texts,
)
from equipoise.stats.step_down import (
    StepDown,
    step_down_differences,
    step_down_min_p,
)
from equipoise.stats.student import (
    Alternative,
    Inference,
    infer,
)
from equipoise.stats.t_interval import (
    TInterval,
    one_sample_t,
    paired_t,
    two_sample_t,
)
from equipoise.stats.toxicity import (
    ToxicityCharacteristics,
    ToxicityRule,
    probability_too_high,
    toxicity_boundary,
    toxicity_characteristics,
)

__all__ = [
    "ADVICE",
    "Advice",
    "Alternative",
    "CensoredContrast",
    "CensoredFit",
    "Climb",
    "Contrast",
    "CountContrast",
    "CountFit",
    "Description",
    "ExactRateRatio",
    "FisherTest",
    "Graph",
    "GraphicalTest",
    "HazardContrast",
    "HazardFit",
    "ImputedEffect",
    "ImputedRates",
    "Inference",
    "JointTest",
    "LeastSquares",
    "LongitudinalFit",
    "MMRMFit",
    "MeanCumulative",
    "ProportionInterval",
    "Proportions",
    "RepeatedMeasures",
    "Rerandomisation",
    "ScoreInterval",
    "Status",
    "StepDown",
    "TInterval",
    "TippingGrid",
    "ToxicityCharacteristics",
    "ToxicityRule",
    "VisitDesign",
    "ancova_design",
    "benjamini_hochberg",
    "censored_contrast",
    "censoring_limits",
    "change_weights",
    "climb_down",
    "clopper_pearson",
    "coefficient_covariance",
    "conditional_mean_effect",
    "constrained_design",
    "contrast",
    "controlled_rates",
    "count_contrast",
    "describe",
    "difference_weights",
    "drawn_effect",
    "exact_rate_ratio",
    "fisher_exact",
    "fit_censored",
    "fit_censored_longitudinal",
    "fit_interval_censored",
    "fit_least_squares",
    "fit_mmrm",
    "fit_negative_binomial",
    "fit_quasi_poisson",
    "fixed_sequence",
    "fixed_sequence_graph",
    "graphical_test",
    "hazard_contrast",
    "hochberg",
    "holm",
    "holm_graph",
    "infer",
    "joint_test",
    "least_squares_mean_weights",
    "leave_one_out",
    "likelihood_ratio",
    "likelihood_ratio_p",
    "longitudinal_contrast",
    "mean_cumulative",
    "one_sample_t",
    "paired_t",
    "probability_too_high",
    "profile_limits",
    "proportion_difference",
    "proportions",
    "quantiles",
    "rate_difference",
    "rate_ratio",
    "rejected_by_graph",
    "repeated_measures",
    "rerandomise_difference",
    "rerandomise_rates",
    "step_down_differences",
    "step_down_min_p",
    "texts",
    "tipping_grid",
    "toxicity_boundary",
    "toxicity_characteristics",
    "two_sample_t",
    "visit_design",
    "working_scores",
]
