"""Turn what pydantic says about a document into problems in our words."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from equipoise.errors import InputError, Problem
from equipoise.source.document import Document
from equipoise.source.paths import Step

# pydantic's error type -> (rule, what is wrong, what to do); the braces take pydantic's own context.
WORDS: dict[str, tuple[str, str, str]] = {
    "missing": ("missing-key", "the key {key} is missing", "Add it."),
    "extra_forbidden": (
        "unknown-key",
        "the key {key} is not known here",
        "Remove it or correct its spelling.{hint}",
    ),
    "literal_error": ("not-one-of", "the value must be {expected}", "Write one of them."),
    "string_pattern_mismatch": ("bad-format", "the text does not have the required form", "{form}"),
    "string_too_short": (
        "empty-text",
        "the text is empty",
        "Write some text, or leave the key out where it may be.",
    ),
    "string_too_long": ("text-too-long", "the text is longer than {max_length} characters", "Shorten it."),
    "too_short": ("list-too-short", "the list needs at least {min_length} item(s)", "Add what is missing."),
    "too_long": ("list-too-long", "the list takes at most {max_length} items", "Remove what is too much."),
    "greater_than": ("out-of-range", "the number must be greater than {gt:g}", "Write a greater number."),
    "greater_than_equal": ("out-of-range", "the number must be at least {ge:g}", "Write a greater number."),
    "less_than": ("out-of-range", "the number must be less than {lt:g}", "Write a smaller number."),
    "less_than_equal": ("out-of-range", "the number must be at most {le:g}", "Write a smaller number."),
    "string_type": (
        "wrong-type",
        "the value must be text",
        "Write text; put quotes round a number or true/false.",
    ),
    "int_type": (
        "wrong-type",
        "the value must be a whole number",
        "Write digits only: no quotes, no fraction.",
    ),
    "float_type": ("wrong-type", "the value must be a number", "Write a number without quotes."),
    "bool_type": ("wrong-type", "the value must be true or false", "Write true or false without quotes."),
    "tuple_type": (
        "wrong-type",
        "the value must be a list",
        "Write items after hyphens, or in square brackets.",
    ),
    "dict_type": (
        "wrong-type",
        "the value must be a mapping of names to values",
        "Write `name: value` lines.",
    ),
    "model_type": (
        "wrong-type",
        "the value must be a mapping of keys to values",
        "Write `key: value` lines.",
    ),
}

# the regular expressions of the schema, in words
FORMS = {
    r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$": "Write lower-case words joined by hyphens, beginning with a letter.",
    r"^[a-z][a-z0-9_]*$": "Write lower-case words joined by underscores, beginning with a letter.",
    r"^[A-Z][A-Z0-9]{0,7}$": "Write one to eight capital letters or digits, beginning with a letter.",
    r"^[A-Z]{2}$": "Write two capital letters.",
    r"^sha256:[0-9a-f]{64}$": "Write sha256: and 64 hexadecimal digits.",
    r"^[a-z][a-z0-9]*(-[a-z0-9]+)*\.[a-z][a-z0-9]*(-[a-z0-9]+)*$": "Write assessment.test, both by their ids.",
    r"\S": "Write some text that is not blank.",
}

Model = TypeVar("Model", bound=BaseModel)


def validated(
    model: type[Model],
    document: Document,
    data: Any = None,
    at: Sequence[Step] = (),
    *,
    what: str = "protocol",
) -> Model:
    """The document's data (or its part `data` that stands `at` some steps) as a `model`.

    Raises InputError with a problem for everything that does not fit.
    """
    data = document.data if data is None else data
    try:
        return model.model_validate_json(json.dumps(data))
    except ValidationError as error:
        problems = problems_of(error, model, document, at)
        raise InputError(f"{document.file} is not a valid {what}", problems) from None


def problems_of(
    error: ValidationError, model: type[BaseModel], document: Document, at: Sequence[Step] = ()
) -> list[Problem]:
    """The problems in a validation error of data that stand `at` some steps of the document, in its order."""
    details = error.errors(include_url=False)
    lengths: dict[tuple[Step, ...], int] = {}  # of lists of fixed length, such as [lowest, highest]
    found: list[Problem] = []
    for item in details:
        *place, last = item["loc"] or ("",)
        if item["type"] == "missing" and isinstance(last, int):
            lengths[tuple(place)] = max(last + 1, lengths.get(tuple(place), 0))
        elif not _is_echo(item):
            found.append(_problem(item, model, document, tuple(at)))
    for place, length in lengths.items():
        rule, message, remedy = WORDS["too_short"]
        found.append(document.problem((*at, *place), rule, message.format(min_length=length), remedy))
    return sorted(found, key=lambda problem: (problem.line or 0, problem.path, problem.rule))


def _is_echo(details: ErrorDetails) -> bool:
    """Whether a list is called too short only because pydantic does not count the items that are wrong."""
    given = details["input"]
    return (
        details["type"] == "too_short"
        and isinstance(given, list)
        and len(given) >= details.get("ctx", {})["min_length"]
    )


def _problem(details: ErrorDetails, model: type[BaseModel], document: Document, at: tuple[Step, ...]) -> Problem:
    kind, location, context = details["type"], details["loc"], dict(details.get("ctx", {}))
    is_key = location[-1:] == ("[key]",)
    inner = location[:-1] if is_key else location
    steps = (*at, *inner)
    rule, message, remedy = WORDS.get(kind, ("wrong-type", details["msg"].lower(), "Correct the value."))
    context["key"] = repr(steps[-1]) if steps else "document"
    context["form"] = FORMS.get(str(context.get("pattern")), f"It must match {context.get('pattern')}.")
    context["hint"] = _spelling(inner, model) if kind == "extra_forbidden" else ""
    value = steps[-1] if is_key else None
    return document.problem(steps, rule, message.format(**context), remedy.format(**context), value)


def _spelling(steps: Sequence[Step], model: type[BaseModel]) -> str:
    """A known key of the same part that looks like the unknown one."""
    schema = _schema_of(model)
    here: Any = schema
    for step in steps[:-1]:
        here = _resolved(here, schema)
        here = here.get("items", {}) if isinstance(step, int) else here.get("properties", {}).get(step, {})
    known = list(_resolved(here, schema).get("properties", {}))
    close = difflib.get_close_matches(str(steps[-1]), known, n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


@lru_cache
def _schema_of(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(by_alias=True)


def _resolved(part: Any, schema: dict[str, Any]) -> Any:
    for option in part.get("anyOf", ()):
        if option.get("type") != "null":
            part = option
            break
    reference = part.get("$ref")
    return schema["$defs"][reference.rsplit("/", 1)[-1]] if reference else part
