"""The arms, the periods and what is given in them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from equipoise.protocol.schema.base import (
    Count,
    Day,
    Identifier,
    IdentifierMapping,
    Number,
    Part,
    Positive,
    Text,
    Unit,
    since,
)


class Period(Part):
    """A stretch of the trial in which each arm has one treatment."""

    id: Identifier
    label: Text
    first_day: Day
    """First study day of the period; 0 is the day of the trial's time zero."""
    last_day: Day


class Arm(Part):
    """A group to which participants are allocated."""

    id: Identifier
    label: Text
    ratio: Count = 1
    """Share of this arm in the allocation ratio."""
    treatments: IdentifierMapping
    """The product given in each period: ``period: product``."""


class Dose(Part):
    """How much of a product is given at one administration."""

    amount: Positive
    unit: Unit
    per: Literal["administration", "kg"] = "administration"
    lowest: Positive | None = None
    """The least that still counts as a dose, same unit."""
    highest: Positive | None = None


ReleaseKind = Literal["sterility", "endotoxin", "mycoplasma", "identity", "purity", "viability", "count", "other"]


class ReleaseTest(Part):
    """A test by which a lot is measured and which, where it is a gate, it must pass before it is given."""

    id: Identifier
    label: Text
    unit: Unit
    lower: Number | None = None
    upper: Number | None = None
    expected: Text | None = None
    """The passing result of a test that has words for results, such as ``no growth``."""
    use: Literal["gate", "report"]
    timing: Literal["before-release", "after-release"] = "before-release"
    kind: ReleaseKind | None = since(2, None)
    """What a failure means: of viability or count a deviation, of any other gate a signal of safety."""
    measures: Literal["dose"] | None = None
    """The test that tells what a lot holds of the product's dose, in the dose's own unit per kg."""


class Product(Part):
    """Something that is given to participants: an active treatment or its placebo."""

    id: Identifier
    label: Text
    role: Literal["active", "placebo"]
    kind: Literal["drug", "autologous-cells", "saline"]
    route: Literal["intravenous", "intramuscular", "subcutaneous", "oral", "transdermal"]
    dose: Dose
    dose_days: Annotated[tuple[Day, ...], Field(min_length=1)]
    """Days of administration, counted from the first day of the period (0 = that day)."""
    dose_window_days: Annotated[int, Field(ge=0, le=36_500)] = 0
    release_tests: tuple[ReleaseTest, ...] = ()
