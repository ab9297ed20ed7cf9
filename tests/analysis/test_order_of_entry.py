"""Order of entry is data: sets of strata, random blocks and gaps by brute force; renaming changes nothing."""

from __future__ import annotations

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Iterator
from types import MappingProxyType

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.analysis.analyse import analyse_records
from equipoise.analysis.reference_set import Reference, reference, sequences
from equipoise.analysis.results import to_data
from equipoise.protocol.load import load_protocol
from equipoise.protocol.model import Protocol
from equipoise.records.allocation import Allocation
from equipoise.records.from_panel import to_records
from equipoise.records.from_records import to_panel
from equipoise.records.panel import Panel
from equipoise.records.records import Records
from equipoise.records.scramble import scrambled_allocation
from equipoise.records.strata import strata_of
from equipoise.simulate.scenario import load_scenario
from equipoise.simulate.trial import simulate_trial, simulate_trials
from tests.analysis.test_rerandomisation_method import designed, trials

STRATA = (
    "protocol.randomisation.strata=[{id: age, label: Age, levels: [{id: child, label: Below 18, expression: age < 18}, "
    "{id: adult, label: Adult, expression: age >= 18}]}]"
)
BLOCKS = ("protocol.randomisation.method=permuted-blocks", "protocol.randomisation.limit=null")
SMALL = "protocol.randomisation.participants=10"


def listed(
    arms: list[int],
    protocol: Protocol,
    *,
    sequence: list[int],
    stratum: list[str] | None = None,
    block: list[int] | None = None,
    size: list[int] | None = None,
) -> Panel:
    """One trial with these arms and places in the list."""
    panel = trials(np.array([arms]), protocol)
    entry = dict(panel.entry)
    for name, values in (("sequence", sequence), ("block", block), ("block_size", size)):
        if values is not None:
            entry[name] = np.array([values], float)
    if stratum is not None:
        entry["stratum"] = np.array([stratum])
    return dataclasses.replace(panel, entry=MappingProxyType(entry))


def chances(given: Reference, group, panel: Panel) -> dict[tuple[int, ...], float]:
    """Arms in the order of the axis -> probability."""
    assert given.status[0] == "ok", given.status
    assert given.probabilities is not None
    back = np.argsort(group.place[0])
    return {tuple(row[back].tolist()): chance for row, chance in zip(given.arms, given.probabilities, strict=True)}


def found(panel: Panel) -> dict[tuple[int, ...], float]:
    (group,) = sequences(panel)
    return chances(reference(panel.protocol, group, 200_000), group, panel)


def conditioned(joint: dict[tuple[int, ...], float], arms: list[int]) -> dict[tuple[int, ...], float]:
    kept = {row: chance for row, chance in joint.items() if sum(row) == sum(arms) and chance > 0}
    return {row: chance / sum(kept.values()) for row, chance in kept.items()}


def stick(n: int, limit: int) -> Iterator[tuple[tuple[int, ...], float]]:
    """Every sequence of big stick with its probability: a coin, until one arm is ahead by the limit."""
    for row in itertools.product((0, 1), repeat=n):
        ahead, chance = 0, 1.0
        for arm in row:
            chance *= 0.5 if abs(ahead) < limit else float((arm == 0) == (ahead < 0))
            ahead += 1 if arm == 0 else -1
        yield row, chance


def same(mine: dict[tuple[int, ...], float], theirs: dict[tuple[int, ...], float]) -> None:
    assert set(mine) == set(theirs)
    for row, chance in theirs.items():
        assert mine[row] == pytest.approx(chance, rel=1e-10)


@pytest.mark.requirement("ORDER-REFERENCE")
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_strata_and_gaps_are_as_every_list_written_out(data: st.DataObject) -> None:
    """Two strata of big stick with slots that nobody entered, against all lists up to the last number of each."""
    limit, lists = data.draw(st.integers(1, 3)), {}
    for name in ("child", "adult"):
        length = data.draw(st.integers(1, 5))
        lists[name] = sorted({*data.draw(st.sets(st.integers(1, length), max_size=3)), length})
    full = {name: list(stick(numbers[-1], limit)) for name, numbers in lists.items()}
    order = data.draw(st.permutations([(name, number) for name, numbers in lists.items() for number in numbers]))
    joint: dict[tuple[int, ...], float] = defaultdict(float)
    for (one, chance_one), (two, chance_two) in itertools.product(full["child"], full["adult"]):
        rows = {"child": one, "adult": two}
        joint[tuple(rows[name][number - 1] for name, number in order)] += chance_one * chance_two
    arms = list(data.draw(st.sampled_from(sorted(row for row, chance in joint.items() if chance > 0))))
    protocol = designed(load_protocol("msc-t1d", [STRATA]), limit=limit)
    panel = listed(arms, protocol, sequence=[number for _, number in order], stratum=[name for name, _ in order])
    same(found(panel), conditioned(joint, arms))


@pytest.mark.requirement("ORDER-REFERENCE")
def test_each_stratum_has_a_list_of_its_own() -> None:
    """Big stick with limit 1: people one and two of a stratum are on different arms, whoever came between them."""
    protocol = designed(load_protocol("msc-t1d", [STRATA]), limit=1)
    panel = listed([0, 0, 1, 1], protocol, sequence=[1, 1, 2, 2], stratum=["child", "adult", "child", "adult"])
    same(found(panel), {(0, 0, 1, 1): 0.25, (0, 1, 1, 0): 0.25, (1, 0, 0, 1): 0.25, (1, 1, 0, 0): 0.25})


@pytest.mark.requirement("ORDER-REFERENCE")
@given(data=st.data())
@settings(max_examples=12, deadline=None)
def test_random_blocks_are_as_every_block_written_out(data: st.DataObject) -> None:
    """Blocks of 2 and 4 in two strata, some broken: each block is a shuffled list, of which some slots were entered."""
    blocks = data.draw(
        st.lists(st.tuples(st.sampled_from(["child", "adult"]), st.sampled_from([2, 4])), min_size=1, max_size=3)
    )
    people: list[tuple[str, int, int, int]] = []
    parts: list[dict[tuple[int, ...], float]] = []
    used: dict[str, tuple[int, int]] = {}
    for name, size in blocks:
        block, before = used.get(name, (0, 0))
        slots = sorted(data.draw(st.sets(st.integers(1, size), min_size=1)))
        people += [(name, before + slot, block + 1, size) for slot in slots]
        used[name] = (block + 1, before + size)
        part: dict[tuple[int, ...], float] = defaultdict(float)
        shuffled = list(itertools.permutations([0, 1] * (size // 2)))
        for row in shuffled:
            part[tuple(row[slot - 1] for slot in slots)] += 1 / len(shuffled)
        parts.append(part)
    joint: dict[tuple[int, ...], float] = defaultdict(float)
    for rows in itertools.product(*(part.items() for part in parts)):
        joint[tuple(itertools.chain.from_iterable(row for row, _ in rows))] += float(np.prod([c for _, c in rows]))
    arms = list(data.draw(st.sampled_from(sorted(joint))))
    protocol = designed(load_protocol("msc-t1d", [STRATA]), method="permuted-blocks", limit=None, block_sizes=(2, 4))
    names, numbers, block, size = (list(column) for column in zip(*people, strict=True))
    panel = listed(arms, protocol, sequence=numbers, stratum=names, block=block, size=size)
    same(found(panel), conditioned(joint, arms))


@pytest.mark.requirement("ORDER-REFERENCE")
def test_blocks_of_one_size_are_counted_off_and_gaps_stay_in_them() -> None:
    protocol = designed(method="permuted-blocks", limit=None, block_sizes=(4,))
    panel = listed([0, 1, 1], protocol, sequence=[1, 2, 6])  # two of the first block, one of the second
    joint = {(a, b, c): (1 / 6 if a == b else 1 / 3) / 2 for a, b, c in itertools.product((0, 1), repeat=3)}
    same(found(panel), conditioned(joint, [0, 1, 1]))


@pytest.mark.requirement("ORDER-REFERENCE")
def test_draws_of_a_long_list_with_gaps_agree_with_the_whole_set(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol = designed()
    panel = listed([0, 1, 0, 1, 1, 0, 0, 1], protocol, sequence=[1, 2, 5, 6, 9, 10, 11, 14])
    whole = found(panel)
    monkeypatch.setattr("equipoise.analysis.reference_set.LARGEST_SET", 1)
    (group,) = sequences(panel)
    drawn = reference(panel.protocol, group, 40_000)
    assert drawn.probabilities is None
    rows, counts = np.unique(drawn.arms, axis=0, return_counts=True)
    assert {tuple(row) for row in rows.tolist()} <= set(whole)
    for row, count in zip(rows.tolist(), counts, strict=True):
        assert count / 40_000 == pytest.approx(whole[tuple(row)], abs=5 * np.sqrt(whole[tuple(row)] / 40_000))


@pytest.mark.requirement("ORDER-STATUS", "ANALYSIS-STATUS")
@pytest.mark.parametrize(
    ("changes", "entry", "words"),
    [
        ({}, {"sequence": None}, "do not hold the order of allocation"),
        (
            {"method": "minimisation", "limit": None, "probability": 0.8},
            {"sequence": [1, 2, 4, 5]},
            "minimisation depends",
        ),
        ({"method": "permuted-blocks", "limit": None, "block_sizes": (2, 4)}, {}, "sizes of the blocks were random"),
        (
            {"method": "permuted-blocks", "limit": None, "block_sizes": (2, 4)},
            {"sequence": [1, 2, 5, 6], "block_size": [2, 2, 2, 2]},
            "do not hold each participant's block",
        ),
        ({}, {"sequence": [1, 2, 2, 3]}, "have one number"),
        ({}, {"sequence": [1, 2, 3, 10**8]}, "larger than 100000"),
    ],
)
def test_what_the_records_do_not_hold_is_said(changes: dict, entry: dict, words: str) -> None:
    panel = trials(np.array([[0, 1, 1, 0]]), designed(**changes))
    values = {name: np.full((1, 4), np.nan) if v is None else np.array([v], float) for name, v in entry.items()}
    panel = dataclasses.replace(panel, entry=MappingProxyType({**panel.entry, **values}))
    (group,) = sequences(panel)
    given_set = reference(panel.protocol, group, 999)
    assert given_set.status[0].startswith("the design-based test cannot be done: ")
    assert words in given_set.status[0]


@pytest.mark.requirement("ORDER-STATUS")
def test_tosses_need_no_order_and_no_strata() -> None:
    protocol = designed(load_protocol("msc-t1d", [STRATA]), method="simple", limit=None)
    panel = trials(np.array([[0, 1, 1, 0]]), protocol)
    empty = np.full((1, 4), np.nan)
    panel = dataclasses.replace(panel, entry=MappingProxyType({**panel.entry, "sequence": empty}))
    assert len(found(panel)) == 6


# ---- Strata from the records ----


@pytest.mark.requirement("ORDER-STRATA")
@pytest.mark.parametrize("changes", [(), (*BLOCKS, "protocol.randomisation.block_sizes=[2, 4]")])
def test_a_simulated_stratified_trial_keeps_its_design_based_tests(changes: tuple[str, ...]) -> None:
    protocol = load_protocol("msc-t1d", [STRATA, *changes])
    panel = simulate_trial(protocol, load_scenario("no-effect"), 1)
    allocated = panel.arm[0] >= 0
    age = np.floor(panel.covariates["age_years"][0])
    assert panel.entry["stratum"][0, allocated].tolist() == np.where(age < 18, "child", "adult")[allocated].tolist()
    for name in ("child", "adult"):
        numbers = panel.entry["sequence"][0, panel.entry["stratum"][0] == name]
        assert numbers.tolist() == list(range(1, len(numbers) + 1))
    for group in sequences(panel):
        assert reference(protocol, group, 999).status[0] == "ok"
    # Without the column the strata are read from the records by their expressions, and the set is the same.
    bare = dataclasses.replace(panel, entry=MappingProxyType({**panel.entry, "stratum": np.full(panel.arm.shape, "")}))
    assert (strata_of(bare).cells[0, allocated] == strata_of(panel).cells[0, allocated]).all()
    for one, two in zip(sequences(panel), sequences(bare), strict=True):
        np.testing.assert_array_equal(reference(protocol, one, 999).arms, reference(protocol, two, 999).arms)


@pytest.mark.requirement("ORDER-STRATA")
def test_a_stratum_is_read_from_a_test_at_a_visit_in_the_variables_unit() -> None:
    level = ", ".join(
        f"{{id: {name}, label: {name}, expression: fasting_cpeptide {sign} 1}}"
        for name, sign in (("low", "<"), ("high", ">="))
    )
    protocol = load_protocol(
        "msc-t1d", [f"protocol.randomisation.strata=[{{id: reserve, label: Reserve, levels: [{level}]}}]"]
    )
    variables = tuple(
        item.model_copy(update={"from_": source}) if item.name == "fasting_cpeptide" else item
        for item in protocol.eligibility.variables
        for source in [type(protocol.eligibility.variables[0].from_)(test="fasting.cpeptide", visit="screening")]
    )
    eligibility = protocol.eligibility.model_copy(update={"variables": variables})
    protocol = dataclasses.replace(protocol, authored=protocol.authored.model_copy(update={"eligibility": eligibility}))
    panel = simulate_trial(protocol, load_scenario("no-effect"), 1)
    allocated = panel.arm[0] >= 0
    bare = dataclasses.replace(panel, entry=MappingProxyType({**panel.entry, "stratum": np.full(panel.arm.shape, "")}))
    assert (strata_of(bare).cells[0, allocated] == strata_of(panel).cells[0, allocated]).all()
    assert len(set(strata_of(bare).cells[0, allocated])) == 2


# ---- A dry run ----


def analysed(records: Records, allocation: Allocation, scrambled: int | None = None) -> dict:
    return to_data(analyse_records(records, allocation, software={}, scrambled=scrambled).results)


@pytest.mark.requirement("ORDER-SCRAMBLE", "PLAN-DRY-RUN")
@pytest.mark.parametrize(
    "changes",
    [
        (),
        (STRATA,),
        (STRATA, *BLOCKS, "protocol.randomisation.block_sizes=[2, 4]"),
        (
            STRATA,
            "protocol.randomisation.method=minimisation",
            "protocol.randomisation.limit=null",
            "protocol.randomisation.probability=0.8",
        ),
    ],
)
def test_scrambled_arms_are_the_procedures_in_order_of_entry(changes: tuple[str, ...]) -> None:
    protocol = load_protocol("msc-t1d", changes)
    records, real = to_records(simulate_trial(protocol, load_scenario("no-effect"), 2))
    drawn = {seed: scrambled_allocation(records, seed) for seed in range(6)}
    assert len({tuple(item.arms.values()) for item in drawn.values()}) == 6
    assert scrambled_allocation(records, 3) == drawn[3]
    for item in drawn.values():
        assert set(item.arms) == set(real.arms)
        for group in sequences(to_panel(records, item)):
            assert reference(protocol, group, 999).status[0] == "ok"
        if changes:
            strata = {person: slot.stratum for person, slot in item.slots.items()}
            assert strata == {person: slot.stratum for person, slot in real.slots.items()}


@pytest.mark.requirement("ORDER-SCRAMBLE", "PLAN-DRY-RUN")
def test_scrambled_arms_are_never_further_apart_than_the_limit(first: tuple[Records, Allocation]) -> None:
    """In each stratum, at every number of its list."""
    for seed in range(20):
        allocation = scrambled_allocation(first[0], seed)
        for stratum in {slot.stratum for slot in allocation.slots.values()}:
            mine = {
                slot.sequence: allocation.arms[name]
                for name, slot in allocation.slots.items()
                if slot.stratum == stratum
            }
            steps = [1 if mine[number] == "group-a" else -1 for number in sorted(mine)]
            assert sorted(mine) == list(range(1, len(mine) + 1))
            assert np.abs(np.cumsum(steps)).max() <= 2


@pytest.mark.requirement("ORDER-SCRAMBLE", "PLAN-DRY-RUN")
def test_every_result_of_the_real_run_runs_in_the_dry_run() -> None:
    protocol = load_protocol("msc-t1d", [STRATA])
    records, real = to_records(simulate_trial(protocol, load_scenario("published"), 2))
    wanted = {"cpeptide-12-permuted", "hba1c-12-permuted", "cytokines-12-panel"}
    kept = tuple(item for item in protocol.analyses if item.id in wanted)
    statuses = []
    for allocation, seed in ((real, None), (scrambled_allocation(records, 5), 5)):
        found_results = analysed(records, allocation, seed)["results"]
        mine = [item for item in found_results if item["analysis"] in {one.id for one in kept}]
        statuses.append({item["id"]: item["status"] for item in mine})
        assert len(mine) > len(wanted)
    assert statuses[0] == statuses[1]
    assert not any("cannot be done" in status for status in statuses[1].values())


@pytest.mark.requirement("ORDER-SCRAMBLE")
def test_a_dry_run_of_sites_that_the_data_do_not_hold_cannot_test_by_design_either() -> None:
    protocol = load_protocol("t1dal")
    records, _ = to_records(simulate_trial(protocol, load_scenario("no-effect"), 1))
    (group,) = sequences(to_panel(records, scrambled_allocation(records, 3)))
    assert "the data do not hold site" in reference(protocol, group, 999).status[0]


# ---- Renaming ----


def renamed(records: Records, allocation: Allocation, names: dict[str, str]) -> tuple[Records, Allocation]:
    tables = {
        name: table.with_columns(pl.col("participant").replace_strict(names, return_dtype=pl.String))
        for name, table in records.tables.items()
        if table.height
    }
    arms = {names[person]: arm for person, arm in allocation.arms.items()}
    slots = {names[person]: slot for person, slot in allocation.slots.items()}
    return Records.of(records.protocol, tables, collected=records.collected), Allocation.of(arms, slots)


def leaves(data: object, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from leaves(value, f"{path}.{key}")
    elif isinstance(data, list):
        for place, value in enumerate(data):
            yield from leaves(value, f"{path}[{place}]")
    else:
        yield path, data


IDS = ("records", "allocation", "software")


def comparable(results: dict, names: dict[str, str] | None = None) -> dict[str, object]:
    """Every leaf but digests; rows of tables that name people are sorted, and their names are the first ones again."""
    back = {new: old for old, new in (names or {}).items()}
    kept = {key: value for key, value in results.items() if key not in IDS}
    for table in kept.get("tables", []):
        rows = [[back.get(cell, cell) if isinstance(cell, str) else cell for cell in row] for row in table["rows"]]
        named = any(isinstance(cell, str) and cell in (names or {}) for row in rows for cell in row)
        table["rows"] = sorted(rows, key=repr) if named else rows
    return dict(leaves(kept))


@pytest.fixture(scope="module")
def first() -> tuple[Records, Allocation]:
    protocol = load_protocol("msc-t1d", [STRATA, SMALL])
    (panel,) = simulate_trials(protocol, load_scenario("published"), 6, 1)
    return to_records(panel)


@pytest.fixture(scope="module")
def results(first: tuple[Records, Allocation]) -> dict:
    return analysed(*first)


@pytest.mark.requirement("ORDER-RENAMING")
@given(data=st.data())
@settings(max_examples=3, deadline=None)
def test_renaming_and_sorting_anew_change_no_result(
    first: tuple[Records, Allocation], results: dict, data: st.DataObject
) -> None:
    """Every leaf of results.json: names and numbers alike, numbers to rounding, as sums are taken in another order."""
    records, allocation = first
    people = records.participants["participant"].to_list()
    words = data.draw(st.permutations([f"{'XYZ'[n % 3]}{n}" for n in range(1, len(people) + 1)]))
    names = dict(zip(people, words, strict=True))
    again = comparable(analysed(*renamed(records, allocation, names)), names)
    before = comparable(results, names)
    assert again.keys() == before.keys()
    for path, value in before.items():
        other = again[path]
        if isinstance(value, float) and isinstance(other, float):
            assert other == pytest.approx(value, rel=1e-9, abs=1e-12), path
        else:
            assert other == value, path


@pytest.mark.requirement("ORDER-RENAMING")
@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_renaming_changes_no_arm_of_a_dry_run(first: tuple[Records, Allocation], data: st.DataObject) -> None:
    records, _ = first
    people = records.participants["participant"].to_list()
    names = dict(zip(people, data.draw(st.permutations([f"P{n}" for n in range(1, len(people) + 1)])), strict=True))
    other, _ = renamed(records, Allocation.of({}), names)
    before, after = scrambled_allocation(records, 4), scrambled_allocation(other, 4)
    assert {names[person]: arm for person, arm in before.arms.items()} == dict(after.arms)
    assert {names[person]: slot for person, slot in before.slots.items()} == dict(after.slots)
