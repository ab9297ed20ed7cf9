"""Parameters made from other parameters: ln(x + 1), change from baseline, linear combinations, supplied values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Field

from equipoise.analysis.data import DerivationData
from equipoise.analysis.registry import Derivation, Objection
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier, Number, Part, read_only
from equipoise.protocol.schema.measurement import Parameter
from equipoise.records.onsets import visit_days
from equipoise.records.panel import Flags, Floats


class OneParameter(Part):
    """The parameter that is transformed."""

    parameter: Identifier


class Change(OneParameter):
    """The parameter, and the baseline it is compared with."""

    baseline: Identifier


class Supplied(OneParameter):
    """The parameter, and the supplied values that stand in where it is missing."""

    supplied: Identifier


class Rounded(OneParameter):
    """The parameter, and the decimals that are kept."""

    decimals: Annotated[int, Field(ge=0, le=6)]


class Linear(Part):
    """A constant and a sum of parameters, each times a factor."""

    terms: Annotated[dict[Identifier, Number], Field(min_length=1), AfterValidator(read_only)]
    constant: Number = 0


def _known(protocol: Protocol, names: Sequence[str], key: str) -> Iterator[Objection]:
    known = [parameter.id for parameter in protocol.parameters]
    for name in names:
        if name not in known:
            remedy = f"Name one of: {', '.join(known)}."
            yield Objection((key,), "known-parameter", f"there is no parameter {name!r}", remedy)


def _one_objection(protocol: Protocol, parameter: Parameter, options: OneParameter) -> Iterator[Objection]:
    yield from _known(protocol, [options.parameter], "parameter")


def _change_objection(protocol: Protocol, parameter: Parameter, options: Change) -> Iterator[Objection]:
    yield from _one_objection(protocol, parameter, options)
    baselines = [baseline.id for baseline in protocol.conventions.baselines]
    if options.baseline not in baselines:
        remedy = f"Name one of: {', '.join(baselines)}."
        yield Objection(("baseline",), "known-baseline", f"there is no baseline {options.baseline!r}", remedy)


def _supplied_objection(protocol: Protocol, parameter: Parameter, options: Supplied) -> Iterator[Objection]:
    yield from _one_objection(protocol, parameter, options)
    yield from _known(protocol, [options.supplied], "supplied")


def _linear_objection(protocol: Protocol, parameter: Parameter, options: Linear) -> Iterator[Objection]:
    yield from _known(protocol, list(options.terms), "terms")


def _log1p(data: DerivationData, parameter: Parameter, options: OneParameter) -> Floats:
    values = data.parameters[options.parameter]
    return np.log1p(np.where(values > -1, values, np.nan))


def _changed(data: DerivationData, parameter: Parameter, options: Change) -> Floats:
    values = data.parameters[options.parameter]
    at = data.panel.visit_index(data.panel.protocol.baseline(options.baseline).visit)
    change = values - values[:, :, at : at + 1]
    change[:, :, : at + 1] = np.nan
    return change


def _completed(data: DerivationData, parameter: Parameter, options: Supplied) -> Floats:
    values = data.parameters[options.parameter]
    supplied = data.panel.supplied.get(options.supplied)
    return values if supplied is None else np.where(np.isnan(values), supplied, values)


def _rounded(data: DerivationData, parameter: Parameter, options: Rounded) -> Floats:
    """Halves away from zero, as people and SAS round; a number that decimal writing shows as a half is one."""
    scale = 10.0**options.decimals
    values = data.parameters[options.parameter] * scale
    return np.copysign(np.floor(np.abs(values) + 0.5 + 1e-9), values) / scale


def _running(data: DerivationData, parameter: Parameter, options: OneParameter) -> Floats:
    """The sum over visits so far; a missing value adds nothing, and before the first value there is no sum.

    Where counting ends on a day between two values, the later one adds the share of its stretch of days before.
    """
    values = data.parameters[options.parameter]
    there = ~np.isnan(values)
    added = np.where(there, values, 0.0)
    if data.until is not None:
        added = added * _share_before(visit_days(data.panel), there, data.until)
    total = added.cumsum(axis=2)
    return np.where(np.logical_or.accumulate(there, axis=2), total, np.nan)


def _share_before(days: Floats, there: Flags, until: Floats) -> Floats:
    """Of the days since the value before, or since day 0, the share up to the day `until`, (R, n, visits)."""
    share = np.ones(days.shape)
    before = np.zeros(until.shape)
    for place in range(days.shape[2]):
        here = days[:, :, place]
        length = np.maximum(here - before, 1.0)
        ended = np.clip((np.minimum(until, here) - before) / length, 0.0, 1.0)
        share[:, :, place] = np.where(until >= here, 1.0, ended)
        before = np.where(there[:, :, place], here, before)
    return share


def _sum(data: DerivationData, parameter: Parameter, options: Linear) -> Floats:
    total = reduce(np.add, (factor * data.parameters[name] for name, factor in options.terms.items()))
    return total + options.constant


def _as_measured(protocol: Protocol, options: OneParameter, others: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return others.get(options.parameter, frozenset())


def _later(protocol: Protocol, options: Change, others: Mapping[str, frozenset[str]]) -> frozenset[str]:
    baselines = {baseline.id: baseline.visit for baseline in protocol.conventions.baselines}
    order = [visit.id for visit in protocol.visits]
    start = order.index(baselines[options.baseline]) if options.baseline in baselines else -1
    return frozenset(visit for visit in _as_measured(protocol, options, others) if order.index(visit) > start)


def _from_first(protocol: Protocol, options: OneParameter, others: Mapping[str, frozenset[str]]) -> frozenset[str]:
    order = [visit.id for visit in protocol.visits]
    first = min((order.index(visit) for visit in _as_measured(protocol, options, others)), default=len(order))
    return frozenset(order[first:])


def _all_measured(protocol: Protocol, options: Linear, others: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return frozenset.intersection(*(others.get(name, frozenset()) for name in options.terms))


def _of_one(options: OneParameter) -> tuple[str, ...]:
    return (options.parameter,)


def _derivation(
    name: str,
    title: str,
    options: type[Part],
    derive: Callable[[DerivationData, Parameter, Any], Floats],
    objections: Callable[[Protocol, Parameter, Any], Iterator[Objection]],
    measured: Callable[[Protocol, Any, Mapping[str, frozenset[str]]], frozenset[str]] = _as_measured,
    needs: Callable[[Any], Sequence[str]] = _of_one,
    belongs: Literal["visit", "visits", "until"] = "visit",
) -> Derivation:
    return Derivation(name, title, options, needs, derive, measured, objections, belongs=belongs)


LOG1P = _derivation("log1p", "Natural logarithm of one plus the value", OneParameter, _log1p, _one_objection)
CHANGE = _derivation("change", "Change from baseline", Change, _changed, _change_objection, _later, belongs="visits")
ROUNDED = _derivation("rounded", "The value, rounded", Rounded, _rounded, _one_objection)
RUNNING_SUM = _derivation(
    "running-sum",
    "Sum of the values at all visits so far",
    OneParameter,
    _running,
    _one_objection,
    _from_first,
    belongs="until",
)
SUPPLIED = _derivation(
    "supplied-where-missing",
    "The value, or where missing the supplied one",
    Supplied,
    _completed,
    _supplied_objection,
)
LINEAR = _derivation(
    "linear",
    "Sum of parameters, each times a factor",
    Linear,
    _sum,
    _linear_objection,
    _all_measured,
    lambda options: tuple(options.terms),
)
