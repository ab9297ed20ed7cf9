"""Results as small frozen types, and results.json, schema `equipoise/results/1`."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from equipoise.errors import DataError, Problem

SCHEMA = "equipoise/results/1"
SHARE = "share"
"""The unit of a share of participants, and of a difference of two: 0.1 is ten per cent."""
RATE_RATIO = "ln rate ratio"
"""The unit of the logarithm of a ratio of rates; its scale is `log`."""
Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Result:
    """One estimate with everything that a reader needs to judge it; None where a number does not apply or is not known.

    id:            analysis/parameter/period/visit/contrast[/variant], unique and stable.
    active, reference: the two arms that are compared; None for a number of one group. Nothing is read off `contrast`.
    variant:       what tells estimates of one analysis and contrast apart; None where there is one.
    estimate …:    on `scale`; `lower` and `upper` bound the interval of `level`.
    p_kind:        model, re-randomisation, exact or mid-p.
    p_lower, p_upper: one-sided, of no effect against a lower and against a higher value.
    n, n_missing:  participants with and without the value, by arm.
    intercurrent_events: event with another strategy than treatment policy -> arm -> who had it by the visit.
    values_changed: withheld, replaced or excluded by these strategies -> arm -> participants.
    strategy_notes: the same in sentences, and what is assumed.
    status:        ``ok``, or why a number is missing and what to do.
    """

    id: str
    analysis: str
    label: str
    estimand: str | None
    estimand_strategy: Mapping[str, str]
    role: str
    family: str | None
    method: str
    parameter: str
    unit: str
    scale: str
    visit: str | None
    period: str | None
    analysis_set: str
    contrast: str
    active: str | None = None
    reference: str | None = None
    variant: str | None = None
    estimate: float | None = None
    standard_error: float | None = None
    df: float | None = None
    lower: float | None = None
    upper: float | None = None
    level: float = 0.95
    p_value: float | None = None
    p_kind: str | None = None
    p_adjusted: float | None = None
    alternative: str = "two-sided"
    n: Mapping[str, int] = field(default_factory=dict)
    n_missing: Mapping[str, int] = field(default_factory=dict)
    events: Mapping[str, int] | None = None
    person_years: Mapping[str, float] | None = None
    covariance_requested: str | None = None
    covariance_used: str | None = None
    draws: int | None = None
    mc_error: float | None = None
    intercurrent_events: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    values_changed: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    strategy_notes: tuple[str, ...] = ()
    status: str = "ok"
    p_lower: float | None = None
    p_upper: float | None = None


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a results table."""

    id: str
    label: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class ResultTable:
    """A table of numbers at full precision; the report words and rounds them."""

    id: str
    title: str
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FlowStep:
    """A count of participants on their way through the trial; `arm` None before allocation or where it is not known."""

    id: str
    label: str
    count: int
    arm: str | None = None
    period: str | None = None
    reasons: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ClaimPartResult:
    """What one result says of its part of a claim.

    null_value:    no effect, or the claim's margin, on the scale of the result.
    p_value, side: min(1, 2 min(one-sided p)), in a one-sided family the p of the claimed side; and the side shown.
    p_adjusted:    the same adjusted within the family and its graph; None where the family does not adjust.
    level, local_level: of the family, and what was left of it for this part when the procedure stopped.
    lower, upper:  the interval, unadjusted, with `interval_level`.
    """

    analysis: str
    result: str | None
    direction: str
    verdict: str
    reason: str
    null_value: float = 0.0
    p_value: float | None = None
    side: str | None = None
    p_adjusted: float | None = None
    level: float | None = None
    local_level: float | None = None
    lower: float | None = None
    upper: float | None = None
    interval_level: float | None = None


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """A claim of the protocol and what the results say of it.

    kind:  confirmatory, exploratory, safety or described.
    parts: of a confirmatory or exploratory claim, in the protocol's order.
    given: how many people had the active product, in words; "" where that is not known or does not apply.
    """

    id: str
    text: str
    verdict: str
    results: tuple[str, ...]
    reason: str
    kind: str = "safety"
    parts: tuple[ClaimPartResult, ...] = ()
    given: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """All that an analysis found.

    withheld: of an analysis for a masked role: the role, the protocol's items that are kept from it in words, and the
    parts that its records lack; None, and not in the file, for an analysis of everything.
    made_by: the package and version of every method and derivation that the protocol names; not in files of before.
    """

    protocol: Mapping[str, Any]
    records: Mapping[str, str]
    allocation: Mapping[str, str] | None
    software: Mapping[str, str]
    seed: int | None
    results: tuple[Result, ...]
    tables: tuple[ResultTable, ...]
    flow: tuple[FlowStep, ...]
    claims: tuple[ClaimResult, ...]
    withheld: Mapping[str, Any] | None = None
    made_by: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def packages(self) -> dict[str, str]:
        """The version of every package whose methods or derivations made these results."""
        return {origin["package"]: origin["version"] for origin in self.made_by.values()}

    def result(self, result_id: str) -> Result:
        """The result with this id; raises KeyError."""
        for item in self.results:
            if item.id == result_id:
                return item
        raise KeyError(result_id)

    def table(self, table_id: str) -> ResultTable:
        """The table with this id; raises KeyError."""
        for item in self.tables:
            if item.id == table_id:
                return item
        raise KeyError(table_id)

    def of_analysis(self, analysis: str) -> tuple[Result, ...]:
        """The results of one analysis, in order."""
        return tuple(item for item in self.results if item.analysis == analysis)


def finite(value: float | None) -> float | None:
    """A number as results hold it: plain float, and None for what is not finite."""
    return None if value is None or not math.isfinite(value) else float(value)


def to_data(results: Results) -> dict[str, Any]:
    """Results as JSON data."""
    data = {"schema": SCHEMA, **_plain(results)}
    if results.withheld is None:
        del data["withheld"]
    return data


def to_json(results: Results) -> str:
    """The text of results.json; raises ValueError for a number that is not finite (None is for those)."""
    return json.dumps(to_data(results), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: _plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def read_results(path: Path) -> Results:
    """Read results.json; raises DataError where it is none of schema 1."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.pop("schema") != SCHEMA:
            raise ValueError(f"its schema is not {SCHEMA}")
        return _from_data(data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        missing = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
        remedy = "Run `equipoise analyse` again."
        problem = Problem(str(path), None, "", "results-readable", f"cannot be read as results: {missing}", remedy)
        raise DataError(f"cannot read the results {path}", [problem]) from None


def _from_data(data: dict[str, Any]) -> Results:
    frozen = {key: MappingProxyType(value) if isinstance(value, dict) else value for key, value in data.items()}
    tables = tuple(
        ResultTable(
            item["id"],
            item["title"],
            tuple(TableColumn(**column) for column in item["columns"]),
            tuple(tuple(row) for row in item["rows"]),
            tuple(item["notes"]),
        )
        for item in data["tables"]
    )
    flow = tuple(FlowStep(**{**item, "reasons": tuple((r[0], r[1]) for r in item["reasons"])}) for item in data["flow"])
    claims = tuple(_claim(item) for item in data["claims"])
    results = tuple(
        Result(**{**item, "strategy_notes": tuple(item.get("strategy_notes", ()))}) for item in data["results"]
    )
    return Results(**{**frozen, "results": results, "tables": tables, "flow": flow, "claims": claims})


def _claim(item: dict[str, Any]) -> ClaimResult:
    parts = tuple(ClaimPartResult(**part) for part in item.get("parts", ()))
    return ClaimResult(**{**item, "results": tuple(item["results"]), "parts": parts})
