"""Mean rank of a set, placed between the least and the greatest it can have."""

from __future__ import annotations

from escape_score.model.cohort import FloatArray
from escape_score.model.method_choice import DEFAULT_MIN_COVERAGE, MethodName
from escape_score.score.kernels.ranks import Contribution, MemberRanks, score_ranked, sum_contributions
from escape_score.score.kernels.values import MethodScores, SetIndex, Values
from escape_score.score.methods.method import Method, Needs, Scope
from escape_score.score.methods.singscore import normalised_mean_rank


def score_mean_rank(
    values: Values, sets: SetIndex, *, min_coverage: float = DEFAULT_MIN_COVERAGE, threads: int = 1
) -> MethodScores:
    """Score sets by the mean rank of their genes.

    Parameters
    ----------
    values
        Shape (n_samples, n_genes); only the order of genes within a sample is used.
    min_coverage, threads
        As in :attr:`Method.score`.

    Returns
    -------
    MethodScores
        Unitless; 0 = its genes rank lowest, 0.5 = as random genes, 1 = highest.

    Notes
    -----
    With n genes ranked 1..n (equal values share their mean rank) and k of them, of mean rank m, in the set,
    the score is (m − (k + 1) / 2) / (n − k): the AUC of Mann-Whitney U, and singscore's up-set score before
    centring (Foroutan et al. 2018, BMC Bioinformatics 19:404) where no values are equal.
    """
    return score_ranked(values, sets, [mean_rank_of_ranks], min_coverage=min_coverage, threads=threads)[0]


def mean_rank_of_ranks(ranks: MemberRanks, sets: SetIndex) -> FloatArray:
    """Scores of ranked samples: shape (n_samples, n_sets), NaN for sets of no or all genes."""
    sums = sum_contributions(ranks, sets, Contribution.MEAN_RANK)
    return normalised_mean_rank(sums, sets, ranks.n_columns)


METHOD = Method(
    name=MethodName.MEAN_RANK,
    scope=Scope.SAMPLE,
    value_range=(0.0, 1.0),
    needs=Needs.GENE_ORDER,
    doi="10.1186/s12859-018-2435-4",
    description="mean rank between least and greatest, equal values at their mean rank",
    score=score_mean_rank,
    of_ranks=mean_rank_of_ranks,
)
