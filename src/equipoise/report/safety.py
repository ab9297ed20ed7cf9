"""Adverse events: how many people had what, by arm and period; by term; and each serious one."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator

from equipoise.analysis.results import ResultTable
from equipoise.documents.model import Block, Cell, Column, Listing, Paragraph, Row, Section, Table, row
from equipoise.documents.numbers import count_percent, digits, percent
from equipoise.documents.runs import Missing, Reference, Text, plain
from equipoise.report.harm_tables import harm_tables
from equipoise.report.safety_claim import safety_listings
from equipoise.report.source import ReportSource
from equipoise.report.trail import origin

METHOD = "adverse-events"
NOT_RECORDED = "not recorded for these events"
NOBODY = "no one at risk"
LIMITS = "Upper limits"
"""How the note on limits begins, which a table without limits does without."""
WHOLE = "whole"
ANY = "any"
"""Any grade; and all terms of a category."""
SHOWN_AT_ONCE = 40
"""Rows of terms that stand open on a screen; a longer table is opened when wanted."""
SUMMARY_KEYS = 5
TERM_KEYS = 7
WORST = ("grade 3", "grade 4", "grade 5", "level 1", "level 2", "level 3")
"""Grades that a term shows under it; milder ones are in the line of any grade alone."""


def safety_section(source: ReportSource) -> Section | None:
    """The tables of every analysis of adverse events; None where the protocol plans none."""
    planned = [item for item in source.protocol.analyses if item.method == METHOD]
    parts = [tuple(_blocks(source, item.id)) for item in planned]
    if not planned:
        return None
    beside = tuple(harm_tables(source))
    verdict = tuple(safety_listings(source))
    if len(planned) == 1:
        return Section("safety", "Safety", (*parts[0], *beside), sections=verdict)
    inner = (Section(f"safety-{item.id}", item.label, part) for item, part in zip(planned, parts, strict=True))
    return Section("safety", "Safety", beside, sections=(*inner, *verdict))


def primary_sentences(source: ReportSource) -> tuple[Text, ...]:
    """What a trial whose primary outcome is safety found, in a sentence for each kind of events."""
    planned = [item.id for item in source.protocol.analyses if item.method == METHOD and item.role == "primary"]
    summaries = [Summary(source.results.table(analysis)) for analysis in planned]
    found = ((summary, name) for summary in summaries for name in summary.assessments)
    return tuple(
        (f"Primary. {_sentence(summary, name)} (", Reference(f"table-{summary.table.id}-{name}"), ")")
        for summary, name in found
    )


def _blocks(source: ReportSource, analysis: str) -> Iterator[Block]:
    tables = {table.id: table for table in source.results.tables}
    summary = Summary(tables[analysis])
    terms = tables.get(f"{analysis}/by-term")
    for name in summary.assessments:
        yield Paragraph(_sentence(summary, name))
        yield _summary_table(source, summary, analysis, name)
        if terms is not None and any(line[0] == name for line in terms.rows):
            yield _opened_when_long(_terms_table(source, terms, summary, name))
    yield from _serious(source, tables[f"{analysis}/serious"], analysis, summary)


class Summary:
    """The table of participants and events, asked by assessment, period, statistic and group."""

    def __init__(self, table: ResultTable) -> None:
        self.table = table
        self.groups = {column.id: column.label for column in table.columns[SUMMARY_KEYS:]}
        self.assessments = {str(line[0]): str(line[1]) for line in table.rows}
        self.periods = {str(line[2]): str(line[3]) for line in table.rows}
        self._cells = {
            (line[0], line[2], line[4]): dict(zip(self.groups, line[SUMMARY_KEYS:], strict=True)) for line in table.rows
        }

    @property
    def last(self) -> str:
        """The stretch that holds all others."""
        return list(self.periods)[-1]

    def kinds(self, assessment: str) -> list[str]:
        """What is counted of an assessment, in order."""
        words = [str(line[4]) for line in self.table.rows if line[0] == assessment]
        names = [word.removeprefix("participants: ") for word in words if word.startswith("participants: ")]
        return list(dict.fromkeys(names))

    def answered(self, assessment: str, kind: str) -> bool:
        """Whether any cell tells how many events were of a kind; nobody may have been asked."""
        cells = (self._cells[assessment, period, f"participants: {kind}"] for period in self.periods)
        return any(value is not None for cell in cells for value in cell.values())

    def recorded(self, assessment: str) -> bool:
        """Whether the events of an assessment were recorded at all."""
        return self.answered(assessment, ANY)

    def shown(self, assessment: str) -> list[str]:
        """The kinds that have a line: those with an answer; of events that were not recorded, any."""
        found = [kind for kind in self.kinds(assessment) if self.answered(assessment, kind)]
        return found if self.recorded(assessment) else [ANY]

    def get(self, assessment: str, period: str, statistic: str, group: str) -> float | None:
        """One number; None where there is none."""
        value = self._cells.get((assessment, period, statistic), {}).get(group)
        return value if isinstance(value, int | float) else None

    def count(self, assessment: str, period: str, statistic: str, group: str) -> int:
        """One count, 0 where there is none."""
        return int(self.get(assessment, period, statistic, group) or 0)


def _sentence(summary: Summary, name: str) -> str:
    """The whole trial in a sentence: who had any, and who a serious related one."""
    group = list(summary.groups)[-1]
    if not summary.recorded(name):
        return f"{summary.assessments[name]}: not recorded, which is not the same as none."
    at_risk = summary.count(name, summary.last, "at risk", group)
    people = summary.count(name, summary.last, "participants: any", group)
    events = summary.count(name, summary.last, "events: any", group)
    text = f"{summary.assessments[name]}: {people} of {at_risk} participants had {events} in all"
    related = summary.get(name, summary.last, "participants: serious and related", group)
    limit = summary.get(name, summary.last, "upper limit: serious and related", group)
    if related is None or limit is None:
        return f"{text}."
    bound = f"one-sided exact 95% limit of that share: below {_share(limit)}"
    return f"{text}; {int(related)} of {at_risk} had a serious related one ({bound})."


def _share(limit: float) -> str:
    """An upper limit in per cent, rounded up: what is below 13.3 % is not below 13 %."""
    decimals = 1 if limit < 0.1 else 0
    steps = 100 * 10**decimals
    return plain(percent(math.ceil(round(limit * steps, 9)) / steps, decimals))


def _summary_table(source: ReportSource, summary: Summary, analysis: str, name: str) -> Table:
    columns = (Column(""), *(Column(label, align="right") for label in summary.groups.values()))
    rows: list[Row] = []
    for period, label in summary.periods.items():
        rows += _period_rows(source, summary, name, period, label)
    limited = any("95% limit" in plain(line.cells[0].text) for line in rows)
    known = summary.recorded(name)
    blank = [kind for kind in summary.kinds(name) if known and not summary.answered(name, kind)]
    notes = (
        "Participants (% of those at risk); number of events. The treatment is that of the arm in the period.",
        *((f"Not recorded for these events: {', '.join(blank)}.",) if blank else ()),
        *(note for note in summary.table.notes if limited or not note.startswith(LIMITS)),
        origin(source, summary.table.id, events=(name,)),
    )
    title = f"{summary.assessments[name]} by arm and period"
    return Table(f"table-{analysis}-{name}", title, columns, tuple(rows), notes)


def _period_rows(source: ReportSource, summary: Summary, name: str, period: str, label: str) -> Iterator[Row]:
    if treatments := _treatments(source, summary, period):
        yield row("Treatment", *treatments, group=label)
    groups = list(summary.groups)
    yield row("Participants at risk", *(str(summary.count(name, period, "at risk", g)) for g in groups), group=label)
    years = (digits(summary.get(name, period, "person-years", g) or 0.0, 1) for g in groups)
    yield row("Person-years", *years, group=label)
    for kind in summary.shown(name):
        words = "Any" if kind == "any" else kind.capitalize()
        yield row(words, *(_people_and_events(summary, name, period, kind, g) for g in groups), group=label)
        statistic = f"upper limit: {kind}"
        limits = [summary.get(name, period, statistic, g) for g in groups]
        if any(limit is not None for limit in limits):
            cells = (
                Missing(NOBODY) if limit is None else f"{_of(summary, name, period, kind, g)}: below {_share(limit)}"
                for g, limit in zip(groups, limits, strict=True)
            )
            yield row("one-sided 95% limit", *cells, indent=1, group=label)


def _of(summary: Summary, name: str, period: str, kind: str, group: str) -> str:
    """The numerator and the denominator of a limit."""
    people = summary.count(name, period, f"participants: {kind}", group)
    return f"{people} of {summary.count(name, period, 'at risk', group)}"


def _treatments(source: ReportSource, summary: Summary, period: str) -> list[str]:
    """Active or placebo, for each arm, in a trial whose arms change treatment; empty elsewhere."""
    known = {item.id for item in source.protocol.periods}
    if source.blinded or period not in known or len(known) == 1:
        return []
    arms = {arm.id for arm in source.protocol.arms}
    return [source.protocol.role(group, period) if group in arms else "" for group in summary.groups]


def _people_and_events(summary: Summary, name: str, period: str, kind: str, group: str) -> Text:
    people = summary.get(name, period, f"participants: {kind}", group)
    events = summary.count(name, period, f"events: {kind}", group)
    if people is None:
        return Missing(NOT_RECORDED)
    at_risk = summary.count(name, period, "at risk", group)
    return "0" if people == 0 else f"{plain(count_percent(int(people), at_risk))}; {digits(events, 0)}"


def _terms_table(source: ReportSource, terms: ResultTable, summary: Summary, name: str) -> Table:
    """A row a term under its category, the most frequent first, with its worst grades; a column an arm and period."""
    arms = [group for group in summary.groups if group != "all"] or ["all"]
    periods = [period for period in summary.periods if period != WHOLE] or list(summary.periods)
    columns = [Column("Term")]
    for arm in arms:
        columns += [Column(summary.periods[period], align="right", group=summary.groups[arm]) for period in periods]
    at = {column.id: index for index, column in enumerate(terms.columns)}
    lines = [line for line in terms.rows if line[0] == name]
    cells = {(str(line[5] or ""), str(line[4]), str(line[6]), str(line[2])): line for line in lines}
    rows: list[Row] = []
    for category, term in dict.fromkeys((group, word) for group, word, _, _ in cells):
        whole = bool(category) and term == ANY
        depth = 1 if category and not whole else 0
        for grade in _grades(cells, category, term, whole=whole):
            numbers: list[str] = []
            for arm in arms:
                for period in periods:
                    line = cells.get((category, term, grade, period))
                    numbers.append(_pair(line, at[f"{arm}/participants"], at[f"{arm}/events"]) if line else "0")
            words = grade if grade != ANY else category if whole else term
            strong = (Cell(text, strong=whole) for text in (words, *numbers))
            rows.append(row(*strong, indent=depth + (grade != ANY)))
    kinds = "system organ class and term" if any(group for group, *_ in cells) else "term"
    title = f"{summary.assessments[name]} by {kinds}, the most frequent first"
    last = "Events without a day are in no period."
    notes = ("Participants; events.", *terms.notes, last, origin(source, terms.id, events=(name,)))
    return Table(f"table-{summary.table.id}-{name}-by-term", title, tuple(columns), tuple(rows), notes)


def _grades(cells: Collection[tuple[str, str, str, str]], category: str, term: str, *, whole: bool) -> Iterator[str]:
    """The lines of a term: of any grade, then the worst grades seen; a category has the first alone."""
    seen = {grade for group, word, grade, _ in cells if (group, word) == (category, term)}
    yield ANY
    if not whole:
        yield from (word for word in WORST[::-1] if word in seen)


def _pair(line: tuple[object, ...], people: int, events: int) -> str:
    return "0" if not line[people] and not line[events] else f"{line[people]}; {line[events]}"


def _opened_when_long(table: Table) -> Block:
    if len(table.rows) <= SHOWN_AT_ONCE:
        return table
    return Listing(f"{table.id}-listing", f"{plain(table.title)} ({len(table.rows)} rows)", (table,))


def _answered(summary: Summary, name: str) -> bool:
    """Whether it is known how many participants had a serious event of an assessment."""
    group = list(summary.groups)[-1]
    return summary.get(name, summary.last, "participants: serious", group) is not None


def _serious(source: ReportSource, table: ResultTable, analysis: str, summary: Summary) -> Iterator[Block]:
    """The listing of serious events; a sentence where there is none, unless of none of these events that is known."""
    if not table.rows:
        asked = any(_answered(summary, name) for name in summary.assessments)
        yield Paragraph(" ".join((*(("No serious event was recorded.",) if asked else ()), *table.notes)))
        return
    numbers = ("day", "since_dose")
    columns = tuple(
        Column(column.label, column.unit, align="right" if column.id in numbers else "left") for column in table.columns
    )
    rows = tuple(row(*(_cell(value) for value in line)) for line in table.rows)
    notes = (*table.notes, origin(source, table.id))
    yield Table(f"table-{analysis}-serious", "Every serious event", columns, rows, notes)


def _cell(value: object) -> Text:
    if value is None:
        return Missing("not recorded")
    return digits(value, 0) if isinstance(value, int | float) else str(value)
