"""Both potential outcomes: the same people with the same random numbers, once in one arm and once in the other.

The two are put into one Panel of twice as many participants, first everybody in the active arm, then everybody in the
reference. So whatever ranks or pools the values of a trial does it over both outcomes together, and the derivations and
strategies of the analysis are applied to both as they are to the trial.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.analyse import prepare
from equipoise.analysis.data import AnalysisData
from equipoise.analysis.plan import Plan
from equipoise.records.panel import Block, Panel, Rows
from equipoise.simulate.scenario import Scenario
from equipoise.simulate.scenario_schema import Missing
from equipoise.simulate.trial import simulate_trials

NOTHING_MISSING = Missing(visits=0, results=0, points=0, diary=0, lost=0)


@dataclass(frozen=True, slots=True)
class People:
    """Whose potential outcomes: those of trials `first` … `first + trials - 1` of a seed."""

    seed: int
    trials: int = 1
    first: int = 0


def followed_whole(scenario: Scenario, *, centre: bool = False) -> Scenario:
    """The same nature, but everything is seen; centre: and effects are at their values.

    Whoever leaves has no dose from then on, and has outcomes all the same.
    """
    missing = scenario.authored.missing
    changed: dict[str, Any] = {"missing": NOTHING_MISSING.model_copy(update={"visits": missing.visits})}
    if centre:
        changed["effects_vary"] = False
    return replace(scenario, authored=scenario.authored.model_copy(update=changed), whole=True)


def both_outcomes(
    planned: Plan, scenario: Scenario, people: People, arms: tuple[str, str], without: frozenset[str] = frozenset()
) -> AnalysisData:
    """The data of everybody in both arms, (R, 2n): first in `arms[0]`, then in `arms[1]`.

    scenario: of people who are followed whole. without: intercurrent events that never happen.

    Raises InputError where an event cannot be left out.
    """
    protocol = planned.protocol
    order = [arm.id for arm in protocol.arms]
    worlds: list[Panel] = []
    for arm in arms:
        number = order.index(arm)
        made = simulate_trials(protocol, scenario, people.seed, people.trials, people.first, number, sorted(without))
        worlds.append(joined(made, axis=0))
    return prepare(planned, joined(worlds, axis=1))


def joined(panels: list[Panel], axis: int) -> Panel:
    """Panels of one protocol as one: along the trials (axis 0) or along the participants (axis 1)."""
    if len(panels) == 1:
        return panels[0]
    first = panels[0]

    def all_of(part: str) -> NDArray[Any]:
        return np.concatenate([getattr(panel, part) for panel in panels], axis=axis)

    def each(part: str) -> Mapping[str, Any]:
        maps = [getattr(panel, part) for panel in panels]
        return MappingProxyType({name: np.concatenate([one[name] for one in maps], axis=axis) for name in maps[0]})

    ids = first.ids if axis == 0 else tuple(f"{id_}-{number}" for number, p in enumerate(panels) for id_ in p.ids)
    return replace(
        first,
        ids=ids,
        **{part: all_of(part) for part in ("present", "arm", "visit_day", "visit_status")},
        **{part: each(part) for part in ("covariates", "labels", "supplied", "entry")},
        blocks=MappingProxyType(
            {name: _block([panel.blocks[name] for panel in panels], axis) for name in first.blocks}
        ),
        **{part: _rows(panels, part, axis) for part in ("events", "interventions", "lots", "dispensed")},
    )


def _block(blocks: list[Block], axis: int) -> Block:
    parts = ("value", "censored", "day", "asked")
    return replace(
        blocks[0], **{part: np.concatenate([getattr(block, part) for block in blocks], axis=axis) for part in parts}
    )


def _rows(panels: list[Panel], part: str, axis: int) -> Rows:
    """Rows in the order of trial and participant, with the places that their people have in the whole."""
    tables: list[Rows] = [getattr(panel, part) for panel in panels]
    sizes = [panel.trials if axis == 0 else panel.participants for panel in panels]
    shifts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    moved = ("trial", "participant")[axis]
    places = {
        name: np.concatenate(
            [getattr(rows, name) + (shift if name == moved else 0) for rows, shift in zip(tables, shifts, strict=True)]
        )
        for name in ("trial", "participant")
    }
    order = np.lexsort((places["participant"], places["trial"]))
    names = next((rows.columns for rows in tables if len(rows)), tables[0].columns)
    columns: dict[str, NDArray[Any]] = {}
    for name in names:
        columns[name] = np.concatenate([rows.columns[name] for rows in tables])[order]
    return Rows(places["trial"][order], places["participant"][order], MappingProxyType(columns))
