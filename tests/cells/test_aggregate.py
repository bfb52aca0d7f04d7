"""Sums by group and kept genes, against numpy on dense counts."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from escape_score.cells.aggregate import Aggregate, aggregate_cells

N_GENES = 40


def counts_of(n_cells: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).poisson(0.4, (n_cells, N_GENES)).astype(np.float32)


def aggregated(
    dense: np.ndarray, groups: np.ndarray, wanted: list[int], cuts: tuple[int, ...] = ()
) -> Aggregate:
    bounds = [0, *sorted(cuts), len(dense)]
    blocks = ((sp.csr_array(dense[start:stop]), groups[start:stop]) for start, stop in pairwise(bounds))
    return aggregate_cells(blocks, n_groups=3, n_genes=N_GENES, wanted=wanted)


@settings(max_examples=25, deadline=None)
@given(n_cells=st.integers(0, 30), seed=st.integers(0, 99), cut=st.integers(0, 30))
def test_aggregate_is_what_dense_sums_give_whatever_the_blocks(n_cells: int, seed: int, cut: int) -> None:
    dense, groups = counts_of(n_cells, seed), np.arange(n_cells, dtype=np.int32) % 3
    wanted = [7, 3, 39]
    found = aggregated(dense, groups, wanted, cuts=(min(cut, n_cells),))
    expected = np.array([dense[groups == group].sum(axis=0, dtype=float) for group in range(3)])
    np.testing.assert_array_equal(found.sums, expected.reshape(3, N_GENES))
    np.testing.assert_array_equal(found.selected.toarray(), dense[:, wanted])
    np.testing.assert_array_equal(found.n_umi, dense.sum(axis=1))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int64, np.float64])
def test_aggregate_takes_counts_of_any_type(dtype: type) -> None:
    dense, groups = counts_of(9, 1), np.zeros(9, dtype=np.int32)
    blocks = [(sp.csr_array(dense.astype(dtype)), groups)]
    found = aggregate_cells(blocks, n_groups=1, n_genes=N_GENES, wanted=[0])
    np.testing.assert_array_equal(found.sums[0], dense.sum(axis=0, dtype=float))


def test_order_of_cells_does_not_change_a_bit() -> None:
    dense, groups = counts_of(200, 2), (np.arange(200) % 3).astype(np.int32)
    turned = np.random.default_rng(3).permutation(200)
    first, second = (aggregated(dense[o], groups[o], [1, 2]) for o in (np.arange(200), turned))
    np.testing.assert_array_equal(first.sums, second.sums)
    np.testing.assert_array_equal(first.selected.toarray()[turned], second.selected.toarray())
