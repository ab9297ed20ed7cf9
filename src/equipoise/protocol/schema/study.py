"""The whole protocol document, as people write it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from equipoise.protocol.schema.base import Digest, Identifier, Part, Text, TextMapping
from equipoise.protocol.schema.inference import (
    Analysis,
    Claim,
    Conventions,
    Estimand,
    Family,
    FamilyGraph,
    IntercurrentEvent,
    Safety,
)
from equipoise.protocol.schema.measurement import Assessment, Parameter, QuestionnaireUse, Schedule
from equipoise.protocol.schema.people import Blinding, Consent, Eligibility, Randomisation
from equipoise.protocol.schema.treatment import Arm, Period, Product


class Registration(Part):
    """An entry in a public register of trials."""

    registry: Text
    number: Text


class Publication(Part):
    """A paper that the protocol rests on or that reports the trial."""

    id: Identifier
    citation: Text
    doi: Text | None = None


class Study(Part):
    """What the trial is called and where it is registered."""

    title: Text
    short_title: Text
    version: Text
    """Version of the protocol, as its authors count."""
    phase: Text
    summary: Text
    sponsor: Text | None = None
    registrations: tuple[Registration, ...] = ()
    publications: tuple[Publication, ...] = ()


class ProtocolDocument(Part):
    """Everything that a trial promises. No assumption about effect belongs here: that is a scenario."""

    schema_: Literal["equipoise/protocol/1", "equipoise/protocol/2"] = Field(alias="schema")
    id: Identifier
    amends: Digest | None = None
    """Digest of the protocol that this one replaces."""
    study: Study
    periods: Annotated[tuple[Period, ...], Field(min_length=1)]
    arms: Annotated[tuple[Arm, ...], Field(min_length=2)]
    products: Annotated[tuple[Product, ...], Field(min_length=1)]
    eligibility: Eligibility
    consent: Consent
    randomisation: Randomisation
    blinding: Blinding
    conventions: Conventions
    schedule: Schedule
    assessments: Annotated[tuple[Assessment, ...], Field(min_length=1)]
    questionnaires: tuple[QuestionnaireUse, ...] = ()
    parameters: Annotated[tuple[Parameter, ...], Field(min_length=1)]
    safety: Safety
    intercurrent_events: tuple[IntercurrentEvent, ...] = ()
    estimands: Annotated[tuple[Estimand, ...], Field(min_length=1)]
    families: tuple[Family, ...] = ()
    graph: FamilyGraph | None = None
    """How families share one level; without it each has its own."""
    analyses: Annotated[tuple[Analysis, ...], Field(min_length=1)]
    claims: tuple[Claim, ...] = ()
    default_scenario: Identifier | None = None
    """The scenario that simulation uses unless told otherwise."""
    assumed: TextMapping = Field(default_factory=dict, validate_default=True)
    """Path in this document -> why its authors chose the value, where no source gives it."""
