"""No state leaves the range in which it means something."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.patients.chance import Floats
from equipoise.patients.mechanistic import solve
from equipoise.patients.mechanistic.links import Links
from equipoise.patients.mechanistic.model import Mechanism
from equipoise.patients.parameters import Parameters, default_parameters
from tests.patients.mechanistic.cohorts import HIGHEST, P, cohort, course, given, states

DAYS = tuple(np.arange(0.0, 731.0, 5.0))
LOWEST = dict.fromkeys(HIGHEST, 0.0)
OWN = sorted(name for name in P if name not in default_parameters() or P[name] != default_parameters()[name])
"""The rows that the mechanism has for itself."""


def end(name: str, high: bool) -> float:
    """A value within a hundredth of the end of its range."""
    row = P.rows[name]
    return row.low + (row.high - row.low) * (0.99 if high else 0.01)


def sound(mechanism: Mechanism) -> bool:
    values = states(mechanism)
    finite = all(np.isfinite(value).all() and value.min() >= 0 for value in values.values())
    return finite and values["mass"].max() <= 1 and values["dysfunction"].max() <= 1


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> list[Floats]:
    """The eight states at the ends of all steps, (steps, 8, people), before days in between are read off."""
    seen: list[Floats] = []
    between = solve._between

    def watched(nodes: Floats, values: Floats, days: Floats) -> Floats:
        seen.append(values[:, 0])
        return between(nodes, values, days)

    monkeypatch.setattr(solve, "_between", watched)
    return seen


@pytest.mark.requirement("PATIENTS-MECHANISM-STATES")
@pytest.mark.parametrize("weight", [0.0, 0.5])
@pytest.mark.parametrize("links", [LOWEST, HIGHEST], ids=["lowest", "highest"])
def test_no_state_of_2000_people_is_negative(links: dict[str, float], weight: float, ends: list[Floats]) -> None:
    _, people = cohort(2000)
    assert sound(course(people, given(people, weight=weight), Links(**links), DAYS))
    for x in ends:
        assert x.min() >= 0 and x[:, 4:6].max() <= 1


@pytest.mark.requirement("PATIENTS-MECHANISM-STATES")
@pytest.mark.parametrize("name", sorted(HIGHEST))
def test_each_link_alone_may_be_at_its_end(name: str) -> None:
    _, people = cohort(200, seed=2)
    alone = {**LOWEST, "homing": HIGHEST["homing"], name: HIGHEST[name]}
    assert sound(course(people, given(people), Links(**alone), DAYS))


@pytest.mark.requirement("PATIENTS-MECHANISM-STATES")
@pytest.mark.parametrize("high", [False, True], ids=["low", "high"])
def test_each_parameter_alone_may_be_near_its_ends(high: bool, ends: list[Floats]) -> None:
    _, people = cohort(60, seed=3)
    for name in OWN:
        mechanism = course(people, given(people), Links(**HIGHEST), DAYS, P.changed({name: end(name, high)}))
        assert sound(mechanism), name
        assert ends.pop().min() >= 0, name


@pytest.mark.requirement("PATIENTS-MECHANISM-STATES")
def test_all_assumptions_may_be_near_their_ends_together() -> None:
    _, people = cohort(60, seed=4)
    assumed = [name for name in OWN if P.rows[name].assumed]
    toss = np.random.default_rng(5)
    for _ in range(40):
        extreme: Parameters = P.changed({name: end(name, bool(toss.integers(2))) for name in assumed})
        assert sound(course(people, given(people), Links(**HIGHEST), DAYS, extreme)), extreme
