"""Write the tables of docs/patients.md anew: `python -m verification.patients.page`."""

from __future__ import annotations

import re
from pathlib import Path

from equipoise.patients.parameters import Parameters, default_parameters
from verification.patients.__main__ import PEOPLE, SEED, evaluate
from verification.patients.targets import Compared

PAGE = Path(__file__).parents[2] / "docs" / "patients.md"


def parameter_table(parameters: Parameters) -> str:
    """Every parameter with unit, value, range and source."""
    lines = ["| parameter | unit | value | range | source |", "|---|---|--:|---|---|"]
    lines += [
        f"| `{row.id}` | {row.unit} | {row.value:g} | {row.low:g} to {row.high:g} | {row.source} |"
        for row in parameters.rows.values()
    ]
    return "\n".join(lines) + "\n"


def target_table(rows: list[Compared]) -> str:
    """Every target with what the model gives; numbers rounded to the tolerance of a simulation of this size."""
    lines = [
        "| target | statistic | month | published | simulated | allowed | role | met |",
        "|---|---|--:|--:|--:|---|---|---|",
    ]
    for row in rows:
        target = row.target
        low, high = target.allowed
        month = "" if target.month is None else f"{target.month:g}"
        number = f"{target.value:g} | {row.model:.3g}"
        lines.append(
            f"| {target.quantity} | {target.statistic} | {month} | {number} | {low:.3g} to {high:.3g} | {target.role} |"
            f" {'yes' if row.ok else '**no**'} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Replace what stands between the marks of the page."""
    text = PAGE.read_text("utf-8")
    tables = {
        "parameters": parameter_table(default_parameters()),
        "targets": target_table(evaluate(default_parameters(), PEOPLE, SEED)),
    }
    for name, table in tables.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        text = pattern.sub(lambda found, t=table: f"{found[1]}\n{t}\n{found[2]}", text)
    PAGE.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
