"""The pages of docs/statistics: their tables are true. (Their examples run with those of all pages, in tests/docs.)"""

from __future__ import annotations

import re

import numpy as np
import pytest

from equipoise.stats import (
    ADVICE,
    Status,
    ancova_design,
    contrast,
    difference_weights,
    fit_least_squares,
)
from tests.stats.reference import ROOT

PAGES = sorted((ROOT / "docs" / "statistics").glob("*.md"))


def test_the_table_of_codes_is_that_of_the_program():
    lines = (ROOT / "docs" / "statistics" / "index.md").read_text(encoding="utf-8").splitlines()
    rows = [f"| `{s.name}` | {ADVICE[s].message} | {ADVICE[s].advice} |" for s in Status if s != Status.OK]
    assert [line for line in lines if line.startswith("| `")] == rows


@pytest.mark.requirement("STATS-PAGES")
def test_every_page_stands_in_the_index_and_every_link_leads_to_a_page():
    index = next(page for page in PAGES if page.stem == "index").read_text(encoding="utf-8")
    assert {page.name for page in PAGES} - {"index.md"} == set(re.findall(r"\]\(([a-z_]+\.md)\)", index))


METHODS = [page for page in PAGES if page.stem not in ("index", "cdisc_pilot") and "_in_" not in page.stem]


@pytest.mark.requirement("STATS-PAGES")
@pytest.mark.parametrize("page", METHODS, ids=lambda page: page.stem)
def test_a_page_says_what_when_on_which_assumptions_compared_with_what_and_from_where(page):
    heads = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    wanted = (
        r"Model|The test|Rules|Definitions|What is counted",
        r"When to use it|Time at risk",
        r"Assumptions",
        r"Compared with|What the tests compare with",
        r"Sources?",
    )
    for words in wanted:
        assert any(re.fullmatch(words, head) for head in heads), words


def rows():
    """Method, purpose, comparison and place of each row of the index."""
    lines = (ROOT / "docs" / "statistics" / "index.md").read_text(encoding="utf-8").splitlines()
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| [")]
    assert all(len(cells) == 4 for cells in found)
    return found


@pytest.mark.requirement("STATS-REFERENCES")
def test_each_method_names_its_reference_or_the_check_that_stands_instead():
    folders = set()
    for method, _, compared, places in rows():
        named = set(re.findall(r"`reference/([a-z_]+)`", places))
        for folder in named:
            for script in (ROOT / "reference" / folder).glob("*.R"):
                assert script.with_suffix(".json").is_file(), script
        assert named or re.search(r"every|by hand|definition|written out|`scipy|table|exact", compared), method
        folders |= named
    others = {"usdm4"}  # of a standard, not of a method: docs/usdm.md
    assert folders == {path.name for path in (ROOT / "reference").iterdir() if path.is_dir()} - others


@pytest.mark.requirement("STATS-REFERENCES")
def test_each_module_of_the_room_stands_in_the_table():
    named = set(re.findall(r"`equipoise\.stats\.([a-z_]+)", " ".join(row[3] for row in rows())))
    room = {path.stem for path in (ROOT / "src" / "equipoise" / "stats").iterdir() if path.stem[0] != "_"}
    serving = {"arrays", "count_likelihood", "least_squares", "status", "student"}
    assert named == room - serving


def rejected(active, placebo, spread, covariance):
    """The share of 20,000 trials without effect that ANCOVA rejects at 5 %."""
    source = np.random.default_rng(20_260_413)
    arm = np.repeat([1, 0], [active, placebo])
    baseline = source.normal(size=(20_000, active + placebo))
    outcome = 0.7 * baseline + source.normal(size=baseline.shape) * np.array(spread)[1 - arm]
    fit = fit_least_squares(outcome, ancova_design(arm, baseline[..., None], 2), np.ones(baseline.shape, bool))
    return (contrast(fit, difference_weights(1, 0, 3), covariance=covariance).p_value < 0.05).mean()


def test_the_shares_of_false_rejections_are_those_of_the_page():
    page = (ROOT / "docs" / "statistics" / "ancova.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) v (\d+) \| (equal|\d and \d) \| ([\d.]+) % \| ([\d.]+) % \|$", page, re.MULTILINE)
    assert len(rows) == 4
    for active, placebo, words, *printed in rows:
        spread = (1, 1) if words == "equal" else tuple(int(word) for word in words.split(" and "))
        for covariance, share in zip(("model", "hc3"), printed, strict=True):
            found = rejected(int(active), int(placebo), spread, covariance)
            assert f"{100 * found:.1f}" == share, (active, placebo, words, covariance)
