"""The windows in which an event counts against the active product: who was dosed, and until when to wait."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.doses import doses_given, is_active
from equipoise.protocol.schema.treatment import Period, Product
from equipoise.records.classes import STUDY_TREATMENT
from equipoise.records.panel import HELD, Panel


@dataclass(frozen=True, slots=True, eq=False)
class ActiveDoses:
    """The active doses of the participants of one trial; study days, each participant's own.

    days:      per participant the days of the doses given, NaN for one whose day is not recorded.
    first:     (n,) day of the first, infinity for who was given none.
    complete:  (n,) day on which the window of the first period with active doses ends, infinity without one.
    """

    days: list[Floats]
    first: Floats
    complete: Floats


def active_doses(data: AnalysisData, members: Flags, within_days: int) -> ActiveDoses:
    """Of the members; a window ends `within_days` after the period's last active dose, once no dose is awaited.

    The product of a dose is the one dispensed, and where that is not recorded, the arm's.
    """
    people, protocol = data.panel.participants, data.protocol
    days: list[Floats] = [np.zeros(0)] * people
    complete = np.full(people, np.inf)
    doses = doses_given(data.panel, data.trial)
    active = doses.chosen(is_active(data, doses) & members[doses.person])
    for person in np.unique(active.person).tolist():
        own = active.chosen(active.person == person)
        days[person] = own.day
        for place in np.unique(own.period[own.period >= 0]).tolist():
            part, period = own.chosen(own.period == place), protocol.periods[place]
            product = protocol.products[int(part.product[0])]
            recorded = _doses(data, person, period)
            end = _complete(product, period, recorded, float(part.day.max()) + within_days)
            complete[person] = min(complete[person], end)
    first = np.array([np.min(own, initial=np.inf) for own in days])
    return ActiveDoses(days, first, complete)


Dose = tuple[float, float, str]


def _doses(data: AnalysisData, person: int, period: Period) -> list[Dose]:
    """Number, day and status of the doses on record, in their order."""
    rows = data.panel.interventions
    mine = (rows.trial == data.trial) & (rows.participant == person)
    mine &= (rows.columns["treatment"] == STUDY_TREATMENT) & (rows.columns["period"] == period.id)
    columns = (rows.columns[name][mine].tolist() for name in ("dose_number", "day", "status"))
    found = [(float(number), float(day), str(status)) for number, day, status in zip(*columns, strict=True)]
    return sorted(found, key=lambda dose: (np.nan_to_num(dose[0], nan=np.inf), np.nan_to_num(dose[1], nan=np.inf)))


def _complete(product: Product, period: Period, doses: list[Dose], end: float) -> float:
    """The window's last day: `end`, and not before the next dose is known to be missed or overdue."""
    planned = {number: period.first_day + offset for number, offset in enumerate(product.dose_days, start=1)}
    numbers = [number if not np.isnan(number) else float(place) for place, (number, _, _) in enumerate(doses, start=1)]
    last = max(number for number, (_, _, status) in zip(numbers, doses, strict=True) if status == "given")
    missed = {number: day for number, (_, day, status) in zip(numbers, doses, strict=True) if status != "given"}
    for number, day in planned.items():
        if number > last:
            known = missed.get(float(number), np.nan)
            end = max(end, day + product.dose_window_days if np.isnan(known) else known)
    return end


def last_calendar_day(panel: Panel, trial: int) -> float:
    """The latest calendar day in the records of one trial; NaN without days of entry."""
    entry = panel.covariates["entry_day"][trial]
    held = np.where(panel.visit_status[trial] == HELD, panel.visit_day[trial], np.nan)
    days = [entry, entry + panel.covariates["last_contact_day"][trial], (entry[:, None] + held).ravel()]
    for rows, columns in ((panel.events, ("start_day", "end_day")), (panel.interventions, ("day",))):
        mine = rows.trial == trial
        there = [np.asarray(rows.columns[name][mine], np.float64) for name in columns if name in rows.columns]
        days += [entry[rows.participant[mine]] + own for own in there]
    known = np.concatenate(days)
    return float(np.nanmax(known)) if not np.isnan(known).all() else np.nan
