"""Log-normalised counts of cells, sums over groups of cells, and groups of cells with similar expression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from escape_score.library.axes import load_design
from escape_score.model.cells import CellSample
from escape_score.model.cohort import FloatArray

SCALE = 1e4
"""Counts of a cell are scaled to this sum."""
MEAN_OFFSET = 0.05
"""Keeps genes of a few cells from having the largest ratio of variance to mean."""
MOST_DENSE = 10_000
"""Cells of which the variable genes are made dense: 24 MB."""

FEWEST_GENES = 2
"""Genes from which principal components can be made."""

Rows = npt.NDArray[np.intp]
Clusters = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Expression:
    """Counts of a sample in the forms that labelling needs, each made once."""

    sample: CellSample

    @cached_property
    def factors(self) -> FloatArray:
        """What scales the counts of each cell to a sum of 10,000; shape (n_cells,)."""
        return SCALE / np.maximum(self.sample.n_umi, 1.0)

    @cached_property
    def logged(self) -> sp.csr_array:
        """Natural logarithm of 1 + scaled counts, float32; shape (n_cells, n_genes)."""
        counts = self.sample.counts
        repeats = np.diff(counts.indptr)
        data = np.multiply(counts.data, np.repeat(self.factors.astype(np.float32), repeats), dtype=np.float32)
        return sp.csr_array((np.log1p(data, out=data), counts.indices, counts.indptr), shape=counts.shape)

    @cached_property
    def order(self) -> Rows:
        """Rows sorted by cell id: an order that does not depend on the file."""
        return np.argsort(self.sample.cell_ids, kind="stable")

    @cached_property
    def column_of(self) -> dict[str, int]:
        """Column of each gene."""
        return {symbol: column for column, symbol in enumerate(self.sample.gene_symbols)}

    def columns(self, symbols: Sequence[str]) -> tuple[Rows, Rows]:
        """Columns of those genes that the sample has, and their positions in ``symbols``."""
        at = self.column_of
        found = [(at[symbol], place) for place, symbol in enumerate(symbols) if symbol in at]
        pairs = np.array(found, dtype=np.intp).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]

    @cached_property
    def rank(self) -> Rows:
        """Place of each row in ``order``."""
        rank = np.empty(len(self.order), dtype=np.intp)
        rank[self.order] = np.arange(len(rank))
        return rank

    def scaled_sum(self, rows: Rows) -> FloatArray:
        """Scaled counts summed over some cells, in the order of their ids; shape (n_genes,)."""
        ordered = rows[np.argsort(self.rank[rows], kind="stable")]
        counts = self.sample.counts[ordered]
        weights = counts.data * np.repeat(self.factors[ordered], np.diff(counts.indptr))
        sums = np.bincount(counts.indices, weights=weights, minlength=counts.shape[1])
        return np.asarray(sums, dtype=np.float64)


def one_thread() -> Any:  # noqa: ANN401
    """Context in which linear algebra uses one thread, so that its sums have one order."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def n_clusters(n_cells: int) -> int:
    """Clusters that so many cells are divided into."""
    limits = load_design().thresholds.cell_assign
    few = min(n_cells // limits.cells_per_small_cluster, limits.small_clusters)
    return int(np.clip(max(n_cells // limits.cells_per_cluster, few), 1, limits.most_clusters))


def cluster_cells(cells: Expression, *, seed: int) -> Clusters:
    """Group cells by k-means on principal components of their variable genes.

    Returns
    -------
    Clusters
        Shape (n_cells,): number of the group. The same cells give the same groups in any order.
    """
    n_cells = cells.sample.n_cells
    found = np.zeros(n_cells, dtype=np.int32)
    if n_clusters(n_cells) > 1 and len(cells.sample.gene_symbols) > FEWEST_GENES:
        found[cells.order] = _grouped(_components(cells, seed), n_clusters(n_cells), seed)
    return found


def _components(cells: Expression, seed: int) -> FloatArray:
    """Principal components of the variable genes; shape (n_cells, n_components), sorted by cell id."""
    import scanpy as sc

    limits = load_design().thresholds.cell_assign
    ordered = cells.logged[cells.order]
    values = ordered[:, variable_genes(ordered, int(limits.variable_genes))]
    n = min(int(limits.components), values.shape[1] - 1, values.shape[0] - 1)
    matrix = values.toarray() if values.shape[0] <= MOST_DENSE else sp.csr_matrix(values)
    with one_thread():
        found = sc.pp.pca(matrix, n_comps=n, svd_solver="covariance_eigh", random_state=seed)
    return np.asarray(found, dtype=np.float64)


def variable_genes(logged: sp.csr_array, n: int) -> Rows:
    """Columns with the largest ratio of variance to mean, ascending."""
    n_cells, n_genes = logged.shape
    mean, variance = mean_and_variance(logged)
    ratio = np.round(variance / (mean + MEAN_OFFSET), 6)
    is_expressed = mean * n_cells > 0
    ratio[~is_expressed] = -1.0
    chosen = np.argsort(-ratio, kind="stable")[: min(n, n_genes)]
    return np.sort(chosen).astype(np.intp)


def mean_and_variance(logged: sp.csr_array) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of each column, zeros included."""
    n_cells, n_genes = logged.shape
    data = logged.data.astype(np.float64)
    mean = np.bincount(logged.indices, weights=data, minlength=n_genes) / max(n_cells, 1)
    square = np.bincount(logged.indices, weights=data**2, minlength=n_genes) / max(n_cells, 1)
    return mean, np.maximum(square - mean**2, 0.0)


def _grouped(components: FloatArray, size: int, seed: int) -> Clusters:
    """k-means."""
    from sklearn.cluster import KMeans, MiniBatchKMeans

    is_large = len(components) > load_design().thresholds.cell_assign.batches_from
    kind = MiniBatchKMeans if is_large else KMeans
    with one_thread():
        found = kind(n_clusters=size, n_init=1, random_state=seed).fit_predict(components)
    return np.asarray(found, dtype=np.int32)
