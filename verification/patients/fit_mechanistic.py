"""Fit the mechanistic model's free parameters to the targets marked `fit`, and write them into its table.

    python -m verification.patients.fit_mechanistic [evaluations] [people]

Least squares of (model - target) / tolerance on one simulated cohort whose random numbers never change. Everything is
fitted at once, because glucose tires beta cells and C-peptide lowers glucose. Rows that are not free keep their values;
a row is free where its source begins with `fitted to`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

from equipoise.patients.mechanistic.people import mechanistic_parameters
from equipoise.patients.parameters import Parameter, Parameters
from verification.patients.cohort import source_cohort
from verification.patients.fit import pressed
from verification.patients.models import MECHANISTIC
from verification.patients.others import treg_statistics
from verification.patients.statistics import cpeptide_statistics, hba1c_statistics, insulin_statistics
from verification.patients.targets import compare

EVALUATIONS, PEOPLE, SEED, STEP = 20, 8000, 20, 0.02
NEAR, PRESS = 0.7, 8.0
"""From this share of a tolerance on, a distance grows this much faster."""
INSIDE = 0.005
"""Starts stay this share of a range away from its ends."""


def free_rows(parameters: Parameters, starts: Sequence[str] = ("",)) -> list[Parameter]:
    """The rows of the mechanism whose ids begin so and whose source says that they are fitted."""
    rows = [parameters.rows[name] for name in own_rows() if name.startswith(tuple(starts))]
    return [row for row in rows if row.source.startswith("fitted to")]


def own_rows() -> tuple[str, ...]:
    """The ids of the mechanism's own table."""
    return tuple(re.findall(r'^\["([^"]+)"\]$', table().read_text("utf-8"), re.MULTILINE))


def table() -> Path:
    """The mechanism's own table."""
    return Path(str(files("equipoise.patients.mechanistic").joinpath("parameters.toml")))


def fitted_statistics(parameters: Parameters, people: int, seed: int) -> dict[str, float]:
    """Everything of an untreated cohort that is fitted, and more."""
    cohort = source_cohort(parameters, people, seed, MECHANISTIC)
    seen = cpeptide_statistics(cohort) | hba1c_statistics(cohort) | insulin_statistics(cohort)
    return seen | treg_statistics(parameters, people, seed, MECHANISTIC)


def fit(parameters: Parameters, evaluations: int, people: int) -> Parameters:
    """The parameters with the free ones fitted."""
    free = free_rows(parameters)
    low, high = np.array([row.low for row in free]), np.array([row.high for row in free])

    def named(place: np.ndarray) -> dict[str, float]:
        values = low + place * (high - low)
        return {row.id: round(float(value), 5) for row, value in zip(free, values, strict=True)}

    def distances(place: np.ndarray) -> np.ndarray:
        found = fitted_statistics(parameters.changed(named(place)), people, SEED)
        return pressed(np.array([row.distance for row in compare(found) if row.target.role == "fit"]), PRESS, NEAR)

    start = np.clip((np.array([row.value for row in free]) - low) / (high - low), INSIDE, 1 - INSIDE)
    found = least_squares(distances, start, bounds=(0, 1), diff_step=STEP, xtol=1e-4, ftol=1e-3, max_nfev=evaluations)
    line = f"sum of squares {2 * found.cost:.2f} over {found.fun.size} targets, {len(free)} parameters\n"
    sys.stdout.write(line)
    return parameters.changed(named(found.x))


def write_values(parameters: Parameters) -> None:
    """Put the fitted values into the mechanism's table; everything else in it stays."""
    text = table().read_text("utf-8")
    for row in free_rows(parameters):
        text = re.sub(rf'(\["{re.escape(row.id)}"\]\nunit = "[^"]*"\nvalue = ).*', rf"\g<1>{row.value!r}", text)
    table().write_text(text, "utf-8")


def main(evaluations: int = EVALUATIONS, people: int = PEOPLE) -> None:
    """Fit everything and write it."""
    write_values(fit(mechanistic_parameters(), evaluations, people))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
