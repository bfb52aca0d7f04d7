"""Singscore against its definition."""

from __future__ import annotations

import numpy as np
from tests.score.methods import naive

from escape_score.model.cohort import FloatArray
from escape_score.score.methods import SetIndex
from escape_score.score.methods.singscore import score_singscore


def test_score_singscore_is_the_centred_mean_of_least_ranks(
    tied: FloatArray, untied: FloatArray, sets: SetIndex
) -> None:
    for values in (tied, untied):
        expected = naive.scores(values, sets, naive.singscore)
        np.testing.assert_allclose(score_singscore(values, sets).values, expected, rtol=0, atol=1e-12)


def test_score_singscore_reaches_both_ends() -> None:
    ends = SetIndex(np.array([0, 2, 4]), np.array([0, 1, 2, 3], dtype=np.int32), np.array([2, 2]), 4)
    assert score_singscore(np.array([[1.0, 2.0, 3.0, 4.0]]), ends).values.tolist() == [[-0.5, 0.5]]
