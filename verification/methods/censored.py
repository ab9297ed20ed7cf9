"""Effects on values of which some lie below an assay's limit: bias, coverage, and tests without effect.

Values are in units of their SD within an arm; half the limit lies 0.75 SD below it, as it does where the logarithm to
base 2 has an SD of 1.34, the invented cytokines'. So many are censored at every visit in the arm that has more of them,
the first; the second arm is higher by 1 SD, and at the middle visit of the longitudinal version by half of that.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.special import ndtri

from equipoise.randomisation import Realised, procedure
from equipoise.stats.ancova import contrast
from equipoise.stats.censored import (
    censored_contrast,
    censoring_limits,
    change_weights,
    constrained_design,
    fit_censored,
    fit_censored_longitudinal,
    longitudinal_contrast,
)
from equipoise.stats.least_squares import fit_least_squares
from equipoise.stats.rerandomisation import rerandomise_difference
from verification.methods.gather import Answers, Floats, covered, gathered, mean, rejected, share
from verification.methods.tally import Mean, Share

CHUNK, LONGITUDINAL_CHUNK = 500, 125
SIZES = {"21": (11, 10), "16": (8, 8)}
SHARES = (0.0, 0.25, 0.5)
EFFECT = 1.0
HALF = 0.75
"""SDs between the limit and half of it."""
RELATED = 0.6
"""Correlation of baseline and outcome in the version for one visit."""
INTERCEPT = 0.65
"""Share of the variance that lies between people in the longitudinal version."""
VISITS, KEPT = 3, 0.9
"""Visits with the baseline, and the share of later values that were measured."""
DRAWS = 399


def limit_of(censored: float) -> float:
    """Below it lies this share of standard normal values."""
    return float(ndtri(censored))


def one_visit(source: np.random.Generator, trials: int, arm: Floats, effect: float) -> tuple[Floats, Floats]:
    """Outcomes and baselines, (R, n) each, standard normal in the first arm."""
    baseline = source.standard_normal((trials, len(arm)))
    error = source.standard_normal(baseline.shape)
    return RELATED * baseline + np.sqrt(1 - RELATED**2) * error + effect * arm, baseline


def several_visits(source: np.random.Generator, trials: int, arm: Floats) -> tuple[Floats, np.ndarray]:
    """Values (R, n, V) with random intercepts, and which of them were measured; the baseline is the first visit."""
    person = np.sqrt(INTERCEPT) * source.standard_normal((trials, len(arm), 1))
    values = person + np.sqrt(1 - INTERCEPT) * source.standard_normal((trials, len(arm), VISITS))
    measured = source.random(values.shape) < KEPT
    measured[..., 0] = True
    return values + EFFECT * np.multiply.outer(arm, np.linspace(0, 1, VISITS)), measured


def limits(values: Floats, limit: float) -> tuple[Floats, Floats]:
    """Lower and upper limits of what the assay tells."""
    low = values < limit
    return censoring_limits(np.where(low, limit, values), -low.astype(np.int64))


def regression(sizes: tuple[int, int], censored: float, source: np.random.Generator, trials: int) -> Answers:
    """One visit with the baseline as covariate; half the limit in least squares beside."""
    arm, limit = np.repeat([0.0, 1.0], sizes), limit_of(censored)
    values, baseline = one_visit(source, trials, arm, EFFECT)
    design, everyone = _designed(arm, baseline), np.ones(values.shape, np.bool_)
    weights = np.array([0.0, 1.0, 0.0])
    found = censored_contrast(fit_censored(*limits(values, limit), design, everyone), weights)
    answers = {"bias": found.estimate - EFFECT, "covers": covered(found.lower, found.upper, EFFECT)}
    if censored and sizes == SIZES["21"]:
        filled = contrast(fit_least_squares(np.where(values < limit, limit - HALF, values), design, everyone), weights)
        answers["half-limit-bias"] = filled.estimate - EFFECT
        answers["half-limit-covers"] = covered(filled.lower, filled.upper, EFFECT)
    return answers


def longitudinal(sizes: tuple[int, int], censored: float, source: np.random.Generator, trials: int) -> Answers:
    """The difference in change to the last visit, random intercepts, a tenth of the later values missing."""
    arm = np.repeat([0.0, 1.0], sizes)
    values, measured = several_visits(source, trials, arm)
    design = constrained_design(arm.astype(np.int64), VISITS, 2)
    fit = fit_censored_longitudinal(*limits(values, limit_of(censored)), design, measured)
    found = longitudinal_contrast(fit, change_weights(VISITS - 1, 1, 0, visits=VISITS, arms=2))
    return {"bias": found.estimate - EFFECT, "covers": covered(found.lower, found.upper, EFFECT)}


def without_effect(censored: float, source: np.random.Generator, trials: int) -> Answers:
    """21 people under big stick: scores of the model without arms re-randomised, and the likelihood's own tests."""
    design, limit = procedure("big-stick", limit=2), limit_of(censored)
    active = design.allocate(source.random((trials, 21))) == 0
    values, baseline = one_visit(source, trials, np.zeros(21), 0.0)
    everyone, told = np.ones(values.shape, np.bool_), limits(values, limit)
    armless = fit_censored(*told, _designed(np.zeros(21), baseline)[..., [0, 2]], everyone)
    drawn = design.draw(Realised(21), source.random((trials * DRAWS, 21))) == 0
    nothing = np.zeros((21, 0))
    scores = np.nan_to_num(armless.residuals)
    again = rerandomise_difference(scores, nothing, everyone, active, drawn.reshape(trials, DRAWS, 21))
    fit, weights = fit_censored(*told, _designed(active.astype(np.float64), baseline), everyone), np.array([0, 1.0, 0])
    return {
        "rerandomised-rejects": rejected(np.where(np.isnan(armless.sd), np.nan, again.p_value)),
        "t-rejects": rejected(censored_contrast(fit, weights).p_value),
        "normal-rejects": rejected(censored_contrast(fit, weights, reference="normal").p_value),
    }


def run(trials: int, seed: int) -> dict[str, Share | Mean]:
    """Biases as means, all else as shares."""
    answers: Answers = {}
    place = 0
    for size, sizes in SIZES.items():
        for censored in SHARES:
            for name, study, chunk in (
                ("one-visit", regression, CHUNK),
                ("longitudinal", longitudinal, LONGITUDINAL_CHUNK),
            ):
                found = gathered(partial(study, sizes, censored), trials, chunk, seed, place)
                answers |= {f"{name}/{size}/{100 * censored:.0f}/{what}": each for what, each in found.items()}
                place += 1
    for censored in SHARES[1:]:
        found = gathered(partial(without_effect, censored), trials, CHUNK, seed, place)
        answers |= {f"no-effect/21/{100 * censored:.0f}/{what}": each for what, each in found.items()}
        place += 1
    return {label: mean(each) if label.endswith("bias") else share(each) for label, each in answers.items()}


def _designed(arm: Floats, baseline: Floats) -> Floats:
    """1, the arm and the baseline, (R, n, 3)."""
    return np.stack([np.ones_like(baseline), np.broadcast_to(arm, baseline.shape), baseline], axis=2)
