"""The combined z-score against its definition and R GSVA."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from tests.score.methods import naive

from escape_score.errors import MatrixInvalidError
from escape_score.model.cohort import FloatArray
from escape_score.score.methods import SetIndex
from escape_score.score.methods.zscore import score_zscore


def test_score_zscore_is_the_sum_of_z_over_root_k(tied: FloatArray, sets: SetIndex) -> None:
    expected = naive.zscore(tied, sets)
    np.testing.assert_allclose(score_zscore(tied, sets).values, expected, rtol=0, atol=1e-12)


def test_score_zscore_agrees_with_r_gsva(
    tied: FloatArray, sets: SetIndex, r_gsva: dict[str, FloatArray]
) -> None:
    np.testing.assert_allclose(score_zscore(tied, sets).values, r_gsva["zscore"], rtol=0, atol=1e-12)


def test_score_zscore_is_exact_far_from_zero(tied: FloatArray, sets: SetIndex) -> None:
    expected = score_zscore(tied, sets).values
    np.testing.assert_allclose(score_zscore(tied + 4096.0, sets).values, expected, rtol=0, atol=1e-9)


def test_score_zscore_takes_sparse_values(tied: FloatArray, sets: SetIndex) -> None:
    sparse = score_zscore(sp.csr_array(tied), sets).values
    np.testing.assert_allclose(sparse, score_zscore(tied, sets).values, rtol=0, atol=1e-12)


def test_score_zscore_refuses_a_single_sample(tied: FloatArray, sets: SetIndex) -> None:
    with pytest.raises(MatrixInvalidError, match="1 samples"):
        score_zscore(tied[:1], sets)
