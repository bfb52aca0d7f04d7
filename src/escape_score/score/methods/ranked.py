"""Score with several rank methods from one ranking of each sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from escape_score.model.cohort import FloatArray
from escape_score.model.method_choice import DEFAULT_MIN_COVERAGE
from escape_score.score.methods.blocks import dense_block, map_blocks
from escape_score.score.methods.model import MethodScores, SetIndex, Values, checked_values, covered
from escape_score.score.methods.ranks import MemberRanks, rank_members

RankScorer = Callable[[MemberRanks, SetIndex], FloatArray]
"""From the ranks of a block to its scores, shape (n_samples, n_sets)."""


def score_ranked(
    values: Values,
    sets: SetIndex,
    scorers: Sequence[RankScorer],
    *,
    min_coverage: float = DEFAULT_MIN_COVERAGE,
    threads: int = 1,
    has_positions: bool = False,
) -> list[MethodScores]:
    """Rank each sample once and score it by every scorer.

    Parameters
    ----------
    values
        Shape (n_samples, n_genes), float32 or float64, dense or CSR (made dense a block at a time), no NaN.
    scorers
        Such as :func:`escape_score.score.methods.singscore.singscore_of_ranks`.
    min_coverage
        Least fraction, in (0, 1], of a set's genes that must be columns.
    has_positions
        Whether a scorer needs ``MemberRanks.position``.

    Returns
    -------
    list of MethodScores
        One for each scorer.

    Raises
    ------
    MatrixInvalidError
        A value is NaN, or the matrix is not the one the sets were laid over.
    """
    checked_values(values, sets)

    def one_block(start: int, stop: int) -> list[FloatArray]:
        ranks = rank_members(dense_block(values, start, stop), sets, has_positions=has_positions)
        return [scorer(ranks, sets) for scorer in scorers]

    blocks = map_blocks(one_block, values.shape[0], threads=threads)
    empty = np.empty((0, sets.n_sets))
    return [
        covered(np.concatenate([empty, *(block[i] for block in blocks)]), sets, min_coverage=min_coverage)
        for i in range(len(scorers))
    ]
