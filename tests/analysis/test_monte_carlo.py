"""Drawn values come from the declared seed alone: no edit elsewhere in the protocol, and no other trial, moves them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from equipoise.analysis.data import AnalysisData
from equipoise.analysis.estimates import Estimate
from equipoise.analysis.monte_carlo import Purpose, drawing
from equipoise.analysis.plan import plan
from tests.analysis.one_trial import trials

DRAWN = ("hypoglycaemia-12-imputed", "cpeptide-12-permuted", "cytokines-12-panel")
pytestmark = pytest.mark.requirement("ANALYSIS-SEED")


def edited(data: AnalysisData, **changes: object) -> AnalysisData:
    """The same data under a protocol with other words of its study, another digest, and changed conventions."""
    was = data.protocol
    study = was.study.model_copy(update={"summary": "Other words."})
    conventions = was.conventions.model_copy(update=changes)
    authored = was.authored.model_copy(update={"study": study, "conventions": conventions})
    protocol = dataclasses.replace(was, authored=authored, digest="sha256:" + "0" * 64)
    return dataclasses.replace(data, panel=dataclasses.replace(data.panel, protocol=protocol))


def estimates(data: AnalysisData, name: str) -> tuple[Estimate, ...]:
    item = next(item for item in plan(data.protocol).analyses if item.analysis.id == name)
    return item.method.run(data, item.analysis, item.options).estimates


@pytest.mark.parametrize("name", DRAWN)
def test_an_edited_protocol_draws_the_same_and_another_seed_does_not(name: str) -> None:
    data = trials(2, 4)
    first, same, other = (estimates(d, name)[0] for d in (data, edited(data), edited(data, seed=2)))
    assert_array_equal(first.values["p_value"], same.values["p_value"])
    assert np.isfinite(first.values["p_value"]).all()
    assert (first.values["p_value"] != other.values["p_value"]).all()


def test_purposes_have_streams_of_their_own() -> None:
    firsts = {purpose: drawing(1, purpose).random() for purpose in Purpose}
    assert len(set(firsts.values())) == len(Purpose)
    assert {int(purpose) for purpose in Purpose} == {1, 2, 3}
