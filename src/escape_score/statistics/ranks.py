"""Statistics of ranks: the area under the curve, shifts between groups, their intervals, and q values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np

from escape_score.model.record_statistics import ConfidenceInterval, GroupRow, ResponseRow, SurvivalRow
from escape_score.statistics.columns import FloatArray, IntArray

Row = TypeVar("Row", GroupRow, ResponseRow, SurvivalRow)

Z_95 = 1.959963984540054
"""Normal quantile of a two-sided 95 % interval."""
MIN_GROUP = 5
"""Fewest samples of a group: below, no rank test of two equal groups reaches p = 0.01."""
MAX_EXACT = 50
"""Largest group whose distribution is counted; beyond, the normal approximation serves."""
_ONE_IN = 40
"""2.5 % as a whole-number ratio."""
LARGEST_LOGARITHM = 700.0
"""Beyond, the exponential is not a number any more."""


@dataclass(frozen=True)
class Area:
    """P(a value of the second group is larger) + half of P(equal), with its interval."""

    auc: float
    interval: ConfidenceInterval
    method: str


@dataclass(frozen=True)
class Shift:
    """Hodges-Lehmann estimate in the unit of the values."""

    shift: float
    interval: ConfidenceInterval


def area_under_curve(first: FloatArray, second: FloatArray) -> Area:
    """Estimate how often the second group is above the first.

    Parameters
    ----------
    first, second
        Values without NaN, shapes (n_first,) and (n_second,), at least two each.

    Returns
    -------
    Area
        In [0, 1]; 0.5 = no difference, 1 = every value of the second group is larger. Ties count half.

    Notes
    -----
    The interval takes DeLong's variance [1]_ on the logit scale [2]_. Groups that do not overlap have no such
    variance; theirs is Newcombe's score interval, method 5 [3]_, which knows how small the groups are.

    References
    ----------
    .. [1] DeLong et al. 1988, Biometrics 44:837, doi:10.2307/2531595
    .. [2] Pepe 2003, The Statistical Evaluation of Medical Tests, section 5.2
    .. [3] Newcombe 2006, Statistics in Medicine 25:559, doi:10.1002/sim.2324
    """
    above_first, above_second = _placements(first, second)
    auc = float(above_second.mean())
    variance = float(above_first.var(ddof=1) / len(first) + above_second.var(ddof=1) / len(second))
    if variance <= 0 or not 0 < auc < 1:
        return Area(auc, _newcombe(auc, len(first), len(second)), "Newcombe, method 5")
    logit, half = math.log(auc / (1 - auc)), Z_95 * math.sqrt(variance) / (auc * (1 - auc))
    low, high = expit(logit - half), expit(logit + half)
    return Area(auc, ConfidenceInterval(low=low, high=high), "DeLong, logit scale")


def expit(value: float) -> float:
    """Probability of a logit."""
    return 1 / (1 + math.exp(-min(max(value, -LARGEST_LOGARITHM), LARGEST_LOGARITHM)))


def _placements(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Share of the other group that is on the expected side of each value, from midranks."""
    from scipy.stats import rankdata

    together = rankdata(np.concatenate([first, second]))
    n_first, n_second = len(first), len(second)
    of_first = (together[:n_first] - rankdata(first)) / n_second
    of_second = (together[n_first:] - rankdata(second)) / n_first
    return 1.0 - of_first, of_second


def _newcombe(auc: float, n_first: int, n_second: int) -> ConfidenceInterval:
    """Areas from which the one seen is 1.96 of Hanley and McNeil's standard errors away."""
    from scipy.optimize import brentq

    extra = (n_first + n_second) / 2 - 1

    def distance(theta: float) -> float:
        spread = theta * (1 - theta) * (1 + extra * ((1 - theta) / (2 - theta) + theta / (1 + theta)))
        return abs(theta - auc) - Z_95 * math.sqrt(max(spread, 0.0) / (n_first * n_second))

    # the area seen itself is no distance away where it is 0 or 1, so the search keeps off it
    tiny, off = 1e-12, 1e-9
    low = 0.0 if auc <= off else float(brentq(distance, tiny, auc - off))
    high = 1.0 if auc >= 1 - off else float(brentq(distance, auc + off, 1 - tiny))
    return ConfidenceInterval(low=low, high=high)


def shift_between(first: FloatArray, second: FloatArray) -> Shift:
    """Estimate how far the second group is above the first (Hodges-Lehmann, two samples).

    Notes
    -----
    The median of all differences, and the interval between two of them, counted from either end (Hollander &
    Wolfe 1999, Nonparametric Statistical Methods, section 4.3): exact in small groups without ties.
    """
    # the same differences in an order that takes a sixth of the time to partition
    differences = (np.sort(second)[:, None] - np.sort(first)[None, :]).ravel()
    return _between_order_statistics(differences, rank_sum_place(len(first), len(second)))


def shift_within_pairs(differences: FloatArray) -> Shift:
    """Estimate the typical difference of pairs (Hodges-Lehmann, one sample: the median of Walsh averages)."""
    n, ordered = len(differences), np.sort(differences)
    rows, columns = np.triu_indices(n)
    averages = (ordered[rows] + ordered[columns]) / 2
    return _between_order_statistics(averages, signed_rank_place(n))


def _between_order_statistics(values: FloatArray, place: int) -> Shift:
    """Median of values, which are put in another order, and those at one place from either end."""
    n = len(values)
    places = (place - 1, (n - 1) // 2, n // 2, n - place)
    values.partition(places)
    # which of two zeros comes first is chance, so none keeps a sign
    low, below, above, high = (float(value) + 0.0 for value in values[list(places)])
    return Shift((below + above) / 2, ConfidenceInterval(low=low, high=high))


def paired_rank_biserial(differences: FloatArray) -> FloatArray:
    """Matched-pairs rank-biserial correlation of each row: share of positive minus share of negative ranks.

    Differences have shape (n_resamples, n_pairs), zeros count for neither side; correlations (n_resamples,),
    0 where all differences are zero (Kerby 2014, Comprehensive Psychology 3:1).
    """
    from scipy.stats import rankdata

    away = np.abs(differences)
    n_zeros = (away == 0).sum(axis=1, keepdims=True)
    ranks = np.where(away == 0, 0.0, rankdata(away, axis=1) - n_zeros)
    total = ranks.sum(axis=1)
    signed: FloatArray = (np.sign(differences) * ranks).sum(axis=1)
    share: FloatArray = np.divide(signed, total, out=np.zeros_like(signed), where=total > 0)
    return share


def epsilon_squared(groups: Sequence[FloatArray], counts: Sequence[IntArray]) -> FloatArray:
    """Epsilon squared of Kruskal and Wallis for each resample: H over its largest value.

    Parameters
    ----------
    groups
        Values of each group, without NaN.
    counts
        How often each resample holds each value, one array of shape (n_resamples, n_group) a group; its rows
        sum to n_group. Ones for the groups as they are.

    Returns
    -------
    FloatArray
        Shape (n_resamples,), in [0, 1]; 0 where all values are equal (Tomczak & Tomczak 2014, Trends in Sport
        Sciences 21:19).

    Notes
    -----
    Values are sorted once; the midranks of a resample follow from its counts. Ranks, and their squares less
    the mean rank, are multiples of a quarter, so every sum is exact in whatever order it is taken.
    """
    pooled = np.concatenate(groups)
    order = np.argsort(pooled, kind="stable")
    drawn = np.hstack(counts)[:, order]
    starts = np.flatnonzero(np.diff(pooled[order], prepend=np.nan) != 0)
    tied = np.add.reduceat(drawn, starts, axis=1)
    midranks = np.cumsum(tied, axis=1) - (tied - 1) / 2
    n_tied = np.diff(starts, append=len(pooled))
    centred = drawn * np.repeat(midranks - (len(pooled) + 1) / 2, n_tied, axis=1)
    total = (tied * np.square(midranks - (len(pooled) + 1) / 2)).sum(axis=1)
    member = np.repeat(np.arange(len(groups)), [len(of) for of in groups])[order]
    between = sum(
        np.square(centred[:, member == place].sum(axis=1)) / len(of) for place, of in enumerate(groups)
    )
    share: FloatArray = np.divide(between, total, out=np.zeros_like(total), where=total > 0)
    return share


def counts_of(draws: IntArray) -> IntArray:
    """Count how often each of n values is drawn; draws and counts have shape (n_resamples, n)."""
    n_resamples, n = draws.shape
    places = draws + n * np.arange(n_resamples)[:, None]
    counts: IntArray = np.bincount(places.ravel(), minlength=draws.size).reshape(draws.shape)
    return counts


def with_q_values(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows with q values, by their p values alone."""
    rates = rates_of([row.p_value for row in rows])
    return tuple(row.model_copy(update={"q_value": q}) for row, q in zip(rows, rates, strict=True))


def rates_of(p_values: Sequence[float]) -> list[float]:
    """False discovery rates of p values (Benjamini & Hochberg 1995, J R Stat Soc B 57:289)."""
    if not p_values:  # most cohorts have no labels, and the import takes long
        return []
    from scipy.stats import false_discovery_control

    rates: FloatArray = false_discovery_control(np.array(p_values, dtype=np.float64))
    return [float(rate) for rate in rates]


# --- exact intervals of shifts ------------------------------------------------------------------------------
#
# The counts of the rank-sum and the signed-rank statistic under no difference are those of partitions, added
# up as whole numbers (Hollander & Wolfe 1999, Nonparametric Statistical Methods, sections 3.1 and 4.1).


@lru_cache(maxsize=256)
def rank_sum_place(n_first: int, n_second: int) -> int:
    """Place, from either end and from 1, of the differences that bound a shift of two groups."""
    if max(n_first, n_second) > MAX_EXACT:
        sd = math.sqrt(n_first * n_second * (n_first + n_second + 1) / 12)
        return max(math.floor(n_first * n_second / 2 - Z_95 * sd), 1)
    counts = [1] + [0] * (n_first * n_second)
    for size in range(1, n_first + 1):
        # Gaussian binomial: times (1 - q^(n + size)), over (1 - q^size)
        for at in range(len(counts) - 1, n_second + size - 1, -1):
            counts[at] -= counts[at - n_second - size]
        for at in range(size, len(counts)):
            counts[at] += counts[at - size]
    return _place(counts, math.comb(n_first + n_second, n_first))


@lru_cache(maxsize=256)
def signed_rank_place(n_pairs: int) -> int:
    """Place, from either end and from 1, of the Walsh averages that bound a shift within pairs."""
    if n_pairs > MAX_EXACT:
        sd = math.sqrt(n_pairs * (n_pairs + 1) * (2 * n_pairs + 1) / 24)
        return max(math.floor(n_pairs * (n_pairs + 1) / 4 - Z_95 * sd), 1)
    counts = [1] + [0] * (n_pairs * (n_pairs + 1) // 2)
    for rank in range(1, n_pairs + 1):
        for at in range(len(counts) - 1, rank - 1, -1):
            counts[at] += counts[at - rank]
    return _place(counts, 2**n_pairs)


def _place(counts: Iterable[int], total: int) -> int:
    """Smallest value whose lower tail holds at least 2.5 %, at least 1."""
    below = 0
    for value, count in enumerate(counts):
        below += count
        if below * _ONE_IN >= total:
            return max(value, 1)
    return 1
