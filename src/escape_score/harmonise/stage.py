"""The harmonise stage: any unit and any gene names to log2(TPM + 1) over approved symbols."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from escape_score.errors import MatrixInvalidError, counted
from escape_score.genes import GeneMapping, GeneTable, load_gene_table
from escape_score.genes.lengths import GeneLengths
from escape_score.harmonise.names import gene_changes, gene_flags
from escape_score.harmonise.source import BASES_PER_KB, TO_LINEAR, TPM_TOTAL, HarmonisedSource, RowMerge
from escape_score.model.cohort import Cohort, FloatArray, HarmonisedCohort
from escape_score.model.notes import Code, NoteLog, note
from escape_score.model.units import LARGEST_PANEL, ExpressionUnit
from escape_score.reference.read import load_reference, read_length_factors

LARGEST_WIDE_PANEL = 3_000
"""Panels of toxicology and of HTG EdgeSeq have 2,549 to 2,977 genes; no bulk panel has more."""

MIN_ANCHOR_SHARE = 0.3
"""Share of anchors from which so few genes are a transcriptome filtered by expression: 0.50 to 0.65 in five
cohorts cut to their 3,000 highest genes, 0.10 in panels of 1,700 immune genes, 0.20 in one of 440."""

RESCALE_TOLERANCE = 0.01
"""Totals nearer to 1e6 than this fraction are rounding or a few dropped rows, not another unit."""

LINEAR_ABOVE = 50.0
"""Normalised array and panel values above this are linear: 50 as a log2 would be 1e15."""


def harmonise(
    cohort: Cohort, *, gene_lengths: GeneLengths | None = None, min_genes: int = 1
) -> HarmonisedCohort:
    """Harmonise with the shipped gene names, as :func:`harmonise_cohort`, and note the parameters."""
    digest = gene_lengths.sha256 if gene_lengths else ""
    harmonised = harmonise_cohort(cohort, load_gene_table(), gene_lengths=gene_lengths, min_genes=min_genes)
    return replace(harmonised, parameters=(("gene_lengths_sha256", digest), ("min_genes", str(min_genes))))


def harmonise_cohort(
    cohort: Cohort,
    genes: GeneTable,
    *,
    gene_lengths: GeneLengths | Mapping[str, float] | None = None,
    min_genes: int = 1,
) -> HarmonisedCohort:
    """Bring a cohort to log2(TPM + 1) over unique approved symbols.

    Parameters
    ----------
    cohort, genes
        As read, and names of genes with their lengths.
    gene_lengths
        Lengths in base pairs, or approved symbol to length, for units that grow with it. Where None, the
        lengths that the cohort's own file has, those of TCGA's pipeline for its RSEM, or those of the table.
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
        Fewer than ``min_genes`` genes are recognised, or a sample has no gene lengths.
    """
    mappings = genes.map_genes(cohort.source.gene_ids)
    symbols = sorted({m.gene_symbol for m in mappings if m.gene_symbol is not None})
    per_kb, flags, used, unit = None, NoteLog(), mappings, cohort.unit.unit
    if unit.is_per_gene:
        lengths = _chosen_lengths(cohort, genes, gene_lengths)
        per_kb, flags = _lengths_for_counts(cohort, mappings, lengths)
        used = _with_lengths(mappings, per_kb)
        symbols = sorted({m.gene_symbol for m in used if m.gene_symbol is not None})
    if len(symbols) < min_genes:
        n_named = len({m.gene_symbol for m in mappings if m.gene_symbol is not None})
        msg = f"{counted(n_named, 'gene')} recognised, {min_genes} needed; name rows by gene symbol or id"
        if n_named >= min_genes:
            msg = f"{len(symbols)} genes have a length, {min_genes} needed; give lengths of these genes"
        raise MatrixInvalidError.at(cohort.label or cohort.name, msg)
    is_panel = _is_panel(symbols)
    source = _source(cohort, symbols, used, per_kb, is_panel=is_panel)
    flags = flags.joined(gene_flags(mappings)).joined(_panel_flags(is_panel, len(symbols), unit))
    if source.is_rescaled and not unit.is_per_gene:
        flags = flags.joined(_rescale_flags(cohort.sample_ids, cohort.totals.linear_total))
    # a panel is never rescaled: its reads do not give those behind one TPM
    has_reads = unit.are_reads and not is_panel
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
    per_kb: FloatArray | None,
    *,
    is_panel: bool,
) -> HarmonisedSource:
    """Lay the conversion over the cohort's own source."""
    merge = RowMerge.of(symbols, mappings)
    several = merge.narrowed(np.flatnonzero(merge.sizes > 1))
    return HarmonisedSource(
        source=cohort.source,
        gene_ids=tuple(symbols),
        merge=merge,
        known_rows=merge.rows,
        # rows without a known length are in no total of counts
        repeats=RowMerge.of_repeats(mappings) if per_kb is None else several,
        to_linear=_to_linear(cohort),
        per_kb=per_kb,
        totals=cohort.totals.linear_total,
        is_rescaled=not is_panel and not cohort.unit.unit.is_platform,
    )


def _to_linear(cohort: Cohort) -> Callable[[FloatArray], FloatArray]:
    """How values of the cohort become linear."""
    is_log2 = cohort.unit.unit.is_platform and cohort.totals.largest <= LINEAR_ABOVE
    return np.exp2 if is_log2 else TO_LINEAR.get(cohort.unit.unit.form, lambda values: values)


def _is_panel(symbols: Sequence[str]) -> bool:
    """Whether genes are a targeted panel, and not a transcriptome that was filtered."""
    if len(symbols) <= LARGEST_PANEL:
        return True
    if len(symbols) > LARGEST_WIDE_PANEL:
        return False
    genes = load_reference().genes
    anchors = {symbol for symbol, is_anchor in zip(genes.symbols, genes.is_anchor, strict=True) if is_anchor}
    return len(anchors.intersection(symbols)) < MIN_ANCHOR_SHARE * len(symbols)


def _chosen_lengths(
    cohort: Cohort, genes: GeneTable, given: GeneLengths | Mapping[str, float] | None
) -> GeneLengths:
    """Lengths to use: those given, those of the cohort's own file, of TCGA's pipeline, or of the table."""
    if given is not None:
        return given if isinstance(given, GeneLengths) else GeneLengths.of(given)
    if cohort.gene_lengths is not None:
        return GeneLengths.of(cohort.gene_lengths, "file")
    if cohort.unit.unit.is_tcga_rsem:
        return GeneLengths.of(read_length_factors(), "tcga")
    return GeneLengths.of(genes.length_by_symbol, "shipped")


def _lengths_for_counts(
    cohort: Cohort, mappings: Sequence[GeneMapping], lengths: GeneLengths
) -> tuple[FloatArray, NoteLog]:
    """1 / kilobases of every row of the file, NaN where its length is not known."""
    names, symbols = cohort.source.gene_ids, [mapping.gene_symbol for mapping in mappings]
    length_bp = lengths.of_samples(cohort.sample_ids).of_genes(names, symbols)
    per_kb = BASES_PER_KB / np.where(length_bp > 0, length_bp, np.nan)
    notes = [note(Code.COUNTS_CONVERTED, source=note(Code.LENGTHS, lengths.origin))]
    kept = {mapping.gene_symbol for mapping in _with_lengths(mappings, per_kb)}
    if without := sorted({symbol for symbol in symbols if symbol is not None and symbol not in kept}):
        notes.append(note(Code.COUNTS_WITHOUT_LENGTHS, n=len(without), names=without))
    return per_kb, NoteLog(cohort=tuple(notes))


def _with_lengths(mappings: Sequence[GeneMapping], per_kb: FloatArray) -> tuple[GeneMapping, ...]:
    """The same rows; one whose length is known in no sample is a row of no gene."""
    is_known: list[bool] = np.any(np.isfinite(np.atleast_2d(per_kb)), axis=0).tolist()
    return tuple(
        mapping if known else replace(mapping, gene_symbol=None)
        for mapping, known in zip(mappings, is_known, strict=True)
    )


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
