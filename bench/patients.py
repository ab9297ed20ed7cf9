"""The mechanistic patient: its solvers beside SciPy's LSODA on the same equations, and beside simglucose."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from bench.clock import Row, warm
from equipoise.patients.mechanistic import kernel, solve
from equipoise.patients.mechanistic.cells import course_of_cells
from equipoise.patients.mechanistic.equations import derivatives, settled
from equipoise.patients.mechanistic.links import Links
from equipoise.patients.mechanistic.people import Start, make_start, mechanistic_parameters
from equipoise.patients.population import draw_people
from equipoise.simulate.streams import Streams

SEED, PEOPLE, YEARS, VISITS = 20_261_003, 20_000, 2.0, 25
DOSES = (100.0, 128.0)
LINKS = Links(immunomodulation=1.0, regulatory_expansion=0.004, cytokine_shift=0.06, regeneration=0.0004)
THOUSAND = 1000.0
PEER_PEOPLE = 5
SCRIPT = Path(__file__).with_name("simglucose_peer.py")


def rows() -> Iterator[Row]:
    """Every row of this subject."""
    few, many = _cohort(21), _cohort(PEOPLE)
    ours, repeats = warm(lambda: solve.solve(*few))
    what = "mechanistic patients: one trial of 21 for two years, plain solver"
    yield Row("patients-trial", what, ours, repeats, 0.02)
    share = THOUSAND / (PEOPLE * YEARS)
    one, repeats = warm(lambda: kernel.solve(*many))
    what = f"1,000 patient-years of {PEOPLE:,} people, compiled solver, one core"
    lsoda = _lsoda(_cohort(PEER_PEOPLE)) / (PEER_PEOPLE * YEARS) * THOUSAND
    yield Row("patients", what, one * share, repeats, THOUSAND / 50_000, "scipy solve_ivp LSODA, rtol 1e-4", lsoda)
    two, repeats = warm(lambda: kernel.solve(*many, threads=2))
    what = "the same on two cores"
    days, word = _simglucose()
    peer = None if days is None else days * 365.25 * THOUSAND
    yield Row("patients-two", what, two * share, repeats, None, "simglucose (minutes, not months)", peer, word)


def _cohort(people: int) -> tuple[Start, Any, Any, Any]:
    drawn = draw_people(Streams(SEED, 1, people), mechanistic_parameters())
    start = make_start(drawn, LINKS, mechanistic_parameters())
    days = np.broadcast_to(np.linspace(0.0, YEARS * 365.25, VISITS), (people, VISITS)).copy()
    return start, np.tile(DOSES, (people, 1)), np.full((people, len(DOSES)), 0.5), days


def _lsoda(cohort: tuple[Start, Any, Any, Any]) -> float:
    """Seconds for these people one after another, with a restart at each infusion."""
    start, doses, weights, days = cohort

    def run() -> None:
        for i in range(days.shape[0]):
            person = type(start.person)(*(float(values[i]) for values in start.person))

            near = [float(start.inverse_at(start.initial, 0.0)[i])]

            def slope(t: float, x: Any, i: int = i, person: Any = person, near: list[float] = near) -> list[float]:
                at = np.array([[t]])
                blood, lung, local = course_of_cells(at, doses[[i]], weights[[i]], start.homing[[i]], start.kinetics)
                cells = float(blood[0, 0] + lung[0, 0]), float(local[0, 0])
                later = settled(t, start.constants.habit_square)
                *made, near[0] = derivatives(later, near[0], *map(float, x), *cells, person, start.constants)
                return made

            x, edges = start.initial[:, i], [0.0, *doses[i], days[i, -1]]
            for begin, end in pairwise(edges):
                x = solve_ivp(slope, (begin, end), x, "LSODA", rtol=1e-4, atol=1e-6).y[:, -1]

    return warm(run)[0]


def _simglucose() -> tuple[float | None, str]:
    """Seconds a patient-day, in an environment of its own; or why there are none."""
    with tempfile.TemporaryDirectory() as folder:
        python = str(Path(folder) / "bin" / "python")
        steps = ([sys.executable, "-m", "venv", folder], [python, "-m", "pip", "install", "--quiet", "simglucose"])
        try:
            for step in steps:
                subprocess.run(step, check=True, capture_output=True, timeout=300)  # noqa: S603 - our own words
            command = [python, str(SCRIPT), "1"]
            done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=150)  # noqa: S603 - ours
        except (subprocess.SubprocessError, OSError):
            return None, "simglucose could not be installed or run here"
    return float(done.stdout.split()[-1]), ""
