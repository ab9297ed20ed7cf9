"""What a role may see before database lock: the one place that reads the protocol's blinding and names the parts.

A pure function of the protocol: nothing here looks at data, so what is withheld can never depend on an arm. The names
are those of parts of records (`masked`): a copy without them is what the role gets, and everything that is made for the
role is made from that copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from equipoise.protocol.model import Assessment, Protocol, Visit
from equipoise.protocol.schema.people import BlindedItem
from equipoise.records.classes import UNSCHEDULED

BLINDED_STATISTICIAN = "blinded-statistician"
ALLOCATION, DISPENSED = "allocation", "dispensed"
COLUMNS = {
    "lots": ("lots", "interventions/lot", "interventions/reason"),
    "dose-volume": (
        "interventions/volume_ml",
        "interventions/minutes",
        "interventions/amount",
        "interventions/unit",
    ),
    "event-text": ("events/term", "events/outcome", "findings/reason", "interventions/reason", "visits/reason"),
}
"""What an item hides that is no assessment -> the parts of records. Reasons are free text; that of an infusion which
was not given may tell of its lot as well. Columns are withheld whole, of every assessment."""
SUPPLIED = "supplied"
UNTIL = {
    "database-lock": "until database lock",
    "end-of-period": "until the end of the period",
    "never": "for good",
}


@dataclass(frozen=True, slots=True)
class View:
    """What is withheld from a role.

    items:      the protocol's items that are kept from it, in the protocol's order.
    allocation: whether the arms, and with them what was dispensed, are withheld.
    lacks:      names of the parts of records that are withheld, sorted.
    """

    role: str
    items: tuple[BlindedItem, ...]
    allocation: bool
    lacks: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing is withheld."""
        return not self.allocation and not self.lacks


def view_of(protocol: Protocol, role: str, *, blinded: bool = False) -> View:
    """What is withheld from `role` before database lock; `blinded`: the allocation in any case.

    A masked role never has the allocation, whatever the items say: that is what masked means. An item that hides the
    allocation withholds what was dispensed too, since products are the arms by another name.
    """
    items = tuple(item for item in protocol.blinding.items if role in item.hidden_from)
    allocation = blinded or role in protocol.blinding.masked or any(item.hides == ALLOCATION for item in items)
    lacks = sorted({name for item in items for name in _parts(protocol, item)})
    return View(role, items, allocation, tuple(lacks))


def _parts(protocol: Protocol, item: BlindedItem) -> Iterator[str]:
    """The parts of records that an item hides."""
    if item.hides == ALLOCATION:
        return
    if item.hides in COLUMNS:
        yield from COLUMNS[item.hides]
        return
    assessment = protocol.assessment(item.hides)
    if assessment.observation_class != "findings":
        yield f"{assessment.observation_class}/assessment={assessment.id}"
        return
    yield SUPPLIED  # values that came with the data may be those of the assessment
    if item.from_ is None:
        yield f"findings/assessment={assessment.id}"
        return
    yield from _from_visit(protocol, assessment, protocol.visit(item.from_))


def _from_visit(protocol: Protocol, assessment: Assessment, first: Visit) -> Iterator[str]:
    """Every visit from the first on, that one included, and unscheduled rows by day.

    Rows of an assessment whose values belong to the visit planned nearest to their day go by day too.
    """
    order = [visit.id for visit in protocol.visits]
    start, day = order.index(first.id), _first_day(protocol, first)
    yield from (f"findings/{assessment.id}/{visit}" for visit in order[start:])
    yield f"findings/{assessment.id}/{UNSCHEDULED}/{day}"
    if assessment.nearest:
        yield from (f"findings/{assessment.id}/{visit}/{day}" for visit in order[:start])


def _first_day(protocol: Protocol, first: Visit) -> int:
    """The planned day of the visit; the day after an infusion that is planned between it and the visit before it.

    A sample between an infusion and the first visit after it is one after the infusion.
    """
    before = max((visit.day for visit in protocol.visits if visit.day < first.day), default=first.day)
    starts = [
        (period, protocol.product(arm.treatments[period.id])) for arm in protocol.arms for period in protocol.periods
    ]
    doses = {period.first_day + offset for period, product in starts for offset in product.dose_days}
    between = [day for day in doses if before <= day < first.day]
    return min(between) + 1 if between else first.day


@dataclass(frozen=True, slots=True)
class Hidden:
    """What records lack, read from the names of their missing parts.

    findings: assessment -> the visits without its findings; assessments: of events and interventions, without any row.
    columns:  ``table/column`` names. tables: whole tables.
    """

    findings: Mapping[str, frozenset[str]]
    assessments: frozenset[str]
    columns: frozenset[str]
    tables: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.findings or self.assessments or self.columns or self.tables)


def hidden_in(protocol: Protocol, lacks: Iterable[str]) -> Hidden:
    """The names of missing parts, sorted out."""
    visits = frozenset(visit.id for visit in protocol.visits)
    findings: dict[str, frozenset[str]] = {}
    assessments, columns, tables = set[str](), set[str](), set[str]()
    for name in lacks:
        table, _, rest = name.partition("/")
        if not rest:
            tables.add(table)
        elif rest.startswith("assessment="):
            assessment = rest.partition("=")[2]
            if table == "findings":
                findings[assessment] = visits
            else:
                assessments.add(assessment)
        elif table == "findings" and "/" in rest:
            assessment, visit, *day = rest.split("/")
            if visit in visits and not day:
                findings[assessment] = findings.get(assessment, frozenset()) | {visit}
        else:
            columns.add(name)
    return Hidden(MappingProxyType(findings), frozenset(assessments), frozenset(columns), frozenset(tables))


def withheld_words(view: View) -> tuple[str, ...]:
    """What is withheld in words, an item each: what a terminal, a report and results say."""
    words = [f"{item.label} ({UNTIL[item.until]})" for item in view.items]
    if view.allocation and not any(item.hides == ALLOCATION for item in view.items):
        words.insert(0, "Allocated arms")
    if view.allocation:
        words.append("Products dispensed")
    return tuple(words)
