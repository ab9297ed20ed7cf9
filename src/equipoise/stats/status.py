"""Why a number is missing: one small table of codes for all methods, each with a message and an advice."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType

import numpy as np

from equipoise.stats.arrays import Codes, Texts


class Status(IntEnum):
    """What became of one trial in one method. The numbers are stable; new ones are added at the end."""

    OK = 0
    NO_OBSERVATIONS = 1
    TOO_FEW_OBSERVATIONS = 2
    NOT_FINITE = 3
    SINGULAR_DESIGN = 4
    CONSTANT_OUTCOME = 5
    UNDEFINED_LEVERAGE = 6
    DEPENDENT_CONTRASTS = 7
    NO_EXPOSURE = 8
    NO_EVENTS = 9
    SEPARATED = 10
    NOT_CONVERGED = 11
    NEAR_SINGULAR = 12
    UNRELIABLE = 13
    LEFT_OUT_FAILED = 14
    ALL_CENSORED = 15
    NO_MAXIMUM = 16
    EMPTY_VISIT = 17
    TOO_FEW_PAIRS = 18
    UNBOUNDED_LIKELIHOOD = 19
    ONE_ARM_VISIT = 20
    EXACT_VISIT = 21
    FEW_AT_VISIT = 22
    NOT_ESTIMABLE = 23
    SEPARATED_HAZARDS = 24

    @property
    def text(self) -> str:
        """``ok``, or the message and the advice in one line."""
        advice = ADVICE[self]
        return f"{advice.message}; {advice.advice}" if advice.advice else advice.message


@dataclass(frozen=True, slots=True)
class Advice:
    """What happened, and what the reader of the result can do about it."""

    message: str
    advice: str


ADVICE = MappingProxyType(
    {
        Status.OK: Advice("ok", ""),
        Status.NO_OBSERVATIONS: Advice(
            "nobody has a value",
            "look at the analysis set and at the reasons for missing values",
        ),
        Status.TOO_FEW_OBSERVATIONS: Advice(
            "too few observations for a standard error: no degree of freedom is left, or no variance once adjusted",
            "adjust for fewer covariates, or describe the values without inference",
        ),
        Status.NOT_FINITE: Advice(
            "an included participant has a value that is missing or infinite",
            "leave incomplete participants out of the mask, or impute by a declared rule",
        ),
        Status.SINGULAR_DESIGN: Advice(
            "something that the model adjusts for is the same for everyone, or follows from the rest of the model",
            "drop a covariate that is constant or repeats another one, or an arm without participants",
        ),
        Status.CONSTANT_OUTCOME: Advice(
            "the outcome does not vary, so its standard error is zero and there is no test",
            "report the value itself, and check how the outcome was recorded",
        ),
        Status.UNDEFINED_LEVERAGE: Advice(
            "one participant alone determines a coefficient (leverage 1), so a robust variance (HC3, CR2) is undefined",
            "use the model-based standard error, or drop the covariate or arm that one participant carries",
        ),
        Status.DEPENDENT_CONTRASTS: Advice(
            "the contrasts tested together are not independent",
            "leave out those that follow from the others",
        ),
        Status.NO_EXPOSURE: Advice(
            "an arm has no time at risk",
            "look at the analysis set and at the days on which events were recorded",
        ),
        Status.NO_EVENTS: Advice(
            "neither arm has an event, so their ratio is undefined",
            "report the difference with its interval, or an upper limit for each arm",
        ),
        Status.SEPARATED: Advice(
            "nobody with some characteristic has an event, so that a ratio of rates has no finite estimate",
            "report the exact conditional ratio with its one-sided limit",
        ),
        Status.NOT_CONVERGED: Advice(
            "the fit did not come to rest",
            "look at the pattern of missing values, or fit fewer visits or covariates",
        ),
        Status.NEAR_SINGULAR: Advice(
            "the values do not determine the covariance: what other visits leave of one cannot be told from nothing",
            "fit fewer visits, or look for a visit whose values repeat another's",
        ),
        Status.UNRELIABLE: Advice(
            "more than 1 % of the draws failed",
            "use the conditional mean with the jackknife, or a model with fewer coefficients",
        ),
        Status.LEFT_OUT_FAILED: Advice(
            "the model cannot be fitted once somebody is left out",
            "report the estimate without inference, or fit fewer visits or covariates",
        ),
        Status.ALL_CENSORED: Advice(
            "every value lies beyond a limit of the assay, so that neither mean nor spread can be estimated",
            "report who was detectable, with Fisher's exact mid-p",
        ),
        Status.NO_MAXIMUM: Advice(
            "the likelihood has no maximum: an arm lies wholly beyond a limit, or the model meets every exact value",
            "report who was detectable, or adjust for fewer covariates",
        ),
        Status.EMPTY_VISIT: Advice(
            "nobody has a value at one of the visits",
            "leave that visit out of the model, and look for the reason why its values are missing",
        ),
        Status.TOO_FEW_PAIRS: Advice(
            "fewer than two people have values at both of two visits, so that their covariance cannot be estimated",
            "leave one of the visits out, or fit a model with a simpler covariance",
        ),
        Status.UNBOUNDED_LIKELIHOOD: Advice(
            "the likelihood has no maximum: too few people have a value at every visit for this covariance",
            "fit a model with a simpler covariance, or fewer visits or covariates",
        ),
        Status.ONE_ARM_VISIT: Advice(
            "an arm has nobody with a value at one of the visits",
            "leave that visit out of the model: nothing can be compared there",
        ),
        Status.EXACT_VISIT: Advice(
            "the values of one visit do not vary beyond the design, so that their variance is zero",
            "leave that visit out of the model, and describe it by itself",
        ),
        Status.FEW_AT_VISIT: Advice(
            "the effects at one of the visits and the other visits take up every degree of freedom there",
            "fit fewer visits or covariates, or a model with a simpler covariance",
        ),
        Status.NOT_ESTIMABLE: Advice(
            "the combination cannot be estimated: it needs a combination of factors without any value",
            "ask for another one, or leave the factors' product out of the formula",
        ),
        Status.SEPARATED_HAZARDS: Advice(
            "in one of the compared groups no one has the event, or everyone has it at once, so that a ratio of hazards"
            " has no finite estimate",
            "report the share with the event in each group, by time, with exact limits",
        ),
    }
)


def texts(codes: Codes) -> Texts:
    """The text of each code, (R,) -> (R,) of str: ``ok`` where the numbers stand."""
    words = np.array([status.text for status in Status], dtype=object)
    return words[codes]


def first_of(conditions: dict[Status, np.ndarray]) -> Codes:
    """The first status whose (R,) condition holds in each trial, else OK."""
    chosen = np.select(list(conditions.values()), [int(status) for status in conditions], int(Status.OK))
    return chosen.astype(np.int8)
