"""The methods as their papers define them, gene by gene and as slow as that is."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
from scipy import stats

from escape_score.model.cohort import FloatArray
from escape_score.score.methods import SetIndex

OneScore = Callable[[FloatArray, list[int], int], float]


def members_of(sets: SetIndex) -> list[list[int]]:
    return [list(map(int, part)) for part in np.split(sets.columns, sets.indptr[1:-1])]


def scores(values: FloatArray, sets: SetIndex, one: OneScore) -> FloatArray:
    """``one(sample, members, full_size)`` for all samples and sets."""
    sized = list(zip(members_of(sets), map(int, sets.n_genes), strict=True))
    return np.array([[one(sample, members, size) for members, size in sized] for sample in values])


def ssgsea(sample: FloatArray, members: list[int], _: int) -> float:
    """The walk itself; equal values are met together, each at its mean place."""
    n, ranks = len(sample), stats.rankdata(sample)
    weight = {g: ranks[g] ** 0.25 for g in members}
    total, score = sum(weight.values()), 0.0
    for gene in range(n):
        # A step at mean place R is part of the running sum at R of the n places.
        step = weight[gene] / total if gene in weight else -1.0 / (n - len(members))
        score += step * ranks[gene]
    return score


def singscore(sample: FloatArray, members: list[int], _: int) -> float:
    n, k = len(sample), len(members)
    mean = float(np.mean(stats.rankdata(sample, method="min")[members]))
    least, greatest = (k + 1) / 2, (2 * n - k + 1) / 2
    return (mean - least) / (greatest - least) - 0.5


def mean_rank(sample: FloatArray, members: list[int], _: int) -> float:
    """Pairs of a member and another gene: won, or half won where equal."""
    inside = sample[members]
    outside = np.delete(sample, members)
    wins = (inside[:, None] > outside).sum() + 0.5 * (inside[:, None] == outside).sum()
    return float(wins) / (len(inside) * len(outside))


def ucell(sample: FloatArray, members: list[int], size: int, *, max_rank: int = 1500) -> float:
    ranks = np.minimum(stats.rankdata(-sample), max_rank)[members]
    least = size * (size + 1) / 2
    total = ranks.sum() + (size - len(members)) * max_rank
    return float(1 - (total - least) / (size * max_rank - least))


def aucell(sample: FloatArray, members: list[int], _: int) -> float:
    """The area in the mean over orders of equal values: place by place, each place shared by its equals."""
    n_top = math.ceil(0.05 * len(sample))
    falling = np.sort(sample)[::-1]
    area = 0.0
    for gene in members:
        places = np.flatnonzero(falling == sample[gene]) + 1
        area += float(np.mean(np.maximum(n_top - places, 0)))
    return area / sum(n_top - j for j in range(1, min(len(members), n_top - 1) + 1))


def zscore(values: FloatArray, sets: SetIndex) -> FloatArray:
    sd: FloatArray = np.std(values, axis=0, ddof=1)
    is_varying = sd > 0
    z = (values - values.mean(axis=0)) / np.where(is_varying, sd, 1.0)
    columns = [[g for g in members if is_varying[g]] for members in members_of(sets)]
    return np.column_stack([z[:, kept].sum(axis=1) / math.sqrt(len(kept)) for kept in columns])


def normal_cdf(values: FloatArray) -> FloatArray:
    """Exact Gaussian kernel estimate of each column at its own values."""
    bandwidth = values.std(axis=0, ddof=1) / 4
    distance = (values[:, None, :] - values[None, :, :]) / bandwidth
    estimate: FloatArray = np.mean(stats.norm.cdf(distance), axis=1)
    return estimate


def poisson_cdf(values: FloatArray) -> FloatArray:
    """Exact Poisson kernel estimate of each column at its own values."""
    every = stats.poisson.cdf(values[:, None, :], values[None, :, :] + 0.5)
    estimate: FloatArray = np.mean(every, axis=1)
    return estimate


def gsva_walk(estimate: FloatArray, members: list[int]) -> float:
    """The sum of both extremes of the walk; runs of equal estimates are one stretch of it."""
    n = len(estimate)
    order = np.argsort(-estimate, kind="stable")
    steps = np.abs(np.arange(n, 0, -1) - n / 2)
    edges = [0, *(i for i in range(1, n) if estimate[order[i]] != estimate[order[i - 1]]), n]
    inside, runs = set(members), []
    for start, stop in itertools.pairwise(edges):
        hits = sum(gene in inside for gene in order[start:stop])
        runs.append((hits, stop - start - hits, steps[start:stop].mean()))
    total = sum(hits * step for hits, _, step in runs)
    heights = np.cumsum([hits * step / total - misses / (n - len(members)) for hits, misses, step in runs])
    return float(max(heights.max(), 0) + min(heights.min(), 0))
