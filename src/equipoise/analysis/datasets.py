"""Analysis datasets in ADaM's names: a row a participant (ADSL), a row a participant, parameter and visit (BDS)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from equipoise.analysis.data import AnalysisData
from equipoise.analysis.event_datasets import EVENT_LABELS, TIME_LABELS, events_table, times_table
from equipoise.analysis.plan import Plan
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.measurement import Parameter
from equipoise.records.classes import SEXES

VALUE_LABELS = {
    "STUDYID": "Study Identifier",
    "USUBJID": "Unique Subject Identifier",
    "PARAMCD": "Parameter Code",
    "PARAM": "Parameter",
    "PARAMID": "Parameter in the Protocol",
    "AVISIT": "Analysis Visit",
    "AVISITN": "Analysis Visit (N)",
    "ADY": "Analysis Day from Time Zero",
    "APERIOD": "Period",
    "TRTP": "Planned Treatment",
    "AVAL": "Analysis Value",
    "BASE": "Baseline Value",
    "CHG": "Change from Baseline",
    "ABLFL": "Baseline Record Flag, by Period",
    "DTYPE": "Derivation Type",
}


@dataclass(frozen=True, slots=True)
class Dataset:
    """An analysis dataset: its name, what it holds, a label for each variable, and its rows."""

    name: str
    title: str
    labels: dict[str, str]
    table: pl.DataFrame


def analysis_datasets(planned: Plan, data: AnalysisData) -> tuple[Dataset, ...]:
    """ADSL, ADEFF (a BDS dataset of every parameter), ADAE (events) and ADTTE (times to first events) of the trial."""
    return (
        _subjects(data),
        _values(planned, data),
        Dataset("adae", "Events", EVENT_LABELS, events_table(data)),
        Dataset("adtte", "Times to first events", TIME_LABELS, times_table(data)),
    )


def _subjects(data: AnalysisData) -> Dataset:
    panel, trial, protocol = data.panel, data.trial, data.protocol
    here = panel.present[trial]
    columns: dict[str, pl.Series] = {
        "STUDYID": _texts([protocol.id] * panel.participants),
        "USUBJID": _texts(list(panel.ids)),
        "SITEID": _texts(panel.labels["site"][trial].tolist()),
        "AGE": _numbers(panel.covariates["age_years"][trial]),
        "AGEU": _texts(["YEARS"] * panel.participants),
        "SEX": pl.Series(
            [None if np.isnan(code) else SEXES[int(code)][0].upper() for code in panel.covariates["sex"][trial]],
            dtype=pl.String,
        ),
    }
    labels = {
        "STUDYID": "Study Identifier",
        "USUBJID": "Unique Subject Identifier",
        "SITEID": "Study Site Identifier",
        "AGE": "Age",
        "AGEU": "Age Units",
        "SEX": "Sex",
    }
    arms = panel.arm[trial]
    names = [arm.label for arm in protocol.arms]
    columns["ARM"] = pl.Series([names[code] if code >= 0 else None for code in arms], dtype=pl.String)
    labels["ARM"] = "Description of Planned Arm"
    for number, period in enumerate(protocol.periods, 1):
        products = {arm.id: protocol.product(arm.treatments[period.id]).label for arm in protocol.arms}
        planned = [products[protocol.arms[code].id] if code >= 0 else None for code in arms]
        columns[f"TRT{number:02d}P"] = pl.Series(planned, dtype=pl.String)
        labels[f"TRT{number:02d}P"] = f"Planned Treatment for Period {number:02d}"
    orders = {arm.id: [protocol.product(arm.treatments[p.id]).label for p in protocol.periods] for arm in protocol.arms}
    sequence = ["-".join(orders[protocol.arms[code].id]) if code >= 0 else None for code in arms]
    columns["TRTSEQP"] = pl.Series(sequence, dtype=pl.String)
    labels["TRTSEQP"] = "Planned Sequence of Treatments"
    for name, column, label in (
        ("DIAGDY", "diagnosis_day", "Day of Diagnosis from Time Zero"),
        ("ALLOCDY", "allocation_day", "Day of Allocation from Time Zero"),
        ("LSTCNDY", "last_contact_day", "Day of Last Contact from Time Zero"),
    ):
        columns[name] = _numbers(panel.covariates[column][trial])
        labels[name] = label
    for analysis_set in protocol.conventions.analysis_sets:
        name = _flag_name(analysis_set.id)
        told = data.withheld is None or analysis_set.id not in data.withheld.sets
        flags = np.where(data.sets[analysis_set.id][trial], "Y", "N").tolist()
        columns[name] = _texts(flags if told else [""] * panel.participants)
        labels[name] = f"{analysis_set.label} Flag"[:40]
    return Dataset("adsl", "Subject-level analysis dataset", labels, pl.DataFrame(columns).filter(pl.Series(here)))


def _flag_name(analysis_set: str) -> str:
    """ADaM's own names where it has them, else the set's first six letters and FL."""
    known = {"randomised": "RANDFL", "full": "FASFL", "safety": "SAFFL", "per-protocol": "PPROTFL"}
    return known.get(analysis_set, analysis_set.replace("-", "").upper()[:6] + "FL")


def parameter_codes(parameters: tuple[Parameter, ...]) -> dict[str, str]:
    """Parameter -> PARAMCD: up to eight capitals and digits, unique."""
    codes: dict[str, str] = {}
    for parameter in parameters:
        stem = parameter.id.replace("-", "").upper()
        code, number = stem[:8], 1
        while code in codes.values():
            number += 1
            code = stem[: 8 - len(str(number))] + str(number)
        codes[parameter.id] = code
    return codes


def _values(planned: Plan, data: AnalysisData) -> Dataset:
    panel, trial, protocol = data.panel, data.trial, data.protocol
    baseline = protocol.conventions.baselines[0].visit
    at_baseline = panel.visit_index(baseline)
    baselines = _baselines(protocol)
    numbers = {period.id: number for number, period in enumerate(protocol.periods, 1)}
    periods = [numbers.get(visit.period or "") for visit in protocol.visits]
    codes = parameter_codes(protocol.parameters)

    def given(who: int, when: int) -> str | None:
        code, period = int(panel.arm[trial, who]), protocol.visits[when].period
        if code < 0 or period is None or data.blinded:
            return None
        return protocol.product(protocol.arms[code].treatments[period]).label

    ids = np.array(panel.ids, dtype=object)
    visits = np.array([visit.label for visit in protocol.visits], dtype=object)
    parts: list[pl.DataFrame] = []
    for item in planned.parameters:
        parameter = item.parameter
        values = data.parameters[parameter.id][trial]
        person, visit = np.nonzero(~np.isnan(values) & panel.present[trial][:, np.newaxis])
        base = np.where(item.derivation.name == "change", np.nan, values[person, at_baseline])
        aval = values[person, visit]
        parts.append(
            pl.DataFrame(
                {
                    "STUDYID": pl.Series([protocol.id] * len(person), dtype=pl.String),
                    "USUBJID": pl.Series(ids[person].tolist(), dtype=pl.String),
                    "PARAMCD": pl.Series([codes[parameter.id]] * len(person), dtype=pl.String),
                    "PARAM": pl.Series([f"{parameter.label} ({parameter.unit})"] * len(person), dtype=pl.String),
                    "PARAMID": pl.Series([parameter.id] * len(person), dtype=pl.String),
                    "AVISIT": pl.Series(visits[visit].tolist(), dtype=pl.String),
                    "AVISITN": pl.Series(visit.astype(np.int32) + 1),
                    "ADY": _numbers(panel.visit_day[trial][person, visit]),
                    "APERIOD": pl.Series([periods[v] for v in visit], dtype=pl.Int64),
                    "TRTP": pl.Series(
                        [given(int(p), int(v)) for p, v in zip(person, visit, strict=True)], dtype=pl.String
                    ),
                    "AVAL": pl.Series(aval),
                    "BASE": _numbers(base),
                    "CHG": _numbers(np.where(visit > at_baseline, aval - base, np.nan)),
                    "ABLFL": _texts(np.where(np.isin(visit, baselines), "Y", "").tolist()),
                    "DTYPE": pl.Series(
                        _types(data, item.derivation.name, item.options, person, visit), dtype=pl.String
                    ),
                }
            )
        )
    return Dataset("adeff", "Parameters by visit", VALUE_LABELS, pl.concat(parts))


def _baselines(protocol: Protocol) -> list[int]:
    """The visits that are a baseline for efficacy: the first of the protocol, and those before later periods."""
    first, *others = protocol.conventions.baselines
    later = [item.visit for item in others if item.id in {period.id for period in protocol.periods}]
    order = [visit.id for visit in protocol.visits]
    return [order.index(name) for name in (first.visit, *later)]


def _types(
    data: AnalysisData, derivation: str, options: object, person: np.ndarray, visit: np.ndarray
) -> list[str | None]:
    """SUPPLIED where the value came with the data and was not derived from measurements, LOCF where it was carried."""
    word = {"supplied-where-missing": "SUPPLIED", "carried-forward": "LOCF"}.get(derivation)
    if word is None:
        return [None] * len(person)
    own = data.parameters[options.parameter][data.trial]  # pyright: ignore[reportAttributeAccessIssue]  its options have it
    return [word if np.isnan(own[p, v]) else None for p, v in zip(person, visit, strict=True)]


def _texts(values: list[str | None]) -> pl.Series:
    return pl.Series(values, dtype=pl.String).replace("", None)


def _numbers(values: np.ndarray) -> pl.Series:
    return pl.Series(np.asarray(values, np.float64)).fill_nan(None)
