"""Errors of dispensing, serious reactions and late failures: what they change, and that they change nothing else."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from equipoise.protocol.load import load_protocol
from equipoise.records.panel import Panel, differences
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials

EMPIRICAL = (
    "scenario.patients.model=empirical",
    "scenario.effects_vary=false",
    "scenario.manufacturing.late_failure=0",
)


@cache
def panel_of(*changes: str, arm: int | None = None, trials: int = 3) -> Panel:
    nature = load_scenario("strong", (*EMPIRICAL, *changes))
    (panel,) = simulate_trials(load_protocol("msc-t1d"), nature, 7, trials, arm=arm)
    return panel


def rows_of(panel: Panel, term: str) -> np.ndarray:
    return panel.events.columns["term"] == term


@pytest.mark.requirement("SIMULATE-DISPENSED")
def test_without_errors_everybody_is_given_the_product_of_the_arm() -> None:
    panel = panel_of()
    rows, protocol = panel.dispensed, panel.protocol
    arms = panel.arm[rows.trial, rows.participant]
    planned = [
        protocol.arms[arm].treatments[str(period)] for arm, period in zip(arms, rows.columns["period"], strict=True)
    ]
    assert rows.columns["product"].tolist() == planned
    given = panel.interventions.columns["status"] == "given"
    doses = given & (panel.interventions.columns["treatment"] == "study treatment")
    assert len(rows) == doses.sum()
    assert (rows.columns["lot"][rows.columns["product"] == "saline"] == "").all()
    assert (rows.columns["lot"][rows.columns["product"] == "msc"] != "").all()


@pytest.mark.requirement("SIMULATE-DISPENSED")
def test_the_wrong_product_acts() -> None:
    """Given the other arm's product at every dose, a person lives the other arm's life, bit for bit."""
    wrong, right = panel_of("scenario.doses.wrong_product=1", arm=0), panel_of(arm=1)
    assert differences(wrong, right) == ["arm"]
    assert differences(panel_of(arm=0), right) != ["arm"]


@pytest.mark.requirement("SIMULATE-DISPENSED")
def test_a_rate_of_errors_moves_no_other_draw() -> None:
    some, none = panel_of("scenario.doses.wrong_product=0.1"), panel_of()
    other = some.dispensed.columns["product"] != none.dispensed.columns["product"]
    assert 0.03 < other.mean() < 0.2
    touched = np.zeros(some.present.shape, np.bool_)
    touched[some.dispensed.trial[other], some.dispensed.participant[other]] = True
    assert touched.any() and not touched.all()
    for name, block in some.blocks.items():
        same = (block.value == none.blocks[name].value) | np.isnan(block.value)
        assert same[~touched].all(), name
    assert (some.arm == none.arm).all()


@pytest.mark.requirement("SIMULATE-SERIOUS-REACTIONS")
def test_serious_reactions_come_after_active_doses_and_nothing_else_changes() -> None:
    some, none = panel_of("scenario.doses.serious_reaction=0.2", trials=20), panel_of(trials=20)
    new = rows_of(some, "Anaphylaxis")
    events = some.events
    assert not rows_of(none, "Anaphylaxis").any()
    for name, column in events.columns.items():
        before = none.events.columns[name]
        assert np.array_equal(column[~new], before, equal_nan=before.dtype.kind == "f"), name
    rest = [name for name in differences(some, none) if not name.startswith("events.")]
    assert rest == []
    active = some.dispensed.columns["product"] == "msc"
    days = {
        (t, p, d)
        for t, p, d in zip(
            some.dispensed.trial[active],
            some.dispensed.participant[active],
            some.dispensed.columns["day"][active],
            strict=True,
        )
    }
    found = set(zip(events.trial[new], events.participant[new], events.columns["start_day"][new], strict=True))
    assert found <= days and len(found) / len(days) == pytest.approx(0.2, abs=0.06)
    assert (np.asarray(events.columns["serious"], np.float64)[new] == 1).all()
    assert (np.asarray(events.columns["related"], np.float64)[new] == 1).all()


@pytest.mark.requirement("SIMULATE-LATE-FAILURE")
def test_a_lot_that_fails_after_its_infusion_is_a_deviation_in_either_arm() -> None:
    late, none = panel_of("scenario.manufacturing.late_failure=1"), panel_of()
    assert not rows_of(none, "Release failed after infusion").any()
    mine = rows_of(late, "Release failed after infusion")
    doses = late.dispensed
    assert mine.sum() == len(doses), "of everybody, whatever the infusion held: so it does not tell the arm"
    assert set(late.events.columns["assessment"][mine]) == {"protocol-deviations"}
    since = {(t, p): [] for t, p in zip(doses.trial, doses.participant, strict=True)}
    for t, p, day in zip(doses.trial, doses.participant, doses.columns["day"], strict=True):
        since[t, p].append(day)
    rows = zip(
        late.events.trial[mine], late.events.participant[mine], late.events.columns["start_day"][mine], strict=True
    )
    assert all(any(0 <= day - dose <= 14 for dose in since[t, p]) for t, p, day in rows)
    assert {name.split(".")[0] for name in differences(late, none)} <= {"events", "lots"}
