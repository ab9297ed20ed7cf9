"""The bands, and the rule by which a run fails."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ruamel.yaml import YAML
from scipy.stats import beta

BANDS = Path(__file__).parents[1] / "bands.yaml"
CONFIDENCE = 0.999


@dataclass(frozen=True, slots=True)
class Band:
    """How often an analysis may reject in a scenario, or its interval hold what is true of the estimand, and why."""

    id: str
    analysis: str
    scenario: str
    seed: int
    trials: int
    band: tuple[float, float]
    reason: str
    measure: Literal["rejects", "covers"] = "rejects"
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rate:
    """How often an analysis rejected, or covered the truth.

    refused: trials in which it gave no p-value; they count as not rejected, and as not covering.
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
        tail = (1 - CONFIDENCE) / 2
        low = float(beta.ppf(tail, self.rejected, self.trials - self.rejected + 1)) if self.rejected else 0.0
        miss = self.trials - self.rejected
        high = float(beta.ppf(1 - tail, self.rejected + 1, miss)) if miss else 1.0
        return low, high

    @property
    def ok(self) -> bool:
        """Whether the interval and the band have a point in common."""
        low, high = self.interval
        return low <= self.band.band[1] and high >= self.band.band[0]


def read_bands() -> tuple[Band, ...]:
    """The rows of bands.yaml."""
    rows = YAML(typ="safe").load(BANDS.read_text("utf-8"))["bands"]
    return tuple(Band(**{**row, "band": tuple(row["band"]), "changes": tuple(row.get("changes", ()))}) for row in rows)
