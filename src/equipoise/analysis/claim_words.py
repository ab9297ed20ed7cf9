"""What each of many trials says of each claim: the words alone, without sentences, for campaigns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.data import AnalysisData
from equipoise.analysis.given import given_active
from equipoise.analysis.measured import Measured, measured_estimates
from equipoise.analysis.plan import Plan, PlannedAnalysis
from equipoise.analysis.registry import Outcome
from equipoise.analysis.safety_claim import safety_claim
from equipoise.analysis.safety_findings import safety_tables
from equipoise.analysis.verdicts import decide
from equipoise.analysis.words import Word, plain_word
from equipoise.protocol.schema.inference import Claim

Words = Mapping[str, NDArray[np.object_]]
"""Claim -> its word in each trial, (R,), without the names of parts."""


def needed(planned: Plan) -> tuple[PlannedAnalysis, ...]:
    """The analyses on which claims rest: those of families, and the exploratory parts."""
    parts = {part.analysis for claim in planned.protocol.claims if claim.rule != "safety" for part in claim.parts}
    return tuple(i for i in planned.analyses if i.analysis.id in parts or i.analysis.family is not None)


def claim_words(planned: Plan, data: AnalysisData, outcomes: Mapping[str, Outcome]) -> Words:
    """The words of every trial of the data's Panel; outcomes: of each needed analysis, in all these trials."""
    measured: list[Measured] = []
    for item in needed(planned):
        measured += measured_estimates(item.analysis, outcomes[item.analysis.id].estimates)
    found: dict[str, NDArray[np.object_]] = {}
    decided = {item.claim.id: item.words for item in decide(planned.protocol, measured, given_active(data))}
    for claim in planned.protocol.claims:
        if claim.id in decided:
            texts = [Word(int(code)).text for code in decided[claim.id]]
            found[claim.id] = np.array(texts * (data.panel.trials if len(texts) == 1 else 1), dtype=object)
        else:
            found[claim.id] = np.array(list(_safety(planned, data, claim)), dtype=object)
    return found


def _safety(planned: Plan, data: AnalysisData, claim: Claim) -> Iterator[str]:
    """The word on safety in each trial: the tables that decide it are made for one trial at a time."""
    wanted = {part.analysis for part in claim.parts}
    rules = [item for item in planned.analyses if item.analysis.id in wanted]
    for trial in range(data.panel.trials):
        one = dataclasses.replace(data, trial=trial)
        tables = [table for item in rules for table in item.method.run(one, item.analysis, item.options).tables]
        yield plain_word(safety_claim(claim, (*tables, *safety_tables(one))).verdict)
