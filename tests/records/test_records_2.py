"""Records of version 2: a tree of digests, masked copies proved parts, what was asked for, and folders of version 1."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import IO

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equipoise.errors import DataError, IntegrityError
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.classes import BY_NAME
from equipoise.records.digests import digest_of_version_1, digests_of_parts
from equipoise.records.folder import read_records, write_records
from equipoise.records.from_panel import to_records
from equipoise.records.importing.apply import import_files
from equipoise.records.importing.map import find_map, load_map
from equipoise.records.masked import masked_copy, proved_part
from equipoise.records.records import Records
from equipoise.records.standards.back import read_datasets
from equipoise.verbs.exporting import export
from tests.records.panels import make_panel, panels

EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"
T1DAL_VERSION_1 = "sha256:9f214671bad481c5e784fa21233f13c77fa4aab8509c1b117894ba68ff40b25f"
SLOW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return load_protocol("msc-t1d")


@pytest.fixture(scope="module")
def records(protocol: Protocol) -> Records:
    found, _ = to_records(make_panel(protocol, 4, seed=7, missing=0.1, awkward=False))
    assert found.lots.height
    assert found.events.height
    return found


def written(records: Records, folder: Path) -> Path:
    def write(name: str, writer: Callable[[IO[bytes]], object]) -> None:
        stream = io.BytesIO()
        writer(stream)
        (folder / name).write_bytes(stream.getvalue())

    folder.mkdir(exist_ok=True)
    write_records(records, write)
    return folder


# ---- The tree ----


@pytest.mark.requirement("RECORDS-TREE")
def test_each_part_has_its_digest_and_the_root_covers_them(records: Records) -> None:
    visits = set(records.findings.select("assessment", "visit").iter_rows())
    expected = {f"findings/{assessment}/{visit}" for assessment, visit in visits}
    expected |= {"participants", "visits", "supplied"}
    for name in ("events", "interventions", "lots"):
        table = records.tables[name]
        expected |= {f"{name}/{column}" for column in table.columns if table[column].null_count() < table.height}
    assert set(records.parts) - {"collected"} == expected
    changed = records.findings.with_row_index("row").with_columns(
        reason=pl.when(pl.col("row") == 0).then(pl.lit("another")).otherwise("reason")
    )
    other = Records.of(records.protocol, {**records.tables, "findings": changed.drop("row")})
    first = records.findings.row(0, named=True)
    differing = {name for name in records.parts if name != "collected" and records.parts[name] != other.parts[name]}
    assert differing == {f"findings/{first['assessment']}/{first['visit']}"}
    assert other.digest != records.digest


@pytest.mark.requirement("RECORDS-TREE")
def test_an_empty_column_and_a_table_without_rows_change_no_digest(records: Records) -> None:
    wider = {name: table.with_columns(later=pl.lit(None, pl.Int32)) for name, table in records.tables.items()}
    wider["consents"] = pl.DataFrame(schema={"participant": pl.String})
    assert digests_of_parts(wider, records.collected) == dict(records.parts)
    filled = {**wider, "lots": wider["lots"].with_columns(later=pl.lit(1, pl.Int32))}
    more = digests_of_parts(filled, records.collected)
    assert set(more) - set(records.parts) == {"lots/later"}
    assert {name: more[name] for name in records.parts} == dict(records.parts)


@pytest.mark.requirement("RECORDS-TREE")
@given(data=st.data())
@SLOW
def test_no_part_depends_on_the_arms(protocol: Protocol, data: st.DataObject) -> None:
    panel = data.draw(panels(protocol))
    whole, _ = to_records(panel)
    panel.arm[:] = -1
    assert to_records(panel)[0].parts == whole.parts


@pytest.mark.requirement("RECORDS-TREE", "RECORDS-FOLDER")
def test_a_changed_part_or_manifest_is_found(records: Records, tmp_path: Path) -> None:
    folder = written(records, tmp_path / "records")
    manifest = json.loads((folder / "records.json").read_text())
    assert manifest["schema"] == "equipoise/records/2"
    assert manifest["parts"] == dict(records.parts)
    assert read_records(folder, records.protocol).digest == records.digest == manifest["digest"]
    manifest["parts"]["participants"] = manifest["parts"]["visits"]
    (folder / "records.json").write_text(json.dumps(manifest))
    with pytest.raises(IntegrityError, match="participants"):
        read_records(folder, records.protocol)


# ---- What was asked for ----


@pytest.mark.requirement("RECORDS-COLLECTED")
def test_none_is_told_from_not_recorded(records: Records, tmp_path: Path) -> None:
    tables = {**records.tables, "events": records.events.clear()}
    silent, asked = (
        Records.of(records.protocol, tables),
        Records.of(records.protocol, tables, collected=["hypoglycaemia"]),
    )
    assert "hypoglycaemia" not in silent.collected
    assert asked.silent == ("hypoglycaemia",)
    assert asked.digest != silent.digest
    again = read_records(written(asked, tmp_path / "records"), records.protocol)
    assert (again.collected, again.digest) == (asked.collected, asked.digest)
    with pytest.raises(DataError, match="assessment-known"):
        Records.of(records.protocol, tables, collected=["nothing"])


@pytest.mark.requirement("RECORDS-COLLECTED", "RECORDS-SDTM")
@pytest.mark.parametrize("kind", ["csv", "parquet", "xpt", "dataset-json"])
def test_what_was_asked_for_and_days_of_entry_survive_export(kind: str, tmp_path: Path) -> None:
    protocol = load_protocol(EXAMPLE / "protocol.yaml")
    records = import_files(protocol, load_map(EXAMPLE / "map.yaml"), EXAMPLE / "data").records
    people = records.participants.with_columns(entry_day=pl.int_range(0, pl.len(), dtype=pl.Int32) * 30)
    tables = {**records.tables, "participants": people, "events": records.events.clear()}
    records = Records.of(protocol, tables, collected=["adverse-events"])
    written(records, tmp_path / "records")
    export(EXAMPLE / "protocol.yaml", tmp_path / "records", tmp_path / "out", kind=kind)
    again = read_datasets(tmp_path / "out", protocol)
    assert again.silent == ("adverse-events",)
    assert again.participants["entry_day"].max() == 30 * (people.height - 1)
    assert again.digest == records.digest


# ---- Masked copies ----

WITHHELD = ("lots", "events/term", "events/grade", "participants/reason", "findings/treg/dose-1", "findings/reason")


@pytest.mark.requirement("RECORDS-PART")
def test_a_masked_copy_is_proved_a_part_and_holds_no_digest_of_what_it_lacks(records: Records, tmp_path: Path) -> None:
    copy = masked_copy(records, WITHHELD)
    assert copy.lots.height == 0
    assert set(copy.events["term"]) <= {"withheld"}
    assert copy.digest != records.digest
    again = read_records(written(copy, tmp_path / "copy"), records.protocol)
    assert again.digest == copy.digest
    assert set(again.lacks) == set(WITHHELD)
    assert "visits" in proved_part(again, records)
    manifest = (tmp_path / "copy" / "records.json").read_text()
    hidden = {name: digest for name, digest in records.parts.items() if copy.parts.get(name) != digest}
    assert {"lots/lot", "events/term", "events/grade", "participants", "findings/treg/dose-1"} <= set(hidden)
    assert not any(digest in manifest for digest in [records.digest, *hidden.values()])


@pytest.mark.requirement("RECORDS-PART")
def test_a_copy_that_differs_or_lacks_more_than_it_says_is_none(records: Records) -> None:
    copy = masked_copy(records, WITHHELD)
    forged = copy.visits.with_row_index("row").with_columns(
        day=pl.when(pl.col("row") == 0).then(pl.lit(7, pl.Int32)).otherwise("day")
    )
    other = Records.of(copy.protocol, {**copy.tables, "visits": forged.drop("row")}, lacks=copy.lacks)
    with pytest.raises(IntegrityError, match="'visits' is not the whole's"):
        proved_part(other, records)
    less = masked_copy(records, [*WITHHELD, "supplied"])
    unsaid = Records.of(copy.protocol, less.tables, collected=copy.collected, lacks=copy.lacks)
    with pytest.raises(IntegrityError, match="'supplied' is not in the copy"):
        proved_part(unsaid, records)


@pytest.mark.requirement("RECORDS-PART")
def test_what_a_copy_lacks_changes_nothing_of_it(records: Records) -> None:
    """Two trials that differ only in what is withheld have the same copy, to the digest."""
    findings = records.findings.with_columns(
        value=pl.when((pl.col("assessment") == "treg") & (pl.col("visit") == "dose-1")).then(1.0).otherwise("value"),
        censored=pl.when(pl.col("assessment") == "treg").then(None).otherwise("censored"),
        status=pl.when(pl.col("assessment") == "treg").then(pl.lit("done")).otherwise("status"),
    ).filter((pl.col("assessment") != "treg") | (pl.col("visit") == "dose-1"))
    one, two = (
        Records.of(records.protocol, {**records.tables, "findings": findings, "lots": lots})
        for lots in (records.lots, records.lots.head(1))
    )
    assert masked_copy(one, ["lots"]).digest == masked_copy(two, ["lots"]).digest
    hidden = ["lots", "findings/treg/dose-1"]
    other = findings.with_columns(value=pl.when(pl.col("assessment") == "treg").then(2.0).otherwise("value"))
    three = Records.of(records.protocol, {**records.tables, "findings": other})
    assert masked_copy(one, hidden).digest == masked_copy(three, hidden).digest


@pytest.mark.requirement("RECORDS-PART")
@pytest.mark.parametrize(
    "name",
    ["nothing", "participants", "lots/nothing", "events/sequence", "visits/status", "findings/a/b/c", "visits/a/b"],
)
def test_a_name_that_means_nothing_is_refused(records: Records, name: str) -> None:
    with pytest.raises(ValueError, match=r"no part|cannot be read|no column"):
        masked_copy(records, [name])


@pytest.mark.requirement("RECORDS-PART")
def test_unscheduled_rows_are_withheld_by_day(records: Records) -> None:
    rows = records.findings.filter(pl.col("assessment") == "treg").head(2)
    rows = rows.with_columns(visit=pl.lit("unscheduled"), day=pl.Series([1, 2], dtype=pl.Int32))
    rows = rows.with_columns(sequence=pl.Series([71, 72], dtype=pl.Int32))
    more = Records.of(records.protocol, {**records.tables, "findings": pl.concat([records.findings, rows])})
    copy = masked_copy(more, ["findings/treg/unscheduled/2"])
    left = copy.findings.filter((pl.col("assessment") == "treg") & (pl.col("visit") == "unscheduled"))
    assert left["day"].to_list() == [1]
    assert "visits" in proved_part(copy, more)


# ---- Version 1 ----


@pytest.mark.requirement("RECORDS-VERSION-1")
def test_a_folder_of_version_1_is_verified_by_its_own_rule_and_stays_one(records: Records, tmp_path: Path) -> None:
    """Made as the program wrote it before: tables without later columns, and one digest over whole tables."""
    folder = tmp_path / "old"
    folder.mkdir()
    for name, table in records.tables.items():
        table.select(BY_NAME[name].columns_of(1)).write_parquet(folder / f"{name}.parquet")
    manifest = {
        "schema": "equipoise/records/1",
        "protocol": {"id": records.protocol.id},
        "digest": digest_of_version_1(records.tables),
    }
    (folder / "records.json").write_text(json.dumps(manifest))
    old = read_records(folder, records.protocol)
    assert (old.version, old.digest, dict(old.parts)) == (1, manifest["digest"], {})
    assert old.participants["entry_day"].null_count() == old.participants.height
    again = json.loads((written(old, tmp_path / "again") / "records.json").read_text())
    assert (again["schema"], again["digest"]) == ("equipoise/records/1", manifest["digest"])
    assert "entry_day" not in pl.read_parquet(tmp_path / "again" / "participants.parquet").columns
    records.participants.write_parquet(folder / "participants.parquet")
    with pytest.raises(DataError, match="entry_day"):
        read_records(folder, records.protocol)


@pytest.mark.requirement("RECORDS-VERSION-1")
def test_the_digest_of_version_1_is_what_it_was(t1dal: Path) -> None:
    """The digest that the release before printed for the public trial."""
    tables = import_files(load_protocol("t1dal"), load_map(find_map("t1dal", None)), t1dal).records.tables
    assert digest_of_version_1(tables) == T1DAL_VERSION_1
