"""Analysis datasets of events in ADaM's names: a row an event (OCCDS), and times to the first event (ADTTE)."""

from __future__ import annotations

import numpy as np
import polars as pl

from equipoise.analysis.data import AnalysisData, Floats
from equipoise.analysis.recorded import recorded
from equipoise.protocol.model import Protocol

EVENT_LABELS = {
    "STUDYID": "Study Identifier",
    "USUBJID": "Unique Subject Identifier",
    "AESEQ": "Sequence Number",
    "AECAT": "Kind of Event in the Protocol",
    "AEDECOD": "Dictionary-Derived Term",
    "AEBODSYS": "Body System or Organ Class",
    "ASTDY": "Analysis Start Day from Time Zero",
    "AENDY": "Analysis End Day from Time Zero",
    "AETOXGR": "Standard Toxicity Grade",
    "AELEVEL": "Level of Hypoglycaemia",
    "AESER": "Serious Event",
    "AREL": "Related to Treatment",
    "AEOUT": "Outcome of Event",
    "APERIOD": "Period",
    "APERIODC": "Period (C)",
    "TRTP": "Planned Treatment",
    "TRTEMFL": "Treatment Emergent Analysis Flag",
}
TIME_LABELS = {
    "STUDYID": "Study Identifier",
    "USUBJID": "Unique Subject Identifier",
    "PARAMCD": "Parameter Code",
    "PARAM": "Parameter",
    "AVAL": "Days from Time Zero",
    "CNSR": "Censor",
    "EVNTDESC": "Event or Censoring Description",
    "TRT01P": "Planned Treatment for Period 01",
}


def events_table(data: AnalysisData) -> pl.DataFrame:
    """ADAE: every event of a participant of the trial, by participant and day; periods count from their first day.

    TRTEMFL is Y from the first dose on, where a dose was given.
    """
    panel, protocol = data.panel, data.protocol
    rows = panel.events
    mine = np.flatnonzero((rows.trial == data.trial) & panel.present[data.trial][rows.participant])
    day = np.asarray(rows.columns["start_day"], np.float64)[mine]
    person = rows.participant[mine]
    order = np.lexsort((np.nan_to_num(day, nan=np.inf), person))
    mine, day, person = mine[order], day[order], person[order]
    number = _numbered(person)
    period = _period(protocol, day)
    first = data.panel.covariates["first_dose_day"][data.trial][person]
    columns = {
        "STUDYID": pl.Series([protocol.id] * mine.size, dtype=pl.String),
        "USUBJID": pl.Series([panel.ids[p] for p in person], dtype=pl.String),
        "AESEQ": pl.Series(number, dtype=pl.Int64),
        "AECAT": _words(rows.columns["assessment"][mine]),
        "AEDECOD": _words(rows.columns["term"][mine]),
        "AEBODSYS": _words(rows.columns["category"][mine]),
        "ASTDY": _numbers(day),
        "AENDY": _numbers(rows.columns["end_day"][mine]),
        "AETOXGR": _numbers(rows.columns["grade"][mine]),
        "AELEVEL": _numbers(rows.columns["level"][mine]),
        "AESER": _answers(rows.columns["serious"][mine]),
        "AREL": _answers(rows.columns["related"][mine]),
        "AEOUT": _words(rows.columns["outcome"][mine]),
        "APERIOD": pl.Series([None if p < 0 else int(p) + 1 for p in period], dtype=pl.Int64),
        "APERIODC": pl.Series([None if p < 0 else protocol.periods[p].label for p in period], dtype=pl.String),
        "TRTP": pl.Series([_given(data, int(w), int(p)) for w, p in zip(person, period, strict=True)], dtype=pl.String),
        "TRTEMFL": _words(np.where(day >= first, "Y", "")),
    }
    return pl.DataFrame(columns)


def times_table(data: AnalysisData) -> pl.DataFrame:
    """ADTTE: days from time zero to the first event of each kind that was recorded, or to the last contact.

    Events that are withheld from this analysis have no rows: without them nobody is known to have had none.
    """
    panel, protocol, trial = data.panel, data.protocol, data.trial
    rows, parts = panel.events, list[pl.DataFrame]()
    people = np.flatnonzero(data.sets["randomised"][trial]) if "randomised" in data.sets else np.arange(0)
    last = panel.covariates["last_contact_day"][trial]
    day = np.asarray(rows.columns["start_day"], np.float64)
    for place, item in enumerate(a for a in protocol.assessments if a.observation_class == "events"):
        if not recorded(panel, item.id)[trial] or (data.withheld is not None and data.withheld.events(item.id)):
            continue
        kind = (rows.trial == trial) & (rows.columns["assessment"] == item.id) & (day >= 0)
        first = np.full(panel.participants, np.inf)
        np.minimum.at(first, rows.participant[kind], day[kind])
        seen = np.isfinite(first)
        parts.append(
            pl.DataFrame(
                {
                    "STUDYID": pl.Series([protocol.id] * people.size, dtype=pl.String),
                    "USUBJID": pl.Series([panel.ids[p] for p in people], dtype=pl.String),
                    "PARAMCD": pl.Series([f"TTE{place + 1}"] * people.size, dtype=pl.String),
                    "PARAM": pl.Series([f"Days to the first: {item.label}"] * people.size, dtype=pl.String),
                    "AVAL": _numbers(np.where(seen, first, last)[people]),
                    "CNSR": pl.Series((~seen[people]).astype(np.int64)),
                    "EVNTDESC": pl.Series(["event" if seen[p] else "last contact" for p in people], dtype=pl.String),
                    "TRT01P": pl.Series([_given(data, int(p), 0) for p in people], dtype=pl.String),
                }
            )
        )
    return pl.concat(parts) if parts else pl.DataFrame(schema=dict.fromkeys(TIME_LABELS, pl.String))


def _numbered(person: np.ndarray) -> list[int]:
    """1, 2, 3 … within each participant, whose rows stand together."""
    found: list[int] = []
    for place, who in enumerate(person):
        found.append(found[-1] + 1 if place and who == person[place - 1] else 1)
    return found


def _period(protocol: Protocol, day: Floats) -> np.ndarray:
    """Index of the period that a day lies in; -1 before the first, and for no day."""
    starts = np.array([period.first_day for period in protocol.periods], np.float64)
    return np.where(np.isnan(day), -1, np.searchsorted(starts, day, side="right") - 1)


def _given(data: AnalysisData, person: int, period: int) -> str | None:
    """The product that a participant's arm has in a period; None before, and in a blinded run."""
    code = int(data.panel.arm[data.trial, person])
    if period < 0 or code < 0 or data.blinded:
        return None
    protocol = data.protocol
    return protocol.product(protocol.arms[code].treatments[protocol.periods[period].id]).label


def _words(values: np.ndarray) -> pl.Series:
    return pl.Series([str(value) or None for value in values], dtype=pl.String)


def _numbers(values: np.ndarray) -> pl.Series:
    return pl.Series(np.asarray(values, np.float64)).fill_nan(None)


def _answers(values: np.ndarray) -> pl.Series:
    codes = np.asarray(values, np.float64)
    return pl.Series([None if np.isnan(code) else "Y" if code == 1 else "N" for code in codes], dtype=pl.String)
