"""What every method takes and gives: gene sets laid over columns, policies, and scores with coverage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from escape_score.errors import GeneSetInvalidError, MatrixInvalidError, UsageError
from escape_score.model.cohort import FloatArray
from escape_score.model.signature import Signature

DenseValues = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Values = DenseValues | sp.csr_array | sp.csr_matrix
IntArray = npt.NDArray[np.int64]
ColumnArray = npt.NDArray[np.int32]
Result = TypeVar("Result")

BLOCK_SIZE = 128
"""Samples a block: 10 MB of 20,000 genes in float32, and enough of them for a second thread."""
CONSTANT_SD = 1e-10
"""Genes with a smaller standard deviation count as constant, as in R GSVA 1.46."""
MIN_SAMPLES = 2


@dataclass(frozen=True)
class MethodScores:
    """Scores of one method.

    Attributes
    ----------
    values
        Shape (n_samples, n_sets), float64; NaN where ``coverage`` is below the least allowed, and for a set
        that holds every gene ranked.
    coverage
        Shape (n_sets,), 0–1: fraction of a set's genes that the score uses.
    """

    values: FloatArray = field(repr=False)
    coverage: FloatArray = field(repr=False)


@dataclass(frozen=True)
class SetIndex:
    """Gene sets laid over the columns of a matrix, in compressed rows.

    Parameters
    ----------
    indptr
        Shape (n_sets + 1,), int64: set ``s`` has the columns ``columns[indptr[s]:indptr[s + 1]]``.
    columns
        Columns of the matrix, int32, none twice in a set. Sums run in this order: where it is the order of
        the gene set, rank scores are independent of the order of genes in the matrix to the last bit.
    n_genes
        Shape (n_sets,): genes of each set, measured or not.
    n_columns
        Columns of the matrix.

    Raises
    ------
    GeneSetInvalidError
        The arrays do not fit each other.
    """

    indptr: IntArray = field(repr=False)
    columns: ColumnArray = field(repr=False)
    n_genes: IntArray = field(repr=False)
    n_columns: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "indptr", np.ascontiguousarray(self.indptr, dtype=np.int64))
        object.__setattr__(self, "columns", np.ascontiguousarray(self.columns, dtype=np.int32))
        object.__setattr__(self, "n_genes", np.ascontiguousarray(self.n_genes, dtype=np.int64))
        if not self._is_sound():
            msg = "gene sets: members, sizes and columns do not fit each other; build them with SetIndex.of"
            raise GeneSetInvalidError(msg)

    @classmethod
    def of(cls, signatures: Sequence[Signature], gene_symbols: Sequence[str]) -> SetIndex:
        """Lay signatures over the genes of a matrix.

        Parameters
        ----------
        signatures
            Sets to score.
        gene_symbols
            Names of the columns, unique.
        """
        column_of = {symbol: column for column, symbol in enumerate(gene_symbols)}
        members = [
            [column_of[symbol] for symbol in signature.gene_symbols if symbol in column_of]
            for signature in signatures
        ]
        return cls(
            indptr=np.cumsum([0, *map(len, members)], dtype=np.int64),
            columns=np.array([column for columns in members for column in columns], dtype=np.int32),
            n_genes=np.array([len(signature.gene_symbols) for signature in signatures], dtype=np.int64),
            n_columns=len(gene_symbols),
        )

    @property
    def n_sets(self) -> int:
        """Sets."""
        return len(self.n_genes)

    @cached_property
    def n_members(self) -> IntArray:
        """Members of each set among the columns."""
        return np.diff(self.indptr)

    @cached_property
    def coverage(self) -> FloatArray:
        """Fraction of each set's genes among the columns."""
        return self.n_members / np.maximum(self.n_genes, 1)

    @cached_property
    def members(self) -> ColumnArray:
        """Columns that are in any set, ascending."""
        return np.unique(self.columns)

    @cached_property
    def member_of_column(self) -> ColumnArray:
        """Position in ``members`` of each column, −1 for a column that is in no set."""
        positions = np.full(self.n_columns, -1, dtype=np.int32)
        positions[self.members] = np.arange(len(self.members), dtype=np.int32)
        return positions

    @cached_property
    def labels(self) -> ColumnArray:
        """``member_of_column`` with the number of members, instead of −1, for columns in no set."""
        members = self.member_of_column
        return np.where(members < 0, len(self.members), members).astype(np.int32)

    @cached_property
    def local(self) -> ColumnArray:
        """``columns`` as positions in ``members``."""
        return self.member_of_column[self.columns]

    @cached_property
    def by_column(self) -> tuple[IntArray, ColumnArray]:
        """The other way round, in compressed rows: for each column, the sets it is in."""
        ones = np.ones(len(self.columns), dtype=np.int8)
        shape = (self.n_sets, self.n_columns)
        turned = sp.csr_array((ones, self.columns, self.indptr), shape=shape).T.tocsr()
        return turned.indptr.astype(np.int64), turned.indices.astype(np.int32)

    def kept(self, is_kept: npt.NDArray[np.bool_]) -> SetIndex:
        """The sets over a matrix from which columns were dropped."""
        position = np.cumsum(is_kept) - 1
        stays = is_kept[self.columns]
        before = np.concatenate([[0], np.cumsum(stays)])
        return SetIndex(
            indptr=before[self.indptr],
            columns=position[self.columns[stays]].astype(np.int32),
            n_genes=self.n_genes,
            n_columns=int(is_kept.sum()),
        )

    def _is_sound(self) -> bool:
        """Whether the arrays agree."""
        if self.indptr.shape != (self.n_sets + 1,) or self.indptr[0] != 0:
            return False
        if self.indptr[-1] != len(self.columns) or (self.n_members < 0).any():
            return False
        if len(self.columns) and not 0 <= self.columns.min() <= self.columns.max() < self.n_columns:
            return False
        set_of = np.repeat(np.arange(self.n_sets), self.n_members)
        pairs = set_of * np.int64(max(self.n_columns, 1)) + self.columns
        return len(np.unique(pairs)) == len(pairs) and bool((self.n_members <= self.n_genes).all())


def checked_values(values: Values, sets: SetIndex) -> Values:
    """Refuse values that no kernel takes.

    Raises
    ------
    MatrixInvalidError
        Not two-dimensional, not float32 or float64, or as many columns as the sets were not laid over.
    """
    if values.ndim != 2 or values.dtype not in (np.float32, np.float64):  # noqa: PLR2004
        msg = (
            f"matrix: values have {values.ndim} dimensions of {values.dtype}; "
            "give samples × genes of float32 or float64"
        )
        raise MatrixInvalidError(msg)
    if values.shape[1] != sets.n_columns:
        given, laid_over = values.shape[1], sets.n_columns
        msg = f"matrix: {given} genes, but gene sets were laid over {laid_over}; use one matrix"
        raise MatrixInvalidError(msg)
    return values


def require_fraction(min_coverage: float) -> None:
    """Refuse a least coverage that is not in (0, 1]."""
    if not 0 < min_coverage <= 1:
        msg = f"min_coverage is {min_coverage}; give a fraction above 0, at most 1"
        raise UsageError(msg)


def covered(values: FloatArray, sets: SetIndex, *, min_coverage: float) -> MethodScores:
    """Blank the scores of sets of which too little is measured."""
    require_fraction(min_coverage)
    values[:, sets.coverage < min_coverage] = np.nan
    return MethodScores(values=values, coverage=sets.coverage)


def map_blocks(
    function: Callable[[int, int], Result], n_rows: int, *, threads: int, block_size: int = BLOCK_SIZE
) -> list[Result]:
    """Call ``function(start, stop)`` for all blocks of rows and return what it gave, in order.

    Raises UsageError: ``threads`` is below 1.
    """
    if threads < 1:
        msg = f"threads is {threads}; give at least 1"
        raise UsageError(msg)
    bounds = [(start, min(start + block_size, n_rows)) for start in range(0, n_rows, block_size)]
    if threads == 1 or len(bounds) < 2:  # noqa: PLR2004
        return [function(start, stop) for start, stop in bounds]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda bound: function(*bound), bounds))


def dense_block(values: Values, start: int, stop: int) -> DenseValues:
    """Rows ``start`` to ``stop``, dense and in C order."""
    block = values[start:stop]
    return np.ascontiguousarray(block.toarray() if sp.issparse(block) else block)


def mean_and_sd(
    values: Values, columns: npt.NDArray[np.int32] | None = None, *, threads: int = 1
) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation (n − 1) of genes across samples, block by block.

    Parameters
    ----------
    values
        Shape (n_samples, n_genes), at least 2 samples.
    columns
        Genes to look at; all of them if None.

    Raises
    ------
    MatrixInvalidError
        Fewer than 2 samples, or a value that is not finite.
    """
    n_samples = values.shape[0]
    if n_samples < MIN_SAMPLES:
        msg = f"matrix: {n_samples} samples, but this method compares samples; give at least {MIN_SAMPLES}"
        raise MatrixInvalidError(msg)
    origin = wide_block(values, 0, 1, columns)[0]

    def sums(start: int, stop: int) -> tuple[FloatArray, FloatArray]:
        shifted = wide_block(values, start, stop, columns) - origin
        return shifted.sum(axis=0), np.square(shifted).sum(axis=0)

    parts = map_blocks(sums, n_samples, threads=threads)
    first = np.sum([part[0] for part in parts], axis=0)
    second = np.sum([part[1] for part in parts], axis=0)
    variance = (second - np.square(first) / n_samples) / (n_samples - 1)
    return origin + first / n_samples, np.sqrt(np.maximum(variance, 0.0))


def wide_block(
    values: Values, start: int, stop: int, columns: npt.NDArray[np.int32] | None = None
) -> FloatArray:
    """Give some samples and genes as float64; MatrixInvalidError: a value is NaN or infinite."""
    block = dense_block(values, start, stop)
    if columns is not None:
        block = block[:, columns]
    if not np.isfinite(block).all():
        msg = "matrix: a value is missing or infinite; leave out genes that are not measured in every sample"
        raise MatrixInvalidError(msg)
    return block.astype(np.float64, copy=False)
