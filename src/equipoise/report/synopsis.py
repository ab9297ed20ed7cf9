"""The synopsis: the trial and what it found on one page, in the order of ICH E3, annex I."""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.analysis.words import printed
from equipoise.documents.model import KeyValues, Section
from equipoise.documents.numbers import digits
from equipoise.documents.runs import Text
from equipoise.protocol.model import Protocol
from equipoise.protocol.schema.inference import Estimand
from equipoise.report.promises import ROLE_NAMES, given_to
from equipoise.report.source import ReportSource

ADJUSTED = {"none": "no adjustment", "holm": "Holm", "fixed-sequence": "fixed sequence"}
NOT_WRITTEN = "not in the protocol file"


def synopsis_section(source: ReportSource) -> Section:
    """A table of facts, each from the protocol or from the results."""
    facts = (*_made(source), *_design(source.protocol), *_found(source))
    return Section("synopsis", "Synopsis", (KeyValues(facts),))


def _made(source: ReportSource) -> Iterator[tuple[Text, Text]]:
    """Of a simulated report, that it is one, before any fact of the trial that its protocol describes."""
    if source.simulated:
        name = "a scenario that is not stored here" if source.scenario is None else source.scenario.authored.title
        yield "Participants simulated", f"scenario: {name}; seed {source.results.seed}"
        yield "Title to publications", "of the trial that the protocol describes, whose results these are not"


def objectives(protocol: Protocol) -> str:
    """What the main analyses are to find out, by the parts of their estimands; it says nothing of what was found."""
    estimands = {item.id: item for item in protocol.estimands}
    found: list[str] = []
    for role in ("primary", "key-secondary"):
        mine = [item for item in protocol.analyses if item.role == role]
        wanted = [_estimated(protocol, estimands[item.estimand]) for item in mine if item.estimand is not None]
        wanted += [f"to describe {_lower(item.label)}" for item in mine if item.estimand is None]
        if wanted:
            found.append(f"{ROLE_NAMES[role]}: {'; '.join(dict.fromkeys(wanted))}.")
    return " ".join(found) or "see the estimands"


def _estimated(protocol: Protocol, estimand: Estimand) -> str:
    """An estimand as something to be estimated: its summary, its variable and its contrast."""
    arms = " against ".join(protocol.arm(arm).label for arm in (estimand.contrast.active, estimand.contrast.reference))
    variable = protocol.parameter(estimand.variable.parameter).label
    visit = protocol.visit(estimand.variable.visit).label
    return f"to estimate the {estimand.summary.replace('-', ' ')} of {variable} at {visit}, {arms}"


def _lower(label: str) -> str:
    """A label inside a sentence: the capital of a plain word becomes small, that of `HbA1c` or `C-peptide` stays."""
    first = label.split(maxsplit=1)[0]
    return label[0].lower() + label[1:] if first[1:].isalpha() and first[1:].islower() else label


def _design(protocol: Protocol) -> Iterator[tuple[Text, Text]]:
    study, plan = protocol.study, protocol.randomisation
    yield "Title", study.title
    yield "Phase", study.phase
    yield "Sponsor", study.sponsor or NOT_WRITTEN
    registered = "; ".join(f"{entry.registry} {entry.number}" for entry in study.registrations)
    yield "Registered", registered or NOT_WRITTEN
    yield "Publications", "; ".join(entry.citation for entry in study.publications) or NOT_WRITTEN
    yield "Objectives", objectives(protocol)
    if protocol.claims:
        told = " ".join(f"{claim.id.upper()}: {claim.text}" for claim in protocol.claims)
        yield "Claims to be examined", f"{told} Each is a sentence to be decided, not a finding."
    ratio = ":".join(str(arm.ratio) for arm in protocol.arms)
    masked = ", ".join(role.replace("-", " ") for role in protocol.blinding.masked)
    periods = f", {len(protocol.periods)} periods" if len(protocol.periods) > 1 else ""
    method = plan.method.replace("-", " ")
    yield "Design", f"Randomised {ratio} by {method}{periods}; masked: {masked or 'no one'}"
    yield "Planned", f"{plan.participants} participants"
    yield "Main criteria for inclusion", "; ".join(item.text for item in protocol.eligibility.inclusion)
    for arm in protocol.arms:
        yield f"Treatment of {arm.label}", given_to(protocol, arm)
    visits = protocol.visits
    first, last = (digits(visit.day, 0) for visit in (visits[0], visits[-1]))
    yield "Duration", f"{visits[0].label} to {visits[-1].label}, study days {first} to {last}"
    for role in ("primary", "key-secondary", "secondary"):
        labels = [item.label for item in protocol.analyses if item.role == role]
        if labels:
            yield f"{ROLE_NAMES[role]} analyses", "; ".join(labels)
    adjusted = {item.id: ADJUSTED[item.adjustment] for item in protocol.families}
    families = [f"{item.label} ({adjusted[item.id]}, level {item.level:g})" for item in protocol.families]
    yield "Multiplicity", "; ".join(families) or "no family: every result describes"


def _found(source: ReportSource) -> Iterator[tuple[Text, Text]]:
    steps = [step for step in source.results.flow if step.arm is None and step.period is None]
    if steps:
        yield "Participants", "; ".join(f"{step.label.lower()} {step.count}" for step in steps)
    for claim in source.results.claims:
        yield f"Claim {claim.id.upper()}: found", f"“{claim.text}” {printed(claim.verdict)}"
