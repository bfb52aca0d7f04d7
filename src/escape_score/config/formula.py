"""Models in the notation of Wilkinson and Rogers, such as ``~ score * treatment + purity + C(site)``.

Names are cut out before a library sees the formula, so no text of a user is ever evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SCORE = "score"
"""The measure that a model is about."""
MAX_LENGTH, MAX_NAMES, MAX_TERMS = 1000, 12, 40
_TOKEN = re.compile(r"(?P<name>[^\W\d][\w.]*)|`(?P<quoted>[^`]+)`|(?P<number>\d[\w.]*)|(?P<mark>\S)")
_PLAIN = re.compile(r"[^\W\d][\w.]*")
_OPERATORS = frozenset("+*:")


@dataclass(frozen=True)
class Factor:
    """One column of the sample sheet; ``is_category``: its numbers are labels."""

    column: str
    is_category: bool = False

    def __str__(self) -> str:
        name = self.column if _PLAIN.fullmatch(self.column) else f"`{self.column}`"
        return f"C({name})" if self.is_category else name


Term = tuple[Factor, ...]
"""Columns that are multiplied; most terms have one."""


@dataclass(frozen=True)
class ModelFormula:
    """A model of one measure: covariates, and the column whose groups may change its effect."""

    covariates: tuple[Term, ...]
    interaction: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the sample sheet, each once."""
        factors = (factor.column for term in self.covariates for factor in term)
        return tuple(dict.fromkeys((*((self.interaction,) if self.interaction else ()), *factors)))

    def without(self, column: str) -> ModelFormula:
        """The covariates without those made of a column."""
        kept = (term for term in self.covariates if all(factor.column != column for factor in term))
        return ModelFormula(tuple(kept))

    def __str__(self) -> str:
        score = SCORE if self.interaction is None else f"{SCORE} * {Factor(self.interaction)}"
        groups = () if self.interaction is None else (Factor(self.interaction, is_category=True),)
        others = (term for term in self.covariates if term != groups)
        return "~ " + " + ".join((score, *(":".join(map(str, term)) for term in others)))


def formula_of(adjust: Sequence[str], interaction: str | None) -> ModelFormula:
    """The model of columns that are named one by one."""
    terms = [(Factor(name),) for name in dict.fromkeys(adjust)]
    return ModelFormula(
        tuple(terms) if interaction is None else _with_groups(terms, interaction), interaction
    )


def _with_groups(terms: Sequence[Term], column: str) -> tuple[Term, ...]:
    """Covariates with the groups of a column first, whose numbers are labels as in its interaction."""
    others = (term for term in terms if term not in {(Factor(column),), (Factor(column, is_category=True),)})
    return ((Factor(column, is_category=True),), *others)


def parse_formula(text: str) -> ModelFormula:
    """Read a formula: columns, ``C(column)``, ``score``, ``+``, ``*``, ``:``, ``1`` and parentheses.

    A name with blanks or marks is put between backticks. Raises ValueError: anything else is in it, ``score``
    is not, or ``score`` is multiplied by more than one column.
    """
    if len(text) > MAX_LENGTH:
        msg = f"the formula has {len(text)} characters; give {MAX_LENGTH} at most"
        raise ValueError(msg)
    factors: list[Factor] = []
    safe = " ".join(_checked(_symbols(text, factors)))
    # it loads pandas, which most configs do not need
    from formulaic.parser import DefaultFormulaParser

    parsed = DefaultFormulaParser(include_intercept=False).get_terms(safe)
    terms = [
        tuple(factors[int(factor.expr[1:])] for factor in term.factors if factor.expr != "1")
        for term in parsed
    ]
    return _model_of([term for term in terms if term])


def _symbols(text: str, factors: list[Factor]) -> Iterator[str]:
    """The formula with a symbol of our own for every column; ``factors`` takes the columns."""
    tokens = list(_TOKEN.finditer(text))
    if not tokens or tokens[0][0] != "~":
        msg = f"a formula begins with '~', such as '~ {SCORE} + purity'"
        raise ValueError(msg)
    at = 1
    while at < len(tokens):
        factor, length = _factor_at(tokens, at)
        if factor is None:
            yield _mark(tokens[at])
        else:
            if factor not in factors:
                factors.append(factor)
            yield f"v{factors.index(factor)}"
        at += length
    if len(factors) > MAX_NAMES:
        msg = f"the formula has {len(factors)} names; give {MAX_NAMES} at most"
        raise ValueError(msg)


def _factor_at(tokens: Sequence[re.Match[str]], at: int) -> tuple[Factor | None, int]:
    """The factor that begins at a token, and of how many tokens it is; None where a mark is there."""
    token, marks = tokens[at], [one[0] for one in tokens[at : at + 4]]
    if token["name"] is None and token["quoted"] is None:
        return None, 1
    if marks[1:2] != ["("]:
        return Factor(_name(token)), 1
    inner = tokens[at + 2] if len(marks) > 2 else token  # noqa: PLR2004
    if token["name"] != "C" or marks[3:] != [")"] or inner["number"] or inner["mark"]:
        msg = f"{token[0]}(…) is not allowed; of functions only C(column) is, for numbers that are labels"
        raise ValueError(msg)
    return Factor(_name(inner), is_category=_name(inner) != SCORE), 4


def _name(token: re.Match[str]) -> str:
    return token["quoted"].strip() if token["quoted"] is not None else token["name"]


def _mark(token: re.Match[str]) -> str:
    """An operator, a parenthesis or the 1 of the intercept; raises ValueError for anything else."""
    if token[0] == "0":
        msg = "0 is not allowed: every model has an intercept (a Cox model has none of its own)"
        raise ValueError(msg)
    if token[0] not in {*_OPERATORS, "(", ")", "1"}:
        msg = f"{token[0]!r} is not allowed; write columns of the sample sheet, {SCORE}, C(column), +, *, : "
        raise ValueError(msg + "and parentheses, and put a name with other characters between backticks")
    return token[0]


def _checked(symbols: Iterator[str]) -> Iterator[str]:
    """The same symbols; raises ValueError: an operator has no name on a side, or a parenthesis no pair."""
    depth, needs_name = 0, True
    for symbol in symbols:
        is_end = symbol == ")" or symbol in _OPERATORS
        if is_end is needs_name:
            msg = (
                f"a column is missing before {symbol!r}" if is_end else "an operator is missing between names"
            )
            raise ValueError(msg)
        depth += {"(": 1, ")": -1}.get(symbol, 0)
        needs_name = symbol == "(" or symbol in _OPERATORS
        if depth < 0:
            break
        yield symbol
    if depth:
        msg = "its parentheses do not match"
        raise ValueError(msg)
    if needs_name:
        msg = "a column is missing at its end"
        raise ValueError(msg)


def _model_of(terms: Sequence[Term]) -> ModelFormula:
    """Sort terms into covariates and the interaction of the score."""
    if len(terms) > MAX_TERMS:
        msg = f"the formula has {len(terms)} terms; give {MAX_TERMS} at most"
        raise ValueError(msg)
    score = Factor(SCORE)
    if (score,) not in terms:
        msg = f"{SCORE} is not in it; write '~ {SCORE} + …', where {SCORE} is each measure in turn"
        raise ValueError(msg)
    covariates = tuple(term for term in terms if score not in term)
    multiplied = [
        tuple(one for one in term if one != score) for term in terms if score in term and len(term) > 1
    ]
    if len(multiplied) > 1 or any(len(term) > 1 for term in multiplied):
        msg = f"{SCORE} is multiplied by more than one column; a model has one interaction of {SCORE}"
        raise ValueError(msg)
    if not multiplied:
        return ModelFormula(covariates)
    if multiplied[0] not in covariates:
        name = str(multiplied[0][0])
        msg = f"{SCORE}:{name} needs {name} itself; write {SCORE} * {name}"
        raise ValueError(msg)
    column = multiplied[0][0].column
    return ModelFormula(_with_groups(covariates, column), column)
