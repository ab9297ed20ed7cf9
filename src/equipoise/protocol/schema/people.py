"""Who may take part, by whose leave, and how they are allocated and kept blind."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from equipoise.protocol.schema.base import Identifier, Name, Part, Share, Text, Unit


class Variable(Part):
    """A value that eligibility criteria may ask for."""

    name: Name
    label: Text
    type: Literal["number", "boolean", "text"]
    unit: Unit | None = None


class Criterion(Part):
    """A rule in words, and the same rule as an expression (CEL) over the declared variables."""

    id: Identifier
    text: Text
    expression: Text


class Eligibility(Part):
    """A person is eligible where every inclusion criterion is true and every exclusion criterion false."""

    variables: tuple[Variable, ...]
    inclusion: Annotated[tuple[Criterion, ...], Field(min_length=1)]
    exclusion: tuple[Criterion, ...] = ()


class ConsentForm(Part):
    """A form that is signed, by whom and by people of which ages."""

    id: Identifier
    label: Text
    version: Text
    signed_by: Literal["participant", "guardian", "participant-and-guardian"]
    from_age_years: Annotated[int, Field(ge=0, le=120)] = 0
    below_age_years: Annotated[int, Field(ge=1, le=121)] | None = None


class Consent(Part):
    """Informed consent, and what must not happen before it."""

    forms: Annotated[tuple[ConsentForm, ...], Field(min_length=1)]
    before: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    """Assessments that are trial procedures: none may be done before consent is recorded."""
    withdrawal: Text


class Level(Part):
    """A level of a stratum."""

    id: Identifier
    label: Text
    expression: Text | None = None
    """Which participants are in it, by the eligibility variables; absent where it is recorded as such."""


class Stratum(Part):
    """A characteristic within whose levels allocation is balanced."""

    id: Identifier
    label: Text
    levels: tuple[Level, ...] = ()
    recorded: bool = True
    """False where the data of a finished trial do not hold it; the design-based test is then impossible."""


class Randomisation(Part):
    """How arms are allocated."""

    participants: Annotated[int, Field(ge=2, le=100_000)]
    method: Literal["permuted-blocks", "big-stick", "maximal-procedure", "minimisation", "simple"]
    block_sizes: tuple[Annotated[int, Field(ge=2, le=60)], ...] = ()
    limit: Annotated[int, Field(ge=1, le=100)] | None = None
    """Largest tolerated imbalance of big stick and the maximal procedure."""
    probability: Share | None = None
    """Probability with which minimisation follows its preference."""
    strata: tuple[Stratum, ...] = ()


class BlindedItem(Part):
    """Something that tells, or may tell, the arm, and from whom it is kept until when."""

    id: Identifier
    label: Text
    hides: Text
    """An assessment, or one of: allocation, lots, dose-volume, event-text."""
    hidden_from: Annotated[tuple[Text, ...], Field(min_length=1)]
    until: Literal["database-lock", "end-of-period", "never"]


class Blinding(Part):
    """Who does not know the arms."""

    masked: Annotated[tuple[Text, ...], Field(min_length=1)]
    items: tuple[BlindedItem, ...] = ()
    emergency: Text | None = None
