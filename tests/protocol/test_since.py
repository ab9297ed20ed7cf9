"""Which keys came with which version of the form, and that what a protocol leaves out cannot be changed either."""

from __future__ import annotations

import pytest

from equipoise.protocol.load import load_protocol
from equipoise.protocol.schema.base import SINCE, Part
from tests.protocol.places import PROTOCOLS

SECOND = {
    "BlindedItem.from",
    "ClaimPart.margin",
    "Conventions.seed",
    "Estimand.composite",
    "Estimand.order",
    "Estimand.principal",
    "Family.opposite",
    "Family.sides",
    "IntercurrentEvent.recorded",
    "ReleaseTest.kind",
    "Variable.from",
}


def parts(kind: type[Part] = Part) -> set[type[Part]]:
    found = set(kind.__subclasses__())
    return found | {deeper for one in found for deeper in parts(one)}


@pytest.mark.requirement("PROTOCOL-SINCE")
def test_every_key_that_came_with_the_second_version_is_listed() -> None:
    brought = {}
    for part in parts():
        for name, field in part.model_fields.items():
            extra = field.json_schema_extra
            if isinstance(extra, dict) and SINCE in extra and part.__module__.startswith("equipoise.protocol"):
                brought[f"{part.__name__}.{field.alias or name}"] = extra[SINCE]
    assert brought == dict.fromkeys(SECOND, 2)


@pytest.mark.requirement("PROTOCOL-FROZEN")
def test_options_that_a_protocol_leaves_out_are_read_only_too() -> None:
    found = load_protocol(PROTOCOLS / "valid" / "minimal.yaml", ["protocol.analyses.main.options={}"])
    bare = next(type(p).model_validate({**p.model_dump(exclude={"options"})}) for p in found.authored.parameters)
    for options in (found.authored.analyses[0].options, bare.options):
        with pytest.raises(TypeError):
            options["more"] = 1  # type: ignore[index]
