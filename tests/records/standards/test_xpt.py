"""SAS transport files: what is written reads back the same, and what does not fit is refused, never cut."""

from __future__ import annotations

import math
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.errors import DataError, SurroundingsError
from equipoise.records.records import Records
from equipoise.records.standards.back import records_from_frames
from equipoise.records.standards.described import Item, Table, sdtm_tables
from equipoise.records.standards.xpt import read_xpt, write_xpt, xpt_problems

pytestmark = pytest.mark.requirement("STANDARDS-LIMITS")


def table(frame: pl.DataFrame, name: str = "XX", label: str = "Made here", item_label: str = "Label") -> Table:
    return Table(name, label, "other", "", (), tuple(Item(n, item_label) for n in frame.columns), frame)


def there_and_back(made: Table) -> pl.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.xpt"
        write_xpt(made, path)
        return read_xpt(path)


def in_xpt(frame: pl.DataFrame) -> pl.DataFrame:
    """What the format keeps: reals, and no empty text."""
    return frame.select(
        pl.col(name).cast(pl.Float64) if kind.is_numeric() else pl.col(name).replace("", None)
        for name, kind in frame.schema.items()
    )


def test_our_datasets_come_back_equal(records: Records, analysis: tuple[Table, ...]) -> None:
    for made in (*sdtm_tables(records, supplied=False), *analysis):
        assert there_and_back(made).equals(in_xpt(made.frame))


def test_the_records_come_back_with_the_same_digest(records: Records, tabulation: tuple[Table, ...]) -> None:
    frames = {made.name: there_and_back(made) for made in tabulation}
    assert records_from_frames(frames, records.protocol).digest == records.digest


def test_names_and_labels_stand_in_the_file(analysis: tuple[Table, ...], tmp_path: Path) -> None:
    made = analysis[0]
    write_xpt(made, tmp_path / "adsl.xpt")
    _, described = pyreadstat.read_xport(str(tmp_path / "adsl.xpt"), metadataonly=True)
    assert described.table_name == "ADSL"
    assert described.file_label == made.label
    assert described.column_names_to_labels == {item.name: item.label for item in made.items}


def test_equal_data_give_equal_bytes_and_the_time_is_the_given_one(tmp_path: Path) -> None:
    made = table(pl.DataFrame({"A": ["x"], "N": [1.5]}))
    write_xpt(made, tmp_path / "a.xpt")
    write_xpt(made, tmp_path / "b.xpt", created=datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC))
    first, second = ((tmp_path / name).read_bytes() for name in ("a.xpt", "b.xpt"))
    assert first.count(b"01JAN00:00:00:00") == 4
    assert second.count(b"29FEB24:12:30:15") == 4
    assert first.replace(b"01JAN00:00:00:00", b"29FEB24:12:30:15") == second
    assert len(first) % 80 == 0


@given(
    st.lists(
        st.none() | st.floats(1e-70, 1e70) | st.floats(-1e70, -1e-70) | st.sampled_from([0.0, 0.1, 1 / 3]), max_size=5
    )
)
def test_numbers_keep_every_bit(values: list) -> None:
    frame = pl.DataFrame({"N": pl.Series(values, dtype=pl.Float64)})
    assert there_and_back(table(frame)).equals(frame)


@pytest.mark.parametrize("value", [16.0**-65, 16.0**62, 2.0**53, -(16.0**-65)])
def test_the_numbers_at_the_limits_come_back(value: float) -> None:
    frame = pl.DataFrame({"N": [value]})
    assert there_and_back(table(frame)).equals(frame)


@given(st.lists(st.none() | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200), max_size=4))
def test_texts_come_back_or_are_refused(values: list) -> None:
    made = table(pl.DataFrame({"T": pl.Series(values, dtype=pl.String)}))
    expected = {"xpt-text-blank"} if any(value is not None and value.endswith(" ") for value in values) else set()
    expected |= {"xpt-row-blank"} if values and not values[-1] else set()
    if expected:
        assert {problem.rule for problem in xpt_problems(made)} == expected
    else:
        assert there_and_back(made).equals(in_xpt(made.frame))


def test_two_hundred_bytes_fit_and_one_more_does_not() -> None:
    fits = table(pl.DataFrame({"T": ["x" * 200]}))
    assert there_and_back(fits).equals(fits.frame)
    longer = table(pl.DataFrame({"T": ["x" * 200, "y" * 201, None, "z" * 300]}))
    assert [(p.rule, p.path, p.line) for p in xpt_problems(longer)] == [
        ("xpt-text-length", "T", 2),
        ("xpt-text-length", "T", 4),
    ]
    assert "y" * 201 in str(xpt_problems(longer)[0])


REFUSED = {
    "xpt-name-length": table(pl.DataFrame({"NINECHARS": [1]})),
    "xpt-name": table(pl.DataFrame({"lower": [1]})),
    "xpt-label-length": table(pl.DataFrame({"A": [1]}), item_label="x" * 41),
    "xpt-label-ascii": table(pl.DataFrame({"A": [1]}), item_label="µg"),
    "xpt-text-length": table(pl.DataFrame({"A": ["x" * 201]})),
    "xpt-text-ascii": table(pl.DataFrame({"A": ["≥ 1"]})),
    "xpt-text-control": table(pl.DataFrame({"A": ["a\x00b"]})),
    "xpt-text-blank": table(pl.DataFrame({"A": ["a "]})),
    "xpt-row-blank": table(pl.DataFrame({"A": ["a", None], "B": ["b", ""]})),
    "xpt-number": table(pl.DataFrame({"A": [1e80]})),
    "xpt-type": table(pl.DataFrame({"A": [True]})),
}


@pytest.mark.parametrize("rule", REFUSED)
def test_what_does_not_fit_is_refused_by_its_rule_and_no_file_is_written(rule: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        write_xpt(REFUSED[rule], tmp_path / "x.xpt")
    assert [problem.rule for problem in error.value.problems] == [rule]
    assert not list(tmp_path.iterdir())


BEYOND = [math.nan, math.inf, 1e-80, 2.0**-1074, 2**53 + 1, 16.0**62 * 1.001, 16.0**-65 / 1.001]


@pytest.mark.parametrize("value", BEYOND)
def test_numbers_beyond_the_format_are_refused(value: float) -> None:
    assert [problem.rule for problem in xpt_problems(table(pl.DataFrame({"N": [value]})))] == ["xpt-number"]


def test_the_dataset_itself_has_limits_too() -> None:
    made = table(pl.DataFrame({"A": [1]}), name="TOOLONGNAME", label="L" * 41)
    assert {problem.rule for problem in xpt_problems(made)} == {"xpt-name-length", "xpt-label-length"}


def test_every_offending_value_is_told() -> None:
    made = table(pl.DataFrame({"A": ["é"] * 300, "B": ["é"] * 300}))
    assert len(xpt_problems(made)) == 600


def test_what_is_no_transport_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.xpt").write_bytes(b"no such thing" * 100)
    for name in ("x.xpt", "absent.xpt"):
        with pytest.raises(DataError, match="xpt-readable"):
            read_xpt(tmp_path / name)


def test_without_the_extra_one_line_says_which(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    with pytest.raises(SurroundingsError, match="standards"):
        write_xpt(table(pl.DataFrame({"A": [1]})), tmp_path / "x.xpt")


def read_plainly(data: bytes) -> tuple[dict[str, str], list[dict[str, float | str | None]]]:
    """Labels and rows by the layout of TS-140 and nothing else: the twin of the library that writes."""
    start = data.index(b"NAMESTR HEADER RECORD") - 20
    count = int(data[start + 54 : start + 58])
    variables = []
    for number in range(count):
        at = start + 80 + 140 * number
        kind, size = (int.from_bytes(data[at + k : at + k + 2]) for k in (0, 4))
        name, label = data[at + 8 : at + 16].decode().rstrip(), data[at + 16 : at + 56].decode().rstrip()
        variables.append((name, label, kind, size, int.from_bytes(data[at + 84 : at + 88])))
    body = data[data.index(b"OBS     HEADER RECORD") + 60 :]
    width = sum(size for *_, size, _ in variables)
    rows = []
    for at in range(0, len(body) - width + 1, width):
        cells = {n: (k, body[at + place : at + place + size]) for n, _, k, size, place in variables}
        rows.append(
            {name: ibm(raw) if kind == 1 else raw.decode().rstrip() or None for name, (kind, raw) in cells.items()}
        )
    while rows and body[(len(rows) - 1) * width : len(rows) * width].strip() == b"":
        rows.pop()
    return {name: label for name, label, *_ in variables}, rows


def ibm(raw: bytes) -> float | None:
    """A hexadecimal floating-point number: sign, power of 16 from 64, fraction of 56 bits; a mark alone is missing."""
    if raw[0] in b"._ABCDEFGHIJKLMNOPQRSTUVWXYZ" and not any(raw[1:]):
        return None
    value = math.ldexp(int.from_bytes(raw[1:]), 4 * ((raw[0] & 127) - 64) - 56)
    return -value if raw[0] & 128 else value


@pytest.mark.parametrize("name", ["ADSL", "ADEFF", "ADTTE", "LB", "SUPPDM", "SUPPLIED"])
def test_the_published_layout_read_plainly_gives_the_same(
    name: str, tabulation: tuple[Table, ...], analysis: tuple[Table, ...], tmp_path: Path
) -> None:
    made = next(table for table in (*tabulation, *analysis) if table.name == name)
    write_xpt(made, tmp_path / "x.xpt")
    labels, rows = read_plainly((tmp_path / "x.xpt").read_bytes())
    assert labels == {item.name: item.label for item in made.items}
    assert rows == in_xpt(made.frame).rows(named=True)


def test_zero_has_no_sign_in_the_format() -> None:
    back = there_and_back(table(pl.DataFrame({"N": [-0.0, 0.0, -1.0]})))["N"].to_list()
    assert [math.copysign(1, value) for value in back] == [1, 1, -1]
