"""When people are seen, what is measured, and which values are derived from it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from equipoise.protocol.schema.base import (
    Day,
    Identifier,
    NotNegative,
    Number,
    NumberMapping,
    OptionMapping,
    Part,
    Positive,
    Text,
    Unit,
    WeightMapping,
    read_only,
)

Answer = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]
Points = Annotated[tuple[Number, ...], Field(min_length=2)]
Minutes = Annotated[tuple[Annotated[int, Field(ge=-100_000, le=100_000)], ...], Field(min_length=1)]


class Visit(Part):
    """A planned visit."""

    id: Identifier
    label: Text
    period: Identifier | None = None
    """The period it belongs to; absent before the first."""
    day: Day
    """Target study day; 0 is the day of the trial's time zero."""
    before: Annotated[int, Field(ge=0, le=36_500)] = 0
    """Days that the visit may be early."""
    after: Annotated[int, Field(ge=0, le=36_500)] = 0
    """Days that the visit may be late."""


class Schedule(Part):
    """The planned visits, in order."""

    visits: Annotated[tuple[Visit, ...], Field(min_length=1)]


class Quantification(Part):
    """The limits between which an assay gives a number, and what stands for a value outside them."""

    lower: NotNegative | None = None
    upper: Positive | None = None
    unit: Unit
    below: Literal["half", "limit", "zero", "censored"] = "half"
    """The value used for a result below the lower limit in analyses that do not model censoring."""


class Test(Part):
    """One measured quantity of an assessment."""

    __test__ = False  # not one for pytest

    id: Identifier
    label: Text
    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,7}$")]
    """Short code, as in SDTM's --TESTCD."""
    unit: Unit
    """The unit of every analysis; `1` for a pure number or a score."""
    conversions: NumberMapping | None = None
    """Other units that may be reported: unit -> factor by which a value is multiplied to give `unit`."""
    plausible: tuple[Number, Number] | None = None
    """Lowest and highest believable value; outside it a value is a warning, never dropped."""
    quantification: Quantification | None = None
    decimals: Annotated[int, Field(ge=0, le=6)] = 2


Windows = Literal["nominal"]


class VisitMinutes(Part):
    """Time points of an assessment at visits where they differ from its usual ones."""

    visits: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    minutes: Minutes


class Assessment(Part):
    """Something that is measured, observed or given."""

    id: Identifier
    label: Text
    observation_class: Literal["findings", "events", "interventions"] = Field(alias="class")
    """SDTM's general observation class of its records."""
    domain: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    """SDTM domain in which it is exchanged."""
    visits: tuple[Identifier, ...] = ()
    """Visits at which it is planned; none for events that are recorded when they happen."""
    minutes: Minutes | None = None
    """Time points within a visit."""
    minutes_at: tuple[VisitMinutes, ...] = ()
    tests: tuple[Test, ...] = ()
    windows: Windows | None = None
    """nominal: its values count at the visits that records name, where the trial's rule is another."""
    description: Text | None = None


class QuestionnaireUse(Part):
    """A questionnaire, defined in a file of its own, and the visits at which it is answered.

    Where it only scores the answers of another one, it names that one and has no visits.
    """

    id: Identifier
    label: Text
    file: Text
    """Path relative to the protocol file."""
    visits: tuple[Identifier, ...] = ()
    answers: Identifier | None = None
    """The questionnaire whose answers this file scores by rules of its own; nobody is asked twice."""
    windows: Windows | None = None
    """nominal: its answers count at the visits that records name, where the trial's rule is another."""


class PointsBeside(Part):
    """The points of an item's answers where another item was answered in one of some ways."""

    item: Identifier
    answers: Annotated[tuple[Answer, ...], Field(min_length=1)]
    points: Points
    """One for each answer, from the lowest."""


class Item(Part):
    """One question: its code and the range of its answer. The wording stays with its owner."""

    id: Identifier
    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,7}$")]
    lowest: Answer
    highest: Answer
    best: Literal["lowest", "highest"] | None = None
    """The answer that is best for the participant; needed where a scale counts the item."""
    points: Points | None = None
    """What each answer counts, from the lowest; the same steps between all of them where absent."""
    beside: tuple[PointsBeside, ...] = ()
    """Points that hold instead where another item was answered; the first that fits."""


class Norm(Part):
    """Mean and standard deviation of a scale in a reference population."""

    mean: Number
    sd: Positive


class Scale(Part):
    """A score from 0 (worst) to 100 (best): the mean of its answered items, each spread over 0 to 100."""

    id: Identifier
    label: Text
    items: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    answered: Annotated[int, Field(ge=1, le=1000)] = 1
    """Answers without which there is no score."""
    norm: Norm | None = None
    """Needed where a component weighs the scale."""


class Component(Part):
    """A weighted sum of scales, each in SDs from its norm, spread anew; without one of them there is none."""

    id: Identifier
    label: Text
    weights: Annotated[WeightMapping, Field(min_length=1)]
    """Scale -> factor score coefficient."""
    mean: Number = 50
    sd: Positive = 10
    """The component's own mean and SD in the reference population."""


class Total(Part):
    """A sum of answers, from the sum of the lowest to the sum of the highest; unanswered items are prorated.

    The answered items' share of the way from their lowest to their highest sum is taken as that of all items.
    """

    id: Identifier
    label: Text
    items: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    answered: Annotated[int, Field(ge=1, le=1000)] = 1
    """Answers without which there is no total."""


class Questionnaire(Part):
    """A questionnaire file."""

    schema_: Literal["equipoise/questionnaire/1"] = Field(alias="schema")
    id: Identifier
    title: Text
    source: Text
    """Who owns it and where its scoring rules are published."""
    from_age_years: Annotated[int, Field(ge=0, le=120)] = 0
    below_age_years: Annotated[int, Field(ge=1, le=121)] | None = None
    items: Annotated[tuple[Item, ...], Field(min_length=1)]
    scales: tuple[Scale, ...] = ()
    totals: tuple[Total, ...] = ()
    components: tuple[Component, ...] = ()


Categories = Annotated[dict[Text, Number], Field(min_length=1), AfterValidator(read_only)]


class Parameter(Part):
    """A value for analysis, derived at each visit from measured values or from other parameters."""

    id: Identifier
    label: Text
    unit: Unit
    derivation: Identifier
    """A registered derivation."""
    options: OptionMapping = Field(default_factory=dict, validate_default=True)
    decimals: Annotated[int, Field(ge=0, le=6)] = 2
    categories: Categories | None = None
    """For values that stand for categories: label -> value. Tables then count them."""
    better: Literal["higher", "lower"] | None = None
    """The direction in which a participant fares better; absent where neither is."""
