"""The plan: names resolve to what is registered, options are checked, each problem has its place in the document."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise.analysis.plan import plan
from equipoise.analysis.registry import derivations, methods
from equipoise.errors import InputError
from equipoise.protocol.load import load_protocol

EXAMPLE = Path(__file__).parents[2] / "examples" / "small-trial" / "protocol.yaml"


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


WRONG = [
    ("known-method", replaced("method: ancova", "method: ancovaa"), "analyses.hba1c.method"),
    ("known-derivation", replaced("derivation: value", "derivation: valu"), "parameters.hba1c.derivation"),
    (
        "unknown-key",
        replaced("options: {baseline: efficacy}", "options: {baselin: efficacy}"),
        "analyses.hba1c.options.baselin",
    ),
    (
        "known-baseline",
        replaced("options: {baseline: efficacy}", "options: {baseline: other}"),
        "analyses.hba1c.options.baseline",
    ),
    (
        "not-one-of",
        replaced("standard_error: hc3", "standard_error: hc4"),
        "analyses.hba1c-robust.options.standard_error",
    ),
    (
        "known-parameter",
        replaced("options: {baseline: efficacy}", "options: {parameter: weight}"),
        "analyses.hba1c.options.parameter",
    ),
    (
        "known-visit",
        replaced("options: {baseline: efficacy}", "options: {visit: month-9}"),
        "analyses.hba1c.options.visit",
    ),
    ("known-test", replaced("source: blood.hba1c", "source: blood.hb"), "parameters.hba1c.options.source"),
    ("bad-format", replaced("source: blood.hba1c", "source: hba1c"), "parameters.hba1c.options.source"),
    (
        "parameter-unit",
        replaced('label: HbA1c, unit: "%", derivation', "label: HbA1c, unit: g/L, derivation"),
        "parameters.hba1c.options",
    ),
    (
        "minute-needed",
        replaced("options: {source: blood.hba1c}", "options: {source: blood.hba1c, minute: 5}"),
        "parameters.hba1c.options",
    ),
    (
        "measured-at-visit",
        replaced("visits: [baseline, month-3, month-6]\n    tests", "visits: [baseline, month-3]\n    tests"),
        "estimands.hba1c.variable",
    ),
    ("summary-of-method", replaced("summary: difference-in-means", "summary: rate-ratio"), "analyses.hba1c.options"),
    (
        "known-event",
        replaced("{events: [adverse-events]}", "{events: [blood]}"),
        "analyses.adverse-events.options.events.0",
    ),
    (
        "parameters-and-visits",
        replaced("parameters: [hba1c, cpeptide], visits: [baseline]}", "parameters: [hba1c, cpeptide]}"),
        "analyses.baseline.options",
    ),
    (
        "method-needs-set",
        replaced(
            "    analysis_set: randomised\n    role: descriptive\n  - id: hba1c\n",
            "    estimand: hba1c\n    role: secondary\n  - id: hba1c\n",
        ),
        "analyses.baseline.options",
    ),
]


@pytest.mark.requirement("ANALYSIS-PLAN")
@pytest.mark.parametrize(("rule", "change", "path"), WRONG, ids=[rule for rule, _, _ in WRONG])
def test_is_refused_with_its_place(tmp_path: Path, rule: str, change: Callable[[str], str], path: str) -> None:
    file = tmp_path / "protocol.yaml"
    file.write_text(change(EXAMPLE.read_text()))
    protocol = load_protocol(file)
    with pytest.raises(InputError) as refused:
        plan(protocol)
    problem = next(problem for problem in refused.value.problems if problem.rule == rule)
    assert problem.path == path
    assert problem.file == str(file) and problem.line is not None
    assert problem.message and problem.remedy


@pytest.mark.requirement("PLAN-CLAIMS")
@pytest.mark.parametrize(
    ("rule", "changes", "path"),
    [
        (
            "claim-one-result",
            ["protocol.claims.c4.parts=[{analysis: cytokines-12-panel, direction: lower}]"],
            "claims.c4.parts.0.analysis",
        ),
        (
            "family-one-result",
            [
                "protocol.claims.c7.parts=[{analysis: hba1c-24, direction: lower}]",
                "protocol.analyses.cytokine-balance-24.method=detectable",
                "protocol.analyses.cytokine-balance-24.options={parameters: [il-6, tnf-alpha]}",
            ],
            "analyses.cytokine-balance-24.family",
        ),
        (
            "margin-of-method",
            [
                "protocol.claims.c3.parts=[{analysis: hba1c-12, direction: lower, margin: -0.4}]",
                "protocol.analyses.hba1c-12.method=re-randomisation",
                "protocol.analyses.hba1c-12.options={baseline: efficacy}",
            ],
            "claims.c3.parts.0.margin",
        ),
    ],
)
def test_claims_and_families_look_at_one_result_that_can_be_tested(rule: str, changes: list[str], path: str) -> None:
    with pytest.raises(InputError) as refused:
        plan(load_protocol("msc-t1d", changes))
    assert (rule, path) in {(item.rule, item.path) for item in refused.value.problems}
    if rule == "margin-of-method":
        assert plan(load_protocol("msc-t1d", changes[:1])), "its own method can test against the margin"


@pytest.mark.requirement("ANALYSIS-PLAN")
def test_parameters_in_a_circle_are_refused(tmp_path: Path) -> None:
    circle = """  - {id: a, label: A, unit: "1", derivation: log1p, options: {parameter: b}}
  - {id: b, label: B, unit: "1", derivation: log1p, options: {parameter: a}}
safety:"""
    file = tmp_path / "protocol.yaml"
    file.write_text(EXAMPLE.read_text().replace("safety:", circle, 1))
    with pytest.raises(InputError, match="parameter-cycle"):
        plan(load_protocol(file))


@pytest.mark.requirement("ANALYSIS-PLAN")
def test_a_parameter_is_derived_after_those_it_needs() -> None:
    order = [item.parameter.id for item in plan(load_protocol("t1dal")).parameters]
    for later, earlier in (
        ("change-auc-2h", "cpeptide-auc-2h-completed"),
        ("cpeptide-auc-2h-completed", "cpeptide-auc-2h"),
    ):
        assert order.index(later) > order.index(earlier)


@pytest.mark.requirement("ANALYSIS-PLAN")
def test_it_knows_where_each_parameter_can_have_a_value() -> None:
    measured = plan(load_protocol("t1dal")).measured
    assert measured["cpeptide-auc-4h"] == {"baseline", "week-52", "week-104"}
    assert measured["change-auc-2h"] == {"week-24", "week-52", "week-78", "week-104"}
    assert measured["ln-auc-2h"] == {"baseline", "week-24", "week-52", "week-78", "week-104"}


@pytest.mark.requirement("ANALYSIS-REGISTRY")
def test_methods_and_derivations_are_entry_points() -> None:
    assert {"ancova", "t-interval", "descriptive"} <= set(methods())
    assert {"auc", "value", "log1p", "change", "linear", "supplied-where-missing"} <= set(derivations())
    assert all(name == method.name and method.title for name, method in methods().items())
    assert all(name == item.name and item.title for name, item in derivations().items())
