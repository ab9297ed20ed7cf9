"""What docs/blinding.md says: the items of each role by the protocol, and the stored results of both classifiers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from equipoise.protocol.load import load_protocol
from equipoise.records.visibility import view_of
from verification.leak.__main__ import SCENARIOS, roles
from verification.leak.page import RESULTS, block

PAGE = Path(__file__).parents[2] / "docs" / "blinding.md"
ITEMS = {
    "allocated group, products dispensed": "allocation",
    "lots, their counts and release tests": "lots",
    "volume and duration of infusions": "dose-volume",
    "free text of events": "event-text",
    "Treg from 48 h after the first infusion on": "treg",
    "cytokines from 48 h after the first infusion on": "cytokines",
}


@pytest.mark.requirement("BLINDING-VIEW")
def test_the_table_of_roles_is_what_the_protocol_says() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("| item |"))
    roles = [cell.strip().replace(" ", "-").split(",-") for cell in lines[start].split("|")[2:-1]]
    protocol = load_protocol("msc-t1d")
    assert sorted(role for group in roles for role in group) == sorted(protocol.blinding.masked)
    for line in lines[start + 2 : start + 2 + len(ITEMS)]:
        name, *cells = (cell.strip() for cell in line.split("|")[1:-1])
        for group, cell in zip(roles, cells, strict=True):
            for role in group:
                hidden = {item.hides for item in view_of(protocol, role).items}
                assert (ITEMS[name] in hidden) == (cell == "hidden"), (name, role)


@pytest.mark.requirement("BLINDING-CLASSIFIERS")
def test_the_page_quotes_the_stored_results_and_all_pass() -> None:
    found = json.loads(RESULTS.read_text("utf-8"))
    assert found["trials"] >= 200
    assert found["draws"] >= 199
    # A role for each view that masked roles have, in both tests and every scenario.
    views = set(roles())
    assert {item["role"] for item in found["statistical"]} == views and len(views) > 2
    for scenario in SCENARIOS:
        assert {item["role"] for item in found["conditional"] if item["scenario"] == scenario} == views
    assert all(item["ok"] for item in (*found["statistical"], *found["conditional"]))
    assert block(found) in PAGE.read_text(encoding="utf-8")
