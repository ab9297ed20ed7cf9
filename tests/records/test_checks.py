"""Records are checked when they are made: keys, names, units, consent before procedures, results and their status."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from equipoise.errors import DataError
from equipoise.protocol.load import load_protocol
from equipoise.records.checks import possible_date
from equipoise.records.classes import CLASSES, FINDINGS
from equipoise.records.digests import digest_of_table
from equipoise.records.importing.apply import import_files
from equipoise.records.importing.map import load_map
from equipoise.records.records import Records

Tables = dict[str, pl.DataFrame]
EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial"


@pytest.fixture(scope="module")
def records() -> Records:
    return import_files(
        load_protocol(EXAMPLE / "protocol.yaml"), load_map(EXAMPLE / "map.yaml"), EXAMPLE / "data"
    ).records


def setting(table: str, column: str, value: object, where: pl.Expr | None = None) -> Callable[[Tables], None]:
    """A spoiler: a column of one row (the first, or where `where` holds) gets another value."""

    def spoil(tables: Tables) -> None:
        frame = tables[table].with_row_index("row")
        first = frame.filter(where)["row"][0] if where is not None else 0
        kind = frame.schema[column]
        changed = (
            pl.when(pl.col("row") == first).then(pl.lit(value, dtype=kind)).otherwise(pl.col(column)).alias(column)
        )
        tables[table] = frame.with_columns(changed).drop("row")

    return spoil


def with_consent(tables: Tables) -> None:
    tables["participants"] = tables["participants"].with_columns(consent_day=pl.lit(5, dtype=pl.Int32))


def consent_after_allocation(tables: Tables) -> None:
    tables["participants"] = tables["participants"].with_columns(
        consent_day=pl.lit(0, dtype=pl.Int32), allocation_day=pl.lit(-3, dtype=pl.Int32)
    )


DONE = pl.col("status") == "done"
SPOILT = [
    ("key-unique", setting("findings", "visit", "month-3", pl.col("visit") == "baseline")),
    ("participant-known", setting("findings", "participant", "stranger")),
    ("visit-known", setting("findings", "visit", "month-99")),
    ("assessment-known", setting("findings", "assessment", "urine")),
    ("test-known", setting("findings", "test", "glucose")),
    ("domain-right", setting("findings", "domain", "VS")),
    ("unit-right", setting("findings", "unit", "mg/dL")),
    ("number-finite", setting("findings", "value", float("inf"), DONE)),
    ("result-present", setting("findings", "status", "done", pl.col("status") == "not-done")),
    ("result-absent", setting("findings", "status", "not-done", DONE)),
    ("limit-present", setting("findings", "value", None, pl.col("censored") == "left")),
    ("word-known", setting("visits", "status", "perhaps")),
    ("value-required", setting("events", "term", " ")),
    ("days-in-order", setting("events", "end_day", -5)),
    ("consent-first", with_consent),
    ("days-in-order", consent_after_allocation),
    ("age-possible", setting("participants", "age_years", -1.0)),
    ("date-possible", setting("visits", "date", "2022-02-29")),
    ("date-possible", setting("events", "date", "9 March 2022")),
]


@pytest.mark.requirement("RECORDS-FROZEN", "RECORDS-KEYS", "RECORDS-PARTICIPANTS", "RECORDS-CONSENT", "RECORDS-UNITS")
@pytest.mark.parametrize(("rule", "spoil"), SPOILT, ids=[f"{rule}-{i}" for i, (rule, _) in enumerate(SPOILT)])
def test_is_refused(records: Records, rule: str, spoil: Callable[[Tables], None]) -> None:
    tables = dict(records.tables)
    spoil(tables)
    with pytest.raises(DataError) as refused:
        Records.of(records.protocol, tables)
    assert rule in {problem.rule for problem in refused.value.problems}


def test_consent_on_the_day_of_the_procedure_is_in_time(records: Records) -> None:
    tables = dict(records.tables)
    tables["participants"] = tables["participants"].with_columns(consent_day=pl.lit(0, dtype=pl.Int32))
    assert Records.of(records.protocol, tables).digest != records.digest


def test_a_column_of_another_type_or_name_is_refused(records: Records) -> None:
    for change in (pl.col("day").cast(pl.Float64), pl.lit(1).alias("extra")):
        tables = {**records.tables, "visits": records.visits.with_columns(change)}
        with pytest.raises(DataError, match="column"):
            Records.of(records.protocol, tables)
    with pytest.raises(DataError, match="column-missing"):
        Records.of(records.protocol, {**records.tables, "visits": records.visits.drop("day")})


@pytest.mark.requirement("RECORDS-FROZEN")
def test_tables_cannot_be_replaced(records: Records) -> None:
    with pytest.raises(TypeError):
        records.tables["visits"] = records.visits  # type: ignore[index]


def test_digest_depends_on_content_and_not_on_the_order_of_rows(records: Records) -> None:
    shuffled = {name: table.sample(fraction=1, shuffle=True, seed=1) for name, table in records.tables.items()}
    assert Records.of(records.protocol, shuffled).digest == records.digest
    changed = dict(records.tables)
    setting("findings", "value", 7.90000000000001, DONE)(changed)
    assert Records.of(records.protocol, changed).digest != records.digest


def test_digest_tells_a_missing_text_from_an_empty_one() -> None:
    one = pl.DataFrame({"a": ["", None]}, schema={"a": pl.String})
    two = pl.DataFrame({"a": [None, ""]}, schema={"a": pl.String})
    assert digest_of_table(one) != digest_of_table(two)
    split = [pl.DataFrame({"a": parts}) for parts in (["ab", "c"], ["a", "bc"])]
    assert digest_of_table(split[0]) != digest_of_table(split[1])


@pytest.mark.requirement("RECORDS-FRAMES")
def test_every_column_is_described_and_every_key_exists() -> None:
    for item in CLASSES:
        assert all(column.meaning for column in item.columns)
        assert set(item.key) <= set(item.schema)
    assert FINDINGS.column("value").kind is pl.Float64


@pytest.mark.parametrize("text", ["2022", "2022-03", "2022-03-09", "2020-02-29", "1999-12-31"])
def test_a_date_may_be_partial(text: str) -> None:
    assert possible_date(text)


@pytest.mark.parametrize(
    "text", ["22", "2022-3", "2022-13", "2022-02-29", "2022-03-00", "2022-03-09T10:00", "٢٠٢٢", ""]
)
def test_what_is_no_date(text: str) -> None:
    assert not possible_date(text)
