"""From a file to a valid scenario: effects inside their ranges, every number with its source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path

from equipoise.errors import InputError, Problem
from equipoise.patients.chance import normal, normal_share
from equipoise.patients.effects import EFFECT_RANGES, EffectRange, Effects
from equipoise.patients.interludes import INTERLUDE_RANGES, InterludeSizes
from equipoise.patients.mechanistic.links import LINK_RANGES, Links
from equipoise.patients.mechanistic.people import mechanistic_parameters
from equipoise.patients.parameters import Parameters, default_parameters
from equipoise.protocol.load import known_schema
from equipoise.protocol.schema_errors import validated
from equipoise.simulate.intercurrent import HAPPENINGS
from equipoise.simulate.scenario_schema import EffectValue, ScenarioDocument
from equipoise.simulate.streams import Streams
from equipoise.source.changes import with_changes
from equipoise.source.digest import digest_of_data
from equipoise.source.document import Document, read_document
from equipoise.source.paths import Step, find_steps

SCHEMAS = ("equipoise/scenario/1",)
DEFAULT = "no-effect"
CENTRAL = 3.919928
"""Width of the central 95 % of a normal distribution in standard deviations."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A valid scenario.

    authored:   the document's content.
    parameters: those of the simulated people, with the scenario's changes.
    whole:      whether those who leave or miss a visit are seen all the same, without the doses that they miss.
    """

    document: Document = field(repr=False)
    authored: ScenarioDocument = field(repr=False)
    parameters: Parameters = field(repr=False)
    path: Path
    digest: str
    whole: bool = False

    @property
    def id(self) -> str:
        return self.authored.id

    def effects(self, seed: int, trial: int) -> Effects:
        """The effects of one trial: the values, or where they vary, this trial's draw from their ranges."""
        values = {n: self._drawn(f"effect-{n}", effect, seed, trial) for n, effect in self.authored.effects.items()}
        return replace(Effects(), **values)

    def links(self, seed: int, trial: int) -> Links:
        """The links of one trial, in the same way."""
        values = {n: self._drawn(f"link-{n}", link, seed, trial) for n, link in self.authored.links.items()}
        return replace(Links(), **values)

    def interlude(self, event: str) -> InterludeSizes:
        """What an intercurrent event does; nothing where the scenario does not say."""
        sizes = self.authored.intercurrent_effects.get(event)
        given = {} if sizes is None else sizes.model_dump(exclude_none=True)
        return InterludeSizes(**given)

    def _drawn(self, purpose: str, effect: EffectValue, seed: int, trial: int) -> float:
        low, high = effect.range
        if not self.authored.effects_vary or low == high:
            return effect.value
        sd = (high - low) / CENTRAL
        uniform = Streams(seed, 1, 1, first=trial)(purpose, 1)[0, 0, 0]
        below, above = normal_share((low - effect.value) / sd), normal_share((high - effect.value) / sd)
        return float(min(max(effect.value + sd * float(normal(below + uniform * (above - below))), low), high))


def shipped_scenarios() -> tuple[str, ...]:
    """The names of the scenarios that come with equipoise."""
    return tuple(sorted(path.stem for path in _shipped_folder().glob("*.yaml")))


def load_scenario(name: str | Path, changes: Sequence[str] = ()) -> Scenario:
    """Load and check a scenario given by path or shipped name.

    changes: ``scenario.path=value``, made before anything is checked.

    Raises InputError with every problem of the file.
    """
    path = _find(name)
    document = with_changes(read_document(path), changes, "scenario")
    known_schema(document, SCHEMAS, "scenario")
    authored = validated(ScenarioDocument, document, what="scenario")
    rules = (_effects, _links, _moved, _parameters, _intercurrent, _interludes, _sources)
    problems = [problem for rule in rules for problem in rule(document, authored)]
    if problems:
        raise InputError(f"{path} is not a meaningful scenario", problems)
    chosen = {f"{group}.{key}": v for group, values in authored.parameters.items() for key, v in values.items()}
    parameters = model_parameters(authored.patients.model).changed(chosen)
    return Scenario(document, authored, parameters, path, digest_of_data(document.data))


def _shipped_folder() -> Path:
    return Path(str(files("equipoise.simulate") / "shipped"))


def _find(name: str | Path) -> Path:
    try:
        if Path(name).is_file():
            return Path(name)
    except (OSError, ValueError):
        pass
    if str(name) in shipped_scenarios():
        return _shipped_folder() / f"{name}.yaml"
    remedy = f"Give the path of a scenario file, or one of the shipped names: {', '.join(shipped_scenarios())}."
    problem = Problem(str(name), None, "", "scenario-exists", "there is no such scenario", remedy)
    raise InputError(f"cannot find the scenario {str(name)!r}", [problem])


def model_parameters(model: str) -> Parameters:
    """The shipped parameters of a model's people."""
    return mechanistic_parameters() if model == "mechanistic" else default_parameters()


def _effects(document: Document, authored: ScenarioDocument) -> Iterator[Problem]:
    return _sizes(document, "effects", authored.effects, EFFECT_RANGES)


def _links(document: Document, authored: ScenarioDocument) -> Iterator[Problem]:
    return _sizes(document, "links", authored.links, LINK_RANGES)


def _moved(document: Document, authored: ScenarioDocument) -> Iterator[Problem]:
    """Effects of the model that is not chosen, and none of the chosen one's, would be lost without a word."""
    model = authored.patients.model
    mine, other = ("links", "effects") if model == "mechanistic" else ("effects", "links")
    if getattr(authored, other) and not getattr(authored, mine):
        message = f"people of the {model} model are moved by {mine}, and this scenario has only {other}"
        remedy = f"Name {mine}, or choose the other model (patients.model)."
        yield document.problem((mine,), "effects-of-model", message, remedy)


def _sizes(
    document: Document, part: str, sizes: Mapping[str, EffectValue], limits: Mapping[str, EffectRange]
) -> Iterator[Problem]:
    """Every effect or link is known and inside its ranges."""
    for name, effect in sizes.items():
        steps: tuple[Step, ...] = (part, name)
        known = limits.get(name)
        if known is None:
            remedy = f"Name one of: {', '.join(limits)}."
            yield document.problem(steps, "known-effect", "the simulated people have no such effect", remedy)
            continue
        low, high = effect.range
        if low > high:
            message = f"the range ends at {high:g}, below its beginning, {low:g}"
            yield document.problem((*steps, "range"), "effect-range", message, "Write the smaller number first.")
        elif not low <= effect.value <= high:
            message = f"the value {effect.value:g} lies outside its own range, {low:g} to {high:g}"
            yield document.problem(
                (*steps, "value"), "effect-range", message, "Change the value, or the range with it."
            )
        for end in effect.range:
            if not known.low <= end <= known.high:
                message = f"{end:g} lies outside what the model allows, {known.low:g} to {known.high:g} {known.unit}"
                yield document.problem((*steps, "range"), "effect-possible", message, "Stay inside those limits.")


def _parameters(document: Document, authored: ScenarioDocument) -> Iterator[Problem]:
    rows = model_parameters(authored.patients.model).rows
    for group, values in authored.parameters.items():
        for key, value in values.items():
            steps: tuple[Step, ...] = ("parameters", group, key)
            row = rows.get(f"{group}.{key}")
            if row is None:
                among = [name.split(".", 1)[1] for name in rows if name.startswith(f"{group}.")]
                remedy = f"Name one of: {', '.join(among or sorted({name.split('.')[0] for name in rows}))}."
                yield document.problem(steps, "known-people-parameter", "there is no such parameter", remedy)
            elif not row.low <= value <= row.high:
                message = f"{value:g} lies outside the parameter's range, {row.low:g} to {row.high:g} {row.unit}"
                yield document.problem(steps, "people-parameter-range", message, "Stay inside that range.")


def _intercurrent(document: Document, authored: ScenarioDocument) -> Iterator[Problem]:
    for name in authored.intercurrent_events:
        if name not in HAPPENINGS:
            remedy = f"Name one of: {', '.join(HAPPENINGS)}."
            steps: tuple[Step, ...] = ("intercurrent_events", name)
            yield document.problem(
                steps, "known-simulated-event", "this event does not happen to simulated people", remedy
            )


def _interludes(document: Document, authored: ScenarioDocument) -> Iterator[Problem]:
    """Sizes are those of an event that can happen, inside the limits."""
    for name, sizes in authored.intercurrent_effects.items():
        steps: tuple[Step, ...] = ("intercurrent_effects", name)
        if name not in HAPPENINGS:
            message, remedy = "this event does not happen to simulated people", f"Name one of: {', '.join(HAPPENINGS)}."
            yield document.problem(steps, "known-simulated-event", message, remedy)
        for key, limits in INTERLUDE_RANGES.items():
            value = getattr(sizes, key)
            if value is not None and not limits.low <= value <= limits.high:
                allowed = f"{limits.low:g} to {limits.high:g} {limits.unit}"
                message = f"{value:g} lies outside what the model allows, {allowed}"
                yield document.problem((*steps, key), "effect-possible", message, "Stay inside those limits.")


def _sources(document: Document, authored: ScenarioDocument) -> Iterator[Problem]:
    for path in authored.sources:
        if find_steps(document.data, path) is None:
            message = "the path leads to nothing in this scenario"
            yield document.problem(("sources", path), "source-path", message, "Correct the path, or remove the entry.")
