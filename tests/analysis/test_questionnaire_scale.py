"""Scores of questionnaires: RAND's table, answers missing, ages, and the first parameter that has a value."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType

import numpy as np
import pytest

from equipoise.analysis.derive import derive
from equipoise.analysis.plan import plan
from equipoise.errors import InputError
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.panel import Panel
from tests.records.panels import make_panel

# RAND's scoring instructions, number of the item -> answer -> points (Hays, Sherbourne & Mazel 1993).
FALLING5, RISING5 = (
    dict(zip(range(1, 6), (100, 75, 50, 25, 0), strict=True)),
    dict(zip(range(1, 6), range(0, 101, 25), strict=True)),
)
FALLING6, RISING6 = (
    dict(zip(range(1, 7), range(100, -1, -20), strict=True)),
    dict(zip(range(1, 7), range(0, 101, 20), strict=True)),
)
RAND = (
    dict.fromkeys((1, 2, 20, 22, 34, 36), FALLING5)
    | {key: {1: 0, 2: 50, 3: 100} for key in range(3, 13)}
    | {key: {1: 0, 2: 100} for key in range(13, 20)}
    | dict.fromkeys((21, 23, 26, 27, 30), FALLING6)
    | dict.fromkeys((24, 25, 28, 29, 31), RISING6)
    | dict.fromkeys((32, 33, 35), RISING5)
)
SCALES = {
    "physical-functioning": range(3, 13),
    "role-physical": range(13, 17),
    "role-emotional": range(17, 20),
    "energy": (23, 27, 29, 31),
    "emotional-wellbeing": (24, 25, 26, 28, 30),
    "social-functioning": (20, 32),
    "pain": (21, 22),
    "general-health": (1, 33, 34, 35, 36),
}


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return load_protocol("msc-t1d")


def answered(protocol: Protocol, name: str, answers: np.ndarray, age: float = 20.0) -> Panel:
    """A Panel of one trial in which each row of answers (people, items) is given at every visit."""
    plain = make_panel(protocol, len(answers), seed=2, missing=0.0, awkward=False)
    block = plain.blocks[name]
    value = np.broadcast_to(answers[None, :, None, None, :], block.value.shape).copy()
    changed = dataclasses.replace(block, value=value, censored=np.zeros_like(block.censored))
    covariates = {**plain.covariates, "age_years": np.full((1, len(answers)), age)}
    return dataclasses.replace(
        plain,
        blocks=MappingProxyType({**plain.blocks, name: changed}),
        covariates=MappingProxyType(covariates),
    )


def score(panel: Panel, parameter: str) -> np.ndarray:
    return derive(plan(panel.protocol), panel)[parameter][0, :, panel.visit_index("month-12")]


def random_answers(protocol: Protocol, name: str, people: int) -> np.ndarray:
    questionnaire = protocol.assessment(name).questionnaire
    assert questionnaire is not None
    source = np.random.default_rng(5)
    columns = [source.integers(item.lowest, item.highest + 1, people) for item in questionnaire.items]
    return np.stack(columns, axis=1).astype(np.float64)


@pytest.mark.requirement("ANALYSIS-FIRST-ANSWERS")
@pytest.mark.parametrize("scale", SCALES)
def test_rand_36_is_scored_by_rands_table(protocol: Protocol, scale: str) -> None:
    answers = random_answers(protocol, "rand-36", 40)
    found = score(answered(protocol, "rand-36", answers), f"rand-36-{scale}")
    expected = [np.mean([RAND[number][int(row[number - 1])] for number in SCALES[scale]]) for row in answers]
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("scale", SCALES)
def test_the_best_answers_of_rand_36_score_100_and_the_worst_0(protocol: Protocol, scale: str) -> None:
    best = [max(RAND[number], key=RAND[number].__getitem__) for number in range(1, 37)]
    worst = [min(RAND[number], key=RAND[number].__getitem__) for number in range(1, 37)]
    answers = np.array([best, worst], np.float64)
    np.testing.assert_array_equal(score(answered(protocol, "rand-36", answers), f"rand-36-{scale}"), [100, 0])


def test_rands_own_example_of_energy(protocol: Protocol) -> None:
    """Answers 4, 3 and 3 to items 23, 27 and 29, and 31 left blank: (40 + 60 + 40)/3, in RAND's instructions 46.7."""
    answers = np.full((1, 36), np.nan)
    answers[0, [22, 26, 28]] = 4, 3, 3
    found = score(answered(protocol, "rand-36", answers), "rand-36-energy")
    np.testing.assert_allclose(found, [140 / 3])


def test_every_item_of_rand_36_counts_once(protocol: Protocol) -> None:
    questionnaire = protocol.assessment("rand-36").questionnaire
    assert questionnaire is not None
    counted = [item for scale in questionnaire.scales for item in scale.items]
    assert sorted(counted) == sorted(item.id for item in questionnaire.items)


def test_a_blank_answer_is_left_out_and_no_answer_gives_no_score(protocol: Protocol) -> None:
    answers = random_answers(protocol, "rand-36", 3)
    answers[0, 22] = np.nan  # one of energy's items
    answers[1, [22, 26, 28, 30]] = np.nan
    found = score(answered(protocol, "rand-36", answers), "rand-36-energy")
    assert found[0] == pytest.approx(np.mean([RAND[number][int(answers[0, number - 1])] for number in (27, 29, 31)]))
    assert np.isnan(found[1]) and not np.isnan(found[2])


@pytest.mark.parametrize(
    ("name", "items", "enough", "age"), [("dqol", 46, 23, 20.0), ("pedsql-diabetes", 33, 17, 10.0)]
)
def test_diabetes_scales_go_from_worst_to_best_and_need_half_of_the_answers(
    protocol: Protocol, name: str, items: int, enough: int, age: float
) -> None:
    questionnaire = protocol.assessment(name).questionnaire
    assert questionnaire is not None
    lowest, highest = questionnaire.items[0].lowest, questionnaire.items[0].highest
    answers = np.full((4, items), float(lowest))
    answers[1] = highest
    answers[2, enough:] = np.nan
    answers[3, enough - 1 :] = np.nan
    found = score(answered(protocol, name, answers, age), f"{name}-total")
    np.testing.assert_array_equal(found, [100, 0, 100, np.nan])


def test_outside_its_ages_a_questionnaire_has_no_score_and_the_other_one_counts(protocol: Protocol) -> None:
    answers = np.ones((2, 46))
    child, adult = answered(protocol, "dqol", answers, 13.9), answered(protocol, "dqol", answers, 14.0)
    assert np.isnan(score(child, "dqol-total")).all()
    assert (score(adult, "dqol-total") == 100).all()
    np.testing.assert_array_equal(score(child, "quality-of-life"), score(child, "pedsql-diabetes-total"))
    np.testing.assert_array_equal(score(adult, "quality-of-life"), score(adult, "dqol-total"))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("protocol.parameters.dqol-total.options.scale=sum", "known-scale"),
        ("protocol.parameters.dqol-total.options.questionnaire=hba1c", "known-questionnaire"),
        ("protocol.parameters.quality-of-life.options.parameters=[dqol-total, hba1c]", "parameter-unit"),
        ("protocol.parameters.cytokine-balance.options.pro=[cytokines.il-99]", "known-test"),
        ("protocol.parameters.cytokine-balance.options.anti=[cytokines.il-6]", "test-once"),
        ("protocol.parameters.cytokine-balance.options.anti=[treg.percent]", "one-assessment"),
        ("protocol.parameters.cytokine-balance.options.pro=[mmtt.cpeptide]", "single-time-point"),
    ],
)
def test_options_without_meaning_are_refused(change: str, rule: str) -> None:
    with pytest.raises(InputError) as refused:
        plan(load_protocol("msc-t1d", [change]))
    assert rule in {problem.rule for problem in refused.value.problems}
