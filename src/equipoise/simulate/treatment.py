"""What is made and given: the aspirate, a lot for every planned infusion of everybody, the infusions, the exposure.

Everyone, whatever the arm, has lots of cells for every infusion, and a lot that fails keeps its infusion from being
given: so neither the lots nor the infusions that fell out tell the arm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.patients.chance import Bools, Floats, normal
from equipoise.patients.effects import Exposure
from equipoise.protocol.model import Assessment, Protocol
from equipoise.protocol.schema.treatment import Product, ReleaseTest
from equipoise.simulate.calendar import Calendar
from equipoise.simulate.intercurrent import BELOW_RANGE, NOT_GIVEN, NOTHING_OFF, PERIOD_DECLINED, SwitchedOff
from equipoise.simulate.intercurrent import LOT_FAILED as LOT_EVENT
from equipoise.simulate.scenario import Scenario
from equipoise.simulate.streams import Streams

GIVEN, NOT_REACHED, MISSED_VISIT, REFUSED, DECLINED, LOT_FAILED = 0, 1, 2, 3, 4, 5
REASONS = (
    "",
    "",
    "visit missed",
    "refused by the participant",
    "infusions of this period declined",
    "lot not released",
)
"""By outcome. A dose that was not reached (the person had left) has no record."""
HALF = 0.5
SPREAD = 0.05
"""Spread of the share of the target that an ordinary dose holds."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One planned infusion: the same day in every arm.

    visit: index of the visit of that day, or None. number: from 1 within the period. share: of a full treatment.
    """

    period: str
    number: int
    day: int
    window: int
    visit: int | None
    share: float


@dataclass(frozen=True, slots=True)
class Lots:
    """Lots of cells, one for each person and slot; (R, n, slots), results (R, n, slots, tests).

    released: whether all gates before release were passed. late: whether one after release was not.
    failed:   (R, n, slots) index of the release test that failed, -1 for none. place: uniforms for the results.
    """

    product: Product
    released: Bools
    late: Bools
    failed: NDArray[np.int64]
    place: Floats


@dataclass(frozen=True, slots=True)
class Treatment:
    """Infusions of R trials of n people; arrays are (R, n, slots).

    day: study days, whole. outcome: GIVEN or why not. product: index into the protocol's products of what it held, the
    arm's but for errors of dispensing; -1 of nobody's. active: whether that was cells (or the drug).
    weight: share of the full treatment that it was. potency: (R, n). lots: None where no product has release tests.
    """

    slots: tuple[Slot, ...]
    day: Floats
    outcome: NDArray[np.int8]
    product: NDArray[np.int8]
    active: Bools
    weight: Floats
    potency: Floats
    lots: Lots | None

    @property
    def given(self) -> Bools:
        return self.outcome == GIVEN

    @property
    def first_active(self) -> Floats:
        """The study day of each person's first active dose, (R, n); infinity without one."""
        days = np.where(self.given & self.active, self.day, np.inf)
        return np.asarray(days.min(axis=-1, initial=np.inf), np.float64)

    def exposure(self, screening_day: Floats) -> Exposure:
        """The infusions on the clock of the simulated people, days since screening, (R, n); placebo weighs nothing."""
        day = np.where(self.given, self.day - screening_day[..., np.newaxis], np.nan)
        return Exposure(day, np.where(self.given & self.active, self.weight, 0.0), self.potency)


def planned_slots(protocol: Protocol) -> tuple[Slot, ...]:
    """Every infusion that an arm plans, by day; arms share the days that they have in common."""
    found: dict[tuple[str, int], Slot] = {}
    for period in protocol.periods:
        for arm in protocol.arms:
            product = protocol.product(arm.treatments[period.id])
            for number, offset in enumerate(product.dose_days, start=1):
                day = period.first_day + offset
                visit = next((i for i, item in enumerate(protocol.visits) if item.day == day and item.period), None)
                slot = Slot(period.id, number, day, product.dose_window_days, visit, 1 / len(product.dose_days))
                found.setdefault((period.id, day), slot)
    return tuple(sorted(found.values(), key=lambda slot: slot.day))


def treat(
    protocol: Protocol,
    scenario: Scenario,
    calendar: Calendar,
    arm: NDArray[np.int8],
    present: Bools,
    draw: Streams,
    off: SwitchedOff = NOTHING_OFF,
) -> Treatment:
    """Make the lots and give the infusions; `off`: what does not happen to them in this world."""
    slots, chances = planned_slots(protocol), scenario.authored.doses
    shape = (*arm.shape, len(slots))
    doses = [(slot.period, slot.number) for slot in slots]
    lots = _make_lots(protocol, scenario, len(slots), draw, off.of(LOT_EVENT, doses) | off.of(NOT_GIVEN, doses))
    day = np.stack([_day(slot, calendar, draw) for slot in slots], axis=-1) if slots else np.zeros(shape)
    outcome = np.zeros(shape, np.int8)
    later = np.array([slot.period != protocol.periods[0].id for slot in slots])
    if lots is not None:
        outcome[~lots.released] = LOT_FAILED
    first = np.array([slot.number == 1 for slot in slots])
    # A share of 1 means that nobody has any dose: then the first of a period falls out too.
    refused = draw("doses-refused", len(slots)) < chances.refused
    outcome[refused & (~first | (chances.refused >= 1))] = REFUSED
    declined = draw("period-declined", 1) < chances.later_period_declined
    outcome[declined & later & ~off.of(PERIOD_DECLINED, doses)] = DECLINED
    for place, slot in enumerate(slots):
        if slot.visit is not None:
            outcome[~calendar.came[..., slot.visit], place] = MISSED_VISIT
    outcome[..., off.of(NOT_GIVEN, doses)] = GIVEN
    outcome[(day >= calendar.ended[..., np.newaxis]) | ~present[..., np.newaxis]] = NOT_REACHED
    sd = scenario.authored.manufacturing.potency_log_sd
    potency = np.exp(sd * normal(draw("potency", 1)[..., 0]) - sd**2 / 2)
    product = _products(protocol, slots, arm, chances.wrong_product, draw)
    active = np.array([*(item.role == "active" for item in protocol.products), False])[product]
    weight = _weight(slots, chances.below_range, draw, off.of(BELOW_RANGE, doses))
    return Treatment(slots, day, outcome, product, active, weight, potency, lots)


def _day(slot: Slot, calendar: Calendar, draw: Streams) -> Floats:
    """The day of the visit at which the dose is given, else the planned one or up to `window` days later."""
    if slot.visit is not None:
        return calendar.day[..., slot.visit]
    return slot.day + np.floor(draw(f"dose-day-{slot.day}", 1)[..., 0] * (slot.window + 1))


def _products(
    protocol: Protocol, slots: tuple[Slot, ...], arm: NDArray[np.int8], wrong: float, draw: Streams
) -> NDArray[np.int8]:
    """Index of the product in each dose, (R, n, slots): the arm's, or by mistake another one; -1 of nobody's."""
    order = [product.id for product in protocol.products]
    planned = [[order.index(item.treatments[slot.period]) for slot in slots] for item in protocol.arms]
    table = np.array([*planned, [-1] * len(slots)], np.int8).reshape(len(protocol.arms) + 1, len(slots))
    products = table[arm]  # -1, nobody, is the last row
    others = len(order) - 1
    if wrong <= 0 or not others:
        return products
    chance = draw("dispensing-errors", 2 * len(slots)).reshape(*products.shape, 2)
    step = 1 + np.floor(chance[..., 1] * others).astype(np.int8)
    mistaken = (chance[..., 0] < wrong) & (products >= 0)
    return np.where(mistaken, (products + step) % len(order), products).astype(np.int8)


def _weight(slots: tuple[Slot, ...], below_range: float, draw: Streams, never: Bools) -> Floats:
    """Share of the full treatment in each dose: its planned share, give or take; half of it where it fell short.

    never: (slots,) doses that do not fall short.
    """
    amount = np.exp(SPREAD * normal(draw("dose-amount", len(slots))))
    short = (draw("dose-short", len(slots)) < below_range) & ~never
    return np.array([slot.share for slot in slots]) * np.where(short, HALF, amount)


def cell_product(protocol: Protocol) -> Product | None:
    """The product whose lots are tested, if there is one."""
    return next((product for product in protocol.products if product.release_tests), None)


def _make_lots(protocol: Protocol, scenario: Scenario, slots: int, draw: Streams, never: Bools) -> Lots | None:
    """Lots for every dose; `never`: (slots,) those that do not fail."""
    product = cell_product(protocol)
    if product is None:
        return None
    tests = product.release_tests
    chance = draw("lots", slots * 4).reshape(draw.trials, draw.people, slots, 4)
    gates = [i for i, test in enumerate(tests) if test.use == "gate" and test.timing == "before-release"]
    after = [i for i, test in enumerate(tests) if test.use == "gate" and test.timing == "after-release"]
    made = scenario.authored.manufacturing
    broken = (chance[..., 0] < made.lot_failure) & bool(gates) & ~never
    late = ~broken & (chance[..., 2] < made.late_failure) & bool(after) & ~never
    failed = np.full(broken.shape, -1)
    if gates:
        failed[broken] = np.array(gates)[(chance[..., 1][broken] * len(gates)).astype(np.int64)]
    if after:
        failed[late] = np.array(after)[(chance[..., 3][late] * len(after)).astype(np.int64)]
    place = draw("release-tests", slots * len(tests)).reshape(draw.trials, draw.people, slots, len(tests))
    return Lots(product, ~broken, late, failed, place)


def test_result(test: ReleaseTest, place: float, *, failed: bool) -> tuple[str, float]:
    """What the laboratory reports of one test: text, and the number where it is one (else NaN)."""
    if test.expected is not None:
        return (OPPOSITES.get(test.expected, f"other than {test.expected}") if failed else test.expected), np.nan
    highest = 100.0 if test.unit == "%" else np.inf
    if test.lower is not None:
        above = min(highest, 1.3 * test.lower, np.inf if test.upper is None else test.upper)
        value = test.lower * (0.8 + 0.19 * place) if failed else test.lower + (above - test.lower) * place
    else:
        assert test.upper is not None, "a test has limits or an expected result"
        value = test.upper * (1.05 + place) if failed else test.upper * 0.9 * place
    value = round(float(value), 1 if test.unit == "%" else 2)
    return f"{value:g}", value


OPPOSITES = {
    "no growth": "growth",
    "no organisms": "organisms seen",
    "not detected": "detected",
    "normal": "abnormal",
}


def dose_result(treatment: Treatment, trial: int, person: int, slot: int) -> tuple[str, float]:
    """What a lot holds of the product's dose, to three figures; of everybody's lots, whatever the arm."""
    assert treatment.lots is not None, "only lots have results"
    share = treatment.weight[trial, person, slot] / treatment.slots[slot].share
    value = float(f"{treatment.lots.product.dose.amount * share:.3g}")
    return f"{value:.10g}", value


def infusion_assessment(protocol: Protocol) -> Assessment | None:
    """The interventions as which infusions are recorded: those of domain EX."""
    return next((item for item in protocol.assessments if item.domain == "EX"), None)
