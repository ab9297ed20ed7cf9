"""A model fitted from a formula: its numbers as frames, its means and combinations, its summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
import polars as pl

from equipoise.errors import InputError, Problem, shown
from equipoise.formula.columns import of_numbers
from equipoise.formula.design import Design
from equipoise.formula.estimable import Estimable
from equipoise.formula.grammar import Parsed
from equipoise.formula.means import compared, mean_rows
from equipoise.formula.model_frame import ModelFrame
from equipoise.formula.options import Inference
from equipoise.formula.schedule import order_note
from equipoise.formula.summary import summary
from equipoise.stats.ancova import Contrast
from equipoise.stats.arrays import Floats
from equipoise.stats.mmrm import Method, MMRMFit, RandomEffects, coefficient_covariance, contrast, implied, joint_test
from equipoise.stats.status import Status

JOINT = ("statistic", "df_numerator", "df_denominator", "p_value")
NUMBERS = ("estimate", "standard_error", "df", "statistic", "p_value")
WITH_INTERVAL = ("estimate", "standard_error", "df", "lower", "upper", "statistic", "p_value")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FittedMMRM:
    """A mixed model for repeated measures with p coefficients; where the fit failed, numbers are null.

    parsed, frame, design: what was fitted. inference: how its uncertainty is reckoned. fit: of ``equipoise.stats``.
    known: which combinations of the coefficients can be estimated. dependent: the names of columns that follow from
    those before them, where that is why it failed. coefficients: a frame of term, estimate, standard_error, df,
    statistic, p_value; p rows. covariance: (p, p), of the coefficients. Both have no number where the fit failed, or
    where a coefficient cannot be estimated.
    """

    parsed: Parsed
    frame: ModelFrame
    design: Design
    known: Estimable
    inference: Inference
    fit: MMRMFit
    dependent: tuple[str, ...]
    coefficients: pl.DataFrame = field(init=False)
    covariance: Floats = field(init=False)

    def __post_init__(self) -> None:
        every = np.eye(len(self.terms))
        found = contrasts(self.fit, self.known, every, self.inference.by)
        frame = {"term": self.terms, **{name: _numbers(getattr(found, name)) for name in NUMBERS}}
        object.__setattr__(self, "coefficients", pl.DataFrame(frame))
        covariance = np.full((len(self.terms),) * 2, np.nan)
        alone = self.known.kept[self.known.holds(every)[self.known.kept]]
        place = np.searchsorted(self.known.kept, alone)
        fitted = coefficient_covariance(self.fit, self.inference.by)
        covariance[np.ix_(alone, alone)] = fitted[np.ix_(place, place)]
        covariance.flags.writeable = False
        object.__setattr__(self, "covariance", covariance)

    @property
    def formula(self) -> str:
        """As it was read."""
        return self.parsed.text

    @property
    def method(self) -> str:
        """Of the degrees of freedom."""
        return self.inference.method

    @property
    def vcov(self) -> str:
        """``asymptotic``, ``adjusted`` (by Kenward and Roger's method) or ``CR2``."""
        return self.inference.vcov

    @property
    def reml(self) -> bool:
        """Whether the likelihood is the restricted one."""
        return self.fit.reml

    @property
    def status(self) -> Status:
        """OK, or why there are no numbers."""
        return self.fit.status

    @property
    def message(self) -> str:
        """``ok`` with what there is to know, or what happened and what to do about it."""
        if not self.dependent:
            return "; ".join([self.status.text, *self.notes])
        several = len(self.dependent) > 1
        what = f"{', '.join(self.dependent)} {'follow' if several else 'follows'} from the columns before"
        return f"{what}; leave {'them' if several else 'it'} out of the formula, or look for a combination without rows"

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of a fit: visits without values, and what cannot be estimated for want of rows."""
        found = order_note(self.fit.structure, self.frame.schedule, self.inference.by)
        found += self.frame.schedule.notes(self.fit.structure)
        if self.known.cells and self.status == Status.OK:
            lost = [
                name
                for name, alone in zip(self.terms, self.known.holds(np.eye(len(self.terms))), strict=True)
                if not alone
            ]
            found += (
                f"there is no value in {' or in '.join(self.known.cells)}: {', '.join(lost)} cannot be estimated",
            )
        return found

    @property
    def random_effects(self) -> RandomEffects | None:
        """What ``ris`` implies of an intercept and a slope; nothing for other structures, or for two visits."""
        times = self.frame.times
        if self.fit.structure != "ris" or times is None or self.status != Status.OK:
            return None
        return implied(self.fit.sigma, times)

    @property
    def terms(self) -> tuple[str, ...]:
        """The names (p,) of the coefficients."""
        return self.design.names

    @property
    def visits(self) -> tuple[str, ...]:
        """The labels (T,) of the visits."""
        return self.frame.visits

    @property
    def sigma(self) -> pl.DataFrame:
        """The covariance of a person's values (of weight 1): a column of the visits' labels, and one for each visit."""
        first = self.parsed.covariance.visit.text
        while first in self.visits:
            first += "_"
        columns = {visit: _numbers(self.fit.sigma[:, t]) for t, visit in enumerate(self.visits)}
        return pl.DataFrame({first: self.visits, **columns})

    @property
    def log_likelihood(self) -> float | None:
        """Restricted or full, with all constants."""
        return _number(self.fit.log_likelihood)

    @property
    def deviance(self) -> float | None:
        """-2 log L."""
        return _number(-2.0 * self.fit.log_likelihood)

    @property
    def aic(self) -> float | None:
        """Akaike's criterion, -2 log L + 2 for each parameter of the covariance; coefficients are not counted."""
        return _number(self.fit.aic)

    @property
    def bic(self) -> float | None:
        """Schwarz's criterion, -2 log L + log(people) for each parameter of the covariance."""
        return _number(self.fit.bic)

    @property
    def observations(self) -> int:
        """The number of rows that were analysed."""
        return self.fit.observations

    @property
    def people(self) -> int:
        """The number of people with an analysed row."""
        return self.fit.people

    @property
    def dropped(self) -> int:
        """The number of rows left out since something in them is missing."""
        return self.frame.dropped

    def contrast(self, L: Mapping[str, float] | Any, *, joint: bool = False, level: float = 0.95) -> pl.DataFrame:
        """Combinations of the coefficients, each with its t interval and test; or one F test that all are 0.

        L: weights by term, {"ARMCDTRT": 1, "ARMCDTRT:AVISITVIS4": 1}, or an array (p,) or (q, p). Gives q rows of
        estimate, standard_error, df, lower, upper, statistic, p_value, status; if ``joint``, one row of statistic,
        df_numerator, df_denominator, p_value, status. The status is ``OK`` or says why there are no numbers:
        ``equipoise.stats.Status[...].text`` says it at length.
        InputError: weights that do not fit or are all 0, a joint test with CR2, a level outside (0, 1).
        """
        rows = self._weights(L)
        if not joint:
            return self._inferred(rows, level)
        if self.inference.by == "cr2":
            message, remedy = "CR2 has no joint test", "Take the combinations one by one, or another vcov."
            raise _wrong("joint", message, remedy)
        status, numbers = Status.NOT_ESTIMABLE, [np.full(1, np.nan)] * len(JOINT)
        if self.known.holds(rows).all():
            found = joint_test(self.fit, rows[:, self.known.kept], method=self.inference.by)
            status, numbers = Status(int(found.status[0])), [getattr(found, name) for name in JOINT]
        frame = pl.DataFrame({name: _numbers(column) for name, column in zip(JOINT, numbers, strict=True)})
        return frame.with_columns(status=pl.lit(status.name))

    def lsmeans(
        self,
        by: str | Sequence[str],
        *,
        compare: str | None = None,
        at: Mapping[str, float] | None = None,
        level: float = 0.95,
    ) -> pl.DataFrame:
        """Least-squares means by factors of the model, or their differences.

        by: factors; the first varies fastest. compare: one of them, of which every level less every earlier one is
        then given, as a column ``contrast``. Other factors are averaged equally, covariates are at their means over
        the analysed rows, or as ``at`` says. Searle, Speed & Milliken, Am Stat 1980;34:216-221.
        InputError: a name that is no factor, or no covariate, of the model; a level outside (0, 1).
        """
        names = (by,) if isinstance(by, str) else by
        if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
            raise _wrong("by", "Means are taken by factors", "Give the name of one, or a list of names.", by)
        if at is not None and not isinstance(at, Mapping):
            raise _wrong("at", "Covariates are given by their names", "Give at={'base': 7.5}.", at)
        taken = {*WITH_INTERVAL, "status"} | ({"contrast"} if compare is not None else set())
        for name in names:
            if name in taken:
                raise _wrong("by", "The table has a column of this name", "Rename the factor in the data.", name)
        cells, rows = mean_rows(self.design, tuple(names), at or {})
        if compare is not None:
            cells, rows = compared(cells, rows, compare)
        numbers = self._inferred(rows, level)
        kept = numbers if compare is not None else numbers.drop("statistic", "p_value")
        return pl.concat([cells, kept], how="horizontal")

    def summary(self) -> str:
        """What was fitted and what came out, as text for a terminal."""
        return summary(self)

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        told = f"{self.observations} values of {self.people} people at {self.frame.schedule.line}"
        return f"<mmrm {self.formula}: {told}, {self.status.name}>"

    def _inferred(self, rows: Floats, level: float) -> pl.DataFrame:
        if not (isinstance(level, Real) and 0 < float(level) < 1):
            raise _wrong("level", "A level lies between 0 and 1", "Use 0.95, for example.", level)
        found = contrasts(self.fit, self.known, _nonzero(rows), self.inference.by, level=level)
        frame = pl.DataFrame({name: _numbers(getattr(found, name)) for name in WITH_INTERVAL})
        return frame.with_columns(pl.Series("status", [Status(int(code)).name for code in found.status], pl.String))

    def _weights(self, L: Any) -> Floats:
        p = len(self.terms)
        if isinstance(L, Mapping):
            for name in L:
                if name not in self.terms:
                    raise _wrong("L", "The model has no such coefficient", f"Terms are {', '.join(self.terms)}.", name)
                if self.terms.count(name) > 1:
                    remedy = "Rename a column or a level, or give weights as an array in the order of .terms."
                    raise _wrong("L", "Two coefficients have this name", remedy, name)
            L = [L.get(name, 0.0) for name in self.terms]
        try:
            if np.asarray(L).dtype.kind != "b" and not of_numbers(L):
                raise TypeError(L)
            rows = np.atleast_2d(np.asarray(L, dtype=np.float64))
        except (TypeError, ValueError):
            raise _wrong("L", "Weights are numbers", f"Give {p} for each combination.", L) from None
        if rows.ndim != 2 or rows.shape[1] != p or not len(rows):
            message = f"Weights of shape {np.shape(L)} do not fit {p} coefficients"
            raise _wrong("L", message, f"Give {p} for each combination, in the order of .terms.")
        if not np.isfinite(rows).all():
            raise _wrong("L", "A weight is not finite", "Mend it.")
        return _nonzero(rows)


def contrasts(fit: MMRMFit, known: Estimable, rows: Floats, by: Method, *, level: float = 0.95) -> Contrast:
    """``contrast`` of combinations (q, p) of all coefficients; without numbers where one cannot be estimated."""
    some = known.holds(rows)
    kept = rows[np.ix_(some, known.kept)] if some.any() else np.ones((1, len(known.kept)))
    found = contrast(fit, kept, method=by, level=level)
    if some.all():
        return found
    place = np.cumsum(some) - 1
    numbers = {
        name: np.where(some, getattr(found, name)[place], np.nan)
        for name in ("estimate", "standard_error", "df", "lower", "upper", "statistic", "p_value")
    }
    status = np.where(some, found.status[place], np.int8(Status.NOT_ESTIMABLE))
    return Contrast(**numbers, status=status)


def _nonzero(rows: Floats) -> Floats:
    if not rows.any(axis=1).all():
        raise _wrong("L", "A combination whose weights are all 0 says nothing", "Leave it out.")
    return rows


def _wrong(path: str, message: str, remedy: str, value: object = None) -> InputError:
    told = None if value is None else shown(value)
    return InputError(
        "this cannot be computed", [Problem("equipoise.mmrm", None, path, "combination", message, remedy, told)]
    )


def _numbers(values: Floats) -> pl.Series:
    return pl.Series(values=np.ascontiguousarray(values), nan_to_null=True, dtype=pl.Float64)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
