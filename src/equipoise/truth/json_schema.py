"""The schema of truth.json, ``equipoise/truth/1``, as JSON Schema (draft 2020-12), from the types of `table`.

``python -m equipoise.truth.json_schema docs/schemas`` writes the published file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from equipoise.truth.table import SCHEMA, AnalysisTruth, EstimandTruth, Population, TruthTable

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAME = "truth-1.json"


def truth_schema() -> dict[str, Any]:
    """The JSON Schema of truth.json."""
    made = TypeAdapter(TruthTable).json_schema()
    made["properties"] = {"schema": {"const": SCHEMA}, **made["properties"]}
    for part in (made, *made["$defs"].values()):
        part["required"] = list(part["properties"])  # as written: nothing is left out
        part["additionalProperties"] = False
        for described in part["properties"].values():
            described.pop("default", None)
    for kind in (TruthTable, EstimandTruth, AnalysisTruth, Population):
        part = made if kind is TruthTable else made["$defs"][kind.__name__]
        part["description"] = (kind.__doc__ or "").split("\n", maxsplit=1)[0]
    return {"$schema": DIALECT, **made, "title": "True values of a simulated trial"}


def published() -> str:
    """The text of the published file."""
    return json.dumps(truth_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (Path(sys.argv[1]) / NAME).write_text(published(), encoding="utf-8")
