"""Print and write the tables of targets: `python -m verification.patients [people]`.

Both models of people are held against every target. Beside the tables, verification/out/calibration.json holds for each
model every target with its source, the model's value, the tolerance and whether it is met, and docs/pictures the plots.
The exit status is 1 where a target is missed that is neither in conflict with a higher one nor known to be missed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from equipoise.patients.parameters import Parameters
from verification.patients.cohort import source_cohort
from verification.patients.models import EMPIRICAL, MODELS, Model
from verification.patients.others import other_statistics
from verification.patients.plots import write_plots
from verification.patients.statistics import cpeptide_statistics, hba1c_statistics, insulin_statistics
from verification.patients.targets import Compared, compare

PEOPLE, SEED = 40_000, 7
OUT = Path(__file__).parents[1] / "out" / "calibration.json"
ROLES = {"fit": "fitted", "predict": "predicted", "conflict": "conflicts-with"}


def evaluate(parameters: Parameters, people: int, seed: int, model: Model = EMPIRICAL) -> list[Compared]:
    """Every target against a cohort of this size, in the order of targets.yaml."""
    cohort = source_cohort(parameters, people, seed, model)
    found = cpeptide_statistics(cohort) | hba1c_statistics(cohort) | insulin_statistics(cohort)
    return compare(found | other_statistics(parameters, people, seed, model), model.name)


def show(rows: list[Compared]) -> str:
    """The table as text: target, model, difference, half the allowed width, met or not."""
    lines = [f"{'target':38} {'role':8} {'target':>9} {'model':>9} {'diff':>9} {'allowed':>19}  ok"]
    for row in rows:
        low, high = row.target.allowed
        place = f"{low:.3f} to {high:.3f}"
        numbers = f"{row.target.value:9.3f} {row.model:9.3f} {row.model - row.target.value:9.3f} {place:>19}"
        lines.append(f"{row.target.id:38} {row.target.role:8} {numbers}  {'yes' if row.ok else 'NO'}")
    for role in ("fit", "predict", "conflict"):
        chosen = [row for row in rows if row.target.role == role]
        lines.append(f"{role}: {sum(row.ok for row in chosen)} of {len(chosen)} met")
    return "\n".join(lines) + "\n"


def as_json(row: Compared) -> dict[str, object]:
    """One row of the file."""
    target, (low, high) = row.target, row.target.allowed
    return {
        "id": target.id,
        "quantity": target.quantity,
        "statistic": target.statistic,
        "month": target.month,
        "source": target.source,
        "role": ROLES[target.role],
        "target": target.value,
        "model": round(row.model, 5),
        "difference": round(row.model - target.value, 5),
        "tolerance": [round(low - target.value, 5), round(high - target.value, 5)],
        "ok": row.ok,
        "note": (target.missed or {}).get(row.by, target.note),
    }


def main(people: int = PEOPLE) -> int:
    """Evaluate, print, write."""
    found = {name: evaluate(model.parameters(), people, SEED, model) for name, model in MODELS.items()}
    for name, rows in found.items():
        sys.stdout.write(f"The {name} model\n\n{show(rows)}\n")
    OUT.parent.mkdir(exist_ok=True)
    tables = {name: [as_json(row) for row in rows] for name, rows in found.items()}
    OUT.write_text(json.dumps({"people": people, "seed": SEED, "models": tables}, indent=1) + "\n", "utf-8")
    write_plots(found, OUT.parent)
    return int(any(not row.ok and not row.known for rows in found.values() for row in rows))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
