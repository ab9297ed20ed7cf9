"""What hangs on single participants: each comparison that decides a verdict, with everybody and without each in turn.

Beside each estimate: degrees of freedom, who is missing, the range of the estimate when one participant is left out,
who would change the verdict by being absent, and the smallest effect that the interval excludes. Derived values stay as
they are; the analysis alone is done again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.data import AnalysisData
from equipoise.analysis.estimates import population, result_of
from equipoise.analysis.measured import measured_alternatives
from equipoise.analysis.multiplicity import procedure
from equipoise.analysis.plan import Plan, PlannedAnalysis
from equipoise.analysis.results import Result, ResultTable, TableColumn, finite
from equipoise.analysis.strategies import repeated, under_strategies
from equipoise.analysis.verdicts import CONFIRMATORY, decided_part
from equipoise.analysis.words import Word
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import ClaimPart
from equipoise.records.panel import Block

Kind = TypeVar("Kind", bound=np.generic)

TABLE = "influence"
MOST = 100
"""In a larger analysis set the part of one is small, and nobody is left out."""
COLUMNS = (
    TableColumn("result", "Result"),
    TableColumn("estimate", "Estimate"),
    TableColumn("df", "Degrees of freedom"),
    TableColumn("n", "With the value"),
    TableColumn("missing", "Without it"),
    TableColumn("lowest", "Lowest estimate without one participant"),
    TableColumn("highest", "Highest estimate without one participant"),
    TableColumn("verdict", "Verdict"),
    TableColumn("changed_by", "Participants whose absence changes it"),
    TableColumn("excluded", "Smallest effect excluded (unadjusted)"),
)
NOTES = (
    "Each participant is left out of the analysis in turn; derived values stay as they are.",
    f"Nobody is left out of an analysis set of more than {MOST}.",
    "Estimates and limits are on the scale of their result.",
    "The smallest effect excluded is the limit of the result's own unadjusted interval on the side of improvement.",
    "The reason of a verdict names another: the one at the verdict's local level, which is farther off.",
)


def influence_table(planned: Plan, data: AnalysisData, results: tuple[Result, ...]) -> ResultTable | None:
    """The table, or nothing: in a blinded run, and where no comparison decides anything."""
    if data.blinded:
        return None
    rows = [
        _row(item, part, planned.protocol, data, results, index)
        for item, part in _deciding(planned)
        for index, result in enumerate(results)
        if result.analysis == item.analysis.id and _first(results, index)
    ]
    title = "How much hangs on single participants"
    return ResultTable(TABLE, title, COLUMNS, tuple(rows), NOTES) if rows else None


def _deciding(planned: Plan) -> Iterator[tuple[PlannedAnalysis, ClaimPart]]:
    """Analyses of the confirmatory families and of claims, each with the direction in which it claims."""
    protocol = planned.protocol
    parts = {part.analysis: part for claim in protocol.claims for part in claim.parts}
    for item in planned.analyses:
        analysis = item.analysis
        if analysis.estimand is None:
            continue
        if analysis.id in parts:
            yield item, parts[analysis.id]
        elif analysis.role in CONFIRMATORY:
            better = protocol.parameter(protocol.estimand(analysis.estimand).variable.parameter).better
            yield item, ClaimPart(analysis=analysis.id, direction="lower" if better == "lower" else "higher")


def _first(results: tuple[Result, ...], index: int) -> bool:
    """Whether it is the first result of its analysis, the one that decides."""
    return all(item.analysis != results[index].analysis for item in results[:index])


def _row(
    item: PlannedAnalysis,
    part: ClaimPart,
    protocol: Protocol,
    data: AnalysisData,
    results: tuple[Result, ...],
    index: int,
) -> tuple[str | int | float | None, ...]:
    result = results[index]
    members = np.flatnonzero(population(data, item.analysis)[data.trial])
    left_out: list[tuple[str, Result]] = []
    if result.estimate is not None and len(members) <= MOST:
        left_out = list(_without_each(item, under_strategies(item.method, data, item.options), members))
    estimates = [other.estimate for _, other in left_out if other.estimate is not None]
    verdict, *others = _words(protocol, part, results, result, [other for _, other in left_out])
    changed = [person for (person, _), word in zip(left_out, others, strict=True) if word != verdict]
    bound = result.upper if part.direction == "higher" else result.lower
    return (
        result.id,
        result.estimate,
        result.df,
        "; ".join(f"{arm} {count}" for arm, count in result.n.items()),
        "; ".join(f"{arm} {count}" for arm, count in result.n_missing.items()),
        min(estimates, default=None),
        max(estimates, default=None),
        verdict.text,
        ", ".join(changed) if changed else ("nobody" if left_out else None),
        finite(bound),
    )


def _without_each(item: PlannedAnalysis, data: AnalysisData, members: NDArray[np.intp]) -> Iterator[tuple[str, Result]]:
    """Each member's identifier, and the analysis without them."""
    repeated = _repeated(data, members)
    estimate = item.method.run(repeated, item.analysis, item.options).estimates[0]
    for trial, person in enumerate(members):
        yield data.panel.ids[person], result_of(estimate, repeated, item.analysis, trial)


def _repeated(data: AnalysisData, members: NDArray[np.intp]) -> AnalysisData:
    """The trial as often as it has members, the first without the first of them, and so on; nothing is copied."""
    count, panel, own = len(members), data.panel, slice(data.trial, data.trial + 1)

    def often(values: NDArray[Kind]) -> NDArray[Kind]:
        return np.broadcast_to(values[own], (count, *values.shape[1:]))

    absent = np.zeros((count, panel.participants), np.bool_)
    absent[np.arange(count), members] = True
    many = dataclasses.replace(
        panel,
        present=often(panel.present),
        arm=often(panel.arm),
        covariates=MappingProxyType({name: often(values) for name, values in panel.covariates.items()}),
        labels=MappingProxyType({name: often(values) for name, values in panel.labels.items()}),
        entry=MappingProxyType({name: often(values) for name, values in panel.entry.items()}),
        blocks=MappingProxyType({name: _often_block(block, often) for name, block in panel.blocks.items()}),
    )
    parameters = MappingProxyType({name: often(values) for name, values in data.parameters.items()})
    sets = MappingProxyType({name: often(flags) & ~absent for name, flags in data.sets.items()})
    applied = None if data.applied is None else repeated(data.applied, often)
    return AnalysisData(many, parameters, sets, 0, data.hidden, applied)


def _often_block(block: Block, often: Callable[[NDArray], NDArray]) -> Block:
    """A block of findings, the same in every trial."""
    parts = {part: often(getattr(block, part)) for part in ("value", "censored", "day", "asked")}
    return dataclasses.replace(block, **parts)


def _words(
    protocol: Protocol, part: ClaimPart, results: tuple[Result, ...], result: Result, others: list[Result]
) -> list[Word]:
    """The word for the part with the result, and with each of the others in its place; the rest of the family stays."""
    measured = measured_alternatives(results, {result.id: [result, *others]})
    own = next(item for item in measured if item.id == result.id)
    found = procedure(protocol, measured)
    confirmatory = result.role in CONFIRMATORY
    words = decided_part(protocol, part, own, found, None, own.trials, confirmatory=confirmatory).words
    return [Word(int(word)) for word in words]
