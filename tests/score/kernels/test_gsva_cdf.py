"""Estimates of a gene's distribution over samples against their definition."""

from __future__ import annotations

import numpy as np
import pytest
from tests.score.methods import naive

from escape_score.model.cohort import FloatArray
from escape_score.score.kernels.gsva_cdf import (
    cdf_by_moments,
    cdf_by_poisson,
    cdf_by_table,
    normal_table,
    taylor_table,
)


@pytest.fixture(scope="module")
def many() -> FloatArray:
    """150 samples of 40 genes: half normal, half expressed in few samples."""
    generator = np.random.default_rng(11)
    values = generator.normal(5.0, 2.0, (150, 40))
    values[:, 20:] = np.maximum(values[:, 20:] - 8.0, 0.0)
    values[0, 20:] += 1.0
    return values


def columns_by(function: str, values: FloatArray) -> FloatArray:
    rows = np.ascontiguousarray(values.T)
    ordered = np.sort(rows, axis=1)
    if function == "table":
        return cdf_by_table(rows, ordered, normal_table()).T
    if function == "moments":
        return cdf_by_moments(rows, ordered, taylor_table()).T
    return cdf_by_poisson(rows, ordered).T


@pytest.mark.parametrize(
    ("function", "bound", "smooth_bound"), [("table", 4e-4, 4e-5), ("moments", 1e-5, 1e-6)]
)
def test_cdf_is_near_the_exact_estimate(
    function: str, bound: float, smooth_bound: float, many: FloatArray
) -> None:
    error = np.abs(columns_by(function, many) - naive.normal_cdf(many))
    assert error.max() < bound
    assert error[:, :20].max() < smooth_bound


def test_cdf_by_moments_takes_far_outliers(many: FloatArray) -> None:
    values = many[:, :2].copy()
    values[3, 0], values[4, 1] = 1e6, -1e6
    assert np.abs(columns_by("moments", values) - naive.normal_cdf(values)).max() < 1e-5


def test_cdf_by_poisson_is_exact(counts: FloatArray) -> None:
    values = np.concatenate([counts[:, :300], 1000.0 * counts[:, :20]], axis=1)
    np.testing.assert_allclose(columns_by("poisson", values), naive.poisson_cdf(values), rtol=0, atol=1e-11)
