"""Groups of a cohort that differ as two pipelines do, by the anchor genes of its samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from escape_score.model.cohort import FloatArray, SampleRecord, sheet_columns
from escape_score.model.thresholds import AutoLimits

N_NAMED = 3
"""Samples of a group that are named."""

N_DIRECTIONS = 4
"""Principal components along which groups are looked for."""

MAX_ROUNDS = 5
CLIP_LOG2 = 3.0
"""Differences beyond this count as this much, so that no single gene makes a group."""

DIFFERENCE_LOG2 = 2.0
"""A larger difference of the groups in a gene counts as this much."""

MIN_SHARE = 0.95
"""A column of the sheet names the groups where it puts this share of the samples right."""

IsFirst = npt.NDArray[np.bool_]
"""Which samples belong to the first of two groups."""


@dataclass(frozen=True)
class Batches:
    """Two groups of samples, and how far they are apart.

    Attributes
    ----------
    gap
        Distance of both means along the difference of the groups, in SD inside a group.
    """

    is_first: IsFirst = field(repr=False)
    gap: float

    def params(self, samples: Sequence[SampleRecord]) -> dict[str, int | str | tuple[str, ...]]:
        """Size and first samples of both groups, and the column of the sheet that separates them, if any."""
        named: dict[str, int | str | tuple[str, ...]] = {}
        for name, is_member in (("first", self.is_first), ("second", ~self.is_first)):
            ids = [sample.sample_id for sample, yes in zip(samples, is_member, strict=True) if yes]
            named |= {f"n_{name}": len(ids), name: tuple(ids[:N_NAMED])}
        return named | {"column": _separating_column(samples, self.is_first) or ""}


def find_batches(log2_tpm: FloatArray, limits: AutoLimits) -> Batches | None:
    """Look for two groups that differ in many genes at once.

    Parameters
    ----------
    log2_tpm
        Anchor genes of samples on one scale, shape (n_samples, n_genes). Genes with a gap are not used.

    Returns
    -------
    Batches or None
        None where no two groups are ``batch_gap`` apart, or too few genes or samples are given. Anchors vary
        little among tumours, and a pipeline shifts each of them by a fixed amount: groups of tissue differ
        along few genes and overlap, those of two pipelines do not.
    """
    values = log2_tpm[:, ~np.isnan(log2_tpm).any(axis=0)]
    if values.shape[1] < limits.batch_anchors or len(values) < 2 * limits.batch_samples:
        return None
    groups = (_refined(values, first, limits) for first in _splits(values, limits))
    found = max(((_gap(values, first), first) for first in groups), key=lambda one: one[0], default=None)
    return None if found is None or found[0] < limits.batch_gap else Batches(found[1], found[0])


def _smallest(n_samples: int, limits: AutoLimits) -> int:
    return max(limits.batch_samples, int(np.ceil(limits.batch_fraction * n_samples)))


def _splits(values: FloatArray, limits: AutoLimits) -> Iterator[IsFirst]:
    """Best split of the samples along each of the first principal components (Otsu's criterion)."""
    centred = np.clip(values - np.median(values, axis=0), -CLIP_LOG2, CLIP_LOG2)
    centred -= centred.mean(axis=0)
    _, vectors = np.linalg.eigh(centred @ centred.T)
    smallest, n = _smallest(len(values), limits), len(values)
    for place in vectors.T[::-1][:N_DIRECTIONS]:
        order = np.argsort(place, kind="stable")
        sums, sizes = np.cumsum(place[order]), np.arange(1, n + 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            between = sums**2 / sizes + (sums[-1] - sums) ** 2 / (n - sizes)
        size = smallest + int(np.argmax(between[smallest - 1 : n - smallest]))
        yield np.isin(np.arange(n), order[:size])


def _refined(values: FloatArray, is_first: IsFirst, limits: AutoLimits) -> IsFirst:
    """Move every sample to the group whose medians it is nearer to."""
    smallest = _smallest(len(values), limits)
    for _ in range(MAX_ROUNDS):
        nearer = _distance(values, is_first) < _distance(values, ~is_first)
        if min(nearer.sum(), (~nearer).sum()) < smallest or np.array_equal(nearer, is_first):
            break
        is_first = nearer
    return is_first


def _distance(values: FloatArray, group: IsFirst) -> FloatArray:
    """Median absolute deviation of samples from the medians of a group."""
    left = values - np.median(values[group], axis=0)
    return np.asarray(np.median(np.abs(left - np.median(left, axis=1, keepdims=True)), axis=1))


def _gap(values: FloatArray, is_first: IsFirst) -> float:
    """How far two groups are apart along the difference of their means, in SD inside a group.

    Each sample is placed between the means without itself, else a group of few samples would be far from the
    others by its own noise alone.
    """
    first, second = _means_of_others(values, is_first), _means_of_others(values, ~is_first)
    difference = np.clip(first - second, -DIFFERENCE_LOG2, DIFFERENCE_LOG2)
    middle = (first + second) / 2
    place = ((values - middle) * difference).sum(axis=1) / (difference**2).sum(axis=1)
    one, other = place[is_first], place[~is_first]
    spread = np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2)
    return float((one.mean() - other.mean()) / spread) if spread > 0 else 0.0


def _means_of_others(values: FloatArray, group: IsFirst) -> FloatArray:
    """For every sample the mean of a group without that sample."""
    total, n = values[group].sum(axis=0), group.sum()
    means = np.broadcast_to(total / n, values.shape).copy()
    means[group] = (total - values[group]) / (n - 1)
    return means


def _separating_column(samples: Sequence[SampleRecord], is_first: IsFirst) -> str | None:
    """The column of the sheet whose values put samples into the groups; None where none does."""
    for name, values in sheet_columns(samples).items():
        cells = np.array([str(value) for value in values])
        kinds = np.unique(cells)
        if 1 < len(kinds) <= len(cells) // 2:
            right = sum(max(is_first[cells == k].sum(), (~is_first[cells == k]).sum()) for k in kinds)
            if right >= MIN_SHARE * len(cells):
                return name
    return None
