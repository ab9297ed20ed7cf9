"""``equipoise.mmrm``: a formula and a data frame in, a fitted model out."""

from __future__ import annotations

from typing import Any

from equipoise.errors import InputError, Problem, shown
from equipoise.formula.design import design
from equipoise.formula.fitted import FittedMMRM, coefficient_frame
from equipoise.formula.grammar import parse
from equipoise.formula.model_frame import model_frame
from equipoise.formula.options import inference
from equipoise.formula.tokens import plain
from equipoise.stats.mmrm import coefficient_covariance, fit_mmrm
from equipoise.stats.status import Status


def mmrm(
    formula: str,
    data: Any,
    *,
    method: str = "kenward-roger-linear",
    vcov: str | None = None,
    reml: bool = True,
    weights: Any = None,
) -> FittedMMRM:
    """Fit a mixed model for repeated measures, written as in R: ``y ~ arm * visit + us(visit | person)``.

    formula: names, + - * : ^ ( ), 0 or 1, log, sqrt, exp and I(arithmetic), and one covariance term: us, cs, csh, ar1,
    ar1h, toep, toeph (visit | person), or ris(time | person), a random intercept and slope. It is never run.
    data: a polars or pandas frame with one row for each person and visit; rows with anything missing are left out.
    method: satterthwaite, kenward-roger, kenward-roger-linear or residual. vcov: None (the method's own: adjusted
    under Kenward-Roger, else asymptotic), asymptotic, or CR2 with satterthwaite. reml: restricted likelihood.
    weights: a column's name or an array; a value of weight w has a variance divided by w.

    Data that cannot be analysed give a result whose numbers are null and whose status says why.
    InputError: a formula, option or weights that cannot be used. DataError: data that do not fit the formula.
    SurroundingsError: formulaic is not installed (the extra ``formula``).
    """
    how = inference(method, vcov)
    if not reml and how.vcov == "adjusted":
        message = "Kenward and Roger's adjustment is one of restricted likelihood"
        remedy = "Take method='satterthwaite' with reml=False."
        problem = Problem("equipoise.mmrm", None, "reml", "option-pair", message, remedy, shown(f"method={method}"))
        raise InputError("the options cannot be used", [problem])
    parsed = parse(plain(formula))
    frame = model_frame(parsed, data, weights)
    made = design(parsed, frame)
    fit = fit_mmrm(
        frame.outcome,
        made.columns,
        frame.subject,
        frame.visit,
        structure=parsed.covariance.structure,
        reml=bool(reml),
        weights=frame.weights,
        visits=len(frame.visits),
        times=frame.times if parsed.covariance.structure == "ris" else None,
    )
    covariance = coefficient_covariance(fit, how.by)
    covariance.flags.writeable = False
    dependent = made.dependent() if fit.status == Status.SINGULAR_DESIGN else ()
    return FittedMMRM(
        parsed=parsed,
        frame=frame,
        design=made,
        inference=how,
        fit=fit,
        coefficients=coefficient_frame(made.names, fit, how),
        covariance=covariance,
        dependent=dependent,
    )
