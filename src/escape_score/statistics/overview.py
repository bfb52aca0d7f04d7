"""What a cohort looks like at a glance: its samples on a map, and how its mechanisms go together."""

from __future__ import annotations

from collections import Counter

import numpy as np

from escape_score.model.record_statistics import Correlation, MapPoint, MeasureKind, SampleMap
from escape_score.statistics.columns import CohortColumns, FloatArray
from escape_score.statistics.groups import GROUPED_COLUMNS

MIN_MAP, MIN_AXES = 10, 3
"""Fewest samples of a map and of a correlation, and fewest mechanisms."""
MAX_GROUPS = 5
"""Labels that have a mark of their own on the map."""
EVALUABLE_IN = 0.9
"""Share of the samples in which an axis of the map must be evaluable."""


def sample_map(columns: CohortColumns) -> SampleMap | None:
    """Give the first two principal components of the scores of mechanisms.

    Returns
    -------
    SampleMap or None
        None with fewer than :data:`MIN_MAP` samples or :data:`MIN_AXES` mechanisms. Axes count that are
        evaluable in nine of ten samples, and samples in which all of these are. Scores are in SD of the
        reference, so they are centred and not scaled again.

    References
    ----------
    Jolliffe 2002, Principal Component Analysis, chapter 2
    """
    axes = [at for at, one in enumerate(columns.measures) if one.kind is MeasureKind.AXIS]
    if not axes or len(columns.values) < MIN_MAP:
        return None
    axes = [at for at in axes if np.isfinite(columns.values[:, at]).mean() >= EVALUABLE_IN]
    rows = np.flatnonzero(np.isfinite(columns.values[:, axes]).all(axis=1))
    if len(axes) < MIN_AXES or len(rows) < MIN_MAP:
        return None
    placed, shares = _components(columns.values[rows][:, axes])
    column = _marking_column(columns)
    groups = columns.texts(column) if column else [""] * len(columns.sheet)
    ids = columns.sample_ids or tuple(str(at + 1) for at in range(len(columns.sheet)))
    return SampleMap(
        measures=tuple(columns.measures[at].title for at in axes),
        shares=shares,
        column=column,
        points=tuple(
            MapPoint(sample_id=ids[row], x=float(x), y=float(y), group=groups[row])
            for row, (x, y) in zip(rows, placed, strict=True)
        ),
    )


def _components(values: FloatArray) -> tuple[FloatArray, tuple[float, float]]:
    """First two components, shape (n_samples, 2), and their shares of the variance.

    The sign of a component is arbitrary: its largest loading is positive. Four decimals are the same
    on every machine.
    """
    centred = values - values.mean(axis=0)
    scores, sizes, loadings = np.linalg.svd(centred, full_matrices=False)
    signs = np.sign(loadings[np.arange(2), np.abs(loadings[:2]).argmax(axis=1)])
    total = float(np.square(sizes).sum()) or 1.0
    shares = np.round(np.square(sizes[:2]) / total, 4)
    placed: FloatArray = np.round(scores[:, :2] * sizes[:2] * signs, 4) + 0.0
    return placed, (float(shares[0]), float(shares[1]))


def _marking_column(columns: CohortColumns) -> str:
    """The first column of the sheet with two to five labels; empty where none has."""
    for column in (*GROUPED_COLUMNS, *columns.further):
        if 2 <= len(Counter(text for text in columns.texts(column) if text)) <= MAX_GROUPS:  # noqa: PLR2004
            return column
    return ""


def correlation_of(columns: CohortColumns) -> Correlation | None:
    """Give Spearman correlations of the index and the mechanisms; None with fewer than ten samples.

    References
    ----------
    Spearman 1904, American Journal of Psychology 15:72, doi:10.2307/1412159
    """
    kinds = (MeasureKind.INDEX, MeasureKind.AXIS)
    axes = [at for at, one in enumerate(columns.measures) if one.kind in kinds]
    if len(axes) < MIN_AXES or len(columns.values) < MIN_MAP:
        return None
    values: dict[tuple[int, int], float | None] = {}
    for first in axes:
        for second in (at for at in axes if at >= first):
            found = spearman(columns.values[:, first], columns.values[:, second])
            values[first, second] = values[second, first] = found
    return Correlation(
        titles=tuple(columns.measures[at].title for at in axes),
        values=tuple(tuple(values[first, second] for second in axes) for first in axes),
    )


def spearman(first: FloatArray, second: FloatArray) -> float | None:
    """Give Spearman's correlation of two columns; None where fewer than ten samples have both."""
    from scipy.stats import rankdata

    is_known = np.isfinite(first) & np.isfinite(second)
    if is_known.sum() < MIN_MAP:
        return None
    ranks = [rankdata(of[is_known]) for of in (first, second)]
    centred = [of - of.mean() for of in ranks]
    spread = float(np.sqrt(np.square(centred[0]).sum() * np.square(centred[1]).sum()))
    return round(float((centred[0] * centred[1]).sum()) / spread, 4) + 0.0 if spread else None
