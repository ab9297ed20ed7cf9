"""What is true of the estimands: `python -m verification.trials.truth` writes verification/truth.yaml.

Both potential outcomes of 200,000 people: the same people in the same trials, once all in the active arm and once all
in the reference, nobody leaving and nothing missing, with the effects at the centre of the scenario's ranges. The truth
is stored with its Monte-Carlo error, and with the digest of what it was made from.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

from equipoise.analysis.analyse import prepare
from equipoise.analysis.data import AnalysisData
from equipoise.analysis.plan import Plan, plan
from equipoise.protocol.load import load_protocol
from equipoise.protocol.schema.inference import Analysis
from equipoise.simulate.scenario import Scenario, load_scenario
from equipoise.simulate.trial import simulate_trials
from equipoise.source.digest import digest_of_data

TRUTH = Path(__file__).parents[1] / "truth.yaml"
PROTOCOL, SCENARIO = "msc-t1d", "published"
PEOPLE, SEED, CHUNK = 200_000, 20_260_901, 250
CENTRE = ("scenario.effects_vary=false",)
EVERYTHING = (
    *CENTRE,
    "scenario.dropout=0",
    "scenario.intercurrent_events={}",
    "scenario.missing={visits: 0, results: 0, points: 0, diary: 0, lost: 0}",
)
ANALYSES = ("hypoglycaemia-12", "cpeptide-12", "hba1c-12", "cpeptide-24", "hba1c-24")
"""The index of cytokines ranks the people of a trial among each other and has no truth outside of one."""


@dataclass(frozen=True, slots=True)
class Truth:
    """A contrast in the population, a difference or the logarithm of a ratio, with its Monte-Carlo standard error."""

    analysis: str
    value: float
    error: float
    people: int


def made_from(scenario: Scenario) -> str:
    """A digest of everything that a truth follows from but for the code: scenario and parameters."""
    return digest_of_data({"scenario": scenario.document.data, "parameters": dict(scenario.parameters)})


def truths(people: int = PEOPLE) -> list[Truth]:
    """The truth of each analysis."""
    protocol, nature = load_protocol(PROTOCOL), load_scenario(SCENARIO, EVERYTHING)
    planned = plan(protocol)
    trials = -(-people // protocol.randomisation.participants)
    pairs: dict[str, list[np.ndarray]] = {name: [] for name in ANALYSES}
    for first in range(0, trials, CHUNK):
        count = min(CHUNK, trials - first)
        both = []
        for arm in range(2):
            (panel,) = simulate_trials(protocol, nature, SEED, count, first, arm)
            both.append(prepare(planned, panel))
        for name, values in _values(planned, *both):
            pairs[name].append(values)
    return [_truth(planned, name, np.concatenate(parts)) for name, parts in pairs.items()]


def _values(planned: Plan, active: AnalysisData, reference: AnalysisData) -> Iterator[tuple[str, np.ndarray]]:
    """(people, 2) values with and without, or (people, 4) with the exposures behind them; complete people alone."""
    for item in planned.analyses:
        if item.analysis.id in ANALYSES:
            parameter, visit = _variable(planned, item.analysis)
            names = [parameter, *filter(None, [getattr(item.options, "exposure", None)])]
            columns = [data.at(name, visit).ravel() for name in names for data in (active, reference)]
            values = np.stack(columns, axis=1)
            yield item.analysis.id, values[~np.isnan(values).any(axis=1)]


def _variable(planned: Plan, analysis: Analysis) -> tuple[str, str]:
    estimand = planned.protocol.estimand(str(analysis.estimand))
    return str(estimand.variable.parameter), str(estimand.variable.visit)


def _truth(planned: Plan, name: str, values: np.ndarray) -> Truth:
    people = values.shape[0]
    if values.shape[1] == 2:
        difference = values[:, 0] - values[:, 1]
        return Truth(name, float(difference.mean()), float(difference.std() / people**0.5), people)
    events, time = values[:, :2].sum(axis=0), values[:, 2:].sum(axis=0)
    rates = events / time
    influence = (values[:, :2] - rates * values[:, 2:]) / (events / people)
    spread = influence[:, 0] - influence[:, 1]
    return Truth(name, float(np.log(rates[0] / rates[1])), float(spread.std() / people**0.5), people)


def read_truths() -> tuple[dict[str, Truth], str]:
    """The stored truths by analysis, and the digest of what they were made from."""
    stored = YAML(typ="safe").load(TRUTH.read_text("utf-8"))
    return {row["analysis"]: Truth(**row) for row in stored["truths"]}, stored["made_from"]


def main(people: int = PEOPLE) -> None:
    """Simulate and store."""
    rows = [{k: round(v, 6) if isinstance(v, float) else v for k, v in asdict(t).items()} for t in truths(people)]
    head = (
        f"# Written by `python -m verification.trials.truth`: {PROTOCOL} under {SCENARIO}, effects at their centres.\n"
    )
    with TRUTH.open("w", encoding="utf-8") as stream:
        stream.write(head)
        YAML().dump({"made_from": made_from(load_scenario(SCENARIO, CENTRE)), "truths": rows}, stream)
    for row in rows:
        sys.stdout.write(f"{row}\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
