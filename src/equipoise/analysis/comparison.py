"""What a number is about: two arms that are compared, one arm by itself, or everybody where arms are not known."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.protocol.schema.inference import Contrast

POOLED = "pooled"
"""What results call everybody together; no arm may be asked for by this name in a blinded run."""


@dataclass(frozen=True, slots=True)
class Single:
    """One arm by itself."""

    arm: str


@dataclass(frozen=True, slots=True)
class Pooled:
    """Everybody, of all arms together."""


Comparison = Contrast | Single | Pooled


def text_of(comparison: Comparison) -> str:
    """How ids of results and the column `contrast` say it; nothing is ever read off this text."""
    match comparison:
        case Contrast(active=active, reference=reference):
            return f"{active}-v-{reference}"
        case Single(arm):
            return arm
        case Pooled():
            return POOLED


def arms_of(comparison: Comparison) -> tuple[str, ...]:
    """The arms that it is about: active and reference, one, or none where they are not known."""
    match comparison:
        case Contrast(active=active, reference=reference):
            return active, reference
        case Single(arm):
            return (arm,)
        case Pooled():
            return ()
