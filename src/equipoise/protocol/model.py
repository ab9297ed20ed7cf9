"""The protocol as every engine reads it: resolved, frozen, valid by construction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol as PythonProtocol
from typing import TypeVar

from equipoise.protocol.schema.base import SCHEMAS
from equipoise.protocol.schema.inference import (
    Analysis,
    Baseline,
    Claim,
    Conventions,
    Estimand,
    Family,
    FamilyGraph,
    Safety,
)
from equipoise.protocol.schema.measurement import Parameter, Questionnaire, Test, Visit
from equipoise.protocol.schema.people import Blinding, Consent, Eligibility, Randomisation
from equipoise.protocol.schema.study import ProtocolDocument, Study
from equipoise.protocol.schema.treatment import Arm, Period, Product
from equipoise.source.document import Document
from equipoise.source.expressions import Expression


@dataclass(frozen=True, slots=True)
class Assessment:
    """An assessment with everything that the authored one leaves to defaults written out.

    visits:   the planned visits, in the schedule's order.
    minutes:  the union of its time points, ascending; empty where it has none.
    planned:  visit -> the time points at that visit.
    questionnaire: the questionnaire whose items are its tests, or None.
    scorings: use of a questionnaire -> the file by whose rules it scores these answers, its own use among them.
    nearest:  whether values belong to the visit planned nearest to their day, and not to the one they name.
    """

    id: str
    label: str
    observation_class: str
    domain: str
    visits: tuple[str, ...]
    minutes: tuple[int, ...]
    planned: Mapping[str, tuple[int, ...]]
    tests: tuple[Test, ...]
    questionnaire: Questionnaire | None = None
    scorings: Mapping[str, Questionnaire] = field(default_factory=lambda: MappingProxyType({}))
    nearest: bool = False

    def test(self, test: str) -> Test:
        """The test called `test`; raises KeyError."""
        return _by_id(self.tests, test)


@dataclass(frozen=True, slots=True)
class Protocol:
    """A valid protocol. Lists keep the authored order, but visits, which stand by day.

    digest:  over the authored document and the digests of every file that it names.
    files:   name in the document -> digest.
    """

    document: Document = field(repr=False)
    authored: ProtocolDocument = field(repr=False)
    path: Path
    digest: str
    files: Mapping[str, str]
    visits: tuple[Visit, ...]
    assessments: tuple[Assessment, ...]
    criteria: Mapping[str, Expression] = field(repr=False)

    @property
    def version(self) -> int:
        """The version of the format that the document is written in."""
        return SCHEMAS.index(self.authored.schema_) + 1

    @property
    def id(self) -> str:
        return self.authored.id

    @property
    def study(self) -> Study:
        return self.authored.study

    @property
    def arms(self) -> tuple[Arm, ...]:
        return self.authored.arms

    @property
    def periods(self) -> tuple[Period, ...]:
        return self.authored.periods

    @property
    def products(self) -> tuple[Product, ...]:
        return self.authored.products

    @property
    def eligibility(self) -> Eligibility:
        return self.authored.eligibility

    @property
    def consent(self) -> Consent:
        return self.authored.consent

    @property
    def randomisation(self) -> Randomisation:
        return self.authored.randomisation

    @property
    def blinding(self) -> Blinding:
        return self.authored.blinding

    @property
    def conventions(self) -> Conventions:
        return self.authored.conventions

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return self.authored.parameters

    @property
    def safety(self) -> Safety:
        return self.authored.safety

    @property
    def estimands(self) -> tuple[Estimand, ...]:
        return self.authored.estimands

    @property
    def families(self) -> tuple[Family, ...]:
        return self.authored.families

    @property
    def graph(self) -> FamilyGraph | None:
        return self.authored.graph

    @property
    def analyses(self) -> tuple[Analysis, ...]:
        return self.authored.analyses

    @property
    def claims(self) -> tuple[Claim, ...]:
        return self.authored.claims

    @property
    def assumed(self) -> Mapping[str, str]:
        return self.authored.assumed

    def arm(self, arm: str) -> Arm:
        """The arm with this id; raises KeyError."""
        return _by_id(self.arms, arm)

    def product(self, product: str) -> Product:
        """The product with this id; raises KeyError."""
        return _by_id(self.products, product)

    def visit(self, visit: str) -> Visit:
        """The visit with this id; raises KeyError."""
        return _by_id(self.visits, visit)

    def assessment(self, assessment: str) -> Assessment:
        """The assessment with this id; raises KeyError."""
        return _by_id(self.assessments, assessment)

    def parameter(self, parameter: str) -> Parameter:
        """The parameter with this id; raises KeyError."""
        return _by_id(self.parameters, parameter)

    def estimand(self, estimand: str) -> Estimand:
        """The estimand with this id; raises KeyError."""
        return _by_id(self.estimands, estimand)

    def baseline(self, baseline: str) -> Baseline:
        """The baseline with this id; raises KeyError."""
        return _by_id(self.conventions.baselines, baseline)

    def role(self, arm: str, period: str) -> str:
        """Whether the arm has the active treatment or the placebo in a period: ``active`` or ``placebo``."""
        return self.product(self.arm(arm).treatments[period]).role

    @property
    def findings(self) -> tuple[Assessment, ...]:
        """The assessments whose records are findings."""
        return tuple(a for a in self.assessments if a.observation_class == "findings")


class _HasId(PythonProtocol):
    @property
    def id(self) -> str: ...


Item = TypeVar("Item", bound=_HasId)


def _by_id(items: tuple[Item, ...], wanted: str) -> Item:
    for item in items:
        if item.id == wanted:
            return item
    raise KeyError(wanted)
