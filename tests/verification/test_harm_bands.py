"""The bands of the claim on safety: their rows, the rule by which they fail, and a signal where there is harm."""

from __future__ import annotations

from collections import Counter

import pytest

from equipoise.analysis.analyse import prepare
from equipoise.analysis.plan import plan
from equipoise.protocol.load import load_protocol
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials
from verification.trials.harm import PROTOCOL, for_the_sets, harm_rows, words

ROWS = {row.id: row for row in harm_rows()}


@pytest.mark.requirement("SAFETY-BANDS")
def test_the_rows_are_a_false_alarm_a_positive_control_and_late_failures() -> None:
    alarm, control, late = ROWS.values()
    assert alarm.band is not None and alarm.band[1] <= 0.10 and late.band is None
    assert control.band is not None and control.band[0] > alarm.band[1]
    assert {row.scenario for row in ROWS.values()} == {"no-effect"}
    assert "scenario.manufacturing.late_failure=0" in alarm.changes and not late.changes
    assert all(row.trials >= 4000 for row in ROWS.values())


@pytest.mark.requirement("SAFETY-BANDS")
def test_a_rate_outside_its_band_fails_and_a_printed_one_cannot() -> None:
    alarm, _, late = ROWS.values()
    assert alarm.rate(4000, 100).ok and not alarm.rate(4000, 600).ok
    assert late.rate(4000, 4000).ok


@pytest.mark.requirement("SAFETY-BANDS")
@pytest.mark.parametrize(
    ("name", "low", "high"), [("c1-signal-without-harm", 0, 2), ("c1-signal-serious-reactions", 9, 20)]
)
def test_a_signal_is_called_where_there_is_harm(name: str, low: int, high: int) -> None:
    row, protocol = ROWS[name], load_protocol(PROTOCOL)
    nature = load_scenario(row.scenario, (*row.changes, "scenario.patients.model=empirical"))
    planned = for_the_sets(plan(protocol))
    (panel,) = simulate_trials(protocol, nature, row.seed, 20)
    found = Counter(words(planned, prepare(planned, panel)))
    assert low <= found["signal"] <= high
    assert set(found) <= {"signal", "no signal"}
