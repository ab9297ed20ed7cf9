"""docs/standards.md shows every rule as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from equipoise.records.standards.conformance import ADAM_RULES, SDTM_RULES

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "standards.md").read_text(encoding="utf-8")
SOURCES = ROOT / "src" / "equipoise" / "records" / "standards"


@pytest.mark.requirement("STANDARDS-CONFORM")
def test_the_conformance_rules_stand_there_with_their_demands() -> None:
    shown = re.findall(r"^\| `((?:SDTM|ADAM)-\d\d)` \| (.*) \|$", PAGE, re.MULTILINE)
    assert shown == [(rule.id, rule.demands) for rule in (*SDTM_RULES, *ADAM_RULES)]


@pytest.mark.parametrize(
    ("modules", "prefix"), [(("xpt", "transport"), "xpt"), (("dataset_json", "dataset_json_reading"), "json")]
)
def test_every_rule_of_a_format_stands_there_and_no_other(modules: tuple[str, ...], prefix: str) -> None:
    pattern = rf'["`]({prefix}-[a-z-]+)["`]'
    sources = "".join((SOURCES / f"{module}.py").read_text(encoding="utf-8") for module in modules)
    used = set(re.findall(pattern, sources))
    assert used
    assert set(re.findall(pattern, PAGE)) == used
