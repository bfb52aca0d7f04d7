"""Kernel estimate of each gene's distribution over samples, with Poisson kernels, for counts."""

from __future__ import annotations

import math

import numpy as np

from escape_score.model.cohort import FloatArray
from escape_score.score.methods.gsva_table import distinct_values, look_up
from escape_score.score.methods.jit import inner, kernel

POISSON_OFFSET = 0.5
"""Added to every count, so that a count of 0 has a kernel too (Hänzelmann et al. 2013)."""
_REACH = 12.0
"""Standard deviations of a Poisson distribution beyond which its CDF is 0 or 1 to 1e-16, with _MARGIN."""
_MARGIN = 40.0
_ROUNDING = 1e-7
"""A count this little below a whole number is that number, as in R's ppois."""


@inner
def _add_kernel(mean: float, weight: float, distinct: FloatArray, cdf: FloatArray) -> None:
    """Add one kernel's CDF at all distinct values; probabilities by recurrence from the mode."""
    mode = int(mean)
    half = int(_REACH * math.sqrt(mean) + _MARGIN)
    lowest, highest = max(mode - half, 0), mode + half
    # Relative to the mode and divided by their sum: exact also where lgamma of large counts is not.
    total, start, rising = 1.0, 1.0, 1.0
    for k in range(mode, lowest, -1):
        start *= k / mean
        total += start
    for k in range(mode + 1, highest + 1):
        rising *= mean / k
        total += rising
    k, probability = lowest, start / total
    cumulative = probability
    for j in range(distinct.size):
        wanted = math.floor(distinct[j] + _ROUNDING)
        if wanted < lowest:
            continue
        while k < wanted and k < highest:
            k += 1
            probability *= mean / k
            cumulative += probability
        cdf[j] += weight if wanted >= highest else weight * min(cumulative, 1.0)


@kernel("float64[2], float64[2]")
def cdf_by_poisson(rows: FloatArray, ordered: FloatArray) -> FloatArray:
    """Estimate F(x) = mean P(Poisson(x_j + 0.5) ≤ x) of each row (gene), values ≥ 0.

    ``ordered``: the rows sorted, so that sums do not depend on the order of samples.
    """
    n_rows, n = rows.shape
    result = np.empty((n_rows, n))
    distinct, counts, cdf = np.empty(n), np.empty(n), np.empty(n)
    for row in range(n_rows):
        n_distinct = distinct_values(ordered[row], distinct, counts)
        cdf[:n_distinct] = 0.0
        for i in range(n_distinct):
            _add_kernel(distinct[i] + POISSON_OFFSET, counts[i] / n, distinct[:n_distinct], cdf)
        look_up(rows[row], distinct[:n_distinct], cdf, result[row])
    return result
