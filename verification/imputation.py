#!/usr/bin/env python3
"""How often the intervals after imputation cover where there is no effect: `verification/imputation.py`.

Three visits with correlation 0.5 beyond a baseline value, as many people in each arm (one more in the first), and about
a fifth lost by the last visit, more of those with high values at the first. docs/statistics/imputation.md quotes it.
"""

from __future__ import annotations

import sys

import numpy as np

from equipoise.stats.imputation import (
    ImputedEffect,
    RepeatedMeasures,
    conditional_mean_effect,
    drawn_effect,
    repeated_measures,
)

TRIALS, DRAWS, SEED = 2000, 50, 20_260_502
PEOPLE = (21, 30)
STRATEGIES = ("missing-at-random", "jump-to-reference")
ROOT = np.linalg.cholesky(0.5 + 0.5 * np.eye(3))


def simulated(trial: int, n: int) -> RepeatedMeasures:
    """One trial without effect; its strategy is the first."""
    source = np.random.default_rng([SEED, trial, n])
    arm, baseline = source.permutation(np.arange(n) % 2), source.normal(size=(n, 1))
    values = source.normal(size=(n, 3)) @ ROOT.T + 0.6 * baseline
    risk = 1 / (1 + np.exp(2.2 - 0.4 * values[:, 0]))
    values[source.random(n) < 0.8 * risk, 1:] = np.nan
    values[source.random(n) < 1.2 * risk, 2] = np.nan
    return repeated_measures(values, arm, baseline, strategy=STRATEGIES[0])


def intervals(trial: int, n: int) -> dict[tuple[str, str], ImputedEffect]:
    """Strategy and label to the effect found."""
    plain, found = simulated(trial, n), {}
    for strategy in STRATEGIES:
        people = repeated_measures(plain.values, plain.arm, plain.covariates, strategy=strategy)
        generator = np.random.default_rng([SEED, trial, n, 1])
        found[strategy, "jackknife, normal"] = conditional_mean_effect(people)
        found[strategy, "jackknife, t"] = conditional_mean_effect(people, distribution="t")
        found[strategy, "Rubin's rules"] = drawn_effect(people, generator, draws=DRAWS)
    return found


def line(n: int, key: tuple[str, str], effects: list[ImputedEffect]) -> str:
    """One row: coverage, mean standard error over the spread of the estimates, and trials without an interval."""
    kept = [each for each in effects if each.message == "ok"]
    covered = np.mean([each.p_value > 0.05 for each in kept])
    spread = np.std([each.estimate for each in kept])
    ratio = np.mean([each.standard_error for each in kept]) / spread
    return f"{n} | {key[0]} | {key[1]} | {100 * covered:.1f} % | {ratio:.2f} | {len(effects) - len(kept)}\n"


def main() -> None:
    """Write the table."""
    for n in PEOPLE:
        found: dict[tuple[str, str], list[ImputedEffect]] = {}
        for trial in range(TRIALS):
            for key, effect in intervals(trial, n).items():
                found.setdefault(key, []).append(effect)
        sys.stdout.writelines(line(n, key, effects) for key, effects in found.items())
        sys.stdout.flush()


if __name__ == "__main__":
    main()
