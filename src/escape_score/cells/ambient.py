"""Ambient RNA in malignant cells, from genes that only other compartments express.

Droplets catch RNA that floats in the suspension. Its mixture is taken to be that of all cells of the sample
together. Of the counts of a malignant cell, the share a is ambient. A gene exclusive to another compartment
then has a times its share of all counts. In five tumours the share did not depend on the depth of a cell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from escape_score.library.axes import load_design
from escape_score.library.files import resource_path, table_records
from escape_score.model.cells import Compartment, PatientCells
from escape_score.model.cohort import FloatArray
from escape_score.model.thresholds import CellPresentationLimits

Bools = npt.NDArray[np.bool_]

_ROUNDS = 4
"""Each round drops cells and markers again; more rounds change the share by less than 1 %."""


@dataclass(frozen=True)
class ExclusiveMarker:
    """A gene that malignant cells do not express, and the compartment that does."""

    gene_symbol: str
    compartment: Compartment
    source: str


@cache
def exclusive_markers() -> tuple[ExclusiveMarker, ...]:
    """Shipped markers, in the order of ``resources/cells/exclusive_markers.tsv``."""
    return table_records(resource_path("cells", "exclusive_markers.tsv"), ExclusiveMarker)


def exclusive_genes() -> tuple[str, ...]:
    """Genes from which ambient RNA is estimated."""
    return tuple(marker.gene_symbol for marker in exclusive_markers())


def with_ambient(cells: PatientCells) -> PatientCells:
    """The same cells with the share of ambient RNA of each sample; earlier values are replaced.

    A share is NaN if the sample has too few malignant cells, or too few counts of exclusive markers.
    """
    malignant = cells.rows(Compartment.MALIGNANT)
    columns = cells.columns(exclusive_genes())
    shares = np.full(len(cells.sample_ids), math.nan)
    for sample in range(len(cells.sample_ids)):
        rows = malignant[cells.sample_of[malignant] == sample]
        counts = np.asarray(cells.counts[rows][:, columns].todense(), dtype=np.float64)
        soup = cells.sample_counts[sample, columns] / cells.sample_umi[sample]
        shares[sample] = ambient_share(counts, cells.n_umi[rows], soup)
    return replace(cells, ambient=shares)


def ambient_share(counts: FloatArray, totals: FloatArray, soup: FloatArray) -> float:
    """Share of the counts of malignant cells that is ambient, 0 to ``max_ambient``; NaN where not known.

    Left out are cells with more counts of the markers than ambient RNA gives: doublets, and cells that are
    not malignant. Also left out are markers with more counts than the others predict, which malignant cells
    express. The ratios of markers to the soup are averaged by their precision, which is made of the counting
    error and of the differences between markers. At least half a count is assumed.

    Parameters
    ----------
    counts
        Shape (n_cells, n_markers): counts of exclusive markers in malignant cells of one sample.
    totals
        Shape (n_cells,): counts of these cells over all genes.
    soup
        Shape (n_markers,): counts of the markers in all cells of the sample, as parts of all counts.
    """
    limits = load_design().thresholds.cell_presentation
    is_open = np.outer(totals, soup).sum(axis=0) > 0
    counts, soup = counts[:, is_open], soup[is_open]
    enough = float(totals.sum() * soup.sum()) >= limits.min_marker_counts
    if len(totals) < limits.min_ambient_cells or not enough:
        return math.nan
    share = _middle(counts, totals, soup)
    capped = _capped(counts, share * np.outer(totals, soup), limits)
    is_marker = ~_is_expressed(capped, share * totals.sum() * soup, limits)
    for _ in range(_ROUNDS):
        expected = share * totals * soup[is_marker].sum()
        is_cell = ~_is_outlier(counts[:, is_marker].sum(axis=1), expected, limits)
        seen, expected_counts = counts[is_cell].sum(axis=0), totals[is_cell].sum() * soup
        is_marker = ~_is_expressed(seen, share * expected_counts, limits)
        share = _weighted_ratio(seen[is_marker], expected_counts[is_marker], share, limits)
    return min(max(share, 0.5 / float(totals.sum() * soup.sum())), limits.max_ambient)


def ambient_counts(cells: PatientCells) -> FloatArray:
    """Counts of exclusive markers in malignant cells that each share accounts for; shape (n_samples,).

    Their square root is the counting error. NaN where the share is unknown.
    """
    malignant = cells.rows(Compartment.MALIGNANT)
    totals = np.bincount(cells.sample_of[malignant], cells.n_umi[malignant], len(cells.sample_ids))
    soup = cells.sample_counts[:, cells.columns(exclusive_genes())].sum(axis=1) / cells.sample_umi
    return np.asarray(cells.ambient * totals * soup)


def _middle(counts: FloatArray, totals: FloatArray, soup: FloatArray) -> float:
    """A first share that a few markers do not move: the median ratio, or that of all if it is zero."""
    expected = totals.sum() * soup
    ratios = counts.sum(axis=0) / expected
    order = np.argsort(ratios, kind="stable")
    weights = np.sqrt(expected[order])
    at = int(np.searchsorted(np.cumsum(weights), weights.sum() / 2))
    middle = float(ratios[order][at])
    return middle if middle > 0 else float(counts.sum() / expected.sum())


def _is_outlier(counts: FloatArray, mean: FloatArray, limits: CellPresentationLimits) -> Bools:
    """Whether cells have more counts than ambient RNA gives."""
    spread = np.sqrt(mean + mean**2 / limits.ambient_size)
    return np.asarray(counts > mean + limits.outlier_sd * spread + 1.0)


def _capped(counts: FloatArray, mean: FloatArray, limits: CellPresentationLimits) -> FloatArray:
    """Sums over cells with no cell far above ambient RNA.

    A marker that malignant cells express is still above the others, since it is seen in most cells. The
    marker of a few doublets is not.
    """
    return np.asarray(np.minimum(counts, mean + limits.outlier_sd * np.sqrt(mean) + 1.0).sum(axis=0))


def _is_expressed(counts: FloatArray, mean: FloatArray, limits: CellPresentationLimits) -> Bools:
    """Whether markers have more counts than they differ by among each other."""
    spread = np.sqrt(mean + (limits.marker_sd * mean) ** 2)
    return np.asarray(counts > mean + limits.outlier_sd * spread + 1.0)


def _weighted_ratio(
    counts: FloatArray, expected: FloatArray, share: float, limits: CellPresentationLimits
) -> float:
    """Mean of counts over expected counts, weighed by precision at a share."""
    weights = 1.0 / (1.0 / expected + limits.marker_sd**2 * max(share, 1e-4))
    return float((weights * counts / expected).sum() / weights.sum())
