"""Measured levels with what is known of those beyond a limit of quantification, for methods that put no number there.

A parameter of the derivation `value` has a number for a level below the limit; these methods go back to its test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from equipoise.analysis.data import AnalysisData, Flags, Floats
from equipoise.analysis.derivations.measured import find_test, spread
from equipoise.analysis.methods.panel import PanelEndpoint, estimand_of
from equipoise.analysis.registry import Objection
from equipoise.protocol.model import Assessment, Protocol
from equipoise.protocol.schema.inference import Analysis
from equipoise.protocol.schema.measurement import Test
from equipoise.records.panel import EXACT, Codes

MOSTLY_CENSORED = (
    "over half of an arm's values lie beyond a limit of the assay at this visit, so that levels are not compared; "
    "compare detectable or not (the method detectable)"
)
"""STATISTICS: over 50 % censored in an arm at a visit: detectable or not."""


@dataclass(frozen=True, slots=True)
class Quantified:
    """The levels of a parameter's test at every visit of the protocol.

    value:    (R, n, visits), in the test's unit; the limit where the level lies beyond one; NaN where there is none.
    censored: the same shape: -1 below `value`, 1 above it, 0 exact or missing.
    """

    value: Floats
    censored: Codes

    def at(self, place: int) -> tuple[Floats, Codes]:
        """Levels and codes at one visit, (R, n)."""
        return self.value[:, :, place], self.censored[:, :, place]


def measured_by(protocol: Protocol, name: str) -> tuple[Assessment, Test, int | None] | None:
    """The assessment, test and minute whose measured value a parameter is; None where it is anything else."""
    parameter = next((item for item in protocol.parameters if item.id == name), None)
    if parameter is None or parameter.derivation != "value":
        return None
    source, minute = parameter.options.get("source"), parameter.options.get("minute")
    found = find_test(protocol, source) if isinstance(source, str) else None
    return None if found is None else (*found, minute if isinstance(minute, int) else None)


def quantified(data: AnalysisData, parameter: str) -> Quantified:
    """The levels behind a parameter. A block of one trial serves all trials of a Panel that repeats it."""
    source = measured_by(data.protocol, parameter)
    assert source is not None, "the plan has checked the parameter"
    assessment, test, minute = source
    block = data.panel.blocks[assessment.id]
    index = 0 if minute is None else block.minutes.index(minute)
    value, code = block.test(test.id)
    levels = spread(data.protocol, block, value[..., index])
    codes = np.nan_to_num(spread(data.protocol, block, code[..., index].astype(np.float64))).astype(np.int8)
    shape = (data.panel.trials, *levels.shape[1:])
    return Quantified(np.broadcast_to(levels, shape), np.broadcast_to(codes, shape))


def mostly_censored(data: AnalysisData, members: Flags, found: Quantified, place: int) -> Flags:
    """Whether over half of the values of some arm lie beyond a limit at a visit, (R,); not where arms are unknown."""
    value, code = found.at(place)
    there = members & ~np.isnan(value)
    beyond = there & (code != EXACT)
    arms = [data.in_arm(arm.id) for arm in data.protocol.arms]
    return np.any([2 * (beyond & arm).sum(axis=1) > (there & arm).sum(axis=1) for arm in arms], axis=0)


def quantified_objections(protocol: Protocol, analysis: Analysis, options: PanelEndpoint) -> Iterator[Objection]:
    """Objections to a parameter that is not a measured value itself, or not measured at the visit."""
    estimand = estimand_of(protocol, analysis)
    if estimand is None:
        return
    names, visit = options.of(estimand)
    for place, name in enumerate(names):
        at = ("parameters", place) if options.parameters else ()
        if all(name != item.id for item in protocol.parameters):
            continue
        source = measured_by(protocol, name)
        if source is None:
            message = f"{name!r} is no measured value, and has no limits of quantification"
            yield Objection(at, "parameter-is-measured", message, "Name parameters of the derivation value.")
        elif visit not in source[0].visits:
            remedy = f"It is measured at {', '.join(source[0].visits)}."
            yield Objection(at, "measured-at-visit", f"{name!r} is not measured at {visit!r}", remedy)
