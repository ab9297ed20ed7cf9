"""Odd trials end in results with plain words and a report that says so, never in a traceback or a silent blank."""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from equipoise.analysis.results import Result, Results, read_results
from equipoise.documents.figure_tables import behind
from equipoise.documents.model import Document, Paragraph, Table
from equipoise.documents.runs import Missing, plain
from equipoise.report.build import report_document
from equipoise.report.source import read_source
from equipoise.verbs.reporting import report
from equipoise.verbs.verifying import verify
from tests.analysis.odd_trials import ODDITIES, make

pytestmark = pytest.mark.requirement("ANALYSIS-ODD")

BLANK = re.compile(r"\b(nan|NaN|inf)\b|\bNone\b(?! are public)")
WHOLE = ("an-arm-of-one", "everyone-lost-before-month-6", "nobody")
"""Oddities whose folder is reported as a page and verified."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory):
    @cache
    def made(name: str, *, blinded: bool = False) -> Path:
        return make(ODDITIES[name], tmp_path_factory.mktemp(name), blinded=blinded)

    return made


def results_of(folder: Path) -> Results:
    return read_results(folder / "results.json")


def words_of(document: Document) -> list[str]:
    """Everything that a reader of tables and paragraphs meets, the tables behind figures too."""
    tables: list[Table] = [*document.tables(), *(behind(figure) for figure in document.figures())]
    words = [plain(block.text) for block in document.blocks() if isinstance(block, Paragraph)]
    for table in tables:
        words += [plain(cell.text) for row in table.rows for cell in row.cells]
        words += [plain(note) for note in table.notes]
    return words


def missing_reasons(document: Document) -> list[str]:
    tables: list[Table] = [*document.tables(), *(behind(figure) for figure in document.figures())]
    cells = (cell.text for table in tables for row in table.rows for cell in row.cells)
    return [text.reason for text in cells if isinstance(text, Missing)]


def numbers(result: Result) -> list[Any]:
    return [result.estimate, result.lower, result.upper, result.p_value]


@pytest.mark.parametrize("name", ODDITIES)
def test_every_result_has_its_numbers_or_says_why_not(folder, name: str) -> None:
    found = results_of(folder(name))
    assert len(found.results) > 50 and len(found.claims) == 8
    for result in found.results:
        assert result.status and result.status.strip()
        for value in numbers(result):
            assert value is None or not math.isnan(value), result.id
        if result.estimate is None:
            assert result.status != "ok" and len(result.status) > 5, result.id
    for claim in found.claims:
        assert claim.verdict and not BLANK.search(claim.verdict)


@pytest.mark.parametrize("name", ODDITIES)
def test_the_report_says_so_and_shows_no_blank(folder, name: str) -> None:
    document = report_document(read_source(folder(name)))
    for words in words_of(document):
        assert not BLANK.search(words), words
    assert all(reason.strip() and reason != "ok" for reason in missing_reasons(document))
    assumed = next(table for table in document.tables() if table.id == "table-assumed")
    assert all(plain(cell.text).strip() for row in assumed.rows for cell in row.cells)
    assert {"Participants", "Estimates", "Safety", "Claims"} <= {plain(item.title) for item in document.sections}


@pytest.mark.parametrize("name", WHOLE)
def test_the_whole_folder_is_reported_and_verified(folder, name: str) -> None:
    report(folder(name))
    assert verify(folder(name)).results > 50


@pytest.mark.parametrize("name", ["nobody-exercises", "an-arm-of-none", "all-values-equal"])
def test_a_blinded_run_of_it_tells_no_arm(folder, name: str) -> None:
    path = folder(name, blinded=True)
    found = results_of(path)
    assert found.allocation is None
    compared = [result for result in found.results if "-v-" in result.contrast]
    assert compared and all(value is None for result in compared for value in numbers(result))
    assert all("blinded" in result.status for result in compared)
    assert all(set(result.n) <= {"pooled"} for result in found.results)
    for table in found.tables:
        assert not {column.id.split("/")[0] for column in table.columns} & {"group-a", "group-b"}, table.id
        assert not [cell for row in table.rows for cell in row if cell in ("group-a", "group-b")], table.id
    for words in words_of(report_document(read_source(path))):
        assert not BLANK.search(words), words


def by_id(found: Results, name: str) -> Result:
    return next(item for item in found.results if item.analysis == name and "-v-" in item.contrast)


def test_without_an_episode_in_an_arm_there_is_no_ratio_but_a_test(folder) -> None:
    for name in ("no-hypoglycaemia-in-one-arm", "no-hypoglycaemia-on-placebo"):
        found = results_of(folder(name))
        result, permuted = by_id(found, "hypoglycaemia-12"), by_id(found, "hypoglycaemia-12-permuted")
        assert result.estimate is None and re.search("^no one in .* had an event", result.status)
        assert permuted.estimate is None and "one arm has no event" in permuted.status and permuted.p_value is not None
    result = by_id(results_of(folder("no-hypoglycaemia")), "hypoglycaemia-12")
    assert result.estimate is None and "event" in result.status


def test_exercise_that_all_or_none_take_has_no_interaction(folder) -> None:
    for name in ("nobody-exercises", "everybody-exercises"):
        found = results_of(folder(name))
        interactions = [result for result in found.results if result.id.endswith("/interaction")]
        assert len(interactions) == 2 and all(result.estimate is None for result in interactions)
        words = "no one in MSC first (early) has" if name == "nobody-exercises" else "everyone in MSC first (early) has"
        assert all(result.status.startswith(words) for result in interactions)
        assert {claim.id: claim.verdict for claim in found.claims}["c8"] == "not assessable"


def test_a_cytokine_below_its_limit_is_told_by_who_has_any(folder) -> None:
    found = results_of(folder("a-cytokine-below-its-limit"))
    mine = {result.analysis: result for result in found.results if "/il-17/" in result.id and "-v-" in result.contrast}
    assert "over half of an arm's values lie beyond a limit" in mine["cytokines-12"].status
    detectable = mine["cytokines-12-detectable"]
    assert detectable.estimate == 0 and detectable.p_value is None and "no one in either arm" in detectable.status


def test_a_stratum_of_one_keeps_the_model_and_the_design_based_test(folder) -> None:
    found = results_of(folder("one-participant-a-stratum"))
    assert by_id(found, "cpeptide-12").estimate is not None
    permuted = by_id(found, "hypoglycaemia-12-permuted")
    assert permuted.status == "ok" and permuted.p_value is not None


def test_an_infusion_by_mistake_is_told_and_the_arm_stays_as_allocated(folder) -> None:
    found = results_of(folder("the-other-arms-product"))
    told = [row for row in found.table("exposure").rows if "other arm by mistake" in str(row)]
    assert len(told) == 1 and told[0][-3:] == (0, 1, 1)
    assert by_id(found, "cpeptide-12").n == by_id(results_of(folder("duplicate-visits")), "cpeptide-12").n


def test_lost_people_leave_month_12_without_an_estimate(folder) -> None:
    found = results_of(folder("everyone-lost-before-month-6"))
    for name in ("cpeptide-12", "hba1c-12", "cpeptide-24"):
        result = by_id(found, name)
        assert result.estimate is None and result.status != "ok"
    verdicts = {claim.id: claim.verdict for claim in found.claims}
    assert verdicts["c3"] == "not assessable" and verdicts["c1"]


def test_an_arm_of_none_is_a_trial_without_comparison(folder) -> None:
    for name in ("an-arm-of-none", "placebo-of-none", "one-participant-in-all", "nobody"):
        found = results_of(folder(name))
        assert all(result.estimate is None for result in found.results if "-v-" in result.contrast), name


def test_ties_everywhere_give_a_status_and_no_certainty(folder) -> None:
    for name in ("all-values-equal", "values-equal-within-arms"):
        for analysis in ("cpeptide-12", "hba1c-12", "treg-12"):
            result = by_id(results_of(folder(name)), analysis)
            assert result.p_value is None, f"{name}, {analysis}: {result.status}"


def test_values_that_came_twice_count_once(folder) -> None:
    twice, once = (results_of(folder(name)) for name in ("duplicate-visits", "the-other-arms-product"))
    assert by_id(twice, "cpeptide-12").n == by_id(once, "cpeptide-12").n
