"""What was given: infusions of each arm and period, the products, how long they took, and what the lots held.

Lots are made for everybody, whatever the arm; only those that were infused are described, and only where the product
that was given has lots: the one dispensed, or where that is not recorded, the arm's. In a blinded run the masked facts
alone are told, of everybody together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.doses import Doses, doses_given
from equipoise.analysis.estimates import population
from equipoise.analysis.recorded import infusions_of, not_recorded_note, unrecorded
from equipoise.analysis.registry import Method, Objection, Outcome
from equipoise.analysis.results import Cell, ResultTable, TableColumn, finite
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier, Part
from equipoise.protocol.schema.inference import Analysis
from equipoise.protocol.schema.treatment import ReleaseTest
from equipoise.records.classes import STUDY_TREATMENT

NUMBERS = ("n", "mean", "sd", "median", "minimum", "maximum")
NOTE = "Release tests are those of lots that were infused as a product that has such tests."
PRODUCT_UNKNOWN = "Product given: not recorded; each infusion counts as the product of its arm."


class Options(Part):
    """Which release tests of the lots are described beside the infusions."""

    lots: tuple[Identifier, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A column: an arm, or everybody; members (n,)."""

    id: str
    label: str
    members: Flags


@dataclass(frozen=True, slots=True)
class Infusions:
    """The study infusions of one trial, planned ones that were not given among them; (k,) each.

    known: whether infusions were recorded at all.
    """

    person: np.ndarray
    period: np.ndarray
    given: Flags
    reason: np.ndarray
    minutes: Floats
    volume: Floats
    known: bool


def _run(data: AnalysisData, analysis: Analysis, options: Options) -> Outcome:
    members = population(data, analysis)[data.trial]
    arms = () if data.blinded else data.protocol.arms
    groups = [Group(arm.id, arm.label, members & data.in_arm(arm.id)[data.trial]) for arm in arms]
    groups.append(Group("all", "All participants", members))
    doses = _infusions(data)
    rows: list[tuple[Cell, ...]] = []
    given = doses_given(data.panel, data.trial)
    for place, period in enumerate(data.protocol.periods):
        within = given.chosen(given.period == place)
        rows += [(period.id, period.label, *row) for row in _given(data, doses, period.id, groups)]
        rows += [(period.id, period.label, *row) for row in _products(data, within, groups, known=doses.known)]
        for name in () if _lost(data, "lot") else options.lots:
            rows += [(period.id, period.label, *row) for row in _tested(data, within, groups, name)]
    columns = (
        TableColumn("period", "Period"),
        TableColumn("period_label", "Label of the period"),
        TableColumn("item", "What"),
        TableColumn("unit", "Unit"),
        TableColumn("statistic", "Statistic"),
        *(TableColumn(group.id, group.label) for group in groups),
    )
    return Outcome(tables=(ResultTable(analysis.id, analysis.label, columns, tuple(rows), tuple(_notes(data))),))


def _notes(data: AnalysisData) -> Iterator[str]:
    """What the lots are, what was not recorded, and which columns of the infusions and lots are withheld."""
    yield NOTE
    if not data.blinded and not data.panel.dispensed.columns:
        yield PRODUCT_UNKNOWN
    if (name := infusions_of(data.protocol)) is not None and unrecorded(data, (name,)):
        yield not_recorded_note(data.protocol, (name,))
    words = {"volume_ml": "volumes", "minutes": "durations", "reason": "reasons for infusions that were not given"}
    lost = [text for name, text in words.items() if _lost(data, name)]
    lost += ["lots"] if _lost(data, "lot") else []
    if lost and data.withheld is not None:
        yield f"{', '.join(lost).capitalize()}: {data.withheld.reason}."


def _lost(data: AnalysisData, column: str) -> bool:
    return data.withheld is not None and data.withheld.column("interventions", column)


def _infusions(data: AnalysisData) -> Infusions:
    rows = data.panel.interventions
    mine = (rows.trial == data.trial) & (rows.columns["treatment"] == STUDY_TREATMENT)
    column = {name: values[mine] for name, values in rows.columns.items()}
    return Infusions(
        rows.participant[mine],
        column["period"],
        column["status"] == "given",
        column["reason"],
        np.asarray(column["minutes"], np.float64),
        np.asarray(column["volume_ml"], np.float64),
        (name := infusions_of(data.protocol)) is None or not unrecorded(data, (name,)),
    )


def _given(data: AnalysisData, doses: Infusions, period: str, groups: list[Group]) -> Iterator[tuple[Cell, ...]]:
    """Participants, infusions, what fell out and why, minutes and volumes."""
    here = doses.period == period
    of = [here & group.members[doses.person] for group in groups]
    people = (int(np.unique(doses.person[own & doses.given]).size) for own in of)
    if not doses.known:
        yield ("Participants with an infusion", "", "count", *(None for _ in groups))
        yield ("Infusions given", "", "count", *(None for _ in groups))
        return
    yield ("Participants with an infusion", "", "count", *people)
    yield ("Infusions given", "", "count", *(int((own & doses.given).sum()) for own in of))
    for reason in sorted({str(word) for word in doses.reason[here & ~doses.given]}):
        missed = (int((own & ~doses.given & (doses.reason == reason)).sum()) for own in of)
        words = "reason withheld" if _lost(data, "reason") else reason or "no reason"
        yield (f"Not given: {words}", "", "count", *missed)
    described = (("Duration", "min", doses.minutes, "minutes"), ("Volume", "mL", doses.volume, "volume_ml"))
    for item, unit, values in ((i, u, v) for i, u, v, column in described if not _lost(data, column)):
        yield from _described(item, unit, [values[own & doses.given] for own in of])


def _products(data: AnalysisData, doses: Doses, groups: list[Group], *, known: bool) -> Iterator[tuple[Cell, ...]]:
    """Doses of each product, by the dispensing records; one line without numbers where there are none."""
    if data.blinded:
        return
    if not known or not data.panel.dispensed.columns:
        yield ("Product given", "", "count", *(None for _ in groups))
        return
    for code, product in enumerate(data.protocol.products):
        mine = doses.recorded & (doses.product == code)
        yield (f"Given: {product.label}", "", "count", *(int((mine & g.members[doses.person]).sum()) for g in groups))
    if not doses.recorded.all():
        rest = (int((~doses.recorded & group.members[doses.person]).sum()) for group in groups)
        yield ("Given: product not recorded", "", "count", *rest)


def _tested(data: AnalysisData, doses: Doses, groups: list[Group], name: str) -> Iterator[tuple[Cell, ...]]:
    """What the infused lots held, of the products that have such a test."""
    if data.blinded:
        return
    test = _test(data.protocol, name)
    assert test is not None, "the plan has checked the names"
    lots, products = data.panel.lots, data.protocol.products
    found: dict[str, float] = {}
    if lots.columns:
        rows = (lots.trial == data.trial) & (lots.columns["test"] == name)
        found = dict(zip(lots.columns["lot"][rows], lots.columns["value"][rows], strict=True))
    tested = np.array([*(any(t.id == name for t in item.release_tests) for item in products), False])[doses.product]
    values = np.array([float(found.get(lot, np.nan)) for lot in doses.lot], np.float64)
    own = [values[tested & group.members[doses.person]] for group in groups]
    yield from _described(test.label, test.unit, own)


def _described(item: str, unit: str, values: list[Floats]) -> Iterator[tuple[Cell, ...]]:
    """A row for each statistic, over the numbers that are there."""
    known = [numbers[~np.isnan(numbers)] for numbers in values]
    for statistic in NUMBERS:
        yield (item, unit, statistic, *(_statistic(statistic, numbers) for numbers in known))


def _statistic(name: str, values: Floats) -> Cell:
    if name == "n":
        return int(values.size)
    if not values.size or (name == "sd" and values.size < 2):
        return None
    functions = {"mean": np.mean, "median": np.median, "minimum": np.min, "maximum": np.max}
    return finite(float(np.std(values, ddof=1)) if name == "sd" else float(functions[name](values)))


def _test(protocol: Protocol, name: str) -> ReleaseTest | None:
    found = (test for product in protocol.products for test in product.release_tests if test.id == name)
    return next(found, None)


def _objections(protocol: Protocol, analysis: Analysis, options: Options) -> Iterator[Objection]:
    known = [test.id for product in protocol.products for test in product.release_tests]
    for index, name in enumerate(options.lots):
        if name not in known:
            remedy = f"Name one of: {', '.join(known) or 'none'}."
            yield Objection(("lots", index), "known-test", f"no product has a release test {name!r}", remedy)
    if analysis.analysis_set is None:
        message = "a table of exposure has an analysis set, not an estimand"
        yield Objection((), "method-needs-set", message, "Name the analysis_set.")


METHOD = Method(
    name="exposure",
    title="What was given",
    options=Options,
    page="adverse_events",
    rows="interventions",
    run=_run,
    objections=_objections,
)
