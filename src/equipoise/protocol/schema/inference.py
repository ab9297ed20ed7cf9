"""What is to be estimated, how, and what may be concluded from it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from equipoise.protocol.schema.base import (
    Count,
    Identifier,
    Number,
    OptionMapping,
    Part,
    Positive,
    Share,
    Text,
    read_only,
    since,
)


class AnalysisSet(Part):
    """A set of participants, decided by rule and without regard to arm."""

    id: Identifier
    label: Text
    rule: Literal["randomised", "any-post-baseline", "every-post-baseline", "visit-held", "dosed", "all-doses"]
    parameters: tuple[Identifier, ...] = ()
    """For any-post-baseline: the parameters of which one value after baseline is enough; for every-post-baseline: those
    of which each must have one."""
    visits: tuple[Identifier, ...] = ()
    """For visit-held: the visits that must have been held, all of them."""
    sex: Literal["female", "male"] | None = None
    """Only participants of this sex, of those that the rule takes."""
    within: Identifier | None = None
    """Only participants who are in this set, which stands earlier in the list, too."""


class Clock(Part):
    """A named origin from which days are counted."""

    id: Identifier
    label: Text
    zero: Literal["diagnosis", "consent", "allocation", "first-dose", "time-zero"]


class Baseline(Part):
    """The value that later ones are compared with."""

    id: Identifier
    label: Text
    visit: Identifier


class Windows(Part):
    """How values are assigned to visits, and what becomes of the others."""

    rule: Literal["nominal", "nearest"]
    """nominal: the visit that the record names. nearest: the visit whose planned day is nearest to the value's own; a
    value of day 0 or before belongs to a visit planned until then, a later one to a later visit."""
    tie: Literal["earlier", "later"] | None = None
    """For nearest: the visit that takes a value midway between two."""
    unscheduled: Literal["listings-only", "in-windows"]
    repeated: Literal["first", "last"]


class Conventions(Part):
    """Rules shared by every analysis."""

    time_zero: Text
    """What happens on study day 0."""
    analysis_sets: Annotated[tuple[AnalysisSet, ...], Field(min_length=1)]
    clocks: Annotated[tuple[Clock, ...], Field(min_length=1)]
    baselines: Annotated[tuple[Baseline, ...], Field(min_length=1)]
    windows: Windows
    seed: Annotated[int, Field(ge=0, le=4_294_967_295)] = since(2, 1)
    """Where every analysis that draws begins: allocations of a reference set, imputed events, panels."""


class StoppingRule(Part):
    """A Bayesian rule for harm: stop when P(rate > threshold | events so far) exceeds `certainty`."""

    id: Identifier
    event: Text
    prior: tuple[Positive, Positive]
    """Beta prior (alpha, beta) of the event's probability in treated people."""
    threshold: Share
    certainty: Share
    minimum: Count
    """Treated participants before the rule may act."""


class Safety(Part):
    """How harm is recorded, graded and reported."""

    grading: Text
    serious_report_hours: Annotated[int, Field(ge=1, le=720)]
    follow_up_days: Annotated[int, Field(ge=0, le=36_500)]
    stopping_rules: tuple[StoppingRule, ...] = ()


Terms = Annotated[tuple[Text, ...], Field(min_length=1)]


class Recorded(Part):
    """How records show an intercurrent event: an event by its term, something given by its name, or a rule."""

    events: Identifier | None = None
    """An assessment of class events; with `terms`."""
    terms: Terms | None = None
    """The event is any record of the assessment whose term is one of these, whatever their capitals."""
    interventions: Identifier | None = None
    """An assessment of class interventions; with `treatments`."""
    treatments: Terms | None = None
    """The event is any record of the assessment whose treatment is one of these, whatever their capitals."""
    rule: Literal["lot-failed", "dose-below-range", "dose-not-given", "period-declined", "insulin-zero"] | None = None
    period: Identifier | None = None
    """For a rule: only doses of this period."""
    dose_number: Annotated[int, Field(ge=1, le=1000)] | None = None
    """For a rule: only this dose of a period."""
    parameter: Identifier | None = None
    """For insulin-zero: the parameter that holds the dose."""


class IntercurrentEvent(Part):
    """Something that may happen after allocation and bears on the meaning or existence of the outcome."""

    id: Identifier
    label: Text
    recorded: Recorded | None = since(2, None)
    """How the records show it; without it no strategy but treatment policy can be carried out."""


Strategy = Literal["treatment-policy", "hypothetical", "composite", "while-on-treatment", "principal-stratum"]
StrategyMapping = Annotated[dict[Identifier, Strategy], AfterValidator(read_only)]


class Principal(Part):
    """Whom a principal stratum takes: those who would, or would not, have the event under either arm."""

    event: Literal["would-occur", "would-not-occur"]
    assumption: Text | None = None
    """Why the stratum can be recognised from what was observed; needed but where every participant shows it."""


class Composite(Part):
    """What an event with the composite strategy makes of the outcome: one of the two."""

    value: Number | None = None
    """A value on the analysed scale."""
    failure: bool = False
    """The participant counts as one who did not reach a yes."""


CompositeMapping = Annotated[dict[Identifier, Composite], AfterValidator(read_only)]
PrincipalMapping = Annotated[dict[Identifier, Principal], AfterValidator(read_only)]


class Contrast(Part):
    """The arms that are compared: active minus reference."""

    active: Identifier
    reference: Identifier


class EndpointVariable(Part):
    """A parameter at a visit."""

    parameter: Identifier
    visit: Identifier


class Estimand(Part):
    """What is to be estimated, by the five attributes of ICH E9(R1)."""

    id: Identifier
    label: Text
    population: Identifier
    """An analysis set."""
    contrast: Contrast
    variable: EndpointVariable
    intercurrent_events: StrategyMapping = Field(default_factory=dict, validate_default=True)
    """The strategy for each declared intercurrent event."""
    composite: CompositeMapping = since(2, {}, validate_default=True)
    """For each event with the composite strategy what it makes of the outcome."""
    principal: PrincipalMapping = since(2, {}, validate_default=True)
    """For each event with the principal-stratum strategy who belongs to the stratum."""
    order: tuple[Identifier, ...] = since(2, ())
    """Of events on one day the first here governs; the protocol's own order of events where absent."""
    summary: Literal["difference-in-means", "ratio-of-means", "rate-ratio", "difference-in-proportions", "odds-ratio"]
    clock: Identifier
    smallest_important: Positive | None = None
    """The smallest difference that matters to a participant: a promise of interpretation, no assumption."""


class Family(Part):
    """Analyses whose false claims are controlled together."""

    id: Identifier
    label: Text
    level: Share
    adjustment: Literal["none", "holm", "fixed-sequence"]
    sides: Literal["one", "two"] = since(2, "two")
    """one: the level is for one direction, the claims' own, and nothing is said of the other but by `opposite`."""
    opposite: Share | None = since(2, None)
    """Of a one-sided family: the level at which the opposite may be said, by the mirrored hypotheses."""


LevelShare = Annotated[float, Field(ge=0, le=1)]
SharedLevel = Annotated[dict[Identifier, LevelShare], Field(min_length=1), AfterValidator(read_only)]


class FamilyGraph(Part):
    """How families share one level, and where the share of a family goes once all of its hypotheses are rejected."""

    weights: SharedLevel
    """Family -> its share of the level at the start; 0 for one that waits for others."""
    transitions: Annotated[dict[Identifier, SharedLevel], AfterValidator(read_only)] = Field(
        default_factory=dict, validate_default=True
    )
    """Family -> the parts of its share that go to others."""


Role = Literal["primary", "key-secondary", "secondary", "sensitivity", "supplementary", "exploratory", "descriptive"]


class Analysis(Part):
    """One registered method with its options."""

    id: Identifier
    label: Text
    method: Identifier
    options: OptionMapping = Field(default_factory=dict, validate_default=True)
    estimand: Identifier | None = None
    analysis_set: Identifier | None = None
    """For descriptive analyses, which have no estimand."""
    role: Role
    family: Identifier | None = None
    of: Identifier | None = None
    """For a sensitivity or supplementary analysis: the analysis whose assumptions it varies."""


class ClaimPart(Part):
    """An analysis that a claim rests on, and the direction that it must show."""

    analysis: Identifier
    direction: Literal["higher", "lower"]
    margin: Number | None = since(2, None)
    """The value that the effect must pass, no effect where absent; of a ratio the ratio itself."""


class Claim(Part):
    """A sentence that the trial is to test, with the rule that decides it."""

    id: Identifier
    text: Text
    rule: Literal["every-part", "one-part", "safety", "descriptive"]
    parts: tuple[ClaimPart, ...] = ()
    note: Text | None = None
