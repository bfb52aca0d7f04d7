"""What is taken from each block of a matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from escape_score.errors import MatrixInvalidError
from escape_score.score.published import PublishedPlan, load_published

CYT = load_published().only(["cyt_mean_log2"])


def test_collect_takes_the_genes_of_the_scores_wherever_they_stand() -> None:
    plan = PublishedPlan.of(("X", "PRF1", "Y", "GZMA"), table=CYT)
    collected = plan.collect(np.array([[1.0, 2.0, 3.0, 4.0], [5.0, np.nan, 7.0, 8.0]]))
    assert plan.gene_symbols == ("GZMA", "PRF1")
    np.testing.assert_array_equal(collected.log2_tpm, [[4.0, 2.0], [8.0, np.nan]])


def test_collect_gives_nan_for_a_gene_that_the_matrix_lacks() -> None:
    plan = PublishedPlan.of(("X", "PRF1"), table=CYT)
    np.testing.assert_array_equal(plan.collect(np.array([[1.0, 2.0]])).log2_tpm, [[np.nan, 2.0]])


def test_collect_measures_the_spread_of_all_measured_genes() -> None:
    plan = PublishedPlan.of(("X", "PRF1", "Y"), table=CYT)
    collected = plan.collect(np.array([[1.0, 2.0, 6.0], [1.0, np.nan, 3.0], [np.nan, 4.0, np.nan]]))
    np.testing.assert_array_equal(collected.n_measured, [3, 2, 1])
    np.testing.assert_allclose(collected.mean, [3.0, 2.0, np.nan])
    np.testing.assert_allclose(collected.sd, [np.sqrt(7.0), np.sqrt(2.0), np.nan])


def test_collect_keeps_no_more_than_is_needed(log2_tpm: pd.DataFrame) -> None:
    plan = PublishedPlan.of(tuple(log2_tpm.columns))
    collected = plan.collect(log2_tpm.to_numpy())
    assert collected.log2_tpm.shape == (12, len(plan.gene_symbols))
    assert len(plan.gene_symbols) < 300
    assert collected.log2_tpm.base is None


def test_collect_refuses_another_matrix_and_infinite_values() -> None:
    plan = PublishedPlan.of(("X", "PRF1"), table=CYT)
    with pytest.raises(MatrixInvalidError, match=r"block of shape \(1, 3\), but the plan has 2 genes"):
        plan.collect(np.zeros((1, 3)))
    with pytest.raises(MatrixInvalidError, match="a value is infinite"):
        plan.collect(np.array([[np.inf, 1.0]]))
