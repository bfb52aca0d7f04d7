"""Several methods from one ranking."""

from __future__ import annotations

import numpy as np

from escape_score.model.cohort import FloatArray
from escape_score.score.methods import METHODS, SetIndex
from escape_score.score.methods.aucell import aucell_of_ranks
from escape_score.score.methods.mean_rank import mean_rank_of_ranks
from escape_score.score.methods.ranked import score_ranked
from escape_score.score.methods.singscore import singscore_of_ranks
from escape_score.score.methods.ssgsea import ssgsea_of_ranks
from escape_score.score.methods.ucell import ucell_of_ranks


def test_score_ranked_gives_what_each_method_gives(tied: FloatArray, sets: SetIndex) -> None:
    scorers = {
        "ssgsea": ssgsea_of_ranks,
        "singscore": singscore_of_ranks,
        "mean_rank": mean_rank_of_ranks,
        "ucell": ucell_of_ranks,
        "aucell": aucell_of_ranks,
    }
    together = score_ranked(tied, sets, list(scorers.values()))
    for name, scores in zip(scorers, together, strict=True):
        np.testing.assert_array_equal(scores.values, METHODS[name].score(tied, sets).values)


def test_score_ranked_of_no_samples_is_empty(sets: SetIndex) -> None:
    (scores,) = score_ranked(np.empty((0, sets.n_columns)), sets, [singscore_of_ranks])
    assert scores.values.shape == (0, sets.n_sets)
