"""What may be named in a protocol: methods and derivations, ours and other packages', found by entry points.

A package adds a method by an entry point in the group ``equipoise.methods`` whose name is what protocols write and
whose object is a `Method`; a derivation likewise in ``equipoise.derivations``. Of all that is installed only what a
protocol names is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal
from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.data import AnalysisData, DerivationData
from equipoise.analysis.estimates import Estimate
from equipoise.analysis.registered import Registered
from equipoise.analysis.results import ResultTable
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import Part
from equipoise.protocol.schema.inference import Analysis
from equipoise.protocol.schema.measurement import Parameter
from equipoise.source.paths import Step

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Objection:
    """What a method or derivation finds wrong with the options it was given; `at` are steps below the options."""

    at: tuple[Step, ...]
    rule: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a method gives: estimates in every trial of the Panel, tables of the data's own trial."""

    estimates: tuple[Estimate, ...] = ()
    tables: tuple[ResultTable, ...] = ()


class Run(Interface):
    """Runs a method: the data, the analysis as planned, its options -> its outcome."""

    def __call__(self, data: AnalysisData, analysis: Analysis, options: Any) -> Outcome: ...


def _no_objection(protocol: Protocol, analysis: Analysis, options: Any) -> Iterator[Objection]:
    yield from ()


@dataclass(frozen=True, slots=True)
class Carries:
    """Which strategies for intercurrent events a method carries out, on data to which they have been applied.

    withheld:   values may be missing by a strategy: hypothetical, principal stratum.
    last_value: the last value before the event may stand for later ones: while on treatment.
    declared:   a composite strategy's declared value may stand among the values: ranks, or a yes/no.
    failure:    the value that fails the method's yes/no, for composite strategies; None where it has none.
    counts:     it analyses a count with its time at risk, which both must end at the onset.
    """

    withheld: bool = False
    last_value: bool = False
    declared: bool = False
    failure: float | None = None
    counts: bool = False


def _nothing(options: Any) -> Carries:
    return Carries()


@dataclass(frozen=True, slots=True)
class Method:
    """A registered method of analysis.

    options:   the model of its options; unknown options are refused when the plan is made.
    objections: what else can be wrong with an analysis that names it.
    page:      its page under docs/statistics, without the ending; "" where it has none of ours.
    rows:      where the rows are that it analyses: the name of an analysis dataset, or of a table of the records.
    carries:   which strategies for intercurrent events it carries out, by its options; none but treatment policy where
               it does not say.
    shifts:    whether its test is Student's t of estimate and standard error, and so can be made against a margin.
    """

    name: str
    title: str
    options: type[Part]
    run: Run
    objections: Callable[[Protocol, Analysis, Any], Iterator[Objection]] = _no_objection
    page: str = ""
    rows: str = "adeff"
    carries: Callable[[Any], Carries] = _nothing
    shifts: bool = False


@dataclass(frozen=True, slots=True)
class Derivation:
    """A registered derivation of a parameter at every visit.

    needs:      the parameters that it is derived from, by its options.
    derive:     (R, n, visits of the protocol), NaN where it cannot be derived.
    measured:   the visits at which it can have a value.
    caution:    what a reader of a result must know of such values; "" for nothing.
    belongs:    what strategies for intercurrent events do with a value: `visit`, it is of its visit's day; `visits`,
                values of other visits are in it, so that it is derived again; `until`, it is a total up to a day and
                reads `DerivationData.until`.
    """

    name: str
    title: str
    options: type[Part]
    needs: Callable[[Any], Sequence[str]]
    derive: Callable[[DerivationData, Parameter, Any], Floats]
    measured: Callable[[Protocol, Any, Mapping[str, frozenset[str]]], frozenset[str]]
    objections: Callable[[Protocol, Parameter, Any], Iterator[Objection]]
    caution: str = ""
    belongs: Literal["visit", "visits", "until"] = "visit"


@dataclass(frozen=True, slots=True)
class PlannedParameter:
    """A parameter with the derivation it names and that one's options."""

    parameter: Parameter
    derivation: Derivation
    options: Any


@cache
def methods() -> Registered[Method]:
    """The registered methods by name; each is loaded when it is asked for."""
    return Registered.of("equipoise.methods", Method)


@cache
def derivations() -> Registered[Derivation]:
    """The registered derivations by name; each is loaded when it is asked for."""
    return Registered.of("equipoise.derivations", Derivation)
