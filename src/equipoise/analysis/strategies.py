"""Strategies for intercurrent events, applied to the data of an estimand before its method sees them.

A method is given a view of the trial in which the values already are what the estimand's strategies make of them, so
that no method knows of any. Of a participant's events the earliest onset with another strategy than treatment policy
governs. An estimand of treatment policy alone has no view: its methods read the data themselves, to the bit.

treatment-policy    nothing changes
hypothetical        values of visits after the onset are missing; counts and time at risk end at the onset
while-on-treatment  after the onset the last value up to it; counts and time at risk end at the onset
composite           from the onset on the declared value, or one that fails the yes/no of the method
principal-stratum   who is (not) in the stratum leaves the analysis set

A value belongs to the day of its visit, the person's own (`onsets.visit_days`); visits planned up to day 0 and every
baseline that a method adjusts for come before treatment and stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.data import ENDING, POLICY, STRATUM, AnalysisData, Applied, DerivationData, Flags, Floats
from equipoise.analysis.occurrence import known
from equipoise.analysis.registry import Method, Outcome, PlannedParameter
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import Analysis, Estimand, IntercurrentEvent
from equipoise.records.onsets import has_lots, onset, visit_days
from equipoise.records.panel import EXACT, LEFT, Block, Panel


@dataclass(frozen=True, slots=True)
class Governed:
    """How a method is run under the strategies of an estimand: on the data as they make them."""

    method: Method
    estimand: Estimand
    parameters: tuple[PlannedParameter, ...]

    def __call__(self, data: AnalysisData, analysis: Analysis, options: Any) -> Outcome:
        view = self.view(data, options)
        outcome = self.method.run(view, analysis, options)
        return replace(outcome, estimates=tuple(replace(item, applied=view.applied) for item in outcome.estimates))

    def view(self, data: AnalysisData, options: Any) -> AnalysisData:
        """The data as the method sees them."""
        if data.applied is not None:
            return data
        return _view(self.parameters, data, self.estimand, self.method.carries(options).failure)


def governed(
    method: Method, analysis: Analysis, protocol: Protocol, parameters: tuple[PlannedParameter, ...]
) -> Method:
    """The method as it runs under the strategies of the analysis's estimand; itself where all are treatment policy."""
    if analysis.estimand is None:
        return method
    estimand = protocol.estimand(analysis.estimand)
    return replace(method, run=Governed(method, estimand, parameters)) if acting(protocol, estimand) else method


def under_strategies(method: Method, data: AnalysisData, options: Any) -> AnalysisData:
    """The data as a planned method sees them."""
    return method.run.view(data, options) if isinstance(method.run, Governed) else data


def acting(protocol: Protocol, estimand: Estimand) -> tuple[IntercurrentEvent, ...]:
    """The events with another strategy than treatment policy; of two on one day the first here governs."""
    chosen = [
        event
        for event in protocol.authored.intercurrent_events
        if estimand.intercurrent_events.get(event.id, POLICY) != POLICY
    ]
    place = {name: index for index, name in enumerate(estimand.order)}
    return tuple(sorted(chosen, key=lambda event: place.get(event.id, len(place))))


def _view(
    planned: tuple[PlannedParameter, ...], data: AnalysisData, estimand: Estimand, failure: float | None
) -> AnalysisData:
    panel = data.panel
    events = acting(data.protocol, estimand)
    days = {event.id: onset(panel, event, data.parameters) for event in events}
    course = _Course(panel, estimand, days, failure)
    parameters = _Parameters(planned, panel, data.parameters, course, estimand.variable.parameter)
    members = _stratum(data, estimand, events, days, course.visits)
    population = data.sets[estimand.population]
    sets = {**data.sets, estimand.population: population & members}
    return replace(
        data,
        panel=replace(panel, blocks=_Blocks(panel.blocks, course)),
        parameters=parameters,
        sets=MappingProxyType(sets),
        applied=Applied(
            onsets=MappingProxyType(days),
            days=course.visits,
            until=course.until,
            on_treatment=course.of("while-on-treatment"),
            members=population,
            stratum=members,
            unaltered=data.parameters,
            altered=parameters,
        ),
    )


def _stratum(
    data: AnalysisData,
    estimand: Estimand,
    events: tuple[IntercurrentEvent, ...],
    days: Mapping[str, Floats],
    visits: Floats,
) -> Flags:
    """Who belongs to the principal stratum, (R, n): by what happened up to the day of the estimand's visit.

    Nobody is known to belong to it where the trial did not record the event.
    """
    panel = data.panel
    members = np.ones(panel.present.shape, np.bool_)
    at = visits[:, :, panel.visit_index(estimand.variable.visit)]
    for event in events:
        if estimand.intercurrent_events[event.id] != STRATUM:
            continue
        happened = days[event.id] <= at
        wanted = estimand.principal[event.id].event == "would-occur"
        members &= happened if wanted else ~happened
        members &= np.array([known(data, event, trial) for trial in range(panel.trials)])[:, np.newaxis]
        recorded = event.recorded
        if recorded is not None and recorded.rule == "lot-failed":
            members &= has_lots(panel, recorded)
    return members


@dataclass(frozen=True)
class _Course:
    """What the strategies of one estimand do to each person.

    days: event -> onset (R, n), of the events that act, the first of equals first.
    """

    panel: Panel
    estimand: Estimand
    days: Mapping[str, Floats]
    failure: float | None

    @cached_property
    def visits(self) -> Floats:
        """Days of the visits, (R, n, visits)."""
        return visit_days(self.panel)

    @cached_property
    def governing(self) -> Mapping[str, Flags]:
        """Event -> whose course it governs, (R, n): the earliest onset, the first of equals."""
        names = [name for name in self.days if self.estimand.intercurrent_events[name] != STRATUM]
        found: dict[str, Flags] = {}
        if names:
            every = np.stack([self.days[name] for name in names])
            first = every.argmin(axis=0)
            there = np.isfinite(every.min(axis=0))
            found = {name: there & (first == place) for place, name in enumerate(names)}
        return found

    def of(self, strategy: str) -> Floats:
        """The onset that governs with this strategy, (R, n); inf elsewhere."""
        found = np.full(self.panel.present.shape, np.inf)
        for name, whose in self.governing.items():
            if self.estimand.intercurrent_events[name] == strategy:
                found = np.where(whose, self.days[name], found)
        return found

    @cached_property
    def until(self) -> Floats:
        """The last day that counts, (R, n)."""
        return np.minimum.reduce([self.of(strategy) for strategy in ENDING])

    @cached_property
    def _later(self) -> Flags:
        """Visits that may come after treatment began, (visits,)."""
        return np.array([visit.day > 0 for visit in self.panel.protocol.visits], np.bool_)

    @cached_property
    def missing(self) -> Flags:
        """Visits whose values are not used, (R, n, visits)."""
        return (self.visits > self.of("hypothetical")[..., None]) & self._later

    @cached_property
    def carried(self) -> Flags:
        """Visits at which the last value before the onset is taken, (R, n, visits)."""
        return (self.visits > self.of("while-on-treatment")[..., None]) & self._later

    @cached_property
    def replaced(self) -> Floats:
        """What a composite strategy puts in the place of the estimand's parameter, (R, n, visits); NaN for nothing."""
        return self._composite(declared=True)

    @cached_property
    def failed(self) -> Floats:
        """The same for any parameter: only failures, which are the same on every scale."""
        return self._composite(declared=False)

    def _composite(self, *, declared: bool) -> Floats:
        found = np.full(self.visits.shape, np.nan)
        for name, whose in self.governing.items():
            if self.estimand.intercurrent_events[name] != "composite":
                continue
            consequence = self.estimand.composite[name]
            value = self.failure if consequence.failure else consequence.value if declared else None
            if value is not None:
                from_onset = (self.visits >= self.days[name][..., None]) & self._later & whose[..., None]
                found = np.where(from_onset, value, found)
        return found

    def withheld(self, values: Floats, days: Floats, places: list[int]) -> Floats:
        """Values (R, n, V, …) of some visits without what is not used, and with the last ones in their place."""
        more = (1,) * (values.ndim - 3)
        carried = self.carried[:, :, places]
        found = np.where(_wider(self.missing[:, :, places], more), np.nan, values)
        return np.where(_wider(carried, more), last_value(values, days, carried), found) if carried.any() else found


def _wider(flags: np.ndarray, more: tuple[int, ...]) -> np.ndarray:
    return flags.reshape(*flags.shape, *more)


def last_value(values: Floats, days: Floats, after: Flags) -> Floats:
    """The value of the latest day that is not `after`, (R, n, 1, …), of values (R, n, V, …); NaN where there is none.

    Days decide, not the order of the visits; of two values of one day the later visit's.
    """
    place, there = last_place(values, days, after)
    return np.where(there, np.take_along_axis(values, place, axis=2), np.nan)


def last_place(values: Floats, days: Floats, after: Flags) -> tuple[NDArray[np.intp], Flags]:
    """Where on the axis of visits that value is, and whether there is one, both (R, n, 1, …)."""
    more = (1,) * (values.ndim - 3)
    usable = ~np.isnan(values) & ~_wider(after, more)
    when = np.where(usable, _wider(days, more), -np.inf)
    place = values.shape[2] - 1 - np.flip(when, axis=2).argmax(axis=2)
    return np.expand_dims(place, 2), np.asarray(usable.any(axis=2, keepdims=True))


class _Parameters(Mapping[str, Floats]):
    """Every parameter as the strategies make it, derived when it is asked for."""

    def __init__(
        self,
        planned: tuple[PlannedParameter, ...],
        panel: Panel,
        unaltered: Mapping[str, Floats],
        course: _Course,
        target: str,
    ) -> None:
        self._planned = {item.parameter.id: item for item in planned}
        self._panel, self._unaltered, self._course, self._target = panel, unaltered, course, target
        self._made: dict[str, Floats] = {}

    def __getitem__(self, name: str) -> Floats:
        if name not in self._made:
            self._made[name] = self._altered(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._unaltered)

    def __len__(self) -> int:
        return len(self._unaltered)

    def _altered(self, name: str) -> Floats:
        course = self._course
        item = self._planned.get(name)
        if item is not None and item.derivation.belongs == "until":
            data = DerivationData(self._panel, self._unaltered, course.until)
            values = item.derivation.derive(data, item.parameter, item.options)
        elif item is not None and self._anew(name):
            values = item.derivation.derive(DerivationData(self._panel, self), item.parameter, item.options)
        else:
            places = list(range(course.visits.shape[2]))
            values = course.withheld(self._unaltered[name], course.visits, places)
        put = course.replaced if name == self._target else course.failed
        return np.where(np.isnan(put), values, put)

    def _anew(self, name: str) -> bool:
        """Whether values of other visits, or totals, are in it: then it is derived again from what is left of them."""
        item = self._planned[name]
        if item.derivation.belongs == "visits":
            return True
        return any(
            self._planned[need].derivation.belongs == "until" or self._anew(need)
            for need in item.derivation.needs(item.options)
            if need in self._planned
        )


class _Blocks(Mapping[str, Block]):
    """Every block of findings as the strategies make it, for methods that go back to the measured levels."""

    def __init__(self, blocks: Mapping[str, Block], course: _Course) -> None:
        self._blocks, self._course = blocks, course
        self._made: dict[str, Block] = {}

    def __getitem__(self, name: str) -> Block:
        if name not in self._made:
            self._made[name] = self._altered(self._blocks[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._blocks)

    def __len__(self) -> int:
        return len(self._blocks)

    def _altered(self, block: Block) -> Block:
        course = self._course
        order = [visit.id for visit in course.panel.protocol.visits]
        places = [order.index(visit) for visit in block.visits]
        days = course.visits[:, :, places]
        value = course.withheld(block.value, days, places)
        carried = course.carried[:, :, places]
        censored = block.censored
        if carried.any():
            place, _ = last_place(block.value, days, carried)
            censored = np.where(_wider(carried, (1, 1)), np.take_along_axis(censored, place, axis=2), censored)
        put = course.replaced[:, :, places]
        composite = _wider(~np.isnan(put), (1, 1))
        value = np.where(composite, _wider(put, (1, 1)), value)
        # A level that fails is one that was not detected.
        code = np.where(np.isneginf(put), LEFT, EXACT)
        censored = np.where(composite, _wider(code, (1, 1)), np.where(np.isnan(value), EXACT, censored))
        return replace(block, value=value, censored=censored.astype(np.int8))


def repeated(applied: Applied, often: Callable[[np.ndarray], np.ndarray]) -> Applied:
    """What was applied, of one trial written out as often as asked."""

    def each(values: Mapping[str, Floats]) -> Mapping[str, Floats]:
        return MappingProxyType({name: often(array) for name, array in values.items()})

    return Applied(
        each(applied.onsets),
        often(applied.days),
        often(applied.until),
        often(applied.on_treatment),
        often(applied.members),
        often(applied.stratum),
        each(applied.unaltered),
        each(applied.altered),
    )
