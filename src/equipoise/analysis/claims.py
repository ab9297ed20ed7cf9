"""What the results say of the protocol's claims, in words, by the rules that the protocol fixes."""

from __future__ import annotations

import math
from collections.abc import Iterator

from equipoise.analysis.given import Given, given_words
from equipoise.analysis.measured import measured_results
from equipoise.analysis.results import ClaimPartResult, ClaimResult, Result, ResultTable, finite
from equipoise.analysis.safety_claim import safety_claim
from equipoise.analysis.verdicts import DecidedClaim, DecidedPart, decide
from equipoise.analysis.words import NAMED, Word
from equipoise.protocol.model import Protocol
from equipoise.stats.tails import student_quantile

SIDES = {1: "higher", -1: "lower", 0: None}


def claim_results(
    protocol: Protocol, results: tuple[Result, ...], tables: tuple[ResultTable, ...], given: Given | None = None
) -> tuple[ClaimResult, ...]:
    """What is said of every claim; given: who had the active product in this trial, where it is known."""
    by_id = {item.id: item for item in results}
    decided = {item.claim.id: item for item in decide(protocol, measured_results(results), given)}
    return tuple(
        _told(protocol, decided[claim.id], by_id, given) if claim.id in decided else safety_claim(claim, tables)
        for claim in protocol.claims
    )


def intervals_looked_at(claims: tuple[ClaimResult, ...]) -> int:
    """How many intervals the exploratory claims look at."""
    return sum(part.lower is not None for claim in claims if claim.kind == "exploratory" for part in claim.parts)


def _told(protocol: Protocol, decided: DecidedClaim, results: dict[str, Result], given: Given | None) -> ClaimResult:
    claim = decided.claim
    word = Word(int(decided.words[0]))
    if not decided.parts:
        reason = claim.note or "the protocol plans no analysis for it"
        return ClaimResult(claim.id, claim.text, word.text, (), reason, kind="described")
    parts = tuple(_part(item, results.get(_id(item)), protocol) for item in decided.parts)
    named = {Word.CONTRADICTED_IN_PART: Word.CONTRADICTED, Word.PARTLY_SUPPORTED: Word.SUPPORTED}.get(word)
    names = [part.analysis for part in parts if named is not None and part.verdict == named.text]
    reasons = [*_of_the_whole(decided, word), *(part.reason for part in parts)]
    product = given_words(protocol, given, claim)
    return ClaimResult(
        id=claim.id,
        text=claim.text,
        verdict=f"{word.text}: {', '.join(names)}" if word in NAMED else word.text,
        results=tuple(part.result for part in parts if part.result is not None),
        reason="; ".join([*dict.fromkeys(reasons), *([product] if product else [])]),
        kind="confirmatory" if decided.confirmatory else "exploratory",
        parts=parts,
        given=product,
    )


def _id(item: DecidedPart) -> str:
    return item.measured.id if item.measured is not None else ""


def _of_the_whole(decided: DecidedClaim, word: Word) -> Iterator[str]:
    """What the test of all parts together says, where the claim is a family of its own."""
    family = decided.parts[0].family
    if decided.whole is None or family is None or len(decided.parts) < 2 or word == Word.NOT_ASSESSABLE:
        return
    p = float(decided.whole[0])
    yield f"all parts together (each by its own p): adjusted p = {p:.4g} at level {family.level:g}"


def _part(item: DecidedPart, result: Result | None, protocol: Protocol) -> ClaimPartResult:
    word = Word(int(item.words[0]))
    name = item.part.analysis
    if result is None:
        text = f"{name}: there is no result"
        return ClaimPartResult(name, None, item.part.direction, word.text, text)
    tested, family = item.tested, item.family
    numbers: dict[str, object] = {}
    if tested is not None and family is not None:
        p = finite(float(tested.p_value[0]))
        numbers = {
            "p_value": p,
            "side": SIDES[int(tested.side[0])] if p is not None else None,
            "p_adjusted": finite(float(tested.adjusted[0])) if p is not None and family.adjustment != "none" else None,
            "level": family.level,
            "local_level": float(tested.local[0]),
        }
    return ClaimPartResult(
        analysis=name,
        result=result.id,
        direction=item.part.direction,
        verdict=word.text,
        reason=f"{name}: {_reason(item, result, word, protocol)}",
        null_value=item.null,
        lower=result.lower,
        upper=result.upper,
        interval_level=result.level,
        **numbers,  # type: ignore[arg-type]  # a table of optional numbers
    )


def _reason(item: DecidedPart, result: Result, word: Word, protocol: Protocol) -> str:
    """Why this word: with the adjusted p of a hypothesis, or with the interval of an exploratory part."""
    if item.nobody[0]:
        arm = protocol.arm(protocol.estimand(str(result.estimand)).contrast.active)
        return f"nobody in {arm.label} had been given the active product"
    if item.tested is None:
        if word == Word.NOT_ASSESSABLE:
            return result.status if result.status != "ok" else "it has no interval"
        return f"{word.text}: {_interval(result)}"
    if word == Word.NOT_ASSESSABLE:
        return result.status if result.status != "ok" else "it has no one-sided p-values"
    return "; ".join(_of_the_hypothesis(item, result, word))


def _of_the_hypothesis(item: DecidedPart, result: Result, word: Word) -> Iterator[str]:
    tested, family = item.tested, item.family
    assert tested is not None, "the caller has looked"
    assert family is not None, "a hypothesis has a family"
    adjusts = family.adjustment != "none"
    p = f"{'adjusted ' if adjusts else ''}p = {float(tested.adjusted[0]):.4g} at level {family.level:g}"
    shown = SIDES[int(tested.side[0])]
    if word == Word.CONTRADICTED:
        if family.opposite is not None:
            p = f"of the opposite: adjusted p = {float(tested.opposite[0]):.4g} at level {family.opposite:g}"
        yield f"{p}, and the side shown is {shown}, not {item.part.direction}"
        return
    if word == Word.SUPPORTED:
        yield f"{p}, {shown} as claimed"
        return
    yield p
    if word == Word.NOT_TESTED:
        yield f"nothing of the level was left for it in family {family.id}"
    else:
        yield _excluded(item, result)
    if result.lower is not None and result.upper is not None and not result.lower <= item.null <= result.upper:
        why = "the family was not opened" if word == Word.NOT_TESTED else "the p-value that counts is the adjusted one"
        what = "the margin" if item.part.margin is not None else "no effect"
        yield f"{_interval(result)}, excludes {what}, but {why}"


def _interval(result: Result) -> str:
    """The interval with its level, said to be unadjusted, as people read it."""
    assert result.lower is not None, "the caller has looked"
    assert result.upper is not None, "the caller has looked"
    level = f"unadjusted {100 * result.level:.3g} % interval"
    ends = f"({_number(result, result.lower)}, {_number(result, result.upper)})"
    if result.estimate is None:
        return f"the {level} {ends}"
    return f"{_number(result, result.estimate)} {_unit(result)}, {level} {ends}".replace(" ,", ",")


def _excluded(item: DecidedPart, result: Result) -> str:
    """The smallest effect in the claimed direction that is excluded at one less the local level."""
    tested, family = item.tested, item.family
    assert tested is not None, "the caller has looked"
    assert family is not None, "a hypothesis has a family"
    local = float(tested.local[0])
    area = local if family.sides == "one" else local / 2
    sign = 1 if item.part.direction == "higher" else -1
    if result.p_kind == "model" and result.estimate is not None and result.standard_error is not None:
        bound = result.estimate + sign * student_quantile(1 - area, result.df) * result.standard_error
        how = f"{100 * (1 - local):.4g} %"
    else:
        limit = result.upper if sign > 0 else result.lower
        if limit is None:
            return "no size of an effect is excluded"
        bound, how = limit, f"{100 * result.level:.4g} %, unadjusted"
    size = f"{_number(result, bound)} {_unit(result)}".strip()
    return f"effects beyond {size} are excluded at {how} (local level {local:.3g})"


def _number(result: Result, value: float) -> str:
    return f"{math.exp(value) if result.scale == 'log' else value:.3g}"


def _unit(result: Result) -> str:
    """The unit after a number; of a ratio its name."""
    if result.scale == "log":
        return f"({result.unit.removeprefix('ln ')})"
    return "" if result.unit == "1" else result.unit
