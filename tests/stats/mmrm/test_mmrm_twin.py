"""The fast formulas against a slow twin that knows only the covariance of all values."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from equipoise.stats.mmrm import coefficient_covariance, contrast, fit_mmrm, joint_test
from equipoise.stats.mmrm.bases import Elements
from equipoise.stats.mmrm.blocks import arrange
from equipoise.stats.mmrm.inference import kenward_roger_scale, turned
from equipoise.stats.mmrm.likelihood import differentiate, evaluate, expected_information
from equipoise.stats.mmrm.structures import structure
from tests.stats.mmrm.data import random_trial
from tests.stats.mmrm.dense import Twin, derivative, elements, sigma_of

STRUCTURES = ("us", "cs", "csh", "ar1", "ar1h", "toep", "toeph", "ris")
SEEDS = (1, 2)


def small(seed, **changes):
    return random_trial(seed, **{"people": 16, "visits": 4, "missing": 0.1, **changes})


def somewhere(seed, visits):
    """A covariance that is not the optimum."""
    root = np.random.default_rng(seed).normal(size=(visits, visits)) * 0.4 + np.eye(visits)
    return root @ root.T


@pytest.mark.requirement("STATS-MMRM-TWIN")
@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("seed", SEEDS)
def test_value_gradient_and_both_informations_at_any_covariance(seed, reml):
    data, visits = small(seed), 4
    arranged = arrange(*data.args, visits, None)
    twin = Twin(data, lambda theta: elements(theta, visits), reml=reml)
    scale, places = arranged.scale**2, np.tril_indices(visits)
    values = []
    for where in (seed, seed + 10):
        sigma = somewhere(where, visits)
        theta = sigma[places]
        point = evaluate(arranged.blocks, sigma / scale, reml=reml)
        found = differentiate(arranged.blocks, point, Elements(visits), reml=reml)
        expected = expected_information(arranged.blocks, found, reml=reml)
        assert_allclose(twin.textbook_gradient(theta), twin.gradient(theta), rtol=1e-7, atol=1e-7)
        assert_allclose(found.gradient / scale, twin.gradient(theta), rtol=1e-7, atol=1e-7)
        size = np.abs(twin.expected(theta)).max()
        assert_allclose(found.observed / scale**2, twin.observed(theta), rtol=1e-8, atol=1e-8 * size)
        assert_allclose(expected / scale**2, twin.expected(theta), rtol=1e-8, atol=1e-9 * size)
        values.append(point.value - twin.minus_log_likelihood(theta))
    assert_allclose(values[0], values[1], rtol=1e-11)


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("visits", [2, 3, 5])
def test_a_structure_has_the_derivatives_of_its_definition(name, visits):
    if name == "us" or (name == "ris" and visits == 2):
        return
    family = structure(name, visits)
    start = family.start(0.6 ** np.abs(np.subtract.outer(np.arange(visits), np.arange(visits))) * 1.3)
    theta = start + np.random.default_rng(3).normal(size=len(start)) * 0.1
    assert_allclose(family.sigma(theta), sigma_of(name, theta, visits), rtol=1e-12)
    jacobian = derivative(family.sigma, theta)
    assert_allclose(family.jacobian(theta), jacobian, rtol=1e-8, atol=1e-10)
    expected = derivative(family.jacobian, theta)
    weights = np.random.default_rng(4).normal(size=(len(theta), len(theta)))
    weights, slope = weights + weights.T, somewhere(5, visits)
    curvature = family.curvature(theta, weights)
    summed = np.tensordot(weights, expected, axes=2)
    assert_allclose(np.zeros_like(summed) if curvature is None else curvature, summed, rtol=1e-8, atol=1e-9)
    assert_allclose(family.bend(theta, slope), 0.5 * np.tensordot(expected, slope, axes=2), rtol=1e-8, atol=1e-9)


def parameters(fit):
    """The fit's parameters in the twin's terms, in the units of the data."""
    if fit.structure == "us":
        root = np.linalg.cholesky(fit.sigma)
        unit = root / np.diag(root)[:, None]
        return np.concatenate([np.log(np.diag(root)), unit[np.tril_indices(len(root), -1)]])
    theta, scale = fit.solved.optimum.theta.copy(), fit.solved.data.scale
    if fit.structure == "ris":
        return theta * scale**2
    theta[: len(fit.sigma) if fit.structure.endswith("h") else 1] += np.log(scale)
    return theta


@pytest.mark.requirement("STATS-MMRM-TWIN")
@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_fit_is_the_minimum_that_the_twin_sees(name, seed, reml):
    data = small(seed)
    fit = fit_mmrm(*data.args, structure=name, reml=reml)
    assert fit.message == "ok"
    twin = Twin(data, lambda theta: sigma_of(name, theta, 4), reml=reml)
    theta = parameters(fit)
    assert_allclose(twin.make(theta), fit.sigma, rtol=1e-10, atol=1e-12)
    assert fit.parameters == len(theta)
    assert_allclose(-fit.log_likelihood, twin.minus_log_likelihood(theta), rtol=1e-11)
    assert_allclose(fit.coefficients, twin.coefficients(theta), rtol=1e-8)
    assert_allclose(twin.gradient(theta), 0, atol=2e-6)
    assert np.linalg.eigvalsh(twin.observed(theta))[0] > 0


@pytest.mark.requirement("STATS-MMRM-TWIN")
@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("seed", SEEDS)
def test_covariances_and_degrees_of_freedom_are_the_textbook_s(name, seed):
    data = small(seed)
    fit = fit_mmrm(*data.args, structure=name)
    twin, theta = Twin(data, lambda theta: sigma_of(name, theta, 4)), parameters(fit)
    p = data.X.shape[1]
    phi = twin.phi(theta)
    assert_allclose(coefficient_covariance(fit, "satterthwaite"), phi, rtol=1e-7, atol=1e-9)
    rows = np.random.default_rng(seed).normal(size=(3, p))
    expected = [twin.satterthwaite(theta, row) for row in rows]
    assert_allclose(contrast(fit, rows, method="satterthwaite").df, expected, rtol=1e-6)
    full = twin.kenward_roger(theta, linear=False)
    assert_allclose(coefficient_covariance(fit, "kenward-roger"), full, rtol=1e-6, atol=1e-7 * np.abs(full).max())
    robust = [twin.cr2(theta, row) for row in rows]
    found = contrast(fit, rows, method="cr2")
    assert_allclose(found.standard_error**2, [pair[0] for pair in robust], rtol=1e-6)
    assert_allclose(found.df, [pair[1] for pair in robust], rtol=1e-7)
    scale, df = kenward_roger_scale(fit.solved, rows @ turned(fit.solved))
    assert_allclose((scale, df), twin.kenward_roger_scale(theta, rows), rtol=1e-6)


@pytest.mark.requirement("STATS-MMRM-TWIN")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_linear_adjustment_is_that_of_the_elements_themselves(seed):
    data, visits = small(seed), 4
    fit = fit_mmrm(*data.args)
    theta = fit.sigma[np.tril_indices(visits)]
    twin = Twin(data, lambda theta: elements(theta, visits))
    expected = twin.kenward_roger(theta, linear=True)
    found = coefficient_covariance(fit, "kenward-roger-linear")
    assert_allclose(found, expected, rtol=1e-6, atol=1e-7 * np.abs(expected).max())
    # In the elements themselves nothing is curved, and the full adjustment is the linear one.
    assert_allclose(twin.kenward_roger(theta, linear=False), expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())


def test_weights_are_precisions():
    data = small(4)
    data = data.with_(weights=np.random.default_rng(4).uniform(0.4, 2.5, len(data.y)))
    fit = fit_mmrm(*data.args, weights=data.weights)
    twin, theta = Twin(data, lambda theta: sigma_of("us", theta, 4)), parameters(fit)
    assert_allclose(-fit.log_likelihood, twin.minus_log_likelihood(theta), rtol=1e-11)
    assert_allclose(fit.coefficients, twin.coefficients(theta), rtol=1e-8)
    assert_allclose(twin.gradient(theta), 0, atol=2e-6)
    row = np.eye(data.X.shape[1])[6]
    assert_allclose(contrast(fit, row, method="satterthwaite").df, twin.satterthwaite(theta, row), rtol=1e-6)


def test_one_combination_has_the_f_of_its_t():
    fit = fit_mmrm(*small(5).args)
    row = np.eye(len(fit.coefficients))[5]
    for method in ("satterthwaite", "kenward-roger", "kenward-roger-linear", "residual"):
        alone, joint = contrast(fit, row, method=method), joint_test(fit, row, method=method)
        assert_allclose(joint.statistic, alone.statistic**2, rtol=1e-9)
        assert_allclose(joint.df_denominator, alone.df, rtol=1e-8)
        assert_allclose(joint.p_value, alone.p_value, rtol=1e-7)


def test_compressed_people_are_as_good_as_the_people(monkeypatch):
    data = random_trial(6, people=60, visits=3, missing=0.2)
    short = fit_mmrm(*data.args)
    monkeypatch.setattr("equipoise.stats.mmrm.blocks._compressed", lambda people: people)
    whole = fit_mmrm(*data.args)
    assert len(short.solved.data.blocks.rows) < len(whole.solved.data.blocks.rows) == 60
    assert_allclose(short.coefficients, whole.coefficients, rtol=1e-10)
    for method in ("kenward-roger", "kenward-roger-linear", "cr2"):
        expected = coefficient_covariance(whole, method)
        assert_allclose(coefficient_covariance(short, method), expected, rtol=1e-7, atol=1e-9)
