"""The picture of strategies shows what the package does now."""

from __future__ import annotations

import pytest

from tools.strategies_picture import FILE, PARTS, picture, seen


@pytest.mark.requirement("STRATEGY-VALUES")
def test_the_picture_of_one_person_under_each_strategy_is_current() -> None:
    assert FILE.read_bytes() == picture()


@pytest.mark.requirement("STRATEGY-VALUES")
def test_the_picture_is_of_every_strategy() -> None:
    shown = {strategy: seen(strategy).at("hba1c", "month-12")[0, 0] for strategy, _, _ in PARTS}
    assert str({name: float(value) for name, value in shown.items()}) == (
        "{'treatment-policy': 8.9, 'hypothetical': nan, 'while-on-treatment': 7.0, 'composite': inf, "
        "'principal-stratum': 8.9}"
    )
