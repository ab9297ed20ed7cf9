"""The bits of a result do not depend on who computes it, in what parts, and what else is asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from equipoise.patients.chance import Floats
from equipoise.patients.mechanistic import kernel, solve
from equipoise.patients.mechanistic.links import Links
from equipoise.patients.mechanistic.model import Engine, Mechanism
from equipoise.patients.mechanistic.people import make_start
from tests.patients.mechanistic.cohorts import HIGHEST, MIDDLE, VISITS, P, cohort, course, given

COUNT = 37
engines = pytest.mark.parametrize("engine", ["plain", "compiled"])


def uneven(seed: int = 1) -> tuple[Floats, Floats, Floats]:
    """Doses of each person's own number and days, in any order, and days asked in any order; since diagnosis."""
    toss = np.random.default_rng(seed)
    doses = toss.integers(1, 400, (COUNT, 3)).astype(float)
    doses[toss.random(doses.shape) < 0.3] = np.nan
    days = toss.uniform(0.0, 760.0, (COUNT, 12))
    days[:, 0], days[:, 1] = 0.0, np.nan_to_num(doses[:, 0], nan=10.0)
    return doses, toss.uniform(0.0, 0.7, doses.shape), days


def same(a: Mechanism, b: Mechanism) -> None:
    for name in Mechanism.__slots__:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


@pytest.mark.requirement("PATIENTS-MECHANISM-TWINS")
@pytest.mark.parametrize("links", [Links(), MIDDLE, Links(**HIGHEST)], ids=["none", "middle", "highest"])
@pytest.mark.parametrize("halvings", [0, 1])
def test_both_solvers_give_the_same_bits(links: Links, halvings: int) -> None:
    start = make_start(cohort(COUNT)[1], links, P)
    np.testing.assert_array_equal(kernel.solve(start, *uneven(), halvings), solve.solve(start, *uneven(), halvings))


@pytest.mark.requirement("PATIENTS-MECHANISM-TWINS")
@pytest.mark.parametrize("size", [1, 5, 8, 64])
def test_no_size_of_a_block_and_no_number_of_threads_changes_a_bit(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    start = make_start(cohort(COUNT)[1], MIDDLE, P)
    whole = solve.solve(start, *uneven())
    monkeypatch.setattr(solve, "BLOCK", size)
    monkeypatch.setattr(kernel, "BLOCK", size)
    np.testing.assert_array_equal(solve.solve(start, *uneven()), whole)
    for threads in (1, 2, 3):
        np.testing.assert_array_equal(kernel.solve(start, *uneven(), threads=threads), whole)


@pytest.mark.requirement("PATIENTS-MECHANISM-TWINS")
@engines
def test_other_people_change_no_bit(engine: Engine) -> None:
    _, people = cohort(COUNT)
    exposure = given(people)
    places = np.array([[30, 3, 17]])
    few, rows = people.choose(places), places[0]
    whole = course(people, exposure, MIDDLE, engine=engine)
    part = replace(exposure, day=exposure.day[:, rows], weight=exposure.weight[:, rows], potency=np.ones(few.shape))
    chosen = {name: getattr(whole, name)[:, rows] for name in Mechanism.__slots__}
    same(course(few, part, MIDDLE, engine=engine), Mechanism(**chosen))


@pytest.mark.requirement("PATIENTS-MECHANISM-TWINS")
@engines
def test_other_days_asked_for_change_no_bit(engine: Engine) -> None:
    _, people = cohort(COUNT)
    whole = course(people, given(people), MIDDLE, engine=engine)
    for places in ([0], [8], [7, 2, 2, 0], list(range(8, -1, -1))):
        days = tuple(VISITS[place] for place in places)
        chosen = {name: getattr(whole, name)[..., places] for name in Mechanism.__slots__}
        same(course(people, given(people), MIDDLE, days, engine=engine), Mechanism(**chosen))
