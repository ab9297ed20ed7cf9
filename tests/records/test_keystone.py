"""The keystone: a Panel written as records and read back is the same Panel, bit for bit, through files as well."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.allocation import read_allocation
from equipoise.records.folder import read_records, write_records
from equipoise.records.from_panel import to_records
from equipoise.records.from_records import to_panel
from equipoise.records.panel import differences
from tests.records.panels import make_panel, panels

PROTOCOLS = ("t1dal", "msc-t1d")
ROUND_TRIP = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module", params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> Protocol:
    return load_protocol(request.param)


@pytest.mark.requirement("RECORDS-KEYSTONE")
@given(data=st.data())
@ROUND_TRIP
def test_panel_to_records_and_back_is_the_same_panel(protocol: Protocol, data: st.DataObject) -> None:
    panel = data.draw(panels(protocol))
    again = to_panel(*to_records(panel))
    assert differences(panel, again) == []
    assert again == panel


@pytest.mark.requirement("RECORDS-KEYSTONE", "RECORDS-FOLDER")
@given(data=st.data())
@settings(ROUND_TRIP, max_examples=10)
def test_also_through_written_files(protocol: Protocol, tmp_path: Path, data: st.DataObject) -> None:
    panel = data.draw(panels(protocol))
    records, allocation = to_records(panel)

    def write(name: str, writer: Callable[[IO[bytes]], object]) -> None:
        stream = io.BytesIO()
        writer(stream)
        (tmp_path / name).write_bytes(stream.getvalue())

    write_records(records, write)
    (tmp_path / "allocation.csv").write_bytes(allocation.to_csv().encode())
    reread = read_records(tmp_path, panel.protocol)
    arms = read_allocation(tmp_path / "allocation.csv", panel.protocol, frozenset(panel.ids))
    assert reread.digest == records.digest
    assert arms == allocation
    assert differences(panel, to_panel(reread, arms)) == []


def test_a_changed_bit_is_a_difference(protocol: Protocol) -> None:
    panel = make_panel(protocol, 3, seed=1, missing=0.0)
    again = to_panel(*to_records(panel))
    value = again.blocks["hba1c"].value
    value[0, 0, 0, 0, 0] = np.nextafter(value[0, 0, 0, 0, 0], np.inf)
    assert differences(panel, again) == ["hba1c.value"]
    assert again != panel


def test_a_negative_zero_is_not_zero(protocol: Protocol) -> None:
    panel, other = make_panel(protocol, 2, seed=2, missing=0.0), make_panel(protocol, 2, seed=2, missing=0.0)
    panel.blocks["hba1c"].value[0, 0, 0, 0, 0], other.blocks["hba1c"].value[0, 0, 0, 0, 0] = 0.0, -0.0
    assert differences(panel, other) == ["hba1c.value"]


@pytest.mark.requirement("RECORDS-ALLOCATION")
def test_records_without_allocation_give_a_blinded_panel(protocol: Protocol) -> None:
    records, _ = to_records(make_panel(protocol, 3, seed=3, missing=0.1))
    assert to_panel(records).blinded
