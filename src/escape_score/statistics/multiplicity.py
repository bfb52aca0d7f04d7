"""False discovery rates over all tests of a cohort, since its page shows them together."""

from __future__ import annotations

from escape_score.model.record_statistics import GroupComparison, ResponseStatistics, SurvivalStatistics
from escape_score.statistics.groups import found_among
from escape_score.statistics.ranks import rates_of

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
    if response is not None:
        tested = tuple(row.model_copy(update={"q_value": next(rates)}) for row in response.rows)
        findings = (*response.findings[:-1], found_among(tested))
        response = response.model_copy(update={"rows": tested, "findings": findings})
    modelled = []
    for part in survival:
        fitted = tuple(row.model_copy(update={"q_value": next(rates)}) for row in part.rows)
        modelled.append(part.model_copy(update={"rows": fitted}))
    compared = []
    for one in comparisons:
        rows = tuple(row.model_copy(update={"q_value": next(rates)}) for row in one.rows)
        compared.append(
            one.model_copy(update={"rows": rows, "findings": (*one.findings[:-1], found_among(rows))})
        )
    return response, tuple(modelled), tuple(compared)
