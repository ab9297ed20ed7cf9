"""The page of the mutants, from the stored run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from verification.mutants.score import scores

PAGE = Path(__file__).resolve().parents[2] / "docs" / "mutants.md"
EQUIVALENTS = Path(__file__).with_name("equivalents.yaml")
HEAD = """# Mutants

A test is worth something only if it fails when the program is wrong. So the program is changed in small ways, one at a
time: a comparison is turned or its limit moved, plus and minus, `and` and `or`, `min` and `max` change places, a
constant is one larger, a condition is reversed, the branches of a choice are swapped. Then the tests that come to the
changed function are run. A mutant is killed when one of them fails. It survives when all pass.

`make mutants` tries 200 mutants of all rooms: a fixed sample, drawn by a seed ({seed}) from all changes of these
kinds, which take turns in each room. Unrelated changes of the program leave the sample as it is. Which tests come to
which function is found by running them once. Each mutant has {budget:g} seconds of tests, its own room's before others
and the quick ones first; one whose tests never end counts as killed. The tests that killed are run once more without
any mutant. Mutants that no test could tell from the program are declared by hand in
[equivalents.yaml](../verification/mutants/equivalents.yaml), with the reason, and are no part of the shares.

Why a tool of our own: mutmut 3 rewrites every function into a switch between its mutants, which our tests of the
source would see, and draws no sample; cosmic-ray runs one command for every mutant, and so all tests.

This page is made from the stored run, which has tried {tried} of the 200. {commits}

"""


def page_of(stored: Mapping[str, Any], equivalents: Mapping[str, str]) -> str:
    """The page as Markdown."""
    rows = stored["mutants"]
    head = HEAD.format(
        tried=len(rows),
        seed=stored["seed"],
        budget=stored["budget"],
        commits=_commits(rows),
    )
    lines = ["| room | killed | of | share | target | equivalent | not tried yet |", "|---|---|---|---|---|---|---|"]
    for score in scores(rows, equivalents):
        target = "" if score.target is None else f"{score.target} %"
        cells = (
            score.room,
            score.killed,
            score.tried,
            score.per_cent,
            target,
            score.equivalent or "",
            score.untried or "",
        )
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    alive = [row for row in rows if row["outcome"] == "survived"]
    lines += [
        "",
        "## Survivors",
        "",
        "| id | where | change | tests run | of those that reach it |",
        "|---|---|---|---|---|",
    ]
    lines += [_line(row, row["tests"], row["reaching"]) for row in alive if row["id"] not in equivalents]
    lines += ["", "## Equivalent", "", "| id | where | change | why no test can tell |", "|---|---|---|---|"]
    lines += [_line(row, equivalents[row["id"]]) for row in alive if row["id"] in equivalents]
    return head + "\n".join(lines) + "\n"


def _commits(rows: list[Mapping[str, Any]]) -> str:
    """Which trees were tried: those that survived are tried again as tests are added."""
    counts = Counter(row["commit"] for row in rows)
    return "Commits (mutants tried): " + ", ".join(f"{name} ({count})" for name, count in counts.most_common()) + "."


def _line(row: Mapping[str, Any], *more: object) -> str:
    change = " ".join(f"{row['before']} → {row['after']}".split()).replace("|", "\\|")
    where = f"{row['path'].removeprefix('src/equipoise/')}, {row['function'] or 'module'}"
    return f"| {' | '.join([row['id'], where, f'`{change}`', *map(str, more)])} |"


def write_page(results: Path) -> None:
    """Write docs/mutants.md from the stored run."""
    equivalents = YAML(typ="safe").load(EQUIVALENTS)
    PAGE.write_text(page_of(json.loads(results.read_text("utf-8")), equivalents), "utf-8")
