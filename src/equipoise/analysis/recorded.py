"""What was recorded at all: that nothing is there says nothing where nobody asked."""

from __future__ import annotations

import numpy as np

from equipoise.analysis.data import Flags
from equipoise.protocol.model import Protocol
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


def infusions_of(protocol: Protocol) -> str | None:
    """The interventions as which study doses are recorded (domain EX); None where the protocol has none."""
    found = (a.id for a in protocol.assessments if a.observation_class == "interventions" and a.domain == "EX")
    return next(found, None)


def not_recorded_note(protocol: Protocol, assessments: list[str]) -> str:
    """A sentence for the notes of a table: these events were not recorded, which is not the same as none."""
    labels = [protocol.assessment(name).label for name in assessments]
    return f"{', '.join(labels)}: {NOT_RECORDED}, which is not the same as none."
