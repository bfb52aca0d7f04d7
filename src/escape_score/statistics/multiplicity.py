"""False discovery rates over all tests of a cohort, since its page shows them together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from escape_score.model.record_statistics import GroupComparison, ResponseStatistics, SurvivalStatistics
from escape_score.statistics.groups import found_among
from escape_score.statistics.ranks import rates_of

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
    One Benjamini-Hochberg procedure [1]_ over every p value of the page: response, endpoints and groups. A
    reader who looks through all tables finds 5 % false ones among those below 0.05, not 5 % in each table.
    It holds for measures that are positively correlated, as these are [2]_.

    References
    ----------
    .. [1] Benjamini & Hochberg 1995, J R Stat Soc B 57:289, doi:10.1111/j.2517-6161.1995.tb02031.x
    .. [2] Benjamini & Yekutieli 2001, Annals of Statistics 29:1165, doi:10.1214/aos/1013699998
    """
    parts = (*((response,) if response else ()), *survival, *comparisons)
    rates = iter(rates_of([row.p_value for part in parts for row in part.rows]))
    return (
        None if response is None else _counted(_rated(response, rates)),
        tuple(_rated(part, rates) for part in survival),
        tuple(_counted(_rated(part, rates)) for part in comparisons),
    )


def _rated(part: Part, rates: Iterator[float]) -> Part:
    """A part with the next rates in its rows."""
    rows = tuple(row.model_copy(update={"q_value": next(rates)}) for row in part.rows)
    return part.model_copy(update={"rows": rows})


def _counted(part: Compared) -> Compared:
    """A part whose last finding counts its rows anew."""
    return part.model_copy(update={"findings": (*part.findings[:-1], found_among(part.rows))})
