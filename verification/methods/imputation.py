"""Imputed trials under each strategy: bias against the strategy's own estimand, and coverage of it.

21 people (11 against 10) and 30 (15 against 15), values by ``missing_values``. The bias is counted against the analysis
of the same trial with nothing missing, whose expectation is known: chance that both share falls out. A quarter of the
trials is run with 30 people, with draws and with counts, which take longer.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.special import ndtri

from equipoise.stats.ancova import contrast, difference_weights
from equipoise.stats.counts import count_contrast, fit_negative_binomial
from equipoise.stats.imputation import (
    STRATEGIES,
    ImputedEffect,
    ImputedRates,
    RepeatedMeasures,
    conditional_mean_effect,
    controlled_rates,
    drawn_effect,
    repeated_measures,
)
from equipoise.stats.least_squares import fit_least_squares
from verification.methods.gather import Answers, Floats, covered, gathered, mean, share
from verification.methods.missing_values import EFFECTS, Truth, Values, invented, truths
from verification.methods.tally import Mean, Share

CHUNK = 50
SIZES = {"21": (11, 10), "30": (15, 15)}
DRAWN = ("missing-at-random", "jump-to-reference")
"""Strategies of which there are draws, and 30 people."""
RATE_STRATEGIES = ("missing-at-random", "jump-to-reference", "copy-reference")
DRAWS = 50
RATE, RATIO, DISPERSION, LEAVE = 6.0, 0.5, 1.24, 0.3
"""Events a year in the first arm, ratio, variance of people's rates, and the share that leaves at a uniform moment."""
NORMAL = float(ndtri(0.975))


def trial(source: np.random.Generator, sizes: tuple[int, int]) -> tuple[RepeatedMeasures, Values]:
    """One trial, its strategy missing at random, and its complete values."""
    arm = np.repeat([0, 1], sizes)
    baseline = source.standard_normal(len(arm))
    values = invented(source, arm, baseline)
    return repeated_measures(values.measured, arm, baseline[:, None], strategy="missing-at-random"), values


def conditional(sizes: tuple[int, int], names: tuple[str, ...], source: np.random.Generator, trials: int) -> Answers:
    """The jackknife's normal and t intervals under each strategy, and the analysis of complete values."""
    answers: Answers = {}
    for place in range(trials):
        plain, values = trial(source, sizes)
        _store(answers, "complete", place, trials, estimate=_complete(plain, values))
        for name in names:
            found = conditional_mean_effect(_under(plain, name), distribution="t")
            half = NORMAL * found.standard_error
            _store(answers, name, place, trials, **_numbers(found))
            _store(answers, f"{name}/normal", place, trials, lower=found.estimate - half, upper=found.estimate + half)
    return answers


def drawn(sizes: tuple[int, int], source: np.random.Generator, trials: int) -> Answers:
    """Rubin's intervals."""
    answers: Answers = {}
    for place in range(trials):
        plain, _ = trial(source, sizes)
        for name in DRAWN:
            _store(answers, name, place, trials, **_numbers(drawn_effect(_under(plain, name), source, draws=DRAWS)))
    return answers


def counted(source: np.random.Generator, trials: int) -> Answers:
    """Negative binomial counts of people who leave, and the analysis of their complete counts."""
    answers: Answers = {}
    arm = np.repeat([0, 1], SIZES["21"])
    planned, design = np.ones(len(arm)), np.stack([np.ones(len(arm)), arm], axis=1).astype(np.float64)
    for place in range(trials):
        years = observed_years(source, len(arm))
        own = RATE * RATIO**arm * source.gamma(1 / DISPERSION, DISPERSION, len(arm))
        counts, later = source.poisson(own * years), source.poisson(own * (1 - years))
        everything = (counts + later)[None].astype(np.float64)
        fit = fit_negative_binomial(everything, planned[None], design[None], np.ones(everything.shape, np.bool_))
        complete = count_contrast(fit, np.array([0.0, 1.0]))
        _store(answers, "complete", place, trials, estimate=float(complete.estimate[0]))
        for name in RATE_STRATEGIES:
            found = controlled_rates(
                counts.astype(np.float64), years, planned, arm, None, source, strategy=name, draws=DRAWS
            )
            _store(answers, name, place, trials, **_numbers(found))
    return answers


def observed_years(source: np.random.Generator, n: int) -> Floats:
    """Of one planned year."""
    return np.where(source.random(n) < LEAVE, source.random(n), 1.0)


def rate_truths(people: int = 200_000) -> dict[str, Truth]:
    """The ln of the ratio of rates that each strategy means; as for values, by following people in the second arm."""
    source = np.random.default_rng(people)
    years = observed_years(source, people)
    counts = source.poisson(RATE * RATIO * years * source.gamma(1 / DISPERSION, DISPERSION, people))
    # A person's multiple of the reference arm's rate, expected given the counts as if they had arisen in that arm.
    multiple = (1 / DISPERSION + counts) / (1 / DISPERSION + RATE * years)
    later = {"missing-at-random": RATIO, "jump-to-reference": 1.0, "copy-reference": multiple}
    found: dict[str, Truth] = {}
    for name, rate in later.items():
        ratios = RATIO * years + rate * (1 - years)
        value = float(ratios.mean())
        found[name] = Truth(float(np.log(value)), float(ratios.std() / np.sqrt(people) / value))
    return found


def run(trials: int, seed: int) -> dict[str, Share | Mean]:
    """Biases and ratios of errors as means, coverage as shares."""
    found: dict[str, Share | Mean] = {}
    known = truths()
    for place, (size, names, count) in enumerate((("21", STRATEGIES, trials), ("30", DRAWN, trials // 4))):
        answers = gathered(partial(conditional, SIZES[size], names), count, CHUNK, seed, place)
        for name in names:
            label, truth = f"{size}/{name}", known[name]
            found[f"{label}/bias"] = _bias(answers, name, truth, float(EFFECTS[-1]))
            found[f"{label}/normal-covers"] = _coverage(answers, f"{name}/normal", truth)
            found[f"{label}/t-covers"] = _coverage(answers, name, truth)
            if name in DRAWN:
                found[f"{label}/se-over-sd"] = _ratio(answers, name)
    answers = gathered(partial(drawn, SIZES["21"]), trials // 4, CHUNK, seed, 2)
    for name in DRAWN:
        found[f"21/{name}/draws/covers"] = _coverage(answers, name, known[name])
        found[f"21/{name}/draws/se-over-sd"] = _ratio(answers, name)
    answers, rates = gathered(counted, trials // 4, CHUNK, seed, 3), rate_truths()
    for name in RATE_STRATEGIES:
        found[f"counts/{name}/bias"] = _bias(answers, name, rates[name], float(np.log(RATIO)))
        found[f"counts/{name}/covers"] = _coverage(answers, name, rates[name])
    return found


def _bias(answers: Answers, name: str, truth: Truth, complete: float) -> Mean:
    """By how much more the estimate misses its truth than the analysis of complete values misses ``complete``."""
    further = answers[f"{name}/estimate"] - answers["complete/estimate"]
    return mean(further, expected=truth.value - complete, error=truth.error)


def _coverage(answers: Answers, name: str, truth: Truth) -> Share:
    return share(covered(answers[f"{name}/lower"], answers[f"{name}/upper"], truth.value))


def _ratio(answers: Answers, name: str) -> Mean:
    """The mean standard error over the standard deviation of the estimates; its own error by the delta method."""
    estimate, error = answers[f"{name}/estimate"], answers[f"{name}/error"]
    there = ~np.isnan(estimate) & ~np.isnan(error)
    kept, errors = estimate[there], error[there]
    ratio = float(errors.mean() / kept.std(ddof=1))
    relative = np.sqrt((0.5 + errors.var() / errors.mean() ** 2) / len(kept))
    return Mean(ratio, float(ratio * relative), int((~there).sum()))


def _under(plain: RepeatedMeasures, name: str) -> RepeatedMeasures:
    return repeated_measures(plain.values, plain.arm, plain.covariates, strategy=name)  # pyright: ignore[reportArgumentType]  one of STRATEGIES


def _complete(people: RepeatedMeasures, values: Values) -> float:
    """The difference at the last visit with nothing missing."""
    fit = fit_least_squares(values.complete[None, :, -1], people.design, np.ones((1, len(people.arm)), np.bool_))
    return float(contrast(fit, difference_weights(1, 0, people.design.shape[1])).estimate[0])


def _numbers(found: ImputedEffect | ImputedRates) -> dict[str, float]:
    return {
        "estimate": found.estimate,
        "error": found.standard_error,
        "lower": found.lower,
        "upper": found.upper,
    }


def _store(answers: Answers, label: str, place: int, trials: int, **numbers: float) -> None:
    """One trial's numbers in the columns of its chunk."""
    for what, number in numbers.items():
        answers.setdefault(f"{label}/{what}", np.full(trials, np.nan))[place] = number
