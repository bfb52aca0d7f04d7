"""Orders of samples and mechanisms in which neighbours are alike, for the heatmap."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from escape_score.model.record_statistics import Clustering, MeasureKind, Merge
from escape_score.statistics.columns import CohortColumns, FloatArray, IntArray
from escape_score.statistics.overview import MIN_AXES, MIN_MAP, spearman

MAX_SAMPLES = 5000
"""Most samples that are clustered: distances of all pairs need 100 MB there."""
MAX_ORDERED = 1000
"""Most samples whose branches are turned so that neighbours are as close as possible."""
MAX_DRAWN = 200
"""Most samples whose tree can be read in a drawing."""
_DECIMALS = 6
"""Distances are rounded, so that ties are the same on every machine."""


def clustering_of(columns: CohortColumns) -> Clustering | None:
    """Give the orders of samples and mechanisms by hierarchical clustering of the scores.

    Parameters
    ----------
    columns
        Numbers of one cohort with the ids of its samples.

    Returns
    -------
    Clustering or None
        None with fewer than :data:`~escape_score.statistics.overview.MIN_MAP` samples that have a score,
        more than :data:`MAX_SAMPLES`, or few mechanisms. Average linkage. Two samples: Euclidean distance
        over the mechanisms that are evaluable in both, scaled to all of them; the largest distance where
        there is none. Two mechanisms: 1 − Spearman correlation, 1 where fewer than ten samples have both.
        Samples without any score are last, in their order.

    References
    ----------
    Eisen 1998, PNAS 95:14863, doi:10.1073/pnas.95.25.14863;
    Bar-Joseph 2001, Bioinformatics 17:S22, doi:10.1093/bioinformatics/17.suppl_1.S22
    """
    axes = [at for at, one in enumerate(columns.measures) if one.kind is MeasureKind.AXIS]
    values = columns.values[:, axes]
    has_score = np.isfinite(values).any(axis=1)
    if len(axes) < MIN_AXES or not MIN_MAP <= has_score.sum() <= MAX_SAMPLES or not columns.sample_ids:
        return None
    rows = np.flatnonzero(has_score)
    order, tree = _clustered(_distances_of_samples(values[rows]))
    axis_order, axis_tree = _clustered(_distances_of_axes(values))
    placed = (*rows[order], *np.flatnonzero(~has_score))
    return Clustering(
        axes=tuple(columns.measures[axes[at]].measure for at in axis_order),
        sample_ids=tuple(columns.sample_ids[at] for at in placed),
        n_unplaced=int((~has_score).sum()),
        n_missing=int((~np.isfinite(values[rows])).sum()),
        axis_tree=axis_tree,
        sample_tree=tree if len(rows) <= MAX_DRAWN else (),
    )


def _clustered(distances: FloatArray) -> tuple[IntArray, tuple[Merge, ...]]:
    """Order of the leaves, and merges that name leaves by their places in this order."""
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering

    links = linkage(distances, "average")
    n = len(links) + 1
    if n <= MAX_ORDERED:
        links = optimal_leaf_ordering(links, distances)
    order: IntArray = leaves_list(links).astype(np.int64)
    place = np.arange(2 * n - 1)
    place[order] = np.arange(n)
    tree = (
        Merge(first=int(place[int(first)]), second=int(place[int(second)]), height=round(float(height), 4))
        for first, second, height, _ in links
    )
    return order, tuple(tree)


def _distances_of_samples(values: FloatArray) -> FloatArray:
    """Condensed distances of rows; a row at a time, so that no table of all pairs and axes is needed."""
    known, (n, n_axes) = np.isfinite(values).astype(np.float64), values.shape
    filled, at = np.nan_to_num(values, nan=0.0), 0
    distances = np.full(n * (n - 1) // 2, np.nan)
    for row in range(n - 1):
        both, difference = known[row] * known[row + 1 :], filled[row] - filled[row + 1 :]
        squares = np.einsum("ij,ij,ij->i", difference, difference, both)
        n_both = both.sum(axis=1)
        here = distances[at : (at := at + n - row - 1)]
        np.sqrt(n_axes * squares / np.maximum(n_both, 1.0), where=n_both > 0, out=here)
    distances[np.isnan(distances)] = np.nanmax(distances, initial=0.0)
    return np.round(distances, _DECIMALS, out=distances)


def _distances_of_axes(values: FloatArray) -> FloatArray:
    """Condensed distances of columns."""
    pairs = combinations(range(values.shape[1]), 2)
    found = (spearman(values[:, first], values[:, second]) for first, second in pairs)
    return np.array([1.0 - (rho or 0.0) for rho in found], dtype=np.float64)
