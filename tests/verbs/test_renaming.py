"""Renaming and re-sorting participants changes no dataset and no report but for their names and the order of rows."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

import equipoise
from equipoise.protocol.load import load_protocol
from equipoise.records.allocation import Allocation
from equipoise.records.from_panel import to_records
from equipoise.records.records import Records
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials
from equipoise.verbs.folder import OutputFolder
from equipoise.verbs.importing import write_protocol, write_trial
from tests.analysis.test_order_of_entry import SMALL, renamed

DIGEST = re.compile(r"(?:sha256:)?\b[0-9a-f]{12,64}\b")
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


def written(folder: Path, records: Records, arms: Allocation) -> Path:
    """The trial's folder with its results, datasets and report."""
    target = OutputFolder(folder)
    write_protocol(target, records.protocol)
    write_trial(target, records, arms, None)
    equipoise.analyse(folder / "protocol.yaml", folder, folder)
    equipoise.report(folder)
    return folder


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, str]]:
    protocol = load_protocol("msc-t1d", [SMALL])
    (panel,) = simulate_trials(protocol, load_scenario("published"), 6, 1)
    records, arms = to_records(panel)
    people = records.participants["participant"].to_list()
    # No leading zeros, and another order as text, as numbers and as read.
    names = {old: f"{'QWZ'[place % 3]}{(7 * place) % 31 + 1}" for place, old in enumerate(people)}
    assert len(set(names.values())) == len(people)
    folder = tmp_path_factory.mktemp("renamed")
    first = written(folder / "first", records, arms)
    second = written(folder / "second", *renamed(records, arms, names))
    return first, second, {new: old for old, new in names.items()}


@pytest.mark.requirement("ORDER-RENAMING")
@pytest.mark.parametrize("name", ["adsl", "adeff", "adae", "adtte"])
def test_datasets_have_the_same_rows(pair: tuple[Path, Path, dict[str, str]], name: str) -> None:
    first, second, back = pair
    before, after = (pl.read_parquet(folder / "adam" / f"{name}.parquet") for folder in (first, second))
    after = after.with_columns(pl.col("USUBJID").replace_strict(back))
    assert before.schema == after.schema and before.height == after.height > 5
    keys = [column for column in before.columns if not before.schema[column].is_float()]
    before, after = (table.sort(keys, nulls_last=True, maintain_order=True) for table in (before, after))
    for column in before.columns:
        for ours, theirs in zip(before[column], after[column], strict=True):
            same = ours == theirs or pytest.approx(ours, rel=1e-9, abs=1e-12, nan_ok=True) == theirs
            assert same, (column, ours, theirs)


@pytest.mark.requirement("ORDER-RENAMING")
def test_the_report_has_the_same_words_and_numbers(pair: tuple[Path, Path, dict[str, str]]) -> None:
    first, second, back = pair
    text = re.sub(r"\b[QWZ]\d+\b", lambda found: back.get(found.group(), found.group()), page(second))
    before, after = words(page(first)), words(text)
    lost, new = (sorted((one - other).elements(), key=number) for one, other in ((before, after), (after, before)))
    assert before.total() > 10_000 and len(lost) == len(new) < before.total() / 500
    # Sums are taken in another order, so that a mean halfway between two decimals may be rounded to either. Two such
    # means, one after the other, leave numbers two units apart.
    pairs = [(number(one), number(other), unit_of(one)) for one, other in zip(lost, new, strict=True)]
    assert all(abs(one - other) <= 2 * unit for one, other, unit in pairs), pairs


def number(text: str) -> float:
    """A printed number; what is none fails, since no word may differ."""
    return float(text.replace("\N{MINUS SIGN}", "-"))


def unit_of(text: str) -> float:
    """One of the last decimal of a printed number, and a little for its binary form."""
    return 1.001 * 10.0 ** -len(text.partition(".")[2])


def page(folder: Path) -> str:
    return (folder / "report.html").read_text("utf-8")


def words(text: str) -> Counter[str]:
    """How often each word and number stands on a page, digests left out and long numbers rounded."""
    text = NUMBER.sub(lambda found: f"{float(found.group()):.6g}", DIGEST.sub("", text))
    return Counter(re.split(r"[\s<>\"=,;:{}()\[\]]+", text))
