"""What the results say of the protocol's claims, by the rule that the protocol fixes."""

from __future__ import annotations

import math

from equipoise.analysis.results import ClaimResult, Result, ResultTable
from equipoise.analysis.safety_claim import safety_claim
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import Claim, ClaimPart

NULL_VALUE = {"identity": 0.0, "log": 0.0, "ratio": 1.0}
CONFIRMATORY = ("primary", "key-secondary")


def claim_results(
    protocol: Protocol, results: tuple[Result, ...], tables: tuple[ResultTable, ...]
) -> tuple[ClaimResult, ...]:
    """The verdict on every claim of the protocol."""
    return tuple(
        safety_claim(claim, tables) if claim.rule == "safety" and claim.parts else _decide(protocol, claim, results)
        for claim in protocol.claims
    )


def _decide(protocol: Protocol, claim: Claim, results: tuple[Result, ...]) -> ClaimResult:
    if not claim.parts:
        reason = claim.note or "the protocol plans no analysis for it"
        return ClaimResult(claim.id, claim.text, "not assessed", (), reason)
    parts = [(part, _result(part, results)) for part in claim.parts]
    ids = tuple(result.id for _, result in parts if result is not None)
    verdicts = [part_verdict(protocol, part, result) for part, result in parts]
    words = [verdict for verdict, _ in verdicts]
    reason = "; ".join(dict.fromkeys(why for _, why in verdicts))
    return ClaimResult(claim.id, claim.text, _joined(claim.rule, words), ids, reason)


def _result(part: ClaimPart, results: tuple[Result, ...]) -> Result | None:
    return next((result for result in results if result.analysis == part.analysis), None)


def part_verdict(protocol: Protocol, part: ClaimPart, result: Result | None) -> tuple[str, str]:
    """The verdict on one part and its reason."""
    if result is None or result.estimate is None or result.lower is None or result.upper is None:
        return (
            "not assessable",
            f"{part.analysis}: {result.status if result is not None else 'there is no result'}",
        )
    null = NULL_VALUE[result.scale]
    right = result.estimate > null if part.direction == "higher" else result.estimate < null
    excluded = result.lower > null or result.upper < null
    if result.role not in CONFIRMATORY:
        word = "consistent" if right else "not consistent in direction"
        return f"exploratory: {word}", f"{part.analysis} is not in the confirmatory family"
    level = next(family.level for family in protocol.families if family.id == result.family)
    p_value = result.p_adjusted if result.p_adjusted is not None else result.p_value
    if right and p_value is not None and p_value <= level:
        return "supported", f"{part.analysis}: p = {p_value:.4g} at level {level:g}"
    if excluded and not right:
        return "contradicted", f"{part.analysis}: the interval excludes no effect in the other direction"
    bound = result.upper if part.direction == "higher" else result.lower
    words = f"a {result.unit.removeprefix('ln ')} of {math.exp(bound):.3g}"
    told = words if result.scale == "log" else f"{bound:.3g} {result.unit}"
    return "inconclusive", f"{part.analysis}: effects beyond {told} are excluded"


def _joined(rule: str, words: list[str]) -> str:
    """A claim with `and` needs every part; `one-part` needs one."""
    order = (
        ("supported", "exploratory: consistent", "inconclusive")
        if rule == "one-part"
        else (
            "not assessable",
            "contradicted",
            "inconclusive",
            "exploratory: not consistent in direction",
            "exploratory: consistent",
            "supported",
        )
    )
    for word in order:
        if word in words:
            return word
    return words[0]
