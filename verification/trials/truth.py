"""What is true of the confirmatory estimands: `python -m verification.trials.truth` writes verification/truth.yaml.

Both potential outcomes of 200,000 people (`equipoise.truth`): the same people in the same trials, once all in the
active arm and once all in the reference, everything seen, with the effects at the centre of the
scenario's ranges. The truth is stored with its Monte-Carlo error, and with the digest of what it was made from.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from ruamel.yaml import YAML

from equipoise.analysis.plan import plan
from equipoise.protocol.load import load_protocol
from equipoise.simulate.scenario import Scenario, load_scenario
from equipoise.source.digest import digest_of_data
from equipoise.truth.population import PEOPLE, truth_of_population

TRUTH = Path(__file__).parents[1] / "truth.yaml"
PROTOCOL, SCENARIO = "msc-t1d", "published"
CENTRE = ("scenario.effects_vary=false",)
ANALYSES = ("hypoglycaemia-12", "cpeptide-12", "hba1c-12", "cpeptide-24", "hba1c-24")
"""Each has the name of its estimand. The index of cytokines ranks the people of a trial among each other, and has no
truth outside of one."""


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
    table = truth_of_population(plan(load_protocol(PROTOCOL)), load_scenario(SCENARIO), people, estimands=ANALYSES)
    found: list[Truth] = []
    for name in ANALYSES:
        item = table.estimand(name)
        assert item.value is not None, item.reason
        assert item.error is not None, "a population's values have their errors"
        found.append(Truth(name, item.value, item.error, item.people))
    return found


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
