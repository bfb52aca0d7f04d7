"""Lay published scores over the genes of a matrix, and take from each block what they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from escape_score.errors import MatrixInvalidError
from escape_score.model.cohort import FloatArray
from escape_score.score.published.model import CollectedExpression, PublishedTable
from escape_score.score.published.table import load_published

MIN_GENES_OF_SD = 2


@dataclass(frozen=True)
class PublishedPlan:
    """Where the genes of published scores stand in a matrix.

    Attributes
    ----------
    table
        Scores to compute.
    gene_symbols
        Genes of any of them, sorted: the columns of what is collected, whichever matrix it comes from.
    columns
        Shape (n_needed,): column of the matrix of each, −1 for genes that it does not hold.
    n_genes
        Columns of the matrix.
    """

    table: PublishedTable
    gene_symbols: tuple[str, ...] = field(repr=False)
    columns: npt.NDArray[np.int64] = field(repr=False)
    n_genes: int

    @classmethod
    def of(cls, gene_symbols: Sequence[str], *, table: PublishedTable | None = None) -> PublishedPlan:
        """Lay scores over the genes of a matrix.

        Parameters
        ----------
        gene_symbols
            Approved symbols of the columns, unique.
        table
            Scores to compute; all shipped ones if None.
        """
        chosen = load_published() if table is None else table
        column_of = {symbol: column for column, symbol in enumerate(gene_symbols)}
        needed = sorted({gene.gene_symbol for score in chosen.scores for gene in score.genes})
        columns = np.array([column_of.get(symbol, -1) for symbol in needed], dtype=np.int64)
        return cls(table=chosen, gene_symbols=tuple(needed), columns=columns, n_genes=len(gene_symbols))

    def collect(self, log2_tpm: FloatArray) -> CollectedExpression:
        """Take what the scores need from a block of samples.

        Parameters
        ----------
        log2_tpm
            Shape (n_samples, n_genes), log2(TPM + 1), NaN = not measured.

        Raises
        ------
        MatrixInvalidError
            The block has another number of genes than the plan was made for, or a value is infinite.
        """
        if log2_tpm.ndim != 2 or log2_tpm.shape[1] != self.n_genes:  # noqa: PLR2004
            shape = log2_tpm.shape
            msg = f"matrix: block of shape {shape}, but the plan has {self.n_genes} genes; use one matrix"
            raise MatrixInvalidError(msg)
        if np.isinf(log2_tpm).any():
            msg = "matrix: a value is infinite; give log2(TPM + 1), with NaN for what was not measured"
            raise MatrixInvalidError(msg)
        is_held = self.columns >= 0
        taken = np.full((len(log2_tpm), len(self.columns)), np.nan)
        taken[:, is_held] = np.take(log2_tpm, self.columns[is_held], axis=1)
        mean, sd, n_measured = _spread(log2_tpm)
        return CollectedExpression(log2_tpm=taken, mean=mean, sd=sd, n_measured=n_measured)


def _spread(log2_tpm: FloatArray) -> tuple[FloatArray, FloatArray, npt.NDArray[np.int64]]:
    """Mean, standard deviation and number of measured genes of each sample.

    Values are added in ascending order, so that the order of genes does not change the last bit.
    """
    n_measured = np.isfinite(log2_tpm).sum(axis=1).astype(np.int64)
    mean, sd = np.full((2, len(log2_tpm)), np.nan)
    for row, n in enumerate(n_measured):
        if n >= MIN_GENES_OF_SD:
            ordered = np.sort(log2_tpm[row])[:n]
            mean[row] = ordered.mean()
            sd[row] = ordered.std(ddof=1)
    return mean, sd, n_measured
