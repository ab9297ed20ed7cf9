"""The words that a trial may say of a claim, as codes, and the rules by which the words of its parts are joined."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from equipoise.analysis.data import Flags
from equipoise.stats.arrays import Codes


class Word(IntEnum):
    """A verdict, in the order in which it is said where several apply; then the phrases of exploratory claims."""

    NOT_ASSESSED = 0
    NOT_ASSESSABLE = 1
    CONTRADICTED = 2
    CONTRADICTED_IN_PART = 3
    SUPPORTED = 4
    PARTLY_SUPPORTED = 5
    NOT_TESTED = 6
    INCONCLUSIVE = 7
    AS_CLAIMED = 8
    AGAINST = 9
    INCLUDES = 10

    @property
    def text(self) -> str:
        """The word as results hold it, without the names of parts."""
        return TEXTS[self]


TEXTS = {
    Word.NOT_ASSESSED: "not assessed",
    Word.NOT_ASSESSABLE: "not assessable",
    Word.CONTRADICTED: "contradicted",
    Word.CONTRADICTED_IN_PART: "contradicted in part",
    Word.SUPPORTED: "supported",
    Word.PARTLY_SUPPORTED: "partly supported",
    Word.NOT_TESTED: "not tested",
    Word.INCONCLUSIVE: "inconclusive",
    Word.AS_CLAIMED: "interval excludes no effect, as claimed",
    Word.AGAINST: "interval excludes no effect, against the claim",
    Word.INCLUDES: "interval includes no effect",
}
NAMED = (Word.CONTRADICTED_IN_PART, Word.PARTLY_SUPPORTED)
"""Words that the names of parts follow."""
PHRASES = tuple(word.text for word in (Word.AS_CLAIMED, Word.AGAINST, Word.INCLUDES))
"""What is said of exploratory claims, which have no verdict."""
SAFETY = ("no signal", "signal", "signal: procedure", "not recorded")
"""What is said of claims on safety, beside that they are not assessable."""
HARM = ("signal", "signal: procedure")
"""Those that say of harm that there was some; in simulated trials there may have been."""
CONTRADICTED_PRINTED = "contradicted: the opposite was shown"


def printed(verdict: str) -> str:
    """The words that people read for a verdict of the results."""
    return CONTRADICTED_PRINTED if verdict == Word.CONTRADICTED.text else verdict


def plain_word(verdict: str) -> str:
    """A verdict without the names of parts."""
    return next((word.text for word in NAMED if verdict.startswith(f"{word.text}: ")), verdict)


def every_part(parts: Codes, supported_together: Flags | None = None) -> Codes:
    """The word of a claim that needs each of its parts (k, R) -> (R,).

    supported_together: whether an intersection-union test supports the claim as a whole; None: where every part is.
    """
    counts = _Counts(parts)
    supported = counts.all(Word.SUPPORTED) if supported_together is None else supported_together
    return _first(
        parts.shape[1],
        (Word.NOT_ASSESSABLE, counts.all(Word.NOT_ASSESSABLE)),
        (Word.CONTRADICTED, counts.all(Word.CONTRADICTED)),
        (Word.CONTRADICTED_IN_PART, counts.any(Word.CONTRADICTED)),
        (Word.SUPPORTED, supported),
        (Word.PARTLY_SUPPORTED, counts.any(Word.SUPPORTED)),
        (Word.NOT_TESTED, counts.all(Word.NOT_TESTED, Word.NOT_ASSESSABLE)),
    )


def one_part(parts: Codes) -> Codes:
    """The word of a claim that needs one of its parts (k, R) -> (R,): the opposite is shown only by all of them."""
    counts = _Counts(parts)
    return _first(
        parts.shape[1],
        (Word.NOT_ASSESSABLE, counts.all(Word.NOT_ASSESSABLE)),
        (Word.CONTRADICTED, counts.all(Word.CONTRADICTED)),
        (Word.SUPPORTED, counts.any(Word.SUPPORTED)),
        (Word.NOT_TESTED, counts.all(Word.NOT_TESTED, Word.NOT_ASSESSABLE)),
    )


def exploratory(parts: Codes) -> Codes:
    """The phrase for a claim of exploratory parts (k, R) -> (R,): as claimed if all are, against if any is.

    Of a part without an interval nothing is known: the claim is not assessable unless another part decides the phrase.
    """
    counts = _Counts(parts)
    return _first(
        parts.shape[1],
        (Word.AS_CLAIMED, counts.all(Word.AS_CLAIMED)),
        (Word.AGAINST, counts.any(Word.AGAINST)),
        (Word.INCLUDES, counts.any(Word.INCLUDES)),
        (Word.NOT_ASSESSABLE, counts.any(Word.NOT_ASSESSABLE)),
    )


class _Counts:
    """Whether all or any of the parts have one of some words, (R,)."""

    def __init__(self, parts: Codes) -> None:
        self.parts = parts

    def all(self, *words: Word) -> Flags:
        return np.asarray(np.isin(self.parts, words).all(axis=0))

    def any(self, *words: Word) -> Flags:
        return np.asarray(np.isin(self.parts, words).any(axis=0))


def _first(trials: int, *rules: tuple[Word, Flags]) -> Codes:
    """The word of the first rule that holds, inconclusive where none does."""
    found = np.full(trials, Word.INCONCLUSIVE, np.int8)
    for word, holds in reversed(rules):
        found = np.where(holds, np.int8(word), found)
    return found
