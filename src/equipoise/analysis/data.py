"""What derivations and methods are given: a Panel, the parameters derived so far, and the analysis sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.withheld import Withheld
from equipoise.protocol.model import Protocol
from equipoise.records.panel import UNKNOWN_ARM, Panel

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

POLICY, STRATUM = "treatment-policy", "principal-stratum"
ENDING = ("hypothetical", "while-on-treatment")
"""Strategies under which nothing after the onset of an intercurrent event is used."""


@dataclass(frozen=True, slots=True)
class DerivationData:
    """A Panel and the parameters that have been derived from it, each (R, n, visits of the protocol).

    until: (R, n) the last day that counts, where a strategy for an intercurrent event ends what is counted.
    """

    panel: Panel
    parameters: Mapping[str, Floats]
    until: Floats | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What the strategies of an estimand were applied to, and what came of it.

    onsets:    event with another strategy than treatment policy -> (R, n) day of its onset, inf where there is none.
    days:      (R, n, visits of the protocol) days of the visits.
    until:     (R, n) the last day that counts; inf without end.
    on_treatment: (R, n) the same of those alone whose time on treatment ended: what came later is not of interest.
    members:   (R, n) the estimand's population as it was.
    stratum:   (R, n) who is in the principal stratum; everybody where the estimand has none.
    unaltered: the parameters as they were. altered: as the method sees them.
    """

    onsets: Mapping[str, Floats]
    days: Floats
    until: Floats
    on_treatment: Floats
    members: Flags
    stratum: Flags
    unaltered: Mapping[str, Floats]
    altered: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class AnalysisData:
    """Everything that a method may look at.

    parameters: parameter -> (R, n, visits of the protocol).
    sets:       analysis set -> (R, n).
    trial:      the trial of the Panel that results are made for.
    hidden:     whether arms were left out of the run; None: the Panel tells.
    applied:    strategies for intercurrent events that the parameters, blocks and sets already follow; None: none.
    withheld:   what the records lack, as they were masked for a role; None where they are whole.
    """

    panel: Panel
    parameters: Mapping[str, Floats]
    sets: Mapping[str, Flags]
    trial: int = 0
    hidden: bool | None = None
    applied: Applied | None = None
    withheld: Withheld | None = None

    @property
    def protocol(self) -> Protocol:
        return self.panel.protocol

    @property
    def blinded(self) -> bool:
        """Whether arms were left out; where that is not said, whether nobody's arm is known in this trial."""
        if self.hidden is not None:
            return self.hidden
        unknown = self.panel.arm[self.trial] == UNKNOWN_ARM
        return bool(unknown.size > 0 and unknown.all())

    @property
    def until(self) -> Floats | None:
        """The last day that counts, (R, n), where a strategy for an intercurrent event ends what is counted."""
        return None if self.applied is None else self.applied.until

    def at(self, parameter: str, visit: str) -> Floats:
        """The values of a parameter at a visit, (R, n)."""
        return self.parameters[parameter][:, :, self.panel.visit_index(visit)]

    def baseline(self, parameter: str, baseline: str) -> Floats:
        """The values of a parameter at the visit of a baseline, (R, n); a baseline precedes intercurrent events."""
        values = self.parameters if self.applied is None else self.applied.unaltered
        return values[parameter][:, :, self.panel.visit_index(self.protocol.baseline(baseline).visit)]

    def in_arm(self, arm: str) -> Flags:
        """Whether each participant was allocated to `arm`, (R, n)."""
        index = next(i for i, item in enumerate(self.protocol.arms) if item.id == arm)
        return self.panel.arm == index
