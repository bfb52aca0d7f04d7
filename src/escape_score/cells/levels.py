"""Level of some genes in cells of a compartment, without ambient RNA, and its error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.special import ndtri, stdtrit

from escape_score.cells.ambient import ambient_counts
from escape_score.library.axes import load_design
from escape_score.model.cells import Compartment, PatientCells
from escape_score.model.cohort import FloatArray

_DRAWS = 4000
"""Draws of an interval; their own error is 2 % of its width."""
_FEWEST_COUNTS = 0.5
"""Counts that take the place of fewer, so that a logarithm exists."""


@dataclass(frozen=True, eq=False)
class GeneCounts:
    """Counts of some genes together in cells whose sample has a known ambient share.

    Parameters
    ----------
    counts, totals
        Shape (n_cells,): counts of the genes, counts over all genes.
    background
        Shape (n_cells,): rate of ambient RNA of these genes in a cell's sample.
    ambient_error
        Standard error of the logarithm of the background.
    """

    counts: FloatArray
    totals: FloatArray
    background: FloatArray
    ambient_error: float

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.counts)

    @cached_property
    def rate(self) -> float:
        """Counts of the genes as a part of all counts, with ambient RNA."""
        return float(self.counts.sum() / self.totals.sum())

    @cached_property
    def ambient_rate(self) -> float:
        """The part of ``rate`` that ambient RNA is expected to be."""
        return float((self.background * self.totals).sum() / self.totals.sum())

    @property
    def floor(self) -> float:
        """Smallest rate that differs from none."""
        return _FEWEST_COUNTS / float(self.totals.sum())

    @property
    def net_rate(self) -> float:
        """``rate`` without ambient RNA, at least :attr:`floor`."""
        return max(self.rate - self.ambient_rate, self.floor)

    @cached_property
    def overdispersion(self) -> float:
        """Variance of ``rate`` beyond that of counts, as a part of the squared rate without ambient RNA."""
        beyond = self.variance - self.rate / float(self.totals.sum())
        return max(beyond, 0.0) / self.net_rate**2

    @cached_property
    def variance(self) -> float:
        """Sampling variance of ``rate`` among cells, at least that of counts.

        Residuals are divided by what a cell leaves to the others (HC3, MacKinnon & White 1985,
        10.1016/0304-4076(85)90158-7). The whole is widened by Student's t. Both matter where cells are few
        and deep ones weigh most.
        """
        total, n_cells = float(self.totals.sum()), self.n_cells
        left = np.maximum(1.0 - self.totals / total, 1.0 / max(n_cells, 2))
        among = float((((self.counts - self.rate * self.totals) / left) ** 2).sum()) / total**2
        n_effective = total**2 / float((self.totals**2).sum())
        widened = stdtrit(max(n_effective - 1.0, 1.0), 0.95) / ndtri(0.95)
        return max(among * widened**2, max(self.rate, 1.0 / total) / total)

    def drawn(self, factors: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Draws of the rate without ambient RNA; ``factors`` are those of the background."""
        rate = max(self.rate, self.floor)
        shape = rate**2 / self.variance
        rates = rng.gamma(shape, rate / shape, len(factors))
        return np.asarray(np.maximum(rates - self.ambient_rate * factors, self.floor))


@dataclass(frozen=True, eq=False)
class CellGroup:
    """Cells of some compartments whose sample has a known ambient share.

    Parameters
    ----------
    cells
        All cells of the patient.
    compartments
        Compartments of this group.
    """

    cells: PatientCells
    compartments: tuple[Compartment, ...]

    @cached_property
    def rows(self) -> npt.NDArray[np.intp]:
        """The cells."""
        rows = self.cells.rows(*self.compartments)
        return rows[np.isfinite(self.cells.ambient[self.cells.sample_of[rows]])]

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return len(self.rows)

    @cached_property
    def totals(self) -> FloatArray:
        """Counts over all genes; shape (n_cells,)."""
        return self.cells.n_umi[self.rows]

    @cached_property
    def _counts(self) -> sp.csc_array:
        return sp.csc_array(self.cells.counts[self.rows])

    def counts_of(self, genes: tuple[str, ...]) -> GeneCounts:
        """Counts of some genes together."""
        cells, sample_of = self.cells, self.cells.sample_of[self.rows]
        columns = cells.columns(genes)
        counts = np.asarray(self._counts[:, columns].sum(axis=1), dtype=np.float64).ravel()
        soup = cells.sample_counts[:, columns].sum(axis=1) / cells.sample_umi
        background = (cells.ambient * soup)[sample_of]
        ambient = np.bincount(sample_of, background * self.totals, len(cells.sample_ids)).astype(np.float64)
        return GeneCounts(counts, self.totals, background, self._ambient_error(ambient))

    def _ambient_error(self, ambient: FloatArray) -> float:
        """Standard error of the logarithm of all ambient counts; ``ambient``: those of each sample.

        What markers differ by is the same in all samples; counting errors are independent.
        """
        known = ambient > 0
        parts = ambient[known] / ambient.sum()
        counting = (parts**2 / np.maximum(ambient_counts(self.cells)[known], 1.0)).sum()
        return math.hypot(load_design().thresholds.cell_presentation.ambient_sd_log, math.sqrt(counting))


@dataclass(frozen=True)
class LogLevel:
    """A level on a log2 scale with its interval."""

    value: float
    low: float
    high: float


def log_rate(cells: GeneCounts, *, content: float, seed: int) -> LogLevel:
    """Log2 of counts in 10,000."""
    rng = np.random.default_rng(seed)
    factors = _factors(cells.ambient_error, rng)
    return _log_level(1e4 * cells.net_rate, 1e4 * cells.drawn(factors, rng), content)


def log_ratio(cells: GeneCounts, others: GeneCounts, *, content: float, seed: int) -> LogLevel:
    """Log2 of the level in cells over that in others, which share the error of ambient RNA."""
    rng = np.random.default_rng(seed)
    factors = _factors(cells.ambient_error, rng)
    drawn = cells.drawn(factors, rng) / others.drawn(factors, rng)
    return _log_level(cells.net_rate / others.net_rate, drawn, content)


def largest_low_ratio(cells: GeneCounts, others: GeneCounts, threshold: float, content: float) -> float:
    """Largest log2 ratio whose interval would be below a threshold; NaN if not even a complete loss is."""
    z = float(ndtri((1.0 + content) / 2.0))
    log2_other = math.sqrt(others.variance) / others.net_rate / math.log(2.0)
    ratios = np.linspace(threshold - 8.0, threshold, 161)
    rates = others.net_rate * 2.0**ratios
    counted = (rates + cells.ambient_rate) / float(cells.totals.sum())
    variance = counted + cells.overdispersion * rates**2 + (cells.ambient_rate * cells.ambient_error) ** 2
    above = np.log2((rates + z * np.sqrt(variance)) / rates)
    is_low = ratios + np.hypot(above, z * log2_other) <= threshold
    return float(ratios[is_low].max()) if is_low.any() else math.nan


def _factors(error: float, rng: np.random.Generator) -> FloatArray:
    """Draws of the factor of the background."""
    return np.exp(error * rng.standard_normal(_DRAWS))


def _log_level(value: float, drawn: FloatArray, content: float) -> LogLevel:
    low, high = np.log2(np.quantile(drawn, [(1.0 - content) / 2.0, (1.0 + content) / 2.0]))
    return LogLevel(math.log2(value), min(float(low), math.log2(value)), max(float(high), math.log2(value)))
