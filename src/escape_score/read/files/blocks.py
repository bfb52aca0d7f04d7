"""Matrices held in memory: as pieces, so that a file is never transposed as a whole, or without zeros."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from escape_score.model.cohort import FloatArray


@dataclass(frozen=True, eq=False)
class PiecewiseMatrix:
    """A matrix held in memory as consecutive pieces of genes.

    Parameters
    ----------
    sample_ids, gene_ids
        Names of rows and columns.
    pieces
        Each of shape (n_samples, n_genes of the piece), float64; together all genes in order.
    """

    sample_ids: tuple[str, ...]
    gene_ids: tuple[str, ...]
    pieces: tuple[FloatArray, ...] = field(repr=False)

    def block(self, start: int, stop: int) -> FloatArray:
        """Values of samples ``start`` to ``stop``: (stop - start, n_genes), float64, NaN = not measured."""
        if not self.pieces:
            return np.empty((stop - start, 0))
        return np.concatenate([piece[start:stop] for piece in self.pieces], axis=1)


@dataclass(frozen=True, eq=False)
class SparseMatrix:
    """A matrix of which only the cells other than 0 are held, by samples.

    Parameters
    ----------
    sample_ids, gene_ids
        Names of rows and columns.
    rows
        Shape (n_samples, n_genes), float64.
    """

    sample_ids: tuple[str, ...]
    gene_ids: tuple[str, ...]
    rows: sparse.csr_matrix = field(repr=False)

    def block(self, start: int, stop: int) -> FloatArray:
        """Values of samples ``start`` to ``stop``: (stop - start, n_genes), float64, not stored = 0."""
        return np.asarray(self.rows[start:stop].toarray(), dtype=np.float64)
