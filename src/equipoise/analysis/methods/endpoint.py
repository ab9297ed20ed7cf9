"""Options shared by methods that estimate at an estimand's visit."""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.analysis.registry import Objection
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Identifier, Part
from equipoise.protocol.schema.inference import Analysis, Estimand


class Endpoint(Part):
    """The parameter and visit, where they are not the estimand's own."""

    parameter: Identifier | None = None
    """Another form of the estimand's parameter (imputed, changed); None: the estimand's own."""
    visit: Identifier | None = None

    def of(self, estimand: Estimand) -> tuple[str, str]:
        """The parameter and the visit that are analysed."""
        return self.parameter or estimand.variable.parameter, self.visit or estimand.variable.visit


def endpoint_objections(protocol: Protocol, analysis: Analysis, options: Endpoint) -> Iterator[Objection]:
    """Objections to an analysis without estimand, and to names that the protocol does not have."""
    if analysis.estimand is None:
        message = f"the method {analysis.method!r} estimates, and so needs an estimand"
        yield Objection((), "method-needs-estimand", message, "Name the estimand instead of an analysis set.")
    parameters = [parameter.id for parameter in protocol.parameters]
    if options.parameter is not None and options.parameter not in parameters:
        remedy = f"Name one of: {', '.join(parameters)}."
        message = f"there is no parameter {options.parameter!r}"
        yield Objection(("parameter",), "known-parameter", message, remedy)
    visits = [visit.id for visit in protocol.visits]
    if options.visit is not None and options.visit not in visits:
        remedy = f"Name one of: {', '.join(visits)}."
        yield Objection(("visit",), "known-visit", f"there is no visit {options.visit!r}", remedy)
