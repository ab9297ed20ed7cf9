"""What was estimated: the headline, a forest plot for each unit, and the table of every estimate."""

from __future__ import annotations

import math
from collections.abc import Iterator

from equipoise.analysis.registry import derivations
from equipoise.analysis.results import Result
from equipoise.documents.model import Block, Bullets, Callout, Column, Paragraph, Row, Section, Table, row
from equipoise.documents.numbers import degrees, digits, p_sentence, p_value
from equipoise.documents.runs import Missing, Number, Run, Text, plain, runs
from equipoise.report.forests import forests
from equipoise.report.intercurrent import intercurrent_blocks
from equipoise.report.precision import precision_blocks
from equipoise.report.promises import ROLE_NAMES
from equipoise.report.safety import primary_sentences
from equipoise.report.safety_claim import safety_callout
from equipoise.report.scenario import simulation_callout
from equipoise.report.shown import MID_P, Shown, p_text, shown, variant_words, why_missing, why_no_spread
from equipoise.report.source import Beside, ReportSource
from equipoise.report.trail import behind_result


def headline(source: ReportSource) -> tuple[Block, ...]:
    """The first thing that a reader sees: what the trial was, and its primary and key secondary results."""
    blocks: list[Block] = [simulation_callout(source) if source.simulated else Paragraph(source.protocol.study.summary)]
    main = [item for item in source.comparisons() if item.role in ("primary", "key-secondary")]
    if source.blinded:
        text = "The allocation was left out of this run. Nothing below tells or compares arms."
        blocks.append(Callout("info", "Blinded run", (Paragraph(text),)))
        return tuple(blocks)
    blocks += precision_blocks(source)
    verdict = safety_callout(source)
    blocks += [] if verdict is None else [verdict]
    harm = [Paragraph(sentence) for sentence in primary_sentences(source)]
    if main or harm:
        blocks.append(Callout("info", "Main results", (*harm, *_main_results(source, main), *_cautions(source, main))))
    return tuple(blocks)


def _main_results(source: ReportSource, main: list[Result]) -> Iterator[Block]:
    """Each main result, and beneath it what became of it under other assumptions."""
    varied = {analysis.id: analysis.of for analysis in source.protocol.analyses if analysis.role == "sensitivity"}
    for item in main:
        yield Paragraph(_sentence(source, item))
        variants = [other for other in source.comparisons() if varied.get(other.analysis) == item.analysis]
        if variants:
            yield Bullets(tuple((f"{other.label}: ", *_value_and_p(source, other), ".") for other in variants))


def _cautions(source: ReportSource, main: list[Result]) -> Iterator[Block]:
    """What a reader must know of the values behind the main results."""
    named = {parameter.id: parameter.derivation for parameter in source.protocol.parameters}
    used = dict.fromkeys(named[item.parameter] for item in main if item.parameter in named)
    for derivation in used:
        registered = derivations().usable(derivation)
        if registered is not None and registered.caution:
            yield Paragraph(registered.caution)


def _sentence(source: ReportSource, result: Result) -> Text:
    estimand = source.protocol.estimand(str(result.estimand))
    labels = {arm.id: arm.label for arm in source.protocol.arms}
    active, reference = labels[estimand.contrast.active], labels[estimand.contrast.reference]
    number = shown(source, result)
    who = f"{active} minus {reference}" if number.factor is not None else f"{active} to {reference}, {number.kind}"
    counts = [f"{count} on {labels.get(arm, arm)}" for arm, count in result.n.items()]
    people = " and ".join([", ".join(counts[:-1]), counts[-1]] if len(counts) > 1 else counts)
    text = (f"{ROLE_NAMES[result.role]}. {result.label}: {who} ", *_value_and_p(source, result), f" ({people}).")
    known = [other for other in source.beside if result.id in other.values]
    return (
        *text,
        *(part for other in known for part in (f" {other.header}: ", *runs(_beside(number, result, other)), ".")),
    )


def _value_and_p(source: ReportSource, result: Result) -> tuple[Run, ...]:
    number = shown(source, result)
    value = number.text(why_missing(result))
    runs_ = (Number(plain(value), result.id),) if result.estimate is not None else runs(value)
    adjusted: tuple[Run, ...] = ()
    if result.p_adjusted is not None and result.family is not None:
        adjusted = (", adjusted p ", *runs(p_value(result.p_adjusted, why_missing(result))))
    return (*runs_, f"{number.number_unit}, ", *_tested(result), *adjusted)


def _tested(result: Result) -> tuple[Run, ...]:
    """The p-value in a sentence, named where it is a mid-p."""
    words = runs(p_sentence(result.p_value, why_missing(result)))
    return ("mid-", *words) if result.p_kind == MID_P else words


def estimates_section(source: ReportSource) -> Section | None:
    """Forest plots of comparisons of one outcome, then every estimate."""
    if not source.results.results:
        return None
    blocks: list[Block] = list(forests(source))
    blocks += [_table(source), *_tipping(source)]
    blocks += intercurrent_blocks(source)
    return Section("estimates", "Estimates", tuple(blocks))


def _tipping(source: ReportSource) -> tuple[Block, ...]:
    """Where verdicts tip if imputed values were worse or better, and who carries it."""
    tables = [table for table in source.results.tables if table.id.endswith("/tipping")]
    if not tables:
        return ()
    lines = tuple(f"{table.title.removesuffix(': tipping grid')}: {table.notes[0]}" for table in tables)
    return (
        Paragraph("How wrong the assumption about missing values would have to be for the result to change:"),
        Bullets(lines),
    )


def _table(source: ReportSource) -> Table:
    """Every estimate; a column for adjusted p where any family adjusts, and one for each arm's numbers."""
    adjusts = any(item.p_adjusted is not None for item in source.results.results)
    arms = [arm.id for arm in source.protocol.arms] if not source.blinded else ["pooled"]
    labels = {arm.id: arm.label for arm in source.protocol.arms} | {"pooled": "All"}
    columns = [
        Column("Analysis"),
        Column("Estimate (interval)", align="right"),
        *(Column(other.header, align="right") for other in source.beside),
        Column("SE", align="right"),
        Column("df", align="right"),
        Column("p", align="right"),
        *([Column("adjusted p", align="right")] if adjusts else []),
        *(Column(labels[arm], align="right", group="n (missing)") for arm in arms),
    ]
    order = list(ROLE_NAMES)
    items = sorted(source.results.results, key=lambda item: order.index(item.role))
    rows = tuple(_rows(source, items, arms, labels, adjusts=adjusts))
    levels = "Intervals have the level of the analysis's family, else 95%."
    directions = "Comparisons are active minus reference; of rates active to reference, with the SE of the logarithm."
    notes = (f"{levels} {directions}", *(other.note for other in source.beside))
    return Table("table-estimates", "Every estimate", tuple(columns), rows, notes)


def _rows(
    source: ReportSource, items: list[Result], arms: list[str], labels: dict[str, str], *, adjusts: bool
) -> Iterator[Row]:
    """A row for each estimate; those of several parameters stand under their analysis, named by the parameter."""
    headed: set[str] = set()
    for item in items:
        panel = item.analysis in source.panels
        if panel and item.analysis not in headed:
            headed.add(item.analysis)
            yield row(item.label, group=ROLE_NAMES[item.role])
        yield _row(source, item, arms, labels, adjusts=adjusts, panel=panel)


def _row(
    source: ReportSource, item: Result, arms: list[str], labels: dict[str, str], *, adjusts: bool, panel: bool
) -> Row:
    number = shown(source, item)
    error = item.standard_error
    arm = f": {labels[item.contrast]}" if item.active is None and item.contrast in labels else ""
    spread = error * number.factor if error is not None and number.factor is not None else error
    own = source.protocol.parameter(item.parameter).label if panel else item.label
    cells: list[Text] = [
        (f"{own}{variant_words(item)}{arm}, {number.unit or number.kind}", *behind_result(source, item)),
        number.text(why_missing(item)),
        *(_beside(number, item, other) for other in source.beside),
        Missing(why_no_spread(item)) if spread is None else digits(spread, number.decimals + 1),
        degrees(item.df, why_no_spread(item)),
        p_text(item),
    ]
    if adjusts:
        cells.append(p_value(item.p_adjusted, "not in a family that adjusts for multiplicity"))
    cells += [f"{item.n[name]} ({item.n_missing.get(name, 0)})" if name in item.n else "" for name in arms]
    return row(*cells, indent=1 if panel else 0, group=ROLE_NAMES[item.role], result_id=item.id)


def _beside(number: Shown, item: Result, other: Beside) -> Text:
    """A number beside an estimate, shown as the estimate is."""
    value = other.values.get(item.id)
    if value is None:
        return Missing(other.lacking)
    return digits(math.exp(value) if number.factor is None else number.factor * value, number.decimals)
