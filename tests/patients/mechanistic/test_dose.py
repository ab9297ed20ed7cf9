"""Dose, homing, repetition and time act by the mechanism alone; without links cells are saline."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from equipoise.patients.chance import Floats
from equipoise.patients.effects import Exposure
from equipoise.patients.empirical.hypoglycaemia import Episodes
from equipoise.patients.empirical.model import Course
from equipoise.patients.mechanistic.links import Links
from equipoise.patients.mechanistic.model import Mechanism, simulate_people
from equipoise.patients.population import People
from tests.patients.mechanistic.cohorts import MIDDLE, P, asked, cohort, course, given

MONTHS = (393.0, 758.0)
"""Months 12 and 24 after the first infusion."""
ALONE = {
    "immunomodulation": Links(immunomodulation=1.0),
    "regeneration": Links(regeneration=0.001),
    "together": Links(immunomodulation=1.0, regeneration=0.001),
}
ROUNDING = 1e-12
by_link = pytest.mark.parametrize("links", ALONE.values(), ids=ALONE.keys())


def cpeptide(people: People, exposure: Exposure, links: Links, days: tuple[float, ...] = MONTHS) -> Floats:
    return course(people, exposure, links, days).cpeptide


def rises(lower: Floats, higher: Floats) -> None:
    """For nobody less, and more for the cohort."""
    assert (higher >= lower * (1 - ROUNDING)).all()
    assert higher.mean() > lower.mean() * (1 + 1e-4)


@pytest.mark.requirement("PATIENTS-MECHANISM-DOSE")
@by_link
def test_more_cells_never_leave_anybody_with_less(links: Links) -> None:
    _, people = cohort(500)
    made = [cpeptide(people, given(people, weight=weight), links) for weight in (0.0, 0.1, 0.25, 0.5, 1.0)]
    for lower, higher in pairwise(made):
        rises(lower, higher)


@pytest.mark.requirement("PATIENTS-MECHANISM-DOSE")
@by_link
def test_better_homing_never_leaves_anybody_with_less(links: Links) -> None:
    _, people = cohort(500)
    homed = [replace(links, homing=share) for share in (0.0, 0.01, 0.03, 0.1)]
    made = [cpeptide(people, given(people), more) for more in homed]
    for lower, higher in pairwise(made):
        rises(lower, higher)


@pytest.mark.requirement("PATIENTS-MECHANISM-DOSE")
@by_link
def test_a_repeated_dose_adds(links: Links) -> None:
    _, people = cohort(500)
    never, one, two = (
        cpeptide(people, replace(given(people), weight=np.broadcast_to(np.array(weights), (*people.shape, 2))), links)
        for weights in ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5))
    )
    rises(never, one)
    rises(one, two)


@pytest.mark.requirement("PATIENTS-MECHANISM-DOSE")
@by_link
def test_a_later_dose_saves_less(links: Links) -> None:
    """The same treatment of the same people at month 0 and at month 12, each seen a year after it."""
    _, people = cohort(500)
    saved = []
    for begin in (0.0, 365.0):
        doses, year_on = (begin, begin + 28.0), (begin + 365.0,)
        cells = cpeptide(people, given(people, doses), links, year_on)
        saved.append(cells - cpeptide(people, given(people, doses, weight=0.0), links, year_on))
    early, late = saved
    assert late.mean() < 0.9 * early.mean()
    assert (late < early).mean() > 0.8


@pytest.mark.requirement("PATIENTS-MECHANISM-ARMS")
@pytest.mark.parametrize("homing", [0.0, 0.02, 0.1])
def test_without_links_cells_are_saline_to_the_last_bit(homing: float) -> None:
    draw, people = cohort(200)
    links = Links(homing=homing)
    first, last = np.zeros(people.shape), np.full(people.shape, 730.0)
    (saline, lows), (cells, treated_lows) = (
        simulate_people(people, asked(people), first, last, given(people, weight=weight), links, draw, P)
        for weight in (0.0, 0.5)
    )
    for name in Course.__slots__:
        np.testing.assert_array_equal(getattr(cells, name), getattr(saline, name), err_msg=name)
    for name in Episodes.__slots__:
        np.testing.assert_array_equal(getattr(treated_lows, name), getattr(lows, name), err_msg=name)
    assert lows.day.size > 100


@pytest.mark.requirement("PATIENTS-MECHANISM-ARMS")
def test_without_links_only_the_cells_themselves_are_seen() -> None:
    _, people = cohort(200)
    saline, cells = (course(people, given(people, weight=weight), Links()) for weight in (0.0, 0.5))
    moved = {name for name in Mechanism.__slots__ if (getattr(saline, name) != getattr(cells, name)).any()}
    assert moved == {"blood", "lung", "pancreas"}


@pytest.mark.requirement("PATIENTS-MECHANISM-ARMS")
def test_with_links_the_same_cells_are_seen_everywhere() -> None:
    _, people = cohort(50)
    saline, cells = (course(people, given(people, weight=weight), MIDDLE) for weight in (0.0, 0.5))
    same = {name for name in Mechanism.__slots__ if (getattr(saline, name) == getattr(cells, name)).all()}
    assert same == {"days"}
