"""Values of cells: genes by approved symbol, what kind of numbers they are, and which cells pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from escape_score.config.models import CellsConfig
from escape_score.errors import MatrixInvalidError, counted
from escape_score.genes import GeneMapping, GeneMatch, load_gene_table
from escape_score.library.axes import load_design
from escape_score.model.cells import GateCounts
from escape_score.model.notes import Code, Note, note
from escape_score.model.units import LARGEST_PANEL
from escape_score.read.checks.gene_kinds import check_kind, foreign_rows
from escape_score.read.checks.names import MIN_GENE_FRACTION, are_row_numbers, gene_fraction
from escape_score.read.checks.single_cells import MAX_DETECTED

MAX_COUNT = 2**31 - 128
"""Largest count of one gene in one cell: the largest int32 that float32 has too."""

MITOCHONDRIAL = "MT-"
"""Beginning of the symbols of the 37 genes of the mitochondrion (HGNC)."""


@dataclass(frozen=True, eq=False)
class GeneColumns:
    """Columns of a file as genes.

    Parameters
    ----------
    symbols
        Approved symbols, unique, in the order in which the file has them first.
    column_of
        Shape (n_features,): position of each feature in ``symbols``, more by ``len(symbols)`` where an
        earlier feature has the same symbol, -1 where it is left out.
    is_mitochondrial
        Shape (n_symbols,).
    """

    symbols: tuple[str, ...] = field(repr=False)
    column_of: npt.NDArray[np.int32] = field(repr=False)
    is_mitochondrial: npt.NDArray[np.bool_] = field(repr=False)
    notes: tuple[Note, ...] = ()


def gene_columns(label: str, names: Sequence[str], is_rna: npt.NDArray[np.bool_]) -> GeneColumns:
    """Find the genes among the features of a file.

    Raises MatrixInvalidError: the features are of another species, or of two, or too few are human genes.
    """
    rna: list[int] = np.flatnonzero(is_rna).tolist()
    own = [names[at] for at in rna]
    _check_species(label, own)
    mappings = load_gene_table().map_genes(own)
    at_of: dict[str, int] = {}
    column_of, seconds = np.full(len(names), -1, dtype=np.int32), []
    for at, mapping in zip(rna, mappings, strict=True):
        if (symbol := mapping.gene_symbol) is not None:
            if symbol in at_of:
                seconds.append(at)
            column_of[at] = at_of.setdefault(symbol, len(at_of))
    column_of[seconds] += len(at_of)
    least = load_design().thresholds.cell_read.min_genes_recognised
    if len(at_of) < least:
        n_genes = counted(len(at_of), "gene")
        msg = f"{n_genes} recognised, {least} needed; name genes by symbol or Ensembl id in var"
        raise MatrixInvalidError.at(label, msg)
    symbols = tuple(at_of)
    is_mitochondrial = np.array([symbol.startswith(MITOCHONDRIAL) for symbol in symbols])
    notes = [*_name_notes(mappings)]
    if len(symbols) <= LARGEST_PANEL:
        notes.append(note(Code.TARGETED_PANEL, n=len(symbols)))
    if not is_mitochondrial.any():
        notes.append(note(Code.NO_MITOCHONDRIAL_GENES))
    return GeneColumns(symbols, column_of, is_mitochondrial, tuple(notes))


def _name_notes(mappings: Sequence[GeneMapping]) -> Iterator[Note]:
    """Flag names of no gene, old names, and genes with several names."""
    unknown = [m.given for m in mappings if m.gene_symbol is None]
    old = [m for m in mappings if m.match in (GeneMatch.PREVIOUS, GeneMatch.ALIAS)]
    known = Counter(m.gene_symbol for m in mappings if m.gene_symbol is not None)
    twice = sorted(symbol for symbol, n in known.items() if n > 1)
    if unknown:
        yield note(Code.UNKNOWN_GENES, n=len(unknown), n_all=len(mappings), names=unknown)
    if old:
        names = [f"{m.given} → {m.gene_symbol}" for m in old]
        yield note(Code.RENAMED_SYMBOLS, n=len(old), names=names)
    if twice:
        yield note(Code.DUPLICATE_GENES_AFTER_MAPPING, n=len(twice), names=twice)


def _check_species(label: str, names: Sequence[str]) -> None:
    """Refuse genes of other species, of two species, and names that are no genes at all."""
    foreign = foreign_rows(names)
    if foreign:
        example = names[foreign[0]][:40]
        msg = f"genes of human and of another species ({len(foreign)} of {len(names)}, such as {example!r}); "
        raise MatrixInvalidError.at(label, msg + "keep the human cells and the human genes")
    is_numbered = are_row_numbers(names)
    has_genes = not is_numbered and gene_fraction(names) >= MIN_GENE_FRACTION
    check_kind(label, names, are_known_genes=has_genes)
    if not has_genes:
        found = ", ".join(repr(name[:40]) for name in names[:3])
        msg = f"no recognisable human gene (features such as {found}); name genes by symbol or Ensembl id"
        raise MatrixInvalidError.at(label, f"{msg} in var")


class ValueKind(NamedTuple):
    """What the numbers of a file are; ``problem`` is empty where they can be read."""

    problem: str
    is_estimated: bool = False


def kind_of_values(rows: sp.csr_array) -> ValueKind:
    """Judge what the values of some cells are: counts, estimated counts, or not counts."""
    limits, values = load_design().thresholds.cell_read, rows.data
    if not np.isfinite(values).all():
        return ValueKind("values are missing or infinite (NaN, inf)")
    if len(values) and values.min() < 0:
        return ValueKind(f"values are negative ({values.min():.4g}), so they are scaled or corrected")
    filled = values[values != 0]
    if not len(filled):
        return ValueKind("all values looked at are 0")
    whole_share = float((filled == np.rint(filled)).mean())
    if whole_share == 1:
        is_binary = filled.max() == 1 and len(filled) > rows.shape[0] * 100
        return ValueKind("values are only 0 and 1" if is_binary else "")
    if (scaled := _scaled(rows, limits.constant_total_fraction)) or (
        whole_share < limits.estimated_whole_fraction
    ):
        return ValueKind(scaled or "values are not whole numbers, so they were normalised")
    return ValueKind("", is_estimated=True)


def _scaled(rows: sp.csr_array, most: float) -> str:
    """Say that cells have one total, as they are or as logarithms; empty where they do not."""
    forms = [("", rows.data), ("logarithms, ", np.expm1(np.minimum(rows.data, 30.0)))]
    for what, values in forms:
        totals = _totals(rows, np.asarray(values, dtype=np.float64))
        totals = totals[totals > 0]
        if len(totals) > 1 and totals.std() < most * totals.mean():
            return f"values are normalised ({what}each cell has a total of {totals.mean():.6g})"
    return ""


def _totals(rows: sp.csr_array, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(sp.csr_array((values, rows.indices, rows.indptr), shape=rows.shape).sum(axis=1)).ravel()


def shape_problem(n_detected: npt.NDArray[Any]) -> tuple[str, str]:
    """Say why rows with so many stored values cannot be cells, and what to do; empty where they can."""
    median = float(np.median(n_detected)) if len(n_detected) else 0.0
    if median < load_design().thresholds.cell_read.empty_barcode_genes:
        return (
            f"most barcodes are empty droplets (median of {median:.0f} genes)",
            "give filtered cells, such as filtered_feature_bc_matrix of Cell Ranger",
        )
    if median > MAX_DETECTED:
        return (
            f"rows look like bulk samples, not cells (median of {median:.0f} genes detected)",
            "score samples with: escape-score run",
        )
    return "", ""


class GatheredCells(NamedTuple):
    """Cells that passed the gates: their rows in the block, and their counts by gene."""

    kept: npt.NDArray[np.intp]
    counts: sp.csr_array
    gate_of: npt.NDArray[np.int8]
    """Of every row of the block: 0 where it passed, else the number of the gate in ``GateCounts``."""


@dataclass(frozen=True, eq=False)
class BlockReader:
    """Turns blocks of a file into counts of genes, and applies the gates.

    Parameters
    ----------
    label
        What errors call the file.
    feature_names
        As in the file, for errors.
    is_estimated
        Whether counts may be fractions.
    """

    label: str
    feature_names: Sequence[str] = field(repr=False)
    genes: GeneColumns
    gates: CellsConfig
    is_estimated: bool

    def gather(self, block: sp.csr_array, cell_ids: Sequence[str]) -> GatheredCells:
        """Counts of the cells of a block that pass.

        Raises MatrixInvalidError: a value is not one of counts, or a place of the matrix is given twice.
        """
        counts = self._by_gene(self._checked(block, cell_ids))
        n_umi, n_mitochondrial = _sums(counts, self.genes.is_mitochondrial)
        gate_of = np.zeros(len(n_umi), dtype=np.int8)
        gate_of[n_mitochondrial > self.gates.max_mitochondrial * n_umi] = 3
        gate_of[np.diff(counts.indptr) < self.gates.min_genes] = 2
        gate_of[n_umi < self.gates.min_umi] = 1
        kept = np.flatnonzero(gate_of == 0)
        return GatheredCells(kept, counts if len(kept) == len(n_umi) else counts[kept], gate_of)

    def _checked(self, block: sp.csr_array, cell_ids: Sequence[str]) -> sp.csr_array:
        """The block with sorted columns and values that are counts, as int32, or float64 where estimated."""
        values = block.data
        if len(values):
            low, high = values.min(), values.max()
            if not (low >= 0 and high <= MAX_COUNT):  # also where one is NaN
                raise self._fault(block, ~((values >= 0) & (values <= MAX_COUNT)), cell_ids)
            if values.dtype.kind == "f" and not self.is_estimated:
                rounded = np.rint(values)
                if not np.array_equal(rounded, values):
                    raise self._fault(block, rounded != values, cell_ids)
        numbers: npt.NDArray[Any] = values.astype(np.float64 if self.is_estimated else np.int32)
        checked = sp.csr_array((numbers, block.indices, block.indptr), shape=block.shape)
        if not checked.has_canonical_format:  # looks at the order too
            checked = checked.sorted_indices()
        if not checked.has_canonical_format:
            msg = "a value of one cell and gene is given twice (duplicate entries); write the file again"
            raise MatrixInvalidError.at(self.label, msg)
        return checked

    def _fault(
        self, block: sp.csr_array, is_bad: npt.NDArray[np.bool_], cell_ids: Sequence[str]
    ) -> Exception:
        at = int(np.argmax(is_bad))
        cell = cell_ids[int(np.searchsorted(block.indptr, at, side="right")) - 1]
        gene, value = self.feature_names[block.indices[at]], block.data[at]
        msg = f"not a count: {value:.6g} (cell {cell!r}, gene {gene!r}); give whole numbers that are not "
        return MatrixInvalidError.at(self.label, f"{msg}normalised, with --layer where X has other values")

    def _by_gene(self, block: sp.csr_array) -> sp.csr_array:
        """Counts by gene: features of no gene and zeros left out, those of one gene added up."""
        n_genes = len(self.genes.symbols)
        columns = np.take(self.genes.column_of, block.indices)
        is_other = columns.view(np.uint32) >= n_genes  # of no gene, or a later feature of one
        if block.data.min(initial=1) == 0:
            is_other |= block.data == 0
        others = np.flatnonzero(is_other)
        # most values stay, so that it is cheaper to count those before a row that do not
        starts = block.indptr - np.searchsorted(others, block.indptr).astype(block.indptr.dtype)
        kept, shape = ~is_other, (block.shape[0], n_genes)
        first = sp.csr_array((block.data[kept], columns[kept], starts), shape=shape)
        first.has_canonical_format = True  # genes are numbered in the order of the file
        seconds = others[(columns[others] >= n_genes) & (block.data[others] != 0)]
        if not len(seconds):
            return first
        rows = np.searchsorted(block.indptr, seconds, side="right") - 1
        entries = (block.data[seconds], (rows, columns[seconds] - n_genes))
        return sp.csr_array(first + sp.coo_array(entries, shape=shape).tocsr())


def _sums(
    counts: sp.csr_array, is_wanted: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Counts of each cell over all genes and over the wanted few; shape (n_cells,) each."""
    ends = np.concatenate([[0], np.cumsum(counts.data, dtype=np.float64)])[counts.indptr]
    found = np.flatnonzero(is_wanted[counts.indices])
    rows = np.searchsorted(counts.indptr, found, side="right") - 1
    of_wanted = np.bincount(rows, counts.data[found], minlength=counts.shape[0])
    return np.diff(ends), of_wanted.astype(np.float64)


def gate_counts(gate_of: npt.NDArray[np.int8]) -> GateCounts:
    """Cells before the gates, and those that each left out."""
    n = np.bincount(gate_of, minlength=4)
    return GateCounts(len(gate_of), int(n[1]), int(n[2]), int(n[3]))


def sample_notes(
    gates: GateCounts, n_umi: npt.NDArray[np.float64], *, is_estimated: bool
) -> tuple[Note, ...]:
    """Flags of one sample: cells that were left out, and counts that are not molecules."""
    limits, notes = load_design().thresholds.cell_read, []
    if gates.n_kept < gates.n_read:
        left_out = 1 - gates.n_kept / gates.n_read
        code = Code.MOST_CELLS_GATED if left_out > limits.most_gated_fraction else Code.CELLS_GATED
        notes.append(note(code, **vars(gates), n_kept=gates.n_kept))
    if is_estimated:
        notes.append(note(Code.FULL_LENGTH_READS, "estimated"))
    elif len(n_umi) and np.median(n_umi) > limits.full_length_reads:
        notes.append(note(Code.FULL_LENGTH_READS, "deep", median=float(np.median(n_umi))))
    return tuple(notes)
