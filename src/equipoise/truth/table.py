"""truth.json, schema `equipoise/truth/1`: what is true of each estimand in a simulated world; means and no arms."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from equipoise.errors import DataError, Problem
from equipoise.protocol.schema.inference import Strategy

SCHEMA = "equipoise/truth/1"
FILE = "truth.json"


@dataclass(frozen=True, slots=True)
class Population:
    """The value in the population that a scenario draws people from, with its Monte-Carlo standard error."""

    value: float
    error: float
    people: int


@dataclass(frozen=True, slots=True)
class EstimandTruth:
    """What is true of one estimand: the mean over both potential outcomes of people, under the estimand's strategies.

    value:      on `scale` and in `unit`, as the results of the same contrast are; None where there is none, with the
                reason.
    error:      its Monte-Carlo standard error, where `people` stand for a population.
    people:     with both outcomes, in the estimand's population and stratum.
    strategies: of the events, but for those of treatment policy.
    analyses:   those that answer this estimand with its parameter, visit and limit.
    """

    estimand: str
    parameter: str
    visit: str
    contrast: str
    summary: str
    scale: str
    unit: str
    strategies: Mapping[str, Strategy]
    analyses: tuple[str, ...]
    value: float | None = None
    people: int = 0
    error: float | None = None
    reason: str = ""
    population: Population | None = None


@dataclass(frozen=True, slots=True)
class AnalysisTruth:
    """What is true of a result that is no estimand's contrast: one arm's mean or share, or an interaction."""

    analysis: str
    parameter: str
    visit: str
    contrast: str
    variant: str
    scale: str
    unit: str
    value: float
    people: int


@dataclass(frozen=True, slots=True)
class TruthTable:
    """The content of truth.json.

    protocol, scenario: id and digest. model: of the simulated people. seed, trial: of the random numbers; None, and
    effects at the centre of their ranges, where people stand for a population.
    """

    protocol: Mapping[str, str]
    scenario: Mapping[str, str]
    model: str
    seed: int
    trial: int | None
    estimands: tuple[EstimandTruth, ...]
    analyses: tuple[AnalysisTruth, ...] = field(default=())

    def estimand(self, name: str) -> EstimandTruth:
        """The truth of an estimand; raises KeyError."""
        for item in self.estimands:
            if item.estimand == name:
                return item
        raise KeyError(name)

    def of_result(self, result: str, unit: str, scale: str, *, population: bool = False) -> float | None:
        """The true value of a result by its id, unit and scale; None where the table knows none.

        population: the value in the population, which only estimands have.
        """
        analysis, parameter, _, visit, contrast, *variant = result.split("/")
        key = (parameter, visit, contrast, unit, scale)
        for item in self.estimands if not variant else ():
            if analysis in item.analyses and key == _key(item):
                if population:
                    return None if item.population is None else item.population.value
                return item.value
        for item in self.analyses if not population else ():
            if analysis == item.analysis and key == _key(item) and variant == ([item.variant] if item.variant else []):
                return item.value
        return None


def _key(item: EstimandTruth | AnalysisTruth) -> tuple[str, ...]:
    return item.parameter, item.visit, item.contrast, item.unit, item.scale


def to_data(table: TruthTable) -> dict[str, Any]:
    """The table as JSON data."""
    return json.loads(json.dumps({"schema": SCHEMA, **asdict(_plain(table))}, allow_nan=False))


def _plain(table: TruthTable) -> TruthTable:
    """Mapping proxies, which cannot be copied, as dictionaries."""
    plain = tuple(replace(item, strategies=dict(item.strategies)) for item in table.estimands)
    return replace(table, protocol=dict(table.protocol), scenario=dict(table.scenario), estimands=plain)


def to_json(table: TruthTable) -> str:
    """The text of truth.json."""
    return json.dumps(to_data(table), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_truth(path: Path) -> TruthTable:
    """Read truth.json; raises DataError where it is damaged or of another schema."""
    try:
        data = json.loads(path.read_text("utf-8"))
        if data.pop("schema") != SCHEMA:
            raise ValueError(f"its schema is not {SCHEMA}")
        return _table(data)
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = Problem(str(path), None, "", "truth-readable", f"the file cannot be read: {error}", "Make it anew.")
        raise DataError(f"cannot read the true values in {path}", [problem]) from None


def _table(data: dict[str, Any]) -> TruthTable:
    estimands: list[EstimandTruth] = []
    for item in data.pop("estimands"):
        population = item.pop("population")
        found = EstimandTruth(
            **{
                **item,
                "analyses": tuple(item["analyses"]),
                "strategies": MappingProxyType(item["strategies"]),
                "population": None if population is None else Population(**population),
            }
        )
        if found.value is not None and not math.isfinite(found.value):
            raise ValueError(f"{found.estimand} has no finite value")
        estimands.append(found)
    analyses = tuple(AnalysisTruth(**item) for item in data.pop("analyses"))
    return TruthTable(**data, estimands=tuple(estimands), analyses=analyses)
