"""Sets laid over columns, and the rule of coverage."""

from __future__ import annotations

import numpy as np
import pytest

from escape_score.errors import GeneSetInvalidError, MatrixInvalidError, UsageError
from escape_score.model.cohort import FloatArray
from escape_score.model.signature import Signature
from escape_score.score.methods import METHODS, SetIndex


def of_ten(n_measured: int) -> SetIndex:
    """One set of ten genes, of which some are among 40 columns."""
    names = [f"G{i}" for i in range(n_measured)] + [f"ABSENT{i}" for i in range(10 - n_measured)]
    return SetIndex.of([Signature("ten", tuple(names))], [f"G{i}" for i in range(40)])


@pytest.fixture(scope="module")
def small() -> FloatArray:
    return np.random.default_rng(5).random((6, 40))


@pytest.mark.parametrize("name", METHODS)
def test_score_is_given_at_the_least_coverage_and_not_below(name: str, small: FloatArray) -> None:
    at_limit = METHODS[name].score(small, of_ten(7), min_coverage=0.7)
    below = METHODS[name].score(small, of_ten(6), min_coverage=0.7)
    assert at_limit.coverage.tolist() == [0.7]
    assert np.isfinite(at_limit.values).all()
    assert below.coverage.tolist() == [0.6]
    assert np.isnan(below.values).all()


@pytest.mark.parametrize("name", METHODS)
def test_score_of_a_set_without_measured_genes_is_nan(name: str, small: FloatArray) -> None:
    assert np.isnan(METHODS[name].score(small, of_ten(0), min_coverage=1e-9).values).all()


@pytest.mark.parametrize("min_coverage", [0.0, -0.1, 1.1])
def test_score_refuses_a_coverage_that_is_no_fraction(min_coverage: float, small: FloatArray) -> None:
    with pytest.raises(UsageError, match="min_coverage"):
        METHODS["mean_rank"].score(small, of_ten(7), min_coverage=min_coverage)


@pytest.mark.parametrize("name", METHODS)
def test_score_refuses_another_matrix(name: str, small: FloatArray) -> None:
    with pytest.raises(MatrixInvalidError, match="laid over"):
        METHODS[name].score(small[:, :-1], of_ten(7))


@pytest.mark.parametrize("name", METHODS)
def test_score_refuses_nan(name: str, small: FloatArray) -> None:
    holed = small.copy()
    holed[2, 3] = np.nan
    with pytest.raises(MatrixInvalidError, match="missing"):
        METHODS[name].score(holed, of_ten(7))


@pytest.mark.parametrize(
    ("indptr", "columns", "n_genes"),
    [
        ([0, 3], [0, 1], [3]),
        ([0, 2], [0, 40], [2]),
        ([0, 2], [0, 41], [2]),
        ([0, 2], [0, -1], [2]),
        ([0, 2], [1, 1], [2]),
        ([0, 2], [0, 1], [1]),
        ([1, 2], [0, 1], [2]),
    ],
)
def test_set_index_refuses_arrays_that_do_not_fit(
    indptr: list[int], columns: list[int], n_genes: list[int]
) -> None:
    with pytest.raises(GeneSetInvalidError):
        SetIndex(np.array(indptr), np.array(columns, dtype=np.int32), np.array(n_genes), 40)


def test_kept_renumbers_columns() -> None:
    is_kept = np.ones(40, dtype=np.bool_)
    is_kept[[0, 2, 20]] = False
    kept = of_ten(5).kept(is_kept)
    assert kept.columns.tolist() == [0, 1, 2]
    assert kept.n_columns == 37
    assert kept.coverage.tolist() == [0.3]
