"""Minutes a week of moderate to vigorous activity: a habit, and what a visit's last four weeks made of it."""

from __future__ import annotations

import numpy as np

from equipoise.patients.chance import Draw, Floats, normals
from equipoise.patients.parameters import Parameters
from equipoise.patients.population import People

HIGHEST = 2400.0
"""Minutes a week; the habit of an athlete."""


def visit_exercise(people: People, visits: int, draw: Draw, p: Parameters) -> Floats:
    """Minutes a week at each visit, (R, n, V)."""
    noise = np.exp(p["exercise.visit-log-sd"] * normals(draw, "exercise-visit", visits))
    return np.minimum(people.exercise_minutes[..., np.newaxis] * noise, HIGHEST)
