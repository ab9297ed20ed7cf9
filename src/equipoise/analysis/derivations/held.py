"""A value held: that of one visit, at this visit and at all later ones, for combinations of two times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from equipoise.analysis.data import DerivationData
from equipoise.analysis.registry import Derivation, Objection
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier, Part
from equipoise.protocol.schema.measurement import Parameter
from equipoise.records.panel import Floats


class Options(Part):
    """The parameter, and the visit whose value is held."""

    parameter: Identifier
    visit: Identifier


def _derive(data: DerivationData, parameter: Parameter, options: Options) -> Floats:
    values = data.parameters[options.parameter]
    at = data.panel.visit_index(options.visit)
    held = np.full_like(values, np.nan)
    held[:, :, at:] = values[:, :, at : at + 1]
    return held


def _measured(protocol: Protocol, options: Options, others: Mapping[str, frozenset[str]]) -> frozenset[str]:
    order = [visit.id for visit in protocol.visits]
    if options.visit not in others.get(options.parameter, frozenset()):
        return frozenset()
    return frozenset(order[order.index(options.visit) :])


def _objections(protocol: Protocol, parameter: Parameter, options: Options) -> Iterator[Objection]:
    for key, name, known in (
        ("parameter", options.parameter, [item.id for item in protocol.parameters]),
        ("visit", options.visit, [item.id for item in protocol.visits]),
    ):
        if name not in known:
            yield Objection((key,), f"known-{key}", f"there is no {key} {name!r}", f"Name one of: {', '.join(known)}.")


DERIVATION = Derivation(
    name="value-at",
    title="The value at one visit, there and later",
    options=Options,
    needs=lambda options: (options.parameter,),
    derive=_derive,
    measured=_measured,
    objections=_objections,
    belongs="visits",
)
