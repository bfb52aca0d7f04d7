"""The harmonise stage: any unit and any gene names to log2(TPM + 1) over approved symbols."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from escape_score.errors import MatrixInvalidError
from escape_score.genes import GeneMapping, GeneTable, load_gene_table
from escape_score.genes.lengths import GeneLengths
from escape_score.harmonise.names import gene_changes, gene_flags
from escape_score.harmonise.source import BASES_PER_KB, TO_LINEAR, TPM_TOTAL, HarmonisedSource, RowMerge
from escape_score.model.cohort import WHOLE_TRANSCRIPTOME_GENES, Cohort, FloatArray, HarmonisedCohort
from escape_score.model.notes import Code, NoteLog, note
from escape_score.model.units import ExpressionUnit

RESCALE_TOLERANCE = 0.01
"""Totals nearer to 1e6 than this fraction are rounding or a few dropped rows, not another unit."""

LINEAR_ABOVE = 50.0
"""Normalised array and panel values above this are linear: 50 as a log2 would be 1e15."""


def harmonise(
    cohort: Cohort, *, gene_lengths: GeneLengths | None = None, min_genes: int = 1
) -> HarmonisedCohort:
    """Harmonise with the shipped gene names, as :func:`harmonise_cohort`, and note the parameters."""
    lengths, digest = (gene_lengths.bp, gene_lengths.sha256) if gene_lengths else (None, "")
    harmonised = harmonise_cohort(cohort, load_gene_table(), gene_lengths=lengths, min_genes=min_genes)
    return replace(harmonised, parameters=(("gene_lengths_sha256", digest), ("min_genes", str(min_genes))))


def harmonise_cohort(
    cohort: Cohort,
    genes: GeneTable,
    *,
    gene_lengths: Mapping[str, float] | None = None,
    min_genes: int = 1,
) -> HarmonisedCohort:
    """Bring a cohort to log2(TPM + 1) over unique approved symbols.

    Parameters
    ----------
    cohort, genes
        As read, and names of genes with their lengths.
    gene_lengths
        Approved symbol to length in base pairs, for counts; the table's own lengths where None.
    min_genes
        Fewest genes that must be recognised.

    Returns
    -------
    HarmonisedCohort
        Rows of one gene are summed in linear space, exact copies once (:class:`RowMerge`). Whole
        transcriptomes are rescaled to one million a sample, targeted panels never. Values are computed when
        blocks are asked for.

    Raises
    ------
    MatrixInvalidError
        Fewer than ``min_genes`` genes are recognised.
    """
    mappings = genes.map_genes(cohort.source.gene_ids)
    symbols = sorted({m.gene_symbol for m in mappings if m.gene_symbol is not None})
    length_bp, flags = None, NoteLog()
    if cohort.unit.unit is ExpressionUnit.COUNTS:
        symbols, length_bp, flags = _lengths_for_counts(symbols, genes, gene_lengths)
    if len(symbols) < min_genes:
        msg = f"{len(symbols)} genes recognised, {min_genes} needed; name rows by gene symbol or id"
        raise MatrixInvalidError.at(cohort.label or cohort.name, msg)
    is_panel = len(symbols) < WHOLE_TRANSCRIPTOME_GENES
    source = _source(cohort, symbols, mappings, length_bp, is_panel=is_panel)
    flags = flags.joined(gene_flags(mappings)).joined(_panel_flags(is_panel, len(symbols), cohort.unit.unit))
    if source.is_rescaled and cohort.unit.unit is not ExpressionUnit.COUNTS:
        flags = flags.joined(_rescale_flags(cohort.sample_ids, cohort.totals.linear_total))
    # a panel is never rescaled: its reads do not give those behind one TPM
    has_reads = cohort.unit.unit is ExpressionUnit.COUNTS and not is_panel
    return HarmonisedCohort(
        name=cohort.name,
        source=source,
        unit=cohort.unit,
        samples=cohort.samples,
        label=cohort.label,
        input_sha256=cohort.input_sha256,
        matrix_sha256=cohort.matrix_sha256,
        is_targeted_panel=is_panel,
        gene_changes=gene_changes(mappings, frozenset(symbols)),
        flags=cohort.flags.joined(flags),
        reads_per_tpm=source.reads_per_tpm() if has_reads else None,
    )


def _source(
    cohort: Cohort,
    symbols: Sequence[str],
    mappings: Sequence[GeneMapping],
    length_bp: FloatArray | None,
    *,
    is_panel: bool,
) -> HarmonisedSource:
    """Lay the conversion over the cohort's own source."""
    merge = RowMerge.of(symbols, mappings)
    repeats, length_kb, repeat_weights = RowMerge.of_repeats(mappings), None, None
    if length_bp is not None:
        length_kb = length_bp / BASES_PER_KB
        several = np.flatnonzero(merge.sizes > 1)
        repeats, repeat_weights = merge.narrowed(several), 1.0 / length_kb[several]
    return HarmonisedSource(
        source=cohort.source,
        gene_ids=tuple(symbols),
        merge=merge,
        known_rows=merge.rows,
        repeats=repeats,
        to_linear=_to_linear(cohort),
        length_kb=length_kb,
        total_weights=None if length_kb is None else 1.0 / np.repeat(length_kb, merge.sizes),
        repeat_weights=repeat_weights,
        totals=cohort.totals.linear_total,
        is_rescaled=not is_panel and not cohort.unit.unit.is_platform,
    )


def _to_linear(cohort: Cohort) -> Callable[[FloatArray], FloatArray]:
    """How values of the cohort become linear."""
    is_log2 = cohort.unit.unit.is_platform and cohort.totals.largest <= LINEAR_ABOVE
    return np.exp2 if is_log2 else TO_LINEAR.get(cohort.unit.unit, lambda values: values)


def _lengths_for_counts(
    symbols: Sequence[str], genes: GeneTable, given: Mapping[str, float] | None
) -> tuple[list[str], FloatArray, NoteLog]:
    """Keep the genes whose length is known."""
    table = genes.length_bp(symbols)
    lengths = table if given is None else np.array([given.get(symbol, np.nan) for symbol in symbols])
    known = np.isfinite(lengths) & (lengths > 0)
    source = note(Code.LENGTHS, "shipped" if given is None else "given")
    notes = [note(Code.COUNTS_CONVERTED, source=source)]
    if not known.all():
        names = [s for s, is_known in zip(symbols, known, strict=True) if not is_known]
        notes.append(note(Code.COUNTS_WITHOUT_LENGTHS, n=len(names), names=names))
    kept = [s for s, is_known in zip(symbols, known, strict=True) if is_known]
    return kept, lengths[known], NoteLog(cohort=tuple(notes))


def _panel_flags(is_panel: bool, n_genes: int, unit: ExpressionUnit) -> NoteLog:
    notes = []
    if is_panel:
        notes.append(note(Code.TARGETED_PANEL, n=n_genes))
    if unit.is_platform:
        notes.append(note(Code.UNITS_SUSPECT, "signals", unit=unit.value))
    return NoteLog(cohort=tuple(notes))


def _rescale_flags(sample_ids: Sequence[str], totals: FloatArray) -> NoteLog:
    """Flag samples whose total was not one million, where the unit says it should have been near."""
    notes = (
        (sample_id, note(Code.RESCALED_TO_TPM, total=float(total)))
        for sample_id, total in zip(sample_ids, totals, strict=True)
        if total > 0 and abs(total / TPM_TOTAL - 1) > RESCALE_TOLERANCE
    )
    return NoteLog(by_sample=tuple(notes))
