"""How people fare between their visits: the model that the scenario names, behind one face."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from equipoise.patients.chance import Draw, Floats
from equipoise.patients.effects import Effects, Exposure, no_exposure
from equipoise.patients.empirical import model as empirical
from equipoise.patients.empirical.hypoglycaemia import Episodes
from equipoise.patients.empirical.model import Course
from equipoise.patients.interludes import Interlude, disturbed, log_rate_ratio
from equipoise.patients.mechanistic import model as mechanistic
from equipoise.patients.mechanistic.links import Links
from equipoise.patients.mechanistic.model import Mechanism
from equipoise.patients.population import People
from equipoise.simulate.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of the people of a trial.

    course: at their visits. episodes: of hypoglycaemia, while they were in the trial.
    reaction: log odds ratio of each reaction to an infusion of cells.
    mechanism: the states on any days since screening, (R, n, V); None in the empirical model.
    """

    course: Course
    episodes: Episodes
    reaction: float
    mechanism: Callable[[Floats], Mechanism] | None


def follow(
    scenario: Scenario,
    trial: tuple[int, int],
    people: People,
    days: Floats,
    stay: tuple[Floats, Floats],
    exposure: Exposure,
    draw: Draw,
    interludes: Sequence[Interlude] = (),
) -> Followed:
    """Treat people and look at them on `days`, (R, n, V) since screening.

    trial: seed and number of the trial whose effects hold. stay: first and last day in the trial, (R, n) each.
    interludes: the intercurrent events that act.
    """
    parameters, (seed, number), (first, last) = scenario.parameters, trial, stay
    besides = (lambda on: log_rate_ratio(interludes, on)) if interludes else None
    if scenario.authored.patients.model == "empirical":
        effects = scenario.effects(seed, number)
        course = empirical.simulate_course(people, days, exposure, effects, draw, parameters)
        episodes = empirical.simulate_hypoglycaemia(people, first, last, exposure, effects, draw, parameters, besides)
        course = disturbed(course, interludes, parameters)
        return Followed(course, episodes, effects.infusion_reaction_log_odds, None)
    links = scenario.links(seed, number)
    engine = mechanistic.engine_for(people.age.size)
    course, episodes = mechanistic.simulate_people(
        people, days, first, last, exposure, links, draw, parameters, engine, besides
    )
    course = disturbed(course, interludes, parameters)

    def states(on: Floats) -> Mechanism:
        return mechanistic.simulate_mechanism(people, on, exposure, links, parameters, engine)

    return Followed(course, episodes, links.infusion_reaction_log_odds, states)


def untreated(scenario: Scenario, people: People, days: Floats, draw: Draw) -> Course:
    """People without treatment on `days`, (R, n, V) since screening."""
    nobody = no_exposure(*people.shape)
    if scenario.authored.patients.model == "empirical":
        return empirical.simulate_course(people, days, nobody, Effects(), draw, scenario.parameters)
    engine = mechanistic.engine_for(people.age.size)
    return mechanistic.simulate_course(people, days, nobody, Links(), draw, scenario.parameters, engine)
