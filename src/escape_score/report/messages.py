"""Sentences of notes: one template for every code and kind, in English; catalogues have the other languages.

A template names the params of its note, with the format of Python: ``{share:.0%}``. Names from the input are
put in as they are, so that no language changes them.
"""

from __future__ import annotations

import re
from types import MappingProxyType

from markupsafe import Markup

from escape_score.model.record import NoteRecord, ParamRecord
from escape_score.report.text.i18n import SOURCE_LANGUAGE, Language, translate_record_text, translations


def N_(message: str) -> str:  # noqa: N802
    """Mark a text for the catalogue; it is translated where it is shown."""
    return message


MESSAGES = MappingProxyType(
    {
        "bad_survival.days": N_("{column} is {value!r}, which is not a number of days; it is left out."),
        "bad_survival.event": N_("{column} must be 0/1 or true/false and is {value!r}; it is left out."),
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
        "counts_without_lengths": N_("{n} genes have no length and were left out: {names}."),
        "duplicate_gene_in_set": N_("Gene set {name} lists {genes} more than once; each gene counts once."),
        "duplicate_genes": N_("{n} names are in several rows, which were summed: {names}."),
        "duplicate_genes_after_mapping": N_("{n} genes have several names, which were summed: {names}."),
        "excel_gene_dates": N_("{n} names are dates made by a spreadsheet; those genes are lost: {names}."),
        "few_genes": N_(
            "Only {n} of {n_all} genes are detected. Possible causes: few reads or degraded RNA."
        ),
        "gene_case_changed": N_("{n} names matched in another case: {names}."),
        "gene_ids_suspect": N_("Only {n} of {n_all} row names are known genes."),
        "gene_set_low_coverage": N_("Gene set {name} is not scored: {reason}."),
        "gene_set_low_coverage.unknown": N_("No gene of gene set {name} is known; it is not scored."),
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
        "gmt_no_description": N_("Gene set {name} has no description."),
        "hla_unquantified.core": N_(
            "B2M, HLA-A, HLA-B or HLA-C is exactly zero. It was not quantified, because "
            "infiltrating cells always express it. MHC class I loss is not evaluable."
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
        "missing_values": N_("{n} of {n_all} genes are missing ({share:.3%})."),
        "mixed_gene_ids": N_(
            "Rows have several kinds of identifiers ({kinds}); each was looked up by its kind."
        ),
        "mixed_units": N_("Only {n} of {n_all} samples add up to 1e6 as TPM do. Units may be mixed."),
        "no_metadata": N_("The sample sheet has no row for {sample}."),
        "non_gene_rows": N_("{n} rows are summaries or spike-ins, not genes, and were left out: {names}."),
        "purity_out_of_range": N_("purity is {number:g}, not between 0 and 1; it is left out."),
        "quantile_normalised": N_(
            "All {n} samples have the same distribution of values. They look quantile-normalised."
        ),
        "reference_distant": N_(
            "Pipeline or tissue differ from the reference {name}. Levels are provisional; "
            "percentiles and archetype are withheld. Comparisons within a cohort are not "
            "affected. To fix this, fit a reference on samples from your own pipeline (escape-"
            "score reference fit)."
        ),
        "reference_edited": N_(
            "A file of the reference {name} was changed after the fit. To fix this, fit it again."
        ),
        "renamed_symbols": N_("{n} old symbols or aliases were renamed: {names}."),
        "rescaled_to_tpm": N_("Values summed to {total:,.0f}; rescaled to 1,000,000."),
        "sample_constant": N_("All genes of this sample have the value {value:.6g}; it is not scored."),
        "sample_empty.missing": N_("No gene of this sample has a value; it is not scored."),
        "sample_empty.zero": N_("All genes of this sample are 0; it is not scored."),
        "sheet_duplicate_rows": N_("{n} rows of the sample sheet are repeated; one of each is used."),
        "sheet_rows_unused": N_("{n} rows of the sample sheet match no sample: {names}."),
        "species_suspect": N_(
            "{n} of {n_all} rows are genes of another species, such as {name!r}. They count in "
            "the totals of the samples, but in no score."
        ),
        "targeted_panel": N_(
            "{n} genes are measured: a targeted panel. Mechanisms whose genes are not on the "
            "panel are not evaluable."
        ),
        "trailing_bytes": N_("The compressed file has zeros after its end mark; they were ignored."),
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
        "units_suspect.low": N_(
            "No value is above {limit:g}, which is low for {unit}. Check that these are not logarithms."
        ),
        "units_suspect.not_whole": N_(
            "Values are not integers. This is expected for RSEM or salmon estimates; otherwise "
            "check the input."
        ),
        "units_suspect.sums": N_("Sums of samples are {sums}, but TPM add up to 1e6."),
        "units_suspect.below_zero": N_("{n} values are below 0 (the lowest {lowest:.4g}) and count as 0."),
        "units_suspect.signals": N_(
            "Values are {unit} signals, placed on an RNA-seq reference by anchor genes. Levels "
            "are approximate."
        ),
        "unknown_label": N_("The response {word!r} is not a known word; it is left out."),
        "unnamed_genes": N_("{n} rows have no gene name and were left out."),
        "call.no_genes": N_("Too few of its genes are measured, or they are not reliable in this sample."),
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
            "and the threshold {threshold:g}, and the sample does not match the reference well."
        ),
        "call.hidden": N_(
            "Score {score:.2f} shows no loss. However, a five-fold loss in the tumour cells would"
            " hardly be visible here: the infiltrate hides it, or levels are uncertain."
        ),
        "call.reaches": N_("Score {score:.2f} reaches the threshold {threshold:g}."),
        "call.reaches_but_centre": N_(
            "Score {score:.2f} reaches the threshold {threshold:g}, but its interval includes the"
            " centre of the reference."
        ),
        "call.reaches_but_hidden": N_(
            "Score {score:.2f} reaches the threshold {threshold:g}, but its interval includes the"
            " centre of the reference, and a five-fold loss in the tumour cells would hardly be "
            "visible here."
        ),
        "call.below": N_("Score {score:.2f} is below the threshold {threshold:g}."),
        "percentile.not_evaluable": N_("The mechanism is not evaluable in this sample."),
        "percentile.few_tumours": N_("The reference has {n} tumours with this score; {least} are needed."),
        "percentile.distant": N_("The sample is too far from the reference for its levels to be compared."),
        "withheld.levels": N_("Levels are provisional; compare samples within the cohort."),
        "withheld.calls": N_(
            "Losses of single genes are not called. Other mechanisms are called only where the "
            "absolute interval is decisive."
        ),
        "withheld.percentiles": N_("Percentiles and archetype are not given."),
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
        "unit.figures": N_(
            "values {lowest:.6g} to {highest:.6g}, {share:.3%} below 0, sums of samples {sums}"
        ),
        "unit.tpm": N_("{figures}: linear, every sample adds up to 1e6 as TPM do"),
        "unit.counts": N_("{figures}: integers with varying sums, as counts"),
        "unit.near_tpm": N_("{figures}: linear, sums near 1e6 as TPM that lost some genes"),
        "unit.fpkm": N_("{figures}: linear, not integers, sums other than 1e6, as FPKM"),
        "unit.log": N_("{figures}: logarithms; undone as {unit}, samples add up to {behind}"),
        "unit.floor": N_("{figures}: logarithms, {n} values at -9.97, which is log2(0.001), and none lower"),
        "sums.none": N_("none"),
        "sums.one": N_("{value:.6g}"),
        "sums.range": N_("{low:.6g} to {high:.6g}"),
        "id_kind.symbols": N_("symbols"),
        "id_kind.ensembl": N_("Ensembl ids"),
        "id_kind.entrez": N_("Entrez ids"),
        "lengths.shipped": N_("the shipped lengths (isoform median, GENCODE 48)"),
        "lengths.given": N_("the lengths given"),
        "not_scored.genes": N_("{n} of {n_all} genes measured, {n_needed} needed"),
        "not_scored.share": N_("{share:.0%} of its genes are measured"),
        "not_scored.coverage": N_(
            "at most {n} of {n_all} genes measured; needs a fraction of at least {limit:g}"
        ),
        "not_scored.samples": N_("compares samples: {n} have enough genes measured, needs at least {least}"),
        "not_scored.all_genes": N_("z over all genes needs at least {least} of them, {n} are measured"),
        "not_scored.factor": N_("less than a fraction of {limit:g} of the genes of a factor is measured"),
        "not_scored.varying": N_("{n} of {n_all} genes are measured in all samples compared and vary"),
        "not_scored.component": N_("the first component does not follow the mean of the genes"),
        "not_scored.pairs": N_("at most {n} of {n_all} pairs measured; needs all"),
        "not_scored.needs_tpm": N_("needs TPM of the whole transcriptome"),
        "not_scored.needs_gene_order": N_("needs values that can be compared between the genes of a sample"),
        "statistics.how_to_read": N_(
            "These numbers describe this cohort. Nothing was fitted to its labels or adjusted for"
            " other variables. Association is not causation."
        ),
        "statistics.not_counted": N_("{n} of {n_all} samples are not counted."),
        "statistics.no_patient_id": N_("{n} samples have no patient_id; each counts as one patient."),
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
        "statistics.pairs": N_("{n} patients sampled before treatment and later, compared in pairs."),
        "statistics.differ": N_("{n} of {n_all} measures differ at a false discovery rate of 5 %."),
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
        "group": N_("{group} (n = {n})"),
    }
)
"""Templates by code, or by code and kind; ``.one`` is used where ``n`` is 1."""

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
    N_("array"),
    N_("nanostring"),
)
"""Texts of records that are no notes and come from no resource."""

_FIELD = re.compile(r"\{(\w+)(!r)?(?::([^{}]*))?\}")


def sentence(note: NoteRecord, words: Language) -> str:
    """Write a note as a sentence.

    Not escaped; the code and its params where this version has no template for it.
    """
    template = template_of(note)
    if template is None:
        return f"{note.code}: " + ", ".join(f"{name} {value}" for name, value in note.params.items())
    more = _more(note, words)

    def filled(field: re.Match[str]) -> str:
        value = note.params.get(field[1], "")
        if field[1] == "unit" and isinstance(value, str):
            value = translate_record_text(value, words)
        return _written(value, field[3] or "", words, is_quoted=bool(field[2]), more=more)

    return _FIELD.sub(filled, words.gettext(template))


def template_of(note: NoteRecord) -> str | None:
    """English template of a note; None where there is none."""
    kind = note.params.get("kind")
    key = f"{note.code}.{kind}" if kind else note.code
    is_one = note.params.get("n") == 1 and f"{key}.one" in MESSAGES
    return MESSAGES.get(f"{key}.one" if is_one else key)


def _more(note: NoteRecord, words: Language) -> str:
    """What follows the names of a list that are written out."""
    n_more = note.params.get("n_more")
    if not isinstance(n_more, int):
        return ""
    return " " + words.ngettext("and {n} more", "and {n} more", n_more).format(n=n_more)


def _written(value: ParamRecord, form: str, words: Language, *, is_quoted: bool, more: str) -> str:
    """One param as text of the language."""
    if isinstance(value, NoteRecord):
        return sentence(value, words)
    if isinstance(value, tuple):
        items = (sentence(one, words) if isinstance(one, NoteRecord) else one for one in value)
        return ", ".join(items) + more
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, str):
        return repr(value) if is_quoted else value
    return words.number(format(value, form))


def english(note: NoteRecord) -> str:
    """A note in English, for tables and the command line."""
    return sentence(note, translations(SOURCE_LANGUAGE))


def note_markup(note: NoteRecord, words: Language) -> Markup:
    """A note as escaped text; marked as English where the language has no translation."""
    text = sentence(note, words)
    template = template_of(note)
    if words.lang == SOURCE_LANGUAGE or (template is not None and words.find(template) is not None):
        return Markup.escape(text)
    return Markup('<span lang="{}">{}</span>').format(SOURCE_LANGUAGE, text)
