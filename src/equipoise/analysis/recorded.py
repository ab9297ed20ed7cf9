"""What was recorded at all: that nothing is there says nothing where nobody asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from equipoise.analysis.data import AnalysisData, Flags
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.measurement import Parameter
from equipoise.records.panel import Panel

NOT_RECORDED = "not recorded"
ANSWERS = {"serious": "seriousness", "related": "relation to the treatment", "grade": "grade", "level": "level"}
"""Columns of the events that answer a question about each, and what the question is about."""


def recorded(panel: Panel, assessment: str) -> Flags:
    """Whether each trial recorded an assessment, (R,): it has rows, or the records say that it was asked for."""
    if assessment in panel.collected:
        return np.ones(panel.trials, np.bool_)
    found = np.zeros(panel.trials, np.bool_)
    if assessment in panel.blocks:
        block = panel.blocks[assessment]
        return np.asarray((~np.isnan(block.value) | block.asked).any(axis=(1, 2, 3, 4)))
    for rows in (panel.events, panel.interventions):
        if rows.columns:
            found[rows.trial[rows.columns["assessment"] == assessment]] = True
    return found


def unrecorded(data: AnalysisData, assessments: Iterable[str]) -> list[str]:
    """Which of the assessments the data's trial did not record."""
    return [name for name in assessments if not recorded(data.panel, name)[data.trial]]


def answered(panel: Panel, assessment: str, columns: Iterable[str]) -> Flags:
    """Whether some event of each trial answers each of the columns, (R,); without events there is nothing to answer."""
    rows, found = panel.events, np.ones(panel.trials, np.bool_)
    if not rows.columns:
        return found
    mine = rows.columns["assessment"] == assessment
    has_events = np.bincount(rows.trial[mine], minlength=panel.trials) > 0
    for column in columns:
        there = mine & ~np.isnan(np.asarray(rows.columns[column], np.float64))
        found &= ~has_events | (np.bincount(rows.trial[there], minlength=panel.trials) > 0)
    return found


def unanswered(data: AnalysisData, assessment: str, columns: Iterable[str]) -> list[str]:
    """Which of the columns no event of the trial answers, though it has events: nothing can be counted by them."""
    return [name for name in columns if not answered(data.panel, assessment, (name,))[data.trial]]


def counted_by(options: Mapping[str, object]) -> list[str]:
    """The columns of the events by which the options of a count choose."""
    return [
        column
        for column, key in (("grade", "grade"), ("related", "related"), ("level", "levels"))
        if options.get(key) not in (None, False, (), [])
    ]


def events_not_recorded(data: AnalysisData, parameter: Parameter, trial: int) -> str | None:
    """Why a count of events has no value where the events were not recorded; None where they were, or of no count."""
    name = str(parameter.options.get("events", ""))
    if parameter.derivation != "event-count":
        return None
    if not recorded(data.panel, name)[trial]:
        return not_recorded_note(data.protocol, (name,))
    columns = [c for c in counted_by(parameter.options) if not answered(data.panel, name, (c,))[trial]]
    return unanswered_note(data.protocol, name, columns) if columns else None


def infusions_of(protocol: Protocol) -> str | None:
    """The interventions as which study doses are recorded (domain EX); None where the protocol has none."""
    found = (a.id for a in protocol.assessments if a.observation_class == "interventions" and a.domain == "EX")
    return next(found, None)


def not_recorded_note(protocol: Protocol, assessments: Iterable[str]) -> str:
    """A sentence for the notes of a table."""
    labels = [protocol.assessment(name).label for name in assessments]
    return f"{', '.join(labels)}: {NOT_RECORDED}, which is not the same as none."


def unanswered_note(protocol: Protocol, assessment: str, columns: Iterable[str]) -> str:
    """The same of answers that no event has."""
    what = " and ".join(ANSWERS[column] for column in columns)
    return f"{protocol.assessment(assessment).label}, {what}: {NOT_RECORDED}, which is not the same as none."
