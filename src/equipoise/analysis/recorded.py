"""What was recorded at all: that nothing is there says nothing where nobody asked."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from equipoise.analysis.data import AnalysisData, Flags
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.measurement import Parameter
from equipoise.records.panel import Panel

NOT_RECORDED = "not recorded"


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


def events_not_recorded(data: AnalysisData, parameter: Parameter, trial: int) -> str | None:
    """Why a count of events has no value where the events were not recorded; None where they were, or of no count."""
    name = str(parameter.options.get("events", ""))
    if parameter.derivation != "event-count" or recorded(data.panel, name)[trial]:
        return None
    return not_recorded_note(data.protocol, (name,))


def infusions_of(protocol: Protocol) -> str | None:
    """The interventions as which study doses are recorded (domain EX); None where the protocol has none."""
    found = (a.id for a in protocol.assessments if a.observation_class == "interventions" and a.domain == "EX")
    return next(found, None)


def not_recorded_note(protocol: Protocol, assessments: Iterable[str]) -> str:
    """A sentence for the notes of a table."""
    labels = [protocol.assessment(name).label for name in assessments]
    return f"{', '.join(labels)}: {NOT_RECORDED}, which is not the same as none."
