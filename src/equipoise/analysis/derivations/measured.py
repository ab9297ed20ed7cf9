"""Shared by derivations that start from a test: which visits measure it, and what stands for a censored result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.registry import Objection
from equipoise.protocol.model import Assessment, Protocol
from equipoise.protocol.schema.measurement import Test
from equipoise.records.panel import LEFT, Block, Codes, Floats

Below = Literal["half", "limit", "zero"]


def find_test(protocol: Protocol, source: str) -> tuple[Assessment, Test] | None:
    """The assessment and test that ``assessment.test`` names, or None."""
    name, _, test = source.partition(".")
    for assessment in protocol.findings:
        if assessment.id == name:
            return next(((assessment, item) for item in assessment.tests if item.id == test), None)
    return None


def source_objections(protocol: Protocol, source: str, below: Below | None) -> Iterator[Objection]:
    """Objections to a source that does not exist, or whose censored results have no number to stand for them."""
    found = find_test(protocol, source)
    if found is None:
        known = [f"{a.id}.{t.id}" for a in protocol.findings for t in a.tests]
        remedy = f"Name one as assessment.test: {', '.join(known[:20])}{' …' if len(known) > 20 else ''}."
        yield Objection(("source",), "known-test", f"the protocol measures no {source!r}", remedy)
        return
    limits = found[1].quantification
    if limits is not None and limits.below == "censored" and below is None:
        message = f"results of {source} below its limit are censored, and this derivation needs a number"
        yield Objection((), "censored-needs-number", message, "Add the option below: half, limit or zero.")


def numbers(values: Floats, censored: Codes, test: Test, below: Below | None) -> Floats:
    """Values in which a result below the limit is replaced as the option, else the protocol, says."""
    rule = below or (test.quantification.below if test.quantification is not None else "limit")
    share = {"half": 0.5, "limit": 1.0, "zero": 0.0}[rule if rule != "censored" else "limit"]
    return np.where(censored == LEFT, values * share, values)


def spread(protocol: Protocol, block: Block, values: Floats) -> Floats:
    """Values (R, n, visits of the block) on the visit axis of the protocol, NaN elsewhere."""
    places = [index for index, visit in enumerate(protocol.visits) if visit.id in block.visits]
    spread_out = np.full((*values.shape[:2], len(protocol.visits)), np.nan)
    spread_out[:, :, places] = values
    return spread_out


def nanmean(values: NDArray[np.float64]) -> Floats:
    """The mean over the last axis of what is there; NaN where nothing is. No warning."""
    there = ~np.isnan(values)
    count = there.sum(axis=-1)
    total = np.where(there, values, 0.0).sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
