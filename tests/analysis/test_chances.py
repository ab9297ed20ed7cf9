"""chances.json: written and read back, whose it is, and what is shown for which trial."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from equipoise.analysis.chances import (
    Chances,
    chances_for,
    counted,
    fits,
    made_from,
    plan_digest,
    read_chances,
    to_text,
)
from equipoise.analysis.plan import Plan, plan
from equipoise.errors import InputError
from equipoise.protocol.load import load_protocol

pytestmark = pytest.mark.requirement("CLAIM-CHANCES")
SOFTWARE = {"name": "equipoise", "version": "0"}
DIGEST = "sha256:" + "0" * 64


@cache
def planned(*changes: str) -> Plan:
    return plan(load_protocol("msc-t1d", changes))


def table(scenario: str = "no-effect", digest: str = DIGEST, given: Plan | None = None) -> Chances:
    words = {claim.id: np.array(["inconclusive"] * 4, dtype=object) for claim in planned().protocol.claims}
    words["c2"] = np.array(["supported", "supported", "contradicted", "inconclusive"], dtype=object)
    rates = counted(planned().protocol.claims, words)
    return Chances(made_from(given or planned(), scenario, digest, SOFTWARE), 4, 1, rates)


def test_they_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "chances.json"
    path.write_text(to_text(table("strong"), table()))
    first, second = read_chances(path)
    assert (first.scenario, second.scenario) == ("strong", "no-effect")
    assert (first.label, second.label) == ("under strong", "with no effect")
    data = json.loads(path.read_text())
    assert data["schema"] == "equipoise/chances/1" and set(data["made_from"]) == {
        "protocol",
        "scenario",
        "plan",
        "software",
    }
    assert data["claims"]["c2"]["supported"] == [0.5, 0.25]
    assert to_text(first, second) == path.read_text()


def test_a_rate_is_that_of_a_word_whatever_its_names() -> None:
    found = table()
    assert found.of("c2", "supported") == 0.5 and found.of("c2", "contradicted in part: a, b") == 0.0
    assert found.of("c2", "supported", "contradicted") == 0.75 and found.of("c9", "supported") is None
    assert found.shown("c2", "supported") == "50.0 %" and found.shown("c2", "not tested") == "0 of 4"
    assert found.shown("c9", "supported") == ""


@pytest.mark.parametrize("spoilt", ["", "[]", '{"schema": "equipoise/chances/2"}', '{"schema": "equipoise/chances/1"}'])
def test_another_file_is_refused(tmp_path: Path, spoilt: str) -> None:
    (tmp_path / "x.json").write_text(spoilt)
    with pytest.raises(InputError, match="chances-readable"):
        read_chances(tmp_path / "x.json")


def test_they_belong_to_one_protocol_and_one_plan() -> None:
    edited = planned("protocol.analyses.hba1c-24.options.baseline=safety")
    assert fits(table(), planned()) and not fits(table(), edited)
    defaults = plan_digest(planned())
    method = next(item for item in planned().analyses if item.analysis.id == "hba1c-24")
    changed = dataclasses.replace(method, options=method.options.model_copy(update={"standard_error": "hc3"}))
    others = tuple(changed if item is method else item for item in planned().analyses)
    assert plan_digest(dataclasses.replace(planned(), analyses=others)) != defaults, (
        "a default that moved is another plan"
    )


def test_a_file_that_is_given_is_shown_under_its_own_names_and_refused_of_another_trial(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(to_text(table("as-claimed")))
    (found,) = chances_for(planned(), ("strong", DIGEST), path)
    assert found.label == "under as-claimed"
    other = planned("protocol.safety.follow_up_days=60")
    with pytest.raises(InputError, match="chances-fit") as refused:
        chances_for(other, None, path)
    assert refused.value.exit_code == 2 and "made_from" in str(refused.value)
    moved = dict(table().made_from) | {"plan": DIGEST}
    path.write_text(to_text(dataclasses.replace(table(), made_from=moved)))
    with pytest.raises(InputError, match=f"the plan {DIGEST}"):
        chances_for(planned(), None, path)


def test_the_packages_own_are_shown_where_they_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("equipoise.analysis.chances.shipped", lambda: (table(), table("strong", "sha256:" + "1" * 64)))
    both = chances_for(planned(), ("strong", "sha256:" + "1" * 64))
    assert [item.scenario for item in both] == ["strong", "no-effect"]
    assert [item.scenario for item in chances_for(planned(), ("strong", DIGEST))] == ["no-effect"], "it was edited"
    assert [item.scenario for item in chances_for(planned(), ("no-effect", DIGEST))] == ["no-effect"]
    assert chances_for(planned("protocol.safety.follow_up_days=60"), None) == (), "the protocol was edited"
