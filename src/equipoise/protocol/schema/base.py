"""What every part of a protocol document is made of: strict frozen models, identifiers, text, mappings."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

SCHEMAS = ("equipoise/protocol/1", "equipoise/protocol/2")
"""The versions of a protocol document, the newest last."""

SINCE = "since"
"""Where a key's field holds the version that brought it; one that holds none is of version 1."""


def since(version: int, default: Any, **more: Any) -> Any:
    """The field of a key that documents of earlier versions cannot have."""
    return Field(default, json_schema_extra={SINCE: version}, **more)


Identifier = Annotated[
    str,
    Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60),
]
"""Lower-case words joined by hyphens: the name by which other parts of the document refer to this one."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
"""Lower-case words joined by underscores: a variable in an expression."""

Text = Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\S")]
Unit = Annotated[str, Field(min_length=1, max_length=30, pattern=r"\S")]
Reference = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*\.[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=121)]
"""A test of an assessment, as ``assessment.test``."""

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1, le=100_000)]
Day = Annotated[int, Field(ge=-36_500, le=36_500)]
"""A study day, within a century of day 0."""


def read_only(value: Any) -> Any:
    """The value, so wrapped that nobody can change it or anything inside it: lists as tuples, mappings read-only."""
    if isinstance(value, Mapping):
        return MappingProxyType({key: read_only(item) for key, item in value.items()})
    return tuple(read_only(item) for item in value) if isinstance(value, list | tuple) else value


def plain(value: Any) -> Any:
    """The JSON data behind a read-only value: what `read_only` was given."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


TextMapping = Annotated[dict[str, Text], AfterValidator(read_only)]
NumberMapping = Annotated[dict[str, Positive], AfterValidator(read_only)]
WeightMapping = Annotated[dict[Identifier, Number], AfterValidator(read_only)]
IdentifierMapping = Annotated[dict[Identifier, Identifier], AfterValidator(read_only)]
OptionMapping = Annotated[dict[str, Any], AfterValidator(read_only)]


class Part(BaseModel):
    """A part of a protocol document: frozen, and strict about keys and types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)
