"""The schema of a scenario, `equipoise/scenario/1`: what nature does in a simulated trial."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from equipoise.protocol.schema.base import Identifier, Name, NotNegative, Number, Part, Positive, Text, read_only

Fraction = Annotated[float, Field(ge=0, le=1)]
"""A share of people, visits or lots, 0 and 1 included."""

TextMapping = Annotated[dict[str, Text], AfterValidator(read_only)]
ParameterMapping = Annotated[dict[str, dict[str, Number]], AfterValidator(read_only)]
YearlyMapping = Annotated[dict[Identifier, Fraction], AfterValidator(read_only)]


class EffectValue(Part):
    """One effect of treatment: its value, and the range in which it may lie."""

    value: Number
    range: tuple[Number, Number]
    """Where effects vary, the central 95 % of the normal distribution about `value`, which is cut at both ends."""


EffectMapping = Annotated[dict[Name, EffectValue], AfterValidator(read_only)]


class Patients(Part):
    """Who the simulated people are."""

    model: Literal["mechanistic", "empirical"] = "mechanistic"
    """`mechanistic`: the equations of docs/model/, moved by `links`. `empirical`: fitted curves, moved by `effects`."""


class Recruitment(Part):
    """Who is assessed, and for how long people are looked for."""

    assessed_per_place: Annotated[float, Field(gt=0, le=1000)]
    """Recruitment ends when this many people have been assessed for each place of the trial."""
    assessed_per_month: Annotated[float, Field(gt=0, le=100_000)] = 5.0
    """People assessed a month, on average; it moves days of entry and nothing else. The default is assumed."""


class Doses(Part):
    """What happens to infusions that were planned."""

    refused: Fraction
    """Share of doses after the first of a period that a participant does not take."""
    later_period_declined: Fraction
    """Share of participants who take no dose of a later period."""
    below_range: Fraction
    """Share of active doses that hold too little: they act by half."""
    wrong_product: Fraction = 0.0
    """Share of doses in which another product of the protocol is given than the allocated one; it acts."""
    serious_reaction: Fraction = 0.0
    """Share of active doses after which a serious reaction comes, related to the product."""


class Manufacturing(Part):
    """The cells: what fails, and how donors differ."""

    lot_failure: Fraction
    """Share of lots that fail a gate before release; their dose is not given, in any arm."""
    late_failure: Fraction
    """Share of lots that fail a test whose result comes after the infusion."""
    potency_log_sd: NotNegative
    """Spread of the logarithm of potency between donors; mean potency is 1."""


class Missing(Part):
    """What is not recorded."""

    visits: Fraction
    """Share of visits missed by those still in the trial."""
    results: Fraction
    """Share of assessments at visits that were held without a result."""
    points: Fraction
    """Share of single time points of a test without a result."""
    diary: Fraction
    """Share of days without a diary entry."""
    lost: Fraction
    """Share of those who leave without a word (lost to follow-up); the others withdraw."""


class Marks(Part):
    """By what hidden records of active infusions differ from those of placebo: nothing, but in tests of blinding."""

    lots: Fraction = 0
    """Share by which results of the lots are higher; they are a day earlier too, and the last test is left out."""
    volume: Fraction = 0
    """Share by which the volume is greater; the infusion takes longer too."""
    text: bool = False
    """Whether free text of later events, and reasons for infusions that were not given, name the product."""


class IntercurrentSizes(Part):
    """What an intercurrent event does to the outcomes of those who have it; what is left out, it does not move."""

    days: Positive | None = None
    """How long it lasts; for good where it is not said."""
    hba1c: Number = 0.0
    """% of HbA1c, reached and lost as red cells are renewed: half of it in a month."""
    glucose: Number = 0.0
    """mg/dL of mean glucose; fasting glucose moves in proportion."""
    glucose_variation: Number = 0.0
    """Points added to the coefficient of variation of glucose, in %."""
    insulin_log_ratio: Number = 0.0
    hypoglycaemia_log_ratio: Number = 0.0
    cpeptide_slope: Number = 0.0
    """Logits a year; what C-peptide has won or lost by the end of the event stays."""
    wellbeing_shift: Number = 0.0
    """SDs of the latent score behind every questionnaire."""
    treated_log_hazard: Number = 0.0
    """How much more or less often the event itself comes to those who have had an active dose, from that day on."""


IntercurrentMapping = Annotated[dict[Identifier, IntercurrentSizes], AfterValidator(read_only)]


class ScenarioDocument(Part):
    """Everything that nature does. What the trial promises is the protocol's."""

    schema_: Literal["equipoise/scenario/1"] = Field(alias="schema")
    id: Identifier
    title: Text
    summary: Text
    patients: Patients = Field(default_factory=Patients, validate_default=True)
    effects: EffectMapping = Field(default_factory=dict, validate_default=True)
    """Effects of the active treatment in the empirical model, by the names of docs/simulation.md; those left out are
    absent (0)."""
    links: EffectMapping = Field(default_factory=dict, validate_default=True)
    """Links of the cells to the mechanism in the mechanistic model, by the names of docs/model/; those left out are
    absent."""
    effects_vary: bool
    """Whether each simulated trial draws its effects and links from their ranges; else all have the values."""
    recruitment: Recruitment
    dropout: Fraction
    """Share of participants who leave within a year of day 0, at a constant hazard."""
    punctual: Fraction
    """Share of each visit window, about its target, in which visits are held."""
    doses: Doses
    manufacturing: Manufacturing
    missing: Missing
    intercurrent_events: YearlyMapping
    """Yearly share of participants to whom an intercurrent event of the protocol happens."""
    marks: Marks = Field(default_factory=Marks, validate_default=True)
    intercurrent_effects: IntercurrentMapping = Field(default_factory=dict, validate_default=True)
    """What an intercurrent event does, by the names of `intercurrent_events`; one that is left out is recorded and
    moves nothing."""
    parameters: ParameterMapping = Field(default_factory=dict, validate_default=True)
    """Other values for parameters of the simulated people: group -> name -> value."""
    sources: TextMapping
    """Path in this document -> where its value comes from; `assumed: ` and the reason where nothing is published."""
