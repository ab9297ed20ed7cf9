"""How often each word would be said of each claim by chance: counted in simulated trials, stored as `chances.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from equipoise.analysis.claim_words import Words
from equipoise.analysis.plan import Plan
from equipoise.analysis.words import PHRASES, SAFETY, TEXTS, Word, plain_word
from equipoise.errors import InputError, Problem
from equipoise.protocol.schema.base import Part
from equipoise.protocol.schema.inference import Claim
from equipoise.source.digest import digest_of_data

SCHEMA = "equipoise/chances/1"
NO_EFFECT = "no-effect"
"""The scenario in which arms do not differ."""
SHIPPED = Path(__file__).parent / "shipped"
BESIDE = "beside"
Rates = Mapping[str, Mapping[str, tuple[float, float]]]
"""Claim -> word -> how often it is said, and the Monte-Carlo standard error of that."""


@dataclass(frozen=True, slots=True)
class Chances:
    """The chance of each word under one scenario.

    made_from: ``protocol`` and ``scenario``, each with id and digest, the digest of the ``plan``, and the ``software``.
    """

    made_from: Mapping[str, Any]
    trials: int
    seed: int
    claims: Rates

    @property
    def scenario(self) -> str:
        """The scenario's id."""
        return str(self.made_from["scenario"]["id"])

    @property
    def label(self) -> str:
        """Under what the words were counted, as people read it."""
        return "with no effect" if self.scenario == NO_EFFECT else f"under {self.scenario}"

    def of(self, claim: str, *verdicts: str) -> float | None:
        """How often one of the words is said of a claim, whatever the names of parts; None where it was not counted."""
        rates = self.claims.get(claim)
        if rates is None:
            return None
        return sum(rates.get(word, (0.0, 0.0))[0] for word in {plain_word(verdict) for verdict in verdicts})

    def shown(self, claim: str, *verdicts: str) -> str:
        """The same as people read it; "" where it was not counted."""
        rate = self.of(claim, *verdicts)
        if rate is None:
            return ""
        return f"{100 * rate:.1f} %" if rate else f"0 of {self.trials}"


def made_from(planned: Plan, scenario: str, scenario_digest: str, software: Mapping[str, str]) -> dict[str, Any]:
    """What chances are counted from."""
    return {
        "protocol": {"id": planned.protocol.id, "digest": planned.protocol.digest},
        "scenario": {"id": scenario, "digest": scenario_digest},
        "plan": plan_digest(planned),
        "software": dict(software),
    }


def plan_digest(planned: Plan) -> str:
    """A digest of the analyses as they are carried out: methods and derivations with every option, defaults too."""
    rows = [
        *((item.parameter.id, item.derivation.name, item.options) for item in planned.parameters),
        *((item.analysis.id, item.method.name, item.options) for item in planned.analyses),
    ]
    return digest_of_data([[name, kind, _options(options)] for name, kind, options in rows])


def _options(value: Any) -> Any:
    """The JSON data of options, those left at their defaults included."""
    if isinstance(value, Part):
        return {name: _options(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {key: _options(item) for key, item in value.items()}
    return [_options(item) for item in value] if isinstance(value, list | tuple) else value


def counted(claims: tuple[Claim, ...], words: Words) -> Rates:
    """The rate of every word that a claim can have."""
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for claim in claims:
        said = words[claim.id]
        known = [*_possible(claim, said), *sorted(set(said.tolist()))]
        found[claim.id] = {word: _rate(said == word) for word in dict.fromkeys(known)}
    return found


def _possible(claim: Claim, said: np.ndarray) -> list[str]:
    """The words of the claim's kind, so that one that never came is a rate of 0 and not missing."""
    if claim.rule == "safety" and claim.parts:
        return list(SAFETY)
    if not claim.parts:
        return []
    exploratory = bool(set(said.tolist()) & set(PHRASES))
    return [text for word, text in TEXTS.items() if (text in PHRASES) == exploratory and word != Word.NOT_ASSESSED]


def _rate(said: np.ndarray) -> tuple[float, float]:
    rate = float(np.mean(said))
    return rate, float(np.sqrt(rate * (1 - rate) / len(said)))


def to_text(chances: Chances, *beside: Chances) -> str:
    """The text of chances.json: one scenario's, and those of others beside it."""
    data = {"schema": SCHEMA, **_data(chances), **({BESIDE: [_data(item) for item in beside]} if beside else {})}
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def _data(chances: Chances) -> dict[str, Any]:
    claims = {name: {word: [*pair] for word, pair in rates.items()} for name, rates in chances.claims.items()}
    return {"made_from": dict(chances.made_from), "trials": chances.trials, "seed": chances.seed, "claims": claims}


def read_chances(path: Path) -> tuple[Chances, ...]:
    """The chances in a file, its own scenario's first; raises InputError where it holds none of schema 1."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            raise ValueError(f"its schema is not {SCHEMA}")
        return tuple(_read(item) for item in (data, *data.get(BESIDE, ())))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        missing = f"the key {error} is missing" if isinstance(error, KeyError) else str(error)
        message = f"cannot be read as chances: {missing}"
        remedy = "Name a file chances.json that equipoise wrote."
        problem = Problem(str(path), None, "", "chances-readable", message, remedy)
        raise InputError(f"cannot read the chances {path}", [problem]) from None


def _read(data: Mapping[str, Any]) -> Chances:
    source = data["made_from"]
    _ = (source["protocol"]["digest"], source["scenario"]["id"], source["scenario"]["digest"], source["plan"])
    claims = {
        name: MappingProxyType({word: (float(rate), float(error)) for word, (rate, error) in rates.items()})
        for name, rates in data["claims"].items()
    }
    return Chances(MappingProxyType(source), int(data["trials"]), int(data["seed"]), MappingProxyType(claims))


@cache
def shipped() -> tuple[Chances, ...]:
    """The tables that come with the package."""
    return tuple(table for path in sorted(SHIPPED.glob("*.json")) for table in read_chances(path))


def fits(chances: Chances, planned: Plan) -> bool:
    """Whether chances were counted from this protocol and plan."""
    source = chances.made_from
    return source["protocol"]["digest"] == planned.protocol.digest and source["plan"] == plan_digest(planned)


def chances_for(planned: Plan, scenario: tuple[str, str] | None, given: Path | None = None) -> tuple[Chances, ...]:
    """The chances to show beside the verdicts of a trial: its scenario's first, then those with no effect.

    scenario: id and digest of the scenario that the trial was simulated under, or that is to be shown. given: a file
    that is shown instead of the package's own, whatever its scenarios are.

    Raises InputError where `given` was counted from another protocol or plan.
    """
    if given is not None:
        tables = read_chances(given)
        for table in tables:
            if not fits(table, planned):
                raise _other(given, table, planned)
        return tables
    mine = [table for table in shipped() if fits(table, planned)]
    own = [item for item in mine if scenario == (item.scenario, item.made_from["scenario"]["digest"])]
    null = [item for item in mine if item.scenario == NO_EFFECT and item not in own]
    return (*own, *null)


def _other(path: Path, table: Chances, planned: Plan) -> InputError:
    mine, protocol = planned.protocol.digest, table.made_from["protocol"]["digest"]
    what = f"the protocol {protocol}" if protocol != mine else f"the plan {table.made_from['plan']}"
    own = f"protocol {mine}" if protocol != mine else f"plan {plan_digest(planned)}"
    message = f"it was counted from {what}, and this is the {own}"
    problem = Problem(str(path), None, "made_from", "chances-fit", message, "Leave --chances out, or simulate anew.")
    return InputError(f"the chances in {path} are of another trial", [problem])
