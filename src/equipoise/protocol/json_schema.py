"""The schemas of protocol and questionnaire files as JSON Schema (draft 2020-12).

They hold the first of the two steps of checking, keys, types and forms, for editors and other programs.
``python -m equipoise.protocol.json_schema docs/schemas`` writes the published files.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from equipoise.protocol.schema.measurement import Questionnaire
from equipoise.protocol.schema.study import ProtocolDocument

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def protocol_schema() -> dict[str, Any]:
    """The JSON Schema of a protocol file, ``equipoise/protocol/1``."""
    return schema_of(ProtocolDocument, "protocol", "Protocol of a clinical trial")


def questionnaire_schema() -> dict[str, Any]:
    """The JSON Schema of a questionnaire file, ``equipoise/questionnaire/1``."""
    return schema_of(Questionnaire, "questionnaire", "Questionnaire")


def published() -> dict[str, str]:
    """The published files: name -> text."""
    schemas = {"protocol-1.json": protocol_schema(), "questionnaire-1.json": questionnaire_schema()}
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas.items()}


def write(folder: Path) -> None:
    """Write the published files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in published().items():
        (folder / name).write_text(text, encoding="utf-8")


def schema_of(model: type[BaseModel], name: str, title: str) -> dict[str, Any]:
    """The JSON Schema of a document whose model is made of our parts."""
    schema = model.model_json_schema(by_alias=True)
    return {"$schema": DIALECT, "$id": f"urn:equipoise:{name}:1", "title": title} | _tidied(schema)


def _tidied(part: Any) -> Any:
    """The schema as we mean it: no titles made from the names of keys, no names but those of the pattern."""
    if isinstance(part, list):
        return [_tidied(item) for item in part]
    if not isinstance(part, dict):
        return part
    tidied = {key: _tidied(value) for key, value in part.items() if key != "title" or isinstance(value, dict)}
    return tidied | {"additionalProperties": False} if "patternProperties" in part else tidied


if __name__ == "__main__":
    write(Path(sys.argv[1]))
