"""What the placebo data tell about the mechanism's parameters: `python -m verification.patients.informed`.

Around the shipped values, every target that is not in conflict, measured in its tolerance t, is nearly linear in the
parameters, each counted in its own range: J = d(model/t)/d(place in range), by central differences with common random
numbers. From it, for the fitted parameters: the standard error of each where all are free, sqrt(diag((J'J + I)^-1)), in
units of the range, I standing for a weak prior as wide as the range; and the collinearity index of Brun, Reichert &
Kunsch (Water Resour Res 2001;37:1015-1030), 1/sqrt(smallest eigenvalue) of the normalised J'J, of the worst pair. A
tolerance of a target counts as one standard error of it. The same is done with the targets marked `fit` alone, since
those marked `predict` had no part in the fit; and the singular values of J say which combinations the data see.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np

from equipoise.patients.mechanistic.people import mechanistic_parameters
from equipoise.patients.parameters import Parameter, Parameters
from verification.patients.fit_mechanistic import fitted_statistics, own_rows
from verification.patients.targets import read_targets

HERE = Path(__file__)
OUT = HERE.parents[1] / "out" / "informed.json"
PAGE = HERE.parents[2] / "docs" / "model" / "identifiability.md"
PEOPLE, FEW_PEOPLE, SEED, STEP = 10_000, 2000, 5, 0.01
INFORMED, WEAK = 0.1, 0.3
"""Standard errors in units of the range, up to which a parameter is informed, or weakly so."""


def verdict(error: float) -> str:
    """The rule, on a standard error in units of the range."""
    return "informed" if error <= INFORMED else "weakly" if error <= WEAK else "no"


@dataclass(frozen=True, slots=True)
class Told:
    """What the targets say of one parameter.

    sensitivity: length of its column of J. alone, among: standard error in units of its range with all others held,
    and with all fitted ones free (NaN for one that is not fitted). partner: the parameter that can make up for it
    best, and their collinearity index. from_fit: as among, from the targets marked `fit` alone.
    """

    row: Parameter
    fitted: bool
    sensitivity: float
    alone: float
    among: float
    partner: str
    collinearity: float
    from_fit: float = float("nan")

    @property
    def word(self) -> str:
        """Informed, weakly informed or not, by its standard error among the others; alone for what is not fitted."""
        return verdict(self.among if self.fitted else self.alone)


def jacobian(parameters: Parameters, rows: list[Parameter], people: int, seed: int) -> np.ndarray:
    """J, (targets, parameters)."""
    targets = [target for target in read_targets() if target.role != "conflict"]

    def scaled(values: dict[str, float]) -> np.ndarray:
        found = fitted_statistics(parameters.changed(values), people, seed)
        chosen = [t for t in targets if t.id in found]
        return np.array([found[t.id] / ((t.allowed[1] - t.allowed[0]) / 2) for t in chosen])

    columns = []
    for row in rows:
        width = STEP * (row.high - row.low)
        high, low = min(row.value + width, row.high), max(row.value - width, row.low)
        columns.append((scaled({row.id: high}) - scaled({row.id: low})) / ((high - low) / (row.high - row.low)))
    return np.stack(columns, axis=1)


def for_fit(parameters: Parameters, seed: int = SEED) -> np.ndarray:
    """Which rows of J are targets marked `fit`."""
    found = fitted_statistics(parameters, FEW_PEOPLE, seed)
    return np.array([t.role == "fit" for t in read_targets() if t.role != "conflict" and t.id in found])


def directions(j: np.ndarray, names: list[str], most: int = 4) -> list[tuple[float, dict[str, float]]]:
    """Singular values of J, falling, each with the largest weights of its combination of parameters."""
    _, values, axes = np.linalg.svd(j, full_matrices=False)
    found: list[tuple[float, dict[str, float]]] = []
    for value, weights in zip(values, axes, strict=True):
        order = np.argsort(-np.abs(weights))[:most]
        sign = 1.0 if weights[order[0]] >= 0 else -1.0
        found.append((float(value), {names[i]: float(sign * weights[i]) for i in order}))
    return found


def collinearity_index(columns: np.ndarray) -> float:
    """1/sqrt of the smallest eigenvalue of the normalised columns' cross-products; 1 for orthogonal ones."""
    length = np.linalg.norm(columns, axis=0)
    if not (length > 0).all():
        return float("inf")
    unit = columns / length
    smallest = float(np.linalg.eigvalsh(unit.T @ unit)[0])
    return float("inf") if smallest <= 0 else smallest**-0.5


def told(
    parameters: Parameters, people: int = PEOPLE, seed: int = SEED
) -> tuple[list[Told], list[tuple[float, dict[str, float]]]]:
    """What the targets say of every parameter of the mechanism, and of combinations of the fitted ones."""
    rows = [parameters.rows[name] for name in own_rows()]
    fitted = [row.source.startswith("fitted to") for row in rows]
    j = jacobian(parameters, rows, people, seed)
    alone = judged(rows, fitted, j[for_fit(parameters, seed)])
    found = [replace(t, from_fit=f.among) for t, f in zip(judged(rows, fitted, j), alone, strict=True)]
    free = np.flatnonzero(fitted)
    return found, directions(j[:, free], [rows[i].id for i in free])


def judged(rows: list[Parameter], fitted: list[bool], j: np.ndarray) -> list[Told]:
    """The same from J, (targets, parameters)."""
    free = np.flatnonzero(fitted)
    information = j[:, free].T @ j[:, free] + np.eye(free.size)
    errors = dict(zip(free.tolist(), np.sqrt(np.diag(np.linalg.inv(information))).tolist(), strict=True))
    pairs = {pair: collinearity_index(j[:, list(pair)]) for pair in combinations(range(len(rows)), 2)}
    found: list[Told] = []
    for i, row in enumerate(rows):
        mine = {b if a == i else a: v for (a, b), v in pairs.items() if i in (a, b) and np.isfinite(v)}
        partner = max(mine, key=lambda other: mine[other]) if mine else None
        length = float(np.linalg.norm(j[:, i]))
        alone, among = float((length**2 + 1) ** -0.5), errors.get(i, float("nan"))
        likest = ("", float("nan")) if partner is None else (rows[partner].id, mine[partner])
        found.append(Told(row, fitted[i], length, alone, among, *likest))
    return found


def table(found: list[Told], *, fitted: bool) -> str:
    """The fitted parameters, or the assumed ones, the best informed first."""
    chosen = [item for item in found if item.fitted == fitted and not (not fitted and not item.row.assumed)]
    chosen.sort(key=lambda item: item.among if fitted else item.alone)
    error = "standard error, all free" if fitted else "standard error if it alone were fitted"
    more = (" from `fit` targets alone |", "---|") if fitted else ("", "")
    lines = [
        f"| parameter | value | {error}, share of the range | informed |{more[0]} most like | collinearity |",
        f"|---|--:|--:|---|{more[1]}---|--:|",
    ]
    for item in chosen:
        number = item.among if fitted else item.alone
        partner = f"`{item.partner}`" if item.partner else ""
        index = "" if not np.isfinite(item.collinearity) else f"{item.collinearity:.1f}"
        held = f"{item.word} | {verdict(item.from_fit)} ({item.from_fit:.3f})" if fitted else item.word
        lines.append(f"| `{item.row.id}` | {item.row.value:.4g} | {number:.3f} | {held} | {partner} | {index} |")
    return "\n".join(lines) + "\n"


def direction_table(found: list[tuple[float, dict[str, float]]]) -> str:
    """The combinations that the data see less well than one tolerance over their whole range."""
    lines = ["| singular value | combination |", "|--:|---|"]
    for value, weights in found:
        if value < 1:
            lines.append(f"| {value:.2f} | {', '.join(f'{w:+.2f} `{name}`' for name, w in weights.items())} |")
    return "\n".join(lines) + f"\n\n{len(found) - len(lines) + 2} of {len(found)} combinations have a value above 1.\n"


def main(people: int = PEOPLE) -> None:
    """Compute, store, and put the tables into the page."""
    found, combined = told(mechanistic_parameters(), people)
    OUT.parent.mkdir(exist_ok=True)
    rows = [
        {
            "id": t.row.id,
            "fitted": t.fitted,
            "alone": t.alone,
            "among": t.among if t.fitted else None,
            "from-fit-targets": t.from_fit if t.fitted else None,
            "informed": t.word,
        }
        for t in found
    ]
    seen = [{"singular-value": value, "combination": weights} for value, weights in combined]
    OUT.write_text(json.dumps({"parameters": rows, "combinations": seen}, indent=1) + "\n", "utf-8")
    text = PAGE.read_text("utf-8")
    tables = {"fitted": table(found, fitted=True), "assumed": table(found, fitted=False)}
    for name, made in (tables | {"combinations": direction_table(combined)}).items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        text = pattern.sub(lambda match, t=made: f"{match[1]}\n{t}\n{match[2]}", text)
    PAGE.write_text(text, "utf-8")
    sys.stdout.write(table(found, fitted=True) + "\n" + table(found, fitted=False))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
