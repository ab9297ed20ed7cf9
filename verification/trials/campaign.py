"""Run the analyses of a protocol on many simulated trials at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.analyse import prepare
from equipoise.analysis.claim_words import Words, claim_words, needed
from equipoise.analysis.plan import plan
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.panel import Panel
from equipoise.simulate.scenario import Scenario, load_scenario
from equipoise.simulate.trial import simulate_trials
from verification.trials.bands import ANY, Band, Rate
from verification.trials.truth import read_truths

PROTOCOL = "msc-t1d"
CHUNK = 250
LEVEL = 0.05
NUMBERS = ("p_value", "lower", "upper")


@dataclass(frozen=True)
class Campaign:
    """What is simulated: a scenario with its changes, the seed, and how many trials."""

    scenario: str
    changes: tuple[str, ...]
    seed: int
    trials: int

    @classmethod
    def of(cls, band: Band, trials: int | None) -> Campaign:
        return cls(band.scenario, band.changes, band.seed, trials or band.trials)


@dataclass(frozen=True)
class Found:
    """What a campaign found: of each analysis its numbers (3, trials), of each claim its word in each trial."""

    numbers: dict[str, NDArray[np.float64]]
    words: Words


def rates(bands: Collection[Band], trials: int | None = None) -> Iterator[tuple[Campaign, Found, list[Rate]]]:
    """The rates of every band, campaign by campaign; bands that share scenario, seed and size share their trials."""
    groups: dict[Campaign, list[Band]] = {}
    for band in bands:
        groups.setdefault(Campaign.of(band, trials), []).append(band)
    for campaign, members in groups.items():
        analyses = sorted({band.analysis for band in members if band.analysis is not None})
        says = any(band.measure == "says" for band in members)
        found = simulated(campaign, analyses, words=says)
        yield campaign, found, [_rate(band, campaign.trials, found) for band in members]


def _rate(band: Band, trials: int, found: Found) -> Rate:
    if band.measure == "says":
        claims = found.words if band.claim == ANY else {band.claim: found.words[str(band.claim)]}
        said = np.any([np.isin(words, band.words) for words in claims.values()], axis=0)
        return Rate(band, trials, int(said.sum()), 0)
    p_values, lower, upper = found.numbers[str(band.analysis)]
    if band.measure == "covers":
        value = read_truths()[0][str(band.analysis)].value
        hits = (lower <= value) & (value <= upper)
    else:
        hits = p_values <= LEVEL
    return Rate(band, trials, int(hits.sum()), int(np.isnan(p_values).sum()))


def simulated(campaign: Campaign, analyses: Collection[str], *, words: bool) -> Found:
    """The first estimate of each analysis, NaN where there is none; with `words` also what is said of each claim."""
    protocol, nature = load_protocol(PROTOCOL), load_scenario(campaign.scenario, campaign.changes)
    planned = plan(protocol)
    claimed = {item.analysis.id for item in needed(planned)} if words else set()
    run = [item for item in planned.analyses if item.analysis.id in claimed | set(analyses)]
    numbers: dict[str, list[np.ndarray]] = {name: [] for name in analyses}
    said: dict[str, list[np.ndarray]] = {claim.id: [] for claim in protocol.claims} if words else {}
    for panel in _panels(protocol, campaign, nature):
        data = prepare(planned, panel)
        outcomes = {item.analysis.id: item.method.run(data, item.analysis, item.options) for item in run}
        for name, kept in numbers.items():
            values = outcomes[name].estimates[0].values
            kept.append(np.stack([values[number] for number in NUMBERS]))
        if words:
            for claim, texts in claim_words(planned, data, outcomes).items():
                said[claim].append(texts)
    return Found(
        {name: np.concatenate(parts, axis=1) for name, parts in numbers.items()},
        {claim: np.concatenate(parts) for claim, parts in said.items()},
    )


def _panels(protocol: Protocol, campaign: Campaign, nature: Scenario) -> Iterator[Panel]:
    for first in range(0, campaign.trials, CHUNK):
        yield from simulate_trials(protocol, nature, campaign.seed, min(CHUNK, campaign.trials - first), first)
