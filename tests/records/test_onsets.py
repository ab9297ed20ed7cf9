"""Onset days of intercurrent events, by hand: names, rules of doses and lots, insulin, and never the arm."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

import numpy as np
import pytest

from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.onsets import onsets, planned_doses, undated, visit_days
from equipoise.records.panel import Panel, Rows
from tests.records.panels import make_panel

PEOPLE = 6
Record = tuple[int, dict[str, object]]
GIVEN = {"assessment": "infusion", "treatment": "study treatment", "status": "given"}
NOT_GIVEN = {**GIVEN, "status": "not-given"}


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return load_protocol("msc-t1d")


def rows(like: dict[str, str], records: list[Record]) -> Rows:
    """Rows with the columns `like` (name -> kind) from what is stated of each."""
    columns = {
        name: np.array([record.get(name, "" if kind == "U" else np.nan) for _, record in records])
        for name, kind in like.items()
    }
    who = np.array([person for person, _ in records], np.int64)
    return Rows(np.zeros(len(records), np.int64), who, MappingProxyType(columns))


LOTS: dict[str, str] = dict.fromkeys(("lot", "test", "original", "unit", "decision"), "U")
LOTS |= dict.fromkeys(("day", "value", "passed"), "f")


def panel_of(
    protocol: Protocol,
    *,
    events: list[Record] | None = None,
    interventions: list[Record] | None = None,
    lots: list[Record] | None = None,
) -> Panel:
    plain = make_panel(protocol, PEOPLE, seed=1, missing=0.0, awkward=False)
    kinds = {
        kind: {name: column.dtype.kind for name, column in getattr(plain, kind).columns.items()}
        for kind in ("events", "interventions")
    }
    covariates = {**plain.covariates, "allocation_day": np.full((1, PEOPLE), -20.0)}
    return dataclasses.replace(
        plain,
        covariates=MappingProxyType(covariates),
        events=rows(kinds["events"], events or []),
        interventions=rows(kinds["interventions"], interventions or []),
        lots=rows(LOTS, lots or []),
    )


def found(panel: Panel, event: str) -> list[float]:
    shape = (*panel.present.shape, len(panel.protocol.visits))
    return onsets(panel, {"insulin": np.full(shape, 0.5)})[event][0].tolist()


NEVER = np.inf


@pytest.mark.requirement("STRATEGY-ONSET")
def test_what_is_recorded_by_its_name_begins_on_its_first_day_since_allocation(protocol: Protocol) -> None:
    steroid = {"assessment": "concomitant-medication", "status": "given", "treatment": "systemic CORTICOSTEROID "}
    panel = panel_of(
        protocol,
        interventions=[
            (0, {**steroid, "day": 200.0}),
            (0, {**steroid, "day": 90.0}),
            (1, {**steroid, "day": -20.0}),  # on the day of allocation
            (2, {**steroid, "day": -21.0}),  # before it: history
            (3, {**steroid, "day": 50.0, "status": "not-given"}),
            (4, {**steroid, "day": 50.0, "assessment": "infusion"}),
            (5, {**steroid}),  # nobody knows when
        ],
        events=[
            (0, {"assessment": "medical-history", "term": "pregnancy", "start_day": 100.0}),
            (1, {"assessment": "medical-history", "term": "Pregnancy", "start_day": -900.0}),
            (2, {"assessment": "adverse-events", "term": "Pregnancy", "start_day": 100.0}),
        ],
    )
    assert found(panel, "systemic-steroids") == [90, -20, NEVER, NEVER, NEVER, NEVER]
    assert found(panel, "pregnancy") == [100, NEVER, NEVER, NEVER, NEVER, NEVER]
    event = next(item for item in protocol.authored.intercurrent_events if item.id == "systemic-steroids")
    assert undated(panel, event)[0].tolist() == [False] * 5 + [True]


@pytest.mark.requirement("STRATEGY-ONSET")
def test_doses_not_given_and_periods_declined_begin_on_the_planned_day(protocol: Protocol) -> None:
    assert [(dose.period, dose.number, dose.day) for dose in planned_doses(protocol)] == [
        ("period-1", 1, 0),
        ("period-1", 2, 28),
        ("period-2", 1, 371),
        ("period-2", 2, 399),
    ]
    first, second = {"period": "period-1", "dose_number": 1.0}, {"period": "period-1", "dose_number": 2.0}
    later, last = {"period": "period-2", "dose_number": 1.0}, {"period": "period-2", "dose_number": 2.0}
    panel = panel_of(
        protocol,
        interventions=[
            (0, {**GIVEN, **first, "day": 0.0}),
            (0, {**NOT_GIVEN, **second, "day": 33.0}),
            (1, {**NOT_GIVEN, **first, "day": 0.0}),  # the first dose, not the second
            (2, {**NOT_GIVEN, "day": 400.0}),  # neither period nor number: by its day
            (3, {**NOT_GIVEN, **later, "day": 371.0, "reason": "Infusions of this period declined"}),
            (3, {**NOT_GIVEN, **last, "day": 399.0, "reason": "visit missed"}),
            (4, {**NOT_GIVEN, **later, "day": 371.0, "reason": "visit missed"}),
            (5, {**NOT_GIVEN, **later, "day": 371.0, "reason": "declined"}),
            (5, {**GIVEN, **last, "day": 399.0}),  # came after all
        ],
    )
    assert found(panel, "second-dose-missed") == [28, NEVER, 399, 399, NEVER, NEVER]
    assert found(panel, "period-2-declined") == [NEVER, NEVER, NEVER, 371, NEVER, NEVER]


@pytest.mark.requirement("STRATEGY-ONSET")
def test_a_lot_fails_by_a_gate_or_its_decision_and_belongs_to_its_dose(protocol: Protocol) -> None:
    fine = {"test": "viability", "passed": 1.0, "decision": "released", "day": -1.0}
    panel = panel_of(
        protocol,
        interventions=[
            (0, {**GIVEN, "period": "period-1", "dose_number": 2.0, "day": 30.0, "lot": "late"}),
            (2, {**NOT_GIVEN, "period": "period-1", "dose_number": 2.0, "day": 35.0}),
        ],
        lots=[
            (0, {**fine, "lot": "late", "test": "sterility", "passed": 0.0, "decision": "quarantined", "day": 44.0}),
            (1, {**fine, "lot": "a", "passed": 0.0, "decision": "failed"}),
            (2, {**fine, "lot": "b", "decision": "failed", "day": 34.0}),  # dose 2 was due on day 35 for this one
            (3, {**fine, "lot": "c", "test": "hla-dr", "passed": 0.0}),  # reported, no gate
            (4, {**fine, "lot": "d"}),
        ],
    )
    assert found(panel, "lot-failed") == [28, 0, 28, NEVER, NEVER, NEVER]


@pytest.mark.requirement("STRATEGY-ONSET")
def test_a_dose_below_its_range_was_given_from_a_lot_that_held_too_little(protocol: Protocol) -> None:
    low = {"test": "viable-cells", "value": 0.7e6, "passed": 0.0, "decision": "released", "day": -1.0}
    dose = {**GIVEN, "period": "period-1", "dose_number": 1.0, "day": 0.0}
    lowest = protocol.product("msc").dose.lowest
    assert lowest is not None
    panel = panel_of(
        protocol,
        interventions=[
            (0, {**dose, "lot": "a"}),
            (1, {**dose, "lot": "b", "status": "not-given"}),
            (2, {**dose, "lot": "c"}),
            (3, {**dose, "amount": 0.7e6, "unit": "cells/kg"}),
            (4, {**dose, "amount": 0.7e6, "unit": "cells"}),
        ],
        lots=[(0, {**low, "lot": "a"}), (1, {**low, "lot": "b"}), (2, {**low, "lot": "c", "value": 0.9e6})],
    )
    assert found(panel, "dose-below-range")[:3] == [0, NEVER, NEVER]
    active = panel.arm[0] == [arm.id for arm in protocol.arms].index("group-a")
    # An amount that is stated is held against the range of what the participant's arm has.
    assert found(panel, "dose-below-range")[3:] == [0 if active[3] else NEVER, NEVER, NEVER]
    # The lowest amount of the range belongs to it.
    lowest = [(person, {**dose, "amount": lowest, "unit": "cells/kg"}) for person in range(PEOPLE)]
    assert found(panel_of(protocol, interventions=lowest), "dose-below-range") == [NEVER] * PEOPLE


@pytest.mark.requirement("STRATEGY-ONSET")
def test_insulin_is_zero_from_the_visit_on_that_says_so(protocol: Protocol) -> None:
    panel = panel_of(protocol)
    days = panel.visit_day.copy()
    place = panel.visit_index("month-6")
    days[0, 0, place] = 190.0
    days[0, 1, place] = np.nan
    blocks = {
        name: dataclasses.replace(block, day=np.full(block.day.shape, np.nan)) for name, block in panel.blocks.items()
    }
    panel = dataclasses.replace(panel, visit_day=days, blocks=MappingProxyType(blocks))
    dose = np.full(days.shape, 0.5)
    dose[0, :2, place] = 0.0
    dose[0, 2, panel.visit_index("baseline")] = 0.0
    planned = float(protocol.visit("month-6").day)
    assert onsets(panel, {"insulin": dose})["insulin-independence"][0].tolist()[:3] == [190, planned, NEVER]
    assert visit_days(panel)[0, 1, place] == planned


@pytest.mark.requirement("STRATEGY-ONSET")
def test_exchanged_arms_move_no_onset(protocol: Protocol) -> None:
    from equipoise.simulate.scenario import load_scenario
    from equipoise.simulate.trial import simulate_trials

    panel = simulate_trials(protocol, load_scenario("published"), 3, 20)[0]
    turned = dataclasses.replace(panel, arm=(1 - panel.arm).astype(np.int8))
    unknown = dataclasses.replace(panel, arm=np.full_like(panel.arm, -1))
    insulin = {"insulin": np.full((*panel.present.shape, len(protocol.visits)), 0.5)}
    for other in (turned, unknown):
        for event, days in onsets(panel, insulin).items():
            assert np.array_equal(days, onsets(other, insulin)[event]), event
    assert np.isfinite(onsets(panel, insulin)["second-dose-missed"]).any()
