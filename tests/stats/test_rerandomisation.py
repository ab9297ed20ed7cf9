"""Re-randomisation: plain twins in Python over all sequences, exact levels, limits by brute force, and speed."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from math import log
from statistics import mean

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from equipoise.randomisation import BigStick, PermutedBlocks, Realised, Simple
from equipoise.stats import Status, ancova_design, contrast, difference_weights, fit_least_squares
from equipoise.stats.rerandomisation import rerandomise_difference, rerandomise_rates, working_scores
from tests.stats.reference import ROOT

NO_COVARIATES = np.zeros((1, 0))


def everybody(values):
    return np.ones(values.shape, np.bool_)


def plain_big_stick(n, limit):
    """Every sequence of big stick with its probability, by walking through all of them: 1 is the active arm."""
    found = {}
    for sequence in product((0, 1), repeat=n):
        ahead, chance = 0, Fraction(1)
        for arm in sequence:
            if abs(ahead) == limit:
                chance *= int((arm == 1) == (ahead < 0))
            else:
                chance /= 2
            ahead += 1 if arm == 1 else -1
        if chance:
            found[sequence] = chance
    return found


def plain_difference(values, sequence, kept):
    """The difference of the arms' means, infinite where an arm has nobody."""
    groups = [[v for v, a, k in zip(values, sequence, kept, strict=True) if k and a == arm] for arm in (0, 1)]
    return mean(groups[1]) - mean(groups[0]) if all(groups) else float("inf")


def plain_p(statistic, observed, chances, alternative="two-sided"):
    """The probability of all that is at least as extreme, sequence by sequence."""
    turn = {"two-sided": abs, "greater": lambda x: x, "less": lambda x: -x}[alternative]
    own = turn(statistic(observed))
    total = Fraction(0)
    for sequence, chance in chances.items():
        found = statistic(sequence)
        if found == float("inf") or turn(found) >= own - 1e-9:
            total += chance
    return float(total)


def sampled(source, chances, count):
    """Sequences drawn from a design that is written out, (count, n) bool."""
    sequences = np.array(list(chances), np.bool_)
    share = np.array([float(chance) for chance in chances.values()])
    return sequences[source.choice(len(sequences), size=count, p=share)]


@pytest.mark.requirement("STATS-RERANDOMISED")
@pytest.mark.parametrize(("n", "limit"), [(6, 1), (6, 2), (7, 2), (8, 2), (8, 3)])
@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.requirement("ANALYSIS-RERANDOMISED")
def test_the_exact_p_is_that_of_every_sequence_written_out(n, limit, alternative):
    source = np.random.default_rng(n * 10 + limit)
    chances = plain_big_stick(n, limit)
    active = sampled(source, chances, 4)
    outcome = np.round(source.normal(size=(4, n)), 1)  # with ties
    kept = everybody(outcome)
    kept[1, 0] = kept[2, 1] = False
    outcome[~kept] = np.nan
    whole = BigStick(limit).enumerate(Realised(n))
    found = rerandomise_difference(
        outcome,
        NO_COVARIATES,
        kept,
        active,
        whole.arms == 1,
        probabilities=whole.probabilities,
        alternative=alternative,
    )
    assert found.exact and found.draws == len(chances) and not found.mc_error.any()
    for r in range(4):
        expected = plain_p(lambda s, r=r: plain_difference(outcome[r], s, kept[r]), active[r], chances, alternative)
        assert found.p_value[r] == pytest.approx(expected, abs=1e-12)


def test_with_equal_probabilities_it_is_the_permutation_test():
    source = np.random.default_rng(8)
    outcome = np.round(source.normal(size=8), 1)
    active = np.array([1, 0, 0, 1, 1, 0, 1, 0], np.bool_)
    extreme = total = 0
    own = abs(outcome[active].mean() - outcome[~active].mean())
    for chosen in combinations(range(8), 4):
        other = [i for i in range(8) if i not in chosen]
        extreme += abs(mean(outcome[list(chosen)]) - mean(outcome[other])) >= own - 1e-9
        total += 1
    balanced = np.array([[i in chosen for i in range(8)] for chosen in combinations(range(8), 4)])
    found = rerandomise_difference(
        outcome[None],
        NO_COVARIATES,
        everybody(outcome[None]),
        active[None],
        balanced,
        probabilities=np.full(70, 1 / 70),
    )
    assert total == 70
    assert found.p_value[0] == pytest.approx(extreme / 70)
    assert found.smallest[0] == pytest.approx(2 / 70), "the most extreme sequence and its mirror image"


@pytest.mark.requirement("STATS-RERANDOMISED")
@pytest.mark.parametrize("made", [BigStick(2), PermutedBlocks((4,)), Simple()])
def test_a_p_of_draws_agrees_with_the_exact_p_within_its_error(made):
    source = np.random.default_rng(12)
    n = 12
    whole = made.enumerate(Realised(n))
    active = made.allocate(source.random((20, n))) == 1
    outcome = source.normal(size=(20, n)) + 0.8 * active
    kept = source.random((20, n)) < 0.9
    outcome[~kept] = np.nan
    exact = rerandomise_difference(
        outcome, NO_COVARIATES, kept, active, whole.arms == 1, probabilities=whole.probabilities
    )
    drawn = made.draw(Realised(n), source.random((20_000, n))) == 1
    found = rerandomise_difference(outcome, NO_COVARIATES, kept, active, drawn)
    assert not found.exact and found.draws == 20_000
    assert_array_equal(exact.status, Status.OK)
    empty = ((drawn[None] & kept[:, None]).sum(axis=2) % kept.sum(axis=1)[:, None] == 0).sum(axis=1)
    assert_allclose(found.smallest, (1 + empty) / 20_001, rtol=1e-12)
    assert (np.abs(found.p_value - exact.p_value) <= 4 * found.mc_error + 1 / 20_001).all()
    assert_allclose(found.mc_error, np.sqrt(found.p_value * (1 - found.p_value) / 20_001))
    p = found.p_value * 20_001
    assert_allclose(p, np.round(p), atol=1e-6)


def chance_of_rejection(p_values, chances, level):
    return float(chances[p_values <= level * (1 + 1e-9)].sum())


def exact_levels(outcome, design, reference):
    """The p-value by the set `reference` where each sequence of `design` is the observed one."""
    count = len(design.arms)
    whole = np.broadcast_to(outcome, (count, len(outcome)))
    found = rerandomise_difference(
        whole, NO_COVARIATES, everybody(whole), design.arms == 1, reference.arms == 1,
        probabilities=reference.probabilities,
    )  # fmt: skip
    return found.p_value


ALTERNATING = np.array([1.0, -1.0] * 6)


@pytest.mark.parametrize("outcome", [np.arange(12.0), ALTERNATING + 0.01 * np.arange(12), np.arange(12.0) ** 3])
@pytest.mark.requirement("ANALYSIS-RERANDOMISED")
def test_whatever_the_outcome_no_level_is_exceeded_under_the_trials_own_design(outcome):
    design = BigStick(2).enumerate(Realised(12))
    p_values = exact_levels(outcome, design, design)
    for level in np.unique(p_values):
        assert chance_of_rejection(p_values, design.probabilities, level) <= level + 1e-9


def test_under_another_design_the_level_is_exceeded_or_wasted():
    design = BigStick(1).enumerate(Realised(12))
    simple = Simple().enumerate(Realised(12))
    balanced = simple.arms.sum(axis=1) == 6
    wrong = type(simple)("complete", int(balanced.sum()), simple.arms[balanced], np.full(balanced.sum(), 1 / 924))
    alternating = exact_levels(ALTERNATING + 0.01 * np.arange(12), design, wrong)
    assert chance_of_rejection(alternating, design.probabilities, 0.05) > 0.15
    trend = exact_levels(np.arange(12.0), design, wrong)
    assert chance_of_rejection(trend, design.probabilities, 0.05) == 0


def adjusted(seed, trials=6, n=21):
    """Trials with two covariates, people missing, and an effect."""
    source = np.random.default_rng(seed)
    active = BigStick(2).allocate(source.random((trials, n))) == 1
    covariates = source.normal(size=(trials, n, 2)) * [1.0, 50.0] + [0.0, 1e4]
    outcome = 0.7 * covariates[..., 0] + source.normal(size=(trials, n)) + 0.9 * active
    kept = source.random((trials, n)) < 0.9
    outcome[~kept] = np.nan
    drawn = BigStick(2).draw(Realised(n), source.random((1999, n))) == 1
    return outcome, covariates, kept, active, drawn


def test_the_estimate_is_that_of_the_analysis_of_covariance():
    outcome, covariates, kept, active, drawn = adjusted(1)
    found = rerandomise_difference(outcome, covariates, kept, active, drawn)
    fit = fit_least_squares(outcome, ancova_design(active.astype(int), covariates, 2), kept)
    expected = contrast(fit, difference_weights(1, 0, 4)).estimate
    assert_allclose(found.estimate, expected, rtol=1e-9)
    assert ((found.lower < found.estimate) & (found.estimate < found.upper)).all()


@pytest.mark.requirement("STATS-RERANDOMISED")
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_limits_are_where_the_p_of_a_shift_passes_the_level(level):
    outcome, covariates, kept, active, drawn = adjusted(2)
    found = rerandomise_difference(outcome, covariates, kept, active, drawn, level=level)
    assert np.isfinite([found.lower, found.upper]).all()

    def p_at(shift):
        shifted = outcome - shift[:, None] * active
        return rerandomise_difference(shifted, covariates, kept, active, drawn).p_value

    for limit, outwards in ((found.lower, -1), (found.upper, 1)):
        assert (p_at(limit - outwards * 1e-6) > 1 - level).all()
        assert (p_at(limit + outwards * 1e-6) <= 1 - level + 1e-12).all()
    assert_allclose(p_at(found.estimate), 1)
    rejected = found.p_value <= 1 - level + 1e-12
    assert_array_equal((found.lower > 0) | (found.upper < 0), rejected)


def test_between_the_limits_no_shift_is_rejected_and_beyond_them_each_is():
    outcome, covariates, kept, active, drawn = adjusted(3, trials=1)
    shifts = np.linspace(-4, 5, 181)
    many = np.repeat(outcome, 181, axis=0) - shifts[:, None] * active
    p = rerandomise_difference(
        many, np.repeat(covariates, 181, axis=0), np.repeat(kept, 181, axis=0), np.repeat(active, 181, axis=0), drawn
    ).p_value
    found = rerandomise_difference(outcome, covariates, kept, active, drawn)
    assert_array_equal((shifts > found.lower) & (shifts < found.upper), p > 0.05)


def test_exact_limits_weigh_sequences_by_their_probabilities():
    source = np.random.default_rng(10)
    design = BigStick(2).enumerate(Realised(10))
    active = design.arms[[40]] == 1
    outcome = source.normal(size=(1, 10)) + active

    def tested(shift=0.0):
        values = outcome - shift * active
        return rerandomise_difference(
            values, NO_COVARIATES, everybody(values), active, design.arms == 1, probabilities=design.probabilities
        )

    whole = tested()
    for limit, outwards in ((whole.lower[0], -1), (whole.upper[0], 1)):
        assert tested(limit - outwards * 1e-7).p_value[0] > 0.05
        assert tested(limit + outwards * 1e-7).p_value[0] <= 0.05


def test_in_four_hundred_trials_the_interval_holds_the_effect():
    source = np.random.default_rng(20_261_123)
    made, effect = BigStick(2), 0.6
    active = made.allocate(source.random((400, 21))) == 1
    baseline = source.standard_exponential(size=(400, 21, 1))
    trend = np.linspace(-1, 1, 21)
    outcome = 0.7 * baseline[..., 0] + trend + source.standard_t(4, size=(400, 21)) + effect * active
    kept = source.random((400, 21)) < 0.9
    drawn = made.draw(Realised(21), source.random((1999, 21))) == 1
    found = rerandomise_difference(outcome, baseline, kept, active, drawn)
    share = ((found.lower <= effect) & (effect <= found.upper)).mean()
    # Three standard errors of 400 trials are 3.3 percentage points.
    assert 0.917 < share < 0.983


@pytest.mark.parametrize(("limit", "pattern"), [(2, "trend"), (1, "alternating")])
def test_p_values_of_the_own_design_are_uniform_whatever_drifts(limit, pattern):
    source = np.random.default_rng(31)
    made = BigStick(limit)
    active = made.allocate(source.random((4000, 21))) == 1
    drift = {"trend": np.linspace(-2, 2, 21), "alternating": 1.5 * (-1.0) ** np.arange(21)}[pattern]
    outcome = drift + source.normal(size=(4000, 21))
    own = made.draw(Realised(21), source.random((999, 21))) == 1
    found = rerandomise_difference(outcome, NO_COVARIATES, everybody(outcome), active, own)
    expected = (np.arange(4000) + 0.5) / 4000
    # Kolmogorov's distance exceeds 1.95/sqrt(n) in one of a thousand; one set of 999 draws for all adds its own error.
    assert np.abs(np.sort(found.p_value) - expected).max() < 1.95 / np.sqrt(4000) + 1.95 / np.sqrt(999)
    error = np.sqrt(0.05 * 0.95 * (1 / 4000 + 1 / 999))
    assert 0.05 - 4 * error < (found.p_value <= 0.05).mean() < 0.05 + 4 * error


DRIFTS = {
    "no drift": np.zeros(21),
    "rise from −2 to 2": np.linspace(-2, 2, 21),
    "1.5 higher and lower in turn": 1.5 * (-1.0) ** np.arange(21),
}


def shares_rejected(drift, effect):
    """By the own design, by all orders of 11 and 10, and by t: how many of 4,000 trials, in percent."""
    source = np.random.default_rng(20_261_124)
    active = BigStick(2).allocate(source.random((4000, 21))) == 1
    outcome = drift + source.normal(size=(4000, 21)) + effect * active
    own = BigStick(2).draw(Realised(21), source.random((1999, 21))) == 1
    orders = source.permuted(np.tile(np.arange(21) % 2 == 0, (1999, 1)), axis=1)
    shares = []
    for drawn in (own, orders):
        found = rerandomise_difference(outcome, NO_COVARIATES, everybody(outcome), active, drawn)
        shares.append((found.p_value <= 0.05 + 1e-12).mean())
    fit = fit_least_squares(outcome, ancova_design(active.astype(int), NO_COVARIATES, 2), everybody(outcome))
    shares.append((contrast(fit, difference_weights(1, 0, 2)).p_value <= 0.05).mean())
    return [f"{100 * share:.1f} %" for share in shares]


def test_the_page_tells_what_the_own_design_and_the_wrong_one_reject():
    page = (ROOT / "docs" / "statistics" / "rerandomisation.md").read_text(encoding="utf-8")
    _, table = page.split("| outcomes by order of entry | effect | own design", 1)
    lines = table.split("\n\n", 1)[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if " % | " in line]
    assert [(row[0], row[1]) for row in rows] == [*((name, "none") for name in DRIFTS), ("rise from −2 to 2", "1.5")]
    for name, effect, *printed in rows:
        assert shares_rejected(DRIFTS[name], 0.0 if effect == "none" else float(effect)) == printed


def events(source, trials, n):
    active = BigStick(2).allocate(source.random((trials, n))) == 1
    counts = source.negative_binomial(0.8, 0.8 / 3.8, size=(trials, n)).astype(float)
    years = source.uniform(0.2, 1.1, size=(trials, n))
    return counts, years, active


def plain_log_ratio(counts, years, sequence, kept):
    x, t = [0.0, 0.0], [0.0, 0.0]
    for count, time, arm, there in zip(counts, years, sequence, kept, strict=True):
        if there:
            x[int(arm)] += count
            t[int(arm)] += time
    if not all(t):
        return float("inf")
    if not all(x):
        x = [events + 0.5 for events in x]
    return log(x[1] / t[1]) - log(x[0] / t[0])


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_rates_agree_with_every_sequence_written_out(alternative):
    source = np.random.default_rng(3)
    counts, years, active = events(source, 6, 8)
    counts[0] = 0
    counts[0, :2] = [3, 2]  # in many sequences one arm has no event
    kept = everybody(counts)
    kept[1, :6] = [True, False, False, True, False, False]
    active[1, [0, 3]] = [True, False]
    counts[~kept] = years[~kept] = np.nan
    whole = BigStick(2).enumerate(Realised(8))
    found = rerandomise_rates(
        counts, years, kept, active, whole.arms == 1, probabilities=whole.probabilities, alternative=alternative
    )
    chances = plain_big_stick(8, 2)
    for r in range(6):
        expected = plain_p(
            lambda s, r=r: plain_log_ratio(counts[r], years[r], s, kept[r]), active[r], chances, alternative
        )
        assert found.p_value[r] == pytest.approx(expected, abs=1e-12)
        assert found.statistic[r] == pytest.approx(plain_log_ratio(counts[r], years[r], active[r], kept[r]))
    assert np.isnan(found.lower).all() and np.isnan(found.upper).all()


def test_rates_have_their_estimate_and_an_arm_without_events_an_infinite_one():
    counts = np.array([[2.0, 1, 0, 3], [0, 1, 0, 3], [2, 0, 4, 0], [0, 0, 0, 0]])
    years = np.array([[1.0, 2, 0.5, 1]]).repeat(4, axis=0)
    active = np.array([[True, False, True, False]]).repeat(4, axis=0)
    drawn = PermutedBlocks((2,)).draw(Realised(4), np.random.default_rng(1).random((99, 4))) == 1
    found = rerandomise_rates(counts, years, everybody(counts), active, drawn)
    assert found.estimate[0] == pytest.approx(log((2 / 1.5) / (4 / 3)), abs=1e-12)
    assert_array_equal(found.estimate[1:3], [-np.inf, np.inf])
    assert np.isfinite(found.p_value[:3]).all()
    assert found.statistic[1] == pytest.approx(log((0.5 / 1.5) / (4.5 / 3)))
    assert found.status[3] == Status.NO_EVENTS and np.isnan(found.p_value[3])
    assert found.messages[0] == "ok"


def test_neither_a_constant_nor_the_unit_nor_the_order_of_trials_matters():
    outcome, covariates, kept, active, drawn = adjusted(4)
    found = rerandomise_difference(outcome, covariates, kept, active, drawn)
    other = rerandomise_difference(1e6 - 1e3 * outcome, covariates, kept, active, drawn)
    assert_array_equal(other.p_value, found.p_value)
    assert_allclose(other.lower, -1e3 * found.upper, rtol=1e-7)
    mirrored = rerandomise_difference(outcome, covariates, kept, ~active, ~drawn)
    assert_array_equal(mirrored.p_value, found.p_value)
    assert_allclose(mirrored.lower, -found.upper, rtol=1e-9)
    for r in range(len(outcome)):
        one = slice(r, r + 1)
        alone = rerandomise_difference(outcome[one], covariates[one], kept[one], active[one], drawn)
        assert alone.p_value[0] == found.p_value[r]
        assert_allclose([alone.lower[0], alone.upper[0]], [found.lower[r], found.upper[r]], rtol=1e-9)


def test_draws_of_each_trials_own_and_blocks_of_trials_change_nothing(monkeypatch):
    outcome, covariates, kept, active, drawn = adjusted(5)
    counts, years, other = events(np.random.default_rng(6), 6, 21)
    plain = rerandomise_difference(outcome, covariates, kept, active, drawn)
    rates = rerandomise_rates(counts, years, kept, other, drawn)
    monkeypatch.setattr("equipoise.stats.rerandomisation.BLOCK", 4000)
    each = np.broadcast_to(drawn, (6, *drawn.shape))
    for allocations in (drawn, each):
        found = rerandomise_difference(outcome, covariates, kept, active, allocations)
        assert_array_equal(found.p_value, plain.p_value)
        assert_allclose(found.upper, plain.upper, rtol=1e-9)
        assert_array_equal(rerandomise_rates(counts, years, kept, other, allocations).p_value, rates.p_value)


def test_ties_count_on_every_platform():
    """Sums of tenths that are equal on paper and differ by rounding."""
    outcome = np.array([[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]])
    active = np.array([[True, False, False, True, False, True]])
    balanced = np.array([[i in chosen for i in range(6)] for chosen in combinations(range(6), 3)])
    whole = {"probabilities": np.full(20, 1 / 20)}
    found = rerandomise_difference(outcome, NO_COVARIATES, everybody(outcome), active, balanced, **whole)
    tenths = [1, 2, 3, 4, 5, 6]
    sums = [sum(tenths[i] for i in chosen) for chosen in combinations(range(6), 3)]
    assert found.p_value[0] == pytest.approx(sum(abs(2 * s - 21) >= 1 for s in sums) / 20) == 1
    ordered = np.array([[False, False, False, True, True, True]])
    assert rerandomise_difference(
        outcome, NO_COVARIATES, everybody(outcome), ordered, balanced, **whole
    ).p_value[0] == pytest.approx(2 / 20)  # fmt: skip


def test_an_arm_that_is_emptied_by_missing_values_counts_as_extreme():
    outcome = np.array([[1.0, np.nan, np.nan, 2.0, np.nan, 5.0]])
    kept = ~np.isnan(outcome)
    active = np.array([[True, False, True, False, True, False]])
    drawn = np.array([[True, False, False, True, False, True], [True, True, False, False, True, False]])
    found = rerandomise_difference(outcome, NO_COVARIATES, kept, active, drawn)
    assert found.p_value[0] == 1, "everybody with a value in one arm; and the arms as they were"
    assert np.isinf([found.lower[0], found.upper[0]]).all()
    whole = rerandomise_difference(outcome, NO_COVARIATES, kept, active, drawn, probabilities=np.array([0.3, 0.7]))
    assert (whole.p_value[0], whole.smallest[0]) == (1, 1)


def test_too_few_draws_exclude_nothing():
    outcome, covariates, kept, active, drawn = adjusted(7)
    found = rerandomise_difference(outcome, covariates, kept, active, drawn[:18])
    assert np.isinf(found.lower).all() and np.isinf(found.upper).all() and (found.p_value > 0.05).all()


def test_a_trial_that_cannot_be_tested_has_a_status_and_spoils_no_other():
    outcome, covariates, kept, active, drawn = adjusted(9, trials=7)
    kept[:] = True
    outcome = np.nan_to_num(outcome)
    kept[1] = False
    outcome[2, 3] = np.inf
    outcome[3] = 4.0
    covariates[4, :, 1] = 7.0
    kept[5] = active[5]
    covariates[6, :, 0] = active[6]
    found = rerandomise_difference(outcome, covariates, kept, active, drawn)
    expected = [
        Status.OK,
        Status.NO_OBSERVATIONS,
        Status.NOT_FINITE,
        Status.CONSTANT_OUTCOME,
        Status.SINGULAR_DESIGN,
        Status.SINGULAR_DESIGN,
        Status.SINGULAR_DESIGN,
    ]
    assert_array_equal(found.status, expected)
    for name in ("estimate", "lower", "upper", "p_value", "smallest", "mc_error", "statistic"):
        assert_array_equal(np.isnan(getattr(found, name)), found.status != Status.OK)
    alone = rerandomise_difference(outcome[:1], covariates[:1], kept[:1], active[:1], drawn)
    assert alone.p_value[0] == found.p_value[0]
    years = np.ones(outcome.shape)
    years[0, ~active[0]] = 0
    counts = np.ones(outcome.shape)
    counts[2, 3] = np.inf
    rates = rerandomise_rates(counts, years, kept, active, drawn)
    expected = [Status.NO_EXPOSURE, Status.NO_OBSERVATIONS, Status.NOT_FINITE, *[Status.OK] * 2, Status.NO_EXPOSURE, 0]
    assert_array_equal(rates.status, expected)


@pytest.mark.requirement("STATS-RERANDOMISED")
def test_scores_are_residuals_without_arms():
    outcome, covariates, kept, _, _ = adjusted(11)
    scores, status = working_scores(outcome, covariates, kept)
    assert_array_equal(status, Status.OK)
    assert not scores[~kept].any()
    assert_allclose(scores.sum(axis=1), 0, atol=1e-9)
    for r in range(len(outcome)):
        design = np.column_stack([np.ones(kept[r].sum()), covariates[r, kept[r]]])
        fitted = design @ np.linalg.lstsq(design, outcome[r, kept[r]], rcond=None)[0]
        assert_allclose(scores[r, kept[r]], outcome[r, kept[r]] - fitted, atol=1e-8)


def test_mistakes_of_the_caller_are_errors():
    outcome, covariates, kept, active, drawn = adjusted(13)

    def test(**changed):
        given = {"outcome": outcome, "covariates": covariates, "included": kept, "active": active, "drawn": drawn}
        return rerandomise_difference(**{**given, **changed})

    for changed, words in (
        ({"level": 95}, "level"),
        ({"alternative": "bigger"}, "alternative"),
        ({"drawn": drawn.astype(int)}, "boolean"),
        ({"included": kept.astype(int)}, "boolean"),
        ({"drawn": drawn[:, :20]}, "do not fit"),
        ({"drawn": drawn[:0]}, "do not fit"),
        ({"active": active[0]}, "do not fit"),
        ({"drawn": np.stack([drawn] * 2)}, "do not fit"),
        ({"probabilities": np.full(1999, 1.0)}, "sum to 1"),
        ({"probabilities": np.ones(1)}, "one probability"),
    ):
        with pytest.raises(ValueError, match=words):
            test(**changed)
    with pytest.raises(ValueError, match="negative"):
        rerandomise_rates(-np.ones((6, 21)), np.ones((6, 21)), kept, active, drawn)
