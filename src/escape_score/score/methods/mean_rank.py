"""Mean rank of a set, placed between the least and the greatest it can have."""

from __future__ import annotations

from escape_score.model.cohort import FloatArray
from escape_score.model.method_choice import DEFAULT_MIN_COVERAGE
from escape_score.score.methods.contributions import Contribution, sum_contributions
from escape_score.score.methods.model import MethodScores, SetIndex, Values
from escape_score.score.methods.ranked import score_ranked
from escape_score.score.methods.ranks import MemberRanks
from escape_score.score.methods.singscore import normalised_mean_rank


def score_mean_rank(
    values: Values, sets: SetIndex, *, min_coverage: float = DEFAULT_MIN_COVERAGE, threads: int = 1
) -> MethodScores:
    """Score sets by the mean rank of their genes.

    Parameters
    ----------
    values
        Shape (n_samples, n_genes); only the order of genes within a sample is used.
    min_coverage
        Least fraction, in (0, 1], of a set's genes that must be columns.
    threads
        Samples are shared out over this many threads.

    Returns
    -------
    MethodScores
        Unitless; 0 = its genes rank lowest, 0.5 = as random genes, 1 = highest.

    Raises
    ------
    MatrixInvalidError
        A value is NaN, or the matrix is not the one the sets were laid over.

    Notes
    -----
    With n genes ranked 1..n (equal values share their mean rank) and k of them, of mean rank m, in the set,
    the score is (m − (k + 1) / 2) / (n − k): the AUC of Mann-Whitney U, and singscore's up-set score before
    centring [1]_ where no values are equal.

    References
    ----------
    .. [1] Foroutan et al. 2018, BMC Bioinformatics 19:404, doi:10.1186/s12859-018-2435-4
    """
    return score_ranked(values, sets, [mean_rank_of_ranks], min_coverage=min_coverage, threads=threads)[0]


def mean_rank_of_ranks(ranks: MemberRanks, sets: SetIndex) -> FloatArray:
    """Scores of ranked samples: shape (n_samples, n_sets), NaN for sets of no or all genes."""
    sums = sum_contributions(ranks, sets, Contribution.MEAN_RANK)
    return normalised_mean_rank(sums, sets, ranks.n_columns)
