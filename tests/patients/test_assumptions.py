"""Sensitivity to what is assumed, and what the data inform: on functions and matrices whose answers are known."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from equipoise.patients.mechanistic.links import LINK_RANGES
from equipoise.patients.mechanistic.people import mechanistic_parameters
from verification.patients import assumptions, informed
from verification.patients.fit_mechanistic import own_rows

DOCS = Path(__file__).parents[2] / "docs"
PI = math.pi


@pytest.mark.requirement("PATIENTS-SENSITIVITY")
def test_indices_of_a_function_whose_indices_are_known() -> None:
    """Ishigami & Homma 1990, a = 7, b = 0.1: first 0.314, 0.442, 0; total 0.558, 0.442, 0.244."""

    def ishigami(x: np.ndarray) -> np.ndarray:
        return (np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0]))[:, np.newaxis]

    (found,) = assumptions.sobol_indices(["a", "b", "c"], [(-PI, PI)] * 3, ishigami, 4096)
    np.testing.assert_allclose(found.first, [0.3139, 0.4424, 0.0], atol=0.02)
    np.testing.assert_allclose(found.total, [0.5576, 0.4424, 0.2437], atol=0.02)


@pytest.mark.requirement("PATIENTS-SENSITIVITY")
def test_without_links_there_is_no_contrast_and_every_link_is_moved() -> None:
    moved = assumptions.assumptions()
    assert {item.name for item in moved if item.link} == set(LINK_RANGES) - {"infusion_reaction_log_odds"}
    rows = mechanistic_parameters().rows
    for item in moved:
        row = LINK_RANGES[item.name] if item.link else rows[item.name]
        assert row.low <= item.low < item.high <= row.high, item.name
        assert item.link or rows[item.name].assumed, f"{item.name} is no assumption"
    middle = {item.name: (item.low + item.high) / 2 for item in moved}
    nothing = middle | {item.name: 0.0 for item in moved if item.link}
    assert assumptions.contrasts(nothing) == [0.0, 0.0, 0.0, 0.0]
    cpeptide, hba1c, effector, regulatory = assumptions.contrasts(middle)
    assert cpeptide > 0.02 and hba1c < -0.05 and effector < 0 and regulatory > 0.1


@pytest.mark.requirement("PATIENTS-SENSITIVITY")
def test_few_samples_name_the_same_assumption_as_the_page() -> None:
    found, values = assumptions.run(32)
    page = (DOCS / "model" / "sensitivity.md").read_text("utf-8")
    first = page.split("| `", 1)[1].split("`", 1)[0]
    names = [item.name for item in assumptions.assumptions()]
    assert names[int(np.argmax(found[0].total))] == first == "cells.pancreas-days"
    assert values.shape == (32 * (len(names) + 2), len(assumptions.OUTCOMES))


@pytest.mark.requirement("PATIENTS-SENSITIVITY")
def test_what_is_left_falls_with_the_link_and_is_stated_for_both_ends() -> None:
    moved = assumptions.assumptions()
    total = np.array([0.5 if item.name == "immunomodulation" else 0.0 for item in moved])
    nothing = np.zeros(len(moved))
    found = [assumptions.Indices(nothing, nothing, total, nothing)]
    rows = assumptions.kept(found, 16)
    assert [*rows] == ["immunomodulation", "immunomodulation and regeneration"]
    low, high = rows["immunomodulation"]
    assert 0 < rows["immunomodulation and regeneration"][0] < low < 1 < high
    assert assumptions.draws(16)[:2] == assumptions.draws(16)[:2]


@pytest.mark.requirement("PATIENTS-INFORMED")
def test_the_combinations_of_a_known_matrix() -> None:
    (large, first), (small, second) = informed.directions(np.array([[3.0, 3.0], [0.5, -0.5]]), ["a", "b"])
    assert large == pytest.approx(18**0.5) and small == pytest.approx(0.5**0.5)
    assert first["a"] == pytest.approx(first["b"]) == pytest.approx(0.5**0.5)
    assert second["a"] == pytest.approx(-second["b"])
    page = informed.direction_table([(large, first), (small, second)])
    assert "| 0.71 |" in page and "4.24" not in page and "1 of 2 combinations" in page


@pytest.mark.requirement("PATIENTS-INFORMED")
def test_the_collinearity_index_of_known_columns() -> None:
    assert informed.collinearity_index(np.eye(3)[:, :2]) == pytest.approx(1.0)
    angle = 0.1
    near = np.array([[1.0, math.cos(angle)], [0.0, math.sin(angle)]])
    assert informed.collinearity_index(near) == pytest.approx((1 - math.cos(angle)) ** -0.5)
    assert informed.collinearity_index(np.array([[1.0, 2.0], [1.0, 2.0]])) > 1e6
    assert informed.collinearity_index(np.array([[1.0, 0.0], [1.0, 0.0]])) == math.inf


@pytest.mark.requirement("PATIENTS-INFORMED")
def test_what_the_data_see_well_is_informed_and_what_they_do_not_see_is_not() -> None:
    rows = [mechanistic_parameters().rows[name] for name in own_rows()[:4]]
    j = np.array([[50.0, 0.0, 0.0, 5.0], [0.0, 20.0, 20.0, 0.0], [0.0, 0.0, 1e-3, 0.0]])
    one, two, three, last = informed.judged(rows, [True, True, True, False], j)
    assert one.word == "informed" and one.among == pytest.approx((50**2 + 1) ** -0.5)
    assert two.word == three.word == "no", "only their sum is seen"
    assert two.alone == pytest.approx((20**2 + 1) ** -0.5) and two.partner == rows[2].id and two.collinearity > 100
    assert math.isnan(last.among) and last.word == "weakly"


@pytest.mark.requirement("PATIENTS-INFORMED")
def test_the_page_names_every_parameter_of_the_mechanism() -> None:
    page = (DOCS / "model" / "identifiability.md").read_text("utf-8")
    rows = mechanistic_parameters().rows
    for name in own_rows():
        if rows[name].assumed or rows[name].source.startswith("fitted to"):
            assert f"| `{name}` | {rows[name].value:.4g} |" in page, "run `python -m verification.patients.informed`"
