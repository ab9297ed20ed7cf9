"""What the results say of each claim: verdicts, exploratory intervals, and how often words come by chance."""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.analysis.chances import Chances
from equipoise.analysis.claims import intervals_looked_at
from equipoise.analysis.results import ClaimPartResult, ClaimResult
from equipoise.analysis.words import HARM, PHRASES, Word, printed
from equipoise.documents.model import Block, Cell, Column, Paragraph, Row, Section, Table, row
from equipoise.documents.numbers import percent
from equipoise.documents.runs import Missing, Text, plain, runs
from equipoise.report.influence import influence_table
from equipoise.report.own_year import own_year_tables
from equipoise.report.shown import shown, variant_words, why_missing
from equipoise.report.source import ReportSource

NOT_SIMULATED = "not simulated"
REAL_HARM = (
    "Signals of harm in simulated trials are counted with the harm that did happen in them, as lots that failed a test "
    "after they were infused: how often they are said is no rate of false alarms."
)
DECIDED = "Each claim is decided by the rule that the protocol fixed beforehand; exploratory results decide nothing."
UNADJUSTED = (
    "Beside these words every interval in this report is unadjusted: it may exclude no effect where the adjusted "
    "p-value of the family does not."
)
AS_CLAIMED = Word.AS_CLAIMED.text
WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Supported", (Word.SUPPORTED.text,)),
    ("Partly supported", (Word.PARTLY_SUPPORTED.text,)),
    ("Contradicted, wholly or in part", (Word.CONTRADICTED.text, Word.CONTRADICTED_IN_PART.text)),
    ("Not tested", (Word.NOT_TESTED.text,)),
    ("Inconclusive", (Word.INCONCLUSIVE.text,)),
    ("Not assessable", (Word.NOT_ASSESSABLE.text,)),
)
"""The columns of the table of chances."""


def claims_section(source: ReportSource) -> Section | None:
    """The tables of claims; None where the protocol makes no claims."""
    claims = source.results.claims
    if not claims:
        return None
    exploratory = tuple(item for item in claims if item.kind == "exploratory")
    decided = tuple(item for item in claims if item.kind != "exploratory")
    blocks: list[Block] = [Paragraph(DECIDED)]
    if decided:
        blocks.append(_verdicts(source, decided))
    if exploratory:
        blocks += [*_sentences(claims), _phrases(source, exploratory)]
    blocks += [*_chances(source), *filter(None, [influence_table(source)]), *own_year_tables(source)]
    return Section("claims", "Claims", tuple(blocks))


def _verdicts(source: ReportSource, claims: tuple[ClaimResult, ...]) -> Table:
    """A row a claim: the word, how often it would be said by chance, and why it is said."""
    columns = (Column("Claim"), Column("Verdict"), *_headings(source), Column("Why"))
    rows = tuple(
        row(
            f"{item.id.upper()}. {item.text}",
            Cell(printed(item.verdict), next(iter(item.results), None), strong=True),
            *_often(source, item),
            item.reason.removesuffix(f"; {item.given}") if item.given else item.reason,
        )
        for item in claims
    )
    harm = (REAL_HARM,) if source.chances and any(item.verdict in HARM for item in claims) else ()
    notes = (UNADJUSTED, *_given(claims), *_note_on_chances(source), *harm)
    return Table("table-claims", "Claims and verdicts", columns, rows, notes)


def _sentences(claims: tuple[ClaimResult, ...]) -> Iterator[Block]:
    """What a reader must know of intervals that are looked at without adjustment."""
    count = intervals_looked_at(claims)
    yield Paragraph(
        "Exploratory claims have no verdict. Each has its estimate with an unadjusted interval, and the words whether "
        "that interval excludes no effect; the side of an estimate alone says nothing."
    )
    if count:
        chance = plain(percent(1 - 0.95**count, 0))
        yield Paragraph(
            f"With {count} such intervals at least one excludes no effect in about {chance} of trials in which nothing "
            "works, in half of those as claimed."
        )


def _phrases(source: ReportSource, claims: tuple[ClaimResult, ...]) -> Table:
    """A row a part of an exploratory claim, with its estimate and interval."""
    headings = [
        Column(f"Not a verdict: how often as claimed, {table.label}", align="right") for table in source.chances
    ]
    columns = (Column("Claim"), Column("Estimate, unadjusted interval"), Column("In words"), *headings)
    rows: list[Row] = []
    for claim in claims:
        name = f"{claim.id.upper()}. {claim.text}"
        often = [table.shown(claim.id, AS_CLAIMED) or NOT_SIMULATED for table in source.chances]
        rows.append(row(Cell(name, strong=True), "", Cell(_phrase(claim.verdict), strong=True), *often))
        rows += [
            row(_name(source, part), _value(source, part), _phrase(part.verdict), *("" for _ in often), indent=1)
            for part in claim.parts
        ]
    notes = (*_given(claims), *_note_on_chances(source))
    return Table("table-exploratory", "Exploratory claims: no verdict", columns, tuple(rows), notes)


def _given(claims: tuple[ClaimResult, ...]) -> Iterator[str]:
    """How many people had the product, once for all claims of which it is the same."""
    for text in dict.fromkeys(claim.given for claim in claims if claim.given):
        names = ", ".join(claim.id.upper() for claim in claims if claim.given == text)
        yield f"{names}: {text}."


def _phrase(verdict: str) -> str:
    return verdict if verdict in PHRASES else printed(verdict)


def _name(source: ReportSource, part: ClaimPartResult) -> str:
    if part.result is None:
        return part.analysis
    result = source.results.result(part.result)
    return f"{result.label}{variant_words(result)}"


def _value(source: ReportSource, part: ClaimPartResult) -> Text | Cell:
    if part.result is None:
        return Missing(part.reason)
    result = source.results.result(part.result)
    number = shown(source, result)
    return Cell((*runs(number.text(why_missing(result))), number.number_unit), result.id)


def _headings(source: ReportSource) -> tuple[Column, ...]:
    """A column for each scenario; one that says that nothing was simulated; none without the real arms."""
    if source.blinded or source.scrambled:
        return ()
    if not source.chances:
        return (Column("How often", align="right"),)
    return tuple(Column(f"How often, {table.label}", align="right") for table in source.chances)


def _often(source: ReportSource, claim: ClaimResult) -> tuple[Text, ...]:
    if source.blinded or source.scrambled:
        return ()
    if not source.chances:
        return (NOT_SIMULATED,)
    return tuple(table.shown(claim.id, claim.verdict) or NOT_SIMULATED for table in source.chances)


def _note_on_chances(source: ReportSource) -> tuple[str, ...]:
    if not source.chances:
        return ()
    counted = "; ".join(f"{table.trials} {table.label}" for table in source.chances)
    return (f"How often a word is said was counted in simulated trials of this protocol: {counted}.",)


def _chances(source: ReportSource) -> Iterator[Block]:
    """How often each word is said of each claim, by scenario."""
    if not source.chances:
        return
    last = Column("Not a verdict: interval excludes no effect, as claimed", align="right")
    columns = (Column("Claim"), *(Column(label, align="right") for label, _ in WORDS), last)
    rows = tuple(
        row(claim.id.upper(), *_rates(table, claim), group=table.label.capitalize())
        for table in source.chances
        for claim in source.results.claims
        if claim.kind in ("confirmatory", "exploratory")
    )
    if rows:
        title = "How often each word is said"
        yield Table("table-chances", title, columns, rows, _note_on_chances(source))


def _rates(table: Chances, claim: ClaimResult) -> tuple[Text, ...]:
    """The rates of a claim: verdicts of a confirmatory one, the phrase of an exploratory one."""
    verdicts = tuple(table.shown(claim.id, *words) or NOT_SIMULATED for _, words in WORDS)
    if claim.kind == "exploratory":
        return (*("" for _ in verdicts), table.shown(claim.id, AS_CLAIMED) or NOT_SIMULATED)
    return (*verdicts, "")
