"""Samples converted to log2(TPM + 1) while they are yielded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from escape_score.genes import GeneMapping
from escape_score.model.cohort import ROWS_AT_ONCE, FloatArray, MatrixSource, iter_blocks
from escape_score.model.units import ExpressionUnit

TPM_TOTAL = 1e6
BASES_PER_KB = 1000.0

N_GLANCED = 256
"""Genes that mostly suffice to see that a sample is not constant."""

TO_LINEAR: Mapping[ExpressionUnit, Callable[[FloatArray], FloatArray]] = {
    ExpressionUnit.LOG2_PLUS_1: lambda x: np.exp2(x) - 1.0,
    ExpressionUnit.LOG2_PLUS_0001: lambda x: np.exp2(x) - 0.001,
    ExpressionUnit.LN_PLUS_1: np.expm1,
}


@dataclass(frozen=True, eq=False)
class RowMerge:
    """Which rows of the file count for which symbol.

    Attributes
    ----------
    rows, starts
        Rows of the file, those of one symbol together and in the order of their names, so that their sum does
        not depend on the order of the file; and where those of each symbol begin. None is without a row.
    """

    rows: npt.NDArray[np.intp] = field(repr=False)
    starts: npt.NDArray[np.intp] = field(repr=False)

    @classmethod
    def of(cls, symbols: Sequence[str], mappings: Sequence[GeneMapping]) -> RowMerge:
        """Find the rows of each symbol."""
        at = {symbol: i for i, symbol in enumerate(symbols)}
        pairs = sorted(
            (at[m.gene_symbol], m.given, row) for row, m in enumerate(mappings) if m.gene_symbol in at
        )
        owners, rows = (np.array([pair[i] for pair in pairs], dtype=np.intp) for i in (0, 2))
        return cls(rows, np.searchsorted(owners, np.arange(len(symbols))))

    @property
    def sizes(self) -> npt.NDArray[np.intp]:
        """Rows of each symbol."""
        return np.diff(self.starts, append=len(self.rows))

    def narrowed(self, positions: npt.NDArray[np.intp]) -> RowMerge:
        """The merge of some symbols, in their order."""
        sizes = self.sizes
        rows = [self.rows[self.starts[i] : self.starts[i] + sizes[i]] for i in positions]
        starts = np.cumsum([0, *(len(of_symbol) for of_symbol in rows)])[:-1]
        return RowMerge(np.concatenate([np.empty(0, dtype=np.intp), *rows]), starts)

    @cached_property
    def _layers(self) -> list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
        """Symbols with a first, second, third … row, and that row of each."""
        sizes = self.sizes
        layers = (np.flatnonzero(sizes > k) for k in range(int(sizes.max(initial=0))))
        return [(symbols, self.rows[self.starts[symbols] + k]) for k, symbols in enumerate(layers)]

    def sums(self, linear_of: Callable[[npt.NDArray[np.intp]], FloatArray]) -> FloatArray:
        """Sum of each symbol's rows, NaN left out; NaN where all of them are.

        ``linear_of`` gives the values of rows of the file, shape (n_samples, n_rows).
        """
        (_, first), *others = self._layers or [(self.starts, self.rows)]
        summed = linear_of(first)
        for symbols, rows in others:
            more, before = linear_of(rows), summed[:, symbols]
            both = np.where(np.isnan(more), before, before + more)
            summed[:, symbols] = np.where(np.isnan(before), more, both)
        return summed


@dataclass(frozen=True, eq=False)
class HarmonisedSource:
    """Blocks of a matrix, converted while they are yielded.

    Attributes
    ----------
    gene_ids
        Approved symbols; sorted where it holds all, so that the order of rows in the file changes nothing.
    merge
        Rows of each symbol.
    known_rows
        Rows of the file that count for any symbol, whichever are yielded, in the order of symbols.
    per_kb
        Of counts, 1 / length in kilobases of every row of the file, NaN where unknown: shape (n_rows,), or
        (n_samples, n_rows) where every sample has its own; None for other units. Kilobases, so that a panel,
        which is never rescaled, does not end at fractions of a read per base.
    totals
        Shape (n_samples,): sum of all rows of the file, known genes or not, in linear units; used where there
        are no lengths.
    is_rescaled
        Whether every sample is brought to a total of one million.
    """

    source: MatrixSource
    gene_ids: tuple[str, ...]
    merge: RowMerge = field(repr=False)
    known_rows: npt.NDArray[np.intp] = field(repr=False)
    to_linear: Callable[[FloatArray], FloatArray]
    per_kb: FloatArray | None = field(repr=False)
    totals: FloatArray = field(repr=False)
    is_rescaled: bool

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Sample ids, in order."""
        return self.source.sample_ids

    def narrowed(self, gene_ids: Sequence[str]) -> HarmonisedSource:
        """The same values of some genes only; nothing is computed for the others but their total."""
        at = {symbol: i for i, symbol in enumerate(self.gene_ids)}
        positions = np.array([at[gene_id] for gene_id in gene_ids], dtype=np.intp)
        return replace(self, gene_ids=tuple(gene_ids), merge=self.merge.narrowed(positions))

    def block(self, start: int, stop: int) -> FloatArray:
        """log2(TPM + 1) of samples ``start`` to ``stop``; NaN where not measured."""
        raw = self.source.block(start, stop)
        result = np.empty((len(raw), len(self.gene_ids)))
        for row in range(0, len(raw), ROWS_AT_ONCE):
            some = raw[row : row + ROWS_AT_ONCE]
            samples = slice(start + row, start + row + len(some))
            result[row : row + len(some)] = self._converted(some, samples)
        return result

    def reads_per_tpm(self) -> FloatArray:
        """Reads behind one TPM of a gene of usual length, for counts; shape (n_samples,)."""
        if self.per_kb is None:
            return np.full(len(self.sample_ids), np.nan)
        totals = [
            self._totals(raw, slice(start, start + len(raw)))
            for start, raw in iter_blocks(self.source, ROWS_AT_ONCE)
        ]
        usual_kb = np.median(1.0 / self.per_kb[..., self.merge.rows[self.merge.starts]], axis=-1)
        return np.asarray(np.concatenate(totals) / TPM_TOTAL * usual_kb)

    def _totals(self, raw: FloatArray, samples: slice) -> FloatArray:
        """Sum of each sample before it is rescaled."""
        if self.per_kb is None:
            return self.totals[samples]
        return row_sums(self._linear(raw, self.known_rows, samples))

    def _converted(self, raw: FloatArray, samples: slice) -> FloatArray:
        """Some samples in log2(TPM + 1)."""
        by_symbol = self.merge.sums(lambda rows: self._linear(raw, rows, samples))
        if self.is_rescaled:
            totals = self._totals(raw, samples)
            by_symbol *= (TPM_TOTAL / np.where(totals > 0, totals, 1.0))[:, None]
        # a sample whose values are all the same was not measured, whatever lengths make of it
        is_flat = is_constant(raw[:, self.known_rows[:N_GLANCED]])
        is_flat[is_flat] = is_constant(raw[np.ix_(is_flat, self.known_rows)])
        by_symbol[is_flat] = np.nan
        by_symbol += 1.0
        return np.asarray(np.log2(by_symbol, out=by_symbol))

    def _linear(self, raw: FloatArray, rows: npt.NDArray[np.intp], samples: slice) -> FloatArray:
        """Some rows of the file in linear units, nothing below 0; counts per kilobase."""
        linear = np.maximum(self.to_linear(np.take(raw, rows, axis=1)), 0.0)
        if self.per_kb is not None:
            linear *= (self.per_kb if self.per_kb.ndim == 1 else self.per_kb[samples])[..., rows]
        return linear


def row_sums(values: FloatArray) -> FloatArray:
    """Sum of each row, NaN left out: the same to the last bit whatever the number of rows."""
    contiguous = np.ascontiguousarray(values)
    return np.asarray((np.nansum if np.isnan(contiguous).any() else np.sum)(contiguous, axis=1))


def is_constant(values: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether all measured values of a row are the same; True also where none is."""
    lowest, highest = np.fmin.reduce(values, axis=1), np.fmax.reduce(values, axis=1)
    return np.asarray(~(lowest < highest))
