"""The measured value itself, at one time point of a visit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from equipoise.analysis.data import DerivationData
from equipoise.analysis.derivations.measured import Below, find_test, numbers, source_objections, spread
from equipoise.analysis.registry import Derivation, Objection
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Part, Reference
from equipoise.protocol.schema.measurement import Parameter
from equipoise.records.panel import Floats


class Options(Part):
    """Which test, and at which minute where it has time points."""

    source: Reference
    minute: int | None = None
    below: Below | None = None


def _derive(data: DerivationData, parameter: Parameter, options: Options) -> Floats:
    found = find_test(data.panel.protocol, options.source)
    assert found is not None, "the plan has checked the source"
    assessment, test = found
    block = data.panel.blocks[assessment.id]
    values = numbers(*block.test(test.id), test, options.below)
    index = 0 if options.minute is None else block.minutes.index(options.minute)
    return spread(data.panel.protocol, block, values[..., index])


def _measured(protocol: Protocol, options: Options, others: Mapping[str, frozenset[str]]) -> frozenset[str]:
    found = find_test(protocol, options.source)
    if found is None:
        return frozenset()
    planned = found[0].planned
    return frozenset(v for v in found[0].visits if options.minute is None or options.minute in planned[v])


def _objections(protocol: Protocol, parameter: Parameter, options: Options) -> Iterator[Objection]:
    yield from source_objections(protocol, options.source, options.below)
    found = find_test(protocol, options.source)
    if found is None:
        return
    assessment, test = found
    if (options.minute is None) == bool(assessment.minutes):
        message = f"{assessment.id} has {'time points' if assessment.minutes else 'no time points'}"
        remedy = (
            f"Name a minute: {', '.join(map(str, assessment.minutes))}." if assessment.minutes else "Remove `minute`."
        )
        yield Objection((), "minute-needed", message, remedy)
    elif options.minute is not None and options.minute not in assessment.minutes:
        remedy = f"Its time points are {', '.join(map(str, assessment.minutes))}."
        message = f"{assessment.id} has no time point at minute {options.minute}"
        yield Objection(("minute",), "minute-measured", message, remedy)
    if test.unit != parameter.unit:
        message = f"{options.source} is in {test.unit}, not in {parameter.unit}"
        yield Objection((), "parameter-unit", message, "Correct the parameter's unit.")


DERIVATION = Derivation(
    name="value",
    title="The measured value",
    options=Options,
    needs=lambda options: (),
    derive=_derive,
    measured=_measured,
    objections=_objections,
)
