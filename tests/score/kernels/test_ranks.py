"""Several methods from one ranking."""

from __future__ import annotations

import numpy as np

from escape_score.model.cohort import FloatArray
from escape_score.score.kernels.ranks import score_ranked
from escape_score.score.methods import METHODS, SetIndex

SCORERS = {name: method.of_ranks for name, method in METHODS.items() if method.of_ranks is not None}


def test_score_ranked_gives_what_each_method_gives(tied: FloatArray, sets: SetIndex) -> None:
    together = score_ranked(tied, sets, list(SCORERS.values()))
    assert set(SCORERS) == {"ssgsea", "singscore", "mean_rank", "ucell", "aucell"}
    for name, scores in zip(SCORERS, together, strict=True):
        np.testing.assert_array_equal(scores.values, METHODS[name].score(tied, sets).values)


def test_score_ranked_of_no_samples_is_empty(sets: SetIndex) -> None:
    (scores,) = score_ranked(np.empty((0, sets.n_columns)), sets, [SCORERS["singscore"]])
    assert scores.values.shape == (0, sets.n_sets)
