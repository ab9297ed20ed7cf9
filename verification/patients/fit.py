"""Fit the free parameters to the targets marked `fit`, and write them into the parameter table.

    python -m verification.patients.fit

Least squares of (model - target) / tolerance, which counts more where a target is nearly missed, on one simulated
cohort whose random numbers never change, so that the sum of squares is a smooth function of the parameters but for the
shares. C-peptide first, because HbA1c and insulin lean on it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

from equipoise.patients.parameters import Parameters, default_parameters
from verification.patients.cohort import Cohort, source_cohort
from verification.patients.statistics import cpeptide_statistics, hba1c_statistics, insulin_statistics
from verification.patients.targets import compare

PEOPLE, SEED, STEP = 6000, 20, 0.03
NEAR, PRESS = 0.8, 3.0
"""From this share of a tolerance on, a distance grows this much faster."""
Statistics = Callable[[Cohort], dict[str, float]]
STAGES: tuple[tuple[Statistics, tuple[str, ...]], ...] = (
    (cpeptide_statistics, ("cpeptide.level", "cpeptide.decline", "cpeptide.visit", "cpeptide.fasting")),
    (hba1c_statistics, ("hba1c.recovery", "hba1c.level", "hba1c.per", "hba1c.visit")),
    (insulin_statistics, ("insulin.level", "insulin.per", "insulin.visit", "insulin.honeymoon")),
)


def pressed(distance: np.ndarray, press: float = PRESS, near: float = NEAR) -> np.ndarray:
    """Distances in tolerances, steeper from `near` on: meeting every target comes before meeting some of them well."""
    return distance + (press - 1) * np.sign(distance) * np.maximum(np.abs(distance) - near, 0.0)


def fit_stage(parameters: Parameters, statistics: Statistics, starts: tuple[str, ...]) -> Parameters:
    """The fitted values of the parameters whose ids begin so and whose source says that they are fitted."""
    free = [
        row for name, row in parameters.rows.items() if name.startswith(starts) and row.source.startswith("fitted to")
    ]
    low, high = np.array([row.low for row in free]), np.array([row.high for row in free])

    def distances(place: np.ndarray) -> np.ndarray:
        values = {row.id: value for row, value in zip(free, low + place * (high - low), strict=True)}
        cohort = source_cohort(parameters.changed(values), PEOPLE, SEED)
        rows = [row for row in compare(statistics(cohort)) if row.target.role == "fit"]
        return pressed(np.array([row.distance for row in rows]))

    start = (np.array([row.value for row in free]) - low) / (high - low)
    found = least_squares(
        distances, np.clip(start, 0.02, 0.98), bounds=(0, 1), diff_step=STEP, xtol=1e-4, ftol=1e-4, max_nfev=25
    )
    line = f"{statistics.__name__}: sum of squares {2 * found.cost:.2f} over {found.fun.size} targets\n"
    sys.stdout.write(line)
    values = low + found.x * (high - low)
    return parameters.changed({row.id: round(float(v), 4) for row, v in zip(free, values, strict=True)})


def write_values(parameters: Parameters) -> None:
    """Put the values into the shipped table; everything else in it stays."""
    path = Path(str(files("equipoise.patients").joinpath("parameters.toml")))
    text = path.read_text("utf-8")
    for name, row in parameters.rows.items():
        if row.source.startswith("fitted to"):
            text = re.sub(rf'(\["{re.escape(name)}"\]\nunit = "[^"]*"\nvalue = ).*', rf"\g<1>{row.value!r}", text)
    path.write_text(text, "utf-8")


def main() -> None:
    """Fit everything and write it."""
    parameters = default_parameters()
    for statistics, starts in STAGES:
        parameters = fit_stage(parameters, statistics, starts)
    write_values(parameters)


if __name__ == "__main__":
    main()
