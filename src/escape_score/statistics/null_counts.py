"""How many order statistics lie outside an exact 95 % interval of a shift.

The counts of the rank-sum and the signed-rank statistic under no difference are those of partitions, added up
here as whole numbers (Hollander & Wolfe 1999, Nonparametric Statistical Methods, sections 3.1 and 4.1).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache

Z_95 = 1.959963984540054
"""Normal quantile of a two-sided 95 % interval."""
MAX_EXACT = 50
"""Largest group whose distribution is counted; beyond, the normal approximation serves."""
_ONE_IN = 40
"""2.5 % as a whole-number ratio."""


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
