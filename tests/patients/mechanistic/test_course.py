"""What stands beside the equations: the exponential, the steps, exercise, engines, one solution for two uses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from equipoise.patients.empirical.model import Course
from equipoise.patients.mechanistic.cells import decay
from equipoise.patients.mechanistic.grid import FIRST, LONGEST, make_nodes
from equipoise.patients.mechanistic.links import Links
from equipoise.patients.mechanistic.model import (
    engine_for,
    low_glucose_rate,
    simulate_course,
    simulate_hypoglycaemia,
    simulate_people,
)
from tests.patients.mechanistic.cohorts import MIDDLE, P, asked, cohort, course, given


@pytest.mark.requirement("PATIENTS-MECHANISM-CELLS")
def test_decay_is_the_exponential() -> None:
    x = np.concatenate([np.linspace(0, 40, 4001), [1e-12, 1e-300]])
    np.testing.assert_allclose(decay(x), np.exp(-x), rtol=1e-12)


@pytest.mark.requirement("PATIENTS-MECHANISM-STEPS")
def test_steps_are_short_after_a_beginning_and_end_where_doses_are() -> None:
    doses = np.array([[40.0, 61.5], [np.nan, 12.25]])
    nodes = make_nodes(doses, np.array([100.0, 30.0]))
    for person, until in ((0, 100.0), (1, 30.0)):
        steps = np.diff(nodes[person])
        assert (steps >= 0).all() and steps.max() <= LONGEST and nodes[person].max() >= until
        for day in doses[person][np.isfinite(doses[person])]:
            place = int(np.flatnonzero(nodes[person] == day)[0])
            assert steps[place] == pytest.approx(FIRST)


@pytest.mark.requirement("PATIENTS-MECHANISM-DOSE")
def test_exercise_saves_insulin_calms_and_costs_episodes() -> None:
    _, people = cohort(200)
    active = replace(people, exercise_minutes=np.full(people.shape, 200.0))
    idle = replace(people, exercise_minutes=np.zeros(people.shape))
    more, less = (course(who, given(who, weight=0.0), Links()) for who in (active, idle))
    saved = (more.insulin - less.insulin)[..., 3:]
    assert saved.mean(axis=(0, 1)).max() < -0.01 and (saved < 1e-9).mean() > 0.9
    assert (more.pro < less.pro).all()
    assert low_glucose_rate(active, more, P).mean() > low_glucose_rate(idle, less, P).mean()


@pytest.mark.requirement("PATIENTS-MECHANISM-TWINS")
def test_course_and_episodes_from_one_solution_are_those_from_two() -> None:
    draw, people = cohort(30)
    days, doses = asked(people), given(people)
    first, last = np.full(people.shape, 20.0), np.full(people.shape, 700.0)
    both, episodes = simulate_people(people, days, first, last, doses, MIDDLE, draw, P)
    alone = simulate_course(people, days, doses, MIDDLE, draw, P)
    for field in Course.__slots__:
        np.testing.assert_array_equal(getattr(both, field), getattr(alone, field), err_msg=field)
    again = simulate_hypoglycaemia(people, first, last, doses, MIDDLE, draw, P)
    np.testing.assert_array_equal(episodes.day, again.day)
    assert engine_for(21) == "plain" and engine_for(1_000_000) == "compiled"


@pytest.mark.requirement("PATIENTS-EFFECTS")
def test_a_link_outside_its_range_is_no_link() -> None:
    with pytest.raises(ValueError, match="outside its range"):
        Links(homing=0.5)
