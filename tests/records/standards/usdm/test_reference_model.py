"""Our checks of USDM objects against the reference model, the package usdm4: the same verdict on every class.

`reference/usdm4/verdicts.json` is what that package says of an object of each class, whole, without each attribute,
with a wrong value in each, and with each class that an attribute may hold. It runs in an environment of its own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from equipoise.records.standards.usdm.checks import object_objections
from equipoise.records.standards.usdm.structure import CLASSES

pytestmark = pytest.mark.requirement("STANDARDS-USDM-MODEL")
ROOT = Path(__file__).parents[4]
VERDICTS: dict[str, dict[str, Any]] = json.loads((ROOT / "reference/usdm4/verdicts.json").read_text("utf-8"))["classes"]


def changed(entry: dict[str, Any], change: str) -> dict[str, Any]:
    """The whole object of a class with the change that the verdict names."""
    made = dict(entry["whole"])
    if " as " in change:
        attribute, _, other = change.partition(" as ")
        part = entry["parts"][other]
        return made | {attribute: [part] if isinstance(made[attribute], list) else part}
    match change.split():
        case ["without", attribute]:
            del made[attribute]
        case ["wrong", attribute]:
            made[attribute] = 3 if isinstance(made[attribute], str) else "x"
    return made


@pytest.mark.parametrize("name", sorted(VERDICTS))
def test_an_object_is_refused_where_the_reference_model_refuses_it_and_nowhere_else(name: str) -> None:
    entry = VERDICTS[name]
    assert entry["loads"]["whole"] is True
    ours = {change: not object_objections(changed(entry, change)) for change in entry["loads"]}
    assert ours == entry["loads"]


def test_every_class_of_the_model_is_there_with_many_verdicts_of_both_kinds() -> None:
    assert set(CLASSES) - set(VERDICTS) == {"ExtensionAttribute", "ExtensionClass"}  # anybody's own content
    assert set(VERDICTS) <= set(CLASSES)
    verdicts = [loads for entry in VERDICTS.values() for loads in entry["loads"].values()]
    assert min(verdicts.count(True), verdicts.count(False)) > 300
    subclasses = [change for entry in VERDICTS.values() for change in entry["loads"] if " as " in change]
    assert {"instances as ScheduledDecisionInstance", "studyDesigns as ObservationalStudyDesign"} <= set(subclasses)


def test_an_attribute_or_a_class_that_the_model_does_not_have_is_found() -> None:
    whole = VERDICTS["StudyArm"]["whole"]
    assert [item.rule for item in object_objections(whole | {"colour": "blue"})] == ["USDM-04"]
    assert [item.rule for item in object_objections(whole | {"instanceType": "Branch"})] == ["USDM-02"]
