"""The bands, and the rule by which a run fails."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ruamel.yaml import YAML

from verification.limits import found_above, found_below, limits

BANDS = Path(__file__).parents[1] / "bands.yaml"
ANY = "any"
"""In the place of a claim: any of them."""


@dataclass(frozen=True)
class Band:
    """How often something may happen in a scenario, and why.

    measure: how often an analysis rejects; its interval holds what is true of the estimand; or a claim has one of
             `words`, where `claim` stands instead of an analysis.
    """

    id: str
    scenario: str
    seed: int
    trials: int
    band: tuple[float, float]
    reason: str
    analysis: str | None = None
    measure: Literal["rejects", "covers", "says"] = "rejects"
    changes: tuple[str, ...] = ()
    claim: str | None = None
    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.measure == "says") != (self.claim is not None and bool(self.words)):
            raise ValueError(f"band {self.id!r}: words are said of a claim, and of nothing else")
        if (self.analysis is None) != (self.measure == "says"):
            raise ValueError(f"band {self.id!r} has either an analysis or a claim")


@dataclass(frozen=True)
class Rate:
    """How often it happened.

    refused: trials in which an analysis gave no p-value; they count as not rejected, and as not covering.
    """

    band: Band
    trials: int
    rejected: int
    refused: int

    @property
    def rate(self) -> float:
        return self.rejected / self.trials

    @property
    def interval(self) -> tuple[float, float]:
        """The exact 99.9 % interval of the rate (Clopper & Pearson 1934)."""
        return limits(self.rejected, self.trials)

    @property
    def ok(self) -> bool:
        """Whether the interval and the band have a point in common."""
        low, high = self.interval
        return low <= self.band.band[1] and high >= self.band.band[0]

    @property
    def finds(self) -> tuple[float, float]:
        """The largest rate below the band and the smallest above it that so many trials find with a chance of 90 %."""
        low, high = self.band.band
        return found_below(low, self.trials), found_above(high, self.trials)


def read_bands() -> tuple[Band, ...]:
    """The rows of bands.yaml."""
    rows = YAML(typ="safe").load(BANDS.read_text("utf-8"))["bands"]
    lists = ("changes", "words")
    return tuple(
        Band(**{**row, "band": tuple(row["band"]), **{name: tuple(row.get(name, ())) for name in lists}})
        for row in rows
    )
