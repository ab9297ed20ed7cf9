"""Release tests of the lots as rows of a Panel: for every infusion of everybody, whatever the arm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from equipoise.patients.chance import Bools
from equipoise.records.panel import Rows
from equipoise.simulate.treatment import NOT_REACHED, Treatment, dose_result, test_result

BEFORE_INFUSION = 1
"""Days before the infusion on which a lot is released."""


def lot_rows(treatment: Treatment, present: Bools, ids: tuple[str, ...], at: NDArray[np.int64]) -> Rows:
    """One row a lot and test, of lots whose infusion was due while the person was in the trial.

    present: (R, n). ids: the participants' identifiers; at: (R, n) index of each place among them.
    """
    lots = treatment.lots
    if lots is None:
        return Rows(np.zeros(0, np.int64), np.zeros(0, np.int64), {})
    tests = lots.product.release_tests
    trial, person, slot = np.nonzero((treatment.outcome != NOT_REACHED) & present[..., np.newaxis])
    # In the order of a Panel: by participant, then lot, then the test's name.
    names = sorted(range(len(tests)), key=lambda index: tests[index].id)
    count = len(names)
    if not trial.size:
        return Rows(np.zeros(0, np.int64), np.zeros(0, np.int64), {})
    trial, person, slot = (np.repeat(values, count) for values in (trial, person, slot))
    test = np.tile(names, trial.size // count)
    failed = lots.failed[trial, person, slot] == test
    place = lots.place[trial, person, slot, test]
    results = [
        dose_result(treatment, t, p, s)
        if tests[index].measures == "dose"
        else test_result(tests[index], float(value), failed=bool(bad))
        for t, p, s, index, value, bad in zip(trial, person, slot, test, place, failed, strict=True)
    ]
    lowest = np.array([-np.inf if item.lower is None or item.measures is None else item.lower for item in tests])
    failed |= np.array([value for _, value in results]) < lowest[test]
    decision = np.where(lots.released, np.where(lots.late, "quarantined", "released"), "failed")
    columns = {
        "lot": np.array([f"{ids[at[t, p]]}-{s + 1}" for t, p, s in zip(trial, person, slot, strict=True)], np.str_),
        "test": np.array([item.id for item in tests], np.str_)[test],
        "day": treatment.day[trial, person, slot] - BEFORE_INFUSION,
        "original": np.array([text for text, _ in results], np.str_),
        "value": np.array([value for _, value in results]),
        "unit": np.array([item.unit for item in tests], np.str_)[test],
        "passed": (~failed).astype(np.float64),
        "decision": decision[trial, person, slot],
    }
    return Rows(trial, person, columns)
