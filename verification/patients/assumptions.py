"""Which assumption would have to be wrong: global sensitivity of the contrast at month 12 to everything assumed.

    python -m verification.patients.assumptions [base | --quick]

Sobol's first-order and total indices by Saltelli's design (SALib) of the mean difference between treated and untreated
selves of the same people, with the same streams, two infusions a month apart. Writes verification/out/assumptions.json,
a picture and the tables of docs/model/sensitivity.md; --quick prints alone.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from ruamel.yaml import YAML
from SALib.analyze import sobol as indices_of
from SALib.sample import sobol as sample_of

from equipoise.documents.palette import ACTIVE, PLACEBO
from equipoise.patients.effects import Exposure
from equipoise.patients.mechanistic.links import Links
from equipoise.patients.mechanistic.model import simulate_mechanism
from equipoise.patients.mechanistic.people import mechanistic_parameters
from equipoise.patients.population import People
from verification.patients.cohort import source_people
from verification.patients.plots import SETTINGS

HERE = Path(__file__)
RANGES = HERE.with_name("assumptions.yaml")
OUT = HERE.parents[1] / "out" / "assumptions.json"
DOCS = HERE.parents[2] / "docs"
BASE, QUICK, PEOPLE, SEED = 1024, 32, 100, 11
DRAWS = 256
"""Draws at which single assumptions are held at an end of their range."""
MONTH = 365.25 / 12
FEW = 0.01
"""Total indices below this are not printed."""
OUTCOMES = {
    "ln-cpeptide": "ln(2 h C-peptide + 1)",
    "hba1c": "HbA1c, %",
    "effector": "effector T cells, ratio",
    "regulatory-48h": "regulatory T cells 48 h after the second infusion, ratio",
}


@dataclass(frozen=True, slots=True)
class Assumption:
    """A link or a parameter, and the range over which it is moved."""

    name: str
    low: float
    high: float
    link: bool


@cache
def assumptions() -> tuple[Assumption, ...]:
    """Everything that is moved, links first."""
    stored = YAML(typ="safe").load(RANGES.read_text("utf-8"))
    return tuple(
        Assumption(name, *map(float, row["range"]), part == "links")
        for part in ("links", "parameters")
        for name, row in stored[part].items()
    )


@cache
def cohort() -> tuple[People, np.ndarray]:
    """The people, and their study day 0, (1, n), in days since diagnosis."""
    people, _, zero = source_people(mechanistic_parameters(), PEOPLE, SEED)
    return people, zero


def contrasts(values: Mapping[str, float]) -> list[float]:
    """Treated less untreated at month 12, mean over people, for each of OUTCOMES."""
    people, zero = cohort()
    links = Links(**{item.name: values[item.name] for item in assumptions() if item.link})
    table = mechanistic_parameters().changed({i.name: values[i.name] for i in assumptions() if not i.link})
    days = np.stack([zero + MONTH + 2, zero + 12 * MONTH], axis=-1)
    doses = np.stack([zero, zero + MONTH], axis=-1)
    found = []
    for weight in (0.5, 0.0):
        exposure = Exposure(doses, np.full(doses.shape, weight), np.ones(people.shape))
        found.append(simulate_mechanism(people, days, exposure, links, table, "compiled"))
    treated, untreated = found
    return [
        float((np.log1p(treated.cpeptide) - np.log1p(untreated.cpeptide))[..., 1].mean()),
        float((treated.hba1c - untreated.hba1c)[..., 1].mean()),
        float((treated.effector - untreated.effector)[..., 1].mean()),
        float((treated.regulatory - untreated.regulatory)[..., 0].mean()),
    ]


@dataclass(frozen=True, slots=True)
class Indices:
    """Sobol's indices of one outcome, (assumptions,), with the half-widths of their 95 % bootstrap intervals."""

    first: np.ndarray
    first_width: np.ndarray
    total: np.ndarray
    total_width: np.ndarray


def sobol_indices(
    names: list[str], bounds: list[tuple[float, float]], function: Callable[[np.ndarray], np.ndarray], base: int
) -> list[Indices]:
    """Of every outcome of a function of (samples, assumptions) to (samples, outcomes)."""
    problem = {"num_vars": len(names), "names": names, "bounds": [list(pair) for pair in bounds]}
    samples = sample_of.sample(problem, base, calc_second_order=False, seed=SEED)
    values = function(samples)
    found: list[Indices] = []
    for column in values.T:
        made = indices_of.analyze(problem, column, calc_second_order=False, seed=SEED)
        found.append(Indices(*(np.asarray(made[key]) for key in ("S1", "S1_conf", "ST", "ST_conf"))))
    return found


def run(base: int = BASE) -> tuple[list[Indices], np.ndarray]:
    """Indices of every outcome, and the contrasts of all samples, (samples, outcomes)."""
    moved = assumptions()
    names, seen = [item.name for item in moved], list[np.ndarray]()

    def outcomes(samples: np.ndarray) -> np.ndarray:
        values = np.array([contrasts(dict(zip(names, map(float, row), strict=True))) for row in samples])
        seen.append(values)
        return values

    return sobol_indices(names, [(item.low, item.high) for item in moved], outcomes, base), seen[0]


def draws(count: int = DRAWS) -> list[dict[str, float]]:
    """Values of every assumption, spread evenly over the ranges."""
    moved = assumptions()
    names = [item.name for item in moved]
    problem = {"num_vars": len(names), "names": names, "bounds": [[item.low, item.high] for item in moved]}
    samples = sample_of.sample(problem, count, calc_second_order=False, seed=SEED)[:: len(names) + 2]
    return [dict(zip(names, map(float, row), strict=True)) for row in samples]


def kept(found: list[Indices], count: int = DRAWS) -> dict[str, list[float]]:
    """Median share of the C-peptide contrast with an assumption at the low and at the high end of its range.

    Of those that matter for C-peptide; then both ways to C-peptide from the pancreas at once, at nothing.
    """
    chosen, moved = draws(count), assumptions()
    whole = np.array([contrasts(values)[0] for values in chosen])

    def share(**fixed: float) -> float:
        return float(np.median([contrasts(values | fixed)[0] for values in chosen] / whole))

    order = [moved[i] for i in np.argsort(-found[0].total) if found[0].total[i] >= FEW]
    rows = {item.name: [share(**{item.name: item.low}), share(**{item.name: item.high})] for item in order}
    return rows | {"immunomodulation and regeneration": [share(immunomodulation=0.0, regeneration=0.0)]}


def kept_table(rows: Mapping[str, list[float]]) -> str:
    """Ends as rows of the page."""
    lines = ["| held at an end of its range | low end | high end |", "|---|--:|--:|"]
    lines += [f"| `{name}` | {row[0]:.2f} | {'' if len(row) == 1 else f'{row[1]:.2f}'} |" for name, row in rows.items()]
    return "\n".join(lines) + "\n"


def table(found: list[Indices]) -> str:
    """The assumptions by total index of C-peptide; those that matter for nothing are left out and counted."""
    moved, first = assumptions(), found[0]
    order = [i for i in np.argsort(-first.total) if max(item.total[i] for item in found) >= FEW]
    head = " | ".join(f"{label}: total (first)" for label in OUTCOMES.values())
    lines = [f"| assumption | range | {head} |", "|---|---|" + "--:|" * len(found)]
    for i in order:
        cells = " | ".join(f"{max(x.total[i], 0):.2f} ({max(x.first[i], 0):.2f})" for x in found)
        lines.append(f"| `{moved[i].name}` | {moved[i].low:g} to {moved[i].high:g} | {cells} |")
    left = len(moved) - len(order)
    lines.append(f"\n{left} more have a total index below {FEW:g} for every outcome.\n" if left else "")
    return "\n".join(lines)


def picture(found: list[Indices]) -> Figure:
    """Total and first-order indices of C-peptide and HbA1c, with their intervals."""
    moved = assumptions()
    order = [i for i in np.argsort(found[0].total) if max(item.total[i] for item in found[:2]) >= FEW]
    figure = Figure(figsize=(8.6, 0.6 + 0.3 * len(order)), layout="constrained")
    for place, (label, item) in enumerate(zip(OUTCOMES.values(), found[:2], strict=False)):
        axes = figure.add_subplot(1, 2, place + 1)
        rows = np.arange(len(order))
        axes.barh(rows, item.total[order], color=ACTIVE, alpha=0.35, label="total")
        axes.errorbar(item.total[order], rows, xerr=item.total_width[order], fmt="none", ecolor=ACTIVE, lw=1)
        axes.plot(np.maximum(item.first[order], 0), rows, "D", ms=4, color=PLACEBO, label="alone (first order)")
        axes.set_yticks(rows, [moved[i].name for i in order] if place == 0 else [""] * len(order))
        axes.set_title(f"{label}, month 12", fontsize=8.5, loc="left", fontweight="bold")
        axes.set_xlabel("share of the contrast's variance")
        axes.set_xlim(0, None)
    figure.axes[0].legend(loc="lower right", frameon=False)
    return figure


def write(found: list[Indices], values: np.ndarray) -> None:
    """Store, draw, and put the table into the page."""
    names = [item.name for item in assumptions()]
    rows = {
        outcome: {
            name: {
                "first": round(float(x.first[i]), 4),
                "first-half-width": round(float(x.first_width[i]), 4),
                "total": round(float(x.total[i]), 4),
                "total-half-width": round(float(x.total_width[i]), 4),
            }
            for i, name in enumerate(names)
        }
        for outcome, x in zip(OUTCOMES, found, strict=True)
    }
    spread = {
        outcome: [round(float(v), 5) for v in np.percentile(values[:, place], [2.5, 50, 97.5])]
        for place, outcome in enumerate(OUTCOMES)
    }
    OUT.parent.mkdir(exist_ok=True)
    ends = kept(found)
    stored = {"contrasts": spread, "indices": rows, "kept": {k: [round(v, 4) for v in row] for k, row in ends.items()}}
    OUT.write_text(json.dumps(stored, indent=1) + "\n", "utf-8")
    with rc_context(SETTINGS):
        metadata = {"Date": None, "Creator": None, "Format": None}
        picture(found).savefig(DOCS / "pictures" / "model-sensitivity.svg", metadata=metadata)
    page = DOCS / "model" / "sensitivity.md"
    text = page.read_text("utf-8")
    lines = [f"| {OUTCOMES[o]} | {a:.3g} | {b:.3g} | {c:.3g} |" for o, (a, b, c) in spread.items()]
    spread_table = "| treated less untreated | 2.5 % | median | 97.5 % |\n|---|--:|--:|--:|\n" + "\n".join(lines) + "\n"
    for name, made in (("indices", table(found)), ("contrasts", spread_table), ("kept", kept_table(ends))):
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        text = pattern.sub(lambda match, t=made: f"{match[1]}\n{t}\n{match[2]}", text)
    page.write_text(text, "utf-8")
    sys.stdout.write(spread_table + "\n" + table(found) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--quick"]:
        sys.stdout.write(table(run(QUICK)[0]))
    else:
        write(*run(*map(int, sys.argv[1:2])))
