"""Study doses with the product that each held: as it was dispensed, else, where that is not recorded, the arm's.

A product that was not recorded is not a product that was right: whoever uses the arm's says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.records.classes import STUDY_TREATMENT
from equipoise.records.panel import UNKNOWN_ARM, Panel, Rows

Codes = NDArray[np.int64]
UNKNOWN = -1


@dataclass(frozen=True, slots=True, eq=False)
class Doses:
    """The study doses that were given in the trials of a Panel; a row a dose, product and lot, (k,) each.

    trial, person: indices. period: index into the protocol's periods, -1 where not known. number: within the period.
    day: study day. product: index into the protocol's products of what was given, the arm's where not `recorded`.
    planned: of what the arm was to be given; both -1 where not known. recorded: whether a dispensing record says it.
    lot: what was infused. amount, unit: what was given, NaN where not known.
    """

    trial: Codes
    person: Codes
    period: Codes
    number: Floats
    day: Floats
    product: Codes
    planned: Codes
    recorded: Flags
    lot: NDArray[np.str_]
    amount: Floats
    unit: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.trial)

    def chosen(self, flags: Flags) -> Doses:
        """Some of them."""
        return Doses(**{name: getattr(self, name)[flags] for name in self.__slots__})


def doses_given(panel: Panel, trial: int | None = None) -> Doses:
    """Every study dose given, in one trial or in all; without arms a dispensing record alone tells its product."""
    rows = panel.interventions
    given = np.zeros(0, np.int64)
    if rows.columns:
        mine = (rows.columns["treatment"] == STUDY_TREATMENT) & (rows.columns["status"] == "given")
        given = np.flatnonzero(mine if trial is None else mine & (rows.trial == trial))
    index = _Bags(panel, trial)
    lines = [line for place in given for line in _lines(panel, int(place), index)]
    names = Doses.__slots__
    columns = [list(column) for column in zip(*lines, strict=True)] if lines else [[] for _ in names]
    kinds: dict[str, type] = {"recorded": np.bool_, "lot": np.str_, "unit": np.str_}
    kinds |= dict.fromkeys(("number", "day", "amount"), np.float64)
    return Doses(**{n: np.array(c, kinds.get(n, np.int64)) for n, c in zip(names, columns, strict=True)})


def had_active(data: AnalysisData) -> Flags:
    """Who was given an active product in each period or before, (R, n, periods); nobody in a blinded run."""
    panel, protocol = data.panel, data.protocol
    had = np.zeros((*panel.present.shape, len(protocol.periods)), np.bool_)
    if data.blinded:
        return had
    doses = doses_given(panel)
    active = doses.chosen(is_active(data, doses) & (doses.period >= 0))
    for trial, person, period in zip(active.trial, active.person, active.period, strict=True):
        had[trial, person, period:] = True
    return had & panel.present[..., np.newaxis]


def people_given(data: AnalysisData, arm: str | None = None, period: str | None = None) -> Codes:
    """How many people were given an active product, (R,): of an arm or of all, by the end of a period or of the trial.

    The product is the one dispensed where that is recorded, else the arm's. 0 in a blinded run.
    """
    place = -1 if period is None else [item.id for item in data.protocol.periods].index(period)
    members = data.panel.present if arm is None else data.panel.present & data.in_arm(arm)
    return (had_active(data)[..., place] & members).sum(axis=1)


def is_active(data: AnalysisData, doses: Doses) -> Flags:
    """Whether each dose held an active product, (k,)."""
    return np.array([*(item.role == "active" for item in data.protocol.products), False], np.bool_)[doses.product]


class _Bags:
    """The rows of what was dispensed, by dose and by day."""

    def __init__(self, panel: Panel, trial: int | None) -> None:
        self.rows: Rows = panel.dispensed
        self.by_dose: dict[tuple[int, int, str, float], list[int]] = {}
        self.by_day: dict[tuple[int, int, float], list[int]] = {}
        self.order = {item.id: number for number, item in enumerate(panel.protocol.products)}
        column = self.rows.columns
        for place in range(len(self.rows)) if trial is None else np.flatnonzero(self.rows.trial == trial).tolist():
            who = int(self.rows.trial[place]), int(self.rows.participant[place])
            dose = (*who, str(column["period"][place]), float(column["dose_number"][place]))
            self.by_dose.setdefault(dose, []).append(place)
            self.by_day.setdefault((*who, float(column["day"][place])), []).append(place)

    def of(self, trial: int, person: int, period: str, number: float, day: float) -> list[tuple[int, str, float, str]]:
        """Product, lot, amount and unit of the bags of a dose; those of one product and lot are added up."""
        numbered = bool(period) and not np.isnan(number)
        places = self.by_dose.get((trial, person, period, number)) if numbered else None
        places = places if numbered else self.by_day.get((trial, person, day))
        found: dict[tuple[int, str, str], float] = {}
        for place in places or ():
            word = {name: str(self.rows.columns[name][place]) for name in ("product", "lot", "unit")}
            key = self.order[word["product"]], word["lot"], word["unit"]
            found[key] = found.get(key, 0.0) + float(self.rows.columns["amount"][place])
        return [(product, lot, amount, unit) for (product, lot, unit), amount in found.items()]


def _lines(panel: Panel, place: int, bags: _Bags) -> Iterator[tuple[object, ...]]:
    """The values of one intervention in the order of the columns of Doses, once a product and lot."""
    rows, protocol = panel.interventions, panel.protocol
    text = {name: str(rows.columns[name][place]) for name in ("period", "lot", "unit")}
    number, day, amount = (float(rows.columns[name][place]) for name in ("dose_number", "day", "amount"))
    trial, person = int(rows.trial[place]), int(rows.participant[place])
    periods = [item.id for item in protocol.periods]
    period = periods.index(text["period"]) if text["period"] in periods else UNKNOWN
    arm = int(panel.arm[trial, person])
    planned = UNKNOWN
    if arm != UNKNOWN_ARM and period != UNKNOWN:
        planned = bags.order[protocol.arms[arm].treatments[periods[period]]]
    head = (trial, person, period, number, day)
    found = bags.of(trial, person, text["period"], number, day)
    for product, lot, given, unit in found:
        made = lot or (text["lot"] if protocol.products[product].release_tests else "")
        yield (*head, product, planned, True, made, given, unit)
    if not found:
        yield (*head, planned, planned, False, text["lot"], amount, text["unit"])
