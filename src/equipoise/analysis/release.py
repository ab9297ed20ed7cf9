"""Lots that were infused and their release tests: which failed, and what the failure means."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from equipoise.analysis.data import AnalysisData
from equipoise.analysis.doses import UNKNOWN, Doses
from equipoise.protocol.schema.treatment import Product, ReleaseTest

SIGNAL, DEVIATION = "signal", "deviation"
DEVIATING_KINDS = ("viability", "count")
"""Kinds of gates whose failure is a deviation; that of any other gate is a signal."""
NO_GATE = "no gate recorded as failed"


@dataclass(frozen=True, slots=True)
class FailedTest:
    """A release test of an infused lot that was not passed.

    dose: row of the doses. test: None where a lot is called failed and no test says why. tier: SIGNAL or DEVIATION.
    result: as reported. decision: what became of the lot.
    """

    dose: int
    lot: str
    test: ReleaseTest | None
    tier: str
    result: str
    decision: str

    @property
    def after_release(self) -> bool:
        return self.test is not None and self.test.timing == "after-release"


@dataclass(frozen=True, slots=True)
class Release:
    """What is known of the infused lots.

    failed: in the order of doses and tests. doses: how many held a product with release tests; untested: of those
    without a lot, or whose lot lacks the result of a gate. doubtful: of those whose lot passed a gate by the word and
    has a reported result that is not the one to pass. strangers: rows of doses whose lot was made for another
    participant.
    measured: row of a dose -> what its lot holds of the dose.
    """

    failed: tuple[FailedTest, ...]
    doses: int
    untested: int
    doubtful: int
    strangers: tuple[int, ...]
    measured: dict[int, float]


def release_of(data: AnalysisData, doses: Doses) -> Release:
    """Release tests of the lots of one trial's doses; only of products that have such tests."""
    lots = _Lots(data)
    failed: list[FailedTest] = []
    measured: dict[int, float] = {}
    strangers: list[int] = []
    counted = untested = doubtful = 0
    for place in range(len(doses)):
        product = _tested_product(data, int(doses.product[place]))
        if product is None:
            continue
        counted += 1
        lot = str(doses.lot[place])
        rows = lots.rows.get(lot, [])
        by_test = {lots.text(row, "test"): row for row in rows}
        untested += any(test.use == "gate" and not lots.told(by_test.get(test.id)) for test in product.release_tests)
        gates = [(t, by_test[t.id]) for t in product.release_tests if t.use == "gate" and t.id in by_test]
        doubtful += any(lots.number(row, "passed") == 1 and _unexpected(lots, row, test) for test, row in gates)
        if rows and product.kind == "autologous-cells" and lots.owner(rows[0]) != int(doses.person[place]):
            strangers.append(place)
        failed += _failures(lots, product, place, lot, rows)
        for test in product.release_tests:
            if test.measures == "dose" and test.id in by_test:
                measured[place] = lots.number(by_test[test.id], "value")
    return Release(tuple(failed), counted, untested, doubtful, tuple(strangers), measured)


def _tested_product(data: AnalysisData, code: int) -> Product | None:
    if code == UNKNOWN:
        return None
    product = data.protocol.products[code]
    return product if product.release_tests else None


class _Lots:
    """The rows of the lots of one trial, by lot."""

    def __init__(self, data: AnalysisData) -> None:
        self.table = data.panel.lots
        self.rows: dict[str, list[int]] = {}
        if self.table.columns:
            for row in np.flatnonzero(self.table.trial == data.trial):
                self.rows.setdefault(self.text(int(row), "lot"), []).append(int(row))

    def text(self, row: int, name: str) -> str:
        return str(self.table.columns[name][row])

    def number(self, row: int, name: str) -> float:
        return float(self.table.columns[name][row])

    def told(self, row: int | None) -> bool:
        """Whether a test has a result: passed or not, or what was reported."""
        return row is not None and (not math.isnan(self.number(row, "passed")) or bool(_result(self, row)))

    def owner(self, row: int) -> int:
        return int(self.table.participant[row])


def _failures(lots: _Lots, product: Product, place: int, lot: str, rows: list[int]) -> Iterator[FailedTest]:
    tests = {test.id: test for test in product.release_tests}
    gates = 0
    for row in rows:
        test = tests.get(lots.text(row, "test"))
        if test is None or not _failed(lots, row, test):
            continue
        gates += test.use == "gate"
        tier = SIGNAL if test.use == "gate" and test.kind not in DEVIATING_KINDS else DEVIATION
        yield FailedTest(place, lot, test, tier, _result(lots, row), lots.text(row, "decision"))
    if rows and not gates and (decision := lots.text(rows[0], "decision")) == "failed":
        yield FailedTest(place, lot, None, SIGNAL, NO_GATE, decision)


def _failed(lots: _Lots, row: int, test: ReleaseTest) -> bool:
    """By the laboratory's word; a number outside the limits fails whatever the word, and a word where there is none."""
    passed = lots.number(row, "passed")
    if passed == 0:
        return True
    value = lots.number(row, "value")
    comparable = not math.isnan(value) and lots.text(row, "unit") in ("", test.unit)
    if comparable and (
        (test.lower is not None and value < test.lower) or (test.upper is not None and value > test.upper)
    ):
        return True
    return math.isnan(passed) and _unexpected(lots, row, test)


def _unexpected(lots: _Lots, row: int, test: ReleaseTest) -> bool:
    """Whether a result was reported in words that are not those to pass, whatever capitals, blanks and full stop."""
    text = _plain(lots.text(row, "original"))
    return test.expected is not None and bool(text) and text != _plain(str(test.expected))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".")


def _result(lots: _Lots, row: int) -> str:
    text, value = lots.text(row, "original"), lots.number(row, "value")
    return text or ("" if math.isnan(value) else f"{value:.10g}")
