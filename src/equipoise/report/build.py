"""The report of an analysis as one document, and as HTML."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

from equipoise.documents import html
from equipoise.documents.model import Block, Document, KeyValues, Paragraph, Section
from equipoise.documents.runs import Code, Run, Text
from equipoise.protocol.model import Protocol
from equipoise.report.amendments import amendments_section
from equipoise.report.claims import claims_section
from equipoise.report.consort import consort_section
from equipoise.report.courses import courses_block
from equipoise.report.deviations import deviations_section
from equipoise.report.estimates import estimates_section, headline
from equipoise.report.listings import listings_section
from equipoise.report.mechanism import mechanism_section
from equipoise.report.method_pages import method_pages_section
from equipoise.report.methods import methods_section
from equipoise.report.outcomes import outcomes_section
from equipoise.report.participants import participants_section
from equipoise.report.promises import assumed_section
from equipoise.report.recurrent import recurrent_section
from equipoise.report.safety import safety_section
from equipoise.report.scenario import scenario_section
from equipoise.report.source import ReportSource, read_source
from equipoise.report.synopsis import synopsis_section
from equipoise.report.withheld import withheld_blocks

Format = Literal["html", "pdf", "docx"]
FORMATS: tuple[Format, ...] = ("html", "pdf", "docx")
SIMULATED = "Simulated data — not the results of any real trial"
SCRAMBLED = "Scrambled allocation — a dry run whose arms mean nothing"


def report_bytes(folder: Path, kind: Format = "html", protocol: Protocol | None = None) -> bytes:
    """The report of the analysis in `folder` as one file; protocol: the folder's own, if at hand.

    Raises DataError where the folder holds no results, SurroundingsError where a format needs what is not installed.
    """
    return rendered(report_document(read_source(folder, protocol)), kind)


def rendered(document: Document, kind: Format) -> bytes:
    """A document in one of the formats; the same document gives the same bytes."""
    if kind == "pdf":
        from equipoise.documents import pdf

        return pdf.render(document)
    if kind == "docx":
        from equipoise.documents import docx

        return docx.render(document)
    return html.render(document).encode("utf-8")


def report_document(source: ReportSource) -> Document:
    """The report as a document."""
    study = source.protocol.study
    sections = [
        synopsis_section(source),
        methods_section(source.protocol, described=source.simulated),
        participants_section(source),
        with_courses(source, outcomes_section(source)),
        recurrent_section(source),
        estimates_section(source),
        safety_section(source),
        claims_section(source),
        scenario_section(source),
        mechanism_section(source),
        amendments_section(source),
        deviations_section(source),
        assumed_section(source.protocol),
        method_pages_section(source.protocol),
        listings_section(source),
        _provenance(source),
    ]
    there = tuple(section for section in sections if section is not None)
    return Document(
        title=study.title,
        subtitle=f"{study.short_title}: {_kind(source)}" + (", arms blinded" if source.blinded else ""),
        banner=_banner(source),
        meta=_meta(source),
        summary=(*withheld_blocks(source), *headline(source)),
        sections=(*there, consort_section(source, there)),
        footer=(f"equipoise {source.results.software['version']}",),
    )


def with_courses(source: ReportSource, outcomes: Section | None) -> Section | None:
    """The outcomes, and every participant's course to look through."""
    courses = None if outcomes is None else courses_block(source)
    return outcomes if outcomes is None or courses is None else replace(outcomes, blocks=(*outcomes.blocks, courses))


def _kind(source: ReportSource) -> str:
    """What the report is of: a simulated one names its scenario in the first line."""
    if not source.simulated:
        return "report of the analysis"
    scenario = f"scenario {source.scenario.id}, " if source.scenario is not None else ""
    return f"report of a simulated trial, {scenario}seed {source.results.seed}"


def _banner(source: ReportSource) -> str | None:
    """What no reader may overlook: invented people, or arms that mean nothing."""
    words = [SIMULATED] if source.results.seed is not None else []
    if source.scrambled:
        words.append(SCRAMBLED)
    return ". ".join(words) or None


def _meta(source: ReportSource) -> tuple[tuple[Text, Text], ...]:
    study = source.protocol.study
    rows: list[tuple[Text, Text]] = [("Protocol", f"{source.protocol.id}, version {study.version}")]
    if not source.simulated:  # no one registered, sponsored or ran a simulated trial
        rows.append(("Phase", study.phase))
        rows += [(entry.registry, entry.number) for entry in study.registrations]
        rows += [("Sponsor", study.sponsor)] if study.sponsor else []
    results = source.results
    rows.append(("Made from", (Code(_short(results.records["digest"])), " (records), ", *_allocation(source))))
    rows.append(("Made by", f"{results.software['name']} {results.software['version']}"))
    return tuple(rows)


def _short(digest: str) -> str:
    """The beginning of a digest, enough to tell folders apart; the whole stands under provenance."""
    return digest.removeprefix("sha256:")[:12]


def _allocation(source: ReportSource) -> tuple[Run, ...]:
    allocation = source.results.allocation
    if allocation is None:
        return ("without the allocation: a blinded run",)
    return (Code(_short(allocation["digest"])), " (scrambled allocation)" if source.scrambled else " (allocation)")


def _provenance(source: ReportSource) -> Section:
    """Digests by which anyone can tell that this report belongs to these records."""
    results = source.results
    digests = results.protocol["digests"]
    names = [f"Protocol, version {number} of {len(digests)}" for number in range(1, len(digests) + 1)]
    rows: list[tuple[Text, Text]] = [
        (name if len(digests) > 1 else "Protocol", Code(digest)) for name, digest in zip(names, digests, strict=True)
    ]
    rows.append(("Records", Code(results.records["digest"])))
    arms: Text = Code(results.allocation["digest"]) if results.allocation is not None else "left out: a blinded run"
    rows.append(("Allocation", arms))
    if results.allocation is not None and "dispensed" in results.allocation:
        rows.append(("Products dispensed", Code(results.allocation["dispensed"])))
    rows += [("Software", f"{results.software['name']} {results.software['version']}")]
    others = {name: version for name, version in results.packages.items() if name != results.software["name"]}
    rows += [(f"Methods of {name}", version) for name, version in others.items()]
    if results.seed is not None:
        rows.append(("Seed", str(results.seed)))
    publications = [(entry.id, entry.citation) for entry in source.protocol.study.publications]
    text: Text = (
        "Every number here comes from results.json and the analysis datasets beside this report; ",
        Code("equipoise verify"),
        " recomputes them from the records.",
    )
    blocks: list[Block] = [Paragraph(text), KeyValues(tuple(rows))]
    if publications:
        blocks.append(KeyValues(tuple((name, citation) for name, citation in publications)))
    return Section("provenance", "Provenance", tuple(blocks))
