"""The part of docs/blinding.md that quotes the stored results: `python -m verification.leak.page` writes it anew."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "blinding.md"
RESULTS = Path(__file__).parent / "results.json"
BEGIN, END = "<!-- results: made by verification/leak/page.py -->", "<!-- end of results -->"


def block(found: dict[str, Any]) -> str:
    """The tables of both tests between their marks."""
    lines = [
        BEGIN,
        "",
        f"{found['trials']} trials of each scenario, {found['draws']} re-draws, seed {found['seed']}{_seconds(found)}.",
        "",
        "| `leak`, role | columns | logistic | trees | null, mean (SD) | bar | planted .3 SD found | passes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for item in found["statistical"]:
        null = f"{item['mean']:.3f} ({item['sd']:.3f})"
        aucs = f"{item['logistic']:.3f} | {item['boosted']:.3f} | {null} | {item['mean'] + 3.1 * item['sd']:.3f}"
        lines.append(f"| {_role(item)} | {item['columns']} | {aucs} | {item['planted_found']} of 10 | {_word(item)} |")
    if found["conditional"]:
        lines += [
            "",
            "| scenario, role | AUC, everything | AUC, allowed | 99.9 % interval of the difference | passes |",
            "|---|---|---|---|---|",
        ]
    for item in found["conditional"]:
        interval = f"{item['lower']:+.3f} to {item['upper']:+.3f}".replace("-", "−")
        head = f"| `{item['scenario']}`, {_role(item)} | {item['everything']:.3f} | {item['allowed']:.3f}"
        lines.append(f"{head} | {interval} | {_word(item)} |")
    return "\n".join([*lines, "", END])


def _seconds(found: dict[str, Any]) -> str:
    seconds = found["processor_seconds"]
    return "" if seconds is None else f", {seconds} seconds of one processor"


def _role(item: dict[str, Any]) -> str:
    return str(item["role"]).replace("-", " ")


def _word(item: dict[str, Any]) -> str:
    return "yes" if item["ok"] else "NO"


def main() -> int:
    """Put the stored results into the page."""
    made = block(json.loads(RESULTS.read_text("utf-8")))
    text = PAGE.read_text("utf-8")
    PAGE.write_text(re.sub(f"{BEGIN}.*?{END}", lambda _: made, text, flags=re.DOTALL), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
