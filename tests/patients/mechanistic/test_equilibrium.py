"""What stands in balance stays there, and each equation alone has the course that its formula has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.optimize import root

from equipoise.patients.chance import Floats
from equipoise.patients.mechanistic.cells import course_of_cells
from equipoise.patients.mechanistic.people import Start, make_start
from equipoise.patients.mechanistic.solve import solve
from tests.patients.mechanistic.cohorts import MIDDLE, P, cohort
from tests.patients.mechanistic.reference import FULL, YEAR, Reference, reference

DAYS = np.array([0.0, 1.0, 10.0, 50.0, 200.0, 730.0])
COUNT = 6
HALVINGS = 4
"""So that what is left of a step's error is below the bound of a comparison."""
UNSETTLED = {"control.intake": 0.0, "control.drift-days": 1e15}
"""Habits that stay as on the day of diagnosis."""


def make() -> tuple[Start, list[Reference]]:
    _, people = cohort(COUNT, seed=3)
    return make_start(people, MIDDLE, P), [reference(people, MIDDLE, P, number) for number in range(COUNT)]


def frozen(start: Start, **constants: float) -> Start:
    """With other constants."""
    return replace(start, constants=start.constants._replace(**constants))


def unkilled(start: Start) -> Start:
    return replace(start, person=start.person._replace(strength=np.zeros(COUNT)))


def unsettled(start: Start) -> Start:
    return frozen(start, intake=0.0, habit_square=1e30)


def solved(start: Start, doses: tuple[float, ...] = (), halvings: int = 0) -> Floats:
    """The states on DAYS, (n, V, 8), with a half treatment on each day of `doses`."""
    day = np.broadcast_to(np.array(doses or [np.nan]), (COUNT, max(len(doses), 1)))
    return solve(start, day, np.full(day.shape, 0.5), np.broadcast_to(DAYS, (COUNT, DAYS.size)), halvings)


def fixed_point(one: Reference, initial: Floats) -> Floats:
    """Where the slopes of all states but mass are 0, by SciPy's root."""
    mass, free = initial[4], [0, 1, 2, 3, 5, 6, 7]

    def slopes(values: Floats) -> Floats:
        made = one.slopes(0.0, np.append(np.insert(values, 4, mass), [0.0, 0.0, 0.0]))
        return np.array(made)[free]

    found = root(slopes, initial[free], tol=1e-14)
    assert np.abs(slopes(found.x)).max() < 1e-12
    return np.insert(found.x, 4, mass)


@pytest.mark.requirement("PATIENTS-MECHANISM-BALANCE")
def test_without_killing_nothing_drifts_from_the_balance() -> None:
    start, ones = make()
    still = [replace(one, p={**one.p, **UNSETTLED}, own={**one.own, "rate": 0.0}) for one in ones]
    fixed = np.stack([fixed_point(one, x) for one, x in zip(still, start.initial.T, strict=True)], axis=1)
    assert np.abs(fixed - start.initial).max() > 0.1
    made = solved(replace(unsettled(unkilled(start)), initial=fixed))
    np.testing.assert_allclose(made - fixed.T[:, np.newaxis], 0.0, atol=1e-9)


@pytest.mark.requirement("PATIENTS-MECHANISM-BALANCE")
def test_with_antigen_at_its_reference_every_cell_and_cytokine_stays_at_one() -> None:
    """For who has no exercise to calm him, a regulation of 1, and loses mass at the reference rate."""
    start, ones = make()
    mass = start.initial[4]
    s_e, s_r = P["killing.effector"], P["killing.regulatory"]
    rate = P["killing.reference"] / YEAR / mass
    person = start.person._replace(
        calm=np.ones(COUNT),
        regulation=np.full(COUNT, (s_r / s_e) ** 2),
        strength=rate * (1 + s_e**2 + s_r**2) / s_e**2,
    )
    initial = start.initial.copy()
    initial[:4] = 1.0
    at_reference = replace(start, person=person, initial=initial)
    for number, one in enumerate(ones):
        typical = replace(one, own={**one.own, "calm": 1.0, "regulation": 1.0, "rate": rate[number] * YEAR})
        made = typical.slopes(0.0, np.append(initial[:, number], [0.0, 0.0, 0.0]))
        np.testing.assert_allclose(made[:4], 0.0, atol=1e-15)
    # Mass falls, and with it the antigen that holds the balance: only the first moments stand still.
    days = np.broadcast_to([0.0, 1e-6], (COUNT, 2))
    first = solve(at_reference, np.full((COUNT, 1), np.nan), np.zeros((COUNT, 1)), days)
    np.testing.assert_allclose(first[:, 1, :4], 1.0, atol=1e-12)
    np.testing.assert_allclose((first[:, 0, 4] - first[:, 1, 4]) / 1e-6 * YEAR, P["killing.reference"], rtol=1e-5)


@pytest.mark.requirement("PATIENTS-MECHANISM-EQUATIONS")
def test_regulatory_cells_return_exponentially() -> None:
    start, _ = make()
    level = start.initial[1][:, np.newaxis]
    expected = 1 + (level - 1) * np.exp(-DAYS / P["regulatory.days"])
    np.testing.assert_allclose(solved(start, halvings=HALVINGS)[..., 1], expected, rtol=1e-8)


@pytest.mark.requirement("PATIENTS-MECHANISM-EQUATIONS")
def test_red_cells_lag_exponentially_behind_a_glucose_that_stays() -> None:
    start, ones = make()
    made = solved(frozen(unsettled(unkilled(start)), titration_rate=0.0, recovery_rate=0.0), halvings=HALVINGS)
    for one, initial, x in zip(ones, start.initial.T, made, strict=True):
        end = (one.glucose(0.0, initial[4], initial[5], initial[7]) + 46.7) / 28.7
        expected = end + (initial[6] - end) * np.exp(-DAYS / one.own["red-cells"])
        np.testing.assert_allclose(x[:, 6], expected, rtol=1e-7)


@pytest.mark.requirement("PATIENTS-MECHANISM-EQUATIONS")
def test_mass_is_lost_exponentially_while_the_balance_of_cells_stays() -> None:
    start, ones = make()
    made = solved(frozen(start, effector_rate=0.0, regulatory_rate=0.0), halvings=HALVINGS)
    for one, initial, x in zip(ones, start.initial.T, made, strict=True):
        expected = initial[4] * np.exp(-one.killing(initial[0], initial[1]) * DAYS)
        np.testing.assert_allclose(x[:, 4], expected, rtol=1e-8)


@pytest.mark.requirement("PATIENTS-MECHANISM-EQUATIONS")
def test_without_killing_mass_grows_logistically_with_the_cells_that_migrated() -> None:
    start, ones = make()
    made = solved(unkilled(start), doses=(5.0,), halvings=HALVINGS)
    for one, initial, x in zip(ones, start.initial.T, made, strict=True):
        matrix, infused = chain(one), np.array([0.5 * FULL, 0.0, 0.0])
        odds = initial[4] / (1 - initial[4])
        for day, value in zip(DAYS, x[:, 4], strict=True):
            # The integral of a linear chain: its inverse times what has changed.
            area = np.linalg.solve(matrix, expm(matrix * max(day - 5.0, 0.0)) @ infused - infused)[2]
            later = odds * np.exp(MIDDLE.regeneration * area)
            assert value == pytest.approx(later / (1 + later), rel=1e-6)


def chain(one: Reference) -> Floats:
    """Slopes of blood, lung and pancreas as a matrix."""
    blood, lung, pancreas = (1 / one.p[f"cells.{place}-days"] for place in ("blood", "lung", "pancreas"))
    return np.array([
        [-blood, 0.0, 0.0],
        [one.p["cells.to-lung"] * blood, -lung, 0.0],
        [one.own["homing"] * blood, one.p["cells.onward"] * lung, -pancreas],
    ])  # fmt: skip


def cells(start: Start, number: int, days: Floats) -> Floats:
    """Blood, lung and pancreas of one person after a half treatment on day 0, (3, days)."""
    half, zero = np.array([[0.5]]), np.array([[0.0]])
    return np.stack(course_of_cells(days[np.newaxis], zero, half, start.homing[[number]], start.kinetics))[:, 0]


@pytest.mark.requirement("PATIENTS-MECHANISM-CELLS")
def test_cells_follow_the_exponential_of_their_matrix() -> None:
    start, ones = make()
    days = np.array([0.01, 0.1, 1.0, 7.0, 60.0, 400.0])
    for number, one in enumerate(ones):
        expected = np.stack([expm(chain(one) * day) @ [0.5 * FULL, 0.0, 0.0] for day in days], axis=1)
        np.testing.assert_allclose(cells(start, number, days), expected, rtol=1e-9, atol=1e-12)
        assert not cells(start, number, np.array([-1.0, 0.0])).any(), "a dose counts from the moment after it"


@pytest.mark.requirement("PATIENTS-MECHANISM-CELLS")
def test_no_cell_appears_or_vanishes() -> None:
    """Blood, lung, pancreas and all that was lost on the way are the dose, on every day."""
    start, ones = make()
    days = np.array([0.05, 0.5, 3.0, 30.0, 300.0])
    for number, one in enumerate(ones):
        past = 1 - one.p["cells.to-lung"] - one.own["homing"]

        def lost(time: float, _: Floats, number: int = number, one: Reference = one, past: float = past) -> float:
            blood, lung, pancreas = cells(start, number, np.array([max(time, 1e-12)]))[:, 0]
            died = (1 - one.p["cells.onward"]) * lung / one.p["cells.lung-days"]
            return past * blood / one.p["cells.blood-days"] + died + pancreas / one.p["cells.pancreas-days"]

        gone = solve_ivp(lost, (0.0, days[-1]), [0.0], "LSODA", days, rtol=1e-9, atol=1e-9).y[0]
        np.testing.assert_allclose(cells(start, number, days).sum(axis=0) + gone, 0.5 * FULL, rtol=1e-6)
