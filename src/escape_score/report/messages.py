"""Sentences of notes: one template for every code and kind, in English; catalogues have the other languages.

A template names the params of its note, with the format of Python: ``{share:.0%}``. Names from the input are
put in as they are, so that no language changes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple, TypeGuard

from markupsafe import Markup

from escape_score.errors import MAX_NAMED
from escape_score.model.record import NoteRecord, ParamRecord
from escape_score.report.text.escaping import escaped
from escape_score.report.text.i18n import (
    MINUS,
    SOURCE_LANGUAGE,
    Language,
    translate_record_text,
    translations,
)
from escape_score.report.text.visible import visible_note


def N_(message: str) -> str:  # noqa: N802
    """Mark a text for the catalogue; it is translated where it is shown."""
    return message


_CELL_MESSAGES = {
    "cell_quantity.detected": N_("The whole interval is beyond the threshold."),
    "cell_quantity.borderline": N_(
        "The value is beyond the threshold, but its interval includes the threshold."
    ),
    "cell_quantity.not_detected": N_("The value does not reach the threshold."),
    "cell_quantity.described": N_("Descriptive only; no call is made."),
    "cell_quantity.few_cells": N_("{n} cells of this kind; the minimum is {least}."),
    "cell_quantity.few_cells.one": N_("{n} cell of this kind; the minimum is {least}."),
    "cell_quantity.few_genes": N_("Genes measured: {n} of {of}; the minimum is {least}."),
    "cell_quantity.no_genes": N_("None of these genes is measured: {genes}."),
    "cell_quantity.no_umi": N_(
        "Counts are reads, not molecules (UMI). Shares of cells need counts of molecules."
    ),
    "cell_quantity.few_counts": N_(
        "An intact cell has only {expected:.1f} counts of these genes on average; at least {least:g} is "
        "needed."
    ),
    "cell_quantity.ambient_high": N_(
        "Ambient RNA is {ratio:.0%} of the signal of an intact cell and would hide a loss; at "
        "most {most:.0%} is allowed."
    ),
    "cell_quantity.ambient_unknown": N_(
        "Malignant cells in samples with a known share of ambient RNA: {n}; the minimum is {least}."
    ),
    "cell_quantity.blind_level": N_(
        "Ambient RNA is {ambient:.0%} of the level in the stroma and would hide even a complete loss."
    ),
    "cell_quantity.few_stroma": N_(
        "{n} fibroblasts and endothelial cells to compare with; the minimum is {least}."
    ),
    "cell_quantity.few_stroma.one": N_(
        "{n} fibroblast or endothelial cell to compare with; the minimum is {least}."
    ),
    "cell_quantity.stroma_without": N_(
        "In the {n} cells of the stroma, these genes are not above ambient RNA."
    ),
    "cell_quantity.wide_interval": N_(
        "The share is too uncertain: {low:.0%} to {high:.0%}. Intervals wider than {most:.0%} "
        "are not reported."
    ),
    "cell_labels.shown": N_(
        "{n} cells differ in copy number from the immune and stromal cells of the sample."
    ),
    "cell_labels.shown.one": N_(
        "{n} cell differs in copy number from the immune and stromal cells of the sample."
    ),
    "cell_labels.labelled": N_(
        "{n} cells: {n_labelled} by the labels of the file, the others by a copy number that differs from "
        "the immune and stromal cells of the sample."
    ),
    "cell_labels.labelled_shown": N_(
        "{n} cells by the labels of the file. Copy number confirms it: they differ from the immune and "
        "stromal cells of the sample."
    ),
    "cell_labels.labelled_only": N_("{n} cells by the labels of the file. {reason}"),
    "cell_labels.labelled_only.one": N_("{n} cell by the labels of the file. {reason}"),
    "cell_labels.asserted": N_("{n} cells of the lineage that was stated to be malignant. {reason}"),
    "cell_labels.asserted.one": N_("{n} cell of the lineage that was stated to be malignant. {reason}"),
    "cell_labels.not_confirmed": N_(
        "Copy number does not confirm it: no group of possible malignant cells differs from the immune and "
        "stromal cells of the sample. The tumour may be near-diploid."
    ),
    "cell_labels.not_shown": N_(
        "No malignant cells found: none of {n} possible cells differs in copy number from the immune and "
        "stromal cells of the sample. The tumour may be near-diploid, or the sample may contain "
        "no tumour cells."
    ),
    "cell_labels.no_candidates": N_(
        "No malignant cells found: no cell of the sample has a label or genes of a tissue that "
        "the tumour can be from."
    ),
    "cell_labels.few_cells": N_(
        "Copy number was not assessed: the sample has {n} cells; the minimum is {least}."
    ),
    "cell_labels.few_reference": N_(
        "Copy number was not assessed: {n} immune and endothelial cells are of types with at least "
        "{least_type} cells; {least} are needed to compare with."
    ),
    "cell_labels.few_candidates": N_(
        "Copy number was not assessed: {n} cells could be malignant; a group of at least {least} is needed."
    ),
    "cell_labels.few_candidates.one": N_(
        "Copy number was not assessed: {n} cell could be malignant; a group of at least {least} is needed."
    ),
    "cell_labels.few_genes": N_(
        "Copy number was not assessed: {n} genes are expressed widely enough; the minimum is {least}."
    ),
}
"""Notes of single cells: ``cell_quantity.<kind>`` is a reason of a call, ``cell_labels.<kind>`` why malignant
cells were found or were not. A kind is one line here; ``make messages`` then asks for its translation."""

MESSAGES = MappingProxyType(
    _CELL_MESSAGES
    | {
        "cells_gated": N_(
            "{n_kept} of {n_read} cells passed quality control. Left out: {n_few_umi} with few counts, "
            "{n_few_genes} with few genes, {n_mitochondrial} with a high mitochondrial share."
        ),
        "most_cells_gated": N_(
            "Only {n_kept} of {n_read} cells passed quality control. Left out: {n_few_umi} with few counts, "
            "{n_few_genes} with few genes, {n_mitochondrial} with a high mitochondrial share. "
            "Check the quality of the sample."
        ),
        "features_left_out": N_("{n} features that are not genes were left out ({kinds})."),
        "features_left_out.one": N_("{n} feature that is not a gene was left out ({kinds})."),
        "few_cells": N_("{n} of {n_read} cells passed quality control; a sample needs {least}."),
        "full_length_reads.deep": N_(
            "Median of {median:,.0f} counts per cell: these are reads of a full-length protocol, not "
            "molecules. Shares of cells that need molecules are not evaluable."
        ),
        "full_length_reads.estimated": N_(
            "Counts are estimates, not whole numbers. They are not treated as molecules, and shares of cells "
            "that need molecules are not evaluable."
        ),
        "no_mitochondrial_genes": N_(
            "No mitochondrial gene is measured, so cells were not selected by their mitochondrial share."
        ),
        "bad_survival.days": N_("{column} is {value!r}, which is not a number of days; it is left out."),
        "bad_survival.event": N_("{column} must be 0/1 or true/false and is {value!r}; it is left out."),
        "cohort_composition.hot": N_(
            "This cohort has more T cells and leukocytes than usual: its median is {sd:.1f} SD above the "
            "median of {name}. The cohort is its own reference, so a typical sample here is infiltrated, and "
            "few T cells means few for this cohort."
        ),
        "cohort_composition.cold": N_(
            "This cohort has fewer T cells and leukocytes than usual: its median is {sd:.1f} SD below the "
            "median of {name}. The cohort is its own reference, so a typical sample here has few T cells, "
            "and many T cells means many for this cohort."
        ),
        "cohort_composition.hot_all": N_(
            "This cohort has more T cells and leukocytes than usual: its median is far above that of {n} of "
            "{n_all} references. The cohort is its own reference, so a typical sample here is infiltrated, "
            "and few T cells means few for this cohort."
        ),
        "cohort_composition.cold_all": N_(
            "This cohort has fewer T cells and leukocytes than usual: its median is far below that of {n} of "
            "{n_all} references. The cohort is its own reference, so a typical sample here has few T cells, "
            "and many T cells means many for this cohort."
        ),
        "cohort_too_small": N_(
            "{n} samples: effects of the pipeline cannot be separated from biology (needs {least}"
            " samples). Scores are not affected."
        ),
        "cohort_too_small.one": N_(
            "{n} sample: effects of the pipeline cannot be separated from biology (needs {least} "
            "samples). Scores are not affected."
        ),
        "cohort_too_small.reference": N_(
            "Reference {name} has {n} samples. Its levels are stable from {least} samples on."
        ),
        "composition_outlier": N_(
            "One gene makes up {share:.0%} of the RNA, more than all others together. Possible "
            "causes: failed depletion or an alignment artefact. Scores are placed by other genes."
        ),
        "counts_converted": N_("Counts were converted to TPM with {source}."),
        "counts_without_lengths": N_("Genes without a length, left out ({n}): {names}."),
        "degraded_rna.missed": N_(
            "{share:.0%} of the genes that every tissue expresses are not detected. Possible causes: "
            "degraded RNA (FFPE) or few reads. Absent genes may be missed, not lost."
        ),
        "degraded_rna.slope": N_(
            "Levels depend on gene length in an unusual way (slope {slope:.2f}). Possible causes: "
            "degraded RNA (FFPE), reads from one end of the transcripts, or a wrong unit."
        ),
        "duplicate_gene_in_set": N_("Gene set {name} lists {genes} more than once; each gene counts once."),
        "duplicate_genes": N_(
            "Names in several rows ({n}): {names}. Copies count once; other rows were summed."
        ),
        "duplicate_genes_after_mapping": N_(
            "Genes with several names ({n}): {names}. Copies count once; other rows were summed."
        ),
        "excel_gene_dates": N_(
            "Names turned into dates by a spreadsheet, whose genes are lost ({n}): {names}."
        ),
        "few_genes": N_(
            "Only {n} of {n_all} genes are detected. Possible causes: few reads or degraded RNA."
        ),
        "floor_suspect.shared": N_(
            "{share:.0%} of the genes have the same lowest value, which is log2(x + 1) = {lowest:.2f} "
            "and not 0. A transformation lifted the low values, such as VST or log2(x + 8). No "
            "mechanism is called. Give the matrix before that step, in TPM or counts."
        ),
        "floor_suspect.silent": N_(
            "Genes that the reference hardly expresses are at log2(x + 1) = {level:.2f} or above, not at "
            "0. A transformation lifted or compressed the low values, such as batch correction, VST "
            "or rlog. No mechanism is called. Give the matrix before that step, in TPM or counts."
        ),
        "floor_suspect.cut": N_(
            "Low values are crowded just above log2(x + 1) = {lowest:.2f}, and no gene is below. "
            "A transformation lifted the low values, such as VST or log2(x + 8). No mechanism is "
            "called. Give the matrix before that step, in TPM or counts."
        ),
        "gene_case_changed": N_("Names matched in another case ({n}): {names}."),
        "gene_case_changed.sets": N_("Names of the gene sets matched in another case ({n}): {names}."),
        "gene_ids_disagree": N_(
            "Names whose id and symbol are of different genes ({n}): {names}. The id was used."
        ),
        "gene_ids_suspect": N_("Only {n} of {n_all} row names are known genes."),
        "gene_names_rewritten": N_(
            "Names that a program, such as R, had changed, and that were restored ({n}): {names}."
        ),
        "gene_set_low_coverage": N_("Gene set {name} is not scored: {reason}."),
        "gene_set_low_coverage.unknown": N_(
            "No gene of gene set {name} is known; it is not scored: {genes}."
        ),
        "gene_set_low_coverage.partly": N_(
            "Genes of gene set {name} that are not known ({n} of {n_all}): {genes}."
        ),
        "gene_set_too_large": N_(
            "Gene set {name} has {n} genes. The mean of so many genes is not informative."
        ),
        "gene_zero_in_all.zero": N_("Zero in every sample, although the reference expresses them: {names}."),
        "gene_zero_in_all.near_zero": N_(
            "Near zero in almost all samples, although the reference expresses them: {names}. "
            "Scores use these genes; --reference cohort or a fitted reference leaves them out."
        ),
        "gene_zero_in_all.left_out": N_(
            "Left out by reference {name}, because its pipeline does not quantify them: {names}."
        ),
        "gmt_no_description.column": N_(
            "The {n} gene sets have no descriptions: the second field is a gene, and was read as one."
        ),
        "gmt_no_description": N_("Gene set {name} has no description."),
        "hla_unquantified.core": N_(
            "B2M, HLA-A, HLA-B or HLA-C is exactly zero. It was not quantified, because "
            "infiltrating cells always express it. MHC class I loss is not evaluable."
        ),
        "hla_unquantified.absent": N_(
            "B2M, or all of HLA-A, HLA-B and HLA-C, are not measured. MHC class I loss is not evaluable."
        ),
        "hla_unquantified.zero": N_(
            "Presentation genes are zero in every sample, although the reference expresses them: {names}."
        ),
        "hla_unquantified.near_zero": N_(
            "Presentation genes are near zero in almost all samples, although the reference "
            "expresses them: {names}. Scores use these genes; --reference cohort or a fitted "
            "reference leaves them out."
        ),
        "hla_unquantified.below_siblings": N_(
            "Far below the other MHC class I genes in the whole cohort, so probably an effect of "
            "the pipeline: {names}. Scores use these genes; --reference cohort or a fitted "
            "reference leaves them out."
        ),
        "hla_unquantified.left_out": N_(
            "Presentation genes left out by reference {name}, because its pipeline does not "
            "quantify them: {names}."
        ),
        "identical_samples": N_("All values are the same as those of {names}."),
        "implausible_profile": N_(
            "Leukocytes make up more than {limit:.0%} of the RNA. Check that this is a tumour sample."
        ),
        "key_genes_missing.partial": N_(
            "Scored with less than {limit:.0%} of their genes, so less reliable: {names}."
        ),
        "key_genes_missing.absent": N_(
            "Not evaluable in any sample, because their genes are not measured: {names}."
        ),
        "mhc_locus_unquantified": N_(
            "All genes of 6p21 are low, MHC genes and others: the locus was under-quantified. "
            "HLA, TAP and their neighbours are treated as not measured."
        ),
        "mhc_locus_unquantified.cohort": N_(
            "6p21 is under-quantified in {n} of {n_all} samples. The MHC genes of the other "
            "samples come from the same pipeline and are uncertain too."
        ),
        "missing_values": N_("Missing: {n} of {n_all} genes ({share:.3%})."),
        "mixed_gene_ids": N_(
            "Rows have several kinds of identifiers ({kinds}); each was looked up by its kind."
        ),
        "mixed_units": N_("The sum is 1e6, as of TPM, in only {n} of {n_all} samples. Units may be mixed."),
        "nanostring_scaled.housekeeping": N_(
            "NanoString counts of each sample were scaled so that the geometric mean of {n} "
            "housekeeping genes is {target:g}. Background was not subtracted."
        ),
        "nanostring_scaled.positive": N_(
            "NanoString counts of each sample were scaled so that the geometric mean of {n} positive "
            "controls is {target:g}, because there are fewer than 3 housekeeping genes. Background was "
            "not subtracted."
        ),
        "nanostring_scaled.before": N_(
            "NanoString values are not whole numbers, so they were not scaled again: {names}."
        ),
        "nanostring_weak.background": N_(
            "Housekeeping genes are within the background of the negative controls: {names}. Scaled "
            "values of these samples are noise."
        ),
        "nanostring_weak.lane": N_(
            "Less than 75 % of the fields of view were counted, or the binding density is outside 0.05 to "
            "2.25: {names}."
        ),
        "nanostring_weak.no_controls": N_(
            "The file has neither 3 housekeeping genes nor positive controls, so NanoString counts were "
            "not scaled."
        ),
        "no_metadata": N_("The sample sheet has no row for {sample}."),
        "non_gene_rows": N_(
            "Rows that are totals, summaries or spike-ins, not genes, left out ({n}): {names}."
        ),
        "purity_out_of_range": N_(
            "purity is {number:g}, not between 0 and 1, and is left out. Give it as a share: 0.45, not 45."
        ),
        "quantile_normalised": N_(
            "All {n} samples have the same distribution of values. They look quantile-normalised."
        ),
        "quantity_chosen.column": N_(
            "The file has several quantities of each sample. {chosen} is read; not read: {names}."
        ),
        "quantity_chosen.bare": N_(
            "The file has several quantities of each sample. The columns whose names state no unit "
            "are read; not read: {names}."
        ),
        "quantity_chosen.strand": N_(
            "The file has counts by strand. {column} is read, because the counts show this strandedness."
        ),
        "not_a_tumour.normal": N_(
            "According to the sample sheet or the barcode, this sample is normal tissue. The profile "
            "describes tumours."
        ),
        "not_a_tumour.cell_line": N_(
            "According to the sample sheet or the barcode, this sample is a cell line. A cell line has no "
            "infiltrate."
        ),
        "reference_left_out.normal": N_("Normal tissue: not used for the reference of this cohort."),
        "reference_left_out.cell_line": N_("Cell line: not used for the reference of this cohort."),
        "reference_left_out.repeat": N_(
            "Further sample of a patient: not used for the reference of this cohort."
        ),
        "reference_skipped": N_("Reference {name} was not considered, because it cannot be read: {why}"),
        "reference_distant": N_(
            "Pipeline or tissue differ from the reference {name}. Levels are provisional. Percentiles, "
            "index, phenotype and archetype are not given. Comparisons within a cohort are not "
            "affected. To fix this, fit a reference on samples from your own pipeline (escape-"
            "score reference fit)."
        ),
        "reference_edited": N_(
            "A file of the reference {name} was changed after the fit. To fix this, fit it again."
        ),
        "renamed_symbols": N_("Old symbols or aliases that were renamed ({n}): {names}."),
        "rescaled_to_tpm": N_("Values summed to {total:,.0f}; rescaled to 1,000,000."),
        "sample_constant": N_("All genes of this sample have the value {value:.6g}; it is not scored."),
        "sample_empty.missing": N_("No gene of this sample has a value; it is not scored."),
        "sample_empty.zero": N_("All genes of this sample are 0; it is not scored."),
        "sheet_columns_unused": N_(
            "Columns of the sample sheet without a known name ({n}): {columns}. Those that divide the "
            "samples into groups are kept, others are not read. Use --map to name a column."
        ),
        "sheet_ids_respelt": N_("Sample ids matched in spite of a different spelling ({n}): {names}."),
        "sheet_duplicate_rows": N_("Repeated rows of the sample sheet: {n}. One of each is used."),
        "sheet_rows_unused": N_("{n} rows of the sample sheet match no sample: {names}."),
        "sheet_rows_unused.one": N_("{n} row of the sample sheet matches no sample: {names}."),
        "species_suspect": N_(
            "Rows of genes of another species, such as {name!r}, left out: {n} of {n_all}."
        ),
        "species_suspect.share": N_("{share:.1%} of the expression is in rows of another species."),
        "targeted_panel": N_(
            "{n} genes are measured: a targeted panel. Mechanisms whose genes are not on the "
            "panel are not evaluable."
        ),
        "trailing_bytes": N_("The compressed file has zeros after its end mark; they were ignored."),
        "tumour_type_differs": N_(
            "The sample sheet gives the tumour type {given}, and the reference is {reference_type}. Many "
            "genes have other levels in another tumour type, so scores, percentiles and calls may "
            "be misleading. Use a reference of the same tumour type."
        ),
        "tumour_type_unknown": N_(
            "The tumour type {given!r} of the sample sheet is not a known name. It was not compared with "
            "the reference."
        ),
        "units_guessed.near_tpm": N_(
            "The unit was inferred as {unit}: linear values with sums near 1e6, as TPM that lost "
            "some genes. Use --units to be sure."
        ),
        "units_guessed.fpkm": N_(
            "The unit was inferred as {unit}: linear values that are not integers and do not add "
            "up to 1e6. Use --units to be sure."
        ),
        "units_guessed.log": N_(
            "The unit was inferred as {unit}: without the logarithm, samples add up to {behind}. "
            "Use --units to be sure."
        ),
        "units_guessed.cpm": N_(
            "The unit was inferred as {unit}: samples add up to 1e6, and values grow with gene length "
            "(slope {slope:.2f}), which TPM do not. Use --units to be sure."
        ),
        "units_guessed.tpm_or_cpm": N_(
            "The unit was inferred as {unit}: samples add up to a round number. Values grow a little "
            "with gene length (slope {slope:.2f}), so CPM are possible too. Use --units to be sure."
        ),
        "units_guessed.ten_thousand": N_(
            "The unit was inferred as {unit}: samples add up to 10,000, as single cells are normalised. "
            "Use --units to be sure."
        ),
        "units_guessed.estimated_counts": N_(
            "The unit was inferred as {unit}: many small values are integers, as RSEM and salmon "
            "estimate them. Use --units to be sure."
        ),
        "units_guessed.normalised_counts": N_(
            "The unit was inferred as {unit}: values are not integers and grow with gene length (slope "
            "{slope:.2f}), as normalised counts do. Use --units to be sure."
        ),
        "units_suspect.umi": N_(
            "Integers that do not grow with gene length (slope {slope:.2f}), read as {unit} and divided "
            "by length. UMI and 3' counts are such numbers: if these are, use --units umi."
        ),
        "units_suspect.no_length_bias": N_(
            "Values do not grow with gene length (slope {slope:.2f}), but {unit} do. These fit: {fitting}."
        ),
        "units_suspect.length_bias": N_(
            "Values grow with gene length (slope {slope:.2f}), but {unit} do not. These fit: {fitting}."
        ),
        "units_suspect.low": N_(
            "No value is above {limit:g}, which is low for {unit}. Check that these are not logarithms."
        ),
        "units_suspect.not_whole": N_(
            "Values are not integers. This is expected for RSEM or salmon estimates; otherwise "
            "check the input."
        ),
        "units_suspect.sums": N_("Sums of samples are {sums}, but TPM add up to 1e6."),
        "units_suspect.below_zero": N_("Values below 0, which count as 0: {n} (the lowest {lowest:.4g})."),
        "units_suspect.signals": N_(
            "Values are {unit} signals, placed on an RNA-seq reference by anchor genes. Levels "
            "are approximate."
        ),
        "unknown_genes": N_(
            "Row names that are not known, or belong to several genes ({n} of {n_all}): {names}. "
            "They are in no score."
        ),
        "unknown_genes.sets": N_("Genes of the gene sets that are not known ({n} of {n_all}): {names}."),
        "unknown_label": N_("The label {word!r} is not a known word; it is left out."),
        "unnamed_genes": N_("Rows without a gene name, left out: {n}."),
        "call.no_genes": N_("Too few of its genes are measured, or they are not reliable in this sample."),
        "call.lifted": N_(
            "The low values of this sample are not those of its unit, so levels of weak genes are wrong."
        ),
        "call.no_molecule": N_(
            "B2M, or all of HLA-A, HLA-B and HLA-C, are not measured. Without them a loss of MHC "
            "class I cannot be judged."
        ),
        "call.no_link": N_(
            "A five-fold loss of a single gene in the tumour cells could not be seen here: the "
            "infiltrate hides it, the reference has no baseline for single genes, or genes are "
            "not measured."
        ),
        "call.single_gene": N_(
            "The level of a single gene cannot be judged here, because pipeline or tissue of the "
            "sample differ from the reference."
        ),
        "call.doubt": N_(
            "The interval {low:.2f} to {high:.2f} includes both the centre of the reference (0) "
            "and the threshold {threshold:g}."
        ),
        "call.few": N_(
            "The score is relative to {cells}, which are below the limit of detection here: too few of their "
            "genes are detected."
        ),
        "call.few_beside": N_(
            "The score is relative to {cells}, which are too few here: other leukocytes, which express the "
            "same genes, outnumber them."
        ),
        "call.silent": N_(
            "Too few of its genes have any reads, so a score above the centre would only be an upper bound."
        ),
        "call.uncovered": N_(
            "The interferon response of the tumour cells is beyond that of the tumours of the reference."
        ),
        "call.stand_in": N_(
            "The MHC region (6p21) was not quantified. The score {score:.2f} comes from genes outside it, "
            "which do not permit a call."
        ),
        "call.contradicts": N_(
            "Score {score:.2f} reaches the threshold {threshold:g} only by its adjustment: without it, the "
            "genes are below the centre of the reference."
        ),
        "call.context": N_("Score {score:.2f}. Descriptive only; no call is made."),
        "call.borderline": N_(
            "Score {score:.2f} reaches the threshold {threshold:g}, but its interval {low:.2f} to {high:.2f} "
            "includes the threshold."
        ),
        "call.hidden": N_(
            "Score {score:.2f} shows no loss. However, a five-fold loss in the tumour cells would"
            " hardly be visible here: the infiltrate hides it, or levels are uncertain."
        ),
        "call.reaches": N_("Score {score:.2f} reaches the threshold {threshold:g}."),
        "call.below": N_("Score {score:.2f} is below the threshold {threshold:g}."),
        "percentile.not_evaluable": N_("The mechanism is not evaluable in this sample."),
        "percentile.few_tumours": N_("The reference has {n} tumours with this score; {least} are needed."),
        "percentile.distant": N_("The sample is too far from the reference for its levels to be compared."),
        "call.reaches_cohort": N_(
            "Score {score:.2f} reaches the threshold {threshold:g}: high for this cohort."
        ),
        "call.below_cohort": N_(
            "Score {score:.2f} is below the threshold {threshold:g}: not high for this cohort."
        ),
        "withheld.levels": N_(
            "Compare samples within the cohort only. Phenotype and archetype are not given."
        ),
        "withheld.calls": N_(
            "Interferon-gamma signalling is not called. Other mechanisms are not called where the interval "
            "includes both the centre of the reference and the threshold."
        ),
        "withheld.percentiles": N_("Percentiles and index are not given."),
        "msi.high": N_(
            "Microsatellite status in the sample sheet: {given}. An immunotherapy is approved for"
            " tumours of this type. Read this before the index, which does not include it."
        ),
        "msi.high_not_seen": N_(
            "The sample sheet gives {given}, but MLH1 is not silenced in RNA. The assay is "
            "decisive: this proxy misses loss of MSH2, MSH6 and PMS2 and germline Lynch syndrome."
        ),
        "msi.stable_but_seen": N_(
            "The sample sheet gives {given}, but MLH1 and EPM2AIP1 are silenced in RNA, as in "
            "mismatch-repair deficient tumours. Check the assay, and that sheet and sample belong"
            " together."
        ),
        "unpaired.missing": N_(
            "Not compared with other samples of the same patient: a timepoint is missing."
        ),
        "unpaired.no_order": N_(
            "Not compared with other samples of the same patient: the timepoints {names} have no known order."
        ),
        "unpaired.same_time": N_(
            "Not compared with other samples of the same patient: two have the same timepoint ({names})."
        ),
        "unit.declared": N_("declared {unit}; {figures}"),
        "unit.layout": N_("{unit}, stated by the layout of the file; {figures}"),
        "unit.figures": N_(
            "values {lowest:.6g} to {highest:.6g}, {share:.3%} below 0, sums of samples {sums}"
        ),
        "unit.tpm": N_("{figures}: linear, every sample adds up to 1e6 as TPM do"),
        "unit.counts": N_("{figures}: integers with varying sums, as counts"),
        "unit.near_tpm": N_("{figures}: linear, sums near 1e6 as TPM that lost some genes"),
        "unit.fpkm": N_("{figures}: linear, not integers, sums other than 1e6, as FPKM"),
        "unit.log": N_("{figures}: logarithms; undone as {unit}, samples add up to {behind}"),
        "unit.cpm": N_(
            "{figures}: samples add up to 1e6, and values grow with gene length (slope {slope:.2f}), as CPM"
        ),
        "unit.tpm_or_cpm": N_(
            "{figures}: samples add up to a round number, as TPM or CPM; length slope {slope:.2f}"
        ),
        "unit.ten_thousand": N_("{figures}: linear, every sample adds up to 10,000"),
        "unit.estimated_counts": N_("{figures}: many small values are integers, as estimated counts"),
        "unit.normalised_counts": N_(
            "{figures}: values grow with gene length (slope {slope:.2f}), as normalised counts"
        ),
        "unit.tcga_rsem": N_(
            "{figures}: the upper quartile of every sample is 1,000, as in RSEM of The Cancer Genome Atlas"
        ),
        "unit.floor": N_("{figures}: logarithms, {n} values at −9.97, which is log2(0.001), and none lower"),
        "sums.none": N_("none"),
        "sums.one": N_("{value:.6g}"),
        "sums.range": N_("{low:.6g} to {high:.6g}"),
        "id_kind.symbols": N_("symbols"),
        "id_kind.ensembl": N_("Ensembl ids"),
        "id_kind.entrez": N_("Entrez ids"),
        "id_kind.hgnc": N_("HGNC ids"),
        "lengths.shipped": N_("the shipped lengths (effective lengths of TCGA tumours, else GENCODE 48)"),
        "lengths.tcga": N_("the effective lengths of TCGA's pipeline"),
        "lengths.positions": N_("the positions given (end - start + 1, introns included)"),
        "lengths.file": N_("the lengths in the file of the matrix"),
        "lengths.given": N_("the lengths given"),
        "not_scored.genes": N_("{n} of {n_all} genes measured, {n_needed} needed"),
        "not_scored.share": N_("{share:.0%} of its genes are measured"),
        "not_scored.coverage": N_(
            "at most {n} of {n_all} genes measured; needs a fraction of at least {limit:g}"
        ),
        "not_scored.too_large": N_("{n} of the {n_all} genes measured, too many for the method"),
        "not_scored.samples": N_(
            "compares samples: needs at least {least} with enough genes measured, has {n}"
        ),
        "not_scored.all_genes": N_("z over all genes needs at least {least} of them, {n} are measured"),
        "not_scored.factor": N_("less than a fraction of {limit:g} of the genes of a factor is measured"),
        "not_scored.varying": N_("{n} of {n_all} genes are measured in all samples compared and vary"),
        "not_scored.component": N_("the first component does not follow the mean of the genes"),
        "not_scored.pairs": N_("at most {n} of {n_all} pairs measured; needs all"),
        "not_scored.needs_tpm": N_("needs TPM of the whole transcriptome"),
        "not_scored.needs_gene_order": N_("needs values that can be compared between the genes of a sample"),
        "statistics.how_to_read": N_(
            "These numbers describe this cohort. Only adjusted estimates, where there are any, take other"
            " variables into account. Association is not causation."
        ),
        "statistics.not_counted": N_("Samples not counted: {n} of {n_all}."),
        "statistics.no_patient_id": N_("Samples without a patient_id: {n}. Each counts as one patient."),
        "statistics.few_groups": N_(
            "Not compared by {column}: fewer than two groups of at least {least} patients."
        ),
        "statistics.few_pairs": N_("Timepoints not compared: fewer than {least} patients with two samples."),
        "statistics.few_os_events": N_(
            "OS not modelled: fewer than {least} events among the patients counted."
        ),
        "statistics.few_pfs_events": N_(
            "PFS not modelled: fewer than {least} events among the patients counted."
        ),
        "statistics.compared": N_("{n} patients compared by {column}: {groups}."),
        "statistics.pairs": N_("Patients sampled before treatment and later, compared in pairs: {n}."),
        "statistics.differ": N_("Measures that differ at a false discovery rate of 5 %: {n} of {n_all}."),
        "statistics.responders": N_("{n} responders and {n_all} non-responders, one sample per patient."),
        "statistics.index_auroc": N_(
            "The index has an AUROC of {number:.2f} (95 % interval {low:.2f} to {high:.2f})."
        ),
        "statistics.best_published": N_(
            "The best of {n} published scores here, {title}, has {number:.2f} (95 % interval "
            "{low:.2f} to {high:.2f}). The best of many looks too good by chance."
        ),
        "statistics.os_models": N_("OS: {n} patients, {n_all} events, one Cox model per measure."),
        "statistics.pfs_models": N_("PFS: {n} patients, {n_all} events, one Cox model per measure."),
        "statistics.index_hazard": N_(
            "The index has a hazard ratio per SD of {number:.2f} (95 % interval {low:.2f} to "
            "{high:.2f}), concordance {share:.2f}."
        ),
        "statistics.unconverged": N_("{n} models did not converge."),
        "statistics.unconverged.one": N_("{n} model did not converge."),
        "statistics.interaction_found": N_(
            "The association differs between the groups of {column} for {n} of {n_all} measures, at a false "
            "discovery rate of 5 %."
        ),
        "statistics.interaction_none": N_(
            "No evidence that the association differs between the groups of {column}, in any of {n_all} "
            "measures."
        ),
        "statistics.interaction_caution": N_(
            "Interaction tests have low power: no evidence of a difference does not mean that there is none. "
            "Nothing here shows that {column} was randomised, so a difference can also come from other "
            "differences between the patients."
        ),
        "no_model.constant": N_("no covariate varies"),
        "no_model.few_events": N_(
            "fewer than {least} events, or patients with the rarer response, per term of the model"
        ),
        "no_model.few_samples": N_("fewer than {least} samples per term of the model"),
        "no_model.collinear": N_("a column of the model follows from the others"),
        "no_model.separated": N_("no finite estimate, since a column separates the outcomes"),
        "no_model.few_in_group": N_("fewer than {least} samples of a group with all covariates"),
        "no_model.few_groups": N_("fewer than two groups of at least {least} samples"),
        "no_model.few_events_in_group": N_(
            "fewer than {least} events, or patients with the rarer response, in a group"
        ),
        "compared.references": N_(
            "The cohorts were compared with different references ({names}). Levels and calls are not "
            "comparable between these cohorts. Effects inside a cohort are."
        ),
        "compared.cohort_relative": N_(
            "Scored against the cohort itself: {names}. There, high and low are those of that cohort. Its "
            "levels and calls are not comparable with those of other cohorts. Effects inside a cohort are."
        ),
        "compared.gene_sets": N_(
            "The cohorts were scored with different gene sets. The same measure may be defined differently."
        ),
        "compared.versions": N_(
            "The results were made with different versions of the program ({names}). Run all cohorts with "
            "one version."
        ),
        "compared.shared_samples": N_(
            "{first} and {second} have {n} sample names in common. If these are the same patients, the "
            "cohorts are not independent, and the pooled intervals are too narrow."
        ),
        "compared.shared_samples.one": N_(
            "{first} and {second} have {n} sample name in common. If this is the same patient, the cohorts "
            "are not independent, and the pooled intervals are too narrow."
        ),
        "compared.no_question": N_("No effect was pooled: no label with enough samples is in two cohorts."),
        "compared.many_groups": N_(
            "{column}: {n} groups ({names}); only comparisons of two groups are pooled."
        ),
        "compared.how_to_read": N_(
            "Each effect compares samples inside one cohort. A pooled effect is a weighted mean of these "
            "effects. Association is not causation."
        ),
        "compared.two_cohorts": N_(
            "Effects of only two cohorts are pooled as a fixed effect: a mean of these two cohorts. It does "
            "not apply to other cohorts."
        ),
        "compared.few_cohorts": N_(
            "Effects of {least} or more cohorts are pooled with random effects, which allow for differences "
            "between cohorts. With few cohorts the intervals are wide, and the variance between cohorts is "
            "uncertain."
        ),
        "compared.found": N_(
            "{n} of {n_all} measures have a pooled effect at a false discovery rate of 5 %."
        ),
        "compared.found.one": N_(
            "{n} of {n_all} measures has a pooled effect at a false discovery rate of 5 %."
        ),
        "compared.index_auroc": N_(
            "The index has a pooled AUROC of {number:.2f} (95 % interval {low:.2f} to {high:.2f})."
        ),
        "compared.index_hazard_ratio": N_(
            "The index has a pooled hazard ratio per SD of {number:.2f} (95 % interval {low:.2f} to "
            "{high:.2f})."
        ),
        "compared.index_rank_biserial": N_(
            "The index has a pooled rank-biserial effect of {number:.2f} (95 % interval {low:.2f} to "
            "{high:.2f})."
        ),
        "not_pooled.no_labels": N_("no such labels, or too few samples with them"),
        "not_pooled.other_groups": N_("other groups in this column"),
        "not_pooled.untested": N_("not tested: too few samples have a value, or all are equal"),
        "not_pooled.no_error": N_("no standard error: the effect is at the end of its scale"),
        "not_pooled.other_definition": N_("the measure has another unit or direction there"),
        "left_out.no_column": N_("no {value} in the sample sheet"),
        "left_out.no_os": N_("no os_days or os_event"),
        "left_out.no_pfs": N_("no pfs_days or pfs_event"),
        "left_out.small_group": N_("group of fewer than {value}"),
        "left_out.no_second": N_("no second sample of the patient"),
        "left_out.repeated": N_("another sample of the same patient"),
        "left_out.treated": N_("taken on or after treatment"),
        "left_out.unknown_timepoint": N_("its timepoint is not a known word"),
        "column.response": N_("response"),
        "column.msi": N_("msi"),
        "column.site": N_("site"),
        "column.cancer_type": N_("cancer_type"),
        "column.pdl1_ihc": N_("pdl1_ihc"),
        "column.other": N_("{name}"),
        "group": N_("{group} (n = {n})"),
        "reference_choice.named": N_("Compared with {name}, as requested."),
        "reference_choice.cohort_named": N_(
            "Compared with {n:,} tumours of this cohort itself, as requested (fitted together with "
            "{base}). The numbers of a sample depend on the others."
        ),
        "reference_choice.cohort_named.some": N_(
            "Compared with {n:,} of the {n_all:,} tumours of this cohort, evenly chosen, as requested "
            "(fitted together with {base}). The numbers of a sample depend on the others."
        ),
        "reference_choice.kept": N_(
            "Compared with your reference {name}: it matches {share:.0%} of the samples, {good:.0%} well."
        ),
        "reference_choice.type": N_(
            "Compared with {name}: it has the tumour type of the samples and matches {share:.0%} of them, "
            "{good:.0%} well."
        ),
        "reference_choice.closest": N_(
            "Compared with {name}: the closest of {n} references, it matches {share:.0%} of the samples, "
            "{good:.0%} well."
        ),
        "reference_choice.cohort": N_(
            "Compared with {n:,} tumours of this cohort itself: the closest reference, {base}, matches "
            "{share:.0%} of the samples well. The numbers of a sample depend on the others."
        ),
        "reference_choice.cohort.some": N_(
            "Compared with {n:,} of the {n_all:,} tumours of this cohort, evenly chosen: the closest "
            "reference, {base}, matches {share:.0%} of the samples well. The numbers of a sample depend on "
            "the others."
        ),
        "reference_choice.provisional": N_(
            "Compared with {name}: the closest of {n} references, but it matches only {share:.0%} of the "
            "samples. {why}"
        ),
        "reference_choice.few": N_(
            "The cohort cannot be its own reference: it needs {least} tumours, and {n} can be used."
        ),
        "reference_choice.batches": N_(
            "The cohort cannot be its own reference: two groups of samples differ like two pipelines, "
            "{n_first} ({first}, …) and {n_second} ({second}, …)."
        ),
        "reference_choice.batches_by": N_(
            "The cohort cannot be its own reference: two groups of samples differ like two pipelines, "
            "{n_first} ({first}, …) and {n_second} ({second}, …). Column {column} of the sample sheet "
            "separates them."
        ),
        "more_evaluable.samples": N_(
            "Profile {n} or more further tumours from the same pipeline together with these."
        ),
        "more_evaluable.separate": N_("Profile each of the two groups on its own."),
        "more_evaluable.fit": N_(
            "Fit a reference on {least} or more tumours from your own pipeline: escape-score reference fit."
        ),
        "more_evaluable.type": N_("Give the tumour type in the sample sheet (column cancer_type)."),
        "more_evaluable.fetch": N_(
            "Fetch the public reference of the tumour type: escape-score reference fetch {names}."
        ),
    }
)
"""Templates by code, or by code and kind.

``.one`` is used where ``n`` is 1, ``.some`` where it is less than ``n_all``.
"""

RECORD_TEXTS = (
    N_("no page: the job that writes it did not finish; run the same command again"),
    N_("none; a second implementation in R 4.2.2"),
    N_("not computed here"),
    N_("easier 1.1.0 (IMPRES); COMPASS counts the same pairs"),
    N_("easier 1.1.0 (chemokines), up to the sign"),
    N_("response"),
    N_("msi"),
    N_("site"),
    N_("cancer_type"),
    N_("pdl1_ihc"),
    N_("timepoint"),
    N_("before treatment"),
    N_("on or after treatment"),
    N_("counts"),
    N_("tpm"),
    N_("fpkm"),
    N_("cpm"),
    N_("umi"),
    N_("tcga_rsem"),
    N_("estimated_counts"),
    N_("normalised_counts"),
    N_("array"),
    N_("nanostring"),
)
"""Texts of records that are no notes and come from no resource."""

TRANSLATED_PARAMS = frozenset({"cells", "reference_type", "unit"})
"""Params whose words may be in the catalogue; all other names stay as they are."""

_DOUBLE_STOP = re.compile(r"(?<!\.)\.\.$")
_FIELD = re.compile(r"\{(\w+)(!r)?(?::([^{}]*))?\}")


class Field(NamedTuple):
    """Where a template has a param of its note, and the format of a number."""

    name: str
    form: str
    is_quoted: bool


@lru_cache(maxsize=2048)
def _parts(template: str) -> tuple[str, tuple[Field, ...]]:
    """Texts of a template with ``%s`` for each field, and its fields; all notes of a kind share them."""
    text, fields, end = "", list[Field](), 0
    for found in _FIELD.finditer(template):
        text += template[end : found.start()].replace("%", "%%") + "%s"
        fields.append(Field(found[1], found[3] or "", bool(found[2])))
        end = found.end()
    return text + template[end:].replace("%", "%%"), tuple(fields)


def sentence(note: NoteRecord, words: Language) -> str:
    """Write a note as a sentence.

    Not escaped; the code and its params where this version has no template for it.
    """
    template = template_of(note)
    if template is None:
        return _untranslated(note)
    return _filled(template, lambda field: _field(note, field, words), words)


def _untranslated(note: NoteRecord) -> str:
    return f"{note.code}: " + ", ".join(f"{name} {value}" for name, value in note.params.items())


def _filled(template: str, write: Callable[[Field], str], words: Language) -> str:
    """A template in the language of the page, with its fields as ``write`` writes them."""
    form, fields = _parts(words.gettext(template))
    text = form % tuple([write(field) for field in fields])
    # a name of the input may end with a full stop, as the sentence does
    return _DOUBLE_STOP.sub(".", text) if ".." in text else text


def shared_sentence(notes: Sequence[NoteRecord], words: Language) -> str:
    """Write notes of one code and kind as one sentence: figures that differ as a range, names as a list."""
    template = template_of(notes[0])
    if template is None:
        return _untranslated(notes[0])

    def shared(field: Field) -> str:
        written = [_field(note, field, words) for note in notes]
        numbers = [value for note in notes if _is_number(value := note.params.get(field.name))]
        if len(set(written)) > 1 and len(numbers) == len(notes):
            ends = (words.number(format(end, field.form)) for end in (min(numbers), max(numbers)))
            return "–".join(dict.fromkeys(ends))
        distinct = list(dict.fromkeys(written))
        rest = words.ngettext("and {n} more", "and {n} more", len(distinct) - MAX_NAMED)
        shown = ", ".join(distinct[:MAX_NAMED])
        n_more = len(distinct) - MAX_NAMED
        return f"{shown} {rest.format(n=n_more)}" if n_more > 0 else shown

    return _filled(template, shared, words)


def _is_number(value: ParamRecord) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _field(note: NoteRecord, field: Field, words: Language) -> str:
    """One field of a template as a note fills it."""
    value = note.params.get(field.name, "")
    if type(value) is float:  # most fields are numbers
        return words.number(format(value, field.form))
    if field.name in TRANSLATED_PARAMS and isinstance(value, str):
        value = translate_record_text(value, words)
    text = _written(value, field, words)
    return text + _more(note, words) if isinstance(value, tuple) else text


def template_of(note: NoteRecord) -> str | None:
    """English template of a note; None where there is none."""
    params = note.params
    kind, n = params.get("kind"), params.get("n")
    key = f"{note.code}.{kind}" if kind else note.code
    if n is None:
        return MESSAGES.get(key)
    n_all = params.get("n_all")
    if n == 1 and f"{key}.one" in MESSAGES:
        return MESSAGES[f"{key}.one"]
    if _is_number(n) and _is_number(n_all) and n < n_all and f"{key}.some" in MESSAGES:
        return MESSAGES[f"{key}.some"]
    return MESSAGES.get(key)


def _more(note: NoteRecord, words: Language) -> str:
    """What follows the names of a list that are written out."""
    n_more = note.params.get("n_more")
    if not isinstance(n_more, int):
        return ""
    return " " + words.ngettext("and {n} more", "and {n} more", n_more).format(n=n_more)


def _written(value: ParamRecord, field: Field, words: Language) -> str:
    """One param as text of the language."""
    if isinstance(value, NoteRecord):
        return sentence(value, words)
    if isinstance(value, tuple):
        items = (sentence(one, words) if isinstance(one, NoteRecord) else one for one in value)
        return ", ".join(items)
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, str):
        return repr(value) if field.is_quoted else value
    return words.number(format(value, field.form or ("," if isinstance(value, int) else "")))


def english(*notes: NoteRecord) -> str:
    """Notes of one code and kind in English, for tables and the command line.

    The minus is that of the keyboard, which every terminal shows and every program reads.
    """
    return shared_sentence(notes, translations(SOURCE_LANGUAGE)).replace(MINUS, "-")


def visible_markup(note: NoteRecord, words: Language) -> Markup:
    """A note as escaped text; invisible characters of names from outside are spelt out."""
    return note_markup(visible_note(note), words)


def note_markup(note: NoteRecord, words: Language) -> Markup:
    """A note as escaped text; marked as English where the language has no translation."""
    text = sentence(note, words)
    if is_in_language(note, words):
        return escaped(text)
    return Markup('<span lang="{}">{}</span>').format(SOURCE_LANGUAGE, text)


def is_in_language(note: NoteRecord, words: Language) -> bool:
    """Whether the sentence of a note is in the language of the page, and not left in English."""
    if words.lang == SOURCE_LANGUAGE:
        return True
    template = template_of(note)
    return template is not None and words.find(template) is not None
