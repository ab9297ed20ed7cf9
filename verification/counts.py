"""How often the intervals of a rate ratio reject where there is no effect: `python -m verification.counts`.

11 against 10 people, 6 episodes a year, dispersion 1.24, 0.7 to 1 year of diary each; docs/statistics/counts.md quotes
it.
"""

from __future__ import annotations

import sys

import numpy as np

from equipoise.stats.counts import (
    CountFit,
    count_contrast,
    fit_negative_binomial,
    fit_quasi_poisson,
    likelihood_ratio,
)

TRIALS, CHUNK, SEED = 20_000, 4000, 20_260_501
ARM = np.repeat([0.0, 1.0], [11, 10])
RATE, DISPERSION = 6.0, 1.24


def rejections() -> dict[str, float]:
    """Label of an interval -> share of trials that it rejects at 5 %."""
    source = np.random.default_rng(SEED)
    found: dict[str, list[np.ndarray]] = {}
    for _ in range(TRIALS // CHUNK):
        years = source.uniform(0.7, 1.0, (CHUNK, len(ARM)))
        frailty = source.gamma(1 / DISPERSION, DISPERSION, years.shape)
        counts = source.poisson(RATE * years * frailty).astype(np.float64)
        for label, fit, reference in fits(counts, years):
            p_value = count_contrast(fit, np.array([0.0, 1.0]), reference=reference).p_value  # pyright: ignore[reportArgumentType]  one of the two words
            found.setdefault(label, []).append(p_value < 0.05)
        design, everyone = designed(counts)
        rise = likelihood_ratio(counts, years, design, everyone, 1)
        found.setdefault("profile likelihood", []).append(rise < 0.05)
    return {label: float(np.concatenate(parts).mean()) for label, parts in found.items()}


def fits(counts: np.ndarray, years: np.ndarray) -> list[tuple[str, CountFit, str]]:
    """The intervals of the page, each with its reference distribution."""
    design, everyone = designed(counts)
    likely = fit_negative_binomial(counts, years, design, everyone, dispersion="maximum-likelihood")
    return [
        ("Cox-Reid, t", fit_negative_binomial(counts, years, design, everyone), "t"),
        ("maximum likelihood, t", likely, "t"),
        ("maximum likelihood, normal (Wald)", likely, "normal"),
        ("quasi-Poisson, t", fit_quasi_poisson(counts, years, design, everyone), "t"),
    ]


def designed(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The design of two arms, and the mask of everybody."""
    design = np.broadcast_to(np.stack([np.ones_like(ARM), ARM], axis=1), (*counts.shape, 2))
    return design, np.ones(counts.shape, np.bool_)


if __name__ == "__main__":
    for label, share in rejections().items():
        sys.stdout.write(f"| {label} | {100 * share:.1f} % |\n")
