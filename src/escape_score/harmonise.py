"""The harmonise stage: any unit and any gene names to log2(TPM + 1) over approved symbols."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from escape_score.errors import MatrixInvalidError
from escape_score.genes import GeneMapping, GeneMatch, GeneTable
from escape_score.model.cohort import (
    Cohort,
    FloatArray,
    GeneChange,
    HarmonisedCohort,
    MatrixSource,
    iter_blocks,
)
from escape_score.model.flags import Flag, FlagLog, FlagNote
from escape_score.model.units import ExpressionUnit

WHOLE_TRANSCRIPTOME_GENES = 8000
"""Fewer measured genes are a targeted panel; targeted panels hold up to some 2,500, whole transcriptomes "
"15,000 and more."""

TPM_TOTAL = 1e6
RESCALE_TOLERANCE = 0.01
"""Totals nearer to 1e6 than this fraction are rounding or a few dropped rows, not another unit."""

SHOWN_NAMES = 5
BASES_PER_KB = 1000.0
LINEAR_ABOVE = 50.0
"""Normalised array and panel values above this are linear: 50 as a log2 would be 1e15."""

TO_LINEAR: Mapping[ExpressionUnit, Callable[[FloatArray], FloatArray]] = {
    ExpressionUnit.LOG2_PLUS_1: lambda x: np.exp2(x) - 1.0,
    ExpressionUnit.LOG2_PLUS_0001: lambda x: np.exp2(x) - 0.001,
    ExpressionUnit.LN_PLUS_1: np.expm1,
}
ID_KIND = {
    GeneMatch.ENSEMBL: "Ensembl ids",
    GeneMatch.ENSEMBL_RETIRED: "Ensembl ids",
    GeneMatch.ENTREZ: "Entrez ids",
}
MIXED_FRACTION = 0.05
"""A kind of id that fewer rows have than this is the odd row out, not a mixture."""

SUSPECT_FRACTION = 0.5
"""Whole transcriptomes of GENCODE 19 with clone names still have two thirds of their rows known."""

PLATFORM_UNITS = frozenset({ExpressionUnit.ARRAY, ExpressionUnit.NANOSTRING})


@dataclass(frozen=True, eq=False)
class HarmonisedSource:
    """Blocks of a matrix, converted while they are handed out.

    Attributes
    ----------
    gene_ids
        Approved symbols, sorted, so that the order of rows in the file changes nothing.
    merge
        Symbols × rows of the file: ones where a row counts for a symbol.
    length_kb
        Per symbol, for counts; None otherwise. Kilobases, so that a panel, which is never rescaled, does not
        end at fractions of a read per base.
    is_rescaled
        Whether every sample is brought to a total of one million.
    """

    source: MatrixSource
    gene_ids: tuple[str, ...]
    merge: sp.csr_array = field(repr=False)
    to_linear: Callable[[FloatArray], FloatArray]
    length_kb: FloatArray | None = field(repr=False)
    is_rescaled: bool

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Sample ids, in order."""
        return self.source.sample_ids

    def block(self, start: int, stop: int) -> FloatArray:
        """log2(TPM + 1) of samples ``start`` to ``stop``; NaN where not measured."""
        raw = self.source.block(start, stop)
        linear = self._by_symbol(raw)
        # a sample whose values are all the same was not measured, whatever lengths make of it
        linear[is_constant(raw) | is_constant(linear)] = np.nan
        if self.is_rescaled:
            totals = self.totals(raw) if self.length_kb is None else row_sums(linear)
            linear = linear * (TPM_TOTAL / np.where(totals > 0, totals, 1.0))[:, None]
        return np.log2(linear + 1.0)

    def totals(self, raw: FloatArray) -> FloatArray:
        """Sum of all rows of the file, known genes or not, in linear space."""
        return row_sums(np.maximum(self.to_linear(raw), 0.0))

    def _by_symbol(self, raw: FloatArray) -> FloatArray:
        """Linear values by symbol, divided by gene length where there are lengths."""
        linear = np.maximum(self.to_linear(raw), 0.0)
        measured = ~np.isnan(linear)
        merged: FloatArray = (self.merge @ np.where(measured, linear, 0.0).T).T
        if not measured.all():
            merged[(self.merge @ measured.T.astype(np.float64)).T == 0] = np.nan
        return merged if self.length_kb is None else merged / self.length_kb


def row_sums(values: FloatArray) -> FloatArray:
    """Sum of each row, NaN left out: the same to the last bit whatever the number of rows."""
    return np.asarray(np.nansum(np.ascontiguousarray(values), axis=1))


def is_constant(values: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether all measured values of a row are the same; True also where none is."""
    lowest, highest = np.fmin.reduce(values, axis=1), np.fmax.reduce(values, axis=1)
    return np.asarray(~(lowest < highest))


def harmonise_cohort(
    cohort: Cohort,
    genes: GeneTable,
    *,
    gene_lengths: Mapping[str, float] | None = None,
    min_genes: int = 1,
    label: str | None = None,
) -> HarmonisedCohort:
    """Bring a cohort to log2(TPM + 1) over unique approved symbols.

    Parameters
    ----------
    cohort
        As read.
    genes
        Names of genes and their lengths.
    gene_lengths
        Approved symbol to length in base pairs, for counts; the table's own lengths where None.
    min_genes
        Fewest genes that must be recognised.
    label
        What an error calls the input: its path; the cohort's name where None.

    Returns
    -------
    HarmonisedCohort
        Rows that name the same gene are summed in linear space. Whole transcriptomes are rescaled to one
        million a sample, targeted panels never. Values are computed when blocks are asked for.

    Raises
    ------
    MatrixInvalidError
        Fewer than ``min_genes`` genes are recognised.
    """
    mappings = genes.map_genes(cohort.source.gene_ids)
    symbols = sorted({m.gene_symbol for m in mappings if m.gene_symbol is not None})
    length_bp, flags = None, FlagLog()
    if cohort.unit.unit is ExpressionUnit.COUNTS:
        symbols, length_bp, flags = _lengths_for_counts(symbols, genes, gene_lengths)
    _require_genes(label or cohort.name, symbols, min_genes)
    is_panel = len(symbols) < WHOLE_TRANSCRIPTOME_GENES
    source = HarmonisedSource(
        source=cohort.source,
        gene_ids=tuple(symbols),
        merge=_merge_matrix(symbols, mappings),
        to_linear=_to_linear(cohort),
        length_kb=None if length_bp is None else length_bp / BASES_PER_KB,
        is_rescaled=not is_panel and cohort.unit.unit not in PLATFORM_UNITS,
    )
    flags = flags.joined(gene_flags(mappings)).joined(_panel_flags(is_panel, len(symbols), cohort.unit.unit))
    flags = flags.joined(_rescale_flags(source, cohort.unit.unit))
    return HarmonisedCohort(
        name=cohort.name,
        source=source,
        unit=cohort.unit,
        samples=cohort.samples,
        input_sha256=cohort.input_sha256,
        is_targeted_panel=is_panel,
        gene_changes=gene_changes(mappings, frozenset(symbols)),
        flags=cohort.flags.joined(flags),
    )


def _require_genes(label: str, symbols: Sequence[str], min_genes: int) -> None:
    if len(symbols) < min_genes:
        msg = f"{label}: {len(symbols)} genes recognised, {min_genes} needed; name rows by gene symbol or id"
        raise MatrixInvalidError(msg)


def _to_linear(cohort: Cohort) -> Callable[[FloatArray], FloatArray]:
    """How values of the cohort become linear."""
    if cohort.unit.unit in PLATFORM_UNITS:
        highest = max(float(np.nanmax(block, initial=-np.inf)) for _, block in iter_blocks(cohort.source))
        return _unchanged if highest > LINEAR_ABOVE else np.exp2
    return TO_LINEAR.get(cohort.unit.unit, _unchanged)


def _unchanged(values: FloatArray) -> FloatArray:
    return values


def _merge_matrix(symbols: Sequence[str], mappings: Sequence[GeneMapping]) -> sp.csr_array:
    """Symbols × rows of the file.

    Rows that share a symbol are listed by name, so that their sum does not depend on the order of the file.
    """
    at = {symbol: i for i, symbol in enumerate(symbols)}
    pairs = sorted((at[m.gene_symbol], m.given, row) for row, m in enumerate(mappings) if m.gene_symbol in at)
    counts = np.bincount([pair[0] for pair in pairs], minlength=len(symbols))
    indptr = np.concatenate([[0], np.cumsum(counts)])
    indices = np.array([pair[2] for pair in pairs], dtype=np.intp)
    return sp.csr_array((np.ones(len(pairs)), indices, indptr), shape=(len(symbols), len(mappings)))


def _lengths_for_counts(
    symbols: Sequence[str], genes: GeneTable, given: Mapping[str, float] | None
) -> tuple[list[str], FloatArray, FlagLog]:
    """Keep the genes whose length is known."""
    table = genes.length_bp(symbols)
    lengths = table if given is None else np.array([given.get(symbol, np.nan) for symbol in symbols])
    known = np.isfinite(lengths) & (lengths > 0)
    source = "the shipped lengths (isoform median, GENCODE 48)" if given is None else "the lengths given"
    notes = [FlagNote(Flag.COUNTS_CONVERTED, f"Counts were turned into TPM with {source}.")]
    if not known.all():
        names = shown([s for s, is_known in zip(symbols, known, strict=True) if not is_known])
        sentence = f"{(~known).sum()} genes have no length and were left out: {names}."
        notes.append(FlagNote(Flag.COUNTS_WITHOUT_LENGTHS, sentence))
    kept = [s for s, is_known in zip(symbols, known, strict=True) if is_known]
    return kept, lengths[known], FlagLog(cohort=tuple(notes))


def shown(names: Sequence[str]) -> str:
    """First names of a list, with the number of the others."""
    rest = len(names) - SHOWN_NAMES
    return ", ".join(names[:SHOWN_NAMES]) + (f" and {rest} more" if rest > 0 else "")


def gene_flags(mappings: Sequence[GeneMapping]) -> FlagLog:
    """Flag what became of gene names: renames, merges, case, dates."""
    by_match: dict[GeneMatch, list[str]] = {}
    for mapping in mappings:
        by_match.setdefault(mapping.match, []).append(mapping.given)
    notes = [
        *_named(
            Flag.RENAMED_SYMBOLS, _renamed(mappings), "{n} old symbols or aliases were renamed: {names}."
        ),
        *_named(
            Flag.GENE_CASE_CHANGED,
            by_match.get(GeneMatch.CASE_CHANGED, []),
            "{n} names matched in another case: {names}.",
        ),
        *_named(
            Flag.EXCEL_GENE_DATES,
            by_match.get(GeneMatch.EXCEL_DATE, []),
            "{n} names are dates made by a spreadsheet; those genes are lost: {names}.",
        ),
        *_collisions(mappings),
        *_kinds(mappings),
    ]
    return FlagLog(cohort=tuple(notes))


def _kinds(mappings: Sequence[GeneMapping]) -> list[FlagNote]:
    """Flag rows named by several kinds of id, and names that are mostly unknown."""
    counts = Counter(ID_KIND.get(m.match, "symbols") for m in mappings if m.gene_symbol is not None)
    n_known, notes = sum(counts.values()), []
    kinds = sorted(kind for kind, n in counts.items() if n > MIXED_FRACTION * n_known)
    if len(kinds) > 1:
        sentence = (
            f"Rows are named by several kinds of id ({', '.join(kinds)}); each was looked up by its kind."
        )
        notes.append(FlagNote(Flag.MIXED_GENE_IDS, sentence))
    if n_known < SUSPECT_FRACTION * len(mappings):
        sentence = f"Only {n_known} of {len(mappings)} row names are known genes."
        notes.append(FlagNote(Flag.GENE_IDS_SUSPECT, sentence))
    return notes


def _named(flag: Flag, names: Sequence[str], sentence: str) -> list[FlagNote]:
    return [FlagNote(flag, sentence.format(n=len(names), names=shown(names)))] if names else []


def _renamed(mappings: Sequence[GeneMapping]) -> list[str]:
    return [
        f"{m.given} → {m.gene_symbol}" for m in mappings if m.match in (GeneMatch.PREVIOUS, GeneMatch.ALIAS)
    ]


def _collisions(mappings: Sequence[GeneMapping]) -> list[FlagNote]:
    """Flag symbols that several rows of the file count for."""
    rows = Counter((m.gene_symbol, m.given.strip()) for m in mappings if m.gene_symbol is not None)
    repeated = sorted(given for (_, given), n in rows.items() if n > 1)
    names_of = Counter(symbol for symbol, _ in rows)
    merged = sorted(str(symbol) for symbol, n in names_of.items() if n > 1)
    return [
        *_named(
            Flag.DUPLICATE_GENES, repeated, "{n} names stand in several rows, which were summed: {names}."
        ),
        *_named(
            Flag.DUPLICATE_GENES_AFTER_MAPPING,
            merged,
            "{n} genes stand under several names, which were summed: {names}.",
        ),
    ]


def gene_changes(mappings: Sequence[GeneMapping], kept: frozenset[str]) -> tuple[GeneChange, ...]:
    """Every row whose name did not stay, in the order of the file."""
    changes = []
    for m in mappings:
        if m.gene_symbol is None:
            changes.append(GeneChange(m.given, "", m.match.value))
        elif m.gene_symbol not in kept:
            changes.append(GeneChange(m.given, "", "no length"))
        elif m.match is not GeneMatch.CURRENT:
            changes.append(GeneChange(m.given, m.gene_symbol, m.match.value))
    return tuple(changes)


def _panel_flags(is_panel: bool, n_genes: int, unit: ExpressionUnit) -> FlagLog:
    notes = []
    if is_panel:
        sentence = (
            f"{n_genes} genes are measured: a targeted panel. Mechanisms whose genes it lacks are not "
            "evaluable."
        )
        notes.append(FlagNote(Flag.TARGETED_PANEL, sentence))
    if unit in PLATFORM_UNITS:
        sentence = (
            f"Values are {unit.value} signals, placed on an RNA-seq reference by anchor genes: levels are "
            "approximate."
        )
        notes.append(FlagNote(Flag.UNITS_SUSPECT, sentence))
    return FlagLog(cohort=tuple(notes))


def _rescale_flags(source: HarmonisedSource, unit: ExpressionUnit) -> FlagLog:
    """Flag samples whose total was not one million, where the unit says it should have been near."""
    if not source.is_rescaled or unit is ExpressionUnit.COUNTS:
        return FlagLog()
    totals = np.concatenate([source.totals(block) for _, block in iter_blocks(source.source)])
    return FlagLog(
        by_sample=tuple(
            (
                sample_id,
                FlagNote(Flag.RESCALED_TO_TPM, f"Values summed to {total:,.0f}; rescaled to 1,000,000."),
            )
            for sample_id, total in zip(source.sample_ids, totals, strict=True)
            if total > 0 and abs(total / TPM_TOTAL - 1) > RESCALE_TOLERANCE
        )
    )
