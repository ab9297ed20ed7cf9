"""The page of every registered derivation and method with its options, written from the registry itself.

``python -m equipoise.analysis.options_page docs/options.md`` writes it anew; a test holds the page to it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from equipoise.analysis.registry import Derivation, Method, derivations, methods
from equipoise.protocol.schema.base import Part

HEAD = """# Derivations and methods, with their options

What a protocol may name under `parameters.….derivation` and `analyses.….method`, and what their `options` may hold.
This page is written by `python -m equipoise.analysis.options_page docs/options.md`. Options marked * are needed.
Another package adds its own by an entry point: [Contributing](../CONTRIBUTING.md).
"""
_SIMPLE = {"boolean": "true, false", "integer": "whole number", "number": "number"}


def options_page() -> str:
    """The whole page."""
    parts = [HEAD, "## Derivations", *_listed(derivations().own()), "## Methods", *_listed(methods().own())]
    return "\n".join(parts) + "\n"


def _listed(registered: Mapping[str, Derivation] | Mapping[str, Method]) -> Iterator[str]:
    """Ours by name, each with its options."""
    for name, item in registered.items():
        yield f"\n### `{name}`\n"
        page = f" ([how it works](statistics/{item.page}.md))" if isinstance(item, Method) and item.page else ""
        sentence = _sentence(item.options)
        yield f"{item.title}{page}.{f' Options: {sentence[0].lower()}{sentence[1:]}' if sentence else ''}"
        caution = item.caution if isinstance(item, Derivation) else ""
        if caution:
            yield f"\n**{caution}**"
        rows = list(_rows(item.options))
        if rows:
            yield "\n| option | values | what it says |\n|---|---|---|"
            yield from rows
    yield ""


def _sentence(options: type[Part]) -> str:
    """What the options are, as their class says it; nothing where it only repeats another's."""
    return " ".join((options.__doc__ or "").split())


def _rows(options: type[Part]) -> Iterator[str]:
    schema = options.model_json_schema(by_alias=True)
    for name, field in options.model_fields.items():
        key = field.alias or name
        values = _values(schema["properties"][key], schema.get("$defs", {}))
        told = " ".join((field.description or "").split())
        default = (
            "" if field.is_required() or field.default in (None, (), False) else f" Default: {_shown(field.default)}."
        )
        yield f"| `{key}`{' *' if field.is_required() else ''} | {values} | {told}{default} |"


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    """The values of an option in words."""
    if "$ref" in schema:
        return _values(defs[schema["$ref"].rpartition("/")[2]], defs)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_values(one, defs) for one in schema["anyOf"] if one.get("type") != "null"))
    if "enum" in schema or "const" in schema:
        return ", ".join(str(one) for one in schema.get("enum", [schema.get("const")]))
    kind = schema.get("type")
    if kind == "array":
        inner = schema.get("items") or next(iter(schema.get("prefixItems", [])), {})
        return f"list of {_values(inner, defs)}"
    if kind == "object" and "properties" in schema:
        return "; ".join(f"`{name}` ({_values(one, defs)})" for name, one in schema["properties"].items())
    if kind == "object":
        inner = schema.get("additionalProperties") or next(iter(schema.get("patternProperties", {}).values()), {})
        return f"mapping to {_values(inner, defs)}"
    return _SIMPLE.get(str(kind), "name or text")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(options_page(), encoding="utf-8")
