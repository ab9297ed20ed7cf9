"""Where this report tells what CONSORT 2025 asks of it, item by item, and what its authors must still write.

Items are named in our own words; the statement is Hopewell et al., CONSORT 2025 (PLoS Med 2025;22:e1004587).
"""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.documents.model import Column, Paragraph, Row, Section, Table, row, walk_sections
from equipoise.documents.runs import Link, Run, plain
from equipoise.report.source import ReportSource

AUTHORS = "for the authors to write"


@dataclass(frozen=True, slots=True)
class Item:
    """One item: its number, what it asks for, the ids of the sections that may tell it, and what they lack."""

    number: str
    topic: str
    places: tuple[str, ...] = ()
    lacking: str = ""


ITEMS = (
    Item("1a", "the title says that the trial is randomised", ("title",)),
    Item("1b", "a structured summary", ("synopsis",)),
    Item("2", "registration", ("synopsis",), "the date of registration"),
    Item("3", "where protocol and analysis plan are", ("provenance",), "an address, if they are public"),
    Item("4", "where data and code are", ("provenance",), "who may have the data, and how"),
    Item("5a", "funding and the funders' part"),
    Item("5b", "conflicts of interest"),
    Item("6", "background and rationale"),
    Item("7", "objectives, of benefit and of harm", ("synopsis", "estimands")),
    Item("8", "what patients and the public contributed"),
    Item("9", "type of trial, ratio, framework", ("plan",)),
    Item(
        "10",
        "changes after the start, unplanned outcomes and analyses",
        ("amendments", "deviations"),
        "changes of conduct",
    ),
    Item("11", "settings and places"),
    Item("12a", "criteria for participants", ("plan",)),
    Item("12b", "criteria for sites and those who treat", (), AUTHORS),
    Item("13", "treatments in enough detail to repeat them", ("plan",), "how cells are made"),
    Item("14", "outcomes: variable, measure, summary, time", ("estimands", "analyses")),
    Item("15", "how harms were defined and assessed", ("plan", "safety")),
    Item("16a", "how the number of participants was found", ("precision",), "the reasoning beforehand"),
    Item("16b", "interim analyses and stopping", ("analyses", "safety")),
    Item("17a", "how the random list was made", ("plan",), "who made it"),
    Item("17b", "kind of randomisation and its restrictions", ("plan",)),
    Item("18", "how the list was concealed"),
    Item("19", "who had access to it, who enrolled, who assigned"),
    Item("20a", "who was blinded", ("plan",)),
    Item("20b", "how blinding was done", (), AUTHORS),
    Item("21a", "methods for the main outcomes and for harms", ("estimands", "analyses")),
    Item("21b", "who is in which analysis", ("conventions",)),
    Item("21c", "how missing values were treated", ("analyses", "estimates")),
    Item("21d", "further analyses, planned or not", ("analyses", "deviations")),
    Item("22a", "numbers randomised, treated and analysed", ("participants",)),
    Item("22b", "losses and exclusions with reasons", ("participants",)),
    Item("23a", "dates of recruitment and follow-up"),
    Item("23b", "why the trial ended"),
    Item("24a", "treatments as they were given", ("safety",)),
    Item("24b", "other care received", (), AUTHORS),
    Item("25", "baseline characteristics", ("participants",)),
    Item("26", "for each outcome numbers, estimate, interval", ("estimates", "outcomes")),
    Item("27", "all harms", ("safety",)),
    Item("28", "further analyses, planned and unplanned apart", ("estimates", "deviations")),
    Item("29", "interpretation, of benefit and harm", ("claims",), "what it means beside other evidence"),
    Item("30", "limitations", ("assumed",), "what else limits the trial"),
)


def consort_section(source: ReportSource, sections: tuple[Section, ...]) -> Section:
    """The checklist with the place of each item in this report."""
    titles = {item.id: plain(item.title) for item in walk_sections(sections)}
    columns = (Column("Item"), Column("What it asks for"), Column("Where"), Column("Still to be written"))
    rows = tuple(_row(source, item, titles) for item in ITEMS)
    text = "Items of the CONSORT 2025 statement in our words. What neither protocol nor data hold is for the authors."
    table = Table("table-consort", "CONSORT 2025", columns, rows)
    return Section("consort", "CONSORT 2025 checklist", (Paragraph(text), table))


def _row(source: ReportSource, item: Item, titles: dict[str, str]) -> Row:
    places: list[Run] = []
    for name in item.places:
        found = _place(source, name, titles)
        if found is not None:
            places += [", ", found] if places else [found]
    lacking = item.lacking if places else AUTHORS
    return row(item.number, item.topic, tuple(places) or "nowhere", lacking)


def _place(source: ReportSource, name: str, titles: dict[str, str]) -> Run | None:
    if name == "title":
        return "the title" if "random" in source.protocol.study.title.lower() else None
    if name == "precision":
        return None if source.blinded else "the first page"
    return Link(titles[name], f"#{name}") if name in titles else None
