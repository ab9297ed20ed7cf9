"""Print and write the table of targets: `python -m verification.patients [people]`.

Beside the table, verification/out/patients.json holds every target with its source, the model's value and whether it is
met. The exit status is 1 where a target is missed that is neither in conflict with a higher one nor known to be missed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from equipoise.patients.parameters import Parameters, default_parameters
from verification.patients.cohort import source_cohort
from verification.patients.others import other_statistics
from verification.patients.statistics import cpeptide_statistics, hba1c_statistics, insulin_statistics
from verification.patients.targets import Compared, compare

PEOPLE, SEED = 40_000, 7
OUT = Path(__file__).parents[1] / "out" / "patients.json"


def evaluate(parameters: Parameters, people: int, seed: int) -> list[Compared]:
    """Every target against a cohort of this size, in the order of targets.yaml."""
    cohort = source_cohort(parameters, people, seed)
    model = cpeptide_statistics(cohort) | hba1c_statistics(cohort) | insulin_statistics(cohort)
    return compare(model | other_statistics(parameters, people, seed))


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
    low, high = row.target.allowed
    return {
        "id": row.target.id,
        "quantity": row.target.quantity,
        "statistic": row.target.statistic,
        "month": row.target.month,
        "source": row.target.source,
        "role": row.target.role,
        "target": row.target.value,
        "model": round(row.model, 5),
        "difference": round(row.model - row.target.value, 5),
        "allowed": [round(low, 5), round(high, 5)],
        "ok": row.ok,
        "note": row.target.note,
    }


def main(people: int = PEOPLE) -> int:
    """Evaluate, print, write."""
    rows = evaluate(default_parameters(), people, SEED)
    sys.stdout.write(show(rows))
    OUT.parent.mkdir(exist_ok=True)
    document = {"people": people, "seed": SEED, "targets": [as_json(row) for row in rows]}
    OUT.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    return int(any(not row.ok and not row.known for row in rows))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
