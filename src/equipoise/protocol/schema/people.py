"""Who may take part, by whose leave, and how they are allocated and kept blind."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from equipoise.protocol.schema.base import Identifier, Name, Part, Reference, Share, Text, Unit, since

ROLES = (
    "participant",
    "coordinator",
    "investigator",
    "cell-laboratory",
    "dispenser",
    "infusion-nurse",
    "monitor",
    "data-manager",
    "blinded-statistician",
    "unblinded-statistician",
    "board",
    "administrator",
)
"""Who takes part in running a trial, by the ids that blinding, views and accounts use."""

ROLE_WORDS = {role.replace("-", " "): role for role in ROLES if "-" in role}
"""How a document of version 1 may spell a role -> its id."""

Role = Annotated[
    Text,
    AfterValidator(lambda word: ROLE_WORDS.get(word, word)),
    Field(json_schema_extra={"examples": list(ROLES)}),
]
"""A role by its id; an unknown word is left for the rule that refuses it."""


class VariableSource(Part):
    """Where the records hold a variable: a column of the participants, or a test at a visit."""

    participants: Literal["site", "age_years", "sex"] | None = None
    """`age_years` counts in completed years."""
    test: Reference | None = None
    visit: Identifier | None = None


class Variable(Part):
    """A value that eligibility criteria may ask for."""

    name: Name
    label: Text
    type: Literal["number", "boolean", "text"]
    unit: Unit | None = None
    from_: VariableSource | None = since(2, None, alias="from")
    """Where the records hold it; strata by expression are evaluated from there."""


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
    hidden_from: Annotated[tuple[Role, ...], Field(min_length=1)]
    from_: Identifier | None = since(2, None, alias="from")
    """The visit from which on it is hidden, that visit included; from the beginning where absent."""
    until: Literal["database-lock", "end-of-period", "never"]


class Blinding(Part):
    """Who does not know the arms."""

    masked: Annotated[tuple[Role, ...], Field(min_length=1)]
    items: tuple[BlindedItem, ...] = ()
    emergency: Text | None = None
