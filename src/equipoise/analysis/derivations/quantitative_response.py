"""The quantitative response: C-peptide observed less what an untreated person of that age and baseline has.

On the scale of ln(2 h mean C-peptide in nmol/L + 1), a year after baseline an untreated person is expected at
-0.191 + 0.812 x baseline + 0.00638 x age (years). From month 3 on, the expectation before that lies on the straight
line from the baseline value. Beyond month 12 there is none: untreated people then fall more slowly, and 65 % of them
would "respond" at month 24. The equation is Bundy and Krischer's, with the coefficients of the published program
(github.com/BenaroyaResearch/qr_t1d_metric).
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

INTERCEPT, BASELINE, AGE = -0.191, 0.812, 0.00638
FIRST, LAST = 3, 12
"""The months for which the expectation is defined."""
DAYS_A_MONTH = 365.25 / 12


class Options(Part):
    """The parameter on the scale of the expectation, and the baseline it starts from."""

    parameter: Identifier
    baseline: Identifier


def expected(baseline: Floats, age: Floats, months: Floats) -> Floats:
    """ln(C-peptide + 1) expected without treatment so many months after a baseline, 3 to 12; NaN beyond.

    baseline: ln(C-peptide + 1). age: years. months: of shapes that fit each other.
    """
    year = INTERCEPT + BASELINE * baseline + AGE * age
    there = (months >= FIRST) & (months <= LAST)
    return np.where(there, baseline + months / LAST * (year - baseline), np.nan)


def months_of(protocol: Protocol) -> Floats:
    """Each visit's planned months since day 0, to the nearest whole one."""
    return np.array([np.rint(visit.day / DAYS_A_MONTH) for visit in protocol.visits])


def _derive(data: DerivationData, parameter: Parameter, options: Options) -> Floats:
    panel, values = data.panel, data.parameters[options.parameter]
    start = values[:, :, panel.visit_index(panel.protocol.baseline(options.baseline).visit)][..., None]
    age = panel.covariates["age_years"][..., None]
    return values - expected(start, age, months_of(panel.protocol))


def _measured(protocol: Protocol, options: Options, others: Mapping[str, frozenset[str]]) -> frozenset[str]:
    months = months_of(protocol)
    inside = {v.id for v, month in zip(protocol.visits, months, strict=True) if FIRST <= month <= LAST}
    return others.get(options.parameter, frozenset()) & inside


def _objections(protocol: Protocol, parameter: Parameter, options: Options) -> Iterator[Objection]:
    known = {item.id: item for item in protocol.parameters}
    if options.parameter not in known:
        remedy = f"Name one of: {', '.join(known)}."
        yield Objection(("parameter",), "known-parameter", f"there is no parameter {options.parameter!r}", remedy)
    elif known[options.parameter].unit != "ln(nmol/L + 1)":
        message = (
            f"the expectation is of ln(nmol/L + 1), and {options.parameter!r} is in {known[options.parameter].unit}"
        )
        yield Objection(("parameter",), "scale-of-expectation", message, "Name the logarithm of a 2 h mean plus one.")
    baselines = [baseline.id for baseline in protocol.conventions.baselines]
    if options.baseline not in baselines:
        remedy = f"Name one of: {', '.join(baselines)}."
        yield Objection(("baseline",), "known-baseline", f"there is no baseline {options.baseline!r}", remedy)


DERIVATION = Derivation(
    name="quantitative-response",
    title="C-peptide less what is expected without treatment, months 3 to 12",
    options=Options,
    needs=lambda options: (options.parameter,),
    derive=_derive,
    measured=_measured,
    objections=_objections,
)
