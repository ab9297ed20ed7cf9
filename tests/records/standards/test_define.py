"""Define-XML 2.1: valid against the published schema, and true of the datasets that it describes."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import defineutils
import polars as pl
import pytest
import xmlschema

from equipoise.errors import SurroundingsError
from equipoise.records.records import Records
from equipoise.records.standards.define import StudyName, define_xml
from equipoise.records.standards.described import Item, Table, sdtm_tables

pytestmark = pytest.mark.requirement("STANDARDS-DEFINE")

ODM, DEF = "{http://www.cdisc.org/ns/odm/v1.3}", "{http://www.cdisc.org/ns/def/v2.1}"
STUDY = StudyName("msc-t1d", "The model trial")
XSD = Path(defineutils.__file__).parent / "validate" / "schema" / "cdisc-define-2.1" / "define2-1-0.xsd"


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(XSD)


@pytest.fixture(scope="module", params=["SDTM", "ADaM"])
def tables(request: pytest.FixtureRequest, records: Records, analysis: tuple[Table, ...]) -> tuple[Table, ...]:
    return sdtm_tables(records, supplied=False) if request.param == "SDTM" else analysis


@pytest.fixture(scope="module")
def text(tables: tuple[Table, ...]) -> str:
    return define_xml(tables, STUDY)


@pytest.fixture(scope="module")
def root(text: str) -> ET.Element:
    return ET.fromstring(text.encode())


def oids(root: ET.Element, tag: str, attribute: str = "OID") -> list[str]:
    return [element.attrib[attribute] for element in root.iter(ODM + tag) if attribute in element.attrib]


def test_it_is_valid_against_the_published_schema(schema: xmlschema.XMLSchema, text: str) -> None:
    assert [str(error.reason) for error in schema.iter_errors(text)] == []


def test_the_schema_finds_a_spoilt_file(schema: xmlschema.XMLSchema, text: str) -> None:
    assert not schema.is_valid(text.replace('Mandatory="Yes"', 'Mandatory="Perhaps"', 1))


def test_every_dataset_and_variable_is_described_and_no_other(root: ET.Element, tables: tuple[Table, ...]) -> None:
    assert oids(root, "ItemGroupDef") == [table.oid for table in tables]
    assert oids(root, "ItemDef") == [table.item_oid(item.name) for table in tables for item in table.items]
    for table in tables:
        group = next(g for g in root.iter(ODM + "ItemGroupDef") if g.attrib["OID"] == table.oid)
        assert [r.attrib["ItemOID"] for r in group.iter(ODM + "ItemRef")] == [
            table.item_oid(i.name) for i in table.items
        ]
        keyed = {r.attrib["ItemOID"]: int(r.attrib["KeySequence"]) for r in group if "KeySequence" in r.attrib}
        assert keyed == {table.item_oid(name): place for place, name in enumerate(table.keys, 1)}


def test_every_reference_has_its_definition_and_every_definition_is_used(root: ET.Element) -> None:
    for reference, attribute, definition in (
        ("ItemRef", "ItemOID", "ItemDef"),
        ("ItemRef", "MethodOID", "MethodDef"),
        ("CodeListRef", "CodeListOID", "CodeList"),
    ):
        defined = oids(root, definition)
        assert len(set(defined)) == len(defined)
        assert set(oids(root, reference, attribute)) == set(defined)
        assert defined


def test_every_variable_has_an_origin_and_a_derived_one_its_method(root: ET.Element) -> None:
    methods = {r.attrib["ItemOID"] for r in root.iter(ODM + "ItemRef") if "MethodOID" in r.attrib}
    for item in root.iter(ODM + "ItemDef"):
        origins = item.findall(DEF + "Origin")
        assert len(origins) == 1
        assert (origins[0].attrib["Type"] == "Derived") == (item.attrib["OID"] in methods)


def test_the_data_fit_lengths_types_and_code_lists(root: ET.Element, tables: tuple[Table, ...]) -> None:
    items = {item.attrib["OID"]: item for item in root.iter(ODM + "ItemDef")}
    lists = {
        made.attrib["OID"]: {i.attrib["CodedValue"] for i in made.iter(ODM + "CodeListItem")}
        for made in root.iter(ODM + "CodeList")
    }
    for table in tables:
        for item in table.items:
            described, values = items[table.item_oid(item.name)], table.frame[item.name].drop_nulls()
            if described.attrib["DataType"] == "text":
                assert values.dtype == pl.String
                assert (values.str.len_chars() <= int(described.attrib["Length"])).all()
            listed = described.find(ODM + "CodeListRef")
            if listed is not None:
                assert set(values.cast(pl.String)) - {""} <= lists[listed.attrib["CodeListOID"]]


def test_the_keys_make_rows_unique(tables: tuple[Table, ...]) -> None:
    for table in tables:
        assert not table.frame.select(table.keys).is_duplicated().any(), table.name


def test_equal_data_give_equal_bytes(text: str, tables: tuple[Table, ...]) -> None:
    assert define_xml(tables, STUDY) == text


def test_empty_datasets_and_hostile_words_are_described_too(schema: xmlschema.XMLSchema) -> None:
    frame = pl.DataFrame({"A": ["<&\x00\"'"], "XXDTC": ["2024-02"], "XXSTDTC": ["2024-02-03T10:20"], "XXDUR": ["PT5M"]})
    named = tuple(Item(name, "A < B & \x01") for name in frame.columns)
    made = [
        Table("XX", "Text \x02 & more", "SDTM", "One record per row", ("A",), named, frame),
        Table("XY", "Nothing", "SDTM", "One record per row", ("A",), named, frame.head(0)),
    ]
    written = define_xml(made, StudyName("s", "\x00<"))
    assert [str(error.reason) for error in schema.iter_errors(written)] == []
    kinds = {i.attrib["OID"]: i.attrib["DataType"] for i in ET.fromstring(written.encode()).iter(ODM + "ItemDef")}
    assert kinds["IT.XX.XXDTC"] == "partialDate"
    assert kinds["IT.XX.XXSTDTC"] == "incompleteDatetime"
    assert kinds["IT.XX.XXDUR"] == "durationDatetime"
    assert kinds["IT.XY.XXDTC"] == "date"


def test_two_standings_do_not_go_into_one_file(records: Records, analysis: tuple[Table, ...]) -> None:
    with pytest.raises(ValueError, match="SDTM or ADaM"):
        define_xml([*sdtm_tables(records, supplied=False), *analysis], STUDY)
    with pytest.raises(ValueError, match="other"):
        define_xml([t for t in sdtm_tables(records) if t.standing == "other"], STUDY)


def test_without_the_extra_one_line_says_which(monkeypatch: pytest.MonkeyPatch, analysis: tuple[Table, ...]) -> None:
    monkeypatch.setitem(sys.modules, "odmlib.define_2_1", None)
    with pytest.raises(SurroundingsError, match="standards"):
        define_xml(analysis, STUDY)


def test_every_derived_variable_of_ours_says_how(records: Records, analysis: tuple[Table, ...]) -> None:
    for table in (*sdtm_tables(records), *analysis):
        silent = [item.name for item in table.items if item.origin in {"Derived", "Predecessor"} and not item.method]
        assert silent == [], table.name
