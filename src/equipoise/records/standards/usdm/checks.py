"""The structure of a USDM document held to the model: classes, attributes, types, references, chains, the schedule."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from equipoise.records.standards.usdm.structure import CHAINED, CLASSES, COMMON, Attribute

Json = dict[str, Any]
_DURATION = re.compile("-?P(?=.)(NY)?(NM)?(NW)?(ND)?(T(?=N)(NH)?(NM)?(NS)?)?\\Z".replace("N", r"\d+(?:[.,]\d+)?"))
_CONCEPT = re.compile(r"C\d{3,7}(x\d+)?\Z|No Concept Code\Z")
"""A concept, one that CDISC has not numbered yet, or its words for none; its own examples have all three."""
CDISC = "http://www.cdisc.org"
MODEL = re.compile(r"4\.0(\.\d+)?\Z")


@dataclass(frozen=True, slots=True)
class Objection:
    """What a document breaks: the rule, where, and how."""

    rule: str
    at: str
    message: str

    def __str__(self) -> str:
        return f"{self.at}: {self.message} [{self.rule}]"


@dataclass(frozen=True, slots=True)
class _Object:
    at: str
    data: Json

    @property
    def kind(self) -> str:
        return str(self.data.get("instanceType"))

    @property
    def id(self) -> str:
        return str(self.data.get("id"))


Found = Iterator[tuple[str, str]]


def usdm_objections(document: object) -> tuple[Objection, ...]:
    """Everything in a document, anybody's, that the model does not allow; never an exception."""
    if not isinstance(document, dict) or not isinstance(document.get("study"), dict):
        return (Objection("USDM-01", "document", "there is no object with a study"),)
    version = document.get("usdmVersion")
    if not isinstance(version, str) or not MODEL.match(version):
        message = f"not checked: the version of the model is {version!r}, and only 4.0 is known here"
        return (Objection("USDM-01", "usdmVersion", message),)
    objects = list(_objects(document["study"], "study"))
    found: list[Objection] = []
    for rule in USDM_RULES[1:]:
        found += [Objection(rule.id, at, message) for at, message in rule.check(objects)]
    return tuple(found)


def object_objections(item: object) -> tuple[Objection, ...]:
    """What the model does not allow in an object by itself: its class, its attributes and their types."""
    objects = list(_objects(item, "object"))
    return tuple(Objection(rule.id, at, message) for rule in USDM_RULES[1:5] for at, message in rule.check(objects))


def _objects(item: Any, at: str) -> Iterator[_Object]:
    if isinstance(item, dict):
        yield _Object(at, item)
        for name, value in item.items():
            if name != "extensionAttributes":
                yield from _objects(value, f"{at}.{name}")
    elif isinstance(item, list):
        for place, value in enumerate(item):
            yield from _objects(value, f"{at}[{place}]")


def _known(objects: list[_Object]) -> Found:
    for item in objects:
        if item.kind not in CLASSES:
            yield item.at, f"the model has no class {item.data.get('instanceType')!r}"
        elif item.kind == "Study" and item.data.get("id") is None:
            continue  # a study gets its id where it is stored; CDISC's own examples have none
        elif not isinstance(item.data.get("id"), str) or not item.data["id"]:
            yield item.at, "the object has no id"


def _complete(objects: list[_Object]) -> Found:
    for item in objects:
        for attribute in CLASSES.get(item.kind, ()):
            value = item.data.get(attribute.name)
            if attribute.required and (value is None or (attribute.name == "name" and value == "")):
                yield f"{item.at}.{attribute.name}", f"a {item.kind} needs it"


def _no_others(objects: list[_Object]) -> Found:
    for item in objects:
        if item.kind in CLASSES:
            known = COMMON | {attribute.name for attribute in CLASSES[item.kind]}
            for name in item.data:
                if name not in known:
                    yield f"{item.at}.{name}", f"a {item.kind} has no such attribute"


def _typed(objects: list[_Object]) -> Found:
    for item in objects:
        for attribute in CLASSES.get(item.kind, ()):
            value = item.data.get(attribute.name)
            if value is None:
                continue
            at = f"{item.at}.{attribute.name}"
            if attribute.many != isinstance(value, list):
                yield at, "a list is wanted" if attribute.many else "one value is wanted, not a list"
                continue
            for one in value if isinstance(value, list) else [value]:
                if not _fits(one, attribute):
                    yield at, f"{' or '.join(attribute.types)} is wanted, not {_shown(one)}"


def _fits(value: object, attribute: Attribute) -> bool:
    if attribute.reference:
        return isinstance(value, str)
    match attribute.types[0]:
        case "text":
            return isinstance(value, str)
        case "bool":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "duration":
            return isinstance(value, str)
        case _:
            return isinstance(value, dict) and value.get("instanceType") in attribute.types


def _shown(value: object) -> str:
    return str(value.get("instanceType")) if isinstance(value, dict) else repr(value)[:60]


def _unique(objects: list[_Object]) -> Found:
    known = [item for item in objects if item.data.get("id") is not None]
    counts = Counter(item.id for item in known)
    for item in known:
        if counts[item.id] > 1:
            yield item.at, f"the id {item.id!r} stands {counts[item.id]} times"


def _resolved(objects: list[_Object]) -> Found:
    kinds = {item.id: item.kind for item in objects}
    for item in objects:
        for attribute in CLASSES.get(item.kind, ()):
            value = item.data.get(attribute.name)
            if not attribute.reference or value is None:
                continue
            for one in value if isinstance(value, list) else [value]:
                if kinds.get(str(one)) not in attribute.types:
                    yield f"{item.at}.{attribute.name}", f"no {' or '.join(attribute.types)} has the id {one!r}"


def _in_order(objects: list[_Object]) -> Found:
    """Where objects name their neighbours; the model lets them stand alone."""
    for kind in CHAINED:
        mine = {item.id: item for item in objects if item.kind == kind}
        for item in mine.values():
            after = mine.get(str(item.data.get("nextId")))
            before = mine.get(str(item.data.get("previousId")))
            if after is not None and after.data.get("previousId") != item.id:
                yield f"{item.at}.nextId", f"the next {kind} names another before it"
            if before is not None and before.data.get("nextId") != item.id:
                yield f"{item.at}.previousId", f"the {kind} before names another after it"
        if mine and all(item.data.get("previousId") is not None for item in mine.values()):
            yield next(iter(mine.values())).at, f"every {kind} has one before it: they go in a circle"


def _coded(objects: list[_Object]) -> Found:
    for item in objects:
        if (
            item.kind == "Code"
            and item.data.get("codeSystem") == CDISC
            and not _CONCEPT.match(str(item.data.get("code")))
        ):
            yield f"{item.at}.code", f"{item.data.get('code')!r} has not the form of CDISC's concepts"


def _durations(objects: list[_Object]) -> Found:
    for item in objects:
        for attribute in CLASSES.get(item.kind, ()):
            value = item.data.get(attribute.name)
            if attribute.types[0] == "duration" and isinstance(value, str) and not _DURATION.match(value):
                yield f"{item.at}.{attribute.name}", f"{value!r} is no duration of ISO 8601"


def _scheduled(objects: list[_Object]) -> Found:
    """Encounters have instances, what is measured is measured at one, and timelines lead to an exit."""
    instances = [item for item in objects if item.kind == "ScheduledActivityInstance"]
    visits = {str(item.data.get("encounterId")) for item in instances}
    listed = (item.data.get("activityIds") for item in instances)
    done = {str(name) for names in listed if isinstance(names, list) for name in names}
    for item in objects:
        if item.kind == "Encounter" and item.id not in visits:
            yield item.at, "the encounter is not scheduled"
        if item.kind == "Activity" and item.data.get("bcSurrogateIds") and item.id not in done:
            yield item.at, "the activity measures something, and no instance of a timeline has it"
        if item.kind == "ScheduleTimeline":
            yield from _walked(item)


def _walked(timeline: _Object) -> Found:
    listed = timeline.data.get("instances")
    mine = {str(one.get("id")): one for one in (listed if isinstance(listed, list) else []) if isinstance(one, dict)}
    reached: dict[str, Json] = {}
    waiting = [str(timeline.data.get("entryId"))]
    while waiting:
        at = waiting.pop()
        if at in mine and at not in reached:
            reached[at] = mine[at]
            waiting += _after(mine[at])
    if len(reached) != len(mine):
        yield f"{timeline.at}.instances", f"{len(mine) - len(reached)} of {len(mine)} are not reached from the entry"
    elif mine and all(one.get("timelineExitId") is None for one in mine.values()):
        yield f"{timeline.at}.instances", "none of them leads to an exit"


def _after(instance: Json) -> list[str]:
    """The instances that may follow: the default one, and those of a decision's conditions."""
    assigned = instance.get("conditionAssignments")
    conditions = [one for one in (assigned if isinstance(assigned, list) else []) if isinstance(one, dict)]
    return [str(instance.get("defaultConditionId")), *(str(one.get("conditionTargetId")) for one in conditions)]


def _cells(objects: list[_Object]) -> Found:
    for design in (item for item in objects if item.kind == "InterventionalStudyDesign"):  # others need no cells
        lists = (design.data.get(name) for name in ("arms", "epochs", "studyCells"))
        arms, epochs, cells = (
            [one for one in found if isinstance(one, dict)] if isinstance(found, list) else [] for found in lists
        )
        counts = Counter((str(cell.get("armId")), str(cell.get("epochId"))) for cell in cells)
        for arm in arms:
            for epoch in epochs:
                count = counts[str(arm.get("id")), str(epoch.get("id"))]
                if count != 1:
                    yield f"{design.at}.studyCells", f"{arm.get('id')} in {epoch.get('id')} has {count} cells, not one"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; docs/usdm.md shows this table."""

    id: str
    demands: str
    check: Callable[[list[_Object]], Found]


USDM_RULES = (
    Rule("USDM-01", "There is a study, in version 4.0 of the model.", lambda objects: iter(())),
    Rule("USDM-02", "Every object has an id and a class of the model.", _known),
    Rule("USDM-03", "Attributes that a class needs have a value.", _complete),
    Rule("USDM-04", "An object has only its class's attributes.", _no_others),
    Rule("USDM-05", "Values have the types of their attributes.", _typed),
    Rule("USDM-06", "An id stands once.", _unique),
    Rule("USDM-07", "An id that is named belongs to an object of the right class.", _resolved),
    Rule(
        "USDM-08",
        "Objects that name the one before and after them are named back, and go in no circle.",
        _in_order,
    ),
    Rule("USDM-09", "Codes in CDISC's system have the form of its concepts.", _coded),
    Rule("USDM-10", "Durations are ISO 8601.", _durations),
    Rule(
        "USDM-11",
        "Encounters and activities with tests are scheduled, and timelines lead to an exit.",
        _scheduled,
    ),
    Rule("USDM-12", "Every arm has one cell in every epoch.", _cells),
)
