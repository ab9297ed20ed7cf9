"""Designs and means against R: what model.matrix names and computes, what emmeans weighs."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from equipoise.formula.design import design
from equipoise.formula.grammar import parse
from equipoise.formula.means import mean_rows
from equipoise.formula.model_frame import model_frame
from equipoise.formula.schedule import Asked
from tests.formula.data import invented
from tests.stats.reference import stored

DESIGNS, MEANS = (stored("formula")[kind] for kind in ("designs", "means"))
COVARIANCE = " + us(visit | person)"

ASKED = {
    "both": ("y ~ a * b + visit + x", ("b", "visit"), {}),
    "squares": ("y ~ a + b * visit + x + I(x^2)", ("visit", "a"), {}),
    "curved": ("y ~ b * log(z) + sqrt(x):b + a", ("b",), {}),
    "placed": ("y ~ a + b * x", ("b",), {"x": 40}),
    "no_intercept": ("y ~ 0 + a:b + visit + x:b", ("a", "b"), {}),
    "odd": ("y ~ `odd name` * b + flag + z", ("odd name",), {}),
}


def made(text):
    parsed = parse(text + COVARIANCE)
    frame = model_frame(parsed, invented(), None, Asked(None, None, drop_empty=False))
    return frame, design(parsed, frame)


@pytest.mark.requirement("FORMULA-FITS")
@pytest.mark.parametrize("text", DESIGNS)
def test_the_columns_of_a_design_are_those_of_r(text):
    expected = DESIGNS[text]
    frame, found = made(text)
    rows = np.arange(1, len(frame.outcome) + 1)
    assert list(found.names) == expected["names"]
    assert len(rows) == expected["rows"]
    assert_allclose(frame.outcome @ rows, expected["outcome"], rtol=1e-12)
    assert_allclose(rows @ found.columns, expected["first"], rtol=1e-12)
    assert_allclose(np.sqrt(rows) @ found.columns, expected["second"], rtol=1e-12)


@pytest.mark.parametrize("case", MEANS)
def test_the_weights_of_means_are_those_of_emmeans(case):
    text, by, at = ASKED[case]
    frame, found = made(text)
    cells, rows = mean_rows(found, by, at)
    assert_allclose(rows, MEANS[case]["weights"], rtol=1e-12, atol=1e-12)
    assert cells.columns == list(by)
    coefficients = np.linalg.lstsq(found.columns, frame.outcome, rcond=None)[0]
    assert_allclose(rows @ coefficients, MEANS[case]["estimate"], rtol=1e-9)


def test_every_stored_case_is_asked():
    assert ASKED.keys() == MEANS.keys()
