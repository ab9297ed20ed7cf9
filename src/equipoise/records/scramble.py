"""Arms that mean nothing, drawn by the trial's own procedure: for a dry run while no one may know the real ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from equipoise.errors import InputError
from equipoise.protocol.model import Protocol
from equipoise.randomisation import procedure
from equipoise.randomisation.walk import Sequential
from equipoise.records.allocation import BETWEEN_LEVELS, Allocation, Slot
from equipoise.records.classes import STATUSES
from equipoise.records.from_records import to_panel
from equipoise.records.order import ranks
from equipoise.records.panel import LABELS, Panel
from equipoise.records.records import Records
from equipoise.records.strata import UNKNOWN, levels_by_expression


def scrambled_allocation(records: Records, seed: int) -> Allocation:
    """An allocation of everybody randomised, drawn by the protocol's procedure in their order of entry, with its slots.

    Strata are read from the records by their expressions; where the records do not tell the level, it is that of the
    site, or the first: the arms mean nothing anyway, and what the real run tests the dry run tests too. Strata that the
    protocol says are not recorded stay unknown. Raises InputError where the procedure cannot allocate so many.
    """
    protocol, panel = records.protocol, to_panel(records)
    status = np.nan_to_num(panel.covariates["status"][0], nan=-1)
    randomised = np.flatnonzero(status >= STATUSES.index("randomised"))
    people = randomised[np.argsort(ranks(panel)[0, randomised], kind="stable")]
    levels = _levels(protocol, panel)[people]
    arms, sizes = _drawn(protocol, levels, seed)
    slots = _slots(protocol, levels, sizes)
    names = [panel.ids[person] for person in people]
    chosen = {name: protocol.arms[arm].id for name, arm in zip(names, arms.tolist(), strict=True)}
    return Allocation.of(chosen, dict(zip(names, slots, strict=True)))


def _levels(protocol: Protocol, panel: Panel) -> NDArray[np.int64]:
    """(n, strata) numbers of the levels of everybody."""
    columns: list[NDArray[np.int64]] = []
    for stratum in protocol.randomisation.strata:
        level = levels_by_expression(panel, stratum, panel.present)[0]
        names = [item.id for item in stratum.levels]
        site = panel.labels[LABELS[0]][0]
        by_site = np.array([names.index(text) if text in names else 0 for text in site.tolist()], np.int64)
        columns.append(np.where(level == UNKNOWN, by_site, level))
    return np.stack(columns, axis=1) if columns else np.zeros((panel.participants, 0), np.int64)


def _drawn(
    protocol: Protocol, levels: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.int8], NDArray[np.int16] | None]:
    """The arms and the sizes of the blocks, in order of entry."""
    plan, n = protocol.randomisation, len(levels)
    uniforms = np.random.default_rng([seed, n]).random((1, n))
    strata = None if not plan.strata else levels[None] if plan.method == "minimisation" else _cells(levels)[None]
    try:
        made = _procedure(protocol, n)
        arms, sizes = made.allocate(uniforms, strata), made.block_sizes(uniforms, strata)
    except ValueError as error:
        remedy = "Correct the method or its numbers; it must be able to allocate everybody randomised."
        problem = protocol.document.problem(("randomisation", "method"), "procedure-possible", str(error), remedy)
        raise InputError(f"{protocol.path}: no dry run can be drawn by this procedure", [problem]) from None
    return arms[0], None if sizes is None else sizes[0]


def _procedure(protocol: Protocol, n: int) -> Sequential:
    plan = protocol.randomisation
    return procedure(
        plan.method,
        ratio=tuple(arm.ratio for arm in protocol.arms),
        block_sizes=plan.block_sizes,
        limit=plan.limit,
        probability=plan.probability,
        length=max(plan.participants, n),
        stratified=bool(plan.strata),
    )


def _cells(levels: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for each combination of levels that occurs."""
    return np.unique(levels, axis=0, return_inverse=True)[1].ravel().astype(np.int64)


def _slots(protocol: Protocol, levels: NDArray[np.int64], sizes: NDArray[np.int16] | None) -> list[Slot]:
    """Number, stratum and block of each, in order of entry."""
    plan = protocol.randomisation
    recorded = all(stratum.recorded for stratum in plan.strata)
    one_list = not plan.strata or plan.method == "minimisation"
    numbers: dict[tuple[int, ...], int] = {}
    blocks: dict[tuple[int, ...], tuple[int, int]] = {}
    found: list[Slot] = []
    for place, row in enumerate(levels.tolist()):
        key = () if one_list else tuple(row)
        numbers[key] = numbers.get(key, 0) + 1
        size = None if sizes is None else int(sizes[place])
        block, left = blocks.get(key, (0, 0))
        if size is not None:
            block, left = (block + 1, size - 1) if left == 0 else (block, left - 1)
            blocks[key] = (block, left)
        stratum = BETWEEN_LEVELS.join(_names(protocol, row)) if plan.strata and recorded else None
        found.append(Slot(numbers[key], stratum, block if size is not None else None, size))
    return found


def _names(protocol: Protocol, row: list[int]) -> list[str]:
    strata = protocol.randomisation.strata
    return [stratum.levels[level].id if stratum.levels else "1" for stratum, level in zip(strata, row, strict=True)]
