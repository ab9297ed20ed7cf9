"""What results say of intercurrent events: who had one, and what that did to the values of an estimate."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from equipoise.analysis.comparison import POOLED
from equipoise.analysis.data import ENDING, STRATUM, AnalysisData, Applied, Flags
from equipoise.analysis.recorded import infusions_of, recorded
from equipoise.analysis.results import Cell, ResultTable, TableColumn
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import Estimand, IntercurrentEvent
from equipoise.records.onsets import has_lots, onset, undated

TABLE = "intercurrent-events"
NOT_RECORDED = "occurrence not recorded"
SILENT = "the strategy changes no value"
UNKNOWN = "nobody is known to belong to the stratum"
NOT_IDENTIFIED = "not identified by randomisation"
SHARP = "the test's null hypothesis is that the arm changes neither outcome nor event nor missingness"
WHAT = {
    "hypothetical": "their later values are not used",
    "while-on-treatment": "their last value before it is used",
    "composite": "their outcome is what the estimand declares",
    STRATUM: "who had it is not in the stratum",
}
WOULD = "who did not have it is not in the stratum"
COUNTED = "their count and time at risk end at its onset"
Counts = Mapping[str, int]


def had_events(data: AnalysisData, applied: Applied, visit: str, trial: int) -> dict[str, dict[str, int]]:
    """Event -> arm -> participants of the estimand's population who had it up to the day of a visit.

    An event that the trial did not record is not in it.
    """
    at = applied.days[trial, :, data.panel.visit_index(visit)]
    groups = _groups(data, applied.members[trial], trial)
    return {
        event.id: {arm: int((flags & (applied.onsets[event.id][trial] <= at)).sum()) for arm, flags in groups.items()}
        for event in data.protocol.authored.intercurrent_events
        if event.id in applied.onsets and known(data, event, trial)
    }


def changed_values(data: AnalysisData, applied: Applied, parameter: str, visit: str, trial: int) -> dict[str, Counts]:
    """By arm: values of the estimate that are withheld, and replaced or cut short, by a strategy; who is excluded."""
    place = data.panel.visit_index(visit)
    before, after = (values[parameter][trial][:, place] for values in (applied.unaltered, applied.altered))
    inside = applied.members[trial] & applied.stratum[trial]
    withheld = inside & ~np.isnan(before) & np.isnan(after)
    replaced = inside & ~np.isnan(after) & (np.isnan(before) | (before != after))
    excluded = applied.members[trial] & ~applied.stratum[trial]
    found: dict[str, Counts] = {}
    for word, flags in (("withheld", withheld), ("replaced", replaced), ("excluded", excluded)):
        found[word] = {arm: int(mine.sum()) for arm, mine in _groups(data, flags, trial).items()}
    return found


def strategy_notes(
    data: AnalysisData, applied: Applied, estimand: Estimand, visit: str, trial: int, *, counts: bool, drawn: bool
) -> tuple[str, ...]:
    """A sentence for each event that acts, and what a reader must know of the estimate."""
    protocol = data.protocol
    size = {arm: int(flags.sum()) for arm, flags in _groups(data, applied.members[trial], trial).items()}
    had = had_events(data, applied, visit, trial)
    events = {event.id: event for event in protocol.authored.intercurrent_events}
    notes: list[str] = []
    for name in applied.onsets:
        if name not in had:
            silent = UNKNOWN if estimand.intercurrent_events[name] == STRATUM else SILENT
            notes.append(f"{events[name].label}: {_unknown(data, events[name])}, so that {silent}.")
            continue
        by_arm = had[name]
        strategy = estimand.intercurrent_events[name]
        text = WHAT[strategy]
        if strategy == STRATUM and estimand.principal[name].event == "would-occur":
            text = WOULD
        elif counts and strategy in ENDING:
            text = COUNTED
        people = " and ".join(f"{count} of {size[arm]} {_in(protocol, arm)}" for arm, count in by_arm.items())
        notes.append(f"{events[name].label} ({strategy}): {people} had it by then; {text}.")
        without = int((undated(data.panel, events[name])[trial] & applied.members[trial]).sum())
        if without:
            notes.append(f"{events[name].label}: {without} more without a day, whose values are used as they are.")
        assumption = estimand.principal[name].assumption if strategy == STRATUM else None
        if assumption:
            notes.append(f"The stratum of {events[name].label} is {NOT_IDENTIFIED}. Assumed: {assumption}")
    if drawn:
        notes.append(f"{SHARP[0].upper()}{SHARP[1:]}.")
    return tuple(notes)


def occurrence_table(data: AnalysisData) -> ResultTable | None:
    """Every declared intercurrent event: who of everybody allocated had it, by arm; None where none is declared."""
    events = data.protocol.authored.intercurrent_events
    if not events:
        return None
    panel, trial = data.panel, data.trial
    groups = _groups(data, panel.present[trial] & data.sets.get("randomised", panel.present)[trial], trial)
    columns = (
        TableColumn("event", "Intercurrent event"),
        TableColumn("label", "Label"),
        *(TableColumn(arm, data.protocol.arm(arm).label if arm != POOLED else "Everybody") for arm in groups),
        TableColumn("recorded", "Recorded"),
    )
    rows: list[tuple[Cell, ...]] = []
    for event in events:
        shown = known(data, event, trial)
        happened = np.isfinite(onset(panel, event, data.parameters)[trial]) if shown else None
        counts = (None if happened is None else int((flags & happened).sum()) for flags in groups.values())
        rows.append((event.id, event.label, *counts, "yes" if shown else _unknown(data, event)))
    notes = ("Participants with the event at any time since the allocation.",)
    return ResultTable(TABLE, "Intercurrent events", columns, tuple(rows), notes)


def known(data: AnalysisData, event: IntercurrentEvent, trial: int) -> bool:
    """Whether a trial's records can show the event: it is bound, and what it is bound to was recorded."""
    binding, panel = event.recorded, data.panel
    if binding is None or hidden(data, event):
        return False
    if binding.rule == "lot-failed":
        return bool(has_lots(panel, binding)[trial].any())
    doses = infusions_of(data.protocol) if binding.rule not in (None, "insulin-zero") else None
    assessment = binding.events or binding.interventions or doses
    return assessment is None or bool(recorded(panel, assessment)[trial])


def hidden(data: AnalysisData, event: IntercurrentEvent) -> bool:
    """Whether what an event is bound to is withheld from this analysis: without terms or lots nothing can be found."""
    withheld, binding = data.withheld, event.recorded
    if withheld is None or binding is None:
        return False
    if binding.events is not None:
        return binding.events in withheld.hidden.assessments or withheld.column("events", "term")
    if binding.interventions is not None:
        return binding.interventions in withheld.hidden.assessments
    if binding.rule in (None, "insulin-zero"):
        return False
    if binding.rule in ("lot-failed", "dose-below-range") and withheld.column("lots", "value"):
        return True
    if binding.rule == "period-declined" and withheld.column("interventions", "reason"):
        return True  # by the reason a dose that was declined is told from one that could not be given
    return infusions_of(data.protocol) in withheld.hidden.assessments


def _unknown(data: AnalysisData, event: IntercurrentEvent) -> str:
    """Why an event cannot be found."""
    return data.withheld.reason if data.withheld is not None and hidden(data, event) else NOT_RECORDED


def _groups(data: AnalysisData, flags: Flags, trial: int) -> dict[str, Flags]:
    """Some people (n,) by arm; together in a blinded run."""
    if data.blinded:
        return {POOLED: flags}
    return {arm.id: flags & (data.panel.arm[trial] == index) for index, arm in enumerate(data.protocol.arms)}


def _in(protocol: Protocol, arm: str) -> str:
    return "of all arms together" if arm == POOLED else f"in {protocol.arm(arm).label}"
