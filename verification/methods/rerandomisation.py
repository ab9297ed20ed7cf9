"""Re-randomisation under the trial's own design, and what a wrong design does.

21 people; skewed outcomes with a rise over the order of entry, baseline as covariate, and about a tenth missing, more
of those with high values (in either arm alike). Each trial has draws of its own, so that trials are independent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from equipoise.randomisation import PermutedBlocks, Procedure, Realised, procedure
from equipoise.stats.rerandomisation import rerandomise_difference, rerandomise_rates
from equipoise.stats.step_down import step_down_differences
from verification.methods.gather import LEVEL, ROUNDING, Answers, Floats, covered, gathered, rejected, share
from verification.methods.tally import Mean, Share

CHUNK = 250
PEOPLE, DRAWS = 21, 399
"""With 400 statistics, p is at most 5 % for exactly 20 places of the observed one."""
SHIFT = 1.0
DRIFT = np.linspace(-2.0, 2.0, PEOPLE)
ALTERNATING = 1.5 * (-1.0) ** np.arange(PEOPLE)
PATTERNS = {"flat": np.zeros(PEOPLE), "drift": DRIFT, "alternating": ALTERNATING}
"""What is added to the outcomes in the order of entry; two clinic days alternate."""
PANEL, CORRELATION, CHANGED = 8, 0.5, 3
"""Outcomes of a panel, the correlation of any two, and how many of them change where some do."""
Flags = np.ndarray
DESIGNS: dict[str, Procedure] = {
    "big-stick": procedure("big-stick", limit=2),
    "blocks-4": PermutedBlocks((4,)),
    "blocks-4-6": PermutedBlocks((4, 6)),
    "complete": procedure("simple"),
}
RATE, DISPERSION = 6.0, 1.24


@dataclass(frozen=True, slots=True)
class People:
    """R trials of n people: outcomes before any effect, baselines, and who has an outcome; all (R, n)."""

    outcome: Floats
    baseline: Floats
    included: Flags


def people(source: np.random.Generator, trials: int, pattern: Floats | float = DRIFT) -> People:
    """Errors are log-normal with SD 1 and half of their variance known from the baseline; ``pattern`` is added."""
    shape = (trials, PEOPLE)
    baseline = source.standard_normal(shape)
    latent = (baseline + source.standard_normal(shape)) * np.sqrt(0.5)
    # A log-normal value exp(0.7 z) has mean exp(0.245) and SD exp(0.245) √(exp(0.49) − 1).
    skewed = (np.exp(0.7 * latent - 0.245) - 1) / np.sqrt(np.expm1(0.49))
    lost = source.random(shape) < np.where(latent > 0, 0.15, 0.05)
    return People(skewed + pattern, baseline, ~lost)


def allocated(design: Procedure, source: np.random.Generator, trials: int) -> tuple[Flags, Flags | None]:
    """Who is in the active arm (R, n), and the sizes of the blocks met (R, n)."""
    uniforms = source.random((trials, PEOPLE))
    return np.asarray(design.allocate(uniforms) == 0), design.block_sizes(uniforms)


def own_set(design: Procedure, sizes: Flags | None, source: np.random.Generator, trials: int) -> Flags:
    """Draws (R, m, n) from the design, given the sizes of the blocks of each trial."""
    drawn = np.empty((trials, DRAWS, PEOPLE), np.bool_)
    rows = np.zeros((trials, PEOPLE), np.int64) if sizes is None else sizes
    patterns, which = np.unique(rows, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        who = np.flatnonzero(which.ravel() == number)
        realised = Realised(PEOPLE, block_sizes=None if sizes is None else pattern)
        arms = design.draw(realised, source.random((len(who) * DRAWS, PEOPLE)))
        drawn[who] = (arms == 0).reshape(len(who), DRAWS, PEOPLE)
    return drawn


def all_orders(active: Flags, source: np.random.Generator) -> Flags:
    """Draws (R, m, n) that put the arms of a trial (R, n) into any order: the wrong set for a design with memory."""
    return source.permuted(np.repeat(active[:, None, :], DRAWS, axis=1), axis=2)


def own_design(design: Procedure, source: np.random.Generator, trials: int) -> Answers:
    """No effect, and one shift for all, with the reference set that made the allocation."""
    those = people(source, trials)
    active, sizes = allocated(design, source, trials)
    drawn = own_set(design, sizes, source, trials)
    null = _tested(those, active, drawn)
    shifted = People(those.outcome + SHIFT * active, those.baseline, those.included)
    found = _compared(shifted, active, drawn)
    return {
        "rejects": null,
        "covers": covered(found.lower, found.upper, SHIFT),
    }


def normal_p_value(those: People, active: Flags) -> Floats:
    """The difference of means over its standard error against the normal distribution, the design forgotten."""
    from scipy.special import ndtr

    sides = [those.included & who for who in (active, ~active)]
    n = np.stack([side.sum(axis=1) for side in sides])
    means = [np.where(side, those.outcome, 0.0).sum(axis=1) for side in sides] / np.maximum(n, 1)
    squares = [
        np.where(side, (those.outcome - mean[:, None]) ** 2, 0.0).sum(axis=1)
        for side, mean in zip(sides, means, strict=True)
    ]
    variance = squares / np.maximum(n - 1, 1) / np.maximum(n, 1)
    z = (means[0] - means[1]) / np.sqrt(variance.sum(axis=0))
    return np.where((n > 1).all(axis=0), 2 * ndtr(-np.abs(z)), np.nan)


def misread(made_by: str, pattern: Floats, source: np.random.Generator, trials: int) -> Answers:
    """Trials made by blocks of 4 or by permutation, tested by the right one of the two and by the other; z beside."""
    those = people(source, trials, pattern)
    if made_by == "permutation":
        active = source.permuted(np.broadcast_to(np.arange(PEOPLE) < PEOPLE // 2, (trials, PEOPLE)), axis=1)
    else:
        active, _ = allocated(DESIGNS["blocks-4"], source, trials)
    blocks, permuted = own_set(DESIGNS["blocks-4"], None, source, trials), all_orders(active, source)
    right, wrong = (permuted, blocks) if made_by == "permutation" else (blocks, permuted)
    return {
        "right-design-rejects": _tested(those, active, right),
        "wrong-design-rejects": _tested(those, active, wrong),
        "z-rejects": rejected(normal_p_value(those, active)),
    }


def rates(source: np.random.Generator, trials: int) -> Answers:
    """Clustered counts whose rate falls over the order of entry, tested by the ratio of pooled rates."""
    design = DESIGNS["big-stick"]
    years = source.uniform(0.3, 1.0, (trials, PEOPLE))
    frailty = source.gamma(1 / DISPERSION, DISPERSION, years.shape)
    counts = source.poisson(RATE * np.linspace(1.5, 0.5, PEOPLE) * years * frailty).astype(np.float64)
    active, sizes = allocated(design, source, trials)
    drawn = own_set(design, sizes, source, trials)
    found = rerandomise_rates(counts, years, np.ones(years.shape, np.bool_), active, drawn)
    return {"rejects": rejected(found.p_value)}


def panel(source: np.random.Generator, trials: int) -> Answers:
    """The chance of any false claim among eight outcomes: without effect, and beside three that change."""
    design = DESIGNS["big-stick"]
    active, sizes = allocated(design, source, trials)
    drawn = own_set(design, sizes, source, trials)
    shared = source.standard_normal((trials, 1, PEOPLE))
    own = source.standard_normal((trials, PANEL, PEOPLE))
    outcomes = np.sqrt(CORRELATION) * shared + np.sqrt(1 - CORRELATION) * own + DRIFT
    included = source.random(outcomes.shape) >= 0.1
    answers = {label: np.zeros(trials) for label in ("any-adjusted", "any-unadjusted", "any-adjusted-beside-changes")}
    for trial in range(trials):
        rest = (np.zeros((PEOPLE, 0)), included[trial], active[trial], drawn[trial])
        null = step_down_differences(outcomes[trial], *rest)
        moved = outcomes[trial] + 2 * SHIFT * np.outer(np.arange(PANEL) < CHANGED, active[trial])
        beside = step_down_differences(moved, *rest)
        answers["any-adjusted"][trial] = _any(null.p_adjusted)
        answers["any-unadjusted"][trial] = _any(null.p_value)
        answers["any-adjusted-beside-changes"][trial] = _any(beside.p_adjusted[CHANGED:])
    return answers


def run(trials: int, seed: int) -> dict[str, Share | Mean]:
    """Rejections and coverage under each design, under wrong ones, and of a panel."""
    studies = {name: partial(own_design, design) for name, design in DESIGNS.items()} | {
        f"made-by-{made_by}/{label}": partial(misread, made_by, pattern)
        for made_by in ("blocks-4", "permutation")
        for label, pattern in PATTERNS.items()
    }
    studies |= {"rates": rates, "panel": panel}
    found: dict[str, Share | Mean] = {}
    for place, (name, study) in enumerate(studies.items()):
        answers = gathered(study, trials, CHUNK, seed, place)
        found |= {f"{name}/{label}": share(values) for label, values in answers.items()}
    return found


def _compared(those: People, active: Flags, drawn: Flags):  # noqa: ANN202  the library's own type
    return rerandomise_difference(those.outcome, those.baseline[..., None], those.included, active, drawn)


def _tested(those: People, active: Flags, drawn: Flags) -> Floats:
    return rejected(_compared(those, active, drawn).p_value)


def _any(p_values: Floats) -> float:
    return float((p_values <= LEVEL + ROUNDING).any())
