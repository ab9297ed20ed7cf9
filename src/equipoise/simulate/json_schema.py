"""The schema of scenario files as JSON Schema (draft 2020-12).

``python -m equipoise.simulate.json_schema docs/schemas`` writes the published file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from equipoise.protocol.json_schema import schema_of
from equipoise.simulate.scenario_schema import ScenarioDocument

FILE = "scenario-1.json"


def scenario_schema() -> dict[str, Any]:
    """The JSON Schema of a scenario file, ``equipoise/scenario/1``."""
    return schema_of(ScenarioDocument, "scenario", "Scenario of a simulated trial")


def published() -> str:
    """The text of the published file."""
    return json.dumps(scenario_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (Path(sys.argv[1]) / FILE).write_text(published(), encoding="utf-8")
