"""Labels of a sample's cells: those of its file or found, and which cells are malignant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from escape_score.cells.labels.assign import assign
from escape_score.cells.labels.classifier import CellClassifier
from escape_score.cells.labels.expression import Expression, cluster_cells
from escape_score.cells.labels.given import UserMap, labels_from_given
from escape_score.cells.labels.malignant import MalignantCells, find_malignant
from escape_score.errors import UsageError
from escape_score.library.cell_types import LINEAGE_CODE, Lineage, LineageChoice
from escape_score.model.cells import CellLabels, CellSample, Codes


@dataclass(frozen=True, eq=False)
class LabelledCells:
    """Labels of a sample, and the labels of its file that were not understood, sorted."""

    labels: CellLabels
    unknown: tuple[str, ...] = ()


def label_cells(
    sample: CellSample,
    *,
    classifier: CellClassifier | None = None,
    user_map: UserMap | None = None,
    lineage: LineageChoice = LineageChoice.AUTO,
    seed: int = 0,
) -> LabelledCells:
    """Compartments of a sample's cells.

    Parameters
    ----------
    sample
        Its ``given_types`` are used where it has any.
    classifier
        Trained on the seeds of the cohort; needed where the sample has no labels.
    user_map
        The user's own meaning of labels.
    lineage
        Which cells can be malignant.
    seed
        Of k-means. The order of cells has no effect.

    Raises
    ------
    UsageError
        There are neither labels nor a classifier.
    """
    if sample.given_types is not None:
        return _given(sample, user_map, lineage, seed)
    if classifier is None:
        msg = f"{sample.sample_id}: no labels of cells and no classifier; name the column of the labels"
        raise UsageError(msg)
    cells = Expression(sample)
    clusters = cluster_cells(cells, seed=seed)
    found = assign(cells, classifier, seed=seed, clusters=clusters)
    malignant = find_malignant(
        cells, found.codes, found.lineages, lineage=lineage, seed=seed, clusters=clusters
    )
    return LabelledCells(_labels(malignant, found.confidence, is_given=False))


def _given(sample: CellSample, user_map: UserMap | None, lineage: LineageChoice, seed: int) -> LabelledCells:
    """Labels of the file, and copy number for those that leave malignancy open."""
    given = labels_from_given(sample, user_map)
    open_lineages = _without_fibroblasts(given.lineages) if lineage is LineageChoice.AUTO else given.lineages
    malignant = find_malignant(
        Expression(sample), given.codes, open_lineages, lineage=lineage, seed=seed, with_unassigned=False
    )
    confidence = np.full(sample.n_cells, np.nan)
    return LabelledCells(_labels(malignant, confidence, is_given=True), given.unknown)


def _without_fibroblasts(lineages: Codes) -> Codes:
    """A label that says fibroblast is kept, unless the user looks for a mesenchymal tumour."""
    is_fibroblast = lineages == LINEAGE_CODE[Lineage.MESENCHYMAL]
    return np.where(is_fibroblast, LINEAGE_CODE[Lineage.NONE], lineages).astype(np.int8)


def _labels(malignant: MalignantCells, confidence: np.ndarray, *, is_given: bool) -> CellLabels:
    return CellLabels(malignant.codes, confidence, malignant.copy_number, is_given, malignant.reason)
