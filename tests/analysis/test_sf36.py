"""SF-36 version 1: published respondents, a second scorer written as the manual's raw sums, blanks, best and worst."""

from __future__ import annotations

import dataclasses
import shutil
from types import MappingProxyType

import numpy as np
import pytest

from equipoise.analysis.derive import derive
from equipoise.analysis.plan import plan
from equipoise.errors import InputError
from equipoise.protocol.load import find_protocol, load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.panel import Panel
from tests.records.panels import make_panel

pytestmark = pytest.mark.requirement("ANALYSIS-SF36")

SCORES = {
    "physical-functioning": "PF",
    "role-physical": "RP",
    "bodily-pain": "BP",
    "general-health": "GH",
    "vitality": "VT",
    "social-functioning": "SF",
    "role-emotional": "RE",
    "mental-health": "MH",
    "physical-component": "PCS",
    "mental-component": "MCS",
}
USE = "  - {id: sf-36, label: SF-36 of the same answers, file: questionnaires/sf-36-v1.yaml, answers: rand-36}\n"

# Ten respondents of Apolone and Mosconi's program and the scores that its port lbscorer prints: PF RP BP GH VT SF RE MH
# PCS MCS. A dot is a blank.
RESPONDENTS = """
5 5 1 1 1 1 1 1 1 1 2 2 1 1 1 1 1 1 1 5 6 . . 2 . 5 6 1 2 5 2 1 1 5 3 5
1 1 2 2 . 3 3 . 3 . . . 1 1 1 2 1 1 2 1 2 3 2 6 6 2 2 6 5 6 5 . . . . .
4 3 2 3 3 3 3 2 2 3 3 3 1 1 1 1 1 1 1 3 3 3 4 5 6 4 5 6 4 4 4 3 3 4 3 4
5 5 1 1 1 1 1 1 1 1 2 2 1 1 1 1 1 1 1 5 6 1 1 2 1 6 6 1 2 5 2 1 1 5 3 5
2 1 1 2 3 1 2 2 2 3 3 3 1 1 1 1 1 1 1 3 4 3 4 4 6 3 4 4 5 2 3 3 5 2 5 2
3 4 1 2 2 3 3 2 3 3 3 3 1 1 1 1 1 1 1 2 2 2 2 3 5 2 4 5 6 2 5 3 5 4 5 2
3 4 1 2 2 2 3 3 3 3 3 3 1 1 1 1 2 2 2 2 1 1 4 6 6 1 2 6 5 2 5 4 5 5 5 2
3 2 2 3 3 3 3 3 3 3 3 3 2 1 1 2 2 1 2 2 1 1 3 5 6 2 3 6 6 2 5 4 4 2 4 2
5 4 1 1 1 2 2 2 1 2 2 3 . 1 1 1 . 1 1 3 4 4 4 6 4 4 5 5 5 4 4 3 2 4 3 5
3 2 2 3 3 3 3 3 3 3 3 3 2 2 2 2 2 2 2 1 1 1 2 5 6 2 2 6 6 2 5 5 5 1 5 1
"""
PRINTED = """
10   0   0 10 13.33333   0.0   0.00000 15 21.57120 21.80415
80  25  64 NA 80.00000 100.0  33.33333 76       NA       NA
85   0  52 35 45.00000  50.0   0.00000 72 38.84769 36.87770
10   0  40 10 35.00000   0.0   0.00000  8 28.11901 20.70724
60   0  41 87 50.00000  50.0   0.00000 72 39.23738 40.00224
75   0  74 72 75.00000  62.5   0.00000 72 44.91013 41.56973
75   0 100 67 70.00000  75.0 100.00000 96 38.92918 61.08827
95  50 100 72 75.00000  75.0  66.66667 88 51.43490 51.24144
35   0  31 20 50.00000  50.0   0.00000 64 25.95036 41.29078
95 100 100 92 85.00000 100.0 100.00000 88 57.22017 57.77303
"""
# The worked example of SF36HealthSurvey.jl, with its PCS and MCS.
EXAMPLE = "1 2 3 2 3 2 3 2 1 2 1 2 1 2 1 2 1 2 1 3 3 2 3 2 1 2 1 2 1 2 3 2 1 1 2 3"
EXAMPLE_SCORES = (44.4027962318693, 32.31104541346562)


def numbers(text: str) -> np.ndarray:
    rows = [line.split() for line in text.strip().splitlines()]
    return np.array([[np.nan if word in (".", "NA") else float(word) for word in row] for row in rows])


@pytest.fixture(scope="module")
def protocol(tmp_path_factory: pytest.TempPathFactory) -> Protocol:
    """The model trial whose answers to RAND-36 are scored by SF-36 as well."""
    folder = tmp_path_factory.mktemp("protocol")
    shipped = find_protocol("msc-t1d")
    shutil.copytree(shipped.parent / "questionnaires", folder / "questionnaires")
    text = shipped.read_text(encoding="utf-8")
    parameters = "".join(
        f"  - {{id: tested-{scale}, label: {short}, unit: points, derivation: questionnaire-scale,\n"
        f"     options: {{questionnaire: tested-sf-36, scale: {scale}}}}}\n"
        for scale, short in SCORES.items()
    )
    for heading, lines in (
        ("\nquestionnaires:\n", USE.replace("id: sf-36", "id: tested-sf-36")),
        ("\nparameters:\n", parameters),
    ):
        assert text.count(heading) == 1
        text = text.replace(heading, heading + lines)
    (folder / "msc-t1d.yaml").write_text(text, encoding="utf-8")
    return load_protocol(folder / "msc-t1d.yaml")


def answered(protocol: Protocol, answers: np.ndarray, age: float = 20.0) -> Panel:
    """A Panel in which each row of answers (people x 36) is given at every visit."""
    plain = make_panel(protocol, len(answers), seed=2, missing=0.0, awkward=False)
    block = plain.blocks["rand-36"]
    value = np.broadcast_to(answers[None, :, None, None, :], block.value.shape).copy()
    changed = dataclasses.replace(block, value=value, censored=np.zeros_like(block.censored))
    covariates = {**plain.covariates, "age_years": np.full((1, len(answers)), age)}
    return dataclasses.replace(
        plain,
        blocks=MappingProxyType({**plain.blocks, "rand-36": changed}),
        covariates=MappingProxyType(covariates),
    )


def scored(protocol: Protocol, answers: np.ndarray, age: float = 20.0) -> np.ndarray:
    """The ten scores at month 12, people x 10."""
    panel = answered(protocol, answers, age)
    values = derive(plan(protocol), panel)
    return np.stack([values[f"tested-{scale}"][0, :, panel.visit_index("month-12")] for scale in SCORES], axis=1)


def by_raw_sums(row: np.ndarray) -> list[float]:
    """The manual in its own order: recode, fill blanks with the person's mean, raw sum, 0 to 100, z, T."""
    q = {number: float(row[number - 1]) for number in range(1, 37)}
    for number in (6 + 14, 34, 36):
        q[number] = 6 - q[number]
    for number in (23, 26, 27, 30):
        q[number] = 7 - q[number]
    if not np.isnan(q[1]):
        q[1] = {1: 5.0, 2: 4.4, 3: 3.4, 4: 2.0, 5: 1.0}[int(q[1])]
    effect, interference = q[22], q[21]
    if not np.isnan(interference):
        q[21] = {1: 6.0, 2: 5.4, 3: 4.2, 4: 3.1, 5: 2.2, 6: 1.0}[int(interference)]
        q[22] = 6.0 if effect == interference == 1 else 6 - effect
    elif not np.isnan(effect):
        q[22] = {1: 6.0, 2: 4.75, 3: 3.5, 4: 2.25, 5: 1.0}[int(effect)]
    scales = (
        (range(3, 13), 5, 10, 30),
        (range(13, 17), 2, 4, 8),
        ((21, 22), 1, 2, 12),
        ((1, 33, 34, 35, 36), 3, 5, 25),
        ((23, 27, 29, 31), 2, 4, 24),
        ((20, 32), 1, 2, 10),
        (range(17, 20), 2, 3, 6),
        ((24, 25, 26, 28, 30), 3, 5, 30),
    )
    scores: list[float] = []
    for items, needed, lowest, highest in scales:
        given = [q[number] for number in items if not np.isnan(q[number])]
        blanks = len(items) - len(given)
        raw = sum(given) + blanks * sum(given) / len(given) if len(given) >= needed else np.nan
        scores.append((raw - lowest) / (highest - lowest) * 100)
    pf, rp, bp, gh, vt, sf, re, mh = scores
    z = [
        (pf - 84.52404) / 22.89490,
        (rp - 81.19907) / 33.79729,
        (bp - 75.49196) / 23.55879,
        (gh - 72.21316) / 20.16964,
        (vt - 61.05453) / 20.86942,
        (sf - 83.59753) / 22.37642,
        (re - 81.29467) / 33.02717,
        (mh - 74.84212) / 18.01189,
    ]
    physical = np.dot(z, [0.42402, 0.35119, 0.31754, 0.24954, 0.02877, -0.00753, -0.19206, -0.22069])
    mental = np.dot(z, [-0.22999, -0.12329, -0.09731, -0.01571, 0.23534, 0.26876, 0.43407, 0.48581])
    return [*scores, 50 + 10 * physical, 50 + 10 * mental]


def random_answers(people: int, missing: float) -> np.ndarray:
    source = np.random.default_rng(36)
    highest = np.array([5] * 2 + [3] * 10 + [2] * 7 + [5] + [6] + [5] + [6] * 9 + [5] * 5)
    answers = source.integers(1, highest + 1, (people, 36)).astype(np.float64)
    answers[source.random(answers.shape) < missing] = np.nan
    return answers


def test_ten_published_respondents_have_their_printed_scores(protocol: Protocol) -> None:
    np.testing.assert_allclose(scored(protocol, numbers(RESPONDENTS)), numbers(PRINTED), rtol=0, atol=5.01e-6)


def test_a_published_worked_example_has_its_component_summaries(protocol: Protocol) -> None:
    (found,) = scored(protocol, numbers(EXAMPLE))
    np.testing.assert_allclose(found[8:], EXAMPLE_SCORES, rtol=0, atol=1e-9)


@pytest.mark.parametrize("missing", [0.0, 0.1, 0.5])
def test_scores_are_those_of_the_manuals_raw_sums(protocol: Protocol, missing: float) -> None:
    answers = random_answers(200, missing)
    expected = np.array([by_raw_sums(row) for row in answers])
    np.testing.assert_allclose(scored(protocol, answers), expected, rtol=1e-12, atol=1e-9)
    assert np.isnan(expected).any() == (missing > 0)


def test_best_and_worst_answers(protocol: Protocol) -> None:
    """All best: 100 on every scale; the components need not be highest, since each weighs the other's scales down."""
    best = "1 1 3 3 3 3 3 3 3 3 3 3 2 2 2 2 2 2 2 1 1 1 1 6 6 1 1 6 6 1 6 5 5 1 5 1"
    worst = "5 5 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 5 6 5 6 1 1 6 6 1 1 6 1 1 1 5 1 5"
    found = scored(protocol, numbers(f"{best}\n{worst}"))
    np.testing.assert_allclose(found[:, :8], [[100] * 8, [0] * 8], atol=1e-12)
    np.testing.assert_allclose(found[0, 8:], by_raw_sums(numbers(best)[0])[8:])
    assert found[0, 8] > 50 > found[1, 8] and found[0, 9] > 50 > found[1, 9]


@pytest.mark.parametrize(
    ("severity", "interference", "expected"),
    [(1, 1, 100), (2, 1, 84), (6, 1, 40), (1, np.nan, 100), (3, np.nan, 64), (np.nan, 2, 75), (np.nan, 5, 0)],
)
def test_pain_counts_by_both_of_its_items(
    protocol: Protocol, severity: float, interference: float, expected: float
) -> None:
    """No interference counts 6 beside no pain, 5 beside some; alone each item has points of its own."""
    answers = random_answers(1, 0.0)
    answers[0, 20:22] = severity, interference
    assert scored(protocol, answers)[0, 2] == pytest.approx(expected, abs=1e-9)


def test_what_is_none_of_an_items_answers_has_no_points(protocol: Protocol) -> None:
    answers = random_answers(4, 0.0)
    answers[0, 20] = 7
    answers[1, 21] = 0
    answers[2, 0] = 2.5
    blank = answers.copy()
    blank[0, 20] = blank[1, 21] = blank[2, 0] = np.nan
    np.testing.assert_array_equal(scored(protocol, answers), scored(protocol, blank))


def test_one_missing_scale_leaves_no_component(protocol: Protocol) -> None:
    answers = random_answers(2, 0.0)
    answers[1, [16, 17]] = np.nan
    found = scored(protocol, answers)
    assert not np.isnan(found[0]).any()
    assert np.isnan(found[1, [6, 8, 9]]).all() and not np.isnan(found[1, [0, 1, 2, 3, 4, 5, 7]]).any()


def test_the_six_scales_that_both_score_alike_are_those_of_rand_36(protocol: Protocol) -> None:
    panel = answered(protocol, random_answers(30, 0.0))
    values = derive(plan(protocol), panel)
    alike = {
        "physical-functioning": "physical-functioning",
        "role-physical": "role-physical",
        "role-emotional": "role-emotional",
        "vitality": "energy",
        "social-functioning": "social-functioning",
        "mental-health": "emotional-wellbeing",
    }
    assert all(np.isfinite(values[f"tested-{name}"]).any() for name in alike)
    for ours, rands in alike.items():
        np.testing.assert_array_equal(values[f"tested-{ours}"], values[f"rand-36-{rands}"])


def test_children_have_no_score(protocol: Protocol) -> None:
    assert np.isnan(scored(protocol, random_answers(2, 0.0), age=13.9)).all()


def test_a_questionnaire_that_scores_anothers_answers_is_not_asked(protocol: Protocol) -> None:
    assert "tested-sf-36" not in {assessment.id for assessment in protocol.assessments}
    rand = protocol.assessment("rand-36")
    assert rand.questionnaire is not None and rand.questionnaire.id == "rand-36"
    assert {name: file.id for name, file in rand.scorings.items() if name != "sf-36"} == {
        "rand-36": "rand-36",
        "tested-sf-36": "sf-36-v1",
    }
    assert "questionnaires/sf-36-v1.yaml" in protocol.files


def test_a_scale_that_the_file_does_not_have_is_refused(protocol: Protocol) -> None:
    changed = load_protocol(protocol.path, ["protocol.parameters.tested-vitality.options.scale=energy"])
    with pytest.raises(InputError) as refused:
        plan(changed)
    (problem,) = refused.value.problems
    assert problem.rule == "known-scale" and "physical-component" in problem.remedy
