"""A report's source of a trial with two periods, from the hand-made people of the tests of flow and adverse events."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl

from equipoise.analysis.data import AnalysisData
from equipoise.analysis.flow import participants_flow
from equipoise.analysis.results import Cell, Results, ResultTable, TableColumn
from equipoise.protocol.load import load_protocol
from equipoise.protocol.schema.inference import Analysis
from equipoise.report.source import DESCRIBED, ReportSource
from tests.analysis import test_adverse_events, test_flow

HARM = Analysis(id="harm", label="Harm", method="adverse-events", analysis_set="safety", role="primary", options={})
TREG_VISITS = ("baseline", "dose-1", "dose-1-48h", "dose-2", "month-12", "dose-3", "dose-3-48h", "month-24")
QUARTERS = ("baseline", "month-3", "month-12", "month-15", "month-24")


def two_periods(*, people: int = 6, lowest: float = 2.0, blinded: bool = False) -> ReportSource:
    """Flow, adverse events, and two courses over time of `people` participants whose values begin at `lowest`."""
    protocol = load_protocol("msc-t1d")
    authored = protocol.authored.model_copy(update={"analyses": (HARM,), "claims": ()})
    protocol = dataclasses.replace(protocol, authored=authored)
    flow_panel, harm_panel = test_flow.make(), test_adverse_events.crossover_panel(protocol)
    if blinded:
        flow_panel, harm_panel = (
            dataclasses.replace(p, arm=np.full(p.arm.shape, -1, np.int8)) for p in (flow_panel, harm_panel)
        )
    harm = test_adverse_events.tables(harm_panel, "adverse-events", "hypoglycaemia")
    course = _course({"treg-percent": TREG_VISITS, "ifn-gamma": QUARTERS}, people, lowest)
    results = Results(
        protocol={"id": protocol.id, "digests": (protocol.digest,)},
        records={"digest": "sha256:" + "0" * 64},
        allocation=None if blinded else {"digest": "sha256:" + "1" * 64},
        software={"name": "equipoise", "version": "0"},
        seed=7,
        results=(),
        tables=(*harm.values(), course),
        flow=participants_flow(AnalysisData(flow_panel, {}, {}), test_flow.RESULTS),
        claims=(),
    )
    arms = [arm.label for arm in protocol.arms]
    ids = [f"P{number:03d}" for number in range(people)]
    subjects = pl.DataFrame({"USUBJID": ids, "ARM": [arms[number % 2] for number in range(people)]})
    return ReportSource(protocol, results, _values(ids, lowest), subjects)


def _course(parameters: dict[str, tuple[str, ...]], people: int, lowest: float) -> ResultTable:
    columns = (
        *(TableColumn(name, name) for name in DESCRIBED),
        *(TableColumn(g, g) for g in ("group-a", "group-b", "all")),
    )
    rows: list[tuple[Cell, ...]] = []
    for name, visits in parameters.items():
        for visit in visits:
            head = ("number", name, name, "", visit)
            rows.append((*head, "n", people // 2, people // 2, people))
            rows += [
                (*head, word, *[lowest + add] * 3) for word, add in (("mean", 1.0), ("lower", 0.5), ("upper", 2.0))
            ]
    return ResultTable("course", "The course", columns, tuple(rows))


def _values(ids: list[str], lowest: float) -> pl.DataFrame:
    protocol = load_protocol("msc-t1d")
    rows = [
        (person, parameter, protocol.visit(visit).label, number, float(protocol.visit(visit).day), lowest + number)
        for parameter, visits in (("treg-percent", TREG_VISITS), ("ifn-gamma", QUARTERS))
        for person in ids
        for number, visit in enumerate(visits)
    ]
    return pl.DataFrame(rows, schema=["USUBJID", "PARAMID", "AVISIT", "AVISITN", "ADY", "AVAL"], orient="row")
