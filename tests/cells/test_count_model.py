"""The share of cells that lost genes: known shares, limits of detection, invariances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from escape_score.cells.count_model import (
    CountTable,
    LostShare,
    Prior,
    count_table,
    lost_share,
    narrowest,
    smallest_detectable,
)
from escape_score.library.axes import load_thresholds

LIMITS = load_thresholds().cell_presentation
DEPTH = 5000.0


@dataclass(frozen=True)
class Cells:
    """Counts, totals and the rate of ambient RNA of cells."""

    counts: np.ndarray
    totals: np.ndarray
    background: np.ndarray
    prior: Prior

    @property
    def table(self) -> CountTable:
        """The cells, joined."""
        return count_table(self.counts, self.totals, self.background)

    @property
    def found(self) -> LostShare:
        """Posterior."""
        return lost_share(self.table, self.prior, LIMITS)


def make_cells(share: float, *, seed: int, n: int = 150, mean: float = 6.0, size: float = 2.5) -> Cells:
    """Cells of which a share is lost; ambient RNA is 8 % of the level."""
    rng = np.random.default_rng(seed)
    totals = np.rint(DEPTH * np.exp(rng.normal(0.0, 0.6, n)))
    level, background = mean / DEPTH, 0.08 * mean / DEPTH
    own = np.where(rng.random(n) < share, 0.0, level * rng.gamma(size, 1.0 / size, n))
    counts = rng.poisson(totals * (own + background)).astype(np.float64)
    return Cells(counts, totals, np.full(n, background), Prior(4.0 * level, 0.17))


def test_intact_cells_have_an_interval_from_zero_and_no_call() -> None:
    found = [make_cells(0.0, seed=seed).found for seed in range(15)]
    assert sum(one.low == 0.0 for one in found) >= 13
    assert max(one.low for one in found) < 0.1
    assert np.median([one.high for one in found]) < 0.12


@pytest.mark.parametrize("share", [0.35, 0.6, 0.9])
def test_known_shares_are_in_most_intervals(share: float) -> None:
    found = [make_cells(share, seed=seed).found for seed in range(24)]
    inside = np.mean([one.low <= share <= one.high for one in found])
    assert inside >= 0.75
    assert np.median([one.share for one in found]) == pytest.approx(share, abs=0.07)
    assert np.mean([one.high - one.low for one in found]) < 0.35


def test_all_cells_lost_is_found_from_the_level_of_stroma() -> None:
    found = make_cells(1.0, seed=3).found
    assert found.low > 0.8
    assert found.high == pytest.approx(1.0, abs=0.01)


def test_level_and_dispersion_of_intact_cells_are_found() -> None:
    wide, narrow = (make_cells(0.4, seed=1, n=3000, size=size).found for size in (1.5, 6.0))
    assert wide.level == pytest.approx(6.0 / DEPTH, rel=0.1)
    assert narrow.level == pytest.approx(6.0 / DEPTH, rel=0.05)
    assert narrow.dispersion == pytest.approx(6.0, rel=0.4)
    assert narrow.dispersion > 2.0 * wide.dispersion


def test_the_order_of_cells_does_not_matter() -> None:
    cells = make_cells(0.3, seed=0)
    order = np.random.default_rng(1).permutation(len(cells.counts))
    shuffled = Cells(cells.counts[order], cells.totals[order], cells.background[order], cells.prior)
    assert shuffled.found == cells.found


def test_joined_cells_keep_their_sums() -> None:
    cells = make_cells(0.2, seed=0, n=2000, mean=60.0)
    table = cells.table
    assert table.n_cells == 2000
    assert len(table.counts) < 1500
    assert table.counts @ table.weights == pytest.approx(cells.counts.sum())
    assert table.totals @ table.weights == pytest.approx(cells.totals.sum())


def test_joining_cells_hardly_changes_the_posterior() -> None:
    cells = make_cells(0.4, seed=2, n=120, mean=20.0)
    apart = CountTable(cells.counts, cells.totals, cells.background, np.ones(120))
    joined, single = cells.found, lost_share(apart, cells.prior, LIMITS)
    assert joined.share == pytest.approx(single.share, abs=0.01)
    assert joined.low == pytest.approx(single.low, abs=0.02)
    assert joined.high == pytest.approx(single.high, abs=0.02)


def test_the_limit_of_detection_falls_with_cells_and_counts() -> None:
    def limit(n: int, mean: float) -> float:
        cells = make_cells(0.0, seed=0, n=n, mean=mean)
        return smallest_detectable(cells.table, cells.found, cells.prior, 0.1, LIMITS)

    few, many, shallow = limit(50, 6.0), limit(500, 6.0), limit(50, 2.0)
    assert 0.1 < many < few < shallow < 0.9


def test_losses_at_the_limit_are_called_with_the_wanted_power() -> None:
    cells = make_cells(0.0, seed=0, n=80)
    limit = smallest_detectable(cells.table, cells.found, cells.prior, 0.1, LIMITS)
    called = [make_cells(limit, seed=seed, n=80).found.low >= 0.1 for seed in range(30)]
    assert np.mean(called) >= 0.8
    half = [make_cells(limit / 2, seed=seed, n=80).found.low >= 0.1 for seed in range(30)]
    assert np.mean(half) < 0.7


def test_nothing_is_detectable_in_cells_without_counts() -> None:
    cells = make_cells(0.0, seed=0, n=30, mean=0.05)
    assert np.isnan(smallest_detectable(cells.table, cells.found, cells.prior, 0.1, LIMITS))


def test_the_narrowest_interval_of_a_normal_is_its_central_one() -> None:
    points = np.linspace(0.0, 1.0, 1001)
    density = stats.norm(0.5, 0.1).pdf(points)
    low, high = narrowest(density / density.sum(), points, 0.9)
    assert (low, high) == pytest.approx((0.5 - 0.1645, 0.5 + 0.1645), abs=2e-3)
