"""What a simulated report says of its own making: the scenario by name, and what it assumes, in words and numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from equipoise.documents.model import Callout, Column, KeyValues, Paragraph, Row, Section, Table, row
from equipoise.documents.numbers import MINUS, percent
from equipoise.documents.runs import Code, Reference, Text, plain
from equipoise.report.shown import PURE
from equipoise.report.source import ReportSource

if TYPE_CHECKING:
    from equipoise.simulate.scenario import Scenario
    from equipoise.simulate.scenario_schema import EffectValue

TABLE = "table-scenario"
ASSUMED = "assumed"
NOT_STORED = "The scenario is not stored in this folder, so that nothing can be said here of what it assumes."
MODELS = {
    "mechanistic": ("links", "equations of a mechanism that ties C-peptide, HbA1c, insulin and episodes together"),
    "empirical": ("effects", "curves fitted to published courses of untreated people"),
}
"""Model of the simulated people -> the part of a scenario that moves them, and what they are."""


def simulation_callout(source: ReportSource) -> Callout:
    """The first thing in a simulated report: nobody in it exists, and what was assumed of them."""
    seed = f"seed {source.results.seed}"
    if source.scenario is None:
        return Callout("warning", f"Simulated participants, {seed}", (Paragraph(NOT_STORED),))
    authored = source.scenario.authored
    text: Text = (
        f"No participant of this report exists. All were simulated under the scenario “{authored.title}” (",
        Code(authored.id),
        f"), {seed}. {_changed(source.scenario)}{authored.summary}",
    )
    blocks = [Paragraph(text), Paragraph((f"{_sizes(source.scenario)} Every value: ", Reference(TABLE), "."))]
    blocks.append(
        Paragraph(
            "Protocol, arms and analyses are those of the trial that the protocol describes; the results are not."
        )
    )
    return Callout("warning", f"Simulated participants: scenario {authored.id}", tuple(blocks))


def _changed(scenario: Scenario) -> str:
    """A sentence where the scenario carries a shipped name and is not the shipped file."""
    from equipoise.simulate.scenario import load_scenario, shipped_scenarios

    if scenario.id not in shipped_scenarios() or load_scenario(scenario.id).digest == scenario.digest:
        return ""
    return "It is not the shipped file of this name: values were changed. As the file describes itself: "


def _sizes(scenario: Scenario) -> str:
    """How the people are moved, and how much of it is assumed."""
    authored = scenario.authored
    part, people = MODELS[authored.patients.model]
    sizes: Mapping[str, object] = getattr(authored, part)
    text = f"People follow the {authored.patients.model} model: {people}."
    if not sizes:
        return f"{text} The active treatment does nothing to them."
    assumed = sum(authored.sources.get(f"{part}.{name}", ASSUMED).startswith(ASSUMED) for name in sizes)
    drawn = ", drawn for this trial from their ranges" if authored.effects_vary else ""
    return f"{text} Treatment acts on them by {len(sizes)} {part}{drawn}; {assumed} of the {len(sizes)} are assumed."


def scenario_section(source: ReportSource) -> Section | None:
    """Every value of the scenario with its ground; None of real people."""
    if not source.simulated:
        return None
    title = "What the simulation assumed"
    if source.scenario is None:
        return Section("scenario", title, (Paragraph(NOT_STORED),))
    authored = source.scenario.authored
    facts = KeyValues(
        (
            ("Scenario", (f"{authored.title} (", Code(authored.id), ")")),
            ("Digest", Code(source.scenario.digest)),
            ("Seed", str(source.results.seed)),
            ("Model of the people", authored.patients.model),
        )
    )
    columns = (Column("What"), Column("Value"), Column("Where it comes from"))
    rows = (*_treatment(source.scenario, int(source.results.seed or 0)), *_conduct(source.scenario))
    table = Table(TABLE, "Everything that the scenario assumes", columns, rows)
    return Section("scenario", title, (facts, table))


def _treatment(scenario: Scenario, seed: int) -> Iterator[Row]:
    """What the active treatment does: the sizes that the chosen model uses, in their units, and those of this trial."""
    from equipoise.patients.effects import EFFECT_RANGES
    from equipoise.patients.mechanistic.links import LINK_RANGES

    authored = scenario.authored
    part = MODELS[authored.patients.model][0]
    known = LINK_RANGES if part == "links" else EFFECT_RANGES
    heading = "What the active treatment does"
    sizes: Mapping[str, EffectValue] = getattr(authored, part)
    if not sizes:
        yield row("every effect", "none", _source(scenario, part), group=heading)
    # A folder holds the first trial of its seed.
    own = scenario.links(seed, 0) if part == "links" else scenario.effects(seed, 0)
    for name, size in sizes.items():
        unit = "" if known[name].unit == PURE else f" {known[name].unit}"
        drawn = f"; drawn about {_number(size.value)}, {_number(size.range[0])} to {_number(size.range[1])}"
        value = f"{_number(getattr(own, name))}{unit}{drawn if authored.effects_vary else ''}"
        what = f"{name.replace('_', ' ')}: {known[name].meaning.removeprefix(f'{ASSUMED}: ')}"
        yield row(what, value, _source(scenario, f"{part}.{name}"), group=heading)


def _number(value: float) -> str:
    return f"{value:z.3g}".replace("-", MINUS)


def _conduct(scenario: Scenario) -> Iterator[Row]:
    """How the trial went: who stays, what is given, what is recorded."""
    authored = scenario.authored
    heading = "How the trial goes"
    rows: list[tuple[str, Text, str]] = [
        (
            "assessed people for each place",
            f"{authored.recruitment.assessed_per_place:g}",
            "recruitment.assessed_per_place",
        ),
        ("participants who leave within a year", percent(authored.dropout, 1), "dropout"),
        ("part of each visit window in which visits are held", percent(authored.punctual), "punctual"),
        ("later doses of a period that are refused", percent(authored.doses.refused, 1), "doses.refused"),
        (
            "participants who decline a later period",
            percent(authored.doses.later_period_declined, 1),
            "doses.later_period_declined",
        ),
        ("active doses below their range", percent(authored.doses.below_range, 1), "doses.below_range"),
        ("lots that fail before release", percent(authored.manufacturing.lot_failure, 1), "manufacturing.lot_failure"),
        (
            "lots that fail a test after the infusion",
            percent(authored.manufacturing.late_failure, 1),
            "manufacturing.late_failure",
        ),
        ("visits missed", percent(authored.missing.visits, 1), "missing.visits"),
        ("assessments without a result", percent(authored.missing.results, 1), "missing.results"),
        ("days without a diary entry", percent(authored.missing.diary, 1), "missing.diary"),
    ]
    for what, value, path in rows:
        yield row(what, value, _source(scenario, path), group=heading)
    for name, share in authored.intercurrent_events.items():
        source = _source(scenario, "intercurrent_events")
        yield row(f"{name.replace('-', ' ')}, a year", percent(share, 1), source, group=heading)
    for group, values in authored.parameters.items():
        for name, value in values.items():
            path = f"parameters.{group}.{name}"
            yield row(f"people: {group} {name}", f"{value:g}", _source(scenario, path), group=heading)


def _source(scenario: Scenario, path: str) -> str:
    """The ground of a value: its own entry, or the entry of the part that holds it."""
    sources, steps = scenario.authored.sources, path.split(".")
    found = (sources.get(".".join(steps[:size])) for size in range(len(steps), 0, -1))
    return plain(next((text for text in found if text), "not stated"))
