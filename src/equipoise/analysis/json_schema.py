"""The schema of results.json, ``equipoise/results/1``, as JSON Schema (draft 2020-12).

Keys and types are read from the dataclasses of `results`, so that the two cannot part; what a type does not say (the
words allowed, the range of a probability, the meaning) stands in the tables here.
``python -m equipoise.analysis.json_schema docs/schemas`` writes the published file.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from equipoise.analysis.results import (
    SCHEMA,
    ClaimPartResult,
    ClaimResult,
    FlowStep,
    Result,
    Results,
    ResultTable,
    TableColumn,
)
from equipoise.analysis.words import NAMED, SAFETY, TEXTS
from equipoise.protocol.schema.inference import Role
from equipoise.protocol.schema.people import ROLES

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAME = "results-1.json"
P_KINDS = ("model", "re-randomisation", "exact", "mid-p")
ALTERNATIVES = ("two-sided", "less", "greater")
VERDICTS = (*TEXTS.values(), *SAFETY)
"""The words that a claim may have; those of NAMED are followed by the names of parts."""
VERDICT_PATTERN = "^(?:{}|(?:{}): .+)$".format(
    "|".join(word for word in VERDICTS if word not in {named.text for named in NAMED}),
    "|".join(named.text for named in NAMED),
)
KINDS = ("confirmatory", "exploratory", "safety", "described")
OPTIONAL: Mapping[type, tuple[str, ...]] = {
    Results: ("withheld", "made_by"),
    Result: (
        "active",
        "reference",
        "variant",
        "intercurrent_events",
        "values_changed",
        "strategy_notes",
        "p_lower",
        "p_upper",
    ),
    ClaimResult: ("kind", "parts", "given"),
}
"""Fields that some files lack: what later versions added, and what only a masked analysis has."""
Schema = dict[str, Any]
_TYPES = {str: "string", int: "integer", float: "number", NoneType: "null"}
_DIGEST: Schema = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
_BY_ARM: Schema = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}

MEANING: Mapping[type, Mapping[str, str]] = {
    Results: {
        "protocol": "The protocol that was analysed, and the digests of its versions, oldest first.",
        "records": "The digest of the records, over their content.",
        "allocation": "The digest of the allocation, its seed if it was scrambled, and that of what was dispensed if "
        "that is recorded; null in a blinded run.",
        "software": "What computed the results.",
        "seed": "The seed of whatever was drawn at random; null where nothing was.",
        "results": "Every estimate.",
        "tables": "Descriptive tables.",
        "flow": "Counts of participants on their way through the trial.",
        "claims": "The protocol's claims and what the results say of them.",
        "withheld": "Of an analysis for a masked role: what was kept from it; absent from others.",
        "made_by": "The package and version of every method and derivation that the protocol names.",
    },
    Result: {
        "id": "analysis/parameter/period/visit/contrast[/variant]: unique and stable.",
        "analysis": "The protocol's analysis.",
        "label": "The analysis in words.",
        "estimand": "The protocol's estimand; null where the analysis has none.",
        "estimand_strategy": "Intercurrent event -> the strategy for it.",
        "role": "What may be concluded from it.",
        "family": "The family within which false claims are controlled; null outside one.",
        "method": "The registered method.",
        "parameter": "The protocol's parameter.",
        "unit": "The unit of the parameter; 1 for a pure number.",
        "scale": "identity: estimate and interval are in the unit; log: natural logarithms; ratio: a ratio.",
        "visit": "The protocol's visit.",
        "period": "The visit's period; null for a visit before the first.",
        "analysis_set": "The participants who were looked at.",
        "contrast": "active-v-reference, one arm, or pooled in a blinded run.",
        "active": "The arm that is compared; null where the number is about one group.",
        "reference": "The arm that it is compared with; null where the number is about one group.",
        "variant": "What tells estimates of one analysis and contrast apart; null where there is one.",
        "estimate": "The estimate, active minus reference for a difference.",
        "standard_error": "Its standard error.",
        "df": "Degrees of freedom of interval and test.",
        "lower": "Lower end of the interval.",
        "upper": "Upper end of the interval.",
        "level": "Coverage of the interval.",
        "p_value": "p-value of no effect, not adjusted.",
        "p_kind": "Where the p-value comes from.",
        "p_adjusted": "p-value adjusted within the family or panel; null where there is no adjustment.",
        "alternative": "The alternative that the test is against.",
        "n": "Participants with every value the method needs, by arm.",
        "n_missing": "Participants of the analysis set without one, by arm.",
        "events": "Events, by arm; null where none are counted.",
        "person_years": "Time at risk in years, by arm; null where no time is counted.",
        "covariance_requested": "The covariance estimator that the protocol asks for.",
        "covariance_used": "The one that was used.",
        "draws": "Number of random draws; null where nothing was drawn.",
        "mc_error": "Monte-Carlo standard error of the p-value or estimate.",
        "intercurrent_events": "Event with another strategy than treatment policy -> arm -> participants who had it by "
        "the day of the visit; empty where none acts.",
        "values_changed": "withheld, replaced (a count cut short included) and excluded by these strategies, by arm.",
        "strategy_notes": "The same in sentences, with what is assumed.",
        "status": "ok, or why numbers are missing and what to do.",
        "p_lower": "One-sided p-value of no effect against a lower value.",
        "p_upper": "One-sided p-value of no effect against a higher value.",
    },
    ResultTable: {
        "id": "The analysis that made it: unique.",
        "title": "What it shows.",
        "columns": "Its columns, in order.",
        "rows": "Its rows: one cell a column, numbers at full precision.",
        "notes": "What a reader must know beside it.",
    },
    TableColumn: {
        "id": "Name of the column: unique in the table.",
        "label": "Its heading.",
        "unit": "Its unit; empty where it has none or where each row has its own.",
    },
    FlowStep: {
        "id": "The step; with the arm unique.",
        "label": "The step in words.",
        "count": "Participants who reached it.",
        "arm": "The arm; null before allocation or where arms are not known.",
        "period": "The period of a visit or an analysis; null elsewhere.",
        "reasons": "Pairs of a reason and its count, where reasons are recorded.",
    },
    ClaimResult: {
        "id": "The protocol's claim.",
        "text": "The sentence.",
        "verdict": "What the results say of it, by the rule that the protocol fixes; of an exploratory claim a phrase.",
        "results": "The ids of the results that it rests on.",
        "reason": "Why this verdict.",
        "kind": "What decides it: families of hypotheses, intervals, the rules for harm, or nothing.",
        "parts": "What each part says by itself.",
        "given": "How many people had the active product; empty where that does not apply.",
    },
    ClaimPartResult: {
        "analysis": "The analysis of the part.",
        "result": "The id of its result; null where there is none.",
        "direction": "The direction that is claimed.",
        "verdict": "What the part says by itself.",
        "reason": "Why it says that.",
        "null_value": "No effect, or the margin of the claim, on the scale of the result.",
        "p_value": "min(1, 2 min(p_lower, p_upper)); in a one-sided family the p-value of the claimed side.",
        "side": "The side that has the smaller one-sided p-value.",
        "p_adjusted": "That p-value adjusted within the family and its graph; null where nothing adjusts it.",
        "level": "The level of the family; null outside one.",
        "local_level": "What was left of the level for this part when the procedure stopped; 0: it was not tested.",
        "lower": "Lower end of the unadjusted interval.",
        "upper": "Upper end of the unadjusted interval.",
        "interval_level": "Coverage of that interval.",
    },
}

_NARROWER: Mapping[tuple[type, str], Schema] = {
    (Results, "protocol"): {
        "properties": {
            "id": {"type": "string", "minLength": 1},
            "digests": {"type": "array", "items": _DIGEST, "minItems": 1},
        }
    },
    (Results, "records"): {"properties": {"digest": _DIGEST}},
    (Results, "allocation"): {
        "properties": {
            "digest": _DIGEST,
            "scrambled": {"type": "string", "pattern": "^[0-9]+$"},
            "dispensed": _DIGEST,
        },
        "required": ["digest"],
    },
    (Results, "withheld"): {
        "properties": {
            "role": {"enum": list(ROLES)},
            "allocation": {"type": "boolean"},
            "items": {"type": "array", "items": {"type": "string"}},
            "lacks": {"type": "array", "items": {"type": "string"}},
        }
    },
    (Results, "made_by"): {
        "propertyNames": {"pattern": "^(method|derivation) "},
        "additionalProperties": {
            "type": "object",
            "properties": {"package": {"type": "string"}, "version": {"type": "string"}},
            "required": ["package", "version"],
            "additionalProperties": False,
        },
    },
    (Results, "software"): {"properties": {"name": {"type": "string"}, "version": {"type": "string"}}},
    (Result, "id"): {"pattern": "^[a-z0-9-]+(/[a-z0-9-]+){4,5}$"},
    (Result, "role"): {"enum": list(get_args(Role))},
    (Result, "scale"): {"enum": ["identity", "log", "ratio"]},
    (Result, "standard_error"): {"minimum": 0},
    (Result, "df"): {"exclusiveMinimum": 0},
    (Result, "level"): {"exclusiveMinimum": 0, "exclusiveMaximum": 1},
    (Result, "p_value"): {"minimum": 0, "maximum": 1},
    (Result, "p_kind"): {"enum": [*P_KINDS, None]},
    (Result, "p_adjusted"): {"minimum": 0, "maximum": 1},
    (Result, "alternative"): {"enum": list(ALTERNATIVES)},
    (Result, "n"): {"additionalProperties": {"type": "integer", "minimum": 0}},
    (Result, "n_missing"): {"additionalProperties": {"type": "integer", "minimum": 0}},
    (Result, "events"): {"additionalProperties": {"type": "integer", "minimum": 0}},
    (Result, "person_years"): {"additionalProperties": {"type": "number", "minimum": 0}},
    (Result, "draws"): {"minimum": 1},
    (Result, "intercurrent_events"): {"additionalProperties": _BY_ARM},
    (Result, "values_changed"): {
        "additionalProperties": _BY_ARM,
        "propertyNames": {"enum": ["withheld", "replaced", "excluded"]},
    },
    (Result, "mc_error"): {"minimum": 0},
    (Result, "status"): {"minLength": 1},
    (FlowStep, "count"): {"minimum": 0},
    (Result, "p_lower"): {"minimum": 0, "maximum": 1},
    (Result, "p_upper"): {"minimum": 0, "maximum": 1},
    (ClaimResult, "verdict"): {"pattern": VERDICT_PATTERN},
    (ClaimResult, "kind"): {"enum": list(KINDS)},
    (ClaimPartResult, "direction"): {"enum": ["higher", "lower"]},
    (ClaimPartResult, "verdict"): {"enum": list(TEXTS.values())},
    (ClaimPartResult, "p_value"): {"minimum": 0, "maximum": 1},
    (ClaimPartResult, "side"): {"enum": ["higher", "lower", None]},
    (ClaimPartResult, "p_adjusted"): {"minimum": 0, "maximum": 1},
    (ClaimPartResult, "level"): {"exclusiveMinimum": 0, "exclusiveMaximum": 1},
    (ClaimPartResult, "local_level"): {"minimum": 0, "maximum": 1},
    (ClaimPartResult, "interval_level"): {"exclusiveMinimum": 0, "exclusiveMaximum": 1},
}

_TOGETHER: Mapping[type, list[Schema]] = {
    Result: [
        {
            "$comment": "A missing estimate has its reason in the status.",
            "if": {"properties": {"estimate": {"type": "null"}}},
            "then": {"properties": {"status": {"not": {"const": "ok"}}}},
        },
        {
            "$comment": "A p-value says where it comes from.",
            "if": {"properties": {"p_value": {"type": "null"}}},
            "then": {"properties": {"p_kind": {"type": "null"}, "p_adjusted": {"type": "null"}}},
            "else": {"properties": {"p_kind": {"type": "string"}}},
        },
    ]
}


def results_schema() -> Schema:
    """The JSON Schema of results.json: no other key is allowed, and all are required but those that came later."""
    top = _object(Results)
    top["properties"] = {"schema": {"const": SCHEMA}} | top["properties"]
    top["required"] = ["schema", *top["required"]]
    parts = {part.__name__: _object(part) for part in MEANING if part is not Results}
    head = {"$schema": DIALECT, "$id": "urn:equipoise:results:1", "title": "Results of a clinical trial"}
    return head | top | {"$defs": parts}


def published() -> str:
    """The text of the published file."""
    return json.dumps(results_schema(), indent=2, ensure_ascii=False) + "\n"


def _object(part: type) -> Schema:
    """The schema of a dataclass."""
    hints = get_type_hints(part)
    names = [item.name for item in dataclasses.fields(part)]
    properties = {name: _property(part, name, hints[name]) for name in names}
    required = [name for name in names if name not in OPTIONAL.get(part, ())]
    schema: Schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return schema | ({"allOf": _TOGETHER[part]} if part in _TOGETHER else {})


def _property(part: type, name: str, hint: Any) -> Schema:
    schema = _typed(hint) | _NARROWER.get((part, name), {})
    if "properties" in schema:
        schema = {"required": list(schema["properties"])} | schema | {"additionalProperties": False}
    return {"description": MEANING[part][name]} | schema


def _typed(hint: Any) -> Schema:
    """The schema of a type: plain types and their unions, mappings from text, tuples, dataclasses."""
    if hint is Any:
        return {}
    if hint in _TYPES:
        return {"type": _TYPES[hint]}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return {"$ref": f"#/$defs/{hint.__name__}"}
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        schemas = [_typed(item) for item in inner]
        types = list(dict.fromkeys(item.pop("type") for item in schemas))
        keywords = {key: value for item in schemas for key, value in item.items()}
        return {"type": [kind for kind in types if kind != "integer" or "number" not in types]} | keywords
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _typed(inner[1])}
    if origin is tuple and inner[1:] == (...,):
        return {"type": "array", "items": _typed(inner[0])}
    if origin is tuple:
        return {"type": "array", "prefixItems": [_typed(i) for i in inner], "items": False, "minItems": len(inner)}
    raise TypeError(f"results hold no {hint}")


if __name__ == "__main__":
    (Path(sys.argv[1]) / NAME).write_text(published(), encoding="utf-8")
