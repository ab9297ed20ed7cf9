"""The claim on safety in two tiers: what is a signal, what is a deviation, and what was never recorded."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

import numpy as np
import pytest

from equipoise.analysis.doses import had_active, people_given
from equipoise.analysis.safety_findings import DEVIATIONS, FACTS, LOTS, PRODUCTS, SERIOUS, safety_tables
from equipoise.records.panel import Rows
from tests.analysis.harm_trials import (
    EARLY,
    LATE,
    NAN,
    changed,
    data_of,
    dose_of,
    first,
    harmless,
    model,
    release_row,
    tables_of,
    verdict,
    with_events,
    without_events,
)

GATES = {test.id: test for test in model().products[0].release_tests}
NOTHING = Rows(np.zeros(0, np.int64), np.zeros(0, np.int64), MappingProxyType({}))


def facts(panel) -> dict:
    return {row[0]: row[2] for row in tables_of(panel)[FACTS].rows}


@pytest.mark.requirement("SAFETY-TIERS")
def test_without_harm_there_is_no_signal_and_what_cannot_be_excluded_is_said() -> None:
    found = verdict(harmless())
    assert found.verdict == "no signal"
    assert "21 participants given the active product" in found.reason
    assert f"events up to {100 * (1 - 0.05 ** (1 / 21)):.1f} % cannot be excluded (0 of 21" in found.reason
    assert "not recorded" not in found.reason


@pytest.mark.requirement("SAFETY-TIERS")
@pytest.mark.parametrize(("people", "limit"), [(11, "23.8"), (20, "13.9")])
def test_the_limit_is_exact_and_of_the_people_given_the_product(people: int, limit: str) -> None:
    panel = harmless()
    given = changed(panel, "interventions", panel.interventions.participant >= people, status="not-given")
    found = verdict(given)
    assert found.verdict == "no signal"
    assert f"events up to {limit} % cannot be excluded (0 of {people} people given it; one-sided exact" in found.reason


@pytest.mark.requirement("SAFETY-LOTS")
@pytest.mark.parametrize("name", GATES)
def test_an_infused_lot_that_failed_a_gate_is_a_signal_unless_it_was_viability_or_count(name: str) -> None:
    panel, test = harmless(), GATES[name]
    bad = {"passed": 0.0, "original": "failed", "value": NAN}
    found = verdict(changed(panel, "lots", release_row(panel, EARLY, name), **bad))
    tables = tables_of(changed(panel, "lots", release_row(panel, EARLY, name), **bad))
    harm = test.use == "gate" and test.kind not in ("viability", "count")
    assert found.verdict == ("signal" if harm else "no signal")
    assert len(tables[LOTS].rows) == harm and len(tables[DEVIATIONS].rows) == (not harm)
    if harm:
        late = int(test.timing == "after-release")
        assert f"1 infused lot failed a gate (release failed after infusion: {late})" in found.reason
        assert tables[LOTS].rows[0][6:9] == (test.label, test.kind, test.timing)
        shown = {"gram-stain": "no organisms", "culture": "no growth", "cd73": "at least 95 %", "cd45": "at most 2 %"}
        assert shown.get(name, tables[LOTS].rows[0][10]) == tables[LOTS].rows[0][10] is not None
    else:
        assert "beside it 1 deviation of doses and lots" in found.reason


@pytest.mark.requirement("SAFETY-LOTS")
def test_a_lot_of_somebody_who_was_given_saline_is_no_signal() -> None:
    panel = harmless()
    spoilt = changed(panel, "lots", release_row(panel, LATE, "sterility"), passed=0.0, original="growth")
    assert verdict(spoilt).verdict == "no signal"
    later = changed(panel, "lots", release_row(panel, LATE, "sterility", period=1), passed=0.0, original="growth")
    assert verdict(later).verdict == "signal", "in period 2 that arm is given its cells"


@pytest.mark.requirement("SAFETY-LOTS")
@pytest.mark.parametrize(
    ("test", "values", "word"),
    [
        ("sterility", {"passed": NAN, "original": "growth"}, "signal"),
        ("sterility", {"passed": NAN, "original": "No growth "}, "no signal"),
        ("endotoxin", {"passed": 1.0, "original": "9.0", "value": 9.0}, "signal"),
        ("endotoxin", {"passed": NAN, "original": "4.9", "value": 4.9}, "no signal"),
        ("cd90", {"passed": NAN, "original": "94.9", "value": 94.9}, "signal"),
        ("viability", {"passed": 1.0, "original": "70", "value": 70.0}, "no signal"),
    ],
)
def test_results_speak_where_the_laboratory_does_not(test: str, values: dict, word: str) -> None:
    panel = harmless()
    assert verdict(changed(panel, "lots", release_row(panel, EARLY, test), **values)).verdict == word


@pytest.mark.requirement("SAFETY-LOTS")
def test_a_lot_called_failed_is_a_signal_where_no_test_says_why() -> None:
    panel = harmless()
    lots = panel.lots
    mine = lots.columns["lot"] == lots.columns["lot"][release_row(panel, EARLY, "sterility")][0]
    called = changed(panel, "lots", mine, decision="failed")
    assert verdict(called).verdict == "signal"
    viable = changed(called, "lots", release_row(panel, EARLY, "viability"), passed=0.0)
    assert verdict(viable).verdict == "no signal", "it failed by a gate that is a deviation"


@pytest.mark.requirement("SAFETY-LOTS", "SAFETY-NOT-RECORDED")
def test_lots_without_results_are_said() -> None:
    panel = harmless()
    missing = changed(panel, "lots", release_row(panel, EARLY, "sterility"), passed=NAN, original="")
    assert "release tests: not all recorded for 1 of 42 infusions" in verdict(missing).reason
    none = dataclasses.replace(panel, lots=NOTHING)
    assert "release tests: not all recorded for 42 of 42 infusions" in verdict(none).reason


EVENTS = [
    # arm, first day, grade, serious, related, verdict
    (EARLY, 0.0, 2, 1, 1, "signal"),  # on the day of the first cells
    (EARLY, 500.0, 2, 1, 1, "signal"),
    (EARLY, -1.0, 2, 1, 1, "signal: procedure"),
    (LATE, 5.0, 2, 1, 1, "signal: procedure"),  # after saline
    (LATE, 373.0, 2, 1, 1, "signal"),
    (EARLY, NAN, 2, 1, 1, "signal"),  # on an unknown day of somebody who was given cells
    (EARLY, 5.0, 4, 1, 0, "no signal"),
    (EARLY, 5.0, 3, 0, 1, "no signal"),
]


@pytest.mark.requirement("SAFETY-TIERS")
@pytest.mark.parametrize(("arm", "day", "grade", "serious", "related", "word"), EVENTS)
def test_a_related_serious_event_is_a_signal_of_the_product_only_after_it(
    arm: int, day: float, grade: int, serious: int, related: int, word: str
) -> None:
    panel = harmless()
    harmed = with_events(panel, (first(panel, arm), day, grade, serious, related))
    assert verdict(harmed).verdict == word
    assert len(tables_of(harmed)[SERIOUS].rows) == (word != "no signal")


@pytest.mark.requirement("SAFETY-TIERS")
def test_harm_of_the_procedure_counts_in_somebody_who_was_never_infused() -> None:
    panel = harmless()
    person = first(panel, EARLY)
    spared = changed(panel, "interventions", panel.interventions.participant == person, status="not-given")
    assert verdict(with_events(spared, (person, 30.0, 3, 1, 1))).verdict == "signal: procedure"
    nobody = changed(panel, "interventions", panel.interventions.participant >= 0, status="not-given")
    assert verdict(nobody).verdict == "not assessable" and "no one was given" in verdict(nobody).reason
    assert verdict(with_events(nobody, (person, -40.0, 3, 1, 1))).verdict == "signal: procedure"


@pytest.mark.requirement("SAFETY-TIERS")
def test_a_stopping_rule_that_was_met_is_a_signal() -> None:
    panel = harmless()
    people = np.flatnonzero(panel.arm[0] == EARLY)
    found = verdict(with_events(panel, *((int(person), 3.0, 3, 0, 1) for person in people)))
    assert found.verdict == "signal" and "the stopping rule was met after" in found.reason


@pytest.mark.requirement("SAFETY-PRODUCT")
@pytest.mark.parametrize(("arm", "product"), [(EARLY, "saline"), (LATE, "msc")])
def test_a_product_that_was_not_the_allocated_one_is_a_signal(arm: int, product: str) -> None:
    panel = harmless()
    person = first(panel, arm)
    wrong = changed(panel, "dispensed", dose_of(panel, person, "period-1", 2), product=product)
    found = verdict(wrong)
    assert found.verdict == "signal" and "1 dose of a product that was not the allocated one" in found.reason
    (row,) = tables_of(wrong)[PRODUCTS].rows
    assert row[0] == panel.ids[person] and row[5] != row[6]
    kept = dataclasses.replace(wrong, dispensed=NOTHING)
    assert verdict(kept).verdict == "no signal", "nobody would know without the dispensing records"


@pytest.mark.requirement("SAFETY-PRODUCT")
def test_events_and_lots_go_by_what_was_given() -> None:
    panel = harmless()
    person = first(panel, LATE)
    wrong = changed(panel, "dispensed", dose_of(panel, person, "period-1", 1), product="msc")
    assert facts(with_events(wrong, (person, 5.0, 2, 1, 1)))["serious-after"] == 1
    spoilt = changed(wrong, "lots", release_row(panel, LATE, "sterility"), passed=0.0, original="growth")
    assert facts(spoilt)["lots-failed"] == 1, "its lot is the one that the infusion names"


@pytest.mark.requirement("SAFETY-PRODUCT")
def test_cells_of_another_participant_are_not_the_allocated_product() -> None:
    panel = harmless()
    other = str(panel.lots.columns["lot"][panel.lots.participant == first(panel, LATE)][0])
    swapped = changed(panel, "dispensed", dose_of(panel, first(panel, EARLY), "period-1", 1), lot=other)
    (row,) = tables_of(swapped)[PRODUCTS].rows
    assert verdict(swapped).verdict == "signal" and "made for another participant" in row[6]


@pytest.mark.requirement("SAFETY-PRODUCT", "SAFETY-NOT-RECORDED")
def test_a_product_that_is_not_recorded_is_said() -> None:
    panel = harmless()
    unknown = verdict(dataclasses.replace(panel, dispensed=NOTHING))
    assert unknown.verdict == "no signal"
    assert "product given: not recorded, so that each dose counts as the arm's product" in unknown.reason
    rows = panel.dispensed
    kept = rows.participant != first(panel, EARLY)
    columns = MappingProxyType({name: column[kept] for name, column in rows.columns.items()})
    some = dataclasses.replace(panel, dispensed=Rows(rows.trial[kept], rows.participant[kept], columns))
    assert "product given: not recorded for 4 of 84 doses" in verdict(some).reason


@pytest.mark.requirement("SAFETY-NOT-RECORDED")
def test_events_that_were_never_collected_are_no_evidence_of_safety() -> None:
    panel = harmless()
    never = verdict(without_events(panel, asked=False))
    assert never.verdict == "not recorded"
    assert "not recorded: Adverse events" in never.reason and "excluded" not in never.reason
    assert verdict(without_events(panel, asked=True)).verdict == "no signal"


@pytest.mark.requirement("SAFETY-NOT-RECORDED")
@pytest.mark.parametrize(("column", "words"), [("serious", "seriousness"), ("related", "relation"), ("grade", "grade")])
def test_an_answer_that_nobody_gave_is_not_a_no(column: str, words: str) -> None:
    panel = harmless()
    found = verdict(changed(panel, "events", np.ones(len(panel.events), np.bool_), **{column: NAN}))
    assert found.verdict == "not recorded" and f"Adverse events: {words}" in found.reason


@pytest.mark.requirement("SAFETY-NOT-RECORDED")
def test_a_signal_stands_whatever_else_was_not_recorded() -> None:
    panel = without_events(harmless(), asked=False)
    spoilt = changed(panel, "lots", release_row(panel, EARLY, "sterility"), passed=0.0, original="growth")
    assert verdict(spoilt).verdict == "signal"


@pytest.mark.requirement("SAFETY-DEVIATIONS")
@pytest.mark.parametrize(
    ("amount", "unit", "words"),
    [(7.9e5, "cells/kg", "below"), (1.21e6, "cells/kg", "above"), (8e5, "cells/kg", None), (60.0, "mL", None)],
)
def test_a_dose_out_of_its_range_is_a_deviation(amount: float, unit: str, words: str | None) -> None:
    panel = harmless()
    dose = changed(panel, "dispensed", dose_of(panel, first(panel, EARLY), "period-1", 1), amount=amount, unit=unit)
    assert verdict(dose).verdict == "no signal"
    rows = tables_of(dose)[DEVIATIONS].rows
    assert [row[6] for row in rows] == ([f"Dose {words} its range"] if words else [])


@pytest.mark.requirement("SAFETY-DEVIATIONS")
def test_without_an_amount_the_lot_tells_the_dose_and_one_thing_is_told_once() -> None:
    panel = harmless()
    dose = dose_of(panel, first(panel, EARLY), "period-1", 1)
    silent = changed(panel, "dispensed", dose, amount=NAN, unit="")
    short = changed(silent, "lots", release_row(panel, EARLY, "viable-cells"), value=5e5, passed=0.0, original="500000")
    (row,) = tables_of(short)[DEVIATIONS].rows
    assert row[6:8] == ("Dose below its range", "500,000")


@pytest.mark.requirement("RESULTS-BLINDED")
def test_a_blinded_run_has_no_listing_and_no_verdict() -> None:
    data = data_of(harmless(), hidden=True)
    assert safety_tables(data) == () and not had_active(data).any()


@pytest.mark.requirement("SAFETY-PRODUCT")
def test_people_are_counted_by_arm_and_period_and_by_the_product_given() -> None:
    panel = harmless()
    data = data_of(panel)
    arms = [int((panel.arm[0] == arm).sum()) for arm in (EARLY, LATE)]
    assert people_given(data, "group-a", "period-1").tolist() == [arms[EARLY]]
    assert people_given(data, "group-b", "period-1").tolist() == [0]
    assert people_given(data, "group-b", "period-2").tolist() == [arms[LATE]] and people_given(data).tolist() == [21]
    wrong = changed(panel, "dispensed", dose_of(panel, first(panel, LATE), "period-1", 1), product="msc")
    assert people_given(data_of(wrong), "group-b", "period-1").tolist() == [1]


# ---- What is missing of one event, beside others that are answered ----

SEVERE = (10.0, 4.0, 0.0, 1.0)
"""Day, grade, not serious, related."""


@pytest.mark.requirement("SAFETY-UNANSWERED")
@pytest.mark.parametrize("missing", ["day", "grade", "related"])
def test_severe_events_that_lack_an_answer_are_never_no_event(missing: str) -> None:
    day, grade, serious, related = (
        NAN if name == missing else value
        for name, value in zip(("day", "grade", "serious", "related"), SEVERE, strict=True)
    )
    panel = with_events(harmless(), *((person, day, grade, serious, related) for person in range(5)))
    found = verdict(panel)
    assert found.verdict != "no signal" and "cannot be excluded" not in found.reason
    assert "an event whose day, grade or relation is not recorded" in found.reason
    assert "never met" not in found.reason


@pytest.mark.requirement("SAFETY-UNANSWERED")
def test_a_rule_that_was_met_anyway_stays_met() -> None:
    known = [(person, 5.0, 4.0, 0.0, 1.0) for person in range(6)]
    panel = with_events(harmless(), *known, (10, NAN, 4.0, 0.0, 1.0))
    assert verdict(panel).verdict == "signal"


@pytest.mark.requirement("SAFETY-UNANSWERED")
def test_what_cannot_be_the_rules_event_changes_nothing() -> None:
    """Not related, of a lower grade, or before every dose: an answer that is missing beside it does not matter."""
    early = -5.0
    panel = with_events(harmless(), (0, NAN, 4.0, 0.0, 0.0), (1, NAN, 1.0, 0.0, 1.0), (2, early, NAN, 0.0, 1.0))
    assert verdict(panel).verdict == "no signal"


@pytest.mark.requirement("SAFETY-UNANSWERED")
@pytest.mark.parametrize(("serious", "related"), [(1.0, NAN), (NAN, 1.0)])
def test_an_event_that_may_be_serious_and_related_is_not_recorded_rather_than_absent(
    serious: float, related: float
) -> None:
    found = verdict(with_events(harmless(), (0, 3.0, 1.0, serious, related)))
    assert found.verdict == "not recorded"
    assert "1 event may be serious and related: seriousness or relation is not answered" in found.reason


@pytest.mark.requirement("SAFETY-UNANSWERED")
def test_a_lot_that_passed_by_its_word_alone_is_not_taken_for_passed() -> None:
    panel = harmless()
    row = release_row(panel, EARLY, "culture")
    doubtful = verdict(changed(panel, "lots", row, passed=1.0, original="growth"))
    assert doubtful.verdict == "not assessable" and "said to have passed with a result that does not" in doubtful.reason
    for word in ("No growth", "no  growth.", "NO GROWTH"):
        assert verdict(changed(panel, "lots", row, passed=1.0, original=word)).verdict == "no signal"
        assert verdict(changed(panel, "lots", row, passed=NAN, original=word)).verdict == "no signal"


@pytest.mark.requirement("SAFETY-UNANSWERED")
def test_a_product_that_was_not_allocated_and_has_no_dose_is_said() -> None:
    panel = harmless()
    person = first(panel, LATE)
    dose = dose_of(panel, person, "period-1", 1, "interventions")
    given = changed(panel, "interventions", dose, status="not-given")
    assert verdict(given).verdict == "no signal", "its own product, which was not given"
    astray = changed(given, "dispensed", dose_of(panel, person, "period-1", 1), product="msc")
    found = verdict(astray)
    assert found.verdict == "not assessable"
    assert "1 other product than allocated dispensed without such a dose in the records" in found.reason
