"""The chances that come with the package: `python -m verification.trials.chances [trials]` counts and stores them.

How often each word is said of each claim of the shipped protocol, under each shipped scenario. `make verify` counts
them anew and fails where a stored rate lies outside the new 99.9 % interval.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from equipoise.analysis.chances import SHIPPED, Chances, counted, made_from, shipped, to_text
from equipoise.analysis.plan import plan
from equipoise.protocol.load import load_protocol
from equipoise.simulate.scenario import load_scenario
from equipoise.verbs.provenance import software
from verification.limits import limits
from verification.trials.campaign import PROTOCOL, Campaign, Found, simulated

CAMPAIGNS = (
    Campaign("no-effect", (), 20_260_101, 4000),  # the one of the bands
    Campaign("published", (), 20_260_101, 1000),
    Campaign("strong", (), 20_260_101, 1000),
)


@dataclass(frozen=True)
class Compared:
    """A stored rate, and the interval of the same counted anew."""

    scenario: str
    claim: str
    word: str
    stored: float
    interval: tuple[float, float]

    @property
    def ok(self) -> bool:
        low, high = self.interval
        return low <= self.stored <= high


def chances_of(campaign: Campaign, found: Found) -> Chances:
    """What a campaign counted, as it is stored."""
    protocol, nature = load_protocol(PROTOCOL), load_scenario(campaign.scenario, campaign.changes)
    source = made_from(plan(protocol), nature.id, nature.digest, software())
    return Chances(source, campaign.trials, campaign.seed, counted(protocol.claims, found.words))


def compared(campaign: Campaign, found: Found) -> Iterator[Compared]:
    """Every stored rate of the campaign's scenario beside what was counted anew."""
    stored = [table for table in shipped() if table.scenario == campaign.scenario]
    again = chances_of(campaign, found)
    for table in stored:
        for claim, rates in table.claims.items():
            for word, (rate, _) in rates.items():
                hits = round(again.claims.get(claim, {}).get(word, (0.0, 0.0))[0] * campaign.trials)
                yield Compared(campaign.scenario, claim, word, rate, limits(hits, campaign.trials))


def current(table: Chances) -> bool:
    """Whether a stored table is of the protocol, the plan and the scenario as they are now."""
    now = made_from(plan(load_protocol(PROTOCOL)), table.scenario, load_scenario(table.scenario).digest, {})
    return all(table.made_from[key] == now[key] for key in ("protocol", "scenario", "plan"))


def main(trials: int | None = None) -> None:
    """Count and store."""
    SHIPPED.mkdir(exist_ok=True)
    for campaign in CAMPAIGNS:
        own = Campaign(campaign.scenario, campaign.changes, campaign.seed, trials or campaign.trials)
        table = chances_of(own, simulated(own, (), words=True))
        path = SHIPPED / f"{PROTOCOL}.{own.scenario}.json"
        path.write_text(to_text(table), encoding="utf-8")
        sys.stdout.write(f"{path}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
