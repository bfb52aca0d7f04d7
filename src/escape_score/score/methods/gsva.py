"""Gene set variation analysis: a walk down genes, ordered by where the sample stands in its cohort."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from escape_score.errors import MatrixInvalidError
from escape_score.model.cohort import FloatArray
from escape_score.model.method_choice import DEFAULT_MIN_COVERAGE, Ties
from escape_score.score.methods.blocks import map_blocks
from escape_score.score.methods.cohort_values import CONSTANT_SD, mean_and_sd
from escape_score.score.methods.gsva_moments import cdf_by_moments, taylor_table
from escape_score.score.methods.gsva_poisson import cdf_by_poisson
from escape_score.score.methods.gsva_table import cdf_by_table, normal_table
from escape_score.score.methods.gsva_walk import (
    ABSOLUTE_DIFFERENCE,
    DIFFERENCE,
    LARGEST,
    TIES_GSEAPY,
    TIES_GSVA,
    TIES_MID,
    walk_rows,
)
from escape_score.score.methods.model import MethodScores, SetIndex, Values, checked_values, covered

GENES_PER_BLOCK = 512
MAX_TABLE_SAMPLES = 100
"""Up to here pairs through the table are as fast as moments."""
_CODE = {Ties.MID: TIES_MID, Ties.GSEAPY: TIES_GSEAPY, Ties.GSVA: TIES_GSVA}


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
        Estimate of where a value stands among the samples, and how it is computed.
    tau
        Power of rank scores that weights the steps of the walk at members.
    mx_diff, abs_rnk
        As in R GSVA: the sum of both extremes of the walk or, with ``abs_rnk``, their distance; the larger
        extreme where ``mx_diff`` is false.
    ties
        Where genes of equal estimate stand; ``MID`` meets them together.
    min_coverage
        Least fraction, in (0, 1], of a set's genes that must be columns that vary.
    threads
        Genes, then samples, are shared out over this many threads.

    Returns
    -------
    MethodScores
        Unitless, −1 to 1 (0 to 2 with ``abs_rnk``).

    Raises
    ------
    MatrixInvalidError
        Fewer than 2 samples, a value that is not finite or, for the Poisson kernel, negative, or the matrix
        is not the one the sets were laid over.

    Notes
    -----
    The algorithm of [1]_; its logit of the estimate is left out, because only the order counts.

    References
    ----------
    .. [1] Hänzelmann et al. 2013, BMC Bioinformatics 14:7, doi:10.1186/1471-2105-14-7
    """
    checked_values(values, sets)
    _, sd = mean_and_sd(values, threads=threads)
    is_kept = sd >= CONSTANT_SD
    kept = sets.kept(is_kept)
    below = _minus_cdf(values, np.flatnonzero(is_kept).astype(np.int32), kcdf, route, threads)
    n = kept.n_columns
    steps = np.abs(np.arange(n, 0, -1) - n / 2) ** tau
    summary = LARGEST if not mx_diff else ABSOLUTE_DIFFERENCE if abs_rnk else DIFFERENCE
    labels = np.where(kept.member_of_column < 0, -1, np.arange(n)).astype(np.int32)
    bits = below.view(np.uint64)

    def one_block(start: int, stop: int) -> FloatArray:
        scores: FloatArray = walk_rows(
            bits[start:stop], *kept.by_column, kept.n_members, labels, steps, _CODE[ties], summary
        )
        return scores

    blocks = map_blocks(one_block, values.shape[0], threads=threads)
    return covered(np.concatenate(blocks), kept, min_coverage=min_coverage)


def _minus_cdf(
    values: Values, columns: npt.NDArray[np.int32], kcdf: Kcdf, route: CdfRoute, threads: int
) -> FloatArray:
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


def _gene_block(values: Values, genes: npt.NDArray[np.int32]) -> FloatArray:
    """All samples of some genes."""
    if isinstance(values, np.ndarray):
        return values[:, genes].astype(np.float64)
    chosen: FloatArray = values[:, genes].toarray().astype(np.float64)
    return chosen


def _cdf(rows: FloatArray, kcdf: Kcdf, route: CdfRoute) -> FloatArray:
    """Estimate of each row's distribution at its own values."""
    ordered = np.sort(rows, axis=1)
    estimate: FloatArray
    if kcdf is Kcdf.POISSON:
        if (ordered[:, 0] < 0).any():
            msg = "matrix: a value is negative; the Poisson kernel takes counts"
            raise MatrixInvalidError(msg)
        estimate = cdf_by_poisson(rows, ordered)
    elif route is CdfRoute.TABLE:
        estimate = cdf_by_table(rows, ordered, normal_table())
    else:
        estimate = cdf_by_moments(rows, ordered, taylor_table())
    return estimate
