"""Samples converted to log2(TPM + 1) while they are yielded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from escape_score.genes import GeneMapping, GeneMatch
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


Linear = Callable[[FloatArray, npt.NDArray[np.intp]], FloatArray]
"""Brings values, samples first, of rows of the file to linear units."""


@dataclass(frozen=True, eq=False)
class RowMerge:
    """Which rows of the file count for which gene.

    Attributes
    ----------
    rows, starts
        Rows of the file, those of one gene together and in the order of their names; and where those of each
        gene begin. None is without a row.
    records
        For each of ``rows`` a number, the same for rows that are named as one record of the gene.

    Notes
    -----
    Rows of one record with exactly the same value in a sample are copies, as joins, alternate contigs and the
    pseudoautosomal regions make them: they count once. All others are parts of the gene and are added. The
    rule looks at one sample at a time, so that a sample has the same numbers in any company. Records are kept
    apart because genes that were merged later are equal by chance: in 8 of 64 such genes of the 60 tumours of
    the demo cohort, and in 5 % of them in NCBI counts.
    """

    rows: npt.NDArray[np.intp] = field(repr=False)
    starts: npt.NDArray[np.intp] = field(repr=False)
    records: npt.NDArray[np.intp] = field(repr=False)

    @classmethod
    def of(cls, symbols: Sequence[str], mappings: Sequence[GeneMapping]) -> RowMerge:
        """Find the rows of each symbol."""
        return cls._grouped(symbols, [m.gene_symbol for m in mappings], mappings)

    @classmethod
    def of_repeats(cls, mappings: Sequence[GeneMapping]) -> RowMerge:
        """The rows of all genes that have several, and of unknown names that are given several times."""
        owners = [m.gene_symbol or f" {m.given.strip()}" for m in mappings]
        times = Counter(owners)
        return cls._grouped(sorted(owner for owner, n in times.items() if n > 1), owners, mappings)

    @classmethod
    def _grouped(
        cls, chosen: Sequence[str], owners: Sequence[str | None], mappings: Sequence[GeneMapping]
    ) -> RowMerge:
        at = {owner: i for i, owner in enumerate(chosen)}
        pairs = enumerate(zip(owners, mappings, strict=True))
        found = sorted((at[o], record_of(m), m.given, row) for row, (o, m) in pairs if o in at)
        owner_of, rows = (np.array([one[i] for one in found], dtype=np.intp) for i in (0, 3))
        is_new = [before[:2] != one[:2] for before, one in pairwise(found)]
        records = np.cumsum([0, *is_new])[: len(found)]
        return cls(rows, np.searchsorted(owner_of, np.arange(len(chosen))), records)

    @property
    def sizes(self) -> npt.NDArray[np.intp]:
        """Rows of each gene."""
        return np.diff(self.starts, append=len(self.rows))

    def narrowed(self, positions: npt.NDArray[np.intp]) -> RowMerge:
        """The merge of some genes, in their order."""
        sizes = self.sizes[positions]
        starts = np.cumsum([0, *sizes])[:-1]
        kept = np.repeat(self.starts[positions] - starts, sizes) + np.arange(sizes.sum())
        return RowMerge(self.rows[kept], starts, self.records[kept])

    @cached_property
    def _several(self) -> list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
        """Genes with 2, 3, … rows, and where these are in ``rows``, shape (n_genes, 2, 3, …)."""
        sizes = self.sizes
        genes = (np.flatnonzero(sizes == n) for n in np.unique(sizes[sizes > 1]))
        return [(some, self.starts[some][:, None] + np.arange(sizes[some[0]])) for some in genes]

    def sums(self, raw: FloatArray, linear: Linear) -> FloatArray:
        """Sum of each gene's rows, copies and NaN left out; NaN where all of them are.

        ``raw``: shape (n_samples, n_rows of the file); ``linear`` brings values of rows to linear units.
        """
        first = self.rows[self.starts]
        summed = linear(np.take(raw, first, axis=1), first)
        for genes, at in self._several:
            values, rows, is_copy = self._sorted_values(raw, at)
            parts = np.where(is_copy, 0.0, linear(values, rows))
            is_missing = np.isnan(parts)
            total = np.where(is_missing, 0.0, parts).sum(axis=2)
            summed[:, genes] = np.where(is_missing.all(axis=2), np.nan, total)
        return summed

    def copied(self, raw: FloatArray, linear: Linear) -> FloatArray:
        """What copies would add to the total of each sample; shape (n_samples,)."""
        total = np.zeros(len(raw))
        for _, at in self._several:
            values, rows, is_copy = self._sorted_values(raw, at)
            total += row_sums(np.nansum(np.where(is_copy, linear(values, rows), 0.0), axis=2))
        return total

    def _sorted_values(
        self, raw: FloatArray, at: npt.NDArray[np.intp]
    ) -> tuple[FloatArray, npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        """Values of genes by record and size, so that any order has one sum; their rows; which are copies."""
        values = np.take(raw, self.rows[at], axis=1)
        records, rows = (np.broadcast_to(of[at], values.shape) for of in (self.records, self.rows))
        order = np.lexsort((values, records))
        values, rows = np.take_along_axis(values, order, axis=2), np.take_along_axis(rows, order, axis=2)
        is_copy = np.zeros(values.shape, dtype=bool)
        is_copy[:, :, 1:] = values[:, :, 1:] == values[:, :, :-1]
        is_copy[:, :, 1:] &= records[:, :, 1:] == records[:, :, :-1]
        return values, rows, is_copy


SAME_RECORD = frozenset(
    {
        GeneMatch.CURRENT,
        GeneMatch.CASE_CHANGED,
        GeneMatch.REWRITTEN,
        GeneMatch.ENSEMBL,
        GeneMatch.ENSEMBL_RETIRED,
    }
)
"""Names of the gene itself: its symbol in any form, and its Ensembl ids, with those of alternate contigs and
of both pseudoautosomal regions. All other names were records of their own once."""


def record_of(mapping: GeneMapping) -> str:
    """Name of the record that a row is named by: the gene itself, or a name that was merged into it."""
    is_gene = mapping.gene_symbol is not None and mapping.match in SAME_RECORD
    return str(mapping.gene_symbol) if is_gene else mapping.given.strip()


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
    repeats
        Rows of the genes that have several, whichever are yielded: their copies count in no total.
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
    gene_ids: tuple[str, ...] = field(repr=False)
    merge: RowMerge = field(repr=False)
    known_rows: npt.NDArray[np.intp] = field(repr=False)
    repeats: RowMerge = field(repr=False)
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
        usual_kb = np.nanmedian(1.0 / self.per_kb[..., self.merge.rows[self.merge.starts]], axis=-1)
        return np.asarray(np.concatenate(totals) / TPM_TOTAL * usual_kb)

    def _totals(self, raw: FloatArray, samples: slice) -> FloatArray:
        """Total of each sample without copies: reads per kilobase of known rows, or all rows of the file."""
        totals, linear = self.totals[samples], partial(self._linear, samples=samples)
        if self.per_kb is not None:
            totals = row_sums(linear(np.take(raw, self.known_rows, axis=1), self.known_rows))
        return totals - self.repeats.copied(raw, linear)

    def _converted(self, raw: FloatArray, samples: slice) -> FloatArray:
        """Some samples in log2(TPM + 1)."""
        by_symbol = self.merge.sums(raw, partial(self._linear, samples=samples))
        if self.is_rescaled:
            totals = self._totals(raw, samples)
            by_symbol *= (TPM_TOTAL / np.where(totals > 0, totals, 1.0))[:, None]
        # a sample whose values are all the same was not measured, whatever lengths make of it
        is_flat = is_constant(raw[:, self.known_rows[:N_GLANCED]])
        is_flat[is_flat] = is_constant(raw[np.ix_(is_flat, self.known_rows)])
        by_symbol[is_flat] = np.nan
        by_symbol += 1.0
        return np.asarray(np.log2(by_symbol, out=by_symbol))

    def _linear(self, values: FloatArray, rows: npt.NDArray[np.intp], *, samples: slice) -> FloatArray:
        """Values of some rows of the file in linear units, nothing below 0; counts per kilobase."""
        linear = np.maximum(self.to_linear(values), 0.0)
        if self.per_kb is None:
            return linear
        if self.per_kb.ndim == 1:
            return np.asarray(linear * self.per_kb[rows])
        own = self.per_kb[samples]
        at = np.arange(len(own)).reshape(-1, *(1,) * (linear.ndim - 1))
        return np.asarray(linear * own[at, rows])


def row_sums(values: FloatArray) -> FloatArray:
    """Sum of each row, NaN left out: the same to the last bit whatever the number of rows."""
    contiguous = np.ascontiguousarray(values)
    return np.asarray((np.nansum if np.isnan(contiguous).any() else np.sum)(contiguous, axis=1))


def is_constant(values: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether all measured values of a row are the same; True also where none is."""
    lowest, highest = np.fmin.reduce(values, axis=1), np.fmax.reduce(values, axis=1)
    return np.asarray(~(lowest < highest))
