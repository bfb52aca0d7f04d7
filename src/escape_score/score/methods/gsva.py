"""Gene set variation analysis: a walk down genes, ordered by the place of the sample in its cohort."""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np

from escape_score.errors import MatrixInvalidError, UsageError
from escape_score.model.cohort import FloatArray
from escape_score.model.method_choice import DEFAULT_MIN_COVERAGE, MethodName, Ties
from escape_score.score.kernels import gsva_cdf, gsva_walk
from escape_score.score.kernels.ranks import CODE_OF_TIES
from escape_score.score.kernels.values import (
    CONSTANT_SD,
    ColumnArray,
    MethodScores,
    SetIndex,
    Values,
    checked_values,
    covered,
    map_blocks,
    mean_and_sd,
)
from escape_score.score.methods.engine_gseapy import score_gsva_gseapy
from escape_score.score.methods.method import Method, Needs, Scope

GENES_PER_BLOCK = 512
MAX_TABLE_SAMPLES = 100
"""Up to here pairs through the table are as fast as moments."""


class Kcdf(StrEnum):
    """Kernel of the estimate of a gene's distribution over samples."""

    GAUSSIAN = "gaussian"
    """For values on a log scale."""
    POISSON = "poisson"
    """For counts."""


class CdfRoute(StrEnum):
    """How the Gaussian estimate is computed."""

    AUTO = "auto"
    """By table up to 100 samples, then by moments."""
    TABLE = "table"
    """All pairs of samples through R GSVA's table: time grows with the square of the number of samples."""
    MOMENTS = "moments"
    """Linear time. The estimate errs by at most 1e-5, which swaps near-equal genes: scores move by 1e-4 in
    the mean, 0.015 at most."""


def score_gsva(
    values: Values,
    sets: SetIndex,
    *,
    kcdf: Kcdf = Kcdf.GAUSSIAN,
    route: CdfRoute = CdfRoute.AUTO,
    tau: float = 1.0,
    mx_diff: bool = True,
    abs_rnk: bool = False,
    ties: Ties = Ties.MID,
    min_coverage: float = DEFAULT_MIN_COVERAGE,
    threads: int = 1,
) -> MethodScores:
    """Score sets by GSVA.

    Parameters
    ----------
    values
        Shape (n_samples, n_genes), at least 2 samples, on a log scale, or counts for the Poisson kernel;
        every score depends on all samples. Genes that do not vary are left out.
    kcdf, route
        Estimate of the place of a value among the samples, and how it is computed.
    tau
        Power of rank scores that weights the steps of the walk at members.
    mx_diff, abs_rnk
        As in R GSVA: the sum of both extremes of the walk or, with ``abs_rnk``, their distance; the larger
        extreme where ``mx_diff`` is false.
    ties
        Places of genes of equal estimate; ``MID`` meets them together.
    min_coverage, threads
        As in :attr:`Method.score`; a gene that does not vary counts as no column.

    Returns
    -------
    MethodScores
        Unitless, −1 to 1 (0 to 2 with ``abs_rnk``).

    Raises
    ------
    MatrixInvalidError
        Fewer than 2 samples, a value that is not finite or, for the Poisson kernel, negative, or the matrix
        is not the one the sets were laid over.
    UsageError
        ``tau`` is below 0.

    Notes
    -----
    The algorithm of Hänzelmann et al. 2013, BMC Bioinformatics 14:7; its logit of the estimate is left out,
    because only the order counts.
    """
    checked_values(values, sets)
    if not 0 <= tau < math.inf:
        msg = f"tau is {tau}; give 0 or more"
        raise UsageError(msg)
    _, sd = mean_and_sd(values, threads=threads)
    is_kept = sd >= CONSTANT_SD
    kept = sets.kept(is_kept)
    below = _minus_cdf(values, np.flatnonzero(is_kept).astype(np.int32), kcdf, route, threads)
    n = kept.n_columns
    steps = np.abs(np.arange(n, 0, -1) - n / 2) ** tau
    summary = gsva_walk.DIFFERENCE if mx_diff else gsva_walk.LARGEST
    if mx_diff and abs_rnk:
        summary = gsva_walk.ABSOLUTE_DIFFERENCE
    labels = np.where(kept.member_of_column < 0, -1, np.arange(n)).astype(np.int32)
    bits, laid = below.view(np.uint64), (*kept.by_column, kept.n_members, labels)

    def one_block(start: int, stop: int) -> FloatArray:
        return gsva_walk.walk_rows(bits[start:stop], *laid, steps, CODE_OF_TIES[ties], summary)

    blocks = map_blocks(one_block, values.shape[0], threads=threads)
    return covered(np.concatenate(blocks), kept, min_coverage=min_coverage)


def _minus_cdf(values: Values, columns: ColumnArray, kcdf: Kcdf, route: CdfRoute, threads: int) -> FloatArray:
    """Minus the estimate, shape (n_samples, n_kept), so that ascending order is descending expression."""
    n_samples = values.shape[0]
    result = np.empty((n_samples, len(columns)))
    if route is CdfRoute.AUTO:
        route = CdfRoute.TABLE if n_samples <= MAX_TABLE_SAMPLES else CdfRoute.MOMENTS

    def one_block(start: int, stop: int) -> None:
        genes = columns[start:stop]
        rows = np.ascontiguousarray(_gene_block(values, genes).T)
        result[:, start:stop] = -_cdf(rows, kcdf, route).T

    map_blocks(one_block, len(columns), threads=threads, block_size=GENES_PER_BLOCK)
    return result


def _gene_block(values: Values, genes: ColumnArray) -> FloatArray:
    """All samples of some genes."""
    chosen = values[:, genes]
    return (chosen if isinstance(chosen, np.ndarray) else chosen.toarray()).astype(np.float64)


def _cdf(rows: FloatArray, kcdf: Kcdf, route: CdfRoute) -> FloatArray:
    """Estimate of each row's distribution at its own values."""
    ordered = np.sort(rows, axis=1)
    if kcdf is Kcdf.POISSON:
        if (ordered[:, 0] < 0).any():
            msg = "matrix: a value is negative; the Poisson kernel takes counts"
            raise MatrixInvalidError(msg)
        return gsva_cdf.cdf_by_poisson(rows, ordered)
    if route is CdfRoute.TABLE:
        return gsva_cdf.cdf_by_table(rows, ordered, gsva_cdf.normal_table())
    return gsva_cdf.cdf_by_moments(rows, ordered, gsva_cdf.taylor_table())


METHOD = Method(
    name=MethodName.GSVA,
    scope=Scope.COHORT,
    value_range=(-1.0, 1.0),
    needs=Needs.LOG_VALUES,
    doi="10.1186/1471-2105-14-7",
    description="walk down the genes of a sample, ordered by their place in the cohort",
    score=score_gsva,
    by_gseapy=score_gsva_gseapy,
    reads_all_genes=True,
)
