"""The page about the model trial says what its protocol says: schedule, stopping rule, claims, what is assumed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from scipy.stats import beta

from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import StoppingRule

PAGE = Path(__file__).resolve().parents[2] / "docs" / "model-trial.md"


@pytest.fixture(scope="module")
def trial() -> Protocol:
    return load_protocol("msc-t1d")


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def boundary(rule: StoppingRule, treated: int) -> int | None:
    """The fewest people with the event among `treated` at which the rule stops the trial."""
    first, second = rule.prior
    for events in range(treated + 1):
        if beta.sf(rule.threshold, first + events, second + treated - events) > rule.certainty:
            return events
    return None


def stops(rule: StoppingRule, rate: float, treated: int) -> tuple[float, float]:
    """Exact probability of stopping among the first `treated`, and the expected number treated by then."""
    going, stopped, people = {0: 1.0}, 0.0, 0.0
    for number in range(1, treated + 1):
        after: dict[int, float] = {}
        for events, weight in going.items():
            after[events] = after.get(events, 0.0) + weight * (1 - rate)
            after[events + 1] = after.get(events + 1, 0.0) + weight * rate
        limit = boundary(rule, number) if number >= rule.minimum else None
        over = sum(weight for events, weight in after.items() if limit is not None and events >= limit)
        stopped, people = stopped + over, people + number * over
        going = {events: weight for events, weight in after.items() if limit is None or events < limit}
    return stopped, people + treated * sum(going.values())


def test_stopping_rule_does_what_the_page_says(trial: Protocol, page: str) -> None:
    (rule,) = trial.safety.stopping_rules
    planned = trial.randomisation.participants
    limits = {number: boundary(rule, number) for number in range(rule.minimum, planned + 1)}
    changes = [rule.minimum, *(later for earlier, later in pairwise(limits) if limits[earlier] != limits[later])]
    ends = [*(number - 1 for number in changes[1:]), planned]
    spans = [f"{a} to {b}" if b > a else f"{a}" for a, b in zip(changes, ends, strict=True)]
    rows = ["| Treated with cells | Stop at |", "|---|---|"]
    rows += [f"| {span} | {limits[start]} |" for span, start in zip(spans, changes, strict=True)]
    assert "\n".join(rows) in page
    rows = ["| True rate | Stops among the first 11 | Stops among all 21 | Treated of 21, on average |"]
    rows.append("|---|---|---|---|")
    for rate in (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5):
        early, (late, people) = stops(rule, rate, 11)[0], stops(rule, rate, 21)
        rows.append(f"| {rate:.0%} | {early:.1%} | {late:.1%} | {people:.1f} |")
    assert "\n".join(rows).replace("%", " %") in page


def visit_table(trial: Protocol) -> str:
    rows = ["| Visit | Day | May be held on days |", "|---|--:|---|"]
    for visit in trial.visits:
        first, last = visit.day - visit.before, visit.day + visit.after
        span = f"{first} to {last}" if last > first else f"{first}"
        rows.append(f"| {visit.label} | " + f"{visit.day} | {span} |".replace("-", "−"))
    return "\n".join(rows)


def short(visit: str) -> str:
    """The heading of a visit: `Inf 1`, `+48 h`, `M 3`."""
    named = {"screening": "Scr", "baseline": "Base", "aspiration": "Asp"}
    if visit.endswith("-48h"):
        return "+48 h"
    return named.get(visit) or visit.replace("dose-", "Inf ").replace("month-", "M ")


def activity_table(trial: Protocol, visits: list[str]) -> str:
    """The schedule of activities at some visits."""
    rows = [f"| | {' | '.join(short(visit) for visit in visits)} |", f"|---|{':-:|' * len(visits)}"]
    for assessment in trial.assessments:
        if set(assessment.visits) & set(visits):
            marks = " | ".join("●" if visit in assessment.visits else "" for visit in visits)
            rows.append(f"| {assessment.label} | {marks} |")
    return "\n".join(rows)


def test_page_shows_the_schedule_of_the_protocol(trial: Protocol, page: str) -> None:
    second = [visit.id for visit in trial.visits if visit.period == "period-2"]
    first = [visit.id for visit in trial.visits if visit.id not in second]
    assert visit_table(trial) in page
    assert activity_table(trial, first) in page
    assert activity_table(trial, second) in page


def test_page_names_every_claim_and_questionnaire(trial: Protocol, page: str) -> None:
    assert [c.id for c in trial.claims if f"| {c.id.upper()} {c.text} |" not in page] == []
    answered = [a for a in trial.assessments if a.questionnaire is not None]
    assert [a.id for a in answered if f"| `{a.id}` | {len(a.tests)} |" not in page] == []
