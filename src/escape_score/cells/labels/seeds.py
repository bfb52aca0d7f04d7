"""Cells whose markers leave no doubt, gathered over a cohort, and the classifier that is trained on them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from escape_score.cells.labels.classifier import CellClassifier
from escape_score.cells.labels.expression import MEAN_OFFSET, Expression, Rows, mean_and_variance, one_thread
from escape_score.library.axes import load_design
from escape_score.library.cell_types import load_markers
from escape_score.model.cells import CellSample
from escape_score.model.cohort import FloatArray
from escape_score.model.signature import Signature
from escape_score.score.kernels.values import SetIndex
from escape_score.score.methods.ucell import score_ucell

LEAST_COVERAGE = 1e-9
"""A marker set is scored from one measured gene on; the others count as not expressed."""


def marker_scores(sample: CellSample) -> FloatArray:
    """UCell of each marker set in each cell; shape (n_cells, n_sets), 0–1, 0 for sets without a gene."""
    signatures = [Signature(one.name, one.gene_symbols) for one in load_markers()]
    sets = SetIndex.of(signatures, sample.gene_symbols)
    counts = sample.counts.astype(np.float32)
    return np.nan_to_num(score_ucell(counts, sets, min_coverage=LEAST_COVERAGE).values)


def markers_detected(sample: CellSample) -> npt.NDArray[np.int64]:
    """Genes of each marker set that a cell has counts of; shape (n_cells, n_sets)."""
    detected = sp.csr_array(
        (np.ones(sample.counts.nnz), sample.counts.indices, sample.counts.indptr), shape=sample.counts.shape
    )
    member = np.zeros((len(sample.gene_symbols), len(load_markers())))
    for number, one in enumerate(load_markers()):
        member[Expression(sample).columns(one.gene_symbols)[0], number] = 1
    return np.asarray(detected @ member, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class SeedPool:
    """Seeds of a cohort.

    Parameters
    ----------
    on_levels
        Shape (n_sets,): what a marker set scores where it is expressed.
    n_seeds
        Shape (n_sets,): seeds found of each set.
    gene_symbols
        Genes that every sample has, sorted.
    logged
        Shape (n_chosen, n_genes): log-normalised counts of the chosen seeds, in an order that depends on
        their ids alone.
    sets
        Shape (n_chosen,): marker set of each.
    """

    on_levels: FloatArray = field(repr=False)
    n_seeds: npt.NDArray[np.int64] = field(repr=False)
    gene_symbols: tuple[str, ...] = field(repr=False)
    logged: sp.csr_array = field(repr=False)
    sets: npt.NDArray[np.int64] = field(repr=False)


@dataclass(frozen=True, eq=False)
class _Looked:
    """What the first pass keeps of a sample."""

    sample_id: str
    cell_ids: npt.NDArray[np.str_]
    scores: npt.NDArray[np.float32]
    has_several: npt.NDArray[np.bool_]
    """Whether a cell has several genes of a set; shape (n_cells, n_sets)."""


def find_seeds(samples: Iterable[CellSample], *, seed: int) -> SeedPool:
    """Seeds of all samples together.

    Parameters
    ----------
    samples
        Gone through twice, one sample at a time: a list, or an object that loads them again.
    seed
        Which seeds are drawn where there are more than needed. The order of samples and cells has no effect.
    """
    looked, shared = [], None
    for sample in samples:
        looked.append(_look(sample))
        shared = set(sample.gene_symbols) if shared is None else shared & set(sample.gene_symbols)
    symbols = tuple(sorted(shared or ()))
    levels = on_levels([one.scores for one in looked])
    sets = [_clear(one, levels) for one in looked]
    n_seeds = np.bincount(np.concatenate([[-1], *sets]).astype(np.int64) + 1, minlength=len(levels) + 1)[1:]
    chosen = _drawn(looked, sets, n_seeds, seed)
    logged, drawn_sets = _gathered(samples, chosen, symbols)
    return SeedPool(levels, n_seeds, symbols, logged, drawn_sets)


def _look(sample: CellSample) -> _Looked:
    limits = load_design().thresholds.cell_assign
    scores = marker_scores(sample).astype(np.float32)
    has_several = markers_detected(sample) >= limits.seed_markers
    return _Looked(sample.sample_id, sample.cell_ids, scores, has_several)


def on_levels(scores: Sequence[npt.NDArray[np.float32]]) -> FloatArray:
    """What each set scores in the cells that express it: a high quantile, but not below a floor."""
    limits = load_design().thresholds.cell_assign
    pooled = np.concatenate([np.zeros((1, len(load_markers())), dtype=np.float32), *scores])
    return np.maximum(np.quantile(pooled.astype(np.float64), limits.on_quantile, axis=0), limits.on_floor)


def clear_sets(scores: npt.NDArray[np.float32], levels: FloatArray) -> npt.NDArray[np.int64]:
    """Marker set of cells that express one set and no other; −1 elsewhere; shape (n_cells,)."""
    limits = load_design().thresholds.cell_assign
    relative = scores / levels
    order = np.sort(relative, axis=1)
    best = np.argmax(relative, axis=1)
    is_clear = (order[:, -1] > limits.seed_level) & (order[:, -1] - order[:, -2] > limits.seed_margin)
    is_clear &= np.take_along_axis(scores, best[:, None], axis=1)[:, 0] > limits.seed_score
    return np.where(is_clear, best, -1).astype(np.int64)


def _clear(looked: _Looked, levels: FloatArray) -> npt.NDArray[np.int64]:
    """Sets of a sample's seeds, −1 for other cells."""
    sets = clear_sets(looked.scores, levels)
    has_several = np.take_along_axis(looked.has_several, np.maximum(sets, 0)[:, None], axis=1)[:, 0]
    return np.where(has_several, sets, -1)


Drawn = dict[str, dict[str, int]]
"""From a sample to its drawn cells with their sets."""


def _drawn(
    looked: Sequence[_Looked],
    sets: Sequence[npt.NDArray[np.int64]],
    n_seeds: npt.NDArray[np.int64],
    seed: int,
) -> Drawn:
    """Draw cells of every set that has enough seeds, by a digest of their ids."""
    limits = load_design().thresholds.cell_assign
    by_set: dict[int, list[tuple[bytes, str, str]]] = {}
    for one, of_cell in zip(looked, sets, strict=True):
        for row in np.flatnonzero(of_cell >= 0):
            cell, number = str(one.cell_ids[row]), int(of_cell[row])
            if n_seeds[number] >= limits.min_seeds:
                by_set.setdefault(number, []).append(
                    (_digest(seed, one.sample_id, cell), one.sample_id, cell)
                )
    drawn: Drawn = {}
    for number, cells in by_set.items():
        for _, sample_id, cell in sorted(cells)[: int(limits.train_cells)]:
            drawn.setdefault(sample_id, {})[cell] = number
    return drawn


def _digest(seed: int, sample_id: str, cell: str) -> bytes:
    return hashlib.blake2b(f"{seed}\t{sample_id}\t{cell}".encode(), digest_size=8).digest()


def _gathered(
    samples: Iterable[CellSample], drawn: Drawn, symbols: tuple[str, ...]
) -> tuple[sp.csr_array, npt.NDArray[np.int64]]:
    """Log-normalised counts of drawn cells, sorted by sample and cell, and their sets."""
    blocks: dict[str, sp.csr_array] = {}
    sets: dict[str, list[int]] = {}
    for sample in samples:
        cells = drawn.get(sample.sample_id, {})
        if not cells:
            continue
        rows = [
            row for row in np.argsort(sample.cell_ids, kind="stable") if str(sample.cell_ids[row]) in cells
        ]
        blocks[sample.sample_id] = _logged_rows(sample, rows, symbols)
        sets[sample.sample_id] = [cells[str(sample.cell_ids[row])] for row in rows]
    order = sorted(blocks)
    empty = sp.csr_array((0, len(symbols)), dtype=np.float64)
    stacked = sp.vstack([empty, *(blocks[one] for one in order)], format="csr")
    return sp.csr_array(stacked), np.array([one for key in order for one in sets[key]], dtype=np.int64)


def _logged_rows(sample: CellSample, rows: list[np.intp], symbols: tuple[str, ...]) -> sp.csr_array:
    """Log-normalised counts of some cells and genes, float64."""
    few = replace(
        sample,
        cell_ids=sample.cell_ids[rows],
        counts=sample.counts[rows],
        given_types=None,
    )
    cells = Expression(few)
    return cells.logged.astype(np.float64)[:, cells.columns(symbols)[0]]


def train(pool: SeedPool) -> CellClassifier:
    """Balanced multinomial logistic regression on the seeds of a cohort.

    Features are the most variable genes of the seeds and all markers, divided by their standard deviation.
    With seeds of fewer than two sets the classifier knows no compartment, and all cells are unassigned.
    """
    columns, scale = _features(pool)
    classes = np.unique(pool.sets)
    if len(classes) < 2:  # noqa: PLR2004
        return CellClassifier.empty(pool.on_levels)
    coefficients, intercepts = _fitted(pool, columns, scale)
    return CellClassifier(
        gene_symbols=tuple(pool.gene_symbols[column] for column in columns),
        weights=(coefficients / scale).astype(np.float32),
        intercepts=intercepts.astype(np.float32),
        classes=classes,
        on_levels=pool.on_levels,
    )


def _features(pool: SeedPool) -> tuple[Rows, FloatArray]:
    """Columns of the features, ascending, and their scale."""
    limits = load_design().thresholds.cell_assign
    mean, variance = mean_and_variance(pool.logged)
    order = np.argsort(-(variance / (mean + MEAN_OFFSET)), kind="stable")
    markers = {symbol for one in load_markers() for symbol in one.gene_symbols}
    is_marker = np.flatnonzero([symbol in markers for symbol in pool.gene_symbols])
    columns = np.union1d(order[: int(limits.features)], is_marker).astype(np.intp)
    return columns, np.sqrt(variance[columns]) + limits.feature_sd


def _fitted(pool: SeedPool, columns: Rows, scale: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Coefficients, shape (n_classes, n_features), and intercepts."""
    from sklearn.linear_model import LogisticRegression

    limits = load_design().thresholds.cell_assign
    values = sp.csr_matrix(pool.logged[:, columns] @ sp.diags_array(1.0 / scale))
    model = LogisticRegression(C=limits.regularisation, max_iter=300, class_weight="balanced")
    with one_thread():
        model.fit(values, pool.sets)
    if len(model.classes_) > 2:  # noqa: PLR2004
        return model.coef_, model.intercept_
    return np.vstack([-model.coef_, model.coef_]) / 2, np.concatenate(
        [-model.intercept_, model.intercept_]
    ) / 2
