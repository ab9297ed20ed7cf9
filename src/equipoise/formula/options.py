"""Which inference is asked for: the method of the degrees of freedom and the covariance, and the pairs that fit."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NoReturn

from equipoise.errors import InputError, Problem, shown
from equipoise.stats.mmrm import Method

METHODS = ("satterthwaite", "kenward-roger", "kenward-roger-linear", "residual")
ADJUSTED = ("kenward-roger", "kenward-roger-linear")
"""Methods with a covariance of the same name in R."""
VCOVS = ("asymptotic", "CR2")
LATER = ("between-within", "CR0", "CR3")
SPELLINGS = MappingProxyType(
    {
        **{word.lower(): word for word in (*METHODS, *VCOVS, *LATER)},
        "empirical": "CR0",
        "empirical-jackknife": "CR3",
        "empirical-bias-reduced": "CR2",
    }
)
"""Words as R's mmrm spells them, in any case, to words as they are spelt here."""


@dataclass(frozen=True, slots=True)
class Inference:
    """A pair that fits. method, vcov: as asked, the latter ``adjusted`` under Kenward-Roger. by: how it is computed.

    words: for the summary.
    """

    method: str
    vcov: str
    by: Method
    words: str


_MODEL = "standard errors of the model"
_PAIRS = MappingProxyType(
    {
        ("satterthwaite", "asymptotic"): ("satterthwaite", f"Satterthwaite's degrees of freedom, {_MODEL}"),
        ("satterthwaite", "CR2"): ("cr2", "Bell and McCaffrey's degrees of freedom, robust standard errors (CR2)"),
        ("residual", "asymptotic"): ("residual", f"observations less coefficients as degrees of freedom, {_MODEL}"),
        ("kenward-roger", "adjusted"): ("kenward-roger", "Kenward and Roger's standard errors and degrees of freedom"),
        ("kenward-roger-linear", "adjusted"): (
            "kenward-roger-linear",
            "Kenward and Roger's standard errors and degrees of freedom, linear form",
        ),
    }
)


def inference(method: object, vcov: object) -> Inference:
    """The inference of a method and a covariance; None is the method's own. R's spellings are understood.

    InputError: an unknown word, one that is not here yet, or a pair that does not fit.
    """
    how, asked = _spelt(method), _spelt(vcov)
    if how == "kenward-roger" and asked == "kenward-roger-linear":
        # So R says it: one method, and two covariances that go with it.
        how = asked
    if asked == how and how in ADJUSTED:
        asked = None
    for name, value, word, known in (
        ("method", method, how, METHODS),
        ("vcov", vcov, asked, (None, *VCOVS)),
    ):
        if word not in known and not (name == "vcov" and word in ADJUSTED):
            listed = ", ".join(repr(each) for each in known)
            rule, message = "option", f"There is no such {name}"
            if word in LATER:
                rule, message = "not-yet", f"This {name} is not here yet"
            _refuse(name, rule, message, f"Use one of {listed}.", value)
    own = "adjusted" if how.startswith("kenward-roger") else "asymptotic"
    found = _PAIRS.get((how, own if asked is None else asked))
    if found is None:
        told = f"{vcov!r} with method={method!r}"
        if asked in ADJUSTED:
            message = "That covariance goes with Kenward and Roger's method of the same name"
            _refuse("vcov", "option-pair", message, f"Take method={asked!r}.", told)
        _refuse("vcov", "option-pair", *_ADVICE[how == "residual", str(asked)], told)
    by: Method = found[0]  # pyright: ignore[reportAssignmentType] - the table's words
    return Inference(how, own if asked is None else asked, by, found[1])


def _spelt(value: object) -> Any:
    """A word in our spelling; anything else as it is."""
    return SPELLINGS.get(value.lower(), value) if isinstance(value, str) else value


_ADVICE = MappingProxyType(
    {
        (False, "asymptotic"): (
            "Kenward and Roger's method is an adjustment of that covariance",
            "Leave vcov out, or take method='satterthwaite': the same degrees of freedom with the covariance as it is.",
        ),
        (False, "CR2"): (
            "Kenward and Roger's method adjusts the covariance of the model, and CR2 is another one",
            "Take method='satterthwaite' with vcov='CR2': the degrees of freedom are Bell and McCaffrey's.",
        ),
        (True, "CR2"): (
            "A robust covariance has fewer degrees of freedom than the residual ones",
            "Take method='satterthwaite' with vcov='CR2': the degrees of freedom are Bell and McCaffrey's.",
        ),
    }
)


def _refuse(name: str, rule: str, message: str, remedy: str, value: object) -> NoReturn:
    told = value if isinstance(value, str) and "=" in value else shown(value)
    raise InputError("the options cannot be used", [Problem("equipoise.mmrm", None, name, rule, message, remedy, told)])
