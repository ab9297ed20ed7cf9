"""Write the tables of the pages about people anew, and their plots: `python -m verification.patients.page`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from equipoise.patients.mechanistic.links import LINK_RANGES, Links
from equipoise.patients.mechanistic.people import mechanistic_parameters
from equipoise.patients.parameters import Parameters, default_parameters
from verification.patients.__main__ import PEOPLE, SEED, evaluate
from verification.patients.fit_mechanistic import own_rows
from verification.patients.models import MODELS
from verification.patients.plots import Found, write_plots
from verification.patients.targets import Compared

DOCS = Path(__file__).parents[2] / "docs"


def parameter_table(parameters: Parameters) -> str:
    """Every parameter with unit, value, range and source."""
    lines = ["| parameter | unit | value | range | source |", "|---|---|--:|---|---|"]
    lines += [
        f"| `{row.id}` | {row.unit} | {row.value:g} | {row.low:g} to {row.high:g} | {row.source} |"
        for row in parameters.rows.values()
    ]
    return "\n".join(lines) + "\n"


def target_table(rows: Sequence[Compared]) -> str:
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


def link_table() -> str:
    """Every link of the cells with unit, limits and meaning."""
    lines = ["| link | unit | limits | none | meaning |", "|---|---|---|--:|---|"]
    none = Links()
    lines += [
        f"| `{name}` | {row.unit} | {row.low:g} to {row.high:g} | {getattr(none, name):g} | {row.meaning} |"
        for name, row in LINK_RANGES.items()
    ]
    return "\n".join(lines) + "\n"


def own_parameters() -> Parameters:
    """The rows of the mechanism's own table."""
    everything = mechanistic_parameters()
    return Parameters({name: everything.rows[name] for name in own_rows()})


def pages(found: Found) -> dict[Path, dict[str, str]]:
    """Every page with its generated tables, by the name between its marks."""
    return {
        DOCS / "patients.md": {
            "parameters": parameter_table(default_parameters()),
            "targets": target_table(found["empirical"]),
        },
        DOCS / "model" / "parameters.md": {"parameters": parameter_table(own_parameters()), "links": link_table()},
        DOCS / "model" / "calibration.md": {"targets": target_table(found["mechanistic"])},
    }


def main() -> None:
    """Replace what stands between the marks of the pages."""
    found = {name: evaluate(model.parameters(), PEOPLE, SEED, model) for name, model in MODELS.items()}
    for page, tables in pages(found).items():
        text = page.read_text("utf-8")
        for name, table in tables.items():
            pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
            text = pattern.sub(lambda found, t=table: f"{found[1]}\n{t}\n{found[2]}", text)
        page.write_text(text, "utf-8")
    write_plots(found, DOCS / "pictures")


if __name__ == "__main__":
    main()
