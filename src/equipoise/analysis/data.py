"""What derivations and methods are given: a Panel, the parameters derived so far, and the analysis sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.protocol.model import Protocol
from equipoise.records.panel import UNKNOWN_ARM, Panel

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class DerivationData:
    """A Panel and the parameters that have been derived from it, each (R, n, visits of the protocol)."""

    panel: Panel
    parameters: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class AnalysisData:
    """Everything that a method may look at.

    parameters: parameter -> (R, n, visits of the protocol).
    sets:       analysis set -> (R, n).
    trial:      the trial of the Panel that results are made for.
    hidden:     whether arms were left out of the run; None: the Panel tells.
    """

    panel: Panel
    parameters: Mapping[str, Floats]
    sets: Mapping[str, Flags]
    trial: int = 0
    hidden: bool | None = None

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

    def at(self, parameter: str, visit: str) -> Floats:
        """The values of a parameter at a visit, (R, n)."""
        return self.parameters[parameter][:, :, self.panel.visit_index(visit)]

    def baseline(self, parameter: str, baseline: str) -> Floats:
        """The values of a parameter at the visit of a baseline, (R, n)."""
        return self.at(parameter, self.protocol.baseline(baseline).visit)

    def in_arm(self, arm: str) -> Flags:
        """Whether each participant was allocated to `arm`, (R, n)."""
        index = next(i for i, item in enumerate(self.protocol.arms) if item.id == arm)
        return self.panel.arm == index
