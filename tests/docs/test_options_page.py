"""docs/options.md is what the registry says, and names every registered derivation and method with every option."""

from __future__ import annotations

from pathlib import Path

from equipoise.analysis.options_page import options_page
from equipoise.analysis.registry import derivations, methods

PAGE = Path(__file__).parents[2] / "docs" / "options.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == options_page(), "python -m equipoise.analysis.options_page docs/options.md"


def test_every_name_and_option_stands_there() -> None:
    text = PAGE.read_text("utf-8")
    for name, item in {**derivations(), **methods()}.items():
        assert f"### `{name}`\n" in text
        section = text.split(f"### `{name}`\n")[1].split("\n### ")[0]
        for key, field in item.options.model_fields.items():
            assert f"`{field.alias or key}`" in section, (name, key)
