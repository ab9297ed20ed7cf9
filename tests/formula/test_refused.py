"""What is refused: formulas that run something or make no sense, options that do not fit, data that do not."""

from __future__ import annotations

import re
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest

import equipoise
from equipoise.errors import DataError, InputError, SurroundingsError
from equipoise.formula.grammar import parse
from tests.formula.data import invented

US = " + us(visit | person)"

HOSTILE = [
    "__import__('os').system('touch MARK')",
    "I(__import__('os').system('touch MARK'))",
    "exec(x)",
    "I(open('MARK', 'w'))",
    "x.__class__.__mro__",
    "I(x.__class__)",
    "().__class__",
    "[x for x in ()]",
    "{__import__('os')}",
    "`__import__('os').system('touch MARK')`",
    "I(`__import__('os').system('touch MARK')`)",
    "lambda: x",
    "x if x else x",
    "log(x, 2)",
    "log(log)(x)",
    "I(x)(x)",
    "I((x := 1))",
    "x; x",
    "np.log(x)",
    "Q('x')",
    "C(a, __import__('os'))",
    "bs(x)",
    "eval(x)",
    "'x'",
    '"x"',
    "x @ x",
    "I(x & x)",
    "I(x[0])",
    "${x}",
    "\\x",
    "x\x00",
    "_x",
    "x0",
    "(" * 300 + "x" + ")" * 300,
    "I(" + "-" * 300 + "x)",
    "I(" + "x^" * 300 + "x)",
    "I(" + "x + " * 300 + "x)",
    "+".join(["x"] * 2000),
    "((a + b + visit + x + z)^4 * (a + b + flag + I(x + 1) + I(x + 2) + I(x + 3)))^4",
    "I(9^9^9^9)",
]


@pytest.mark.requirement("FORMULA-SAFE")
@pytest.mark.parametrize("term", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_formula_is_refused_where_it_stands_and_runs_nothing(term, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for formula in (f"y ~ {term}{US}", f"{term} ~ x{US}", f"y ~ x + us({term} | person)"):
        with pytest.raises((InputError, DataError)) as refused:
            equipoise.mmrm(formula, invented())
        assert refused.value.problems
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["__import__('os').system('touch MARK')", "x.__class__", "import", "x0", "1", "(x)"])
def test_a_column_may_have_any_name_and_is_a_column_only(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = invented().rename({"x": name})
    found = equipoise.mmrm(f"y ~ b * visit + `{name}`{US}", frame)
    plain = equipoise.mmrm(f"y ~ b * visit + x{US}", invented())
    assert found.coefficients.drop("term").equals(plain.coefficients.drop("term"))
    assert not list(tmp_path.iterdir())


@pytest.mark.requirement("FORMULA-SAFE")
def test_formulaic_sees_operators_and_names_of_ours_only(monkeypatch):
    from formulaic.parser import DefaultFormulaParser

    seen = []
    read = DefaultFormulaParser.get_terms
    monkeypatch.setattr(DefaultFormulaParser, "get_terms", lambda self, text: seen.append(text) or read(self, text))
    parse.cache_clear()
    parse("log(y) ~ 0 + a * `b c` - I(x^2 / 7) + (a + log(z) + x)**2:a + us(visit | person) - 1")
    assert seen == ["1 + 0 + x0 * x1 - x2 + (x0 + x3 + x4)**2:x0 - 1"]


FORMULAS = {
    "": ("formula-text", None, "empty"),
    "y": ("formula-ends", 1, "'~' after the outcome"),
    "~ x": ("formula-word", 0, "a number or a name"),
    "y ~": ("formula-ends", 3, "a name"),
    "y ~ x": ("formula-covariance", 5, "Add, for example"),
    f"1 ~ x{US}": ("formula-response", 0, "no column"),
    f"y ~ y + x{US}": ("formula-response", 4, "among the terms"),
    f"y ~ x +{US}": ("formula-word", 8, "'+' stands where a name"),
    f"y ~ x x{US}": ("formula-word", 6, "an operator or the end"),
    f"y ~ x{US} + cs(visit | person)": ("formula-covariance", 29, "second"),
    f"y ~ x - us(visit | person){US}": ("formula-covariance", 8, "not taken away"),
    "y ~ x * us(visit | person)": ("formula-covariance", 8, "term of its own"),
    "y ~ x + (1 | person)": ("formula-covariance", 8, "ris(TIME | PERSON)"),
    "y ~ x | person": ("formula-word", 6, "us(VISIT | PERSON)"),
    "y ~ x + us(visit)": ("formula-word", 16, "'|' between"),
    "y ~ x + us(visit | person": ("formula-ends", 25, "')' after the people"),
    "y ~ x + us(log(visit) | person)": ("formula-word", 11, "the column of the visits"),
    "y ~ x + us(visit | b / person)": ("not-yet", 21, "each group"),
    "y ~ x + sp_exp(x, z | person)": ("not-yet", 8, "sp_exp is not here yet"),
    f"y ~ a/b{US}": ("formula-word", 5, "a + a:b"),
    f"y ~ 2 + x{US}": ("formula-number", 4, "only 0 and 1"),
    f"y ~ (x + 1){US}": ("formula-word", 9, "a name"),
    f"y ~ x^9{US}": ("formula-power", 6, "I(x^2)"),
    f"y ~ .{US}": ("formula-dot", 4, "Name the columns"),
    f"y ~ factor(visit){US}": ("formula-function", 4, "polars Enum"),
    f"y ~ poly(x, 2){US}": ("formula-function", 4, "I, exp, log, sqrt"),
    f"y ~ log(x, 2){US}": ("formula-word", 9, "which takes one"),
    f"y ~ I(3){US}": ("formula-term", 4, "no column"),
    f"y ~ I(x^z^2){US}": ("formula-power", 7, "parentheses"),
    f"y ~ 0{US}": ("formula-empty", 26, "no coefficient"),
    f"y ~ nosuch{US}": ("formula-column", 4, "Columns are person, a, b"),
    "y ~ x + us(week2 | person)": ("formula-column", 11, "week2"),
    f"b ~ x{US}": ("formula-kind", 0, "needs numbers"),
    f"y ~ log(b){US}": ("formula-kind", 8, "needs numbers"),
    "y ~ x + ris(visit | person)": ("formula-kind", 12, "the times"),
}


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_that_makes_no_sense_is_told_with_its_place(formula):
    rule, place, words = FORMULAS[formula]
    with pytest.raises(InputError) as refused:
        equipoise.mmrm(formula, invented())
    text = str(refused.value)
    (problem,) = refused.value.problems
    assert problem.rule == rule
    assert words in text
    assert problem.remedy.endswith(".")
    if place is not None:
        assert problem.path == f"character {place + 1}"
        # The mark under the formula stands at that character.
        line, mark = text.splitlines()[1:3]
        assert mark.index("^") - 4 == place
        assert line[4:] == formula


def test_the_place_is_shown_in_a_long_formula_too():
    formula = "y ~ " + " + ".join(["x"] * 60) + " + nosuch" + US
    with pytest.raises(InputError) as refused:
        equipoise.mmrm(formula, invented())
    line, mark = str(refused.value).splitlines()[1:3]
    assert line[mark.index("^") :].startswith("nosuch")


def test_a_formula_is_text():
    with pytest.raises(InputError, match=r"A formula is text.*got 3.*formula-text"):
        equipoise.mmrm(3, invented())


OPTIONS = {
    "unknown method": ({"method": "kr"}, "option", "'kenward-roger-linear'"),
    "no method": ({"method": None}, "option", "no such method"),
    "unknown vcov": ({"vcov": "HC3"}, "option", "'CR2'"),
    "later method": ({"method": "between-within"}, "not-yet", "not here yet"),
    "later vcov": ({"method": "satterthwaite", "vcov": "CR0"}, "not-yet", "not here yet"),
    "unadjusted": ({"method": "kenward-roger", "vcov": "asymptotic"}, "option-pair", "method='satterthwaite'"),
    "unadjusted linear": ({"vcov": "asymptotic"}, "option-pair", "Leave vcov out"),
    "robust": ({"vcov": "CR2"}, "option-pair", "method='satterthwaite' with vcov='CR2'"),
    "robust residual": ({"method": "residual", "vcov": "CR2"}, "option-pair", "Bell and McCaffrey"),
    "full likelihood": ({"reml": False}, "option-pair", "method='satterthwaite' with reml=False"),
    "no such weights": ({"weights": "w"}, "weights", "Columns are"),
    "words as weights": ({"weights": ["one"] * 96}, "weights", "numbers"),
    "too few weights": ({"weights": [1.0, 2.0]}, "weights", "(2,) do not fit 96 rows"),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_an_option_that_does_not_fit_says_what_to_do(case):
    options, rule, words = OPTIONS[case]
    with pytest.raises(InputError) as refused:
        equipoise.mmrm("y ~ b * visit" + US, invented(), **options)
    assert words in str(refused.value)
    assert [problem.rule for problem in refused.value.problems] == [rule]


def changed(**columns):
    return invented().with_columns(**columns)


row = pl.int_range(pl.len())
DATA = {
    "empty": (invented().head(0), "data-empty", "no rows"),
    "no complete row": (changed(x=pl.lit(None)), "data-empty", "x is missing in 96 of 96"),
    "repeated": (pl.concat([invented(), invented()[40:42]]), "data-repeated", "person P11, visit V1: Rows 41 and 97"),
    "constant": (changed(b=pl.lit("low")), "data-constant", "column b: A factor with one level"),
    "infinite": (changed(x=pl.when(row == 9).then(float("inf")).otherwise("x")), "data-not-finite", "x, row 10"),
    "a list": (changed(b=pl.concat_list("b")), "data-kind", "column b"),
    "a date": (changed(b=pl.lit("2020-01-01").str.to_date()), "data-kind", "column b"),
    "many visits": (pl.concat([changed(visit=row), changed(visit=row + 96)]), "data-visits", "more than the 100"),
}


@pytest.mark.parametrize("case", DATA)
def test_data_that_do_not_fit_are_named(case):
    frame, rule, words = DATA[case]
    with pytest.raises(DataError) as refused:
        equipoise.mmrm("y ~ b + x" + US, frame)
    assert words in str(refused.value)
    assert [problem.rule for problem in refused.value.problems] == [rule]


def test_arithmetic_outside_its_range_names_the_row_and_the_value():
    with pytest.raises(DataError, match=r"log\(x - 60\), row \d+: .* \(got x = [\d.]+\)"):
        equipoise.mmrm("y ~ log(x - 60)" + US, invented())


def test_an_infinite_time_is_named():
    frame = changed(week=pl.when(pl.col("week") == 26).then(float("inf")).otherwise("week"))
    with pytest.raises(DataError, match="week, row 4: A time is not finite"):
        equipoise.mmrm("y ~ b + ris(week | person)", frame)


@pytest.mark.parametrize(("weights", "words"), [("b", "numbers"), ("x", "above 0"), ("inf", "finite")])
def test_weights_that_cannot_be_used_are_named(weights, words):
    frame = changed(x=pl.when(row == 3).then(0.0).otherwise("x"), inf=pl.lit(float("inf")))
    with pytest.raises(DataError, match=words):
        equipoise.mmrm("y ~ visit" + US, frame, weights=weights)


@pytest.mark.parametrize("data", [None, [1, 2], {"y": [1.0]}, np.zeros(3), invented().lazy(), invented()["y"]])
def test_data_are_a_frame(data):
    with pytest.raises(InputError, match=r"polars or pandas frame.*data-frame"):
        equipoise.mmrm("y ~ x" + US, data)


def test_columns_of_pandas_that_are_no_columns_of_ours_are_named():
    frame = pd.DataFrame(invented().to_dicts())
    twice = pd.concat([frame, frame[["x"]]], axis=1)
    mixed = frame.assign(b=pd.Series([1, "low"] * 48, dtype=object))
    dated = frame.assign(b=pd.to_datetime("2020-01-01"))
    for data, rule in ((twice, "data-column"), (mixed, "data-kind"), (dated, "data-kind")):
        with pytest.raises(DataError, match=rf"column [xb].*\[{rule}\]"):
            equipoise.mmrm("y ~ b + x" + US, data)


def test_without_formulaic_one_line_says_which_extra(monkeypatch):
    parse.cache_clear()
    monkeypatch.setitem(sys.modules, "formulaic.parser", None)
    with pytest.raises(SurroundingsError, match=re.escape("equipoise[formula]")) as missing:
        equipoise.mmrm("y ~ x" + US, invented())
    assert missing.value.exit_code == 5
