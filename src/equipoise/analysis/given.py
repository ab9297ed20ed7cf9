"""How many people were given the active product, by arm and up to each period, in every trial of a Panel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.data import AnalysisData, Flags
from equipoise.analysis.doses import had_active
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import Claim
from equipoise.records.classes import STUDY_TREATMENT
from equipoise.records.panel import UNKNOWN_ARM

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """People who were given the active product.

    people:    (R, arms, periods), allocated to the arm and given it in that period or before.
    allocated: (R, arms).
    known:     (R,) whether arms are known and any study treatment was recorded.
    """

    people: Counts
    allocated: Counts
    known: Flags

    def trial(self, trial: int) -> Given:
        """The same of one trial alone."""
        own = slice(trial, trial + 1)
        return Given(self.people[own], self.allocated[own], self.known[own])


def given_active(data: AnalysisData) -> Given:
    """Count them by the arm that was allocated and the product that was given: as dispensed, else the arm's."""
    panel, protocol = data.panel, data.protocol
    rows, trials = panel.interventions, panel.trials
    arms = len(protocol.arms)
    recorded = np.zeros(trials, np.bool_)
    if rows.columns:
        recorded[rows.trial[rows.columns["treatment"] == STUDY_TREATMENT]] = True
    had = had_active(data)
    members = [panel.present & (panel.arm == code) for code in range(arms)]
    people = np.stack([(had & each[..., None]).sum(axis=1) for each in members], axis=1)
    allocated = np.stack([each.sum(axis=1) for each in members], axis=1)
    hidden = np.full(trials, data.blinded) if data.hidden is not None else (panel.arm == UNKNOWN_ARM).all(axis=1)
    return Given(people, allocated, recorded & ~hidden)


def nobody_treated(protocol: Protocol, given: Given | None, analysis: str) -> Flags | None:
    """Whether nobody of the active arm of an analysis had been given the active product by its visit, (R,).

    None where that is not known, or where the arm is to be given none by then.
    """
    place = _place(protocol, analysis)
    if given is None or place is None:
        return None
    arm, period = place
    return given.known & (given.people[:, arm, period] == 0)


def given_words(protocol: Protocol, given: Given | None, claim: Claim) -> str:
    """How many people of each arm were given the active product by the last visit of the claim's parts; R = 1."""
    places = [place for part in claim.parts if (place := _place(protocol, part.analysis)) is not None]
    if given is None or not places:
        return ""
    if not given.known[0]:
        return "how many people were given the active product is not known"
    last = max(period for _, period in places)
    counts = [
        f"{given.people[0, code, last]} of {given.allocated[0, code]} in {arm.label}"
        for code, arm in enumerate(protocol.arms)
    ]
    return f"given the active product by the end of {protocol.periods[last].label}: {', '.join(counts)}"


def _place(protocol: Protocol, analysis: str) -> tuple[int, int] | None:
    """The active arm of an analysis and the period of its visit; None where the arm is to be given nothing by then."""
    planned = next((item for item in protocol.analyses if item.id == analysis), None)
    if planned is None or planned.estimand is None:
        return None
    estimand = protocol.estimand(planned.estimand)
    names = [period.id for period in protocol.periods]
    period = protocol.visit(estimand.variable.visit).period
    if period is None:
        return None
    arm, last = estimand.contrast.active, names.index(period)
    if all(protocol.role(arm, name) != "active" for name in names[: last + 1]):
        return None
    return [item.id for item in protocol.arms].index(arm), last
