"""Options and objections of methods that analyse a panel of parameters at one visit, each by itself or together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from equipoise.analysis.registry import Objection
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier, Part
from equipoise.protocol.schema.inference import Analysis, Estimand


class PanelEndpoint(Part):
    """The parameters and the visit, where they are not the estimand's own."""

    parameters: tuple[Identifier, ...] = ()
    """Each gives a result of its own; none: the estimand's parameter alone."""
    visit: Identifier | None = None

    def of(self, estimand: Estimand) -> tuple[tuple[str, ...], str]:
        """The parameters and the visit that are analysed."""
        return self.parameters or (estimand.variable.parameter,), self.visit or estimand.variable.visit


def panel_objections(protocol: Protocol, analysis: Analysis, options: PanelEndpoint) -> Iterator[Objection]:
    """Objections to an analysis without estimand, to unknown names, and to a parameter named twice."""
    if analysis.estimand is None:
        message = f"the method {analysis.method!r} estimates, and so needs an estimand"
        yield Objection((), "method-needs-estimand", message, "Name the estimand instead of an analysis set.")
    known = [parameter.id for parameter in protocol.parameters]
    for place, name in enumerate(options.parameters):
        if name not in known:
            remedy = f"Name one of: {', '.join(known)}."
            yield Objection(("parameters", place), "known-parameter", f"there is no parameter {name!r}", remedy)
        elif name in options.parameters[:place]:
            message = f"{name!r} is named twice, and results need ids of their own"
            yield Objection(("parameters", place), "parameter-once", message, "Name it once.")
    visits = [visit.id for visit in protocol.visits]
    if options.visit is not None and options.visit not in visits:
        remedy = f"Name one of: {', '.join(visits)}."
        yield Objection(("visit",), "known-visit", f"there is no visit {options.visit!r}", remedy)


def baseline_objections(protocol: Protocol, baseline: str | None) -> Iterator[Objection]:
    """An objection to a baseline that the protocol does not have."""
    known = [item.id for item in protocol.conventions.baselines]
    if baseline is not None and baseline not in known:
        remedy = f"Name one of: {', '.join(known)}."
        yield Objection(("baseline",), "known-baseline", f"there is no baseline {baseline!r}", remedy)


def repeated_objections(
    protocol: Protocol, visits: Sequence[str], baseline: str | None, baseline_parameter: str | None
) -> Iterator[Objection]:
    """Objections to the visits, in their order, and to the baseline of an analysis of repeated measures."""
    yield from baseline_objections(protocol, baseline)
    known = [visit.id for visit in protocol.visits]
    for place, name in enumerate(visits):
        if name not in known:
            message = f"there is no visit {name!r}"
            yield Objection(("visits", place), "known-visit", message, f"Name one of: {', '.join(known)}.")
    named = [known.index(name) for name in visits if name in known]
    if named != sorted(set(named)):
        yield Objection(("visits",), "visits-in-order", "visits stand once and in their order", "Sort them.")
    parameters = [parameter.id for parameter in protocol.parameters]
    if baseline_parameter is not None and baseline_parameter not in parameters:
        message = f"there is no parameter {baseline_parameter!r}"
        yield Objection(("baseline_parameter",), "known-parameter", message, f"Name one of: {', '.join(parameters)}.")


def estimand_of(protocol: Protocol, analysis: Analysis) -> Estimand | None:
    """The estimand of an analysis, where it names one that exists; for objections."""
    return next((item for item in protocol.estimands if item.id == analysis.estimand), None)
