"""allocation.csv: participant, arm, and the slot in the list where it is known; what cannot be is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from equipoise.errors import DataError
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.allocation import Allocation, Slot, read_allocation
from equipoise.source.digest import digest_of_data

STRATA = (
    "protocol.randomisation.strata=[{id: age, label: Age, levels: [{id: child, label: Child, expression: age < 18}, "
    "{id: adult, label: Adult, expression: age >= 18}]}, {id: site, label: Site, recorded: false}]"
)
PEOPLE = frozenset({"A", "B", "C"})


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return load_protocol("msc-t1d", [STRATA])


def read(text: str, folder: Path, protocol: Protocol) -> Allocation:
    path = folder / "allocation.csv"
    path.write_text(text)
    return read_allocation(path, protocol, PEOPLE)


@pytest.mark.requirement("RECORDS-ALLOCATION", "ORDER-SLOTS")
def test_two_columns_have_the_digest_that_they_had(protocol: Protocol, tmp_path: Path) -> None:
    found = read("participant,arm\nB,group-b\nA,group-a\n", tmp_path, protocol)
    assert found.digest == digest_of_data({"A": "group-a", "B": "group-b"})
    assert found.to_csv() == "participant,arm\nA,group-a\nB,group-b\n"


@pytest.mark.requirement("ORDER-SLOTS")
def test_slots_are_written_read_and_in_the_digest(protocol: Protocol, tmp_path: Path) -> None:
    slots = {"A": Slot(2, "child/x", 1, 4), "B": Slot(1, "child/x", 1, 4), "C": Slot(7, "adult/x", 2, 4)}
    made = Allocation.of({"A": "group-a", "B": "group-b", "C": "group-a"}, slots)
    assert made.to_csv().splitlines()[0] == "participant,arm,sequence,stratum,block,block_size"
    again = read(made.to_csv(), tmp_path, protocol)
    assert again == made
    assert again.digest == made.digest
    other = Allocation.of(made.arms, {**slots, "C": Slot(8, "adult/x", 2, 4)})
    assert other.digest != made.digest
    assert Allocation.of(made.arms).digest not in (made.digest, other.digest)


@pytest.mark.requirement("ORDER-SLOTS")
@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("participant,arm,order\nA,group-a,1\n", "allocation-columns"),
        ("arm,participant\ngroup-a,A\n", "allocation-columns"),
        ("participant,arm,sequence,sequence\nA,group-a,1,1\n", "allocation-columns"),
        ("participant,arm,sequence\nA,group-a,0\n", "whole-number"),
        ("participant,arm,sequence\nA,group-a,1.5\n", "whole-number"),
        ("participant,arm,sequence\nA,group-a,1\nB,group-b,\n", "allocation-complete"),
        ("participant,arm,sequence\nA,group-a,1\nB,group-b,1\n", "sequence-once"),
        ("participant,arm,stratum\nA,group-a,child\n", "stratum-known"),
        ("participant,arm,stratum\nA,group-a,old/x\n", "stratum-known"),
        ("participant,arm,block,block_size\nA,group-a,1,2\nB,group-b,1,4\n", "block-size-one"),
        ("participant,arm,block,block_size\nA,group-a,1,2\nB,group-b,1,2\nC,group-a,1,2\n", "block-size-one"),
        ("participant,arm,sequence,block,block_size\nA,group-a,1,1,2\nB,group-b,3,1,2\n", "block-size-one"),
        ("participant,arm,sequence,block\nA,group-a,3,1\nB,group-b,2,2\n", "block-in-order"),
        ("participant,arm\nA,group-a\nA,group-b\n", "key-unique"),
        ("participant,arm\nZ,group-a\n", "participant-known"),
    ],
)
def test_what_cannot_be_is_refused(text: str, rule: str, protocol: Protocol, tmp_path: Path) -> None:
    with pytest.raises(DataError) as refused:
        read(text, tmp_path, protocol)
    assert rule in {problem.rule for problem in refused.value.problems}


@pytest.mark.requirement("ORDER-SLOTS")
def test_one_number_may_be_taken_in_each_stratum(protocol: Protocol, tmp_path: Path) -> None:
    text = "participant,arm,sequence,stratum\nA,group-a,1,child/x\nB,group-b,1,adult/x\n"
    assert read(text, tmp_path, protocol).slots["B"] == Slot(1, "adult/x")


@pytest.mark.requirement("ORDER-SLOTS")
def test_a_trial_without_strata_has_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no strata"):
        read("participant,arm,stratum\nA,group-a,child\n", tmp_path, load_protocol("msc-t1d"))
