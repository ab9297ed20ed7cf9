"""Whatever a masked role gets is the same, byte for byte, with the arms swapped; and a leak of any kind is seen.

The scenario `leak` lets the product change hidden items alone. A planted leak stands for a mistake in our code: each is
put into the real path, and the comparison must then find a difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import equipoise.records.folder
import equipoise.verbs.analysing
import equipoise.verbs.masking
import equipoise.verbs.viewing
from equipoise.analysis.datasets import Dataset
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.masked import masked_copy
from equipoise.records.records import Records
from equipoise.records.visibility import view_of
from tests.blinding.swapped import analysed, contents, datasets, differing, marks_for, swapped_trials, view

Pair = tuple[Path, Path]
STATISTICIAN = "blinded-statistician"
SOURCE = import_module("equipoise.report.source")  # the package's own attribute `report` is the verb


@cache
def protocol() -> Protocol:
    return load_protocol("msc-t1d")


ROLES = protocol().blinding.masked
GROUPS = {marks_for(protocol(), role): role for role in reversed(ROLES)}
"""Changes of the scenario -> the first role for which they are made: roles that are shown the same."""


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Pair]:
    @cache
    def made(changes: tuple[str, ...]) -> Pair:
        return swapped_trials(tmp_path_factory.mktemp("swapped"), changes)

    return lambda role: made(marks_for(protocol(), role))


@pytest.mark.requirement("BLINDING-EXACT")
def test_with_the_allocation_the_two_trials_differ(pairs: Callable[[str], Pair]) -> None:
    one, other = (contents(place / "trial") for place in pairs(STATISTICIAN))
    found = differing(one, other)
    assert {f"records/{name}.parquet" for name in ("findings", "events", "interventions", "lots")} <= set(found)
    assert not {"records/participants.parquet", "records/visits.parquet"} & set(found)
    assert "allocation.csv" in found


@pytest.mark.requirement("BLINDING-EXACT")
@pytest.mark.parametrize("role", ROLES)
def test_what_a_masked_role_gets_is_the_same_with_arms_swapped(role: str, pairs: Callable[[str], Pair]) -> None:
    one, other = (view(place, role) for place in pairs(role))
    assert "records/findings.parquet" in one
    assert differing(one, other) == []


@pytest.mark.requirement("BLINDING-EXACT")
@pytest.mark.parametrize("role", sorted(GROUPS.values()))
def test_so_are_its_analyses_datasets_and_reports(role: str, pairs: Callable[[str], Pair]) -> None:
    one, other = (analysed(place, role, reported=True) for place in pairs(role))
    assert {"results.json", "adam/adeff.csv", "report.html", "records/findings.parquet"} <= set(one)
    assert "allocation.csv" not in one
    assert differing(one, other) == []
    one, other = (datasets(place, role) for place in pairs(role))
    assert differing(one, other) == []


@pytest.mark.requirement("BLINDING-EXACT")
def test_every_masked_role_is_shown_what_one_of_those_is_shown() -> None:
    shown = {view_of(protocol(), role).lacks for role in GROUPS.values()}
    assert {view_of(protocol(), role).lacks for role in ROLES} == shown
    assert len(shown) == 3


# ---- Planted leaks ----


def secret(whole: Records) -> dict[str, float]:
    """What tells the arm in the whole records: each participant's T cells 48 h after the second infusion."""
    rows = whole.findings.filter(
        (pl.col("assessment") == "treg") & (pl.col("test") == "percent") & (pl.col("visit") == "dose-2-48h")
    )
    return {person: value for person, value in rows.select("participant", "value").iter_rows() if value is not None}


def remade(copy: Records, **tables: pl.DataFrame) -> Records:
    return Records.of(copy.protocol, {**copy.tables, **tables}, collected=copy.collected, lacks=copy.lacks)


def high(whole: Records) -> list[str]:
    values = secret(whole)
    return [person for person, value in values.items() if value > np.median(list(values.values()))]


def role_ignored(whole: Records, lacks: Iterable[str]) -> Records:
    return whole


def without(*kept: str) -> Callable[[Records, Iterable[str]], Records]:
    """A copy that keeps some parts which it should lack."""

    def copy(whole: Records, lacks: Iterable[str]) -> Records:
        names = set(lacks)
        assert set(kept) <= names
        return masked_copy(whole, names - set(kept))

    return copy


def rounding(whole: Records, lacks: Iterable[str]) -> Records:
    copy = masked_copy(whole, lacks)
    told = pl.col("participant").is_in(high(whole)) & (pl.col("assessment") == "hba1c")
    return remade(
        copy, findings=copy.findings.with_columns(pl.when(told).then(pl.col("value").round(0)).otherwise("value"))
    )


def missingness(whole: Records, lacks: Iterable[str]) -> Records:
    """Hidden values below a limit leave an empty row behind."""
    copy = masked_copy(whole, lacks)
    gone = whole.findings.join(copy.findings, on=list(whole.findings.columns), how="anti", nulls_equal=True)
    empty = gone.filter(pl.col("censored") == "left").with_columns(
        status=pl.lit("not-done"),
        value=pl.lit(None, pl.Float64),
        censored=pl.lit(None, pl.String),
        original=pl.lit(None, pl.String),
    )
    return remade(copy, findings=pl.concat([copy.findings, empty]))


def identifiers(whole: Records, lacks: Iterable[str]) -> Records:
    """Rows of the one half are counted from 2."""
    copy = masked_copy(whole, lacks)
    told = pl.col("participant").is_in(high(whole))
    return remade(
        copy, events=copy.events.with_columns(pl.when(told).then(pl.col("sequence") + 1).otherwise("sequence"))
    )


def sources(whole: Records, lacks: Iterable[str]) -> Records:
    """Each participant's row says how many release tests its first lot has."""
    copy = masked_copy(whole, lacks)
    people = copy.participants.join(first_lots(whole), on="participant", how="left", maintain_order="left")
    people = people.with_columns(source=pl.format("{}, {} lots", "source", pl.col("len").fill_null(0))).drop("len")
    return remade(copy, participants=people)


def first_lots(whole: Records) -> pl.DataFrame:
    """How many release tests the first lot of each participant has."""
    return whole.lots.filter(pl.col("lot").str.ends_with("-1")).group_by("participant", maintain_order=True).len()


COPIES: dict[str, Callable[[Records, Iterable[str]], Records]] = {
    "role ignored": role_ignored,
    "from is exclusive": without("findings/treg/dose-1-48h", "findings/cytokines/dose-2-48h"),
    "free text": without("events/term"),
    "outcome in words": without("events/outcome"),
    "volume": without("interventions/volume_ml"),
    "duration": without("interventions/minutes"),
    "lots": without("lots"),
    "rounding": rounding,
    "missingness": missingness,
    "identifiers": identifiers,
    "counts of lots in the source": sources,
}


@pytest.mark.requirement("BLINDING-LEAKS")
@pytest.mark.parametrize("kind", COPIES)
def test_a_leak_in_the_masked_copy_is_seen(
    kind: str, pairs: Callable[[str], Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(equipoise.verbs.masking, "masked_copy", COPIES[kind])
    one, other = (view(place, STATISTICIAN) for place in pairs(STATISTICIAN))
    assert differing(one, other)


@pytest.mark.requirement("BLINDING-LEAKS")
@pytest.mark.parametrize("kind", ["order of rows", "digest of a hidden item", "digest of the whole", "lot count"])
def test_a_leak_in_how_the_copy_is_written_is_seen(
    kind: str, pairs: Callable[[str], Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Records] = []

    def copy(whole: Records, lacks: Iterable[str]) -> Records:
        seen.append(whole)
        return masked_copy(whole, lacks)

    monkeypatch.setattr(equipoise.verbs.masking, "masked_copy", copy)
    folder: Any = equipoise.records.folder
    parquet, described = folder._parquet, folder._described

    def ordered(table: pl.DataFrame) -> Any:
        values = secret(seen[-1])
        rank = pl.col("participant").replace_strict(values, default=0.0, return_dtype=pl.Float64)
        return parquet(table.sort(rank, maintain_order=True))

    def told(records: Records) -> dict[str, Any]:
        whole = seen[-1]
        more = {
            "digest of a hidden item": {"of": whole.parts["findings/treg/dose-1-48h"]},
            "digest of the whole": {"of": whole.digest},
            "lot count": {"lots": first_lots(whole)["len"].to_list()},
        }
        return described(records) | more[kind]

    if kind == "order of rows":
        monkeypatch.setattr(folder, "_parquet", ordered)
    else:
        monkeypatch.setattr(folder, "_described", told)
    one, other = (view(place, STATISTICIAN) for place in pairs(STATISTICIAN))
    assert differing(one, other)


@pytest.mark.requirement("BLINDING-LEAKS")
def test_a_digest_of_the_whole_in_the_provenance_is_seen(
    pairs: Callable[[str], Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = equipoise.verbs.viewing.record_step
    reads: list[str] = []
    read = equipoise.verbs.viewing.read_records

    def remembered(*given: Any) -> Records:
        found = read(*given)
        reads.append(found.digest)
        return found

    def recorded(target: Any, verb: str, command: list[str], inputs: dict[str, str]) -> None:
        record(target, verb, command, {**inputs, "whole": reads[-1]})

    monkeypatch.setattr(equipoise.verbs.viewing, "read_records", remembered)
    monkeypatch.setattr(equipoise.verbs.viewing, "record_step", recorded)
    one, other = (view(place, STATISTICIAN) for place in pairs(STATISTICIAN))
    assert differing(one, other) == ["provenance.json"]


@pytest.mark.requirement("BLINDING-LEAKS")
def test_a_flag_in_an_analysis_dataset_is_seen(pairs: Callable[[str], Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody marks in ADSL whose T cells rose."""
    seen: list[Records] = []

    def copy(whole: Records, lacks: Iterable[str]) -> Records:
        seen.append(whole)
        return masked_copy(whole, lacks)

    made = equipoise.verbs.analysing.analysis_datasets

    def flagged(*given: Any) -> tuple[Dataset, ...]:
        subjects, *others = made(*given)
        flag = pl.col("USUBJID").is_in(high(seen[-1])).alias("RESPFL")
        return (replace(subjects, table=subjects.table.with_columns(flag)), *others)

    monkeypatch.setattr(equipoise.verbs.masking, "masked_copy", copy)
    monkeypatch.setattr(equipoise.verbs.analysing, "analysis_datasets", flagged)
    one, other = (analysed(place, STATISTICIAN) for place in pairs(STATISTICIAN))
    assert differing(one, other) == ["adam/adsl.csv", "adam/adsl.parquet", "provenance.json"]


@pytest.mark.requirement("BLINDING-LEAKS")
@pytest.mark.parametrize(("kind", "dataset"), [("figures and courses", "adeff"), ("listing", "adae")])
def test_a_leak_in_the_report_is_seen(
    kind: str, dataset: str, pairs: Callable[[str], Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report reads the values or the events of everything, and not those of the role."""
    for place in pairs(STATISTICIAN):
        if not (place / "open").is_dir():
            equipoise.verbs.analysing.analyse("msc-t1d", place / "trial", place / "open")
    frame = SOURCE._frame

    def whole(path: Path) -> pl.DataFrame:
        open_ = path.absolute().parents[2] / "open" / "adam" / path.name
        return frame(open_ if path.stem == dataset else path)

    monkeypatch.setattr(SOURCE, "_frame", whole)
    one, other = (analysed(place, STATISTICIAN, reported=True) for place in pairs(STATISTICIAN))
    assert differing(one, other) == ["provenance.json", "report.html"]
