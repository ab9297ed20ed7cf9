"""Status codes, and the room's front door."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import equipoise.stats
from equipoise.stats import ADVICE, Status, texts


@pytest.mark.requirement("STATS-FROZEN")
@pytest.mark.requirement("ANALYSIS-STATUS")
def test_every_code_has_a_message_and_an_advice():
    assert set(ADVICE) == set(Status)
    for status, advice in ADVICE.items():
        assert advice.message
        assert bool(advice.advice) == (status != Status.OK)
    assert len({advice.message for advice in ADVICE.values()}) == len(Status)


def test_codes_are_numbered_from_nought_without_a_gap():
    # Texts are looked up by position.
    assert [int(status) for status in Status] == list(range(len(Status)))
    assert texts(np.array([0, 5], dtype=np.int8)).tolist() == ["ok", Status.CONSTANT_OUTCOME.text]


def test_public_names_are_sorted_and_exist():
    names = equipoise.stats.__all__
    assert names == sorted(names)
    assert all(hasattr(equipoise.stats, name) for name in names)


@pytest.mark.requirement("STATS-LOADED")
def test_the_room_is_loaded_without_scipy():
    program = "import equipoise.stats, sys; print([name for name in sys.modules if name.startswith('scipy')])"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
