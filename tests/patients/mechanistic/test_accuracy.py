"""The solver's steps are short enough, and it solves the equations that are written down."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.patients.chance import Floats
from equipoise.patients.mechanistic.equations import STATES
from equipoise.patients.mechanistic.links import Links
from equipoise.patients.mechanistic.people import make_start
from tests.patients.mechanistic.cohorts import DOSES, HIGHEST, MIDDLE, VISITS, P, cohort, course, given, states
from tests.patients.mechanistic.reference import reference

TWINS = (*STATES, "blood", "lung", "pancreas", "glucose")
SMALLEST = 1e-3
"""Below this a difference is taken as it is, not relative to the value."""


def distance(value: Floats, truth: Floats) -> float:
    return float(np.max(np.abs(value - truth) / np.maximum(np.abs(truth), SMALLEST)))


@pytest.mark.requirement("PATIENTS-MECHANISM-STEPS")
@pytest.mark.parametrize("links", [Links(), MIDDLE, Links(**HIGHEST)], ids=["none", "middle", "highest"])
def test_halving_every_step_changes_every_visit_by_less_than_a_thousandth(links: Links) -> None:
    _, people = cohort(300)
    once = states(course(people, given(people), links))
    halved = states(course(people, given(people), links, halvings=1))
    far = {name: distance(once[name], halved[name]) for name in once}
    assert max(far.values()) < 1e-3, far
    assert max(far.values()) > 0


@pytest.mark.requirement("PATIENTS-MECHANISM-ADAPTIVE")
def test_an_adaptive_solver_of_the_written_equations_agrees() -> None:
    """At a quarter of the steps to 1e-4: what is left at the steps themselves is what halving them shows."""
    _, people = cohort(20, seed=2)
    start, truth = make_start(people, MIDDLE, P), np.empty((20, len(VISITS), len(TWINS)))
    for number, since in enumerate(people.days_since_diagnosis.ravel()):
        one = reference(people, MIDDLE, P, number)
        days, doses = np.array(VISITS) + since, np.array(DOSES) + since
        states_then = one.course(start.initial[:, number], days, doses, np.array([0.5, 0.5]))
        sugar = [one.glucose(day, x[4], x[5], x[7]) for day, x in zip(days, states_then, strict=True)]
        truth[number] = np.column_stack([states_then, sugar])
    for halvings, bound in ((0, 1e-3), (2, 1e-4)):
        made = states(course(people, given(people), MIDDLE, halvings=halvings))
        far = {name: distance(made[name][0], truth[..., place]) for place, name in enumerate(TWINS)}
        assert max(far.values()) < bound, (halvings, far)
