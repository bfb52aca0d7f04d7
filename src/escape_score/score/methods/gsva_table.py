"""Kernel estimate of each gene's distribution over samples, pair by pair through a table."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import special

from escape_score.model.cohort import FloatArray
from escape_score.score.methods.jit import inner, kernel

BANDWIDTH_DIVISOR = 4.0
"""The bandwidth is a quarter of the gene's standard deviation (Hänzelmann et al. 2013)."""
TABLE_END = 10.0
TABLE_STEPS = 10_000


@lru_cache(maxsize=1)
def normal_table() -> FloatArray:
    """Normal CDF at 0, 0.001, … 10."""
    table: FloatArray = special.ndtr(np.arange(TABLE_STEPS + 1) * (TABLE_END / TABLE_STEPS))
    table.flags.writeable = False
    return table


@inner
def distinct_values(ordered: FloatArray, distinct: FloatArray, counts: FloatArray) -> int:
    """Distinct values of a sorted row and how often each occurs; returns how many they are."""
    n_distinct = 0
    for i in range(ordered.size):
        if n_distinct and distinct[n_distinct - 1] == ordered[i]:
            counts[n_distinct - 1] += 1.0
        else:
            distinct[n_distinct] = ordered[i]
            counts[n_distinct] = 1.0
            n_distinct += 1
    return n_distinct


@inner
def spread(ordered: FloatArray) -> float:
    """Standard deviation (n − 1)."""
    mean = 0.0
    for value in ordered:
        mean += value
    mean /= ordered.size
    squares = 0.0
    for value in ordered:
        squares += (value - mean) ** 2
    return float(np.sqrt(squares / (ordered.size - 1)))


@inner
def look_up(row: FloatArray, distinct: FloatArray, cdf: FloatArray, result: FloatArray) -> None:
    """Give every value of a row the estimate of its distinct value."""
    for i in range(row.size):
        low, high = 0, distinct.size - 1
        while low < high:
            middle = (low + high) // 2
            if distinct[middle] < row[i]:
                low = middle + 1
            else:
                high = middle
        result[i] = cdf[low]


@kernel("float64[2], float64[2], float64[1]")
def cdf_by_table(rows: FloatArray, ordered: FloatArray, table: FloatArray) -> FloatArray:
    """Estimate F(x) = mean Φ((x − x_j) / h) of each row (gene), in O(n²).

    ``ordered``: the rows sorted, so that sums do not depend on the order of samples. The index into the
    table is cut to a whole number as in R GSVA; F errs by at most 2e-4.
    """
    n_rows, n = rows.shape
    result = np.empty((n_rows, n))
    distinct, counts, cdf = np.empty(n), np.empty(n), np.empty(n)
    for row in range(n_rows):
        n_distinct = distinct_values(ordered[row], distinct, counts)
        scale = BANDWIDTH_DIVISOR / spread(ordered[row]) * (TABLE_STEPS / TABLE_END)
        for j in range(n_distinct):
            own = counts[j] * table[0]
            for i in range(j):
                step = (distinct[j] - distinct[i]) * scale
                below = table[int(step)] if step <= TABLE_STEPS else 1.0
                own += counts[i] * below
                cdf[i] += counts[j] * (1.0 - below)
            cdf[j] = own
        for j in range(n_distinct):
            cdf[j] /= n
        look_up(rows[row], distinct[:n_distinct], cdf, result[row])
    return result
