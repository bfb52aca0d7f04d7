"""Levels of genes in cells, and their intervals."""

from __future__ import annotations

import numpy as np
import pytest

from escape_score.cells.state_levels import level_of

LEVEL = 0.9


def drawn(
    n_cells: int, rate: float, dispersion: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    n_umi = 3000 * np.exp(0.5 * rng.standard_normal(n_cells))
    size = 1 / dispersion
    return rng.poisson(n_umi * rate * rng.gamma(size, dispersion, n_cells)).astype(float), n_umi


def test_level_is_log2_of_counts_in_ten_thousand() -> None:
    found = level_of(np.full(50, 4.0), np.full(50, 2500.0), level=LEVEL)
    assert found.value == pytest.approx(4, abs=0.01)
    assert found.low < found.value < found.high


@pytest.mark.parametrize(("n_cells", "dispersion"), [(20, 0.5), (50, 1.0), (300, 2.0)])
def test_interval_covers_the_rate(n_cells: int, dispersion: float) -> None:
    rng = np.random.default_rng(7)
    made = [level_of(*drawn(n_cells, 8e-4, dispersion, rng), level=LEVEL) for _ in range(300)]
    inside = [found.low <= 3 <= found.high for found in made]
    assert 0.84 <= np.mean(inside) <= 0.97


def test_depth_moves_the_interval_not_the_level() -> None:
    rng = np.random.default_rng(1)
    counts, n_umi = drawn(400, 8e-4, 1.0, rng)
    deep = level_of(counts, n_umi, level=LEVEL)
    thin = level_of(rng.binomial(counts.astype(int), 0.25).astype(float), n_umi / 4, level=LEVEL)
    assert thin.value == pytest.approx(deep.value, abs=deep.high - deep.low)
    assert thin.high - thin.low > deep.high - deep.low


def test_interval_is_wider_where_fewer_cells_have_the_counts() -> None:
    """Cells of one rate and 4,000 counts together, as many as 2, 2.67 and 3 equal ones."""
    depths = (np.full(2, 2000.0), np.array([1000.0, 1000.0, 2000.0]), np.full(3, 4000.0 / 3))
    found = [level_of(n_umi * 0.01, n_umi, level=LEVEL) for n_umi in depths]
    two, between, three = (one.high - one.low for one in found)
    assert two > between > three


def test_cells_without_counts_have_a_finite_level_below_any_that_was_seen() -> None:
    none = level_of(np.zeros(50), np.full(50, 3000.0), level=LEVEL)
    one = level_of(np.r_[1.0, np.zeros(49)], np.full(50, 3000.0), level=LEVEL)
    assert np.isfinite([none.value, none.low, none.high]).all()
    assert none.value < one.value
