"""False discovery rates over all tests of a cohort, since its page shows them together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from escape_score.model.notes import Code, Note, note
from escape_score.model.record import NoteRecord
from escape_score.model.record_statistics import (
    FTest,
    GroupComparison,
    GroupRow,
    InteractionRow,
    ResponseRow,
    ResponseStatistics,
    SurvivalRow,
    SurvivalStatistics,
)
from escape_score.statistics.groups import FDR, column_note, found_among
from escape_score.statistics.ranks import Row, rates_of

Outcomes = TypeVar("Outcomes", ResponseStatistics, SurvivalStatistics)
Part = TypeVar("Part", ResponseStatistics, SurvivalStatistics, GroupComparison)
Compared = TypeVar("Compared", ResponseStatistics, GroupComparison)
AllParts = tuple[ResponseStatistics | None, tuple[SurvivalStatistics, ...], tuple[GroupComparison, ...]]


def over_all_tests(
    response: ResponseStatistics | None,
    survival: tuple[SurvivalStatistics, ...],
    comparisons: tuple[GroupComparison, ...],
) -> AllParts:
    """Replace the rates of each part by those over all parts, and the sentences that count them.

    Notes
    -----
    One Benjamini-Hochberg procedure [1]_ over every p value of the page: response, endpoints, groups, and the
    models that have one (:func:`p_values_of`). A reader who looks through all tables finds 5 % false ones
    among those below 0.05, not 5 % in each table. It holds for measures that are positively correlated, as
    these are [2]_.

    References
    ----------
    .. [1] Benjamini & Hochberg 1995, J R Stat Soc B 57:289, doi:10.1111/j.2517-6161.1995.tb02031.x
    .. [2] Benjamini & Yekutieli 2001, Annals of Statistics 29:1165, doi:10.1214/aos/1013699998
    """
    parts = (*((response,) if response else ()), *survival, *comparisons)
    rates = iter(rates_of([p for part in parts for row in part.rows for p in p_values_of(row)]))
    return (
        None if response is None else _with_interactions(_counted(_rated(response, rates))),
        tuple(_with_interactions(_rated(part, rates)) for part in survival),
        tuple(_counted(_rated(part, rates)) for part in comparisons),
    )


def p_values_of(row: ResponseRow | SurvivalRow | GroupRow) -> list[float]:
    """The tests of a row: its own, then that of its adjusted model, and that of its interaction."""
    tests = (_f_test(row), _interaction(row))
    return [row.p_value, *(test.p_value for test in tests if test is not None)]


def _f_test(row: ResponseRow | SurvivalRow | GroupRow) -> FTest | None:
    return None if row.adjusted is None else row.adjusted.test


def _interaction(row: ResponseRow | SurvivalRow | GroupRow) -> InteractionRow | None:
    return None if isinstance(row, GroupRow) else row.interaction


def _rated(part: Part, rates: Iterator[float]) -> Part:
    """A part with the next rates in its rows."""
    return part.model_copy(update={"rows": tuple(_rated_row(row, rates) for row in part.rows)})


def _rated_row(row: Row, rates: Iterator[float]) -> Row:
    """A row with the next rates in its tests, in the order of :func:`p_values_of`."""
    changed: dict[str, object] = {"q_value": next(rates)}
    f_test, interaction = _f_test(row), _interaction(row)
    if row.adjusted is not None and f_test is not None:
        test = f_test.model_copy(update={"q_value": next(rates)})
        changed["adjusted"] = row.adjusted.model_copy(update={"test": test})
    if interaction is not None:
        changed["interaction"] = interaction.model_copy(update={"q_value": next(rates)})
    return row.model_copy(update=changed)


def _counted(part: Compared) -> Compared:
    """A part whose last finding counts its rows anew."""
    return part.model_copy(update={"findings": (*part.findings[:-1], found_among(part.rows))})


def _with_interactions(part: Outcomes) -> Outcomes:
    """A part with a finding on its interactions, and how far it can be trusted."""
    tested = [found for row in part.rows if (found := _interaction(row)) is not None]
    if not tested:
        return part
    n_found, column = sum(one.q_value < FDR for one in tested), column_note(tested[0].column)
    kind = "interaction_found" if n_found else "interaction_none"
    said: tuple[Note, ...] = (
        note(Code.STATISTICS, kind, n=n_found, n_all=len(tested), column=column),
        note(Code.STATISTICS, "interaction_caution", column=column),
    )
    return part.model_copy(update={"findings": (*part.findings, *map(NoteRecord.of, said))})
