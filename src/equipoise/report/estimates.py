"""What was estimated: the headline, a forest plot for each unit, and the table of every estimate."""

from __future__ import annotations

import math
from collections.abc import Iterator

from equipoise.analysis.registry import derivations
from equipoise.analysis.results import Result
from equipoise.documents.drawings import Forest, ForestHeading, ForestRow
from equipoise.documents.model import Block, Bullets, Callout, Column, FigureBlock, Paragraph, Row, Section, Table, row
from equipoise.documents.numbers import digits, p_sentence, p_value
from equipoise.documents.runs import Missing, Number, Run, Text, plain, runs
from equipoise.report.precision import precision_blocks
from equipoise.report.promises import ROLE_NAMES
from equipoise.report.safety import primary_sentences
from equipoise.report.shown import shown, variant_words, why_missing
from equipoise.report.source import ReportSource
from equipoise.report.trail import behind_result


def headline(source: ReportSource) -> tuple[Block, ...]:
    """The first thing that a reader sees: what the trial was, and its primary and key secondary results."""
    blocks: list[Block] = [Paragraph(source.protocol.study.summary)]
    main = [item for item in source.comparisons() if item.role in ("primary", "key-secondary")]
    if source.blinded:
        text = "The allocation was left out of this run. Nothing below tells or compares arms."
        blocks.append(Callout("info", "Blinded run", (Paragraph(text),)))
        return tuple(blocks)
    blocks += precision_blocks(source)
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
        if caution := derivations()[derivation].caution:
            yield Paragraph(caution)


def _sentence(source: ReportSource, result: Result) -> Text:
    estimand = source.protocol.estimand(str(result.estimand))
    labels = {arm.id: arm.label for arm in source.protocol.arms}
    active, reference = labels[estimand.contrast.active], labels[estimand.contrast.reference]
    number = shown(source, result)
    who = f"{active} minus {reference}" if number.factor is not None else f"{active} to {reference}, {number.kind}"
    counts = [f"{count} on {labels.get(arm, arm)}" for arm, count in result.n.items()]
    people = " and ".join([", ".join(counts[:-1]), counts[-1]] if len(counts) > 1 else counts)
    return (f"{ROLE_NAMES[result.role]}. {result.label}: {who} ", *_value_and_p(source, result), f" ({people}).")


def _value_and_p(source: ReportSource, result: Result) -> tuple[Run, ...]:
    number = shown(source, result)
    value = number.text(why_missing(result))
    runs_ = (Number(plain(value), result.id),) if result.estimate is not None else runs(value)
    adjusted: tuple[Run, ...] = ()
    if result.p_adjusted is not None and result.family is not None:
        adjusted = (", adjusted ", *runs(p_value(result.p_adjusted, why_missing(result))))
    return (*runs_, f"{number.number_unit}, ", *runs(p_sentence(result.p_value, why_missing(result))), *adjusted)


def estimates_section(source: ReportSource) -> Section | None:
    """Forest plots of comparisons of one outcome, then every estimate."""
    if not source.results.results:
        return None
    blocks: list[Block] = []
    compared = [item for item in source.comparisons() if item.estimate is not None]
    several = len({_axis(source, item)[2:] for item in compared}) > 1
    for key in dict.fromkeys(_axis(source, item) for item in compared):
        items = [item for item in compared if _axis(source, item) == key]
        if len(items) > 1:
            blocks.append(_forest(source, items, several=several))
    blocks += [_table(source), *_tipping(source)]
    return Section("estimates", "Estimates", tuple(blocks))


def _tipping(source: ReportSource) -> tuple[Block, ...]:
    """Where verdicts tip if imputed values were worse or better, and who carries it."""
    tables = [table for table in source.results.tables if table.id.endswith("/tipping")]
    if not tables:
        return ()
    lines = tuple(f"{table.title.removesuffix(': tipping grid')}. {table.notes[0]}" for table in tables)
    return (Paragraph("How far imputed values would have to lie from what was assumed:"), Bullets(lines))


def _axis(source: ReportSource, item: Result) -> tuple[str, str, str, str]:
    """What can stand on one axis, where one side is better: the unit, the estimand's parameter, and its two arms."""
    estimand = source.protocol.estimand(str(item.estimand))
    return item.unit, estimand.variable.parameter, estimand.contrast.active, estimand.contrast.reference


def _forest(source: ReportSource, items: list[Result], *, several: bool) -> FigureBlock:
    """A forest plot of one outcome and two arms; several: whether the report compares other arms too."""
    unit, parameter, active, reference = _axis(source, items[0])
    first = shown(source, items[0])
    rows: list[ForestRow | ForestHeading] = []
    for estimand in dict.fromkeys(str(item.estimand) for item in items):
        rows.append(ForestHeading(source.protocol.estimand(estimand).label))
        rows += [_forest_row(source, item) for item in items if item.estimand == estimand]
    labels = {arm.id: arm.label for arm in source.protocol.arms}
    outcome = source.protocol.parameter(parameter)
    better = outcome.better
    favoured = (labels[reference], labels[active])
    below, above = favoured if better == "higher" else favoured[::-1]
    numbers = [shown(source, item) for item in items]
    excluded = [n for n in numbers if n.lower is not None and n.upper is not None and not n.lower <= n.null <= n.upper]
    words = first.unit or first.kind
    to = "minus" if first.factor is not None else "to"
    arms = f"{labels[active]} {to} {labels[reference]}"
    what = f"{outcome.label}, {arms}" if several else outcome.label
    return FigureBlock(
        id=f"forest-{_slug(f'{parameter} {unit} {active} {reference}' if several else f'{parameter} {unit}')}",
        title=f"{what}: {len(excluded)} of {len(items)} intervals leave out no effect",
        drawing=Forest(
            rows=tuple(rows),
            columns=(f"{first.kind.capitalize()} ({_level(items[0])})", "p"),
            axis_label=f"{arms}, {words}",
            reference=first.null,
            scale="linear" if first.factor is not None else "log",
            below=f"favours {below}" if better else "",
            above=f"favours {above}" if better else "",
        ),
        alt=f"Forest plot of {len(items)} estimates with intervals, in {words}.",
    )


def _forest_row(source: ReportSource, item: Result) -> ForestRow:
    number = shown(source, item)
    texts = (plain(number.text(why_missing(item))), plain(p_value(item.p_value, why_missing(item))))
    strong = item.role in ("primary", "key-secondary")
    ends = (_or_nan(number.estimate), _or_nan(number.lower), _or_nan(number.upper))
    return ForestRow(f"{item.label}{variant_words(item)}", *ends, texts, strong, 1)


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _level(result: Result) -> str:
    return f"{digits(100 * result.level, 0)}% CI"


def _slug(unit: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in unit.lower()).strip("-")


def _table(source: ReportSource) -> Table:
    """Every estimate; a column for adjusted p where any family adjusts, and one for each arm's numbers."""
    adjusts = any(item.p_adjusted is not None for item in source.results.results)
    arms = [arm.id for arm in source.protocol.arms] if not source.blinded else ["pooled"]
    labels = {arm.id: arm.label for arm in source.protocol.arms} | {"pooled": "All"}
    columns = [
        Column("Analysis"),
        Column("Estimate (interval)", align="right"),
        Column("SE", align="right"),
        Column("df", align="right"),
        Column("p", align="right"),
        *([Column("adjusted p", align="right")] if adjusts else []),
        *(Column(labels[arm], align="right", group="n (missing)") for arm in arms),
    ]
    order = list(ROLE_NAMES)
    items = sorted(source.results.results, key=lambda item: order.index(item.role))
    rows = tuple(_row(source, item, arms, labels, adjusts=adjusts) for item in items)
    levels = "Intervals have the level of the analysis's family, else 95%."
    directions = "Comparisons are active minus reference; of rates active to reference, with the SE of the logarithm."
    notes = (f"{levels} {directions}",)
    return Table("table-estimates", "Every estimate", tuple(columns), rows, notes)


def _row(source: ReportSource, item: Result, arms: list[str], labels: dict[str, str], *, adjusts: bool) -> Row:
    number = shown(source, item)
    error, freedom = item.standard_error, item.df
    arm = f": {labels[item.contrast]}" if item.contrast in labels else ""
    spread = error * number.factor if error is not None and number.factor is not None else error
    cells: list[Text] = [
        (f"{item.label}{variant_words(item)}{arm}, {number.unit or number.kind}", *behind_result(source, item)),
        number.text(why_missing(item)),
        Missing(why_missing(item)) if spread is None else digits(spread, number.decimals + 1),
        Missing(why_missing(item)) if freedom is None else digits(freedom, 1 if freedom % 1 else 0),
        p_value(item.p_value, why_missing(item)),
    ]
    if adjusts:
        cells.append(p_value(item.p_adjusted, "not in a family that adjusts for multiplicity"))
    cells += [f"{item.n[name]} ({item.n_missing.get(name, 0)})" if name in item.n else "" for name in arms]
    return row(*cells, group=ROLE_NAMES[item.role], result_id=item.id)
