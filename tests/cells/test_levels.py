"""Levels without ambient RNA: values, intervals that contain the truth, limits."""

from __future__ import annotations

import numpy as np
import pytest

from escape_score.cells.levels import GeneCounts, largest_low_ratio, log_rate, log_ratio


def make_counts(
    rate: float, *, seed: int, n: int = 60, ambient: float = 1e-4, size: float = 1.0
) -> GeneCounts:
    """Cells with a rate, and ambient RNA on top."""
    rng = np.random.default_rng(seed)
    totals = np.rint(5000.0 * np.exp(rng.normal(0.0, 0.6, n)))
    counts = rng.poisson(totals * (rate * rng.gamma(size, 1.0 / size, n) + ambient)).astype(np.float64)
    return GeneCounts(counts, totals, np.full(n, ambient), 0.15)


def test_ambient_rna_is_taken_off() -> None:
    counts = GeneCounts(np.array([30.0, 10.0]), np.array([3000.0, 1000.0]), np.full(2, 4e-3), 0.15)
    assert counts.net_rate == pytest.approx(6e-3)
    assert log_rate(counts, content=0.9, seed=0).value == pytest.approx(np.log2(60.0))


def test_a_ratio_is_that_of_both_levels() -> None:
    low, high = make_counts(1e-3, seed=0, n=3000), make_counts(8e-3, seed=1, n=3000)
    found = log_ratio(low, high, content=0.9, seed=0)
    assert found.value == pytest.approx(-3.0, abs=0.1)
    assert found.low < found.value < found.high


@pytest.mark.parametrize(("n", "size"), [(25, 2.0), (60, 0.7), (300, 0.3)])
def test_intervals_contain_the_truth(n: int, size: float) -> None:
    truth = np.log2(20.0)
    found = [
        log_rate(make_counts(2e-3, seed=seed, n=n, size=size), content=0.9, seed=0) for seed in range(400)
    ]
    inside = np.mean([one.low <= truth <= one.high for one in found])
    assert 0.83 <= inside <= 0.97


def test_the_error_of_ambient_rna_widens_an_interval() -> None:
    counts = make_counts(2e-4, seed=0, n=2000)
    exact = GeneCounts(counts.counts, counts.totals, counts.background, 1e-6)
    wide, narrow = (log_rate(one, content=0.9, seed=0) for one in (counts, exact))
    assert wide.high - wide.low > 1.1 * (narrow.high - narrow.low)


def test_no_counts_give_a_bound_and_no_infinity() -> None:
    empty = GeneCounts(np.zeros(40), np.full(40, 5000.0), np.full(40, 1e-4), 0.15)
    found = log_rate(empty, content=0.9, seed=0)
    assert found.value == pytest.approx(np.log2(1e4 * 0.5 / 200_000))
    assert np.isfinite(found.high)
    assert found.high >= found.value


def test_a_level_at_the_limit_is_below_the_threshold_with_its_interval() -> None:
    stroma = make_counts(2e-2, seed=0, n=400, ambient=5e-4)
    limit = largest_low_ratio(make_counts(5e-3, seed=1, n=200, ambient=5e-4), stroma, -5.0, 0.9)
    assert limit < -5.0
    rate = stroma.net_rate * 2.0 ** (limit - 0.3)
    found = [
        log_ratio(make_counts(rate, seed=seed, n=200, ambient=5e-4), stroma, content=0.9, seed=0)
        for seed in range(60)
    ]
    assert np.median([one.high for one in found]) <= -5.0 + 0.1


def test_there_is_no_limit_where_ambient_rna_hides_a_complete_loss() -> None:
    stroma, dirty = make_counts(2e-2, seed=0), make_counts(5e-3, seed=1, ambient=1e-2)
    assert np.isnan(largest_low_ratio(dirty, stroma, -5.0, 0.9))
