"""What a plan refuses: strategies whose event is bound to nothing, and combinations that no method carries out."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from equipoise.analysis.plan import plan
from equipoise.analysis.registry import Carries, methods
from equipoise.errors import InputError, Problem
from equipoise.protocol.load import load_protocol
from tests.protocol.places import PROTOCOLS

HBA1C = "protocol.estimands.hba1c-12"
STEROIDS = f"{HBA1C}.intercurrent_events.systemic-steroids"


def refused(name: str | Path, *changes: str) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        plan(load_protocol(name, list(changes)))
    return caught.value.problems


def version(tmp_path: Path, number: int) -> Path:
    """A protocol whose only intercurrent event, which is bound to nothing, is hypothetical."""
    text = (PROTOCOLS / "valid" / "minimal.yaml").read_text(encoding="utf-8")
    text = text.replace("equipoise/protocol/1", f"equipoise/protocol/{number}")
    text = text.replace("estimands:\n", "intercurrent_events:\n  - {id: rescue, label: Rescue}\nestimands:\n")
    summary = "    summary: difference-in-means\n"
    path = tmp_path / "minimal.yaml"
    path.write_text(text.replace(summary, f"    intercurrent_events: {{rescue: hypothetical}}\n{summary}"))
    return path


@pytest.mark.requirement("STRATEGY-REFUSED")
@pytest.mark.parametrize(("number", "remedy"), [(1, "equipoise amend --upgrade"), (2, "Bind the event by `recorded`")])
def test_a_strategy_of_an_unbound_event_is_refused_with_its_line(tmp_path: Path, number: int, remedy: str) -> None:
    path = version(tmp_path, number)
    load_protocol(path)  # it has its digest
    (problem,) = refused(path)
    assert (problem.rule, problem.path) == ("strategy-bound", "estimands.hba1c.intercurrent_events.rescue")
    line = path.read_text(encoding="utf-8").splitlines()[(problem.line or 0) - 1]
    assert "rescue: hypothetical" in line
    assert remedy in problem.remedy
    assert "hypothetical" in problem.message


REFUSED = {
    "composite without a consequence": ("composite-declared", [f"{STEROIDS}=composite"]),
    "a declared value in a Gaussian model": (
        "strategy-of-method",
        [f"{STEROIDS}=composite", f'{HBA1C}.composite={{"systemic-steroids": {{"value": 15}}}}'],
    ),
    "a failure where there is no yes": (
        "strategy-of-method",
        [f"{STEROIDS}=composite", f'{HBA1C}.composite={{"systemic-steroids": {{"failure": true}}}}'],
    ),
    "no stratum": ("principal-declared", [f"{STEROIDS}=principal-stratum"]),
    "no assumption": (
        "principal-assumption",
        [
            f"{STEROIDS}=principal-stratum",
            f'{HBA1C}.principal={{"systemic-steroids": {{"event": "would-not-occur"}}}}',
        ],
    ),
    "lots of later periods": (
        "principal-assumption",
        [
            "protocol.estimands.cpeptide-24.intercurrent_events.lot-failed=principal-stratum",
            'protocol.estimands.cpeptide-24.principal={"lot-failed": {"event": "would-not-occur"}}',
        ],
    ),
    "a count that cannot end": (
        "strategy-ends-count",
        [
            "protocol.estimands.hypoglycaemia-12.intercurrent_events.systemic-steroids=hypothetical",
            "protocol.analyses.hypoglycaemia-12.options.exposure=diary-days",
        ],
    ),
}


@pytest.mark.requirement("STRATEGY-REFUSED")
@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_carried_out_is_refused(what: str) -> None:
    rule, changes = REFUSED[what]
    problems = refused("msc-t1d", *changes)
    assert {problem.rule for problem in problems} == {rule}
    assert all(problem.line and problem.remedy.endswith(".") for problem in problems)
    if rule == "strategy-of-method":
        assert {problem.path.split(".")[-1] for problem in problems} == {"method"}
        assert "'mmrm'" in problems[0].message


@pytest.mark.requirement("STRATEGY-REFUSED")
def test_a_declared_value_is_of_the_parameter_that_is_analysed() -> None:
    path = PROTOCOLS / "valid" / "version-2.yaml"
    plan(load_protocol(path))
    (problem,) = refused(path, "protocol.analyses.reached.options.parameter=insulin")
    assert problem.rule == "composite-scale"
    assert "'hba1c'" in problem.message and "'insulin'" in problem.message


@pytest.mark.requirement("STRATEGY-REFUSED")
def test_the_stratum_of_lots_needs_no_assumption_before_another_period() -> None:
    changes = [
        f"{HBA1C}.intercurrent_events.lot-failed=principal-stratum",
        f'{HBA1C}.principal={{"lot-failed": {{"event": "would-not-occur"}}}}',
    ]
    plan(load_protocol("msc-t1d", changes))


@pytest.mark.requirement("STRATEGY-REFUSED")
def test_a_method_that_does_not_say_so_carries_out_nothing() -> None:
    names = {name: method.carries for name, method in methods().items()}
    assert Carries() == Carries(withheld=False, last_value=False, declared=False, failure=None, counts=False)
    silent = {name for name, carries in names.items() if carries.__module__ == "equipoise.analysis.registry"}
    # Those describe analysis sets; none of them has an estimand.
    assert silent == {
        "adverse-events",
        "descriptive",
        "event-rates",
        "exposure",
        "shift-table",
        "stopping-rule",
        "untreated-course",
    }


def test_an_unknown_method_is_refused_for_its_estimand(monkeypatch: pytest.MonkeyPatch) -> None:
    mmrm = methods()["mmrm"]
    silent = dataclasses.replace(mmrm, carries=lambda options: Carries())
    monkeypatch.setattr(methods(), "_loaded", {"mmrm": silent})
    problems = refused("msc-t1d", f"{STEROIDS}=hypothetical")
    assert {problem.rule for problem in problems} == {"strategy-of-method"}
    assert "'mmrm' does not carry out the strategies" in problems[0].message
