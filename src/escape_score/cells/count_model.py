"""Share of cells that have lost a gene, from their counts: a posterior on a grid.

A cell has a count y over some genes, and N over all. With share π it has lost them:

    lost    y ~ NB(b·N + k·λ·N, size θ_b)
    intact  y ~ (1 − e)·NB(b·N + λ·N) + e·NB(b·N + s·N, size θ_s)

b is the rate of ambient RNA, λ the level of intact cells, s that of the sample's own stroma, k what a lost
cell keeps. The few cells e with the level of stroma are doublets and normal cells among the malignant ones.
The variance of an intact count is m + (λN)²/θ + (bN)²/θ_b with the mean m. Priors: log λ about a level
relative to stroma, log θ, and a log-normal factor of b; π is uniform. Without the prior on θ, a wide
dispersion would explain any loss.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, ndtri

from escape_score.model.cohort import FloatArray
from escape_score.model.thresholds import CellPresentationLimits

_COARSE = (22, 4)
"""Points of log λ and log θ on the first grid, which finds where the posterior is."""
_FINE = (14, 6, 3)
"""Points of log λ, log θ and the factor of b on the later grids."""
_NARROWINGS = 2
"""With thousands of cells the posterior is narrower than one narrowing can resolve."""
_SHARES = 1e-4 + 0.9988 * np.linspace(0.0, 1.0, 31) ** 1.5
_EVERY_SHARE = np.linspace(0.0, 1.0, 1001)
_DEPTH_STEP = 0.1
"""Cells are joined if their totals differ by less than this, natural logarithm: far below the dispersion."""
_COARSE_DEPTH_STEP = 0.35
"""The same for limits of detection."""
_EXACT_COUNTS = 16
"""Larger counts are joined in steps of 6 %, a quarter of their Poisson error or less."""
_COUNT_STEP = 0.06
_FAR = 10.0
"""Log posterior below its maximum from which a point of the first grid is left out."""
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class CountTable:
    """Cells joined by count, total and background.

    Parameters
    ----------
    counts, totals, background
        Shape (n_kinds,): mean count of the genes, mean count over all genes, rate of ambient RNA.
    weights
        Shape (n_kinds,): number of cells.
    """

    counts: FloatArray
    totals: FloatArray
    background: FloatArray
    weights: FloatArray

    @property
    def n_cells(self) -> float:
        """Number of cells."""
        return float(self.weights.sum())


@dataclass(frozen=True)
class LostShare:
    """Posterior of the share of cells that have lost some genes.

    Parameters
    ----------
    share, low, high
        Posterior mean, and the narrowest interval of that content.
    level
        Posterior median of λ: counts of an intact cell as a part of its total.
    dispersion
        Posterior median of θ.
    """

    share: float
    low: float
    high: float
    level: float
    dispersion: float


def count_table(counts: FloatArray, totals: FloatArray, background: FloatArray) -> CountTable:
    """Cells joined by count, total and background; the same for every order of cells.

    Parameters
    ----------
    counts, totals, background
        Shape (n_cells,): counts ≥ 0 of the genes, counts > 0 over all genes, rate ≥ 0 of ambient RNA.
    """
    depth = np.rint(np.log(totals) / _DEPTH_STEP)
    steps = np.rint(np.log(np.maximum(counts, 1.0) / _EXACT_COUNTS) / _COUNT_STEP)
    kind = np.where(counts <= _EXACT_COUNTS, counts, _EXACT_COUNTS + 1.0 + steps)
    keys, of_cell = np.unique(np.column_stack([kind, depth, background]), axis=0, return_inverse=True)
    of_cell = of_cell.ravel()
    weights = np.bincount(of_cell).astype(np.float64)
    mean_count, mean_total = (np.bincount(of_cell, values) / weights for values in (counts, totals))
    return CountTable(mean_count, mean_total, keys[:, 2], weights)


@dataclass(frozen=True)
class Prior:
    """What is known of a patient before the counts of malignant cells.

    Parameters
    ----------
    stroma_level
        Counts of the genes in stroma as a part of its total, without ambient RNA; > 0.
    ambient_error
        Standard error of the logarithm of the background; > 0.
    """

    stroma_level: float
    ambient_error: float


def lost_share(cells: CountTable, prior: Prior, limits: CellPresentationLimits) -> LostShare:
    """Posterior of the share of lost cells; ``cells`` has at least one."""
    model = _Model(cells, prior, limits)
    levels, sizes = model.widest_grid()
    for _ in range(_NARROWINGS):
        coarse = model.log_posterior(levels, sizes, np.zeros(1), _SHARES[::3])
        levels, sizes = _narrowed(levels, coarse, 0, _FINE[0]), _narrowed(sizes, coarse, 1, _FINE[1])
    factors = prior.ambient_error * np.linspace(-1.5, 1.5, _FINE[2])
    fine = model.log_posterior(levels, sizes, factors, _SHARES)
    return _summary(fine, levels, sizes, limits.cell_interval_level)


@dataclass(frozen=True, eq=False)
class _Model:
    cells: CountTable
    prior: Prior
    limits: CellPresentationLimits

    @property
    def expected_log_level(self) -> float:
        """Mean of the prior of log λ."""
        return math.log(self.prior.stroma_level) + math.log(2.0) * self.limits.level_mean_log2

    def widest_grid(self) -> tuple[FloatArray, FloatArray]:
        """Log λ and log θ that cover prior and data."""
        cells, limits = self.cells, self.limits
        net = float(((cells.counts - cells.background * cells.totals) * cells.weights).sum())
        seen = math.log(max(net, 1.0) / float((cells.totals * cells.weights).sum()))
        spread = math.log(2.0) * limits.level_sd_log2
        low = min(seen - 1.0, self.expected_log_level - 2.5 * spread)
        high = max(seen + 1.5, self.expected_log_level + 2.5 * spread)
        sizes = limits.dispersion_mean_log + limits.dispersion_sd_log * np.linspace(-2.5, 3.0, _COARSE[1])
        return np.linspace(low, high, _COARSE[0]), sizes

    def log_prior(self, levels: FloatArray, sizes: FloatArray, factors: FloatArray) -> FloatArray:
        """Log prior density; shape (n_levels, n_sizes, n_factors)."""
        limits = self.limits
        level = (levels - self.expected_log_level) / (math.log(2.0) * limits.level_sd_log2)
        size = (sizes - limits.dispersion_mean_log) / limits.dispersion_sd_log
        factor = factors / self.prior.ambient_error
        squares = level[:, None, None] ** 2 + size[:, None] ** 2 + factor**2
        return np.asarray(-0.5 * squares, dtype=np.float64)

    def log_posterior(
        self, levels: FloatArray, sizes: FloatArray, factors: FloatArray, shares: FloatArray
    ) -> FloatArray:
        """Log posterior up to a constant; shape (n_levels, n_sizes, n_factors, n_shares)."""
        weights = self.cells.weights
        intact, lost = self.log_densities(levels, sizes, factors)
        excess = np.expm1(np.minimum(lost - intact, 50.0))
        base = np.tensordot(weights, intact, axes=1) + self.log_prior(levels, sizes, factors)
        # A cell that cannot be lost adds log(1 − π), whatever the other parameters are.
        is_open = excess.reshape(len(weights), -1).max(axis=1) > 1e-6 - 1.0
        certain = float(weights[~is_open].sum())
        excess, weights = excess[is_open], weights[is_open]
        mixed = [np.tensordot(weights, np.log1p(share * excess), axes=1) for share in shares]
        return np.asarray(base[..., None] + np.stack(mixed, axis=-1) + certain * np.log1p(-shares))

    def share_densities(
        self, weights: FloatArray, levels: FloatArray, sizes: FloatArray
    ) -> Iterator[FloatArray]:
        """Posterior of the share for each row of weights of the kinds of cells, on all shares; sums to 1."""
        factors = np.zeros(1)
        intact, lost = (
            one.reshape(len(self.cells.weights), -1)
            for one in np.broadcast_arrays(*self.log_densities(levels, sizes, factors))
        )
        excess = np.expm1(np.minimum(lost - intact, 50.0))
        logs = np.stack([weights @ (intact + np.log1p(share * excess)) for share in _SHARES], axis=-1)
        for log_posterior in logs + self.log_prior(levels, sizes, factors).reshape(-1, 1):
            yield _density(log_posterior)

    def log_densities(
        self, levels: FloatArray, sizes: FloatArray, factors: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Log probability of each count if intact, and if lost; (n_kinds, n_levels, n_sizes, n_factors)."""
        cells, limits = self.cells, self.limits
        column = (slice(None), None, None, None)
        counts, totals = cells.counts[column], cells.totals[column]
        ambient = (cells.background * cells.totals)[column] * np.exp(factors) + _TINY
        signal = totals * np.exp(levels)[:, None, None]
        size = np.exp(sizes)[:, None]
        plain = _log_nb(counts, signal + ambient, _joint_size(signal, size, ambient, limits.ambient_size))
        stroma = _log_nb(counts, totals * self.prior.stroma_level + ambient, limits.stroma_size)
        share = limits.stroma_like_share
        intact = np.logaddexp(math.log1p(-share) + plain, math.log(share) + stroma)
        kept = ambient + limits.residual * signal
        lost = _log_nb(counts, kept, limits.ambient_size)
        return np.asarray(intact), np.asarray(lost)


def smallest_detectable(
    cells: CountTable, fit: LostShare, prior: Prior, threshold: float, limits: CellPresentationLimits
) -> float:
    """Smallest share of lost cells that would be called with the wanted power; NaN if none would.

    For each share, the counts that the fitted model expects from these totals take the place of the data.
    The power is reached where the low end is beyond the threshold after value and interval moved down
    together by the normal quantile of the power.
    """
    model = _Model(_expected_kinds(cells), prior, limits)
    at = np.array([math.log(fit.level)]), np.array([math.log(fit.dispersion)]), np.zeros(1)
    widths = model.cells.weights
    intact, lost = (widths * np.exp(one[:, 0, 0, 0]) for one in model.log_densities(*at))
    shares = _SHARES[1:-1]
    weights = cells.n_cells * (np.outer(1.0 - shares, intact) + np.outer(shares, lost))
    densities = model.share_densities(weights, *_around(fit, cells, limits))
    z_interval, z_power = ndtri((1.0 + limits.cell_interval_level) / 2.0), ndtri(limits.detection_power)
    lows = np.array([narrowest(one, _EVERY_SHARE, limits.cell_interval_level)[0] for one in densities])
    reached = shares - (shares - lows) * (1.0 + z_power / z_interval) - threshold
    if reached.max() < 0.0:
        return math.nan
    first = max(int(np.argmax(reached >= 0.0)), 1)
    return float(np.interp(0.0, reached[first - 1 : first + 1], shares[first - 1 : first + 1]))


def _joint_size(signal: FloatArray, size: FloatArray, ambient: FloatArray, ambient_size: float) -> FloatArray:
    """Size of a negative binomial that has the variance of signal and ambient counts together."""
    return np.asarray((signal + ambient) ** 2 / (signal**2 / size + ambient**2 / ambient_size))


def _log_nb(counts: FloatArray, mean: FloatArray, size: FloatArray | float) -> FloatArray:
    """Log probability of a negative binomial by its mean and size."""
    whole = gammaln(counts + size) - gammaln(size) - gammaln(counts + 1.0)
    return np.asarray(whole - size * np.log1p(mean / size) + counts * np.log(mean / (mean + size)))


def _expected_kinds(cells: CountTable) -> CountTable:
    """All counts that are possible at a few depths; weights are the widths of steps of the counts."""
    depth = np.rint(np.log(cells.totals) / _COARSE_DEPTH_STEP)
    _, of_kind = np.unique(depth, return_inverse=True)
    weights = np.bincount(of_kind, cells.weights)
    totals, background = (
        np.bincount(of_kind, cells.weights * one) / weights for one in (cells.totals, cells.background)
    )
    most = max(2.0 * float(cells.counts.max()), 4.0 * _EXACT_COUNTS)
    ends = np.unique(np.rint(np.geomspace(_EXACT_COUNTS, most, 24)))
    steps = np.concatenate([np.arange(_EXACT_COUNTS), ends])
    counts, widths = (steps[:-1] + steps[1:] - 1.0) / 2.0, np.diff(steps)
    n_counts = len(counts)
    return CountTable(
        np.tile(counts, len(totals)),
        np.repeat(totals, n_counts),
        np.repeat(background, n_counts),
        np.tile(widths, len(totals)) * np.repeat(weights / weights.sum(), n_counts),
    )


def _around(
    fit: LostShare, cells: CountTable, limits: CellPresentationLimits
) -> tuple[FloatArray, FloatArray]:
    """Grids of log λ and log θ about the fitted ones, as wide as a third of the cells leaves them open."""
    expected = fit.level * float((cells.totals * cells.weights).sum()) / cells.n_cells
    n_cells = cells.n_cells / 3.0
    level = 3.0 * math.sqrt((1.0 / fit.dispersion + 1.0 / expected) / n_cells)
    size = 2.0 / math.sqrt(1.0 / limits.dispersion_sd_log**2 + n_cells / 4.0)
    return (
        math.log(fit.level) + level * np.linspace(-1.0, 1.0, 9),
        math.log(fit.dispersion) + size * np.linspace(-1.0, 1.0, 5),
    )


def _narrowed(points: FloatArray, log_posterior: FloatArray, axis: int, n_points: int) -> FloatArray:
    """A finer grid where the posterior of one parameter is, one step wider on both sides."""
    others = tuple(one for one in range(log_posterior.ndim) if one != axis)
    best = log_posterior.max(axis=others)
    kept = np.flatnonzero(best > best.max() - _FAR)
    first, last = max(kept[0] - 1, 0), min(kept[-1] + 1, len(points) - 1)
    return np.linspace(points[first], points[last], n_points)


def _summary(log_posterior: FloatArray, levels: FloatArray, sizes: FloatArray, content: float) -> LostShare:
    """Moments and interval of the shares; medians of the other parameters."""
    relative = np.exp(log_posterior - log_posterior.max())
    density = _density(log_posterior.reshape(-1, len(_SHARES)))
    low, high = narrowest(density, _EVERY_SHARE, content)
    widths = np.gradient(_SHARES)
    level = _median(levels, (relative * widths).sum(axis=(1, 2, 3)))
    size = _median(sizes, (relative * widths).sum(axis=(0, 2, 3)))
    share = min(max(float(density @ _EVERY_SHARE), low), high)
    return LostShare(share, low, high, math.exp(level), math.exp(size))


def _density(log_posterior: FloatArray) -> FloatArray:
    """Posterior of the share on all shares, from that of the other parameters and some shares."""
    at_shares = np.exp(log_posterior - log_posterior.max()).sum(axis=0)
    density = np.interp(_EVERY_SHARE, _SHARES, at_shares)
    return np.asarray(density / density.sum())


def narrowest(density: FloatArray, points: FloatArray, content: float) -> tuple[float, float]:
    """Ends of the narrowest set of points that has this content; ``density`` sums to 1."""
    order = np.argsort(-density, kind="stable")
    enough = int(np.searchsorted(np.cumsum(density[order]), content)) + 1
    kept: npt.NDArray[np.intp] = order[:enough]
    return float(points[kept.min()]), float(points[kept.max()])


def _median(points: FloatArray, density: FloatArray) -> float:
    """Weighted median of grid points, interpolated."""
    below = np.cumsum(density) / density.sum()
    return float(np.interp(0.5, below, points))
