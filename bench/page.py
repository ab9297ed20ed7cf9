"""The page of the benchmarks, from what was stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
HEAD = """# Benchmarks

`make bench` measures everything below in one run, beside a peer where there is one, and writes this page. A time is
the median of repeats in a warm process, unless the line says that it begins with the start of a program. Ratios say how
many times as long the peer takes. No test of statistics depends on a clock.
"""


def page_of(stored: dict[str, Any]) -> str:
    """The text of the page."""
    facts = "\n".join(f"- {name}: {value}" for name, value in stored["machine"].items() if value)
    lines = ["| what | ours | target | peer | its time | ratio |", "|---|---|---|---|---|---|"]
    lines += [_line(row) for row in stored["rows"]]
    return f"{HEAD}\n## Figures\n\n" + "\n".join(lines) + f"\n\n## Machine\n\n{facts}\n"


def _line(row: dict[str, Any]) -> str:
    target = "" if row["target"] is None else f"{_number(row['target'], row['unit'])}{'' if row['met'] else ', missed'}"
    peer = row["peer_name"]
    time = row["word"] if row["peer"] is None else _number(row["peer"], row["unit"])
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.3g}"
    return f"| {row['what']} | {_number(row['ours'], row['unit'])} | {target} | {peer} | {time} | {ratio} |"


def _number(value: float, unit: str) -> str:
    if unit == "s" and value < 1:
        return f"{1000 * value:.3g} ms"
    return f"{value:.3g} {unit}"


def write_page(results: Path) -> None:
    """Write docs/benchmarks.md."""
    PAGE.write_text(page_of(json.loads(results.read_text("utf-8"))), "utf-8")
