"""Derivatives along few parameters or along distances are those along all elements, and cost less."""

from __future__ import annotations

import resource

import numpy as np
import pytest
from numpy.testing import assert_allclose

from equipoise.stats.mmrm import coefficient_covariance, contrast, fit_mmrm
from equipoise.stats.mmrm.bases import Elements, Lags, Matrices
from equipoise.stats.status import Status
from tests.stats.mmrm.data import random_trial

NEVER, ALWAYS = 10**6, 0


def symmetric(source, *shape):
    found = source.normal(size=shape)
    return found + found.swapaxes(-1, -2)


def matrices_of(basis, count):
    return np.stack([basis.matrix(row) for row in np.eye(count)])


@pytest.mark.requirement("STATS-MMRM-TWIN")
@pytest.mark.parametrize("visits", [1, 2, 5, 6])
def test_each_basis_gives_the_traces_of_its_own_matrices(visits):
    source = np.random.default_rng(visits)
    given = symmetric(source, 3, visits, visits)
    bases = ((Elements(visits), visits * (visits + 1) // 2), (Matrices(given), 3), (Lags(visits), visits))
    omega, inner = symmetric(source, 70, visits, visits), symmetric(source, 70, visits, visits)
    vectors, slope = source.normal(size=(11, visits, 4)), symmetric(source, visits, visits)
    for basis, count in bases:
        E = matrices_of(basis, count)
        weights = symmetric(source, count, count)
        quartic = np.einsum("iab,pbc,jcd,pda->ij", E, omega, E, inner, optimize=True)
        close = {"rtol": 1e-10, "atol": 1e-9}
        assert_allclose(basis.gradient(slope), 0.5 * np.einsum("iab,ba->i", E, slope), **close)
        assert_allclose(basis.sandwich(vectors), np.einsum("mar,iab,mbs->irs", vectors, E, vectors), **close)
        assert_allclose(basis.quartic(omega, inner), 0.5 * (quartic + quartic.T), **close)
        woven = np.einsum("ij,iab,pbc,jcd->pad", weights, E, omega, E, optimize=True)
        assert_allclose(basis.weave(weights, omega), woven, **close)


@pytest.mark.requirement("STATS-MMRM-TWIN")
@pytest.mark.parametrize("name", ["cs", "csh", "ar1", "ar1h", "toep", "toeph", "ris"])
@pytest.mark.parametrize("reml", [True, False])
def test_a_fit_is_the_same_in_whatever_basis(name, reml, monkeypatch):
    data = random_trial(3, people=40, visits=7, missing=0.12)
    found = []
    for few, single, many in ((NEVER, 4, 40), (ALWAYS, ALWAYS, ALWAYS), (ALWAYS, NEVER, ALWAYS)):
        monkeypatch.setattr("equipoise.stats.mmrm.structures.FEW_VISITS", few)
        monkeypatch.setattr("equipoise.stats.mmrm.structures.SINGLE", single)
        monkeypatch.setattr("equipoise.stats.mmrm.structures.MANY_VISITS", many)
        found.append(fit_mmrm(*data.args, structure=name, reml=reml))
    kinds = [type(fit.solved.optimum.derivatives.basis) for fit in found]
    assert kinds == [Elements, Lags if name in ("cs", "ar1", "toep") else Matrices, Matrices]
    first, *others = found
    assert first.status == Status.OK
    rows = np.random.default_rng(1).normal(size=(3, data.X.shape[1]))
    for fit in others:
        assert_allclose(fit.log_likelihood, first.log_likelihood, rtol=1e-12)
        assert_allclose(fit.coefficients, first.coefficients, rtol=1e-9, atol=1e-12)
        assert_allclose(fit.diagnosis.information, first.diagnosis.information, rtol=1e-6)
        assert_allclose(contrast(fit, rows, method="satterthwaite").df, contrast(first, rows).df, rtol=1e-7)
        for method in ("kenward-roger", "kenward-roger-linear") if reml else ():
            expected = coefficient_covariance(first, method)
            assert_allclose(coefficient_covariance(fit, method), expected, rtol=1e-7, atol=1e-10)


@pytest.mark.requirement("STATS-MMRM-MANY-VISITS")
@pytest.mark.parametrize("name", ["cs", "ar1", "toep"])
def test_a_hundred_visits_take_little_memory(name):
    data = random_trial(1, people=60, visits=100, missing=0.1)
    X = np.column_stack([np.ones(len(data.y)), data.subject % 2])
    before = resource.getrusage(resource.RUSAGE_SELF)
    fit = fit_mmrm(data.y, X, data.subject, data.visit, structure=name)
    effect = contrast(fit, np.array([0.0, 1.0]), method="kenward-roger-linear")
    assert fit.status == Status.OK and effect.status[0] == Status.OK
    # All elements would need gigabytes. How long it takes is no matter of a test: docs/statistics/mmrm.md has it.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before.ru_maxrss < 300_000
