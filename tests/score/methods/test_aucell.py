"""AUCell against its definition and decoupler, dense and sparse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from tests.score.conftest import GOLDEN
from tests.score.methods import naive

from escape_score.errors import UsageError
from escape_score.model.cohort import FloatArray
from escape_score.score.methods import SetIndex
from escape_score.score.methods.aucell import score_aucell


def test_score_aucell_is_the_mean_over_orders_of_equal_values(counts: FloatArray, sets: SetIndex) -> None:
    coarse = np.floor(counts / 20.0)
    expected = naive.scores(coarse, sets, naive.aucell)
    np.testing.assert_allclose(score_aucell(coarse, sets).values, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("is_sparse", [False, True])
def test_score_aucell_agrees_with_decoupler(untied: FloatArray, sets: SetIndex, is_sparse: bool) -> None:
    golden = pd.read_csv(GOLDEN / "aucell__decoupler_2.2.0.tsv", sep="\t", index_col="sample_id")
    scores = score_aucell(sp.csr_array(untied) if is_sparse else untied, sets)
    np.testing.assert_allclose(scores.values, golden.to_numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("top_fraction", [0.05, 0.5, 1.0])
def test_score_aucell_is_the_same_for_sparse_values(
    counts: FloatArray, sets: SetIndex, top_fraction: float
) -> None:
    coarse = np.floor(counts / 20.0)
    sparse = score_aucell(sp.csr_array(coarse), sets, top_fraction=top_fraction).values
    dense = score_aucell(coarse, sets, top_fraction=top_fraction).values
    np.testing.assert_allclose(sparse, dense, rtol=0, atol=1e-12)


@pytest.mark.parametrize("top_fraction", [-0.5, 0.0, 1.5])
def test_score_aucell_refuses_what_is_no_fraction(
    tied: FloatArray, sets: SetIndex, top_fraction: float
) -> None:
    with pytest.raises(UsageError, match="top_fraction"):
        score_aucell(tied, sets, top_fraction=top_fraction)
