"""Compartments of cells without labels: a classifier's calls, and votes of similar cells."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from escape_score.cells.classifier import CellClassifier
from escape_score.cells.expression import Clusters, Expression, cluster_cells
from escape_score.cells.seeds import marker_scores
from escape_score.library.axes import load_design
from escape_score.library.cell_types import LINEAGE_CODE, load_markers
from escape_score.model.cells import CODE_OF, CellSample, Codes, Compartment
from escape_score.model.cohort import FloatArray

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Assigned:
    """Compartments that were found.

    Parameters
    ----------
    codes
        Shape (n_cells,): positions in ``COMPARTMENTS``; none is malignant yet.
    lineages
        Shape (n_cells,): positions in ``LINEAGES``.
    confidence
        Shape (n_cells,), 0–1: probability of the compartment.
    """

    codes: Codes = field(repr=False)
    lineages: Codes = field(repr=False)
    confidence: FloatArray = field(repr=False)


def assign(
    cells: Expression, classifier: CellClassifier, *, seed: int, clusters: Clusters | None = None
) -> Assigned:
    """Find the compartment of each cell.

    Parameters
    ----------
    classifier
        Trained on the seeds of the cohort.
    clusters
        Groups of :func:`cluster_cells`, where they are known already.

    Notes
    -----
    A cell keeps the class of the classifier if its probability is high, its markers do not contradict, and it
    has enough counts. In a cluster of which nearly all cells have one class, this is the class of the others
    too, unless their own evidence for another class is strong. Otherwise a cell is unassigned.
    """
    sample = cells.sample
    n_cells = sample.n_cells
    if not len(classifier.classes):
        unassigned = np.full(n_cells, CODE_OF[Compartment.UNASSIGNED], dtype=np.int8)
        return Assigned(unassigned, np.zeros(n_cells, dtype=np.int8), np.zeros(n_cells))
    probabilities = classifier.probabilities(cells)
    relative = marker_scores(sample) / classifier.on_levels
    relative = np.hstack([relative[:, classifier.classes], np.delete(relative, classifier.classes, axis=1)])
    groups = cluster_cells(cells, seed=seed) if clusters is None else clusters
    single = _single_calls(sample, probabilities, relative)
    called = _voted(single, probabilities, relative, groups)
    confidence = np.take_along_axis(probabilities, np.maximum(called, 0)[:, None], axis=1)[:, 0]
    return _assigned(called, np.where(called < 0, probabilities.max(axis=1), confidence), classifier)


def _single_calls(sample: CellSample, probabilities: FloatArray, relative: FloatArray) -> IntArray:
    """Class of each cell by its own evidence, −1 where it is not enough."""
    limits = load_design().thresholds.cell_assign
    best = probabilities.argmax(axis=1)
    sure = probabilities.max(axis=1)
    own = np.take_along_axis(relative, best[:, None], axis=1)[:, 0]
    others = relative.copy()
    np.put_along_axis(others, best[:, None], 0.0, axis=1)
    is_contradicted = others.max(axis=1) - own > limits.contradiction
    is_contradicted |= own < limits.least_own
    enough = sample.n_umi >= limits.min_umi if sample.is_umi else np.ones(sample.n_cells, dtype=np.bool_)
    return np.where((sure >= limits.posterior) & ~is_contradicted & enough, best, -1)


def _voted(single: IntArray, probabilities: FloatArray, relative: FloatArray, groups: Clusters) -> IntArray:
    """Calls after the vote of each cluster."""
    called = single.copy()
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        winner = _winner(single[rows], probabilities[rows], relative[rows])
        if winner >= 0:
            follows = ~_keeps_own(single[rows], probabilities[rows], relative[rows], winner)
            called[rows[follows]] = winner
    return called


def _winner(single: IntArray, probabilities: FloatArray, relative: FloatArray) -> int:
    """Class of nearly all cells of a cluster; −1 where it is mixed, too small, or markers disagree."""
    limits = load_design().thresholds.cell_assign
    if len(single) < limits.min_voters:
        return -1
    mean = probabilities.mean(axis=0)
    winner = int(mean.argmax())
    decided = single[single >= 0]
    agree = np.mean(decided == winner) if len(decided) else 0.0
    level = relative.mean(axis=0)
    is_clear = level[winner] >= limits.vote_own and level.max() - level[winner] <= limits.contradiction
    agrees = agree >= limits.vote_share and mean[winner] >= limits.vote_posterior
    return winner if is_clear and agrees else -1


def _keeps_own(single: IntArray, probabilities: FloatArray, relative: FloatArray, winner: int) -> BoolArray:
    """Whether a cell of a cluster has strong evidence of its own for another class."""
    limits = load_design().thresholds.cell_assign
    own = np.take_along_axis(relative, np.maximum(single, 0)[:, None], axis=1)[:, 0]
    is_other = (single >= 0) & (single != winner) & (probabilities.max(axis=1) >= limits.sure_posterior)
    return np.asarray(is_other & (own - relative[:, winner] > limits.seed_margin))


def _assigned(called: IntArray, confidence: FloatArray, classifier: CellClassifier) -> Assigned:
    """From classes to compartments and lineages."""
    sets = [load_markers()[number] for number in classifier.classes]
    codes = np.array([CODE_OF[one.compartment] for one in sets] + [CODE_OF[Compartment.UNASSIGNED]])
    lineages = np.array([LINEAGE_CODE[one.lineage] for one in sets] + [0])
    return Assigned(codes[called].astype(np.int8), lineages[called].astype(np.int8), confidence)
