"""The pages of docs/statistics: their tables are true. (Their examples run with those of all pages, in tests/docs.)"""

from __future__ import annotations

import re

import numpy as np

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


def test_every_page_stands_in_the_index_and_every_link_leads_to_a_page():
    index = next(page for page in PAGES if page.stem == "index").read_text(encoding="utf-8")
    assert {page.name for page in PAGES} - {"index.md"} == set(re.findall(r"\]\(([a-z_]+\.md)\)", index))


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
