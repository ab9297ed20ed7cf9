"""How often the claim on safety calls a signal: without harm, with harm as a positive control, and by late failures.

    python -m verification.trials.harm [trials]

The bands are those under `safety` in bands.yaml. A row without a band is only printed: a lot that truly failed after
its infusion is a signal whatever the product does. The exit status is 1 where a rate lies outside its band.
"""

from __future__ import annotations

import dataclasses
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ruamel.yaml import YAML

from equipoise.analysis.analyse import prepare
from equipoise.analysis.data import AnalysisData
from equipoise.analysis.plan import Plan, PlannedParameter, plan
from equipoise.analysis.safety_claim import safety_claim
from equipoise.analysis.safety_findings import safety_tables
from equipoise.protocol.load import load_protocol
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trials
from verification.trials.bands import BANDS, Band, Rate

PROTOCOL = "msc-t1d"
CHUNK = 250
SIGNAL = "signal"
ANY = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class HarmRow:
    """A row of bands.yaml; its band is None where the rate is only printed."""

    id: str
    scenario: str
    changes: tuple[str, ...]
    seed: int
    trials: int
    band: tuple[float, float] | None
    reason: str

    def rate(self, trials: int, signals: int) -> Rate:
        """The rate, with the rule by which a run fails; a row without a band cannot fail."""
        band = Band(
            self.id,
            self.scenario,
            self.seed,
            trials,
            self.band or ANY,
            self.reason,
            changes=self.changes,
            measure="says",
            claim="c1",
            words=(SIGNAL,),
        )
        return Rate(band, trials, signals, 0)


def harm_rows() -> tuple[HarmRow, ...]:
    """The rows under `safety`."""
    rows = YAML(typ="safe").load(BANDS.read_text("utf-8"))["safety"]
    return tuple(
        HarmRow(**{**row, "band": tuple(row["band"]) if row["band"] else None, "changes": tuple(row["changes"])})
        for row in rows
    )


def verdicts(row: HarmRow, trials: int) -> Counter[str]:
    """How often each word was the verdict on the claim of safety."""
    protocol, scenario = load_protocol(PROTOCOL), load_scenario(row.scenario, row.changes)
    planned = for_the_sets(plan(protocol))
    found: Counter[str] = Counter()
    for first in range(0, trials, CHUNK):
        for panel in simulate_trials(protocol, scenario, row.seed, min(CHUNK, trials - first), first):
            found.update(words(planned, prepare(planned, panel)))
    return found


def words(planned: Plan, data: AnalysisData) -> Iterator[str]:
    """The verdict of each trial of a Panel."""
    (claim,) = (item for item in planned.protocol.claims if item.rule == "safety")
    wanted = {part.analysis for part in claim.parts}
    rules = [item for item in planned.analyses if item.analysis.id in wanted]
    for trial in range(data.panel.trials):
        one = dataclasses.replace(data, trial=trial)
        tables = [table for item in rules for table in item.method.run(one, item.analysis, item.options).tables]
        yield safety_claim(claim, (*tables, *safety_tables(one))).verdict


def for_the_sets(planned: Plan) -> Plan:
    """The plan with the parameters alone by which analysis sets are decided."""
    wanted = {name for item in planned.protocol.conventions.analysis_sets for name in item.parameters}
    chosen: list[PlannedParameter] = []
    for item in reversed(planned.parameters):
        if item.parameter.id in wanted:
            wanted |= set(item.derivation.needs(item.options))
            chosen.append(item)
    return dataclasses.replace(planned, parameters=tuple(reversed(chosen)))


def main(trials: int | None = None) -> int:
    """Run and print; ``trials`` of each row, or as many as it says."""
    sys.stdout.write(f"{'C1 signal':28} {'trials':>7} {'% signal':>8} {'99.9 % interval':>16} {'band':>12}  ok\n")
    failed = False
    for row in harm_rows():
        count = trials or row.trials
        found = verdicts(row, count)
        rate = row.rate(count, sum(number for word, number in found.items() if word.startswith(SIGNAL)))
        low, high = rate.interval
        band = "printed" if row.band is None else f"{100 * row.band[0]:.1f} to {100 * row.band[1]:.1f}"
        word = "yes" if rate.ok else "NO"
        head = f"{row.id:28} {count:7} {100 * rate.rate:8.2f}"
        sys.stdout.write(f"{head} {f'{100 * low:.2f} to {100 * high:.2f}':>16} {band:>12}  {word}\n")
        sys.stdout.write("".join(f"    {name}: {number}\n" for name, number in sorted(found.items())))
        sys.stdout.flush()
        failed |= not rate.ok
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
