"""The order of floats by their bits, against numpy's stable sort."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from escape_score.errors import MatrixInvalidError
from escape_score.score.kernels.ranks import rank_members
from escape_score.score.methods import SetIndex

ANY_FLOATS = st.one_of(
    hnp.arrays(
        np.float64,
        st.integers(1, 60),
        elements=st.floats(allow_nan=False) | st.sampled_from([0.0, -0.0, 1.0]),
    ),
    hnp.arrays(
        np.float32,
        st.integers(1, 60),
        elements=st.floats(allow_nan=False, width=32) | st.sampled_from([0.0, -0.0, 1.0]),
    ),
)


def every_column(n_columns: int) -> SetIndex:
    return SetIndex(
        indptr=np.array([0, n_columns]),
        columns=np.arange(n_columns, dtype=np.int32),
        n_genes=np.array([n_columns]),
        n_columns=n_columns,
    )


@given(ANY_FLOATS)
def test_rank_members_agrees_with_a_stable_sort(
    sample: npt.NDArray[np.float32] | npt.NDArray[np.float64],
) -> None:
    ranks = rank_members(sample[None, :], every_column(len(sample)), has_positions=True)
    ordered = np.sort(sample)
    np.testing.assert_array_equal(ranks.first[0, :-1], np.searchsorted(ordered, sample, side="left"))
    np.testing.assert_array_equal(ranks.stop[0, :-1], np.searchsorted(ordered, sample, side="right"))
    place = np.empty(len(sample), dtype=np.int64)
    place[np.argsort(sample + 0.0, kind="stable")] = np.arange(len(sample))
    np.testing.assert_array_equal(ranks.position[0, :-1], place)


def test_rank_members_keeps_float64_values_apart_that_float32_would_not() -> None:
    sample = np.array([[1.0, 1.0 + 1e-12, 1.0 - 1e-12]])
    assert rank_members(sample, every_column(3)).first[:, :-1].tolist() == [[1, 2, 0]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rank_members_refuses_nan(dtype: type[np.float32] | type[np.float64]) -> None:
    sample = np.array([[0.0, 1.0, 2.0], [0.1, np.nan, 2.0]])
    block = sample.astype(np.float32) if dtype is np.float32 else sample
    with pytest.raises(MatrixInvalidError, match="missing"):
        rank_members(block, every_column(3))
