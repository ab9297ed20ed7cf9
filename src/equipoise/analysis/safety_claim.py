"""The claim that a treatment is safe: two tiers without a p-value, decided by what was found and what was recorded.

`signal`: a stopping rule was met; a serious event related to a product that was given; an infused lot that failed any
gate but viability and count; a product that was not the allocated one. `signal: procedure`: a related serious event
with no active dose before. Deviations are told beside the word and never make it. What nobody recorded is `not
recorded`: it is no evidence of safety.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from equipoise.analysis.methods.stopping import CANNOT
from equipoise.analysis.results import Cell, ClaimResult, ResultTable
from equipoise.analysis.safety_findings import FACTS
from equipoise.protocol.schema.inference import Claim

SIGNAL, PROCEDURE, NO_SIGNAL = "signal", "signal: procedure", "no signal"
NOT_RECORDED, NOT_ASSESSABLE = "not recorded", "not assessable"
NOBODY = "no one was given the active product"
Facts = Mapping[str, Cell]


def safety_claim(claim: Claim, tables: Sequence[ResultTable]) -> ClaimResult:
    """The verdict, from the facts of `safety_findings` and the state of the claim's stopping rules."""
    found = next((table for table in tables if table.id == FACTS), None)
    if found is None:
        why = "arms are not known, so that it is not known who was given the active product"
        return ClaimResult(claim.id, claim.text, NOT_ASSESSABLE, (), why)
    if not found.rows:  # what the claim rests on is withheld, and the note says from whom
        return ClaimResult(claim.id, claim.text, NOT_ASSESSABLE, (), "; ".join(found.notes))
    facts = {str(row[0]): row[2] for row in found.rows}
    rules = list(_rules(claim, tables))
    unknown = any(str(rule["status"]).startswith(CANNOT) for rule in rules)
    word = _word(facts, met=any(rule["met_after"] is not None for rule in rules), unknown=unknown)
    reasons = (*_of_rules(rules, facts), *_of_harm(facts), *_of_product(facts, found.notes), *_limit(word, facts))
    return ClaimResult(claim.id, claim.text, word, (), "; ".join(reasons))


def _word(facts: Facts, *, met: bool, unknown: bool) -> str:
    """A signal stands whatever else was not recorded; absence of one needs records and people who had the product."""
    if met or any(_number(facts, name) for name in ("serious-after", "lots-failed", "wrong-products")):
        return SIGNAL
    if _number(facts, "serious-procedure"):
        return PROCEDURE
    if not _number(facts, "people-given"):
        return NOT_ASSESSABLE
    if facts["not-recorded"] is not None or _number(facts, "serious-unanswered"):
        return NOT_RECORDED
    doubtful = _number(facts, "lots-doubtful") or _number(facts, "dispensed-astray")
    return NOT_ASSESSABLE if unknown or doubtful else NO_SIGNAL


def _rules(claim: Claim, tables: Sequence[ResultTable]) -> Iterator[dict[str, Cell]]:
    """The rows of the claim's stopping rules."""
    wanted = {part.analysis for part in claim.parts}
    for table in tables:
        if table.id in wanted:
            names = [column.id for column in table.columns]
            yield from (dict(zip(names, cells, strict=True)) for cells in table.rows)


def _of_rules(rules: Sequence[Mapping[str, Cell]], facts: Facts) -> Iterator[str]:
    for rule in rules:
        after = rule["met_after"]
        if after is not None:
            yield f"{rule['rule']}: the stopping rule was met after {after} treated participants"
        elif rule["events"] is None:
            yield f"{rule['rule']}: the stopping rule cannot be assessed ({rule['status']})"
        elif str(rule["status"]).startswith(CANNOT):
            yield f"{rule['rule']}: {rule['status']}"
        else:
            yield f"{rule['rule']}: the stopping rule was never met, with {rule['events']} of {rule['treated']} treated"


def _of_harm(facts: Facts) -> Iterator[str]:
    """What makes a signal, then what does not."""
    if facts["not-recorded"] is not None:
        yield f"not recorded: {facts['not-recorded']}"
    else:
        yield f"related serious events after an active dose in {_number(facts, 'serious-after')} participants"
    if count := _number(facts, "serious-procedure"):
        yield f"{_many(count, 'related serious event')} with no active dose given on or before its start day"
    if count := _number(facts, "serious-unanswered"):
        yield f"{_many(count, 'event')} may be serious and related: seriousness or relation is not answered"
    if count := _number(facts, "lots-failed"):
        late = _number(facts, "lots-failed-after")
        yield f"{_many(count, 'infused lot')} failed a gate (release failed after infusion: {late})"
    if count := _number(facts, "wrong-products"):
        yield f"{_many(count, 'dose')} of a product that was not the allocated one"
    if count := _number(facts, "deviations"):
        yield f"beside it {_many(count, 'deviation')} of doses and lots, listed under safety"


def _of_product(facts: Facts, notes: Sequence[str]) -> Iterator[str]:
    """How many people had the product, and what of it is not recorded or not read, as the first of the notes says."""
    people = facts["people-given"]
    if people is None:
        yield "whether study doses were given: not recorded"
        return
    yield f"{_many(int(people), 'participant')} given the active product" if people else NOBODY
    doses, dispensed = _number(facts, "doses"), facts["doses-dispensed"]
    if doses and dispensed is None:
        yield notes[0][:1].lower() + notes[0][1:].removesuffix(".")
    elif dispensed is not None and int(dispensed) < doses:
        unknown = f"{doses - int(dispensed)} of {doses} doses"
        yield f"product given: not recorded for {unknown}, which count as the arm's product"
    if doubtful := _number(facts, "lots-doubtful"):
        yield f"{_many(doubtful, 'infusion')} of a lot that is said to have passed with a result that does not"
    if astray := _number(facts, "dispensed-astray"):
        yield f"{_many(astray, 'other product')} than allocated dispensed without such a dose in the records"
    if untested := _number(facts, "lots-untested"):
        yield f"release tests: not all recorded for {untested} of {_number(facts, 'lots-infused')} infusions"


def _limit(word: str, facts: Facts) -> Iterator[str]:
    if word == NO_SIGNAL and facts["upper"] is not None:
        people = _number(facts, "people-given")
        limit = f"{100 * float(facts['upper']):.1f} %"
        yield f"events up to {limit} cannot be excluded (0 of {people} people given it; one-sided exact 95 % limit)"


def _number(facts: Facts, name: str) -> int:
    return int(facts[name] or 0)


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
