"""The courses in the report: every value of the datasets as the listings print it, and bounded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import equipoise
from equipoise.documents.numbers import digits
from equipoise.report import courses as module
from equipoise.report.courses import courses_block
from equipoise.report.source import ReportSource, read_source

pytestmark = pytest.mark.requirement("REPORT-EXPLORE")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> ReportSource:
    folder = tmp_path_factory.mktemp("model") / "out"
    equipoise.simulate("msc-t1d", folder, seed=2)
    equipoise.analyse("msc-t1d", folder, folder)
    return read_source(folder)


def test_every_value_is_one_of_the_dataset_as_it_is_printed(source: ReportSource) -> None:
    block = courses_block(source)
    assert block is not None and len(block.outcomes) > 20
    arms = [arm.label for arm in source.protocol.arms]
    of_arm = dict(source.subjects.select("USUBJID", "ARM").iter_rows())
    labels = {parameter.label: parameter for parameter in source.protocol.parameters}
    for outcome in block.outcomes:
        parameter = labels[outcome.label]
        rows = source.values.filter(pl.col("PARAMID") == parameter.id, pl.col("AVISIT").is_in(list(outcome.visits)))
        expected = {
            (who, visit): (digits(value, parameter.decimals), None if day is None else round(day))
            for who, visit, value, day in rows.select("USUBJID", "AVISIT", "AVAL", "ADY").iter_rows()
            if of_arm.get(who) in arms
        }
        found = {
            (person.who, visit): (value, day)
            for person in outcome.people
            for visit, value, day in zip(outcome.visits, person.values, person.days, strict=True)
            if value is not None
        }
        assert found == expected, outcome.label
        assert all(of_arm[person.who] == arms[person.group] for person in outcome.people)


def test_main_outcomes_come_first(source: ReportSource) -> None:
    block = courses_block(source)
    assert block is not None
    roles = ("primary", "key-secondary")
    main = {
        source.protocol.parameter(source.protocol.estimand(str(item.estimand)).variable.parameter).label
        for item in source.protocol.analyses
        if item.role in roles and item.estimand
    }
    labels = [item.label for item in block.outcomes]
    there = [label in main for label in labels]
    assert any(there) and there == sorted(there, reverse=True)


def test_means_are_those_of_the_results(source: ReportSource) -> None:
    block = courses_block(source)
    assert block is not None
    described = next(item for item in source.described() if len(item.visits("hba1c")) > 1)
    outcome = next(item for item in block.outcomes if item.label == source.protocol.parameter("hba1c").label)
    for place, (group, _) in enumerate(source.groups):
        for visit, mean in zip(outcome.visits, outcome.means[place], strict=True):
            ours = next(name.id for name in source.protocol.visits if name.label == visit)
            value = described.get("hba1c", ours, "mean", group)
            assert mean == (None if value is None else digits(value, 1))


def test_what_is_too_much_for_a_page_is_named(source: ReportSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_VALUES", 500)
    block = courses_block(source)
    assert block is not None
    assert sum(len(item.people) * len(item.visits) for item in block.outcomes) <= 500
    assert "in the dataset ADEFF alone" in block.notes[-1]


def test_a_blinded_report_has_one_group_and_tells_no_arm(source: ReportSource, tmp_path: Path) -> None:
    blind = replace(source, results=replace(source.results, allocation=None))
    block = courses_block(blind)
    assert block is not None
    assert [style.label for style in block.groups] == ["All participants"]
    assert {person.group for item in block.outcomes for person in item.people} == {0}
