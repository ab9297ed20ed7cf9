"""Glucose at quasi-steady state is the root of its balance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from equipoise.patients.mechanistic.equations import inverse_glucose
from equipoise.patients.mechanistic.links import Links
from tests.patients.mechanistic.cohorts import VISITS, P, cohort, course, given
from tests.patients.mechanistic.reference import reference

UPTAKE = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""1/day: E0 alone is 0.5 to 3, the rest is from injected insulin."""
OWN = (0.0, 0.01, 0.3, 3.0, 20.0, 80.0, 165.0, 300.0)
"""1/day: 164 is what a full, healthy mass makes in the most sensitive of 20,000 people."""
PRODUCTION = (400.0, 864.0, 1500.0, 2400.0)
ALPHA = (5000.0, 20000.0, 80000.0)


@pytest.mark.requirement("PATIENTS-MECHANISM-GLUCOSE")
def test_glucose_is_the_root_of_its_balance() -> None:
    grid = np.stack(np.meshgrid(UPTAKE, OWN, PRODUCTION, ALPHA, indexing="ij")).reshape(4, -1)
    made = 1 / inverse_glucose(*grid)
    for (outer, own, production, alpha), value in zip(grid.T, made, strict=True):

        def balance(
            g: float, outer: float = outer, own: float = own, production: float = production, alpha: float = alpha
        ) -> float:
            return (outer + own * g**2 / (alpha + g**2)) * g - production

        assert value == pytest.approx(brentq(balance, 1e-3, 1e5, xtol=1e-10, rtol=1e-13), rel=1e-6)


@pytest.mark.requirement("PATIENTS-MECHANISM-GLUCOSE")
def test_the_glucose_of_a_course_is_the_root_for_its_states() -> None:
    _, people = cohort(100, seed=5)
    mechanism = course(people, given(people), Links())
    for number, since in enumerate(people.days_since_diagnosis.ravel()):
        for place, day in enumerate(VISITS):
            mass, dysfunction, insulin, sugar = (
                float(getattr(mechanism, name)[0, number, place])
                for name in ("mass", "dysfunction", "insulin", "glucose")
            )
            root = reference(people, Links(), P, number).glucose(day + since, mass, dysfunction, insulin)
            assert sugar == pytest.approx(root, rel=1e-6)
