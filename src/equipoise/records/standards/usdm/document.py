"""A protocol -> a USDM 4.0 document: the study, its version, one interventional design, and one timeline of visits.

Every object follows from the protocol; ids are the class and a number in the order in which objects are made, so that
the same protocol gives the same bytes. What a protocol file does not say stands under `NOT_STATED` or is left out.
"""

from __future__ import annotations

from importlib.metadata import version
from uuid import NAMESPACE_URL, uuid5

from equipoise.protocol.model import Protocol
from equipoise.records.standards.usdm import terms as t
from equipoise.records.standards.usdm.checks import usdm_objections
from equipoise.records.standards.usdm.design import design_of
from equipoise.records.standards.usdm.maker import Json, Maker
from equipoise.records.standards.usdm.terms import Term
from equipoise.source.digest import canonical_json

USDM_VERSION = "4.0.0"
SYSTEM_NAME = "equipoise"
MOST_DAYS = 30
"""Days of administration that are told one by one."""


def usdm_bytes(protocol: Protocol) -> bytes:
    """The document as canonical JSON: sorted keys, the same bytes each time."""
    document = usdm_document(protocol)
    wrong = usdm_objections(document)
    assert not wrong, f"a document of ours breaks the model: {wrong[0]}"
    return canonical_json(document) + b"\n"


def usdm_document(protocol: Protocol) -> Json:
    """The wrapper with the study."""
    make = Maker()
    study = protocol.study
    return {
        "study": {
            "id": str(uuid5(NAMESPACE_URL, protocol.digest)),
            "name": protocol.id,
            "label": study.short_title,
            "description": study.summary,
            "versions": [_version(protocol, make)],
            "documentedBy": [],
            "instanceType": "Study",
        },
        "usdmVersion": USDM_VERSION,
        "systemName": SYSTEM_NAME,
        "systemVersion": version("equipoise"),
    }


def _version(protocol: Protocol, make: Maker) -> Json:
    study = protocol.study
    organisations, identifiers = _identifiers(protocol, make)
    interventions = {product.id: _intervention(protocol, product.id, make) for product in protocol.products}
    items = [
        make(
            "EligibilityCriterionItem",
            name=criterion.id,
            text=criterion.text,
            description=f"Expression: {criterion.expression}",
        )
        for criterion in (*protocol.eligibility.inclusion, *protocol.eligibility.exclusion)
    ]
    surrogates = {
        (assessment.id, test.id): make(
            "BiomedicalConceptSurrogate",
            name=f"{assessment.id}.{test.id}",
            label=test.label,
            description=f"{test.code}, in {test.unit}",
        )
        for assessment in protocol.findings
        for test in assessment.tests
    }
    design = design_of(protocol, make, interventions, items, surrogates)
    titles = [
        make("StudyTitle", text=study.title, type=make.code(t.OFFICIAL_TITLE)),
        make("StudyTitle", text=study.short_title, type=make.code(t.BRIEF_TITLE)),
    ]
    made = make(
        "StudyVersion",
        versionIdentifier=study.version,
        rationale=study.summary,
        studyIdentifiers=identifiers,
        titles=titles,
        organizations=organisations,
        studyInterventions=list(interventions.values()),
        eligibilityCriterionItems=items,
        bcSurrogates=list(surrogates.values()),
        studyDesigns=[design],
    )
    return made | {"roles": _roles(protocol, make, made["id"])}


def _identifiers(protocol: Protocol, make: Maker) -> tuple[list[Json], list[Json]]:
    """Registries and the trial's numbers in them; without any, the protocol's own id, whoever gave it."""
    organisations: dict[str, Json] = {}
    identifiers: list[Json] = []
    entries = [(item.registry, item.number, t.REGISTRY) for item in protocol.study.registrations]
    for name, number, kind in entries or [
        (protocol.study.sponsor or "Authors of the protocol", protocol.id, t.NOT_STATED)
    ]:
        if name not in organisations:
            organisations[name] = make(
                "Organization",
                name=name,
                type=make.code(kind),
                identifierScheme="name",
                identifier=name,
            )
        identifiers.append(make("StudyIdentifier", text=number, scopeId=organisations[name]["id"]))
    return list(organisations.values()), identifiers


def _roles(protocol: Protocol, make: Maker, applies_to: str) -> list[Json]:
    """Who does not know the arms, where CDISC has a word for them."""
    found: list[Json] = []
    for name in protocol.blinding.masked:
        term = t.MASKED.get(name)
        if term is not None:
            masking = make("Masking", text=f"The {name.replace('-', ' ')} does not know the arms.", isMasked=True)
            role = make("StudyRole", name=name, code=make.code(term), appliesToIds=[applies_to], masking=masking)
            found.append(role)
    return found


def _intervention(protocol: Protocol, name: str, make: Maker) -> Json:
    product = protocol.product(name)
    dose, days = product.dose, product.dose_days
    lasts = max(days) - min(days) + 1
    unit = f"{dose.unit}/kg" if dose.per == "kg" else dose.unit
    known = t.UNITS.get(unit)
    when = ", ".join(map(str, days)) if len(days) <= MOST_DAYS else f"{min(days)} to {max(days)}, {len(days)} times"
    told = f"{dose.amount:.15g} {unit} on day{'s' if len(days) > 1 else ''} {when} of the period"
    administration = make(
        "Administration",
        name=f"{product.id} administration",
        description=told,
        duration=make(
            "Duration",
            text=f"{lasts} days from the first to the last administration",
            quantity=make.quantity(lasts, t.DAY),
            durationWillVary=False,
        ),
        dose=make.quantity(dose.amount, known if known is not None else Term(t.NOT_STATED.code, unit)),
        route=make.alias(t.ROUTES[product.route]),
    )
    return make(
        "StudyIntervention",
        name=product.id,
        label=product.label,
        role=make.code(t.AGENT if product.role == "active" else t.PLACEBO),
        type=make.code(t.KINDS[product.kind]),
        administrations=[administration],
    )
