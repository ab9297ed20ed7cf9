"""What an analysis of masked records cannot show: parameters at visits, tables, analysis sets; each says "withheld".

Nothing that a masked copy lacks is counted as missing: it was recorded, and is not shown. Which parameters that
concerns is decided from the protocol and the names of the missing parts, never from values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.results import Result, ResultTable
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.base import plain
from equipoise.protocol.schema.inference import AnalysisSet
from equipoise.records.visibility import UNTIL, Hidden, View, hidden_in, withheld_words

if TYPE_CHECKING:
    from equipoise.analysis.plan import Plan, PlannedAnalysis

Floats = NDArray[np.float64]
DOSES = ("dosed", "all-doses")


@dataclass(frozen=True, slots=True)
class Withheld:
    """What is withheld from an analysis.

    reason:     why, as a status says it.
    parameters: parameter -> the visits at which its value is withheld.
    sets:       analysis sets whose members cannot be told.
    hidden:     what the records lack.
    """

    reason: str
    parameters: Mapping[str, frozenset[str]]
    sets: frozenset[str]
    hidden: Hidden

    def at(self, parameter: str, visit: str | None) -> bool:
        """Whether a parameter is withheld at a visit; without a visit: at any."""
        visits = self.parameters.get(parameter, frozenset())
        return bool(visits) if visit is None else visit in visits

    def events(self, assessment: str) -> bool:
        """Whether the events of an assessment are withheld."""
        return "events" in self.hidden.tables or assessment in self.hidden.assessments

    def column(self, table: str, column: str) -> bool:
        """Whether a column of the records is withheld, by itself or with its table."""
        return table in self.hidden.tables or f"{table}/{column}" in self.hidden.columns

    def masked(self, protocol: Protocol, parameters: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Parameters without the values that are withheld, each (R, n, visits)."""
        order = {visit.id: index for index, visit in enumerate(protocol.visits)}
        found = dict(parameters)
        for name, visits in self.parameters.items():
            values = found[name].copy()
            values[:, :, sorted(order[visit] for visit in visits)] = np.nan
            found[name] = values
        return MappingProxyType(found)


def withheld_in(planned: Plan, lacks: tuple[str, ...], view: View | None = None) -> Withheld | None:
    """What an analysis of records that lack these parts withholds; None where they lack none.

    view: of the role for which the records were masked, where it is known.
    """
    if not lacks:
        return None
    protocol = planned.protocol
    hidden = hidden_in(protocol, lacks)
    parameters = MappingProxyType(_parameters(planned, hidden))
    sets = frozenset(_sets(protocol, hidden, parameters))
    return Withheld(reason_of(view), parameters, sets, hidden)


def reason_of(view: View | None) -> str:
    """Why a number is not there: from whom it is kept, and until when."""
    if view is None:
        return "withheld from this copy of the records"
    until = {item.until for item in view.items}
    when = UNTIL[next(iter(until))] if len(until) == 1 else "before database lock"
    return f"withheld from the {view.role.replace('-', ' ')} {when}"


def described(view: View, lacks: tuple[str, ...]) -> dict[str, Any]:
    """What results say of it: the role, the items in words, and the parts that the records lack."""
    words = list(withheld_words(view))
    return {"role": view.role, "allocation": view.allocation, "items": words, "lacks": list(lacks)}


def _parameters(planned: Plan, hidden: Hidden) -> dict[str, frozenset[str]]:
    """By the schedule as it is with and without what is hidden; what is derived from a withheld value is withheld."""
    seen = _without(planned.protocol, hidden)
    measured: dict[str, frozenset[str]] = {}
    found: dict[str, frozenset[str]] = {}
    for item in planned.parameters:
        name, whole = item.parameter.id, planned.measured[item.parameter.id]
        measured[name] = item.derivation.measured(seen, item.options, measured)
        lost = whole - measured[name]
        for need in item.derivation.needs(item.options):
            lost |= whole & found.get(need, frozenset())
        if hidden.assessments & set(_texts(plain(item.parameter.options))):
            lost = whole
        if lost:
            found[name] = frozenset(lost)
    return found


def _without(protocol: Protocol, hidden: Hidden) -> Protocol:
    """The protocol as if nothing were measured where findings are hidden; for the schedule alone."""
    assessments = tuple(
        replace(item, visits=tuple(v for v in item.visits if v not in hidden.findings.get(item.id, frozenset())))
        for item in protocol.assessments
    )
    return replace(protocol, assessments=assessments)


def _texts(value: Any) -> Iterator[str]:
    """Every text in the options of a method or derivation."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _texts(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _texts(item)


def _sets(protocol: Protocol, hidden: Hidden, parameters: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """The analysis sets whose rule asks for what is hidden, and those within them."""
    infusions = {item.id for item in protocol.assessments if item.observation_class == "interventions"}
    doses = bool(hidden.assessments & infusions)
    found: set[str] = set()
    for item in protocol.conventions.analysis_sets:
        if _asks(item, parameters, doses=doses) or item.within in found:
            found.add(item.id)
            yield item.id


def _asks(item: AnalysisSet, parameters: Mapping[str, frozenset[str]], *, doses: bool) -> bool:
    return (doses and item.rule in DOSES) or any(name in parameters for name in item.parameters)


def with_withheld(
    withheld: Withheld | None, item: PlannedAnalysis, results: list[Result], tables: tuple[ResultTable, ...]
) -> tuple[list[Result], tuple[ResultTable, ...]]:
    """The results and tables of an analysis with a reason in the place of what is withheld."""
    if withheld is None:
        return results, tables
    names = set(_texts(plain(item.analysis.options)))
    everything = bool(withheld.hidden.assessments & names) and item.method.name != "descriptive"
    told = [
        _without_numbers(withheld, result)
        if everything or result.analysis_set in withheld.sets or withheld.at(result.parameter, result.visit)
        else result
        for result in results
    ]
    hidden = everything or item.analysis.analysis_set in withheld.sets
    hidden |= bool(told) and all(result.status == withheld.reason for result in told)
    return told, tuple(_table(withheld, table, hidden=hidden) for table in tables)


def _without_numbers(withheld: Withheld, result: Result) -> Result:
    return replace(
        result,
        estimate=None,
        standard_error=None,
        df=None,
        lower=None,
        upper=None,
        p_value=None,
        p_kind=None,
        p_adjusted=None,
        n={},
        n_missing={},
        events=None,
        person_years=None,
        covariance_used=None,
        draws=None,
        mc_error=None,
        status=withheld.reason,
    )


def _table(withheld: Withheld, table: ResultTable, *, hidden: bool) -> ResultTable:
    """A table without the rows of what is withheld, and a note that says so."""
    at = {column.id: index for index, column in enumerate(table.columns)}
    rows = () if hidden else tuple(row for row in table.rows if not _hidden_row(withheld, at, row))
    if len(rows) == len(table.rows) and not hidden:
        return table
    what = "Everything in this table is" if not rows else "Rows that are not here are"
    return replace(table, rows=rows, notes=(*table.notes, f"{what} {withheld.reason}."))


def _hidden_row(withheld: Withheld, at: Mapping[str, int], row: tuple[Any, ...]) -> bool:
    """Whether a row is of a parameter at a withheld visit, or of events that are hidden."""
    visit = row[at["visit"]] if "visit" in at else None
    for key in ("parameter", "id", "assessment"):
        if key not in at:
            continue
        name = str(row[at[key]])
        if withheld.at(name, visit) or name.partition("/")[0] in withheld.hidden.assessments:
            return True
    return False
