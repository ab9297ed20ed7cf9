"""Least squares in parts, for many values, is least squares at once."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from equipoise.stats.mmrm import fit_mmrm
from equipoise.stats.mmrm.tall import MANY, PART, _at_once, _in_parts, remains
from equipoise.stats.status import Status


def values(rows, columns=7, seed=1):
    source = np.random.default_rng([seed, rows])
    design = source.normal(size=(rows, columns)) * 10.0 ** np.linspace(-4, 4, columns)
    design[:, 0] = 1.0
    return design, source.normal(size=rows) + design[:, 1] * 1e4


@pytest.mark.parametrize("rows", [MANY, MANY + 1, MANY + PART - 1, MANY + PART])
def test_in_parts_it_is_least_squares_at_once(rows):
    design, outcome = values(rows)
    parts, whole = _in_parts(design, outcome), _at_once(design, outcome)
    assert parts.independent and whole.independent
    assert_allclose(parts.coefficients, whole.coefficients, rtol=1e-10, atol=1e-18)
    assert_allclose(parts.residuals, whole.residuals, atol=1e-12)
    basis = design @ parts.factor
    assert_allclose(basis.T @ basis, np.eye(design.shape[1]), atol=1e-12)


@pytest.mark.parametrize("wrong", ["repeated", "empty"])
def test_dependent_columns_are_found_in_parts_too(wrong):
    design, outcome = values(MANY + 5)
    design[:, 3] = 1e6 * design[:, 2] if wrong == "repeated" else 0.0
    assert not remains(design, outcome).independent
    assert not _at_once(design, outcome).independent


def test_the_fit_of_many_people_is_that_of_the_same_people_at_once(monkeypatch):
    source = np.random.default_rng(5)
    people, visits = 1200, 4
    person, visit = np.repeat(np.arange(people), visits), np.tile(np.arange(visits), people)
    here = np.eye(visits)[visit]
    design = np.column_stack([here, here * (person % 2)[:, None], source.normal(size=people)[person]])
    y = source.normal(size=people)[person] + source.normal(size=len(person)) + 0.2 * (person % 2)
    y[source.random(len(y)) < 0.1] = np.nan
    assert (~np.isnan(y)).sum() >= MANY
    parts = fit_mmrm(y, design, person, visit)
    monkeypatch.setattr("equipoise.stats.mmrm.tall.MANY", 10**9)
    whole = fit_mmrm(y, design, person, visit)
    assert parts.status == whole.status == Status.OK
    assert_allclose(parts.coefficients, whole.coefficients, rtol=1e-10)
    assert_allclose(parts.sigma, whole.sigma, rtol=1e-10)
    assert_allclose(parts.log_likelihood, whole.log_likelihood, rtol=1e-13)


def test_many_values_that_the_design_gives_exactly_have_no_spread():
    design, _ = values(MANY)
    person, visit = np.repeat(np.arange(MANY // 2), 2), np.tile([0, 1], MANY // 2)
    fit = fit_mmrm(design @ np.ones(design.shape[1]), design, person, visit)
    assert fit.status == Status.CONSTANT_OUTCOME
    assert_allclose(fit.coefficients, 1.0, rtol=1e-5)
