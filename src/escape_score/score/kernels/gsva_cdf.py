"""Kernel estimate of each gene's distribution over samples: by a table, by moments, or for counts.

The table takes pairs of samples. Moments take time linear in the number of samples: data are gathered at the
nodes of a grid; the sum of normal CDFs and its slope at every node is then a Taylor series (the idea of the
fast Gauss transform, Greengard & Strain 1991, doi:10.1137/0912004), and a cubic between nodes leads back to
the data. Counts have Poisson kernels.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy import special

from escape_score.model.cohort import FloatArray
from escape_score.score.kernels.jit import inner, kernel

BANDWIDTH_DIVISOR = 4.0
"""The bandwidth is a quarter of the gene's standard deviation (Hänzelmann et al. 2013)."""
TABLE_END = 10.0
TABLE_STEPS = 10_000
NODES_PER_BANDWIDTH = 4
REACH = 9
"""Bandwidths beyond which the normal CDF is 0 or 1 in float64, less 1e-18."""
N_MOMENTS = 5
_N_OFFSETS = 2 * REACH * NODES_PER_BANDWIDTH + 1
POISSON_OFFSET = 0.5
"""Added to every count, so that a count of 0 has a kernel too (Hänzelmann et al. 2013)."""
_POISSON_REACH = 12.0
"""Standard deviations of a Poisson distribution beyond which its CDF is 0 or 1 to 1e-16, with _MARGIN."""
_MARGIN = 40.0
_ROUNDING = 1e-7
"""A count this little below a whole number is that number, as in R's ppois."""


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


@lru_cache(maxsize=1)
def taylor_table() -> FloatArray:
    """Taylor coefficients of Φ(d − u) in u, and of its slope in d.

    Shape (2, 5, n_offsets): (−1)^k Φ^(k)(d) / k! and (−1)^k Φ^(k + 1)(d) / k! for d = −9, −8.75, … 9.
    """
    d = np.arange(_N_OFFSETS) / NODES_PER_BANDWIDTH - REACH
    density = np.exp(-0.5 * d**2) / np.sqrt(2.0 * np.pi)
    hermite = [np.ones_like(d), d]
    for k in range(1, N_MOMENTS):
        hermite.append(d * hermite[k] - k * hermite[k - 1])
    derivatives = [special.ndtr(d), *((-1.0) ** k * hermite[k] * density for k in range(N_MOMENTS))]
    signs = [(-1.0) ** k / special.factorial(k) for k in range(N_MOMENTS)]
    values = [signs[k] * derivatives[k] for k in range(N_MOMENTS)]
    slopes = [signs[k] * derivatives[k + 1] for k in range(N_MOMENTS)]
    table: FloatArray = np.array([values, slopes])
    table.flags.writeable = False
    return table


@inner
def _gather(ordered: FloatArray, step: float, moments: FloatArray) -> None:
    """Moments 0–4, in bandwidths, of the data nearest to each node."""
    moments[:] = 0.0
    for value in ordered:
        place = (value - ordered[0]) / step
        node = int(place + 0.5)
        u = (place - node) / NODES_PER_BANDWIDTH
        power = 1.0
        for k in range(N_MOMENTS):
            moments[node, k] += power
            power *= u


@inner
def _spread_out(moments: FloatArray, table: FloatArray, at_node: FloatArray) -> None:
    """Sum of CDFs and of their slopes at every node."""
    n_nodes, reach = moments.shape[0], REACH * NODES_PER_BANDWIDTH
    at_node[:] = 0.0
    for source in range(n_nodes):
        m0, m1, m2, m3, m4 = moments[source]
        if m0 == 0.0:
            continue
        start, stop = max(source - reach, 0), min(source + reach + 1, n_nodes)
        shift = reach - source
        for node in range(start, stop):
            o = node + shift
            at_node[0, node] += (
                m0 * table[0, 0, o]
                + m1 * table[0, 1, o]
                + m2 * table[0, 2, o]
                + m3 * table[0, 3, o]
                + m4 * table[0, 4, o]
            )
            at_node[1, node] += (
                m0 * table[1, 0, o]
                + m1 * table[1, 1, o]
                + m2 * table[1, 2, o]
                + m3 * table[1, 3, o]
                + m4 * table[1, 4, o]
            )
    whole = 0.0
    for node in range(reach + 1, n_nodes):
        whole += moments[node - reach - 1, 0]
        at_node[0, node] += whole


@inner
def _lead_back(
    row: FloatArray, lowest: float, step: float, at_node: FloatArray, n_nodes: int, result: FloatArray
) -> None:
    """Cubic Hermite interpolation at the data."""
    for i in range(row.size):
        place = (row[i] - lowest) / step
        node = min(int(place), n_nodes - 2)
        t = place - node
        f0, f1 = at_node[0, node], at_node[0, node + 1]
        s0, s1 = at_node[1, node] / NODES_PER_BANDWIDTH, at_node[1, node + 1] / NODES_PER_BANDWIDTH
        c2 = 3.0 * (f1 - f0) - 2.0 * s0 - s1
        c3 = 2.0 * (f0 - f1) + s0 + s1
        result[i] = (f0 + t * (s0 + t * (c2 + t * c3))) / row.size


@kernel("float64[2], float64[2], float64[3]")
def cdf_by_moments(rows: FloatArray, ordered: FloatArray, table: FloatArray) -> FloatArray:
    """Estimate F(x) = mean Φ((x − x_j) / h) of each row (gene), in O(n); F errs by at most 1e-5.

    ``ordered``: the rows sorted, so that sums do not depend on the order of samples.
    """
    n_rows, n = rows.shape
    result = np.empty((n_rows, n))
    # The range of n values is at most √(2 (n − 1)) standard deviations.
    most = int(BANDWIDTH_DIVISOR * NODES_PER_BANDWIDTH * np.sqrt(2.0 * n)) + 4
    moments, at_node = np.empty((most, N_MOMENTS)), np.empty((2, most))
    for row in range(n_rows):
        lowest, highest = ordered[row, 0], ordered[row, -1]
        step = spread(ordered[row]) / BANDWIDTH_DIVISOR / NODES_PER_BANDWIDTH
        n_nodes = min(int((highest - lowest) / step) + 2, most)
        _gather(ordered[row], step, moments[:n_nodes])
        _spread_out(moments[:n_nodes], table, at_node[:, :n_nodes])
        _lead_back(rows[row], lowest, step, at_node, n_nodes, result[row])
    return result


@inner
def _add_kernel(mean: float, weight: float, distinct: FloatArray, cdf: FloatArray) -> None:
    """Add one kernel's CDF at all distinct values; probabilities by recurrence from the mode."""
    mode = int(mean)
    half = int(_POISSON_REACH * math.sqrt(mean) + _MARGIN)
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
