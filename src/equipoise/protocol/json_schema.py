"""The schemas of protocol and questionnaire files as JSON Schema (draft 2020-12).

They hold the first of the two steps of checking, keys, types and forms, for editors and other programs.
``python -m equipoise.protocol.json_schema docs/schemas`` writes the published files.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from equipoise.protocol.schema.base import SCHEMAS, SINCE
from equipoise.protocol.schema.measurement import Questionnaire
from equipoise.protocol.schema.study import ProtocolDocument

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def protocol_schema(version: int = len(SCHEMAS)) -> dict[str, Any]:
    """The JSON Schema of a protocol file of one version, the newest unless another is asked for."""
    schema = schema_of(ProtocolDocument, "protocol", "Protocol of a clinical trial", version)
    schema["properties"]["schema"] = {"const": SCHEMAS[version - 1], "type": "string"}
    return _used(schema)


def questionnaire_schema() -> dict[str, Any]:
    """The JSON Schema of a questionnaire file, ``equipoise/questionnaire/1``."""
    return schema_of(Questionnaire, "questionnaire", "Questionnaire")


def published() -> dict[str, str]:
    """The published files: name -> text."""
    schemas = {f"protocol-{version}.json": protocol_schema(version) for version in range(1, len(SCHEMAS) + 1)}
    schemas["questionnaire-1.json"] = questionnaire_schema()
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas.items()}


def write(folder: Path) -> None:
    """Write the published files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in published().items():
        (folder / name).write_text(text, encoding="utf-8")


def schema_of(model: type[BaseModel], name: str, title: str, version: int = 1) -> dict[str, Any]:
    """The JSON Schema of a document of one version whose model is made of our parts."""
    schema = model.model_json_schema(by_alias=True)
    return {"$schema": DIALECT, "$id": f"urn:equipoise:{name}:{version}", "title": title} | _tidied(schema, version)


def _tidied(part: Any, version: int) -> Any:
    """The schema as we mean it: no titles made from names of keys, no names but those of the pattern, no later keys."""
    if isinstance(part, list):
        return [_tidied(item, version) for item in part]
    if not isinstance(part, dict):
        return part
    tidied = {
        key: _tidied(value, version)
        for key, value in part.items()
        if (key not in ("title", SINCE) or isinstance(value, dict)) and not _later(value, version)
    }
    return tidied | {"additionalProperties": False} if "patternProperties" in part else tidied


def _later(part: Any, version: int) -> bool:
    """Whether this is a key that a later version brought."""
    return isinstance(part, dict) and isinstance(part.get(SINCE), int) and part[SINCE] > version


def _used(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without definitions that nothing in it refers to."""
    named = set(re.findall(r'"#/\$defs/(\w+)"', json.dumps({**schema, "$defs": {}})))
    seen: set[str] = set()
    while named - seen:
        name = min(named - seen)
        seen.add(name)
        named |= set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(schema["$defs"][name])))
    return schema | {"$defs": {name: part for name, part in schema["$defs"].items() if name in seen}}


if __name__ == "__main__":
    write(Path(sys.argv[1]))
