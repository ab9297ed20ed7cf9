"""Body-mass index: weight over the square of height, by the height last measured until then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from equipoise.analysis.data import DerivationData
from equipoise.analysis.registry import Derivation, Objection
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier, Part
from equipoise.protocol.schema.measurement import Parameter
from equipoise.records.panel import Floats

UNITS = {"weight": "kg", "height": "cm"}


class Options(Part):
    """The parameters of the weight, in kg, and of the height, in cm."""

    weight: Identifier
    height: Identifier


def _derive(data: DerivationData, parameter: Parameter, options: Options) -> Floats:
    """kg/m2 at each visit with a weight; Quetelet's index."""
    weight, height = data.parameters[options.weight], data.parameters[options.height].copy()
    for place in range(1, height.shape[2]):
        here, before = height[:, :, place], height[:, :, place - 1]
        height[:, :, place] = np.where(np.isnan(here), before, here)
    return weight / (height / 100) ** 2


def _measured(protocol: Protocol, options: Options, others: Mapping[str, frozenset[str]]) -> frozenset[str]:
    order = [visit.id for visit in protocol.visits]
    first = min((order.index(name) for name in others.get(options.height, frozenset())), default=len(order))
    return frozenset(name for name in others.get(options.weight, frozenset()) if order.index(name) >= first)


def _objections(protocol: Protocol, parameter: Parameter, options: Options) -> Iterator[Objection]:
    units = {item.id: item.unit for item in protocol.parameters}
    for key, name in (("weight", options.weight), ("height", options.height)):
        if name not in units:
            remedy = f"Name one of: {', '.join(units)}."
            yield Objection((key,), "known-parameter", f"there is no parameter {name!r}", remedy)
        elif units[name] != UNITS[key]:
            message = f"{name} is in {units[name]}, not in {UNITS[key]}"
            yield Objection((key,), "parameter-unit", message, "Convert it in its test.")


DERIVATION = Derivation(
    name="body-mass-index",
    title="Weight over the square of the last height",
    options=Options,
    needs=lambda options: (options.weight, options.height),
    derive=_derive,
    measured=_measured,
    objections=_objections,
)
