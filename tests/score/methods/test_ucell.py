"""UCell against its definition and pyucell, dense and sparse."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from tests.score.conftest import GOLDEN
from tests.score.methods import naive

from escape_score.errors import MatrixInvalidError, UsageError
from escape_score.model.cohort import FloatArray
from escape_score.score.methods import SetIndex
from escape_score.score.methods.ucell import score_ucell


@pytest.mark.parametrize("max_rank", [200, 500, 1500])
def test_score_ucell_agrees_with_its_definition(tied: FloatArray, sets: SetIndex, max_rank: int) -> None:
    expected = naive.scores(tied, sets, partial(naive.ucell, max_rank=max_rank))
    dense = score_ucell(tied, sets, max_rank=max_rank).values
    np.testing.assert_allclose(dense, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("max_rank", [200, 1500])
def test_score_ucell_is_the_same_for_sparse_values(
    tied: FloatArray,
    counts: FloatArray,
    sets: SetIndex,
    dtype: type[np.float32] | type[np.float64],
    max_rank: int,
) -> None:
    # Counts have few distinct values a cell, the others more than are counted; both ways are taken.
    few = np.minimum(counts, 40.0)
    wide: FloatArray
    for wide in (tied, few, np.zeros_like(tied)):
        values = wide.astype(np.float32) if dtype is np.float32 else wide
        sparse = score_ucell(sp.csr_array(values), sets, max_rank=max_rank).values
        np.testing.assert_allclose(
            sparse, score_ucell(values, sets, max_rank=max_rank).values, rtol=0, atol=1e-12
        )


def test_score_ucell_takes_cells_of_few_and_of_many_values_in_turn(
    tied: FloatArray, counts: FloatArray, sets: SetIndex
) -> None:
    few = np.minimum(counts, 40.0)
    mixed = np.concatenate([few[:2], tied[:2], *[few] * 3, tied, few])
    sparse = score_ucell(sp.csr_array(mixed), sets).values
    np.testing.assert_allclose(sparse, score_ucell(mixed, sets).values, rtol=0, atol=1e-12)


@pytest.mark.parametrize("is_sparse", [False, True])
def test_score_ucell_agrees_with_pyucell(tied: FloatArray, sets: SetIndex, is_sparse: bool) -> None:
    golden = pd.read_csv(GOLDEN / "ucell__pyucell_0.8.0.tsv", sep="\t", index_col="sample_id")
    scores = score_ucell(sp.csr_array(tied) if is_sparse else tied, sets, max_rank=500)
    np.testing.assert_allclose(scores.values, golden.to_numpy(), rtol=0, atol=1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_levels", [3, 100_000])
def test_score_ucell_takes_stored_zeros_and_doubled_entries_as_what_they_are(
    sets: SetIndex, n_levels: int, dtype: type[np.float32] | type[np.float64]
) -> None:
    random = np.random.default_rng(3)
    wide = np.round(random.random((1, sets.n_columns)) * n_levels)
    wide[random.random(wide.shape) < 0.3] = 0.0
    values = wide.astype(np.float32) if dtype is np.float32 else wide
    stored = sp.csr_array(np.ones_like(values))
    stored.data = values.ravel().copy()
    stored.data[stored.data == 0.0] = -0.0
    doubled = sp.csr_array(
        (np.tile(values.ravel() / 2.0, 2), np.tile(np.arange(values.size), 2), [0, 2 * values.size]),
        shape=values.shape,
    )
    expected = score_ucell(values, sets).values
    np.testing.assert_array_equal(score_ucell(stored, sets).values, expected)
    np.testing.assert_array_equal(score_ucell(doubled, sets).values, expected)


def test_score_ucell_refuses_negative_sparse_values(tied: FloatArray, sets: SetIndex) -> None:
    with pytest.raises(MatrixInvalidError, match="negative"):
        score_ucell(sp.csr_array(tied - 1.0), sets)


def test_score_ucell_refuses_a_rank_below_two(tied: FloatArray, sets: SetIndex) -> None:
    with pytest.raises(UsageError, match="max_rank"):
        score_ucell(tied, sets, max_rank=1)
