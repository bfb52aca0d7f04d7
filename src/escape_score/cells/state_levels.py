"""Level of some genes in some cells: log2 of counts in 10,000, with its interval."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaincinv, ndtri, stdtrit

from escape_score.cells.levels import LogLevel
from escape_score.library.cell_states import PER
from escape_score.model.cohort import FloatArray

PRIOR = 0.5
"""Counts added to a sum, as in the Jeffreys interval of a Poisson rate."""


def level_of(counts: FloatArray, n_umi: FloatArray, *, level: float) -> LogLevel:
    """Level of genes in cells.

    A sum over cells varies more than a Poisson count, because cells differ. How much more is estimated from
    the cells, and the interval is that of a Poisson count with as much information. Where few cells, or
    few deep ones, have most of the counts, it is wider by the ratio of Student's t to the normal.

    Parameters
    ----------
    counts
        Shape (n_cells,): counts of the genes together.
    n_umi
        Shape (n_cells,): counts over all genes, > 0.
    level
        Of the interval.
    """
    total, seen = float(n_umi.sum()), float(counts.sum()) + PRIOR
    tail, n_effective = (1 - level) / 2, total**2 / float((n_umi**2).sum())
    few = (stdtrit(max(n_effective - 1, 1), tail) / ndtri(tail)) ** 2
    dispersed = few * overdispersion(counts, n_umi, seen / total)
    shape = seen / dispersed
    bounds = gammaincinv(shape, np.array([tail, 1 - tail])) * dispersed
    value, low, high = np.log2(PER * np.append(seen, bounds) / total)
    return LogLevel(float(value), float(min(low, value)), float(max(high, value)))


def overdispersion(counts: FloatArray, n_umi: FloatArray, rate: float) -> float:
    """Variance of the sum over that of a Poisson count, at least 1."""
    away = counts - rate * n_umi
    correction = len(counts) / max(len(counts) - 1, 1)
    return max(1.0, float((away**2).sum()) * correction / (rate * float(n_umi.sum())))
