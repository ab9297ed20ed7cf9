"""What a protocol leaves out cannot be changed either."""

from __future__ import annotations

import pytest

from equipoise.protocol.load import load_protocol
from tests.protocol.places import PROTOCOLS


@pytest.mark.requirement("PROTOCOL-FROZEN")
def test_options_that_a_protocol_leaves_out_are_read_only_too() -> None:
    found = load_protocol(PROTOCOLS / "valid" / "minimal.yaml", ["protocol.analyses.main.options={}"])
    bare = next(type(p).model_validate({**p.model_dump(exclude={"options"})}) for p in found.authored.parameters)
    for options in (found.authored.analyses[0].options, bare.options):
        with pytest.raises(TypeError):
            options["more"] = 1  # type: ignore[index]
