"""The classes of USDM 4.0, all of them: attributes with their types and how often they stand.

`model-4.0.txt` has a line for each class that an object may be of, made by `tools/usdm_model.py` from CDISC's file of
the model (`Deliverables/UML/dataStructure.yml` of cdisc-org/DDF-RA). An attribute is a text; ``?`` after it says that
it may be absent, ``*`` that it is a list, ``+`` one that must be there; after ``:`` stands another type than text:
classes, ``bool``, ``number`` or ``duration`` (ISO 8601), or ``>Class``, the id of an object of that class. Where the
model wants an abstract class, the classes under it stand there.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

COMMON = frozenset({"id", "instanceType", "extensionAttributes", "notes"})


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute: whether it must stand there, whether it is a list, and the types that it may have.

    reference: whether it holds ids of objects of these classes.
    """

    name: str
    required: bool
    many: bool
    types: tuple[str, ...]
    reference: bool


def _attribute(text: str) -> Attribute:
    head, _, kind = text.partition(":")
    mark = head[-1] if head[-1] in "?*+" else ""
    types = tuple(kind.lstrip(">").split("|")) if kind else ("text",)
    return Attribute(head.rstrip("?*+"), mark in ("", "+"), mark in ("*", "+"), types, kind.startswith(">"))


def _model() -> dict[str, tuple[Attribute, ...]]:
    lines = (files("equipoise.records.standards.usdm") / "model-4.0.txt").read_text(encoding="utf-8").splitlines()
    named = (line.partition(":") for line in lines)
    return {name: tuple(map(_attribute, attributes.split())) for name, _, attributes in named}


CLASSES = _model()
CHAINED = tuple(name for name, have in CLASSES.items() if {"previousId", "nextId"} <= {item.name for item in have})
"""Classes whose objects follow one another by previousId and nextId."""
