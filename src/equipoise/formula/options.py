"""Which inference is asked for: the method of the degrees of freedom and the covariance, and the pairs that fit."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import NoReturn

from equipoise.errors import InputError, Problem, shown
from equipoise.stats.mmrm import Method

METHODS = ("satterthwaite", "kenward-roger", "kenward-roger-linear", "residual")
VCOVS = ("asymptotic", "CR2")
LATER = ("between-within", "CR0", "CR3")


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


def inference(method: str, vcov: str | None) -> Inference:
    """The inference of a method and a covariance; None is the method's own.

    InputError: an unknown word, one that is not here yet, or a pair that does not fit.
    """
    for name, value, known in (("method", method, METHODS), ("vcov", vcov, (None, *VCOVS))):
        if value not in known:
            listed = ", ".join(repr(word) for word in known)
            rule, message = "option", f"There is no such {name}"
            if value in LATER:
                rule, message = "not-yet", f"This {name} is not here yet"
            _refuse(name, rule, message, f"Use one of {listed}.", value)
    own = "adjusted" if method.startswith("kenward-roger") else "asymptotic"
    asked = own if vcov is None else vcov
    found = _PAIRS.get((method, asked))
    if found is None:
        _refuse("vcov", "option-pair", *_ADVICE[method == "residual", asked], f"{vcov!r} with method={method!r}")
    by: Method = found[0]  # pyright: ignore[reportAssignmentType] - the table's words
    return Inference(method, asked, by, found[1])


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
