"""The balance of two panels of tests: the mean normal score of one less that of the other.

Each test's results of a trial, over all participants and visits and without regard to arms, are ranked and turned into
normal scores (van der Waerden): the normal quantile of rank/(N + 1). Results below a limit are tied lowest, results
above one tied highest, and ties have their mean rank. So half the results of a cytokine may lie below its limit, and no
scale or distribution is assumed. Lehmann & D'Abrera, Nonparametrics, 1975.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

import numpy as np
from pydantic import Field

from equipoise.analysis.data import DerivationData
from equipoise.analysis.derivations.measured import find_test, source_objections, spread
from equipoise.analysis.registry import Derivation, Objection
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Part, Reference
from equipoise.protocol.schema.measurement import Parameter
from equipoise.records.panel import LEFT, RIGHT, Codes, Floats

Panel = Annotated[tuple[Reference, ...], Field(min_length=1)]


class Options(Part):
    """The tests of the two panels; all of one assessment."""

    pro: Panel
    anti: Panel


def _derive(data: DerivationData, parameter: Parameter, options: Options) -> Floats:
    found = find_test(data.panel.protocol, options.pro[0])
    assert found is not None, "the plan has checked the sources"
    block = data.panel.blocks[found[0].id]

    def mean_score(sources: tuple[str, ...]) -> Floats:
        tests = [source.partition(".")[2] for source in sources]
        results = [block.test(test) for test in tests]
        return np.mean([normal_scores(values[..., 0], censored[..., 0]) for values, censored in results], axis=0)

    return spread(data.panel.protocol, block, mean_score(options.pro) - mean_score(options.anti))


def normal_scores(values: Floats, censored: Codes) -> Floats:
    """Normal scores within each trial, (R, n, visits) like the values; NaN where there is no result."""
    from scipy.special import ndtri

    level = np.where(censored == LEFT, -np.inf, np.where(censored == RIGHT, np.inf, values))
    flat = np.where(np.isnan(values), np.nan, level).reshape(len(values), -1)
    ranks = mid_ranks(flat)
    count = (~np.isnan(flat)).sum(axis=1, keepdims=True)
    return np.asarray(ndtri(ranks / (count + 1)), np.float64).reshape(values.shape)


def mid_ranks(values: Floats) -> Floats:
    """Ranks from 1 within each row, ties their mean rank; NaN stays NaN."""
    order = np.argsort(values, axis=1, kind="stable")  # NaN last
    ordered = np.take_along_axis(values, order, axis=1)
    with np.errstate(invalid="ignore"):
        new = np.concatenate([np.ones((len(values), 1), np.bool_), ordered[:, 1:] != ordered[:, :-1]], axis=1)
    place = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    first = np.maximum.accumulate(np.where(new, place, 0), axis=1)
    last_new = np.concatenate([new[:, 1:], np.ones((len(values), 1), np.bool_)], axis=1)
    after = np.where(last_new, place, values.shape[1])
    last = np.minimum.accumulate(after[:, ::-1], axis=1)[:, ::-1]
    ranks = np.full(values.shape, np.nan)
    np.put_along_axis(ranks, order, (first + last) / 2 + 1, axis=1)
    return np.where(np.isnan(values), np.nan, ranks)


def _measured(protocol: Protocol, options: Options, others: Mapping[str, frozenset[str]]) -> frozenset[str]:
    found = find_test(protocol, options.pro[0])
    return frozenset(found[0].visits) if found is not None else frozenset()


def _objections(protocol: Protocol, parameter: Parameter, options: Options) -> Iterator[Objection]:
    seen: set[str] = set()
    for key, sources in (("pro", options.pro), ("anti", options.anti)):
        for index, source in enumerate(sources):
            for objection in source_objections(protocol, source, "limit"):
                yield Objection((key, index), objection.rule, objection.message, objection.remedy)
            if source in seen:
                message = "a test counts once, in one of the two panels"
                yield Objection((key, index), "test-once", message, "Name it once.")
            seen.add(source)
            if source.partition(".")[0] != options.pro[0].partition(".")[0]:
                message = "the panels come from different assessments"
                yield Objection((key, index), "one-assessment", message, "Name tests of one assessment.")
            found = find_test(protocol, source)
            if found is not None and found[0].minutes:
                message = f"{found[0].id} has time points, and the index has one result a visit"
                yield Objection((key, index), "single-time-point", message, "Name tests without time points.")


DERIVATION = Derivation(
    name="balance-index",
    title="Balance of two panels of tests by normal scores",
    options=Options,
    needs=lambda options: (),
    derive=_derive,
    measured=_measured,
    objections=_objections,
)
