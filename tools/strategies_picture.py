"""Draw docs/pictures/strategies.svg: one invented person's HbA1c as each strategy for an intercurrent event leaves it.

    python tools/strategies_picture.py

Every value in it is what the package's own view of the estimand gives for a Panel of this one person.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import numpy as np

from equipoise.analysis.analyse import prepare
from equipoise.analysis.data import AnalysisData
from equipoise.analysis.plan import plan
from equipoise.analysis.registry import methods
from equipoise.analysis.strategies import governed, under_strategies
from equipoise.documents.figures.sheet import WIDE, Sheet, finished, quiet
from equipoise.documents.palette import ALERT, INK, MUTED
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import Analysis
from equipoise.records.classes import EVENTS, INTERVENTIONS, STATUSES, ObservationClass
from equipoise.records.panel import COVARIATES, LABELS, Panel, Rows, empty_block

FILE = Path(__file__).parents[1] / "docs" / "pictures" / "strategies.svg"
ESTIMAND, EVENT, ONSET = "hba1c-12", "systemic-steroids", 210.0
VALUES = {"baseline": 10.8, "month-3": 7.4, "month-6": 7.0, "month-9": 8.6, "month-12": 8.9}
BLUE, LIMIT = "#0072B2", 7.0
PARTS = (
    ("treatment-policy", "Treatment policy", "values as measured"),
    ("hypothetical", "Hypothetical", "later values are missing; the model answers"),
    ("while-on-treatment", "While on treatment", "the last value up to the onset"),
    ("composite", "Composite", "from the onset on a failure of the yes/no"),
    ("principal-stratum", "Principal stratum", "not in the stratum of those without it"),
)
LEFT, TOP, ACROSS, DOWN, WIDTH, HEIGHT = 44.0, 66.0, 352.0, 196.0, 300.0, 112.0
FIRST, LAST, LOWEST, HIGHEST = -60.0, 380.0, 6.0, 11.2


def person(protocol: Protocol) -> Panel:
    """A Panel of one trial with one person, at every visit of VALUES on its planned day, who began steroids."""
    visits = [visit.id for visit in protocol.visits]
    blocks = {item.id: empty_block(item, 1, 1) for item in protocol.findings}
    block = blocks["hba1c"]
    for visit, value in VALUES.items():
        block.value[0, 0, block.visits.index(visit)] = value
    covariates = {name: np.zeros((1, 1)) for name in COVARIATES}
    covariates |= {
        "status": np.full((1, 1), float(STATUSES.index("completed"))),
        "last_contact_day": np.full((1, 1), 364.0),
    }
    medicine = {
        "assessment": "concomitant-medication",
        "treatment": "Systemic corticosteroid",
        "status": "given",
        "day": ONSET,
    }
    return Panel(
        protocol=protocol,
        ids=("P1",),
        present=np.ones((1, 1), np.bool_),
        arm=np.zeros((1, 1), np.int8),
        covariates=MappingProxyType(covariates),
        labels=MappingProxyType({name: np.full((1, 1), "") for name in LABELS}),
        visit_day=np.full((1, 1, len(visits)), np.nan),
        visit_status=np.zeros((1, 1, len(visits)), np.int8),
        blocks=MappingProxyType(blocks),
        supplied=MappingProxyType({}),
        events=_rows(EVENTS, []),
        interventions=_rows(INTERVENTIONS, [medicine]),
    )


def _rows(table: ObservationClass, records: list[dict[str, object]]) -> Rows:
    text = {column.name: str(column.kind) == "String" for column in table.columns}
    columns = {
        name: np.array([record.get(name, "" if words else np.nan) for record in records], np.str_ if words else None)
        for name, words in text.items()
    }
    zeros = np.zeros(len(records), np.int64)
    return Rows(zeros, zeros, MappingProxyType(columns))


def seen(strategy: str) -> AnalysisData:
    """The data of the person as a yes/no of HbA1c at most 7 % sees them under a strategy."""
    changes = [f"protocol.estimands.{ESTIMAND}.intercurrent_events.{EVENT}={strategy}"]
    if strategy == "composite":
        changes.append(f'protocol.estimands.{ESTIMAND}.composite={{"{EVENT}": {{"failure": true}}}}')
    if strategy == "principal-stratum":
        chosen = f'{{"{EVENT}": {{"event": "would-not-occur", "assumption": "No arm changes it."}}}}'
        changes.append(f"protocol.estimands.{ESTIMAND}.principal={chosen}")
    protocol = load_protocol("msc-t1d", changes)
    unchanged = plan(load_protocol("msc-t1d"))
    analysis = Analysis(id="own", label="Own", method="proportion", estimand=ESTIMAND, role="exploratory")
    method = governed(methods()["proportion"], analysis, protocol, unchanged.parameters)
    options = method.options.model_validate({"at_most": LIMIT})
    return under_strategies(method, prepare(unchanged, person(protocol)), options)


def picture() -> bytes:
    """The SVG."""
    with quiet():
        sheet = Sheet(WIDE, TOP + 3 * DOWN - 20)
        sheet.write(0, 18, "One person's HbA1c as each strategy leaves it", 15, bold=True)
        sheet.write(
            0, 38, "An invented person who began steroids on day 210; the estimand is at month 12.", 12, colour=MUTED
        )
        for place, (strategy, title, what) in enumerate(PARTS):
            _part(sheet, seen(strategy), LEFT + (place % 2) * ACROSS, TOP + (place // 2) * DOWN, title, what)
        _key(sheet, LEFT + ACROSS, TOP + 2 * DOWN)
        return finished(sheet, "svg")


def _part(sheet: Sheet, data: AnalysisData, left: float, top: float, title: str, what: str) -> None:
    protocol = data.protocol
    base = top + 36 + HEIGHT
    sheet.write(left, top + 10, title, 13, bold=True)
    sheet.write(left, top + 26, what, 12, colour=MUTED)

    def across(day: float) -> float:
        return left + 8 + (day - FIRST) / (LAST - FIRST) * (WIDTH - 16)

    def down(value: float) -> float:
        return base - (value - LOWEST) / (HIGHEST - LOWEST) * HEIGHT

    sheet.line([left, left, left + WIDTH], [top + 36, base, base], colour=MUTED)
    for value in (7, 9, 11):
        sheet.write(left - 5, down(value) + 4, str(value), 11, anchor="right", colour=MUTED)
    for months, day in ((0, 0), (3, 91), (6, 182), (9, 273), (12, 364)):
        sheet.line([across(day), across(day)], [base, base + 4], colour=MUTED)
        sheet.write(across(day), base + 16, str(months), 11, anchor="center", colour=MUTED)
    sheet.line([across(ONSET)] * 2, [top + 36, base], colour=ALERT, width=1.2, dashes=(3, 3))
    days = [float(protocol.visit(visit).day) for visit in VALUES]
    found = [float(data.at("hba1c", visit)[0, 0]) for visit in VALUES]
    measured = list(VALUES.values())
    sheet.line([across(d) for d in days], [down(v) for v in measured], colour=MUTED, width=1.0, alpha=0.45)
    sheet.dots([across(d) for d in days], [down(v) for v in measured], "o", 5, colour=MUTED, fill="#FFFFFF", alpha=0.7)
    if not bool(data.sets["randomised"][0, 0]):
        return
    used = [value if np.isfinite(value) else np.nan for value in found]
    sheet.line([across(d) for d in days], [down(v) for v in used], colour=BLUE, width=2.0)
    own = [(across(d), down(v)) for d, v in zip(days, used, strict=True) if np.isfinite(v)]
    sheet.dots([x for x, _ in own], [y for _, y in own], "o", 6, colour=BLUE)
    failed = [across(d) for d, v in zip(days, found, strict=True) if np.isinf(v)]
    sheet.dots(failed, [top + 44] * len(failed), "X", 8, colour=INK)


def _key(sheet: Sheet, left: float, top: float) -> None:
    lines = (
        ("o", BLUE, "value that the method is given"),
        ("o", MUTED, "value as measured"),
        ("X", INK, "fails the yes/no"),
    )
    y = top + 40
    for marker, colour, text in lines:
        fill = "#FFFFFF" if colour == MUTED else None
        sheet.dots([left + 8], [y - 4], marker, 7, colour=colour, fill=fill)
        sheet.write(left + 24, y, text, 12)
        y += 22
    sheet.line([left + 8, left + 8], [y - 12, y + 4], colour=ALERT, width=1.2, dashes=(3, 3))
    sheet.write(left + 24, y, "onset of the event", 12)
    sheet.write(left, y + 26, "HbA1c in %, months since the first infusion", 12, colour=MUTED)


if __name__ == "__main__":
    FILE.write_bytes(picture())
