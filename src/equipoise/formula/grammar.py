"""A formula as it is written in R, read into its response, its terms and its covariance.

    formula     arithmetic ~ sum
    sum         summand {+ summand | - summand}          0 and 1 (the intercept) are summands outside parentheses
    summand     crossed {* crossed},   crossed   power {: power},   power   single [^ 2, 3 or 4]
    single      name | function(arithmetic) | (sum)
    covariance  structure(visit | person)                once, a summand outside parentheses

formulaic multiplies the terms out. It is given the operators and names of ours (x0, x1 …) and nothing else: a formula
of a user's own runs Python there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn, get_args

from equipoise.errors import Problem, SurroundingsError
from equipoise.formula.arithmetic import Expression, Reader, arithmetic, call
from equipoise.formula.tokens import plain, refuse, tokens
from equipoise.stats.mmrm import StructureName

STRUCTURES = get_args(StructureName)
LATER = ("ad", "adh", "sp_exp")
"""Structures of R's mmrm that are not here yet."""
HIGHEST = 4
"""Power of a sum of terms."""
MOST = 500
"""Terms of a model."""
MOST_PRODUCTS = 20_000
"""Products that are multiplied out at once."""


@dataclass(frozen=True, slots=True)
class Covariance:
    """The covariance term: which structure, and the columns of the visits and of the people."""

    structure: StructureName
    visit: Expression
    subject: Expression
    position: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """A formula that was understood.

    text: in one line. response: arithmetic of columns. variables: of the terms, in their order of appearance.
    terms: each by the indices of its variables, ascending; those of fewer variables first. intercept: whether there
    is one.
    """

    text: str
    response: Expression
    variables: tuple[Expression, ...]
    terms: tuple[tuple[int, ...], ...]
    intercept: bool
    covariance: Covariance


@lru_cache(maxsize=256)
def parse(formula: str) -> Parsed:
    """Read a formula.

    InputError: it is no formula, has no covariance term or two, or asks for what a formula may not do.
    SurroundingsError: formulaic is not installed.
    """
    text = plain(formula)
    words = Reader(text, tokens(text))
    response = arithmetic(words)
    if not any(response.columns()):
        refuse(text, response.position, "formula-response", "Before ~ stands no column", "Name the outcome there.")
    words.expect("~", "after the outcome")
    right = _Right(words)
    right.read()
    if right.covariance is None:
        message = "No term says how the values of one person go together"
        remedy = "Add, for example, '+ us(VISIT | PERSON)' with the columns of the visits and of the people."
        refuse(text, len(text), "formula-covariance", message, remedy)
    if response.label in right.variables:
        message, remedy = "The outcome is among the terms", "Leave it out on the right side."
        refuse(text, right.variables[response.label].position, "formula-response", message, remedy, response.label)
    terms, intercept = _multiplied_out(right.text, len(right.variables))
    if not (terms or intercept):
        message, remedy = "The model has no coefficient", "Leave out the 0, or add a term."
        refuse(text, words.next().position, "formula-empty", message, remedy)
    return Parsed(text, response, tuple(right.variables.values()), terms, intercept, right.covariance)


class _Right:
    """The right side of a formula while it is read: variables by label, and the text for formulaic."""

    def __init__(self, words: Reader) -> None:
        self.words = words
        self.variables: dict[str, Expression] = {}
        self.covariance: Covariance | None = None
        self.text = "1"

    def read(self) -> None:
        sign = self.words.take().text if self.words.at("+", "-") else "+"
        while True:
            self._summand(sign)
            if not self.words.at("+", "-"):
                break
            sign = self.words.take().text
        if self.words.next().kind != "end":
            self._explain()
            self.words.unexpected("an operator or the end")

    def _summand(self, sign: str) -> None:
        word = self.words.next()
        if self.words.calls() and word.text in (*STRUCTURES, *LATER):
            self._covariance(sign)
        elif word.kind == "number":
            if word.text not in ("0", "1"):
                message = "Of numbers, only 0 and 1 (without and with an intercept) are terms"
                refuse(self.words.text, word.position, "formula-number", message, "Use I(…) for arithmetic.", word.text)
            self.words.take()
            self.text += f" {sign} {word.text}"
        else:
            found, count = self._product()
            self._few(count, word.position)
            self.text += f" {sign} {found}"

    def _few(self, count: int, position: int) -> int:
        """The most terms that so many products can be: those of k variables are 2^k at most."""
        terms = min(count, 2 ** len(self.variables))
        if terms > MOST or count > MOST_PRODUCTS:
            message, remedy = f"The formula multiplies out to more than {MOST} terms", "Write those that are meant."
            refuse(self.words.text, position, "formula-terms", message, remedy)
        return terms

    def _sum(self) -> tuple[str, int]:
        """A sum in parentheses, for formulaic, and how many terms it has at most."""
        text, count = self._product()
        while self.words.at("+", "-"):
            sign = self.words.take().text
            found, more = self._product()
            text, count = f"{text} {sign} {found}", count + more
        return text, count

    def _product(self) -> tuple[str, int]:
        text, count = self._crossed()
        while self.words.at("*"):
            place = self.words.take().position
            found, other = self._crossed()
            text, count = f"{text} * {found}", self._few(count + other + count * other, place)
        return text, count

    def _crossed(self) -> tuple[str, int]:
        text, count = self._power()
        while self.words.at(":"):
            place = self.words.take().position
            found, other = self._power()
            text, count = f"{text}:{found}", self._few(count * other, place)
        return text, count

    def _power(self) -> tuple[str, int]:
        text, count = self._single()
        if not self.words.at("^"):
            return text, count
        place = self.words.take().position
        power = self.words.next()
        if power.text not in map(str, range(1, HIGHEST + 1)):
            message = f"A term has a power from 1 to {HIGHEST}"
            refuse(self.words.text, power.position, "formula-power", message, "Use I(x^2) for squares.", power.text)
        self.words.take()
        return f"{text}**{power.text}", self._few(count ** int(power.text), place)

    def _single(self) -> tuple[str, int]:
        if self.words.at("("):
            opened = self.words.take()
            if self.words.next().text in ("0", "1") and self.words.next(1).text == "|":
                message = "Random effects in parentheses are not how a covariance is written here"
                remedy = "Write ris(TIME | PERSON) for intercept and slope, cs(VISIT | PERSON) for an intercept."
                refuse(self.words.text, opened.position, "formula-covariance", message, remedy)
            text, count = self._sum()
            self._explain()
            self.words.expect(")", "to close the parenthesis")
            return f"({text})", count
        if self.words.calls():
            word = self.words.next()
            if word.text in (*STRUCTURES, *LATER):
                message = "The covariance is a term of its own, outside parentheses and products"
                refuse(self.words.text, word.position, "formula-covariance", message, "Join it by '+'.", word.text)
            return self._variable(call(self.words)), 1
        if self.words.next().kind != "name":
            self._explain()
            self.words.unexpected("a name")
        word = self.words.take()
        return self._variable(Expression("column", (), word.text, word.position)), 1

    def _variable(self, expression: Expression) -> str:
        if expression.is_column and expression.text == ".":
            message, remedy = "A dot for all other columns is not taken", "Name the columns."
            refuse(self.words.text, expression.position, "formula-dot", message, remedy)
        if not any(expression.columns()):
            message, remedy = "The term has no column", "Leave it out; 1 stands for the intercept."
            refuse(self.words.text, expression.position, "formula-term", message, remedy)
        self.variables.setdefault(expression.label, expression)
        return f"x{list(self.variables).index(expression.label)}"

    def _explain(self) -> None:
        """Refuse an operator of R that is none here, with what to write in its place."""
        word, text = self.words.next(), self.words.text
        if word.kind == "operator" and word.text == "/":
            refuse(text, word.position, "formula-word", "Nesting by / is not taken", "Write a + a:b for a/b.", "/")
        if word.kind == "operator" and word.text == "|":
            remedy = "It stands in the covariance, as in us(VISIT | PERSON)."
            refuse(text, word.position, "formula-word", "| stands alone", remedy, "|")

    def _covariance(self, sign: str) -> None:
        name = self.words.take()
        text = self.words.text
        if name.text in LATER:
            _not_yet(text, name.position, f"The covariance {name.text} is not here yet", name.text)
        if sign == "-":
            refuse(text, name.position, "formula-covariance", "A covariance is not taken away", "Join it by '+'.")
        if self.covariance is not None:
            message, remedy = "A model has one covariance, and this is the second", "Leave one of them out."
            refuse(text, name.position, "formula-covariance", message, remedy, name.text)
        self.words.take()
        visit = self._column("the column of the visits")
        self.words.expect("|", "between the visits and the people")
        subject = self._column("the column of the people")
        if self.words.at("/"):
            message = "A covariance for each group is not here yet"
            _not_yet(text, self.words.next().position, message, f"{subject.text}/")
        self.words.expect(")", "after the people")
        structure: StructureName = name.text  # pyright: ignore[reportAssignmentType] - it is in the list
        self.covariance = Covariance(structure, visit, subject, name.position)

    def _column(self, wanted: str) -> Expression:
        if self.words.next().kind != "name" or self.words.calls():
            self.words.unexpected(wanted)
        word = self.words.take()
        return Expression("column", (), word.text, word.position)


def _not_yet(text: str, position: int, message: str, value: str) -> NoReturn:
    refuse(text, position, "not-yet", message, f"Use one of {', '.join(STRUCTURES)}, for all people.", value)


def _multiplied_out(text: str, variables: int) -> tuple[tuple[tuple[int, ...], ...], bool]:
    """The terms of a sum of our own names, in R's order, and whether there is an intercept."""
    try:
        from formulaic.parser import DefaultFormulaParser
    except ImportError:
        message, remedy = "Formulas need formulaic", "Install equipoise[formula]."
        problem = Problem("equipoise.mmrm", None, "", "missing-extra", message, remedy)
        raise SurroundingsError("formulaic is not installed", [problem]) from None
    number = {f"x{i}": i for i in range(variables)}
    found = []
    for term in DefaultFormulaParser().get_terms(text):
        names = [factor.expr for factor in term.factors]
        found.append(tuple(sorted(number[name] for name in names if name != "1")))
    return tuple(sorted((term for term in found if term), key=len)), () in found
