"""The last analysed value carried forward: a convention of published analyses, and no remedy for missing data.

A value that stands in for a missing one is treated as measured, so that standard errors are too small, and it assumes
that nobody changes after leaving. equipoise offers it to find published tables again and to vary assumptions, and marks
each such value (DTYPE LOCF); no analysis of ours rests on it. National Research Council, The Prevention and Treatment
of Missing Data in Clinical Trials, 2010, chapter 4.
"""

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
    """The parameter, and the baseline from whose visit on its values are carried."""

    parameter: Identifier
    baseline: Identifier


def _derive(data: DerivationData, parameter: Parameter, options: Options) -> Floats:
    protocol = data.panel.protocol
    values = data.parameters[options.parameter]
    carried = np.full_like(values, np.nan)
    last = np.full(values.shape[:2], np.nan)
    for place in range(data.panel.visit_index(protocol.baseline(options.baseline).visit), values.shape[2]):
        here = values[:, :, place]
        last = np.where(np.isnan(here), last, here)
        carried[:, :, place] = last
    measured = ~np.isnan(values).all(axis=(0, 1))
    carried[:, :, ~measured] = np.nan
    return carried


def _measured(protocol: Protocol, options: Options, others: Mapping[str, frozenset[str]]) -> frozenset[str]:
    known = {baseline.id: baseline.visit for baseline in protocol.conventions.baselines}
    order = [visit.id for visit in protocol.visits]
    start = order.index(known[options.baseline]) if options.baseline in known else 0
    return frozenset(name for name in others.get(options.parameter, frozenset()) if order.index(name) >= start)


def _objections(protocol: Protocol, parameter: Parameter, options: Options) -> Iterator[Objection]:
    for key, name, known in (
        ("parameter", options.parameter, [item.id for item in protocol.parameters]),
        ("baseline", options.baseline, [item.id for item in protocol.conventions.baselines]),
    ):
        if name not in known:
            yield Objection((key,), f"known-{key}", f"there is no {key} {name!r}", f"Name one of: {', '.join(known)}.")


DERIVATION = Derivation(
    name="carried-forward",
    title="The value, or where missing the last analysed one before it, carried forward",
    options=Options,
    needs=lambda options: (options.parameter,),
    derive=_derive,
    measured=_measured,
    objections=_objections,
    belongs="visits",
    caution=(
        "Where a value is missing the last one before it stands in (carried forward): it is counted as if it had been"
        " measured, so that intervals are too narrow, and nobody changes after leaving."
    ),
)
