"""Simulated trials to whom something odd happened: an arm without events, one participant in all, ties everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import polars as pl

from equipoise.analysis.analyse import analyse_records
from equipoise.analysis.datasets import analysis_datasets
from equipoise.analysis.plan import plan
from equipoise.protocol.load import load_protocol
from equipoise.records.allocation import Allocation, Slot
from equipoise.records.records import Records
from equipoise.simulate.scenario import load_scenario
from equipoise.verbs.analysing import write_analysis
from equipoise.verbs.folder import OutputFolder
from equipoise.verbs.importing import write_protocol, write_trial
from equipoise.verbs.provenance import record_step, software
from equipoise.verbs.simulating import simulated_records

EARLY, LATE = "group-a", "group-b"
PEOPLE = 10
SMALL = f"protocol.randomisation.participants={PEOPLE}"
STRATA = (
    "protocol.randomisation.method=permuted-blocks",
    "protocol.randomisation.block_sizes=[2]",
    "protocol.randomisation.limit=null",
    "protocol.randomisation.strata=[{id: age, label: Age, levels: ["
    + ", ".join(
        f"{{id: from-{low}, label: '{low} to {low + 3}', expression: age >= {low} && age < {low + 4}}}"
        for low in range(8, 41, 4)
    )
    + "]}]",
)


@dataclass
class Trial:
    """The tables of a trial and who was allocated to which arm, to be changed."""

    tables: dict[str, pl.DataFrame]
    arms: dict[str, str]
    slots: Mapping[str, Slot] = field(default_factory=dict)

    def people(self, arm: str | None = None) -> list[str]:
        """Those allocated, or those of one arm."""
        return sorted(person for person, theirs in self.arms.items() if arm in (None, theirs))

    def keep(self, table: str, which: pl.Expr) -> None:
        self.tables[table] = self.tables[table].filter(which)

    def put(self, table: str, which: pl.Expr, **values: object) -> None:
        """Set columns of some rows of a table."""
        frame = self.tables[table]
        columns = (
            pl.when(which)
            .then(value if isinstance(value, pl.Expr) else pl.lit(value, frame.schema[name]))
            .otherwise(pl.col(name))
            .alias(name)
            for name, value in values.items()
        )
        self.tables[table] = frame.with_columns(*columns)

    def restrict(self, people: list[str]) -> None:
        """Leave these people alone in all tables."""
        for name, frame in self.tables.items():
            self.tables[name] = frame.filter(pl.col("participant").is_in(people))
        self.arms = {person: arm for person, arm in self.arms.items() if person in people}


Change = Callable[[Trial], None]


def of(people: list[str]) -> pl.Expr:
    return pl.col("participant").is_in(people)


def is_(**cells: str) -> pl.Expr:
    return pl.all_horizontal(*(pl.col(name) == value for name, value in cells.items()))


@cache
def _simulated(changes: tuple[str, ...]) -> tuple[Records, Allocation]:
    return simulated_records(load_protocol("msc-t1d", (SMALL, *changes)), load_scenario("published"), 5)


@dataclass(frozen=True)
class Oddity:
    """What is odd, by which change of the trial, under which changes of the protocol."""

    name: str
    change: Change
    protocol: tuple[str, ...] = ()


def make(oddity: Oddity, folder: Path, *, blinded: bool = False) -> Path:
    """The folder of the analysed trial, as `equipoise analyse` leaves it."""
    simulated, allocation = _simulated(oddity.protocol)
    trial = Trial(dict(simulated.tables), dict(allocation.arms), allocation.slots)
    oddity.change(trial)
    people = trial.tables["participants"]
    if "entry_day" in people.columns:
        # Days of entry begin with 0; who entered first may have been taken out.
        trial.tables["participants"] = people.with_columns(pl.col("entry_day") - pl.col("entry_day").min())
    for name, table in trial.tables.items():  # no seed gives these records: they are not said to be simulated
        trial.tables[name] = table.with_columns(source=pl.lit("an odd trial"))
    records = Records.of(simulated.protocol, trial.tables, collected=simulated.collected)
    arms = None if blinded else Allocation.of(trial.arms, trial.slots)
    analysed = analyse_records(records, arms, software=software())
    target = OutputFolder(folder)
    write_protocol(target, records.protocol)
    write_trial(target, records, arms)
    write_analysis(target, analysed, analysis_datasets(plan(records.protocol), analysed.data))
    record_step(target, "analyse", ["equipoise", "analyse"], {"records": records.digest})
    return folder


def _no_events(assessment: str, arm: str | None) -> Change:
    return lambda trial: trial.keep("events", ~(is_(assessment=assessment) & of(trial.people(arm))))


def _exercise(minutes: float) -> Change:
    return lambda trial: trial.put("findings", is_(assessment="exercise", status="done"), value=minutes)


def _below_limit(tests: Mapping[str, float]) -> Change:
    def change(trial: Trial) -> None:
        for test, limit in tests.items():
            which = is_(assessment="cytokines", test=test, status="done")
            trial.put("findings", which, value=limit, censored="left", original=f"<{limit:g}")

    return change


CYTOKINES = {
    "ifn-gamma": 4.0,
    "tnf-alpha": 4.0,
    "il-6": 2.0,
    "il-17": 4.0,
    "il-1-beta": 1.0,
    "il-4": 2.0,
    "il-10": 2.0,
    "tgf-beta-1": 1.0,
}


def _lost_early(trial: Trial) -> None:
    last = 150
    for name, day in (("visits", "day"), ("findings", "day"), ("events", "start_day"), ("interventions", "day")):
        trial.keep(name, pl.col(day).is_null() | (pl.col(day) <= last))
    trial.put(
        "participants", of(trial.people()), last_contact_day=last, status="lost", reason="moved without an address"
    )


def _not_held(visit: str) -> Change:
    def change(trial: Trial) -> None:
        trial.put("visits", is_(visit=visit), status="missed", day=None, reason="clinic closed")
        trial.keep("findings", ~is_(visit=visit))

    return change


def _arm_of(count: int) -> Change:
    def change(trial: Trial) -> None:
        trial.arms = {p: EARLY if place < count else LATE for place, p in enumerate(trial.people())}

    return change


def _tied(*, within_arms: bool) -> Change:
    def change(trial: Trial) -> None:
        done = (pl.col("status") == "done") & ~is_(assessment="diary")
        if within_arms:
            # Equal at baseline, so that nothing but the arm tells people apart.
            early = of(trial.people(EARLY)) & ~pl.col("visit").is_in(["screening", "baseline", "dose-1"])
            trial.put("findings", done, value=pl.when(early).then(2.0).otherwise(3.0), censored=None)
        else:
            trial.put("findings", done, value=3.0, censored=None)

    return change


def _repeated(trial: Trial) -> None:
    findings, visits = trial.tables["findings"], trial.tables["visits"]
    again = findings.filter(pl.col("status") == "done").with_columns(
        sequence=pl.col("sequence") + 1, value=pl.col("value") + 1
    )
    besides = findings.filter(is_(visit="month-12", status="done")).with_columns(
        visit=pl.lit("unscheduled"), day=pl.col("day") + 3
    )
    trial.tables["findings"] = pl.concat([findings, again, besides])
    held = visits.filter(is_(visit="month-6")).with_columns(sequence=pl.lit(2, pl.Int32), day=pl.col("day") + 1)
    apart = visits.filter(is_(visit="month-12")).with_columns(visit=pl.lit("unscheduled"), day=pl.col("day") + 3)
    trial.tables["visits"] = pl.concat([visits, held, apart])


def _swapped(trial: Trial) -> None:
    """The reason of an infusion says that it held the other arm's product."""
    person = trial.people(LATE)[0]
    which = of([person]) & is_(treatment="study treatment", period="period-1")
    trial.put("interventions", which, reason="given the product of the other arm by mistake")


def _without_value(trial: Trial) -> None:
    person = [trial.people()[0]]
    for name in ("visits", "findings", "events", "interventions"):
        trial.keep(name, ~of(person))
    trial.put("participants", of(person), first_dose_day=None, last_contact_day=None, age_years=None, sex=None)


def _only(count: int) -> Change:
    return lambda trial: trial.restrict(trial.people()[:count])


def _unchanged(trial: Trial) -> None:
    return None


ODDITIES = {
    item.name: item
    for item in (
        Oddity("no-hypoglycaemia-in-one-arm", _no_events("hypoglycaemia", EARLY)),
        Oddity("no-hypoglycaemia-on-placebo", _no_events("hypoglycaemia", LATE)),
        Oddity("no-hypoglycaemia", _no_events("hypoglycaemia", None)),
        Oddity("no-adverse-event-in-one-arm", _no_events("adverse-events", EARLY)),
        Oddity("no-adverse-event", _no_events("adverse-events", None)),
        Oddity("nobody-exercises", _exercise(0.0)),
        Oddity("everybody-exercises", _exercise(400.0)),
        Oddity("a-cytokine-below-its-limit", _below_limit({"il-17": 4.0})),
        Oddity("all-cytokines-below-their-limits", _below_limit(CYTOKINES)),
        Oddity("one-participant-a-stratum", _unchanged, STRATA),
        Oddity("everyone-lost-before-month-6", _lost_early),
        Oddity("month-12-not-held", _not_held("month-12")),
        Oddity("baseline-not-held", _not_held("baseline")),
        Oddity("month-3-not-held", _not_held("month-3")),
        Oddity("an-arm-of-one", _arm_of(1)),
        Oddity("an-arm-of-none", _arm_of(0)),
        Oddity("placebo-of-none", _arm_of(PEOPLE)),
        Oddity("all-values-equal", _tied(within_arms=False)),
        Oddity("values-equal-within-arms", _tied(within_arms=True)),
        Oddity("duplicate-visits", _repeated),
        Oddity("the-other-arms-product", _swapped),
        Oddity("nothing-of-one-participant", _without_value),
        Oddity("one-participant-in-all", _only(1)),
        Oddity("nobody", _only(0)),
    )
}
