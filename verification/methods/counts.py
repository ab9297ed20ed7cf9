"""Intervals of a rate ratio where people differ in their own rates, and tests of events that are rare.

Frequent events: negative binomial counts with dispersion 1.24 in 0.7 to 1 year of diary each; where people leave, each
of them does so at a uniform moment of that time. "rejects": no effect. "covers": a true ratio of one half, the rate
named being that of the first arm. Rare events: Poisson, without effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np

from equipoise.stats.counts import count_contrast, fit_negative_binomial, fit_quasi_poisson, likelihood_ratio
from equipoise.stats.rates import exact_rate_ratio, rate_difference
from verification.methods.gather import Answers, Floats, covered, gathered, rejected, share
from verification.methods.tally import Mean, Share

CHUNK = 1000
DISPERSION = 1.24
DIARY = (0.7, 1.0)
"""Years of diary that a person who stays has."""
RATIO = 0.5
SIZES = {"11v10": (11, 10), "8v8": (8, 8)}
LEFT = {"diary": 0.0, "10-left": 0.10, "25-left": 0.25}
"""Share of people who leave."""
RATES = (3.0, 6.0)
RARE = (0.05, 0.2, 0.5)
EFFECT = np.array([0.0, 1.0])


@dataclass(frozen=True, slots=True)
class Setting:
    """Trials of one kind: the people in the two arms, events a year in the first, the share that leaves."""

    label: str
    sizes: tuple[int, int]
    rate: float
    left: float

    @property
    def arm(self) -> Floats:
        return np.repeat([0.0, 1.0], self.sizes)


SETTINGS = tuple(
    Setting(f"{size}/{rate:.0f}/{left}", SIZES[size], rate, LEFT[left])
    for size, rate, left in product(SIZES, RATES, LEFT)
)


def exposures(source: np.random.Generator, shape: tuple[int, int], left: float) -> Floats:
    """Years of diary of each person, for some only a part of them."""
    years = source.uniform(*DIARY, shape)
    return np.where(source.random(shape) < left, years * source.random(shape), years)


def events(source: np.random.Generator, setting: Setting, years: Floats, ratio: float) -> Floats:
    """Negative binomial counts; ``ratio`` is that of the second arm's rate to the first's."""
    frailty = source.gamma(1 / DISPERSION, DISPERSION, years.shape)
    return source.poisson(setting.rate * ratio**setting.arm * years * frailty).astype(np.float64)


def frequent(setting: Setting, source: np.random.Generator, trials: int) -> Answers:
    """What the intervals of one chunk of trials say, without effect and with the true ratio."""
    years = exposures(source, (trials, len(setting.arm)), setting.left)
    design, everyone = _designed(setting, years)
    counts, halved = (events(source, setting, years, ratio) for ratio in (1.0, RATIO))
    null = count_contrast(fit_negative_binomial(counts, years, design, everyone), EFFECT)
    found = count_contrast(fit_negative_binomial(halved, years, design, everyone), EFFECT)
    answers = {"rejects": rejected(null.p_value), "covers": covered(found.lower, found.upper, float(np.log(RATIO)))}
    if setting.left == 0 and setting.sizes == SIZES["11v10"]:
        answers |= beside(counts, years, design, everyone)
    return answers


def beside(counts: Floats, years: Floats, design: Floats, everyone: np.ndarray) -> Answers:
    """The sensitivity analysis, and intervals that only large samples would justify."""
    quasi = fit_quasi_poisson(counts, years, design, everyone)
    likely = fit_negative_binomial(counts, years, design, everyone, dispersion="maximum-likelihood")
    plain = fit_negative_binomial(counts, years, design, everyone, dispersion="none")
    return {
        "quasi-poisson-rejects": rejected(count_contrast(quasi, EFFECT).p_value),
        "likelihood-t-rejects": rejected(count_contrast(likely, EFFECT).p_value),
        "wald-rejects": rejected(count_contrast(likely, EFFECT, reference="normal").p_value),
        "profile-rejects": rejected(likelihood_ratio(counts, years, design, everyone, 1)),
        "poisson-rejects": rejected(count_contrast(plain, EFFECT, reference="normal").p_value),
    }


def rare(rate: float, dispersion: float, source: np.random.Generator, trials: int) -> Answers:
    """All events by the exact ratio, first events, and all, by the score difference; 11 against 10 without effect."""
    sizes = SIZES["11v10"]
    years = source.uniform(*DIARY, (trials, sum(sizes)))
    frailty = source.gamma(1 / dispersion, dispersion, years.shape) if dispersion else np.ones(years.shape)
    counts = source.poisson(rate * frailty * years)
    # Given that there are k events in a person's time, the first is the least of k uniform moments.
    moments = years * (1 - source.random(years.shape) ** (1 / np.maximum(counts, 1)))
    first, free = (counts > 0).astype(np.int64), np.where(counts > 0, moments, years)
    everything = [total for part in _by_arm(counts, years, sizes) for total in part]
    ratio, of_all = exact_rate_ratio(*everything), rate_difference(*everything)
    difference = rate_difference(*(total for part in _by_arm(first, free, sizes) for total in part))
    return {
        "mid-p-rejects": rejected(ratio.p_value),
        "difference-rejects": rejected(difference.p_value),
        "difference-of-all-rejects": rejected(of_all.p_value),
    }


def run(trials: int, seed: int) -> dict[str, Share | Mean]:
    """Rejections and coverage by setting."""
    found: dict[str, Share | Mean] = {}
    for place, setting in enumerate(SETTINGS):
        answers = gathered(partial(frequent, setting), trials, CHUNK, seed, place)
        found |= {f"{setting.label}/{label}": share(values) for label, values in answers.items()}
    kinds = [(f"rare/{rate}", rate, 0.0) for rate in RARE] + [("rare/0.5-clustered", 0.5, DISPERSION)]
    for place, (label, rate, dispersion) in enumerate(kinds, start=len(SETTINGS)):
        answers = gathered(partial(rare, rate, dispersion), trials, CHUNK, seed, place)
        found |= {f"{label}/{what}": share(values) for what, values in answers.items()}
    return found


def _designed(setting: Setting, years: Floats) -> tuple[Floats, np.ndarray]:
    """The design of two arms, and the mask of everybody."""
    design = np.stack([np.ones_like(setting.arm), setting.arm], axis=1)
    return np.broadcast_to(design, (*years.shape, 2)), np.ones(years.shape, np.bool_)


def _by_arm(counts: np.ndarray, years: Floats, sizes: tuple[int, int]) -> list[tuple[np.ndarray, Floats]]:
    """Events and person-years of the second arm, then of the first, its reference."""
    arms = (slice(sizes[0], None), slice(0, sizes[0]))
    return [(counts[:, who].sum(axis=1), years[:, who].sum(axis=1)) for who in arms]
