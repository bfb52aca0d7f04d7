"""Mean rank against counting pairs."""

from __future__ import annotations

import numpy as np
from tests.score.methods import naive

from escape_score.model.cohort import FloatArray
from escape_score.score.methods import SetIndex
from escape_score.score.methods.mean_rank import score_mean_rank
from escape_score.score.methods.singscore import score_singscore


def test_score_mean_rank_is_the_share_of_pairs_won(tied: FloatArray, sets: SetIndex) -> None:
    expected = naive.scores(tied, sets, naive.mean_rank)
    np.testing.assert_allclose(score_mean_rank(tied, sets).values, expected, rtol=0, atol=1e-12)


def test_score_mean_rank_is_singscore_before_centring(untied: FloatArray, sets: SetIndex) -> None:
    centred = score_singscore(untied, sets).values
    np.testing.assert_allclose(score_mean_rank(untied, sets).values, centred + 0.5, rtol=0, atol=1e-12)


def test_score_mean_rank_of_equal_values_is_a_half(sets: SetIndex) -> None:
    assert (score_mean_rank(np.ones((2, sets.n_columns)), sets).values == 0.5).all()
