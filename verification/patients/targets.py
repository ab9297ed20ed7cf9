"""The targets, their tolerances, and the comparison of a model with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from scipy.stats import beta

TARGETS = Path(__file__).with_name("targets.yaml")
STANDARD_ERRORS = 1.5
MEDIAN_FACTOR = 1.2533
RELATIVE = {"sd": 0.15, "sd-change": 0.20, "slope": 0.15}
CORRELATION = 0.1


@dataclass(frozen=True, slots=True)
class Target:
    """One row of targets.yaml."""

    id: str
    quantity: str
    statistic: str
    value: float
    role: str
    source: str
    month: float | None = None
    n: int | None = None
    sd: float | None = None
    cap: float | None = None
    note: str | None = None
    missed: Mapping[str, str] | None = None

    @property
    def allowed(self) -> tuple[float, float]:
        """The lowest and highest value of a model that meets the target."""
        if self.statistic == "share":
            assert self.n is not None
            count = round(self.value * self.n)
            low = 0.0 if count == 0 else float(beta.ppf(0.025, count, self.n - count + 1))
            return low, float(beta.ppf(0.975, count + 1, self.n - count))
        if self.statistic in RELATIVE:
            width = RELATIVE[self.statistic] * abs(self.value)
        elif self.statistic == "correlation":
            width = CORRELATION
        else:
            assert self.n is not None
            assert self.sd is not None
            factor = MEDIAN_FACTOR if self.statistic == "median" else 1.0
            width = STANDARD_ERRORS * factor * self.sd / self.n**0.5
            width = width if self.cap is None else min(width, self.cap)
        return self.value - width, self.value + width


@dataclass(frozen=True, slots=True)
class Compared:
    """A target and what the model of the name `by` gives."""

    target: Target
    model: float
    by: str = "empirical"

    @property
    def ok(self) -> bool:
        low, high = self.target.allowed
        return low <= self.model <= high

    @property
    def known(self) -> bool:
        """Whether a miss is explained: the target conflicts with a higher one, or says why this model misses it."""
        return self.target.role == "conflict" or self.by in (self.target.missed or {})

    @property
    def distance(self) -> float:
        """The difference in units of the tolerance: within -1 and 1 the target is met (but for shares, nearly so)."""
        low, high = self.target.allowed
        return (self.model - self.target.value) / ((high - low) / 2)


def read_targets() -> tuple[Target, ...]:
    """The rows of targets.yaml."""
    rows = YAML(typ="safe").load(TARGETS.read_text("utf-8"))["targets"]
    return tuple(Target(**row) for row in rows)


def compare(model: Mapping[str, float], by: str = "empirical") -> list[Compared]:
    """Every target that the model gives a value for, in the order of the file."""
    return [Compared(target, model[target.id], by) for target in read_targets() if target.id in model]
