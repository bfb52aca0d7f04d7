"""Compartments of cells without labels: a classifier's calls, and votes of similar cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt

from escape_score.cells.labels.classifier import CellClassifier
from escape_score.cells.labels.expression import Clusters, Expression, Rows, cluster_cells
from escape_score.cells.labels.seeds import marker_scores
from escape_score.library.axes import load_design
from escape_score.library.cell_types import LINEAGE_CODE, CellType, load_markers
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
    A cell keeps the type of the classifier if its probability is high, its markers do not contradict, and it
    has enough counts. In a cluster of which nearly all cells have one type, this is the type of the others
    too, unless their own evidence for another type is strong. Otherwise a cell is unassigned.
    """
    sample = cells.sample
    n_cells = sample.n_cells
    if not len(classifier.classes):
        unassigned = np.full(n_cells, CODE_OF[Compartment.UNASSIGNED], dtype=np.int8)
        return Assigned(unassigned, np.zeros(n_cells, dtype=np.int8), np.zeros(n_cells))
    probabilities = _of_types(classifier.probabilities(cells), classifier)
    relative = _of_markers(marker_scores(sample) / classifier.on_levels)
    groups = cluster_cells(cells, seed=seed) if clusters is None else clusters
    single = _single_calls(sample, probabilities, relative)
    called = _voted(
        single, probabilities, relative, [groups == one for one in np.unique(groups)], cells.order
    )
    confidence = np.take_along_axis(probabilities, np.maximum(called, 0)[:, None], axis=1)[:, 0]
    return _assigned(called, np.where(called < 0, probabilities.max(axis=1), confidence))


@cache
def _types() -> tuple[tuple[CellType, ...], IntArray]:
    """Types of cells that have markers, and the type of each marker set."""
    types = tuple(dict.fromkeys(one.cell_type for one in load_markers()))
    return types, np.array([types.index(one.cell_type) for one in load_markers()])


def _of_types(probabilities: FloatArray, classifier: CellClassifier) -> FloatArray:
    """Probability of each type, 0 for those the classifier does not know; shape (n_cells, n_types)."""
    types, type_of = _types()
    member = np.zeros((len(classifier.classes), len(types)))
    member[np.arange(len(classifier.classes)), type_of[classifier.classes]] = 1.0
    return np.asarray(probabilities @ member)


def _of_markers(relative: FloatArray) -> FloatArray:
    """Highest level among the marker sets of each type; shape (n_cells, n_types)."""
    types, type_of = _types()
    return np.stack([relative[:, type_of == one].max(axis=1) for one in range(len(types))], axis=1)


def _single_calls(sample: CellSample, probabilities: FloatArray, relative: FloatArray) -> IntArray:
    """Type of each cell by its own evidence, −1 where it is not enough."""
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


def _voted(
    single: IntArray,
    probabilities: FloatArray,
    relative: FloatArray,
    members: Sequence[BoolArray],
    order: Rows,
) -> IntArray:
    """Calls after the vote of each cluster, whose cells are taken in the order of their ids."""
    called = single.copy()
    for is_member in members:
        rows = order[is_member[order]]
        winner = _winner(single[rows], probabilities[rows], relative[rows])
        if winner >= 0:
            follows = ~_keeps_own(single[rows], probabilities[rows], relative[rows], winner)
            called[rows[follows]] = winner
    return called


def _winner(single: IntArray, probabilities: FloatArray, relative: FloatArray) -> int:
    """Type of nearly all cells of a cluster; −1 where it is mixed, too small, or markers disagree."""
    limits = load_design().thresholds.cell_assign
    if len(single) < limits.min_voters:
        return -1
    mean = probabilities.mean(axis=0)
    winner = int(mean.argmax())
    decided = single[single >= 0]
    if len(decided) < limits.min_voters:  # cells of few counts: none is sure by itself
        decided = probabilities.argmax(axis=1)
    agree = float(np.mean(decided == winner))
    level = relative.mean(axis=0)
    is_clear = level[winner] >= limits.vote_own and level.max() - level[winner] <= limits.contradiction
    agrees = agree >= limits.vote_share and mean[winner] >= limits.vote_posterior
    return winner if is_clear and agrees else -1


def _keeps_own(single: IntArray, probabilities: FloatArray, relative: FloatArray, winner: int) -> BoolArray:
    """Whether a cell of a cluster has strong evidence of its own for another type."""
    limits = load_design().thresholds.cell_assign
    own = np.take_along_axis(relative, np.maximum(single, 0)[:, None], axis=1)[:, 0]
    is_other = (single >= 0) & (single != winner) & (probabilities.max(axis=1) >= limits.sure_posterior)
    return np.asarray(is_other & (own - relative[:, winner] > limits.seed_margin))


def _assigned(called: IntArray, confidence: FloatArray) -> Assigned:
    """From types to compartments and lineages; −1 is unassigned."""
    types = [*_types()[0], CellType(Compartment.UNASSIGNED)]
    codes = np.array([CODE_OF[one.compartment] for one in types], dtype=np.int8)
    lineages = np.array([LINEAGE_CODE[one.lineage] for one in types], dtype=np.int8)
    return Assigned(codes[called], lineages[called], confidence)
