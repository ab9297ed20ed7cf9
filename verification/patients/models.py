"""The two models of people that are held against the targets: what each does of untreated people.

The mechanism is solved by the compiled engine here, which has the bits of the plain one (tests/patients/mechanistic).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from equipoise.patients.chance import Draw, Floats
from equipoise.patients.effects import Effects, no_exposure
from equipoise.patients.empirical import model as empirical
from equipoise.patients.empirical.hypoglycaemia import Episodes
from equipoise.patients.mechanistic import model as mechanistic
from equipoise.patients.mechanistic.links import Links
from equipoise.patients.mechanistic.people import mechanistic_parameters
from equipoise.patients.parameters import Parameters, default_parameters
from equipoise.patients.population import People


@dataclass(frozen=True, slots=True)
class Model:
    """A model without treatment.

    parameters: its shipped table. course: people, days (R, n, V) since screening -> what they are like on those days.
    episodes: people, first and last day (R, n) -> hypoglycaemia between them.
    cells_from_diagnosis: whether regulatory T cells rise from diagnosis on, and not from a person's entry into a trial.
    """

    name: str
    parameters: Callable[[], Parameters]
    course: Callable[[People, Floats, Draw, Parameters], empirical.Course]
    episodes: Callable[[People, Floats, Floats, Draw, Parameters], Episodes]
    cells_from_diagnosis: bool


def _empirical_course(people: People, days: Floats, draw: Draw, parameters: Parameters) -> empirical.Course:
    return empirical.simulate_course(people, days, no_exposure(*people.shape), Effects(), draw, parameters)


def _empirical_episodes(people: People, first: Floats, last: Floats, draw: Draw, parameters: Parameters) -> Episodes:
    nobody = no_exposure(*people.shape)
    return empirical.simulate_hypoglycaemia(people, first, last, nobody, Effects(), draw, parameters)


def _mechanistic_course(people: People, days: Floats, draw: Draw, parameters: Parameters) -> empirical.Course:
    nobody = no_exposure(*people.shape)
    return mechanistic.simulate_course(people, days, nobody, Links(), draw, parameters, "compiled")


def _mechanistic_episodes(people: People, first: Floats, last: Floats, draw: Draw, parameters: Parameters) -> Episodes:
    nobody = no_exposure(*people.shape)
    return mechanistic.simulate_hypoglycaemia(people, first, last, nobody, Links(), draw, parameters, "compiled")


EMPIRICAL = Model("empirical", default_parameters, _empirical_course, _empirical_episodes, cells_from_diagnosis=False)
MECHANISTIC = Model(
    "mechanistic", mechanistic_parameters, _mechanistic_course, _mechanistic_episodes, cells_from_diagnosis=True
)
MODELS = {model.name: model for model in (EMPIRICAL, MECHANISTIC)}
