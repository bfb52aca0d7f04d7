"""Walk down the genes of each sample and keep the extremes of all sets at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from escape_score.model.cohort import FloatArray
from escape_score.score.kernels.jit import inner, kernel
from escape_score.score.kernels.radix import N_DIGITS_64, RADIX, radix_order
from escape_score.score.kernels.ranks import TIES_GSEAPY, TIES_MID
from escape_score.score.kernels.values import ColumnArray, IntArray

DIFFERENCE, ABSOLUTE_DIFFERENCE, LARGEST = 0, 1, 2


@inner
def _list_members(
    keys: npt.NDArray[np.uint64],
    order: ColumnArray,
    steps: FloatArray,
    ties: int,
    columns: ColumnArray,
    start: ColumnArray,
    stop: ColumnArray,
    step: FloatArray,
) -> int:
    """Members in the order of the walk: column, run of equal values, size of the step; returns how many.

    A run is one gene unless ``ties`` is mid, where equal values are met together.
    """
    n, n_found, here = keys.size, 0, 0
    while here < n:
        end = here + 1
        while end < n and keys[end] == keys[here]:
            end += 1
        mean = 0.0
        if ties == TIES_MID:
            for place in range(here, end):
                mean += steps[place]
            mean /= end - here
        for place in range(here, end):
            source = here + end - 1 - place if ties == TIES_GSEAPY else place
            column = order[source]
            if column >= 0:
                columns[n_found] = column
                start[n_found] = here if ties == TIES_MID else place
                stop[n_found] = end if ties == TIES_MID else place + 1
                step[n_found] = mean if ties == TIES_MID else steps[place]
                n_found += 1
        here = end
    return n_found


@inner
def _note(state: FloatArray, s: int, place: int, n_misses: int) -> None:
    """Note the height of the walk of a set before ``place``."""
    height = state[1, s] - (place - state[2, s]) / max(n_misses, 1)
    state[3, s] = min(state[3, s], height)
    state[4, s] = max(state[4, s], height)


@inner
def _walk(
    n_columns: int,
    columns: ColumnArray,
    start: ColumnArray,
    stop: ColumnArray,
    step: FloatArray,
    set_indptr: IntArray,
    set_of: ColumnArray,
    n_members: IntArray,
    state: FloatArray,
) -> None:
    """Fill ``state``, rows: sum of steps, height of hits, hits, lowest, highest, start of the last run."""
    state[:] = 0.0
    state[5] = -1.0
    for i in range(columns.size):
        for j in range(set_indptr[columns[i]], set_indptr[columns[i] + 1]):
            state[0, set_of[j]] += step[i]
    here = 0
    while here < columns.size:
        end = here + 1
        while end < columns.size and start[end] == start[here]:
            end += 1
        for i in range(here, end):
            for j in range(set_indptr[columns[i]], set_indptr[columns[i] + 1]):
                s = set_of[j]
                if state[5, s] != start[here]:
                    state[5, s] = start[here]
                    _note(state, s, start[here], n_columns - n_members[s])
                state[1, s] += step[i] / state[0, s] if state[0, s] > 0.0 else 0.0
                state[2, s] += 1.0
        for i in range(here, end):
            for j in range(set_indptr[columns[i]], set_indptr[columns[i] + 1]):
                _note(state, set_of[j], stop[here], n_columns - n_members[set_of[j]])
        here = end


@kernel("uint64[2], int64[1], int32[1], int64[1], int32[1], float64[1], int64, int64")
def walk_rows(
    bits: npt.NDArray[np.uint64],
    set_indptr: IntArray,
    set_of: ColumnArray,
    n_members: IntArray,
    labels: ColumnArray,
    steps: FloatArray,
    ties: int,
    summary: int,
) -> FloatArray:
    """Enrichment of all sets in each row.

    ``bits``: of minus F, so that the walk starts at the highest; ``labels``: the column of a member of any
    set, −1 for others.
    """
    n_rows, n_columns = bits.shape
    keys, order = np.empty((2, n_columns), dtype=np.uint64), np.empty((2, n_columns), dtype=np.int32)
    counts = np.empty((N_DIGITS_64, RADIX), dtype=np.int32)
    columns, start = np.empty(n_columns, dtype=np.int32), np.empty(n_columns, dtype=np.int32)
    stop, step = np.empty(n_columns, dtype=np.int32), np.empty(n_columns)
    state = np.empty((6, n_members.size))
    scores = np.full((n_rows, n_members.size), np.nan)
    for row in range(n_rows):
        side = max(radix_order(bits[row], labels, keys, order, counts), 0)
        n_found = _list_members(keys[side], order[side], steps, ties, columns, start, stop, step)
        _walk(n_columns, columns[:n_found], start, stop, step, set_indptr, set_of, n_members, state)
        for s in range(n_members.size):
            if n_members[s] in (0, n_columns):
                continue
            lowest, highest = state[3, s], state[4, s]
            scores[row, s] = highest + lowest
            if summary == ABSOLUTE_DIFFERENCE:
                scores[row, s] = highest - lowest
            elif summary == LARGEST:
                scores[row, s] = highest if highest > -lowest else lowest
    return scores
