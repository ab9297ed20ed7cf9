"""What bears on the claim that a treatment is safe, found in one trial: listings, and the facts for the verdict.

A `signal` is harm, or what should never have been given; a `deviation` is what was planned to be within limits and was
not. Products are those that were dispensed where that is recorded, else the arms'.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from equipoise.analysis.data import AnalysisData, Flags
from equipoise.analysis.doses import UNKNOWN, Doses, doses_given, is_active
from equipoise.analysis.recorded import ANSWERS, infusions_of, recorded, unanswered
from equipoise.analysis.release import SIGNAL, Release, release_of
from equipoise.analysis.results import Cell, ResultTable, TableColumn, finite
from equipoise.analysis.withheld import Withheld
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.treatment import Product
from equipoise.records.classes import STUDY_TREATMENT
from equipoise.records.panel import UNKNOWN_ARM
from equipoise.stats.binomial import clopper_pearson

LEVEL = 0.95
FACTS, LOTS, PRODUCTS, SERIOUS, DEVIATIONS = (
    f"safety-claim{part}" for part in ("", "/lots", "/products", "/serious", "/deviations")
)
"""Ids of the tables."""
UNBLINDING = "unblinding"
"""Events of this assessment are acts of the trial, not of the body."""
AFTER, PROCEDURE = "after an active dose", "no active dose given on or before its start day"
DISPENSED = "Products are those dispensed."
NOT_DISPENSED = "Product given: not recorded, so that each dose counts as the arm's product."
NOT_READ = "Product given: not read in a dry run, so that each dose counts as the product of the drawn arm."
DOSE = (
    TableColumn("participant", "Participant"),
    TableColumn("arm", "Arm"),
    TableColumn("period", "Period"),
    TableColumn("dose_number", "Dose"),
    TableColumn("day", "Study day"),
)
FACTS_TITLE = "Facts behind the verdict on safety"
FACTS_COLUMNS = (TableColumn("fact", "Fact"), TableColumn("label", "What"), TableColumn("value", "Value"))
Row = tuple[Cell, ...]


def safety_tables(data: AnalysisData, *, drawn: bool = False) -> tuple[ResultTable, ...]:
    """The facts and the listings of a trial whose protocol claims safety; nothing in a blinded run.

    drawn: whether arms were drawn anew for a dry run, which does not read what was dispensed.
    """
    if data.blinded or not any(claim.rule == "safety" and claim.parts for claim in data.protocol.claims):
        return ()
    if data.withheld is not None and _rests_on_withheld(data, data.withheld):
        return (
            ResultTable(
                FACTS, FACTS_TITLE, FACTS_COLUMNS, (), (f"lots, infusions or events are {data.withheld.reason}",)
            ),
        )
    doses = doses_given(data.panel, data.trial)
    doses = doses.chosen(data.panel.present[data.trial][doses.person])
    release = release_of(data, doses)
    listings = (
        _lots(data, doses, release),
        _products(data, doses, release),
        _serious(data, doses),
        _deviations(data, doses, release),
    )
    return (_facts(data, doses, release, listings, NOT_READ if drawn else NOT_DISPENSED), *listings)


def _rests_on_withheld(data: AnalysisData, withheld: Withheld) -> bool:
    """Whether lots, infusions or events on which the claim rests are withheld from this analysis."""
    rests = {*watched_events(data.protocol), *filter(None, (infusions_of(data.protocol),))}
    return withheld.column("lots", "passed") or bool(withheld.hidden.assessments & rests)


def watched_events(protocol: Protocol) -> tuple[str, ...]:
    """The events that the claim rests on: those of its stopping rules, and every adverse event (domain AE)."""
    known = [item.id for item in protocol.assessments if item.observation_class == "events"]
    named = {part.analysis for claim in protocol.claims if claim.rule == "safety" for part in claim.parts}
    asked = {str(item.options.get("events")) for item in protocol.analyses if item.id in named}
    asked |= {item.id for item in protocol.assessments if item.domain == "AE"}
    return tuple(name for name in known if name in asked)


def _facts(
    data: AnalysisData, doses: Doses, release: Release, listings: tuple[ResultTable, ...], unknown: str
) -> ResultTable:
    given = int(np.unique(doses.person[is_active(data, doses)]).size)
    zero = clopper_pearson(0, given, level=LEVEL, sides="upper").upper.item() if given else math.nan
    lots, products, serious, deviations = listings
    after = {row[0] for row in serious.rows if row[-1] == AFTER}
    infusions = infusions_of(data.protocol)
    known = infusions is None or bool(recorded(data.panel, infusions)[data.trial])
    dispensed = bool(data.panel.dispensed.columns)
    rows: list[Row] = [
        ("people-given", "People given an active product", given if known else None),
        ("doses", "Study doses given", len(_once(doses)) if known else None),
        ("doses-dispensed", "Of them with a dispensing record", _dispensed(doses) if dispensed else None),
        ("not-recorded", "Not recorded", "; ".join(_not_recorded(data)) or None),
        ("serious-after", "People with a related serious event after an active dose", len(after)),
        ("serious-procedure", "Related serious events without an active dose before", _count(serious, -1, PROCEDURE)),
        ("serious-unanswered", "Events that may be serious and related, not answered", _unanswered(data)),
        ("lots-failed", "Infused lots that failed a gate", len({(row[0], row[5]) for row in lots.rows})),
        ("lots-failed-after", "Of them with a release that failed after infusion", _late(release)),
        ("lots-doubtful", "Infusions whose lot has a result against its word", release.doubtful),
        ("lots-untested", "Infusions whose lot lacks the result of a gate in the records", release.untested),
        ("lots-infused", "Infusions of a product with release tests", release.doses),
        ("wrong-products", "Doses of a product that was not the allocated one", len(products.rows)),
        ("dispensed-astray", "Products that were not allocated, dispensed without such a dose", _astray(data)),
        ("deviations", "Deviations of doses and lots", len(deviations.rows)),
        ("upper", "Upper limit of the share of people with an event where none had one", finite(zero)),
    ]
    notes = (
        DISPENSED if dispensed else unknown,
        f"The limit is the one-sided exact {LEVEL:.0%} limit for 0 of the people given an active product.",
    )
    return ResultTable(FACTS, FACTS_TITLE, FACTS_COLUMNS, tuple(rows), notes)


def _once(doses: Doses) -> set[tuple[int, int, float, float]]:
    """Doses without regard to how many products and lots they held."""
    numbers, days = np.nan_to_num(doses.number, nan=-1.0), np.nan_to_num(doses.day, nan=np.inf)
    columns = (values.tolist() for values in (doses.person, doses.period, numbers, days))
    return set(zip(*columns, strict=True))


def _dispensed(doses: Doses) -> int:
    return len(_once(doses.chosen(doses.recorded)))


def _late(release: Release) -> int:
    return len({item.dose for item in release.failed if item.tier == SIGNAL and item.after_release})


def _count(table: ResultTable, column: int, word: str) -> int:
    return sum(row[column] == word for row in table.rows)


def _not_recorded(data: AnalysisData) -> Iterator[str]:
    """Events that were never collected, and answers without which no event can count."""
    for name in watched_events(data.protocol):
        label = data.protocol.assessment(name).label
        if not recorded(data.panel, name)[data.trial]:
            yield label
            continue
        yield from (f"{label}: {ANSWERS[column]}" for column in unanswered(data, name, ("serious", "related", "grade")))


def _serious_rows(data: AnalysisData) -> Flags:
    """Which events of the trial are serious, of whatever assessment, (rows,)."""
    events = data.panel.events
    mine = (events.trial == data.trial) & (events.columns["assessment"] != UNBLINDING)
    mine &= data.panel.present[data.trial][events.participant]
    return mine & (np.asarray(events.columns["serious"], np.float64) == 1)


def _unanswered(data: AnalysisData) -> int:
    """How many events may be related serious ones, since seriousness or relation has no answer."""
    events = data.panel.events
    serious, related = (np.asarray(events.columns[name], np.float64) for name in ("serious", "related"))
    mine = (events.trial == data.trial) & np.isin(events.columns["assessment"], watched_events(data.protocol))
    mine &= data.panel.present[data.trial][events.participant]
    open_relation = _serious_rows(data) & np.isnan(related)
    return int((open_relation | (mine & np.isnan(serious) & (related == 1))).sum())


def _astray(data: AnalysisData) -> int:
    """How many products that were not the arm's were dispensed for doses that are not recorded as given."""
    rows, made = data.panel.dispensed, data.panel.interventions
    if not rows.columns:
        return 0
    numbered: set[tuple[int, str, float]] = set()
    dated: set[tuple[int, float]] = set()
    if made.columns:
        given = (made.trial == data.trial) & (made.columns["treatment"] == STUDY_TREATMENT)
        for place in np.flatnonzero(given & (made.columns["status"] == "given")):
            who = int(made.participant[place])
            numbered.add((who, str(made.columns["period"][place]), float(made.columns["dose_number"][place])))
            dated.add((who, float(made.columns["day"][place])))
    astray = 0
    for place in np.flatnonzero(rows.trial == data.trial):
        who, column = int(rows.participant[place]), rows.columns
        dose = (who, str(column["period"][place]), float(column["dose_number"][place]))
        arm = int(data.panel.arm[data.trial, who])
        planned = data.protocol.arms[arm].treatments.get(dose[1]) if arm != UNKNOWN_ARM else None
        missing = dose not in numbered and (who, float(column["day"][place])) not in dated
        astray += missing and str(column["product"][place]) != planned
    return astray


def _serious(data: AnalysisData, doses: Doses) -> ResultTable:
    """Related serious events of everybody, those who were never infused among them, by participant and day."""
    events = data.panel.events
    day = np.asarray(events.columns["start_day"], np.float64)
    chosen = np.flatnonzero(_serious_rows(data) & (np.asarray(events.columns["related"], np.float64) == 1))
    # A dose whose product is not known may have been an active one.
    active = doses.chosen(is_active(data, doses) | (doses.product == UNKNOWN))
    rows: list[Row] = []
    for row in sorted(chosen, key=lambda place: (events.participant[place], day[place])):
        person = int(events.participant[row])
        before = active.day[active.person == person]
        # Without a day of its own an event, and without one a dose, may have come in either order.
        before = before if np.isnan(day[row]) else before[~(before > day[row])]
        since = day[row] - before.max() if before.size and not np.isnan([day[row], *before]).any() else math.nan
        grade = float(events.columns["grade"][row])
        rows.append(
            (
                data.panel.ids[person],
                _arm(data, person),
                _whole(day[row]),
                str(events.columns["term"][row]),
                None if math.isnan(grade) else f"grade {grade:.0f}",
                _whole(since),
                AFTER if before.size else PROCEDURE,
            )
        )
    columns = (
        *DOSE[:2],
        DOSE[4],
        TableColumn("term", "Term"),
        TableColumn("grade", "Grade"),
        TableColumn("since_dose", "Days since the last active dose"),
        TableColumn("when", "When"),
    )
    return ResultTable(SERIOUS, "Related serious events", columns, tuple(rows))


def _arm(data: AnalysisData, person: int) -> str | None:
    code = int(data.panel.arm[data.trial, person])
    return data.protocol.arms[code].label if code >= 0 else None


def _whole(value: float) -> int | None:
    return None if math.isnan(value) else int(value)


def _head(data: AnalysisData, doses: Doses, place: int) -> Row:
    """The cells of the columns DOSE."""
    person, period = int(doses.person[place]), int(doses.period[place])
    label = data.protocol.periods[period].label if period != UNKNOWN else None
    numbers = _whole(doses.number[place]), _whole(doses.day[place])
    return (data.panel.ids[person], _arm(data, person), label, *numbers)


def _lots(data: AnalysisData, doses: Doses, release: Release) -> ResultTable:
    rows: list[Row] = []
    for item in release.failed:
        if item.tier == SIGNAL:
            test = item.test
            what = (test.label, test.kind or "kind not stated", test.timing) if test else ("not recorded", None, None)
            head = _head(data, doses, item.dose)
            rows.append((*head, item.lot, *what, item.result, _limits(item.test), item.decision))
    columns = (
        *DOSE,
        TableColumn("lot", "Lot"),
        TableColumn("test", "Release test"),
        TableColumn("kind", "Kind"),
        TableColumn("timing", "Timing"),
        TableColumn("result", "Result"),
        TableColumn("limit", "To pass"),
        TableColumn("decision", "Decision"),
    )
    notes = ("Gates of viability and count are deviations and are listed there.",)
    return ResultTable(LOTS, "Infused lots that failed a gate", columns, tuple(rows), notes)


def _limits(test: object) -> str | None:
    lower, upper, expected, unit = (getattr(test, name, None) for name in ("lower", "upper", "expected", "unit"))
    if expected is not None:
        return str(expected)
    return _range(lower, upper, str(unit or ""))


def _figures(value: float, significant: int) -> str:
    """A number in so many figures; a large one whole, never with an exponent."""
    return f"{value:,.0f}" if abs(value) >= 100_000 else f"{value:.{significant}g}"


def _range(lower: float | None, upper: float | None, unit: str) -> str | None:
    """The limits in words, None where there is none."""
    if lower is None and upper is None:
        return None
    ends = [word for word in (lower, upper) if word is not None]
    words = " to ".join(_figures(end, 6) for end in ends)
    return f"{words if len(ends) == 2 else ('at least ' if upper is None else 'at most ') + words} {unit}".strip()


def _products(data: AnalysisData, doses: Doses, release: Release) -> ResultTable:
    """Doses of another product than the arm's, and of cells of another participant."""
    labels = [*(item.label for item in data.protocol.products), None]
    # Of who was never allocated no product is the right one; of a dose without a period none is known to be wrong.
    known = (doses.planned != UNKNOWN) | (data.panel.arm[data.trial][doses.person] == UNKNOWN_ARM)
    wrong = doses.recorded & known & (doses.product != doses.planned)
    rows: list[Row] = []
    for place in range(len(doses)):
        lot = str(doses.lot[place]) or None
        planned, given = labels[doses.planned[place]], labels[doses.product[place]]
        if wrong[place]:
            rows.append((*_head(data, doses, place), planned, given, lot))
        if place in release.strangers:
            rows.append((*_head(data, doses, place), planned, f"{given}, made for another participant", lot))
    columns = (
        *DOSE,
        TableColumn("allocated", "Allocated product"),
        TableColumn("given", "Product given"),
        TableColumn("lot", "Lot"),
    )
    return ResultTable(PRODUCTS, "Products given that were not the allocated ones", columns, tuple(rows))


@dataclass(frozen=True, slots=True)
class _Amount:
    """What a dose held, in the dose's own unit (per kg where the dose is per kg); NaN where not known or comparable."""

    value: float
    foreign: bool


def _amount(product: Product, doses: Doses, release: Release, place: int) -> _Amount:
    unit = f"{product.dose.unit}/kg" if product.dose.per == "kg" else product.dose.unit
    amount = float(doses.amount[place])
    if not math.isnan(amount) and doses.unit[place] == unit:
        return _Amount(amount, foreign=False)
    measured = release.measured.get(place, math.nan)
    return _Amount(measured, foreign=math.isnan(measured) and not math.isnan(amount))


def _deviations(data: AnalysisData, doses: Doses, release: Release) -> ResultTable:
    """Doses outside their range, gates of viability and count, tests that are only reported."""
    rows: list[Row] = []
    foreign = 0
    for place in range(len(doses)):
        head, lot = _head(data, doses, place), str(doses.lot[place]) or None
        found = [item for item in release.failed if item.dose == place and item.tier != SIGNAL]
        out = False
        if doses.product[place] != UNKNOWN:
            product = data.protocol.products[doses.product[place]]
            low, high, amount = product.dose.lowest, product.dose.highest, _amount(product, doses, release, place)
            foreign += amount.foreign and (low is not None or high is not None)
            below, above = (low is not None and amount.value < low), (high is not None and amount.value > high)
            out = below or above
            if out:
                unit = f"{product.dose.unit}/kg" if product.dose.per == "kg" else product.dose.unit
                what = f"Dose {'below' if below else 'above'} its range"
                rows.append((*head, lot, what, _figures(amount.value, 4), _range(low, high, unit)))
        for item in found:
            test = item.test
            assert test is not None, "a failure without a test is a signal"
            if not (out and test.measures == "dose"):  # the dose is listed already
                use = "gate" if test.use == "gate" else "only reported"
                rows.append((*head, lot, f"{test.label} out of limits ({use})", item.result, _limits(test)))
    columns = (
        *DOSE,
        TableColumn("lot", "Lot"),
        TableColumn("deviation", "Deviation"),
        TableColumn("result", "Result"),
        TableColumn("limit", "Limits"),
    )
    notes = (f"{foreign} doses have an amount in another unit, which was not compared.",) if foreign else ()
    return ResultTable(DEVIATIONS, "Deviations of doses and lots", columns, tuple(rows), notes)
