"""Define-XML 2.1: the description of datasets that goes with them, made from the same tables that are written.

Source: CDISC, Define-XML specification v2.1 (2019). Datasets, variables, terms, origins and methods come from `Table`;
lengths and data types from the rows. A code list says IsNonStandard: we name no version of CDISC's terminology.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from equipoise.errors import SurroundingsError
from equipoise.records.sdtm.forms import as_text
from equipoise.records.standards.described import FIXED_TIME, Item, Table
from equipoise.records.standards.metadata import CLASSES
from equipoise.records.standards.terms import Terms, terms_of

_STANDARDS = {"SDTM": ("STD.SDTMIG", "SDTMIG", "3.4"), "ADaM": ("STD.ADAMIG", "ADaMIG", "1.3")}
_DECODES = {"TESTCD": "TEST", "PARAMCD": "PARAM"}
_CONTROL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold


@dataclass(frozen=True, slots=True)
class StudyName:
    """The trial at the head of a file: the protocol's id and title."""

    id: str
    title: str


def define_xml(
    tables: Sequence[Table], study: StudyName, *, suffix: str = "xpt", created: datetime = FIXED_TIME
) -> str:
    """The text of define.xml for datasets of one standing, SDTM or ADaM; `suffix` is that of the files it points to.

    Raises ValueError for tables of another standing or of two, SurroundingsError without odmlib.
    """
    standing = {table.standing for table in tables}
    if len(standing) != 1 or not standing <= set(_STANDARDS):
        raise ValueError(f"one Define-XML file describes SDTM or ADaM, not {sorted(standing)}")
    model = _odmlib()
    oid, name, version = _STANDARDS[standing.pop()]
    standard = model.Standard(OID=oid, Name=name, Type="IG", Version=version, Status="Final")
    described = model.MetaDataVersion(
        OID=f"MDV.{study.id}",
        Name=f"{study.id}, {name} {version}",
        DefineVersion="2.1.0",
        Standards=model.Standards(Standard=[standard]),
        ItemGroupDef=[_group(model, table, oid, suffix) for table in tables],
        ItemDef=[_item(model, table, item) for table in tables for item in table.items],
        CodeList=[_list(model, table, item) for table in tables for item in table.items if _words(table, item)],
        MethodDef=[_method(model, table, item) for table in tables for item in table.items if _derived(item)],
    )
    names = model.GlobalVariables(
        StudyName=model.StudyName(_content=_clean(study.id)),
        StudyDescription=model.StudyDescription(_content=_clean(study.title)),
        ProtocolName=model.ProtocolName(_content=_clean(study.id)),
    )
    document = model.ODM(
        FileType="Snapshot",
        FileOID=f"DEF.{study.id}.{name}",
        CreationDateTime=created.isoformat(timespec="seconds"),
        AsOfDateTime=created.isoformat(timespec="seconds"),
        ODMVersion="1.3.2",
        Originator="equipoise",
        SourceSystem="equipoise",
        Context="Other",
        Study=model.Study(OID=f"ST.{study.id}", GlobalVariables=names, MetaDataVersion=described),
    )
    text = document.to_xml_string(xml_declaration=True)
    return text if isinstance(text, str) else text.decode()


def _group(model: Any, table: Table, standard: str, suffix: str) -> Any:
    sponsor = table.standing == "SDTM" and table.name.removeprefix("SUPP")[:1] in "XYZ"
    standing = {"IsNonStandard": "Yes"} if sponsor else {"StandardOID": standard}
    empty = {"HasNoData": "Yes"} if not table.frame.height else {}
    leaf = model.leaf(ID=f"LF.{table.name}", href=f"{table.name.lower()}.{suffix}")
    leaf.title = model.title(_content=f"{table.name.lower()}.{suffix}")
    domain = {"Domain": table.name.removeprefix("SUPP")} if table.standing == "SDTM" else {}
    return model.ItemGroupDef(
        OID=table.oid,
        Name=table.name,
        Repeating="No" if table.structure == "One record per subject" else "Yes",
        IsReferenceData="No",
        SASDatasetName=table.name,
        Purpose="Tabulation" if table.standing == "SDTM" else "Analysis",
        Structure=table.structure,
        ArchiveLocationID=f"LF.{table.name}",
        Description=_described(model, table.label),
        ItemRef=[_reference(model, table, item, number) for number, item in enumerate(table.items, 1)],
        Class=model.Class(Name=_class(table)),
        leaf=leaf,
        **domain,
        **standing,
        **empty,
    )


def _class(table: Table) -> str:
    if table.name.startswith("SUPP"):
        return "RELATIONSHIP"
    return CLASSES.get(table.name, "FINDINGS" if f"{table.name}TESTCD" in table.frame.columns else _other(table))


def _other(table: Table) -> str:
    if table.standing == "ADaM":
        return "ADAM OTHER"
    return "INTERVENTIONS" if f"{table.name}TRT" in table.frame.columns else "EVENTS"


def _reference(model: Any, table: Table, item: Item, number: int) -> Any:
    key = {"KeySequence": table.keys.index(item.name) + 1} if item.name in table.keys else {}
    method = {"MethodOID": _oid("MT", table, item)} if _derived(item) else {}
    # A key that may be empty (the IDVAR of a qualifier of DM) is no mandatory variable.
    mandatory = "Yes" if key and not table.frame[item.name].null_count() else "No"
    return model.ItemRef(ItemOID=table.item_oid(item.name), OrderNumber=number, Mandatory=mandatory, **key, **method)


def _item(model: Any, table: Table, item: Item) -> Any:
    kind, size = _kind(table.frame[item.name])
    words = {"CodeListRef": model.CodeListRef(CodeListOID=_oid("CL", table, item))} if _words(table, item) else {}
    origin = model.Origin(Type=item.origin)
    if item.origin == "Predecessor":
        origin.Description = _described(model, item.method)
    else:
        origin.Source = "Sponsor" if item.origin in {"Derived", "Assigned"} else "Investigator"
    return model.ItemDef(
        OID=table.item_oid(item.name),
        Name=item.name,
        SASFieldName=item.name,
        DataType=kind,
        Description=_described(model, item.label),
        Origin=[origin],
        **size,
        **words,
    )


def _kind(values: pl.Series) -> tuple[str, dict[str, int]]:
    """The data type and lengths: of texts in characters, of numbers in digits."""
    if values.name.endswith("DTC"):
        texts = values.drop_nulls()
        if texts.str.contains("T", literal=True).any():
            return "incompleteDatetime", {}
        return ("partialDate" if (texts.str.len_chars() < 10).any() else "date"), {}
    if values.name.endswith("DUR"):
        return "durationDatetime", {}
    texts = as_text(values).drop_nulls()
    size = max(1, *texts.str.len_chars().to_list(), 1)
    if values.dtype == pl.Float64:
        decimals = [len(text.split("e")[0].partition(".")[2]) for text in texts.to_list()]
        return "float", {"Length": size, "SignificantDigits": max([0, *decimals])}
    return ("integer" if values.dtype == pl.Int64 else "text"), {"Length": size}


def _words(table: Table, item: Item) -> Terms | None:
    """The terms of a variable: listed ones, with the words that the data add to an open list; or codes with decodes."""
    decoded = next((b for a, b in _DECODES.items() if item.name.endswith(a)), None)
    values = table.frame[item.name]
    if decoded is not None:
        beside = item.name.removesuffix("CD") if decoded == "PARAM" else f"{item.name[:2]}TEST"
        pairs = table.frame.select(item.name, beside).drop_nulls().unique(maintain_order=True).rows()
        return Terms(item.label, dict(pairs)) if pairs else None
    found = terms_of(item.name, table.name, analysis=table.standing == "ADaM")
    if found is None:
        return None
    used = as_text(values).drop_nulls().unique(maintain_order=True).to_list()
    others = {} if found.closed else {word: word for word in used if word and word not in found.words}
    return Terms(found.name, {**found.words, **others}, found.closed)


def _list(model: Any, table: Table, item: Item) -> Any:
    words = _words(table, item)
    assert words is not None
    items = [
        model.CodeListItem(
            CodedValue=_clean(code), OrderNumber=number, Decode=model.Decode(TranslatedText=[_text(model, meaning)])
        )
        for number, (code, meaning) in enumerate(words.words.items(), 1)
    ]
    return model.CodeList(
        OID=_oid("CL", table, item),
        Name=f"{words.name} ({table.name}.{item.name})",
        DataType="integer" if table.frame[item.name].dtype == pl.Int64 else "text",
        IsNonStandard="Yes",
        CodeListItem=items,
    )


def _method(model: Any, table: Table, item: Item) -> Any:
    text = item.method or f"{item.label}."
    name = f"Algorithm of {table.name}.{item.name}"
    return model.MethodDef(
        OID=_oid("MT", table, item), Name=name, Type="Computation", Description=_described(model, text)
    )


def _derived(item: Item) -> bool:
    return item.origin == "Derived"


def _oid(prefix: str, table: Table, item: Item) -> str:
    return f"{prefix}.{table.name}.{item.name}"


def _described(model: Any, text: str) -> Any:
    return model.Description(TranslatedText=[_text(model, text)])


def _text(model: Any, text: str) -> Any:
    return model.TranslatedText(_content=_clean(text), lang="en")


def _clean(text: str) -> str:
    """Text that XML can hold; a character that it cannot becomes the sign for one that is unknown."""
    return _CONTROL.sub("\ufffd", text) or " "


def _odmlib() -> Any:
    try:
        from odmlib.define_2_1 import model
    except ImportError:
        message = "Define-XML needs the extra `standards` (odmlib): install equipoise[standards]"
        raise SurroundingsError(message) from None
    return model
