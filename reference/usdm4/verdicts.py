"""What the reference model of USDM 4.0, the package usdm4, takes for sound and what it refuses, class by class.

For every class: a whole object with all its attributes (made from the package's own types), then the same without
each attribute, with a value of a wrong type in each, and with each further class that an attribute may hold. Printed:
the object, and by name of the change whether the package loads it. Its environment is `requirements.txt` beside this
file; `reference/run` uses `.venv` beside it.
"""
# ruff: noqa: INP001 - a script with an environment of its own, in a folder that is no package

import importlib
import json
import pkgutil
import sys
import types
from datetime import date
from importlib.metadata import version
from typing import Any, Literal, Union, get_args, get_origin

import usdm4.api
from pydantic import ValidationError
from usdm4.api.api_base_model import ApiBaseModel

Json = dict[str, Any]
Classes = dict[str, type[ApiBaseModel]]
COMMON = {"id", "instanceType", "extensionAttributes", "notes"}
ABSTRACT = {"Identifier", "PopulationDefinition", "ScheduledInstance", "StudyDesign", "SyntaxTemplate"}
WRONG = {date: "x", str: 3, bool: "x", int: "x", float: "x"}


def main() -> None:
    """Print the verdicts on every class."""
    classes = known()
    verdicts = {name: judged(kind, classes) for name, kind in sorted(classes.items())}
    software = {name: version(name) for name in ("usdm4", "pydantic")}
    json.dump({"software": software, "classes": verdicts}, sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")


def known() -> Classes:
    """Classes that objects may be of: their instanceType is their own name, and they are no extensions."""
    for module in pkgutil.iter_modules(usdm4.api.__path__):
        importlib.import_module(f"usdm4.api.{module.name}")
    found, waiting = {}, [ApiBaseModel]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        field = kind.model_fields.get("instanceType")
        own = field is not None and get_args(field.annotation) == (kind.__name__,)
        if own and "Extension" not in kind.__name__ and kind.__name__ not in ABSTRACT:
            found[kind.__name__] = kind
    return found


def judged(kind: type[ApiBaseModel], classes: Classes) -> Json:
    """The whole object of a class, and whether each change of it is loaded."""
    whole = made(kind, classes, everything=True)
    verdicts = {"whole": loads(kind, whole)}
    for name, field in kind.model_fields.items():
        if name in COMMON:
            continue
        verdicts[f"without {name}"] = loads(kind, {k: v for k, v in whole.items() if k != name})
        verdicts[f"wrong {name}"] = loads(kind, whole | {name: wrong(field.annotation)})
        many, alternatives = held(field.annotation)
        for other in alternatives if len(alternatives) > 1 and alternatives[0] not in WRONG else ():
            value = made(other, classes, everything=False)
            verdicts[f"{name} as {other.__name__}"] = loads(kind, whole | {name: [value] if many else value})
    others = {
        other.__name__: made(other, classes, everything=False)
        for field in kind.model_fields.values()
        for other in held(field.annotation)[1]
        if isinstance(other, type) and issubclass(other, ApiBaseModel) and other.__name__ in classes
    }
    return {"whole": whole, "parts": others, "loads": verdicts}


def made(kind: type[ApiBaseModel], classes: Classes, *, everything: bool) -> Json:
    """An object of a class: all its attributes, or those alone that it needs; what it holds has what it needs."""
    found = {"id": None if kind.__name__ == "Study" else f"{kind.__name__}_1", "instanceType": kind.__name__}
    for name, field in kind.model_fields.items():
        if name not in COMMON and (everything or field.is_required()):
            many, alternatives = held(field.annotation)
            first = alternatives[0]
            value = plain(first) if first in WRONG else made(first, classes, everything=False)
            found[name] = [value] if many else value
    return found


def plain(kind: type) -> object:
    """A value of a type that is no class of the model; JSON has dates as texts."""
    return {date: "2024-02-29", str: "P1D", bool: True, int: 1, float: 1.5}[kind]


def held(annotation: Any) -> tuple[bool, list[type]]:
    """Whether an attribute is a list, and the types that it may hold, without None."""
    origin = get_origin(annotation)
    if origin is list:
        return True, held(get_args(annotation)[0])[1]
    if origin in (Union, types.UnionType):
        parts = [held(one) for one in get_args(annotation) if one is not type(None)]
        return parts[0][0], [kind for _, kinds in parts for kind in kinds]
    if origin is Literal:
        return False, [type(get_args(annotation)[0])]
    known_type = annotation in WRONG or (isinstance(annotation, type) and issubclass(annotation, ApiBaseModel))
    return False, [annotation if known_type else str]


def wrong(annotation: Any) -> object:
    """A value of another type than an attribute has."""
    many, alternatives = held(annotation)
    return "x" if many or alternatives[0] not in WRONG else WRONG[alternatives[0]]


def loads(kind: type[ApiBaseModel], value: Json) -> bool:
    """Whether the package reads the object."""
    try:
        kind.model_validate(json.loads(json.dumps(value)))
    except ValidationError:
        return False
    return True


if __name__ == "__main__":
    main()
