"""Screening asks the protocol's own criteria, and calendars keep to the protocol's windows."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.protocol.load import load_protocol
from equipoise.simulate.calendar import make_calendar
from equipoise.simulate.scenario import Scenario, load_scenario
from equipoise.simulate.screening import screen
from equipoise.simulate.streams import Streams


def healthy(n: int) -> dict[str, np.ndarray]:
    """Values of n people who meet every criterion of the model trial."""
    protocol = load_protocol("msc-t1d")
    values: dict[str, np.ndarray] = {}
    for variable in protocol.eligibility.variables:
        values[variable.name] = np.zeros((1, n), np.bool_ if variable.type == "boolean" else np.float64)
    return values | {
        "age": np.full((1, n), 20.0),
        "ada_criteria": np.ones((1, n), np.bool_),
        "days_since_diagnosis": np.full((1, n), 30.0),
        "autoantibody_positive": np.ones((1, n), np.bool_),
        "fasting_cpeptide": np.full((1, n), 0.9),
    }


def test_those_who_meet_every_criterion_are_eligible() -> None:
    assert screen(load_protocol("msc-t1d"), healthy(3)).eligible.all()


def nature(dropout: float, missed: float, punctual: float) -> Scenario:
    changes = (f"dropout={dropout}", f"missing.visits={missed}", f"punctual={punctual}")
    return load_scenario("no-effect", [f"scenario.{change}" for change in changes])


@pytest.mark.parametrize(
    ("name", "value", "criterion"),
    [
        ("age", 7.0, "8 to 40 years old"),
        ("age", 41.0, "8 to 40 years old"),
        ("days_since_diagnosis", 43.0, "Diagnosed within 6 weeks"),
        ("fasting_cpeptide", 0.29, "Fasting C-peptide at least 0.3 ng/mL"),
        ("fasting_cpeptide", np.nan, "Fasting C-peptide at least 0.3 ng/mL"),
        ("hcv", True, "Positive HIV, HTLV, HBV, HCV or CMV"),
    ],
)
def test_each_criterion_keeps_out_whom_it_should(name: str, value: float, criterion: str) -> None:
    values = healthy(3)
    values[name][0, 1] = value
    screened = screen(load_protocol("msc-t1d"), values)
    assert screened.eligible.tolist() == [[True, False, True]]
    assert screened.texts[screened.failed[0, 1]] == criterion
    assert screened.failed[0, 0] == -1


def test_visits_lie_in_their_windows_and_nobody_comes_after_leaving() -> None:
    protocol = load_protocol("msc-t1d")
    calendar = make_calendar(nature(0.2, 0.05, 1.0), protocol, Streams(3, 40, 21))
    for index, visit in enumerate(protocol.visits):
        days = calendar.day[..., index]
        assert days.min() >= visit.day - visit.before and days.max() <= visit.day + visit.after
    late = calendar.day >= calendar.left[..., np.newaxis]
    after = np.array([visit.period is not None for visit in protocol.visits])
    assert not (calendar.held & late)[..., after].any()
    in_a_year = (calendar.left <= 365.25).mean()
    assert abs(in_a_year - 0.2) < 4 * np.sqrt(0.16 / 840)


def test_without_dropout_and_misses_everybody_comes_to_everything() -> None:
    calendar = make_calendar(nature(0, 0, 0.5), load_protocol("msc-t1d"), Streams(3, 2, 5))
    assert calendar.held.all() and np.isinf(calendar.left).all()
