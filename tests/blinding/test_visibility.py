"""Which parts of the records each role lacks, by the protocol alone, and what of rows by visit and by day."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl
import pytest

from equipoise.errors import DataError, InputError
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.people import ROLES
from equipoise.records.from_panel import to_records
from equipoise.records.masked import masked_copy
from equipoise.records.records import Records
from equipoise.records.visibility import SUPPLIED, hidden_in, view_of, withheld_words
from equipoise.verbs.masking import masked_for, role_view
from tests.protocol.places import BASE
from tests.records.panels import make_panel

STATISTICIAN = "blinded-statistician"


@cache
def model() -> Protocol:
    return load_protocol("msc-t1d")


@pytest.fixture(scope="module")
def records() -> Records:
    found, _ = to_records(make_panel(model(), 6, seed=3, missing=0.05, awkward=False))
    return found


@pytest.mark.requirement("BLINDING-VIEW")
def test_items_of_the_model_trial_by_role() -> None:
    """The table of docs/blinding.md, written by hand."""
    everything = {"lots", "dose-volume", "event-text", "treg", "cytokines"}
    visible = {
        "participant": set(),
        "coordinator": {"event-text"},
        "investigator": {"event-text"},
        "cell-laboratory": {"lots", "dose-volume"},
        "monitor": {"event-text"},
        "data-manager": {"event-text"},
        STATISTICIAN: set(),
        "administrator": set(),
    }
    for role, seen in visible.items():
        view = view_of(model(), role)
        assert view.allocation
        assert {item.hides for item in view.items} - {"allocation"} == everything - seen, role
    for role in set(ROLES) - set(visible):
        assert view_of(model(), role).whole, role


@pytest.mark.requirement("BLINDING-VIEW")
def test_from_is_inclusive_and_goes_by_the_order_of_visits() -> None:
    lacks = set(view_of(model(), STATISTICIAN).lacks)
    order = [visit.id for visit in model().visits]
    at = order.index("dose-1-48h")
    for name in ("treg", "cytokines"):
        assert {f"findings/{name}/{visit}" for visit in order[at:]} <= lacks
        assert not {f"findings/{name}/{visit}" for visit in order[:at]} & lacks
    assert {"lots", "interventions/lot", "interventions/volume_ml", "interventions/minutes", "events/term"} <= lacks
    assert not {name for name in lacks if "hba1c" in name or name.startswith(("participants", "supplied/"))}
    assert SUPPLIED in lacks


@pytest.mark.requirement("BLINDING-VIEW")
def test_unscheduled_rows_go_by_day(records: Records) -> None:
    """Day 0 is the infusion, day 2 the visit 48 hours after it: a sample between them is one after the infusion."""
    person = records.participants["participant"][0]
    row = records.findings.filter(
        (pl.col("assessment") == "treg") & (pl.col("visit") == "baseline") & (pl.col("status") == "done")
    ).head(1)
    days = [-30, 0, 1, 2, 40, None]
    added = pl.concat(
        row.with_columns(
            participant=pl.lit(person),
            visit=pl.lit("unscheduled"),
            sequence=pl.lit(number, pl.Int32),
            day=pl.lit(day, pl.Int32),
        )
        for number, day in enumerate(days, 1)
    )
    whole = Records.of(model(), {**records.tables, "findings": pl.concat([records.findings, added])})
    copy = masked_for(whole, view_of(model(), STATISTICIAN))
    kept = copy.findings.filter(pl.col("visit") == "unscheduled")["day"].to_list()
    assert kept == [-30, 0]
    others = copy.findings.filter(pl.col("assessment") == "treg")["visit"].unique().to_list()
    assert set(others) <= {"baseline", "dose-1", "unscheduled"}


@pytest.mark.requirement("BLINDING-VIEW")
def test_without_from_everything_of_an_assessment_is_hidden(tmp_path: Path) -> None:
    protocol = changed(tmp_path, ("      from: dose-1-48h\n", ""))
    assert "findings/assessment=treg" in view_of(protocol, STATISTICIAN).lacks
    assert hidden_in(protocol, view_of(protocol, STATISTICIAN).lacks).findings["treg"] == {
        v.id for v in protocol.visits
    }


@pytest.mark.requirement("BLINDING-VIEW")
def test_events_are_hidden_as_rows(records: Records, tmp_path: Path) -> None:
    protocol = changed(tmp_path, ("hides: event-text", "hides: adverse-events"))
    view = view_of(protocol, STATISTICIAN)
    assert "events/assessment=adverse-events" in view.lacks
    copy = masked_copy(records, view.lacks)
    assert "adverse-events" not in copy.events["assessment"].unique().to_list()
    assert copy.events.height > 0
    assert "adverse-events" in copy.collected, "whether there were any is withheld too"


def changed(tmp_path: Path, *edits: tuple[str, str]) -> Protocol:
    """The model trial's protocol with other words."""
    text = model().path.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "msc-t1d.yaml"
    path.write_text(text, encoding="utf-8")
    for name in model().files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((model().path.parent / name).read_bytes())
    return load_protocol(path)


@pytest.mark.requirement("BLINDING-BLINDED")
def test_blinded_withholds_the_allocation_whatever_the_items() -> None:
    protocol = load_protocol(BASE)
    assert not protocol.blinding.items or not any(
        "blinded-statistician" in item.hidden_from for item in protocol.blinding.items
    )
    view = role_view(protocol, None, blinded=True)
    assert view is not None
    assert (view.role, view.allocation, view.lacks) == (STATISTICIAN, True, ())
    assert withheld_words(view) == ("Allocated arms", "Products dispensed")
    assert role_view(protocol, None) is None


@pytest.mark.requirement("BLINDING-ROLE")
@pytest.mark.parametrize("word", ["investigatr", "blinded statistician", ""])
def test_a_word_that_is_no_role_is_refused_with_the_list(word: str) -> None:
    with pytest.raises(InputError, match="blinded-statistician, unblinded-statistician"):
        role_view(model(), word)


@pytest.mark.requirement("BLINDING-COPY")
@pytest.mark.parametrize("role", model().blinding.masked)
def test_a_copy_lacks_what_its_role_lacks_and_has_the_rest(role: str, records: Records) -> None:
    view = view_of(model(), role)
    copy = masked_for(records, view)
    assert copy.lacks == view.lacks
    assert not {name for name in copy.parts if name in view.lacks and name != "events/term"}
    same = {name for name in copy.parts if copy.parts[name] == records.parts.get(name)}
    assert (copy.lots.height == 0) == ("lots" in view.lacks)
    whole = {name for name in records.parts if name not in view.lacks and name.partition("/")[0] not in view.lacks}
    assert whole - {"collected"} <= same
    assert copy.digest != records.digest


@pytest.mark.requirement("BLINDING-ROLE")
def test_a_study_dose_by_another_name_is_not_shown_to_a_masked_role(records: Records) -> None:
    dose = records.interventions.head(1).with_columns(
        assessment=pl.lit("study-infusion"), domain=pl.lit("EX"), treatment=pl.lit("MSC"), sequence=pl.lit(99, pl.Int32)
    )
    told = pl.concat([records.interventions, dose])
    whole = Records.of(model(), {**records.tables, "interventions": told})
    with pytest.raises(DataError, match="product-words"):
        masked_for(whole, view_of(model(), "investigator"))
    assert masked_for(whole, view_of(model(), "board")) is whole


@pytest.mark.requirement("BLINDING-BLINDED")
def test_a_masked_role_never_has_the_allocation(tmp_path: Path) -> None:
    """Whatever the items say: the item that hides the group is pointed at something else."""
    protocol = changed(tmp_path, ("hides: allocation", "hides: hba1c"))
    for role in protocol.blinding.masked:
        assert view_of(protocol, role).allocation
    assert not view_of(protocol, "unblinded-statistician").allocation


@pytest.mark.requirement("BLINDING-FROM")
@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("hides: allocation\n", "hides: allocation\n      from: dose-1\n", "blinded-from"),
        ("hides: lots\n", "hides: lots\n      from: dose-1\n", "blinded-from"),
        ("hides: event-text\n", "hides: adverse-events\n      from: dose-1\n", "blinded-from"),
        ("hides: event-text\n", "hides: diary\n      from: month-30\n", "known-visit"),
        ("hides: event-text\n", "hides: autoantibodies\n      from: month-3\n", "blinded-from"),
    ],
)
def test_from_without_a_meaning_is_refused(old: str, new: str, rule: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        changed(tmp_path, (old, new))
    assert [problem.rule for problem in error.value.problems] == [rule]


@pytest.mark.requirement("BLINDING-FROM")
def test_questionnaires_are_findings_with_visits(tmp_path: Path) -> None:
    protocol = changed(tmp_path, ("hides: event-text\n", "hides: dqol\n      from: month-6\n"))
    lacks = view_of(protocol, STATISTICIAN).lacks
    assert "findings/dqol/month-6" in lacks
    assert "findings/dqol/baseline" not in lacks
