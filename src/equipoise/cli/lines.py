"""Results as lines on a terminal."""

from __future__ import annotations

from typing import Any


def line_of(result: Any) -> str:
    """One result: its estimate with interval and p-value, else why it has none."""
    if result.estimate is None:
        return f"{result.id}: {result.status}"
    # z: no minus before a number that is 0 once it is rounded.
    interval = f" ({_limit(result.lower)}, {_limit(result.upper)})" if result.lower is not None else ""
    if result.p_value is None:
        return f"{result.id}: {result.estimate:z.3f}{interval}"
    p_value = f"p = {result.p_value:.3f}" if result.p_value >= 0.001 else "p < 0.001"
    return f"{result.id}: {result.estimate:z.3f}{interval}, {p_value}"


def _limit(value: float | None) -> str:
    return "no limit" if value is None else f"{value:z.3f}"
