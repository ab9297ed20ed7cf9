"""All eight claims of the model trial have a verdict, and the words follow from the numbers by the protocol's rule."""

from __future__ import annotations

from pathlib import Path

import pytest

import equipoise
from equipoise.analysis.results import Result, Results
from equipoise.protocol.load import load_protocol
from equipoise.protocol.schema.inference import ClaimPart

pytestmark = pytest.mark.requirement("CLAIM-EIGHT")
PROTOCOL = load_protocol("msc-t1d")
EXPLORATORY = {"c4", "c5", "c6", "c8"}
"""The claims whose analyses are in no confirmatory family."""


@pytest.fixture(scope="module", params=["strong", "no-effect"])
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Results:
    folder: Path = tmp_path_factory.mktemp("claims")
    people = "protocol.randomisation.participants=60"
    equipoise.simulate("msc-t1d", folder, scenario=request.param, seed=2, changes=[people])
    return equipoise.analyse(folder / "protocol.yaml", folder, folder).results


def in_favour(part: ClaimPart, result: Result, p_value: float | None) -> bool:
    """Whether the estimate is on the claim's side and the p-value at most 0.05."""
    assert result.estimate is not None and p_value is not None
    effect = result.estimate - (1.0 if result.scale == "ratio" else 0.0)
    return (effect > 0) == (part.direction == "higher") and effect != 0 and p_value <= 0.05


def test_every_claim_has_a_verdict_on_the_results_of_its_own_analyses(results: Results) -> None:
    by_id = {result.id: result for result in results.results}
    assert [claim.id for claim in results.claims] == [f"c{number}" for number in range(1, 9)]
    for claim, planned in zip(results.claims, PROTOCOL.claims, strict=True):
        assert claim.text == planned.text
        assert claim.verdict not in ("", "not assessed", "not assessable"), claim
        assert claim.reason
        if claim.id != "c1":  # safety is decided by its table, not by results
            assert [by_id[name].analysis for name in claim.results] == [part.analysis for part in planned.parts]


def test_a_claim_is_supported_where_every_part_is_significant_in_its_direction_and_nowhere_else(
    results: Results,
) -> None:
    by_id = {result.id: result for result in results.results}
    confirmatory = [claim for claim in results.claims if claim.id not in {"c1", *EXPLORATORY}]
    assert len(confirmatory) == 3
    for claim in confirmatory:
        parts = next(planned.parts for planned in PROTOCOL.claims if planned.id == claim.id)
        found = [by_id[name] for name in claim.results]
        if len(parts) == 1:
            wanted = in_favour(parts[0], found[0], found[0].p_adjusted)
        else:  # each part at its own p, once all of month 12 is rejected
            month_12 = [result.p_adjusted for result in results.results if result.family == "month-12"]
            opened = all(p is not None and p <= 0.05 for p in month_12)
            wanted = opened and all(in_favour(p, r, r.p_value) for p, r in zip(parts, found, strict=True))
        assert (claim.verdict == "supported") == wanted, claim
    for claim in results.claims:
        if claim.id in EXPLORATORY:
            assert claim.verdict not in ("supported", "contradicted"), claim


def test_both_answers_occur(request: pytest.FixtureRequest, results: Results) -> None:
    supported = {claim.id for claim in results.claims if claim.verdict == "supported"}
    assert bool(supported) == ("strong" in request.node.name), supported
