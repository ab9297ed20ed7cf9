"""Analyse the records of a trial: Panel, derivations, sets, methods, flow, claims, in one call."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.analysis.amendments import amendments_table
from equipoise.analysis.claims import claim_results
from equipoise.analysis.data import AnalysisData
from equipoise.analysis.derive import analysis_sets, derive
from equipoise.analysis.deviations import deviations_table
from equipoise.analysis.estimates import result_of
from equipoise.analysis.flow import participants_flow
from equipoise.analysis.given import given_active
from equipoise.analysis.influence import influence_table
from equipoise.analysis.multiplicity import with_adjusted
from equipoise.analysis.named import answerable, origins
from equipoise.analysis.occurrence import occurrence_table
from equipoise.analysis.plan import Plan, plan
from equipoise.analysis.precision import precision_table
from equipoise.analysis.registry import methods
from equipoise.analysis.results import Result, Results, ResultTable
from equipoise.analysis.safety_findings import safety_tables
from equipoise.analysis.withheld import described, with_withheld, withheld_in
from equipoise.protocol.amendment import chain_of
from equipoise.protocol.model import Protocol
from equipoise.records.allocation import Allocation
from equipoise.records.dispensed import Dispensed
from equipoise.records.from_records import to_panel
from equipoise.records.panel import Panel
from equipoise.records.records import Records
from equipoise.records.visibility import View


@dataclass(frozen=True, slots=True)
class Analysed:
    """The results of an analysis, and the data behind them."""

    results: Results
    data: AnalysisData


def analyse_records(
    records: Records,
    allocation: Allocation | None,
    *,
    software: dict[str, str],
    scrambled: int | None = None,
    signed: Protocol | None = None,
    dispensed: Dispensed | None = None,
    view: View | None = None,
) -> Analysed:
    """Analyse the records of one trial; without `allocation` the run is blinded.

    scrambled: the seed of an allocation that means nothing; results say so. signed: the protocol of the plan that was
    signed beforehand, from which deviations are listed. dispensed: what was truly given; it tells the arm, so that a
    blinded run and one with a scrambled allocation do not look at it.

    view: of the role for which the records were masked; what they lack is withheld from every result.

    Results of simulated records carry their seed, by which everything made of them says that it is simulated.

    Raises InputError where the protocol's analyses cannot be planned.
    """
    protocol = records.protocol
    planned = plan(protocol)
    told = None if allocation is None or scrambled is not None else dispensed
    panel = to_panel(records, allocation, told)
    data = prepare(planned, panel, hidden=allocation is None, lacks=records.lacks, view=view)
    found, tables = run(planned, data)
    tables += tuple(
        table
        for table in (
            precision_table(protocol, found),
            influence_table(planned, data, found),
            occurrence_table(data),
            None if signed is None else deviations_table(signed, protocol),
            amendments_table(records),
            *safety_tables(data, drawn=scrambled is not None),
        )
        if table is not None
    )
    results = Results(
        protocol=protocol_identity(protocol, records.earlier),
        records={"digest": records.digest},
        allocation=_identity(allocation, scrambled, told),
        software=software,
        seed=records.seed,
        results=found,
        tables=tables,
        flow=participants_flow(data, found),
        claims=claim_results(protocol, found, tables, given_active(data).trial(data.trial)),
        withheld=None if view is None or view.whole else described(view, records.lacks),
        made_by=origins(protocol),
    )
    return Analysed(results, data)


def _identity(
    allocation: Allocation | None, scrambled: int | None, dispensed: Dispensed | None
) -> dict[str, str] | None:
    """What arms and products were taken from; nothing in a blinded run."""
    if allocation is None:
        return None
    found = {"digest": allocation.digest}
    found |= {} if scrambled is None else {"scrambled": str(scrambled)}
    return found | ({} if dispensed is None else {"dispensed": dispensed.digest})


def prepare(
    planned: Plan,
    panel: Panel,
    trial: int = 0,
    *,
    hidden: bool | None = None,
    lacks: tuple[str, ...] = (),
    view: View | None = None,
) -> AnalysisData:
    """Derive every parameter and decide every analysis set.

    hidden: whether arms were left out, where it is known. lacks, view: the parts that the records lack, and for whom.
    """
    withheld = withheld_in(planned, lacks, view)
    parameters = derive(planned, panel)
    if withheld is not None:
        parameters = withheld.masked(panel.protocol, parameters)
    return AnalysisData(panel, parameters, analysis_sets(panel, parameters), trial, hidden, withheld=withheld)


def run(planned: Plan, data: AnalysisData) -> tuple[tuple[Result, ...], tuple[ResultTable, ...]]:
    """Run every planned analysis; the results are those of the data's trial, adjusted within their families."""
    results: list[Result] = []
    tables: list[ResultTable] = []
    for item in planned.analyses:
        place = planned.protocol.analyses.index(item.analysis)
        with answerable(methods(), item.analysis.method, planned.protocol, ("analyses", place, "method")):
            outcome = item.method.run(data, item.analysis, item.options)
            estimated = [result_of(estimate, data, item.analysis, data.trial) for estimate in outcome.estimates]
        told, shown = with_withheld(data.withheld, item, estimated, outcome.tables)
        results += told
        tables += shown
    return with_adjusted(planned.protocol, tuple(results)), tuple(tables)


def protocol_identity(protocol: Protocol, earlier: tuple[Protocol, ...] = ()) -> dict[str, object]:
    """How results name their protocol: id and the digests of the document's chain, oldest first."""
    return {"id": protocol.id, "digests": list(chain_of(protocol, earlier))}
