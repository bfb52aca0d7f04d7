"""Sources of samples: blocks in order, and some genes only."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from escape_score.errors import MatrixInvalidError
from escape_score.model.cohort import FloatArray, HarmonisedCohort, InMemoryMatrix, iter_blocks, narrowed


def matrix_of(n_samples: int, n_genes: int = 3) -> InMemoryMatrix:
    values = np.arange(n_samples * n_genes, dtype=np.float64).reshape(n_samples, n_genes)
    samples = tuple(f"s{i}" for i in range(n_samples))
    return InMemoryMatrix(samples, tuple(f"g{i}" for i in range(n_genes)), values)


class BreakingMatrix(InMemoryMatrix):
    """A file that cannot be read to its end."""

    def block(self, start: int, stop: int) -> FloatArray:
        """Values up to the fifth sample."""
        if stop > 5:
            msg = "cut off"
            raise OSError(msg)
        return super().block(start, stop)


@given(n_samples=st.integers(0, 12), block_size=st.integers(1, 5))
def test_iter_blocks_hands_out_every_sample_once_in_order(n_samples: int, block_size: int) -> None:
    source = matrix_of(n_samples)
    blocks = list(iter_blocks(source, block_size))
    assert [start for start, _ in blocks] == list(range(0, n_samples, block_size))
    np.testing.assert_array_equal(np.concatenate([np.empty((0, 3)), *(b for _, b in blocks)]), source.values)


def test_iter_blocks_raises_what_reading_ahead_met_at_its_block() -> None:
    seen = []
    whole = matrix_of(9)
    with pytest.raises(OSError, match="cut off"):  # noqa: PT012
        for start, _ in iter_blocks(BreakingMatrix(whole.sample_ids, whole.gene_ids, whole.values), 2):
            seen.append(start)
    assert seen == [0, 2]


@given(chosen=st.permutations(["g0", "g1", "g2"]), n=st.integers(0, 3))
def test_narrowed_keeps_some_genes_in_the_order_given(chosen: list[str], n: int) -> None:
    source = matrix_of(4)
    some = narrowed(source, chosen[:n])
    assert (some.sample_ids, some.gene_ids) == (source.sample_ids, tuple(chosen[:n]))
    expected = source.values[1:3, [int(gene[1:]) for gene in chosen[:n]]]
    np.testing.assert_array_equal(some.block(1, 3), expected)


def test_harmonised_cohort_refuses_reads_of_other_samples(demo_harmonised: HarmonisedCohort) -> None:
    assert demo_harmonised.reads_per_tpm is not None
    with pytest.raises(MatrixInvalidError, match="reads per TPM"):
        dataclasses.replace(demo_harmonised, reads_per_tpm=demo_harmonised.reads_per_tpm[1:])
