"""What was dispensed: read with every problem by its line, written back, joined to the Panel and to nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from equipoise.errors import DataError
from equipoise.protocol.load import load_protocol
from equipoise.records.dispensed import COLUMNS, Bag, Dispensed, dispensed_of, dispensed_rows, read_dispensed
from equipoise.records.from_panel import to_records
from equipoise.records.from_records import to_panel
from equipoise.records.panel import differences
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trial

PEOPLE = frozenset({"P1", "P2"})
HEAD = ",".join(COLUMNS)
GOOD = "P1,period-1,1,msc,L1,B1,0,1000000.0,cells/kg"


def written(folder: Path, *lines: str) -> Path:
    path = folder / "dispensed.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.mark.requirement("DISPENSED-READ")
def test_rows_are_read_in_any_order_and_written_back(tmp_path: Path) -> None:
    protocol = load_protocol("msc-t1d")
    path = written(tmp_path, HEAD, "P2,period-2,1,saline,,B2,,,", GOOD, "P1,period-1,1,msc,L1,B9,0,2.5,cells/kg")
    found = read_dispensed(path, protocol, PEOPLE)
    assert [bag.bag for bag in found.bags] == ["B1", "B9", "B2"]
    assert found.bags[0] == Bag("P1", "period-1", 1, "msc", "B1", "L1", 0, 1e6, "cells/kg")
    path.write_text(found.to_csv(), "utf-8")
    again = read_dispensed(path, protocol, PEOPLE)
    assert again == found and again.digest == found.digest
    other = Dispensed.of([*found.bags[:2]])
    assert other.digest != found.digest


@pytest.mark.requirement("DISPENSED-READ")
def test_only_the_key_is_required(tmp_path: Path) -> None:
    path = written(tmp_path, "product,participant,dose_number,period", "saline,P1,2,period-1")
    (bag,) = read_dispensed(path, load_protocol("msc-t1d"), PEOPLE).bags
    assert bag == Bag("P1", "period-1", 2, "saline")


@pytest.mark.requirement("DISPENSED-READ")
def test_everything_wrong_is_told_at_once_by_its_line(tmp_path: Path) -> None:
    lines = [
        HEAD,
        GOOD,
        GOOD,  # 3: twice
        "P9,period-1,1,msc,,,,,",
        "P1,period-3,1,msc,,,,,",
        "P1,period-1,0,msc,,,,,",
        "P1,period-1,1,cells,,,,,",
        "P1,period-1,2,msc,,,2.5,,",
        "P1,period-1,2,msc,,B3,,-1,mL",
        "P1,period-1,2,msc,,B4,,1,",
        "P1,period-1,one,msc,,B5,,nan,mL",
    ]
    with pytest.raises(DataError) as caught:
        read_dispensed(written(tmp_path, *lines), load_protocol("msc-t1d"), PEOPLE)
    found = [(problem.line, problem.path, problem.rule) for problem in caught.value.problems]
    assert found == [
        (3, "bag", "key-unique"),
        (4, "participant", "participant-known"),
        (5, "period", "period-known"),
        (6, "dose_number", "dose-numbered"),
        (7, "product", "product-known"),
        (8, "day", "day-whole"),
        (9, "amount", "amount-positive"),
        (10, "unit", "amount-unit"),
        (11, "dose_number", "dose-numbered"),
        (11, "amount", "amount-positive"),
    ]
    assert all(problem.file.endswith("dispensed.csv") and problem.remedy for problem in caught.value.problems)


@pytest.mark.requirement("DISPENSED-READ")
@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        (["participant,period,product", "P1,period-1,msc"], "dispensed-columns"),
        ([HEAD + ",arm", GOOD + ",group-a"], "dispensed-columns"),
        ([HEAD, "P1,period-1"], "dispensed-columns"),
        (["product,product,participant,period,dose_number", "msc,msc,P1,period-1,1"], "dispensed-columns"),
        (['"'], "dispensed-readable"),
        ([], "dispensed-columns"),
    ],
)
def test_another_layout_is_refused(tmp_path: Path, lines: list[str], rule: str) -> None:
    with pytest.raises(DataError) as caught:
        read_dispensed(written(tmp_path, *lines), load_protocol("msc-t1d"), PEOPLE)
    assert {problem.rule for problem in caught.value.problems} == {rule}


@pytest.mark.requirement("RECORDS-KEYSTONE", "DISPENSED-READ")
@pytest.mark.parametrize("protocol", ["msc-t1d", "t1dal"])
def test_a_panel_comes_back_with_what_was_dispensed(protocol: str, tmp_path: Path) -> None:
    changes = ("scenario.patients.model=empirical", "scenario.doses.wrong_product=0.2")
    panel = simulate_trial(load_protocol(protocol), load_scenario("no-effect", changes), 3)
    records, allocation = to_records(panel)
    given = dispensed_of(panel)
    assert given is not None and len(given.bags) == len(panel.dispensed) > 0
    path = tmp_path / "dispensed.csv"
    path.write_text(given.to_csv(), "utf-8")
    again = read_dispensed(path, panel.protocol, frozenset(panel.ids))
    assert differences(to_panel(records, allocation, again), panel) == []
    without = to_panel(records, allocation)
    assert dispensed_of(without) is None and "dispensed.product" in differences(without, panel)


@pytest.mark.requirement("DISPENSED-READ")
def test_a_file_without_rows_is_not_the_same_as_no_file(tmp_path: Path) -> None:
    nothing = read_dispensed(written(tmp_path, HEAD), load_protocol("msc-t1d"), PEOPLE)
    rows = dispensed_rows(nothing, ("P1", "P2"))
    assert len(rows) == 0 and rows.columns and not dispensed_rows(None, ("P1", "P2")).columns
    assert rows.columns["product"].dtype.kind == "U" and rows.columns["amount"].dtype == np.float64
