"""SDTM at the edge: what is written is SDTM, what is read back are the same records, and nothing else is accepted."""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equipoise.analysis.analyse import analyse_records
from equipoise.analysis.results import to_json
from equipoise.errors import DataError
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.classes import BY_NAME, CLASSES
from equipoise.records.from_panel import to_records
from equipoise.records.from_records import to_panel
from equipoise.records.importing.apply import import_files
from equipoise.records.importing.map import find_map, load_map
from equipoise.records.panel import differences
from equipoise.records.records import Records
from equipoise.records.sdtm import read_sdtm, write_sdtm
from equipoise.records.sdtm.design import DESIGN
from equipoise.records.sdtm.forms import DURATION, STUDY_DAY, Context
from equipoise.records.sdtm.parts import Derived, Part
from equipoise.records.sdtm.variables import PARTS
from tests.records.panels import AWKWARD, WORDS, panels

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "small-trial"
KINDS = ("parquet", "csv")
pytestmark = pytest.mark.requirement("RECORDS-SDTM")


def written(records: Records, folder: Path, kind: str) -> Path:
    """The folder, with the records in it as SDTM."""

    def write(name: str, writer: Callable[[IO[bytes]], object]) -> None:
        stream = io.BytesIO()
        writer(stream)
        (folder / name).write_bytes(stream.getvalue())

    folder.mkdir(exist_ok=True)
    write_sdtm(records, write, kind)
    return folder


def there_and_back(records: Records, kind: str) -> Records:
    with tempfile.TemporaryDirectory() as folder:
        return read_sdtm(written(records, Path(folder), kind), records.protocol)


def imported(protocol: Protocol) -> Records:
    return import_files(protocol, load_map(EXAMPLE / "map.yaml"), EXAMPLE / "data").records


@pytest.fixture(scope="module")
def small_records() -> Records:
    return imported(load_protocol(EXAMPLE / "protocol.yaml"))


@pytest.fixture(scope="module")
def t1dal_records(t1dal: Path) -> Records:
    return import_files(load_protocol("t1dal"), load_map(find_map("t1dal", None)), t1dal).records


@pytest.fixture(scope="module")
def model_trial() -> Protocol:
    return load_protocol("msc-t1d")


@pytest.fixture(scope="module")
def every_class(tmp_path_factory: pytest.TempPathFactory) -> Protocol:
    """The small protocol with assessments of every class, two of them with one domain and time points."""
    return with_assessments(
        Path(shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("every") / "small")),
        "{id: meal, label: Meal test, class: findings, domain: LB, visits: [baseline], minutes: [-10, 0, 120],"
        " tests: [{id: cpeptide, label: C-peptide, code: CPEPTIDE, unit: nmol/L}]}",
        "{id: low-glucose, label: Hypoglycaemia, class: events, domain: CE}",
        "{id: tablets, label: Tablets, class: interventions, domain: EX}",
    )


def with_assessments(folder: Path, *lines: str) -> Protocol:
    """The small protocol with more assessments."""
    path = folder / "protocol.yaml"
    more = "".join(f"  - {line}\n" for line in lines)
    path.write_text(path.read_text().replace("parameters:\n", f"{more}parameters:\n", 1))
    return load_protocol(path)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


# ---- There and back ----


def test_the_real_trial_comes_back_the_same(t1dal_records: Records, kind: str) -> None:
    again = there_and_back(t1dal_records, kind)
    assert again.digest == t1dal_records.digest
    assert again.warnings == t1dal_records.warnings
    assert differences(to_panel(t1dal_records), to_panel(again)) == []


def test_the_small_example_comes_back_the_same(small_records: Records, kind: str) -> None:
    assert there_and_back(small_records, kind).digest == small_records.digest


def test_the_results_of_the_small_example_stay_the_same(small_records: Records, kind: str) -> None:
    allocation = import_files(small_records.protocol, load_map(EXAMPLE / "map.yaml"), EXAMPLE / "data").allocation
    before, after = (
        analyse_records(records, allocation, software={})
        for records in (small_records, there_and_back(small_records, kind))
    )
    assert len(before.results.results) == 2
    assert to_json(after.results) == to_json(before.results)


def test_records_without_rows_come_back(every_class: Protocol, kind: str) -> None:
    empty = Records.of(every_class, {})
    assert there_and_back(empty, kind).digest == empty.digest


@given(data=st.data())
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
def test_random_panels_come_back_the_same(model_trial: Protocol, data: st.DataObject) -> None:
    panel = data.draw(panels(model_trial))
    records, allocation = to_records(panel)
    again = there_and_back(records, data.draw(st.sampled_from(KINDS)))
    assert again.digest == records.digest
    assert to_panel(again, allocation) == panel


HOSTILE = (*WORDS, "", " ", "\r\n", "\n", '"', '""', ",", "'", "null", "None", "NA", "-0.0", "\x00", "\ufeff", "\u2028")
TEXTS = st.sampled_from(HOSTILE) | st.text(max_size=6)
NAMED = TEXTS.map(lambda text: text + "x")  # where a blank text would be refused
NUMBERS = st.sampled_from(AWKWARD.tolist()) | st.floats(allow_nan=False, allow_infinity=False)
WIDE = st.sampled_from([-(2**31), 2**31 - 1, -1, 0, 1]) | st.integers(-900, 900)
DATES = ("2022-03-09", "2022-03", "2022")
BY_KIND = {pl.String: TEXTS, pl.Float64: NUMBERS, pl.Int32: WIDE, pl.Boolean: st.booleans()}


def perhaps(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | strategy


@st.composite
def table(draw: st.DrawFn, name: str, people: list[str], given_columns: Callable[[st.DrawFn], dict]) -> pl.DataFrame:
    """A table of up to six rows: some columns from `given_columns`, in the others whatever their type allows."""
    item = BY_NAME[name]
    rows: dict[tuple, dict] = {}
    for number in range(draw(st.integers(0, 6))):
        row: dict = {"participant": draw(st.sampled_from(people)), "sequence": number + 1} | given_columns(draw)
        for column in item.columns:
            if column.name not in row:
                words = DATES if column.name == "date" else column.words
                whatever = st.sampled_from(words) if words else BY_KIND[column.kind]
                row[column.name] = draw(
                    (NAMED if column.kind is pl.String and not column.words else whatever)
                    if column.required
                    else perhaps(whatever)
                )
        rows[tuple(row[name] for name in item.key)] = {name: row[name] for name in item.schema}
    return pl.DataFrame(list(rows.values()), schema=item.schema)


def chosen(protocol: Protocol, kind: str) -> Callable[[st.DrawFn], dict]:
    """Assessment, domain and what hangs together with them."""

    def draw_some(draw: st.DrawFn) -> dict:
        assessment = draw(st.sampled_from([a for a in protocol.assessments if a.observation_class == kind]))
        row = {"assessment": assessment.id, "domain": assessment.domain}
        if kind == "events":
            row |= draw(st.sampled_from([{"start_day": -1, "end_day": 0}, {"start_day": 0, "end_day": None}]))
        if kind == "findings":
            test = draw(st.sampled_from(assessment.tests))
            done = draw(st.booleans())
            value = draw(perhaps(NUMBERS)) if done else None
            row |= {
                "test": test.id,
                "unit": test.unit,
                "visit": draw(st.sampled_from([*(v.id for v in protocol.visits), "unscheduled"])),
                "status": "done" if done else "not-done",
                "value": value,
                "censored": None if value is None else draw(st.sampled_from([None, "left", "right"])),
                "original": draw(NAMED if done and value is None else perhaps(TEXTS)),
            }
        return row

    return draw_some


@st.composite
def hostile_records(draw: st.DrawFn, protocol: Protocol) -> Records:
    """Records of every class, filled with all that the checks let pass."""
    people = draw(st.lists(NAMED, min_size=1, max_size=3, unique=True))
    visits = [visit.id for visit in protocol.visits]
    parameters = {p.id: p.unit for p in protocol.parameters}

    def supplied(draw: st.DrawFn) -> dict:
        parameter = draw(st.sampled_from(sorted(parameters)))
        return {"parameter": parameter, "unit": parameters[parameter], "visit": draw(st.sampled_from(visits))}

    def of_visit(draw: st.DrawFn) -> dict:
        under = draw(st.sampled_from([None, protocol.digest]))
        return {"visit": draw(st.sampled_from([*visits, "unscheduled"])), "protocol": under}

    persons = draw(
        table(
            "participants",
            people,
            lambda draw: {
                "age_years": draw(perhaps(st.floats(0, 120))),
                "consent_day": None,  # a procedure may come on any day
                "allocation_day": draw(st.sampled_from([None, -1, 0, 1])),
                "first_dose_day": draw(st.sampled_from([None, 1, 2**31 - 1])),
                "entry_day": draw(st.sampled_from([None, 0])),
            },
        )
    )
    known = persons["participant"].to_list()
    if not known:
        return Records.of(protocol, {})
    tables = {
        "participants": persons,
        "visits": draw(table("visits", known, of_visit)),
        **{name: draw(table(name, known, chosen(protocol, name))) for name in ("findings", "events", "interventions")},
        "lots": draw(table("lots", known, lambda draw: {})),
        "supplied": draw(table("supplied", known, supplied)),
    }
    return Records.of(protocol, tables)


@pytest.mark.parametrize("file_kind", KINDS)
@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_hostile_texts_and_numbers_come_back_the_same(
    every_class: Protocol, file_kind: str, data: st.DataObject
) -> None:
    records = data.draw(hostile_records(every_class))
    assert there_and_back(records, file_kind).digest == records.digest


def test_consent_and_allocation_come_back_from_the_disposition(small_records: Records, kind: str) -> None:
    days = {"consent_day": [None, -1, *[-3] * 10], "allocation_day": [0, None, *[-2] * 10]}
    people = small_records.participants.with_columns(pl.Series(n, d, dtype=pl.Int32) for n, d in days.items())
    records = Records.of(small_records.protocol, {**small_records.tables, "participants": people})
    assert there_and_back(records, kind).digest == records.digest


# ---- What is written ----


def rows_of(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_small_example_reads_as_sdtm(small_records: Records, tmp_path: Path) -> None:
    folder = written(small_records, tmp_path, "csv")
    with_qualifiers = ("dm", "ds", "sv", "xl", "lb", "ae")
    assert sorted(path.stem for path in folder.iterdir()) == sorted(
        [*with_qualifiers, *(f"supp{name}" for name in with_qualifiers), "supplied", "ta", "te", "tv", "ti", "ts"]
    )
    assert (folder / "dm.csv").read_text().splitlines()[:2] == [
        "STUDYID,DOMAIN,USUBJID,SUBJID,SITEID,AGE,AGEU,SEX",
        '"small-trial","DM","small-trial-INV-01","INV-01",,24.0,"YEARS","F"',
    ]
    event = rows_of(folder, "ae.csv")[0]
    assert event["AETERM"] == "Headache" and event["AESER"] == "N" and event["AETOXGR"] == "1"
    assert event["AESTDY"] == "3" and event["AESEQ"] == event["AESPID"] == "1"
    assert small_records.events["start_day"][0] == 2
    results = [(row["USUBJID"], int(row["LBSEQ"])) for row in rows_of(folder, "lb.csv")]
    subjects = [subject for subject, _ in results]
    assert results == [(s, subjects[: i + 1].count(s)) for i, s in enumerate(subjects)]


def test_results_agree_with_our_values(t1dal_records: Records, tmp_path: Path) -> None:
    rows = rows_of(written(t1dal_records, tmp_path, "csv"), "lb.csv")
    ours = t1dal_records.findings.filter(pl.col("domain") == "LB").to_dicts()
    assert len(rows) == len(ours) > 4000
    for row, our in zip(rows, ours, strict=True):
        assert row["LBORRES"] == (our["original"] or "") and row["LBORRESU"] == our["original_unit"]
        exact = our["value"] if our["censored"] is None else None
        assert (float(row["LBSTRESN"]) if row["LBSTRESN"] else None) == exact
        if our["censored"] == "left":
            assert row["LBSTRESC"] == f"<{our['value']!r}" and float(row["LBLLOQ"]) == our["value"]
        elif our["value"] is not None:
            assert float(row["LBSTRESC"]) == float(row["LBSTRESN"])
            factor = 0.331 if our["test"] == "cpeptide" else 1.0
            assert float(row["LBORRES"]) * factor == pytest.approx(our["value"], rel=1e-12)
        else:
            assert row["LBSTAT"] == "NOT DONE" and row["LBSTRESC"] == ""
    assert sum(row["LBLLOQ"] != "" for row in rows) == 49


@pytest.mark.parametrize(("ours", "sdtm"), [(-2, -2), (-1, -1), (0, 1), (1, 2), (2**31 - 1, 2**31), (-(2**31),) * 2])
def test_sdtm_has_no_study_day_nought(small_records: Records, ours: int, sdtm: int) -> None:
    context = Context(small_records.protocol, pl.DataFrame())
    encoded = STUDY_DAY.encode(pl.Series("day", [ours], dtype=pl.Int32), context)
    assert encoded.to_list() == [sdtm]
    assert STUDY_DAY.decode(encoded, context).to_list() == [ours]
    assert STUDY_DAY.decode(pl.Series("day", [0]), context).to_list() == [None]


def test_durations_are_iso_8601(small_records: Records) -> None:
    context = Context(small_records.protocol, pl.DataFrame())
    encoded = DURATION.encode(pl.Series([45, -10, None], dtype=pl.Int32), context)
    assert encoded.to_list() == ["PT45M", "-PT10M", None]
    assert DURATION.decode(pl.Series(["PT45M", "45", "P1D"]), context).to_list() == [45, None, None]


def test_arms_are_nowhere(t1dal_records: Records, tmp_path: Path) -> None:
    files = written(t1dal_records, tmp_path, "csv").iterdir()
    of_subjects = [path for path in files if path.stem.upper() not in DESIGN]
    assert len(of_subjects) > 10
    text = "".join(path.read_text() for path in of_subjects)
    assert "alefacept" not in text.lower() and "placebo" not in text.lower()


def test_subjects_with_several_unscheduled_visits_have_visit_numbers_of_their_own(
    small_records: Records, tmp_path: Path
) -> None:
    first = small_records.visits.head(1)
    others = [
        first.with_columns(visit=pl.lit(visit), sequence=pl.lit(sequence, dtype=pl.Int32))
        for visit, sequence in (("unscheduled", 1), ("unscheduled", 2), ("baseline", 2))
    ]
    records = Records.of(
        small_records.protocol, {**small_records.tables, "visits": pl.concat([small_records.visits, *others])}
    )
    rows = rows_of(written(records, tmp_path, "csv"), "sv.csv")
    numbers = [int(row["VISITNUM"]) for row in rows if row["USUBJID"] == "small-trial-INV-01"]
    assert sorted(numbers) == [1, 2, 3, 1001, 1002, 1003]
    assert read_sdtm(tmp_path, records.protocol).digest == records.digest


def test_a_row_in_another_domain_than_its_assessments_is_not_written(small_records: Records, tmp_path: Path) -> None:
    events = small_records.events.with_columns(domain=pl.lit("../CE"))
    records = Records.of(small_records.protocol, {**small_records.tables, "events": events})
    with pytest.raises(DataError, match="domain-right"):
        written(records, tmp_path / "out", "csv")
    assert list((tmp_path / "out").iterdir()) == []


def test_events_may_share_the_domain_of_the_disposition(small: Path, kind: str) -> None:
    protocol = with_assessments(small, "{id: milestones, label: Milestones, class: events, domain: DS}")
    tables = dict(imported(protocol).tables)
    moved = tables["events"].head(2).with_columns(assessment=pl.lit("milestones"), domain=pl.lit("DS"))
    tables["events"] = pl.concat([tables["events"], moved])
    people = tables["participants"].with_columns(consent_day=pl.lit(-2, dtype=pl.Int32), reason=pl.lit("why"))
    records = Records.of(protocol, {**tables, "participants": people})
    assert there_and_back(records, kind).digest == records.digest


@pytest.mark.parametrize(
    "lines",
    [
        ["{id: meals, label: Meals, class: events, domain: SV}"],
        ["{id: meals, label: Meals, class: events, domain: XL}"],
        [
            "{id: meals, label: Meals, class: interventions, domain: YY}",
            "{id: falls, label: Falls, class: events, domain: YY}",
        ],
    ],
)
def test_domains_that_cannot_be_told_apart_are_refused(small: Path, lines: list[str]) -> None:
    protocol = with_assessments(small, *lines)
    with pytest.raises(DataError, match="sdtm-domain"):
        there_and_back(imported(protocol), "csv")


# ---- What is refused ----

Spoiler = Callable[[Path], None]


def cell(name: str, column: str, value: str, row: int = 0) -> Spoiler:
    """One cell of a CSV file becomes another, written as it stands here."""

    def spoil(folder: Path) -> None:
        path = folder / f"{name}.csv"
        lines = path.read_text().splitlines()
        cells = lines[row + 1].split(",")
        at = lines[0].split(",").index(column)
        assert cells[at] != value
        cells[at] = value
        lines[row + 1] = ",".join(cells)
        path.write_text("\n".join(lines) + "\n")

    return spoil


def text(name: str, old: str, new: str) -> Spoiler:
    def spoil(folder: Path) -> None:
        path = folder / f"{name}.csv"
        assert old in path.read_text()
        path.write_bytes(path.read_text().replace(old, new, 1).encode("utf-8" if new.isascii() else "latin-1"))

    return spoil


def repeated(name: str, row: int = 0) -> Spoiler:
    def spoil(folder: Path) -> None:
        path = folder / f"{name}.csv"
        lines = path.read_text().splitlines()
        path.write_text("\n".join([*lines, lines[row + 1]]) + "\n")

    return spoil


def another_disposition(folder: Path) -> None:
    """The first subject's disposition once more, with a number of its own."""
    repeated("ds")(folder)
    cell("ds", "DSSEQ", "2", -2)(folder)


SPOILT = [
    ("missing file", lambda f: (f / "ae.csv").unlink(), "ae.csv", None, "file-exists"),
    ("missing supplement", lambda f: (f / "suppae.csv").unlink(), "suppae.csv", None, "file-exists"),
    ("unknown dataset", lambda f: shutil.copy(f / "ae.csv", f / "mh.csv"), "mh.csv", None, "sdtm-file-known"),
    ("missing column", text("lb", "LBSTRESN", "LBSTRES"), "lb.csv", 1, "column-missing"),
    ("unknown column", text("lb", "LBSTRESN", "LBSTRES"), "lb.csv", 1, "column-unknown"),
    ("column twice", text("lb", "LBSTRESN", "LBSTRESU"), "lb.csv", 1, "csv-header"),
    ("empty file", lambda f: (f / "lb.csv").write_text(""), "lb.csv", 1, "csv-header"),
    ("too many fields", text("ae", '"Headache"', '"Head","ache"'), "ae.csv", 2, "csv-fields"),
    ("open quote", text("ae", '"Headache"', '"Headache'), "ae.csv", 2, "csv-syntax"),
    ("encoding", text("ae", "Headache", "Übelkeit"), "ae.csv", None, "encoding"),
    ("wrong study", cell("lb", "STUDYID", '"other"', 3), "lb.csv", 5, "sdtm-study"),
    ("wrong study beside", cell("supplb", "STUDYID", '"other"', 3), "supplb.csv", 5, "sdtm-study"),
    ("wrong domain", cell("lb", "DOMAIN", '"VS"', 3), "lb.csv", 5, "sdtm-dataset"),
    ("foreign subject", cell("ae", "USUBJID", '"other-INV-01"'), "ae.csv", 2, "sdtm-subject"),
    ("no subject", cell("lb", "USUBJID", ""), "lb.csv", 2, "value-required"),
    ("unknown subject", cell("sv", "USUBJID", '"small-trial-X"'), "suppsv.csv", 2, "sdtm-supplement"),
    ("unknown test", cell("lb", "LBTESTCD", '"GLUC"', 2), "lb.csv", 4, "test-known"),
    ("unknown assessment", cell("ae", "AECAT", '"falls"'), "ae.csv", 2, "assessment-known"),
    ("unknown visit", cell("sv", "VISIT", '"month-9"', 1), "sv.csv", 3, "visit-known"),
    ("visit of a finding", cell("lb", "VISIT", '"month-9"', 1), "lb.csv", 3, "visit-known"),
    ("text in a number", cell("lb", "LBSTRESN", '"high"', 1), "lb.csv", 3, "sdtm-number"),
    ("infinity", cell("lb", "LBSTRESN", "1e309", 1), "lb.csv", 3, "sdtm-number"),
    ("NaN", cell("lb", "LBSTRESN", "NaN", 1), "lb.csv", 3, "sdtm-number"),
    ("other digits", cell("lb", "LBSTRESN", '"٧"', 1), "lb.csv", 3, "sdtm-number"),
    ("half a repetition", cell("lb", "LBREPNUM", "1.5", 1), "lb.csv", 3, "sdtm-whole-number"),
    ("grade in words", cell("ae", "AETOXGR", '"mild"'), "ae.csv", 2, "sdtm-whole-number"),
    ("study day nought", cell("lb", "LBDY", "0", 1), "lb.csv", 3, "sdtm-study-day"),
    ("half a day", cell("sv", "SVSTDY", "1.5", 1), "sv.csv", 3, "sdtm-study-day"),
    ("a day too far", cell("sv", "SVSTDY", "9999999999", 1), "sv.csv", 3, "sdtm-study-day"),
    ("unknown word", cell("ae", "AESER", '"perhaps"'), "ae.csv", 2, "sdtm-word"),
    ("unknown disposition", cell("ds", "DSDECOD", '"GONE"'), "ds.csv", 2, "sdtm-word"),
    ("unknown category", cell("ds", "DSCAT", '"OTHER"'), "ds.csv", 2, "sdtm-row-known"),
    ("misplaced value", cell("ds", "DSSTDY", "3"), "ds.csv", 2, "sdtm-row-known"),
    ("two dispositions", repeated("ds"), "ds.csv", 2, "key-unique"),
    ("another disposition", another_disposition, "ds.csv", 2, "key-unique"),
    ("disposition of a stranger", cell("ds", "USUBJID", '"small-trial-X"'), "ds.csv", 2, "participant-known"),
    ("subject twice", repeated("dm"), "dm.csv", 2, "key-unique"),
    ("no sequence", cell("lb", "LBSEQ", "", 1), "lb.csv", 3, "key-unique"),
    ("number is not the text", cell("lb", "LBSTRESN", "7.2", 1), "lb.csv", 3, "sdtm-agrees"),
    ("text is not the number", cell("lb", "LBSTRESC", '"7.2"', 1), "lb.csv", 3, "sdtm-agrees"),
    ("limit without censoring", cell("lb", "LBLLOQ", "0.05", 1), "lb.csv", 3, "sdtm-agrees"),
    ("name of another test", cell("lb", "LBTEST", '"Glucose"', 1), "lb.csv", 3, "sdtm-agrees"),
    ("number of another visit", cell("lb", "VISITNUM", "9", 1), "lb.csv", 3, "sdtm-agrees"),
    ("another subject id", cell("dm", "SUBJID", '"INV-02"'), "dm.csv", 2, "sdtm-agrees"),
    ("unknown qualifier", cell("supplb", "QNAM", '"FASTING"', 1), "supplb.csv", 3, "sdtm-supplement"),
    ("qualifier without a row", cell("supplb", "IDVARVAL", '"77"', 1), "supplb.csv", 3, "sdtm-supplement"),
    ("qualifier twice", repeated("suppae"), "suppae.csv", 2, "sdtm-supplement"),
    ("qualifier by another variable", cell("supplb", "IDVAR", '"VISITNUM"', 1), "supplb.csv", 3, "sdtm-supplement"),
    ("number in a qualifier", cell("suppsv", "QVAL", '"one"'), "sv.csv", 2, "sdtm-whole-number"),
    ("unit of another kind", text("lb", '7.9,"%"', '7.9,"mg"'), "lb.csv", 5, "unit-right"),
]


@pytest.mark.parametrize(("spoil", "file", "line", "rule"), [s[1:] for s in SPOILT], ids=[s[0] for s in SPOILT])
def test_is_refused_with_file_and_line(
    small_records: Records, tmp_path: Path, spoil: Spoiler, file: str, line: int | None, rule: str
) -> None:
    spoil(written(small_records, tmp_path, "csv"))
    with pytest.raises(DataError) as refused:
        read_sdtm(tmp_path, small_records.protocol)
    told = [problem for problem in refused.value.problems if problem.rule == rule]
    assert told, f"told instead: {refused.value}"
    assert (told[0].file, told[0].line) == (file, line)
    assert told[0].message and told[0].remedy


def replaced(name: str, column: str, value: object) -> Spoiler:
    def spoil(folder: Path) -> None:
        path = folder / f"{name}.parquet"
        pl.read_parquet(path).with_columns(pl.lit(value).alias(column)).write_parquet(path)

    return spoil


def truncated(folder: Path) -> None:
    path = folder / "lb.parquet"
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize(
    ("spoil", "file", "line", "rule"),
    [
        (lambda f: (f / "lb.parquet").unlink(), "lb.parquet", None, "file-exists"),
        (truncated, "lb.parquet", None, "file-readable"),
        (replaced("lb", "LBNAM", "x"), "lb.parquet", 1, "column-unknown"),
        (replaced("lb", "LBSTRESN", "high"), "lb.parquet", 1, "sdtm-number"),
        (replaced("lb", "LBSTRESN", float("nan")), "lb.parquet", 1, "sdtm-number"),
        (replaced("lb", "LBDY", 0), "lb.parquet", 1, "sdtm-study-day"),
        (replaced("lb", "LBTESTCD", 5), "lb.parquet", 1, "test-known"),
        (replaced("lb", "USUBJID", 5), "lb.parquet", 1, "sdtm-subject"),
        (replaced("ds", "DSCAT", 5), "ds.parquet", 1, "sdtm-row-known"),
        (replaced("supplb", "QNAM", 5), "supplb.parquet", 1, "sdtm-supplement"),
        (replaced("suppdm", "IDVAR", 5), "suppdm.parquet", 1, "sdtm-supplement"),
        (replaced("lb", "LBTESTCD", [5]), "lb.parquet", None, "column-type"),
        (replaced("lb", "LBTESTCD", b"\xff"), "lb.parquet", None, "column-type"),
    ],
)
def test_parquet_is_refused_with_file_and_row(
    small_records: Records, tmp_path: Path, spoil: Spoiler, file: str, line: int | None, rule: str
) -> None:
    spoil(written(small_records, tmp_path, "parquet"))
    with pytest.raises(DataError) as refused:
        read_sdtm(tmp_path, small_records.protocol)
    assert (file, line, rule) in {(p.file, p.line, p.rule) for p in refused.value.problems}


def test_all_problems_of_all_files_are_told_at_once(small_records: Records, tmp_path: Path) -> None:
    folder = written(small_records, tmp_path, "csv")
    cell("ae", "AESTDY", "0")(folder)
    cell("lb", "LBDY", "0")(folder)
    cell("lb", "LBTESTCD", '"GLUC"', 1)(folder)
    (folder / "sv.csv").unlink()
    with pytest.raises(DataError) as refused:
        read_sdtm(folder, small_records.protocol)
    assert {(p.file, p.line, p.rule) for p in refused.value.problems} == {
        ("ae.csv", 2, "sdtm-study-day"),
        ("lb.csv", 2, "sdtm-study-day"),
        ("lb.csv", 3, "test-known"),
        ("sv.csv", None, "file-exists"),
    }


def test_thousands_of_one_mistake_are_counted_and_not_listed(t1dal_records: Records, tmp_path: Path) -> None:
    replaced("lb", "LBDY", 0)(written(t1dal_records, tmp_path, "parquet"))
    with pytest.raises(DataError) as refused:
        read_sdtm(tmp_path, t1dal_records.protocol)
    rows = t1dal_records.findings.filter(pl.col("domain") == "LB").height
    (line,) = [line for line in str(refused.value).splitlines() if "lb.parquet:1:" in line]
    assert len(refused.value.problems) >= rows > 1000
    assert line.endswith(f"And {rows - 1} more.")


def test_the_lines_of_a_file_are_counted_through_texts_of_several_lines(small_records: Records, tmp_path: Path) -> None:
    events = small_records.events.with_columns(term=pl.lit('one\ntwo\r\n"three"'), serious=pl.lit(value=False))
    records = Records.of(small_records.protocol, {**small_records.tables, "events": events})
    path = written(records, tmp_path, "csv") / "ae.csv"
    before, _, after = path.read_bytes().rpartition(b'"N"')
    path.write_bytes(before + b'"?"' + after)
    with pytest.raises(DataError) as refused:
        read_sdtm(tmp_path, records.protocol)
    last = 2 + 3 * (events.height - 1)
    assert [(p.file, p.line, p.rule) for p in refused.value.problems] == [("ae.csv", last, "sdtm-word")]


def test_a_folder_without_or_with_two_kinds_of_files_is_refused(small_records: Records, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="neither"):
        read_sdtm(tmp_path, small_records.protocol)
    for each in KINDS:
        written(small_records, tmp_path, each)
    with pytest.raises(DataError, match="both"):
        read_sdtm(tmp_path, small_records.protocol)


def test_another_trials_protocol_is_refused(small_records: Records, tmp_path: Path, model_trial: Protocol) -> None:
    with pytest.raises(DataError, match="sdtm-study"):
        read_sdtm(written(small_records, tmp_path, "csv"), model_trial)


def test_a_kind_of_file_that_does_not_exist_is_a_defect_of_the_caller(small_records: Records) -> None:
    with pytest.raises(ValueError, match="xpt"):
        write_sdtm(small_records, lambda name, writer: None, "xpt")


# ---- The table of variables ----


def held(part: Part) -> list[str]:
    """The rows of the documentation's table of one part."""
    rows = []
    for variable in part.variables:
        if isinstance(variable, Derived):
            rows.append(f"| — | `{variable.name}` | {variable.label} |")
        else:
            place = f"SUPP: `{variable.name}`" if variable.supplemental else f"`{variable.name}`"
            if variable.when is not None:
                place += f" where `{variable.when[0]}` is {variable.when[1] or 'missing'}"
            rows.append(f"| `{variable.column}` | {place} | {variable.label} |")
    return rows


@pytest.mark.parametrize("part", PARTS, ids=[f"{part.table}-{part.domain}-{i}" for i, part in enumerate(PARTS)])
def test_the_documentation_shows_the_table(part: Part) -> None:
    page = (ROOT / "docs" / "sdtm.md").read_text(encoding="utf-8")
    assert "\n".join(["| our column | SDTM variable | label |", "|---|---|---|", *held(part)]) in page


def test_every_column_has_a_variable() -> None:
    for item in CLASSES:
        columns = {v.column for part in PARTS if part.table == item.name for v in part.columns}
        assert columns == set(item.schema)


def test_names_and_labels_are_as_long_as_sdtm_allows() -> None:
    for part in PARTS:
        for variable in part.variables if part.domain else ():
            name = variable.name.replace("--", "LB")
            assert name.isupper() and name.isalnum() and len(name) <= 8
            assert len(variable.label) <= 40, variable.label
