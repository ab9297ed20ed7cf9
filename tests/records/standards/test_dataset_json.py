"""Dataset-JSON 1.1: the published keys, and the same frame back, bit for bit."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from equipoise.errors import DataError
from equipoise.records.records import Records
from equipoise.records.standards.back import records_from_dataset_json
from equipoise.records.standards.dataset_json import to_dataset_json
from equipoise.records.standards.dataset_json_reading import read_dataset_json
from equipoise.records.standards.described import Item, Table

pytestmark = pytest.mark.requirement("STANDARDS-JSON")

TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
TYPES = ["string", "integer", "decimal", "float", "double", "boolean", "datetime", "date", "time", "URI"]
TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?$"}
# What the specification of version 1.1 says about keys, in our words.
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "datasetJSONCreationDateTime",
        "datasetJSONVersion",
        "itemGroupOID",
        "records",
        "name",
        "label",
        "columns",
    ],
    "properties": {
        "datasetJSONCreationDateTime": TIME,
        "dbLastModifiedDateTime": TIME,
        "datasetJSONVersion": {"type": "string", "pattern": r"^1\.1(\.\d+)?$"},
        **dict.fromkeys(
            ("fileOID", "originator", "studyOID", "metaDataVersionOID", "metaDataRef", "itemGroupOID", "name", "label"),
            TEXT,
        ),
        "isReferenceData": {"type": "boolean"},
        "sourceSystem": {"type": "object", "required": ["name", "version"]},
        "records": WHOLE | {"minimum": 0},
        "columns": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["itemOID", "name", "label", "dataType"],
                "properties": {
                    **dict.fromkeys(("itemOID", "name", "label", "displayFormat"), TEXT),
                    "dataType": {"enum": TYPES},
                    "targetDataType": {"enum": ["integer", "decimal"]},
                    **dict.fromkeys(("length", "keySequence"), WHOLE | {"minimum": 1}),
                },
            },
        },
        "rows": {
            "type": "array",
            "items": {"type": "array", "items": {"type": ["string", "number", "boolean", "null"]}},
        },
    },
}


def table(frame: pl.DataFrame, name: str = "XX") -> Table:
    return Table(name, "Made here", "other", "", (), tuple(Item(n, n.title()) for n in frame.columns), frame)


def there_and_back(made: Table) -> Table:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.json"
        path.write_bytes(to_dataset_json(made, "study").encode())
        return read_dataset_json(path)


def refused(path: Path) -> set[str]:
    with pytest.raises(DataError) as error:
        read_dataset_json(path)
    return {problem.rule for problem in error.value.problems}


def test_every_dataset_has_the_published_keys_and_comes_back_equal(
    tabulation: tuple[Table, ...], analysis: tuple[Table, ...]
) -> None:
    for made in (*tabulation, *analysis):
        Draft202012Validator(SCHEMA).validate(json.loads(to_dataset_json(made, "msc-t1d")))
        back = there_and_back(made)
        assert back.frame.schema == made.frame.schema
        assert back.frame.equals(made.frame)
        assert (back.name, back.label, back.keys) == (made.name, made.label, made.keys)
        assert [(i.name, i.label, i.data_type) for i in back.items] == [
            (i.name, i.label, i.data_type) for i in made.items
        ]


def test_the_records_come_back_with_the_same_digest(
    records: Records, tabulation: tuple[Table, ...], analysis: tuple[Table, ...], tmp_path: Path
) -> None:
    for made in (*tabulation, *analysis):
        (tmp_path / f"{made.name.lower()}.json").write_bytes(to_dataset_json(made, "msc-t1d").encode())
    assert records_from_dataset_json(tmp_path, records.protocol).digest == records.digest


def test_a_folder_without_datasets_is_refused(records: Records, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="file-exists"):
        records_from_dataset_json(tmp_path, records.protocol)


def test_all_damaged_files_are_told_at_once(records: Records, tmp_path: Path) -> None:
    for name in ("dm", "lb"):
        (tmp_path / f"{name}.json").write_text("{")
    with pytest.raises(DataError) as error:
        records_from_dataset_json(tmp_path, records.protocol)
    assert [problem.file for problem in error.value.problems] == ["dm.json", "lb.json"]


@given(
    texts=st.lists(st.none() | st.text(max_size=5), min_size=3, max_size=3),
    wholes=st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3),
    reals=st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3),
    truths=st.lists(st.none() | st.booleans(), min_size=3, max_size=3),
)
def test_whatever_a_cell_holds_comes_back(texts: list, wholes: list, reals: list, truths: list) -> None:
    frame = pl.DataFrame(
        {"T": texts, "W": wholes, "R": reals, "B": truths},
        schema={"T": pl.String, "W": pl.Int64, "R": pl.Float64, "B": pl.Boolean},
    )
    back = there_and_back(table(frame)).frame
    assert back.schema == frame.schema
    assert back.equals(frame)
    signs = [None if v is None else math.copysign(1, v) for v in reals]
    assert [None if v is None else math.copysign(1, v) for v in back["R"]] == signs


def test_equal_data_give_equal_bytes(tabulation: tuple[Table, ...]) -> None:
    assert to_dataset_json(tabulation[0], "a") == to_dataset_json(tabulation[0], "a")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_json_cannot_say_is_refused_with_its_row(value: float) -> None:
    with pytest.raises(DataError) as error:
        to_dataset_json(table(pl.DataFrame({"R": [1.0, value, value]})), "study")
    assert [(p.rule, p.line, p.path) for p in error.value.problems] == [
        ("json-finite", 2, "R"),
        ("json-finite", 3, "R"),
    ]


def test_a_column_of_another_type_is_refused() -> None:
    with pytest.raises(DataError, match="json-type"):
        to_dataset_json(table(pl.DataFrame({"L": [[1, 2]]})), "study")


SPOILT = {
    "json-key": lambda d: d.pop("itemGroupOID"),
    "json-version": lambda d: d.update(datasetJSONVersion="1.0.0"),
    "json-records": lambda d: d["rows"].pop(),
    "json-row": lambda d: d["rows"][0].pop(),
    "json-cell": lambda d: d["rows"][0].__setitem__(1, "seven"),
    "json-type": lambda d: d["columns"][0].update(dataType="complex"),
    "json-columns": lambda d: d["columns"][1].update(name="A"),
}


@pytest.mark.parametrize("rule", SPOILT)
def test_a_spoilt_file_is_refused_by_its_rule(rule: str, tmp_path: Path) -> None:
    document = json.loads(to_dataset_json(table(pl.DataFrame({"A": ["x", None], "N": [1, 2]})), "study"))
    SPOILT[rule](document)
    path = tmp_path / "x.json"
    path.write_text(json.dumps(document))
    assert rule in refused(path)


@pytest.mark.parametrize(("text", "rule"), [("{", "json-readable"), ("[]", "json-object"), ("\xff", "json-readable")])
def test_what_is_no_document_is_refused(text: str, rule: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(text.encode("latin-1"))
    assert refused(path) == {rule}
    assert refused(tmp_path / "absent.json") == {"json-readable"}


def test_a_true_where_a_number_belongs_is_refused(tmp_path: Path) -> None:
    document = json.loads(to_dataset_json(table(pl.DataFrame({"N": [1]})), "study"))
    document["rows"][0][0] = True
    (tmp_path / "x.json").write_text(json.dumps(document))
    assert refused(tmp_path / "x.json") == {"json-cell"}
