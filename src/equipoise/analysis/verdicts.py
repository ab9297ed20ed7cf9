"""The word for each claim in R trials at once: one error control for both directions, by the families' procedure.

Nothing here writes sentences; `claims` does, for one trial.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.analysis.data import Flags, Floats
from equipoise.analysis.given import Given, nobody_treated
from equipoise.analysis.measured import Measured
from equipoise.analysis.multiplicity import SIGN, Procedure, Tested, null_of, procedure
from equipoise.analysis.words import Word, every_part, exploratory, one_part
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import Claim, ClaimPart, Family
from equipoise.stats.arrays import Codes

CONFIRMATORY = ("primary", "key-secondary")


@dataclass(frozen=True, slots=True, eq=False)
class DecidedPart:
    """One part of a claim in R trials.

    measured, tested, family: of its analysis; None where there is no estimate, no hypothesis, no family.
    nobody: (R,) whether nobody of the active arm had been given the active product.
    words:  (R,) codes of Word.
    """

    part: ClaimPart
    measured: Measured | None
    tested: Tested | None
    family: Family | None
    null: float
    nobody: Flags
    words: Codes


@dataclass(frozen=True, slots=True, eq=False)
class DecidedClaim:
    """A claim in R trials.

    words: (R,) codes of Word.
    whole: the adjusted p-value of the claim as a whole, (R,), where its parts are a family of their own.
    """

    claim: Claim
    confirmatory: bool
    parts: tuple[DecidedPart, ...]
    words: Codes
    whole: Floats | None


def decide(protocol: Protocol, measured: Sequence[Measured], given: Given | None = None) -> tuple[DecidedClaim, ...]:
    """Every claim but those on safety, which no p-value decides; `given` of the same trials."""
    found = procedure(protocol, measured)
    trials = measured[0].trials if measured else 1
    return tuple(
        _decided(protocol, claim, measured, found, given, trials)
        for claim in protocol.claims
        if claim.rule != "safety" or not claim.parts
    )


def _decided(
    protocol: Protocol,
    claim: Claim,
    measured: Sequence[Measured],
    found: Procedure,
    given: Given | None,
    trials: int,
) -> DecidedClaim:
    first = {item.analysis: item for item in measured if item.decides}
    planned = {item.id: item for item in protocol.analyses}
    roles = [
        first[part.analysis].role if part.analysis in first else planned[part.analysis].role for part in claim.parts
    ]
    confirmatory = all(role in CONFIRMATORY for role in roles)
    parts = tuple(
        decided_part(protocol, part, first.get(part.analysis), found, given, trials, confirmatory=confirmatory)
        for part in claim.parts
    )
    if not parts:
        return DecidedClaim(claim, False, (), np.full(trials, Word.NOT_ASSESSED, np.int8), None)
    codes = np.stack([part.words for part in parts])
    if not confirmatory:
        return DecidedClaim(claim, False, parts, exploratory(codes), None)
    whole = found.whole.get(claim.id)
    if claim.rule == "one-part":
        return DecidedClaim(claim, True, parts, one_part(codes), None)
    together = None
    if whole is not None and parts[0].family is not None:
        nobody = np.any([part.nobody for part in parts], axis=0)
        together = (whole <= parts[0].family.level) & ~nobody
    return DecidedClaim(claim, True, parts, every_part(codes, together), whole)


def decided_part(
    protocol: Protocol,
    part: ClaimPart,
    measured: Measured | None,
    found: Procedure,
    given: Given | None,
    trials: int,
    *,
    confirmatory: bool,
) -> DecidedPart:
    """One part by itself: by its hypothesis if it is confirmatory, else by its interval."""
    nobody = nobody_treated(protocol, given, part.analysis)
    if nobody is None:
        nobody = np.zeros(trials, np.bool_)
    if measured is None:
        nothing = np.full(trials, Word.NOT_ASSESSABLE, np.int8)
        return DecidedPart(part, None, None, None, 0.0, nobody, nothing)
    family = next((item for item in protocol.families if item.id == measured.family), None)
    tested = found.tested.get(measured.id) if confirmatory else None
    null = null_of(part, measured.scale)
    if tested is not None and family is not None:
        words = _by_hypothesis(part, measured, tested, family, null)
    else:
        words = _by_interval(part, measured, null)
    words = np.where(nobody, np.int8(Word.NOT_ASSESSABLE), words)
    return DecidedPart(part, measured, tested, family, null, nobody, words)


def _by_hypothesis(part: ClaimPart, measured: Measured, tested: Tested, family: Family, null: float) -> Codes:
    """Supported and contradicted by the same adjusted p-value, each on its side."""
    claimed = SIGN[part.direction]
    if family.sides == "one":
        supported = tested.adjusted <= family.level
        contradicted = tested.opposite <= (-1.0 if family.opposite is None else family.opposite)
    else:
        rejected = tested.adjusted <= family.level
        supported, contradicted = rejected & (tested.side == claimed), rejected & (tested.side == -claimed)
    if part.margin is not None:
        bound = measured.values["upper" if claimed > 0 else "lower"]
        contradicted = contradicted & (claimed * (bound - null) < 0)
    words = np.full(len(tested.p_value), Word.INCONCLUSIVE, np.int8)
    words = np.where(tested.local <= 0, np.int8(Word.NOT_TESTED), words)
    words = np.where(supported, np.int8(Word.SUPPORTED), words)
    words = np.where(contradicted, np.int8(Word.CONTRADICTED), words)
    return np.where(np.isnan(tested.p_value), np.int8(Word.NOT_ASSESSABLE), words)


def _by_interval(part: ClaimPart, measured: Measured, null: float) -> Codes:
    """The phrase for an interval, unadjusted: the side of the estimate alone says nothing."""
    lower, upper = (measured.values.get(name, np.full(measured.trials, np.nan)) for name in ("lower", "upper"))
    beyond = {1: lower > null, -1: upper < null}
    claimed = SIGN[part.direction]
    words = np.full(measured.trials, Word.INCLUDES, np.int8)
    words = np.where(beyond[claimed], np.int8(Word.AS_CLAIMED), words)
    words = np.where(beyond[-claimed], np.int8(Word.AGAINST), words)
    return np.where(np.isfinite(lower) & np.isfinite(upper), words, np.int8(Word.NOT_ASSESSABLE))
