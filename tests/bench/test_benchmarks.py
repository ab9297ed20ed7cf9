"""The page of the benchmarks is what the stored run gives; no clock runs here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.__main__ import RESULTS
from bench.clock import Row
from bench.page import PAGE, page_of
from bench.repeated import invented
from equipoise.stats.mmrm import fit_mmrm

pytestmark = pytest.mark.requirement("STATS-SPEED")
STORED = json.loads(RESULTS.read_text("utf-8"))


def test_the_page_is_made_from_the_stored_run() -> None:
    assert PAGE.read_text("utf-8") == page_of(STORED)


def test_ratios_and_targets_follow_from_the_times() -> None:
    for row in STORED["rows"]:
        names = ("id", "what", "ours", "repeats", "target", "peer_name", "peer", "word", "unit")
        assert Row(**{name: row[name] for name in names}).data() == row
        assert row["peer"] is not None or row["ratio"] is None
        # A peer that has no time says why.
        assert row["peer"] is not None or not row["peer_name"] or row["word"]


def test_every_promise_of_speed_has_a_row() -> None:
    ids = {row["id"] for row in STORED["rows"]}
    fits = {f"fev-{m}" for m in ("satterthwaite", "kenward-roger", "kenward-roger-linear")}
    people = {f"people-{n}-{m}" for n in (1000, 10_000) for m in ("satterthwaite", "kenward-roger")}
    assert fits | people | {"small", "memory", "re-randomisation", "import-stats", "trial"} <= ids
    assert {"processor", "cores", "python", "numpy", "scipy"} <= set(STORED["machine"])


def test_no_test_of_statistics_reads_a_clock() -> None:
    words = ("perf_counter", "process_time", "monotonic(", "time.time(")
    rooms = [Path(__file__).parents[1] / room for room in ("stats", "formula", "analysis")]
    tests = [path for room in rooms for path in room.rglob("test_*.py")]
    timed = [path.name for path in tests if any(word in path.read_text("utf-8") for word in words)]
    assert len(tests) > 50
    assert timed == []


def test_the_invented_people_have_the_size_that_is_told() -> None:
    case, frame = invented(60)
    assert case[1].shape == (600, 25) and frame.height == 600
    assert 0.05 < frame["y"].null_count() / 600 < 0.15
    assert fit_mmrm(*case).message == "ok"
