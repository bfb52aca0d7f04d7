"""Sentences with figures in them that a record carries, as patterns, so that a catalogue can hold them.

A record is written once, in English; a page of another language finds the pattern a sentence was made from,
translates the pattern and puts the figures back. A sentence that fits no pattern stays English.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache


def N_(message: str) -> str:  # noqa: N802
    """Mark a text for the catalogue; it is translated where it is shown."""
    return message


CALL_REASONS = (
    N_("Too few of its genes are measured, or they cannot be trusted in this sample."),
    N_(
        "A single gene's level cannot be judged here: the sample's pipeline or tissue differs from the "
        "reference."
    ),
    N_(
        "A five-fold loss of a single gene in the tumour cells could not be seen here: the infiltrate hides "
        "it, the reference gives no baseline for single genes, or genes are not measured."
    ),
    N_(
        "The interval {low} to {high} holds both the reference's centre (0) and the threshold {threshold}, "
        "and the sample does not match the reference well."
    ),
    N_(
        "Score {score} shows no loss, but a five-fold loss in the tumour cells would hardly show here: the "
        "infiltrate hides it, or levels are uncertain."
    ),
    N_("Score {score} reaches the threshold {threshold}."),
    N_(
        "Score {score} reaches the threshold {threshold}, but its interval holds the reference's centre, and "
        "a five-fold loss in the tumour cells would hardly show here."
    ),
    N_("Score {score} reaches the threshold {threshold}, but its interval holds the reference's centre."),
    N_("Score {score} is below the threshold {threshold}."),
)
"""Why a mechanism was called as it was."""

FLAG_SENTENCES = (
    N_(
        "All genes of 6p21 are low, MHC or not: the locus was under-quantified. HLA, TAP and their "
        "neighbours are taken as not measured here."
    ),
    N_("All genes of this sample have the value {value}; it is not scored."),
    N_("All numbers are the same as those of {names}."),
    N_("All {n} samples share one distribution of values: they look quantile-normalised."),
    N_(
        "6p21 is under-quantified in {n} of {n_all} samples: the MHC genes of the others come from the same "
        "pipeline and are doubtful too."
    ),
    N_("At zero in every sample given, though the reference expresses them: {names}."),
    N_(
        "B2M, HLA-A, HLA-B or HLA-C is exactly zero: it was not quantified, since infiltrating cells always "
        "hold some. MHC class I loss is not evaluable."
    ),
    N_("Counts are whole numbers and these are not: right for estimated counts (RSEM, salmon), else not."),
    N_("Counts were turned into TPM with {source}."),
    N_(
        "Far below their MHC class I siblings in the whole cohort, so by the pipeline: {names}. Scores use "
        "them; --reference cohort or a fitted reference leaves them out."
    ),
    N_("Far below their MHC class I siblings in the whole cohort, so by the pipeline: {names}. {remedy}"),
    N_("Gene set {name} has no description."),
    N_("Gene set {name} has {n} genes: the mean of so many says little."),
    N_("Gene set {name} is not scored: {reason}."),
    N_("Gene set {name} lists {genes} more than once; counted once."),
    N_("In this sample {what}; it is not scored."),
    N_("Left out by reference {name}, whose pipeline does not count them right: {names}."),
    N_("Leukocytes make up more than {limit} of the RNA: is this a tumour sample?"),
    N_(
        "Near zero in nearly all samples, though the reference expresses them: {names}. Scores use them; "
        "--reference cohort or a fitted reference leaves them out."
    ),
    N_("No gene of gene set {name} is known; it is not scored."),
    N_("No value is above {limit}, which is low for {unit}; are these logarithms?"),
    N_("Not evaluable in any sample, their genes are not measured: {names}."),
    N_(
        "One gene makes up {share} of the RNA, more than all others together: a failed depletion, or an "
        "artefact of alignment? Scores are placed by other genes."
    ),
    N_("Only {n} of {n_all} genes are detected: few reads, or little RNA that was intact?"),
    N_("Only {n} of {n_all} row names are known genes."),
    N_("Only {n} of {n_all} samples add up to 1e6 like TPM: units may be mixed."),
    N_(
        "Pipeline or tissue differ from the reference {name}: levels are provisional, percentiles and "
        "archetype are withheld; comparisons inside one cohort are not affected. A reference of your own "
        "pipeline mends it: escape-score reference fit."
    ),
    N_("Reference {name} rests on {n} samples: levels are unsteady (from {advised} on they change little)."),
    N_("Rows are named by several kinds of id ({kinds}); each was looked up by its kind."),
    N_("Scored with less than {limit} of their genes, so less surely: {names}."),
    N_("Sums of samples are {sums}, where TPM add up to 1e6."),
    N_("The packed file is filled up with zeros after its end mark; they were left out."),
    N_("The response {word} is not a known word; it is left out."),
    N_("The sample sheet has no row for {sample}."),
    N_("The unit was guessed to be {unit} ({why}); say --units to be sure."),
    N_("Values are {unit} signals, placed on an RNA-seq reference by anchor genes: levels are approximate."),
    N_("Values summed to {total}; rescaled to 1,000,000."),
    N_("purity is {number}, not between 0 and 1; it is left out."),
    N_("{column} is {value}, no number of days; it is left out."),
    N_("{column} must be 0/1 or true/false and is {value}; it is left out."),
    N_("{n} genes are measured: a targeted panel. Mechanisms whose genes it lacks are not evaluable."),
    N_("{n} genes have no length and were left out: {names}."),
    N_("{n} genes stand under several names, which were summed: {names}."),
    N_("{n} names are dates made by a spreadsheet; those genes are lost: {names}."),
    N_("{n} names matched in another case: {names}."),
    N_("{n} names stand in several rows, which were summed: {names}."),
    N_("{n} of {n_all} genes are missing ({share} %)."),
    N_(
        "{n} of {n_all} rows are genes of another species, such as {name}; they count in the totals of the "
        "samples and in no score."
    ),
    N_("{n} old symbols or aliases were renamed: {names}."),
    N_("{n} rows are no genes but summaries or spike-ins, and were left out: {names}."),
    N_("{n} rows have no gene name and were left out."),
    N_("{n} rows of the sample sheet fit no sample: {names}."),
    N_("{n} rows of the sample sheet stand twice, word for word; one of each is used."),
    N_(
        "{n} sample: what a pipeline does to all samples alike cannot be told from biology (from {least} "
        "on). Scores are not affected."
    ),
    N_(
        "{n} samples: what a pipeline does to all samples alike cannot be told from biology (from {least} "
        "on). Scores are not affected."
    ),
    N_("{n} values are below 0 (the lowest {lowest}) and count as 0."),
)
"""Sentences of flags."""

OTHER_SENTENCES = (
    N_("The mechanism is not evaluable in this sample."),
    N_("The reference has {n} tumours with this score; {least} are needed."),
    N_("The sample lies too far from the reference for its levels to be compared."),
    N_("Levels are provisional; compare samples inside the cohort."),
    N_("Weakest links are not called, other mechanisms only where the absolute interval decides."),
    N_("Percentiles and archetype are not given."),
    N_("Not compared with other samples of the same patient: {reason}."),
    N_(
        "Microsatellite status of the sheet: {given}. Tumours of this kind have an approved immunotherapy; "
        "read this before the index, which does not know it."
    ),
    N_(
        "The sheet says {given}, but MLH1 is not silenced in RNA. The assay counts: the proxy misses MSH2, "
        "MSH6 and PMS2 loss and germline Lynch syndrome."
    ),
    N_(
        "The sheet says {given}, but MLH1 and EPM2AIP1 are silenced in RNA as in mismatch-repair deficient "
        "tumours. Check that sheet and sample belong together, and the assay."
    ),
    N_("declared {unit}; {figures}"),
    N_("values {lowest} to {highest}, {share} % below 0, sums of samples {sums}"),
    N_("{figures}: {why}"),
    N_("{low} to {high}"),
    N_("logarithms: undone as {unit}, samples add up to {sums}"),
    N_("logarithms, {n} values and none lower at -9.97, which is log2(0.001)"),
    N_("linear, no whole numbers, sums unlike 1e6, as of FPKM"),
    N_("linear, every sample adds up to 1e6 as TPM do"),
    N_("whole numbers with varying sums, as counts are"),
    N_("linear, sums near 1e6 as of TPM that lost some genes"),
    N_("no page: the job that writes it did not finish; run the same command again"),
    N_("no gene has a value"),
    N_("all genes are 0"),
    N_("the shipped lengths (isoform median, GENCODE 48)"),
    N_("the lengths given"),
    N_("{share} % of its genes are measured"),
    N_("{n} of {n_all} genes measured, {n_needed} needed"),
    N_("ranks all genes of the matrix; score its gene set by method gsva"),
    N_("{n} of {n_all} genes measured at most; needs a fraction of at least {limit}"),
    N_("compares samples: {n} with enough genes measured, needs at least {least}"),
    N_("z over all genes needs at least {least} of them, {n} are measured"),
    N_("a factor has less than a fraction of {limit} of its genes measured"),
    N_("{n} of {n_all} pairs measured at most; needs all"),
    N_("needs TPM of the whole transcriptome"),
    N_("needs values on a log scale, the same for all samples"),
    N_("needs values that can be compared between the genes of a sample"),
    N_("needs values that can be compared between samples"),
    N_("symbols"),
    N_("Ensembl ids"),
    N_("Entrez ids"),
    N_("Ensembl ids, Entrez ids"),
    N_("Ensembl ids, symbols"),
    N_("Entrez ids, symbols"),
    N_("Ensembl ids, Entrez ids, symbols"),
    N_("{names} and {n} more"),
    N_("none; a second implementation in {program}"),
    N_("not computed here"),
    N_("{program}, up to the sign"),
    N_("{program}; COMPASS counts the same pairs"),
)
"""Evidence for units, reasons of published scores, and parts of the sentences above."""

STATISTICS_SENTENCES = (
    N_(
        "These numbers describe this cohort; nothing was fitted to its labels, and nothing is adjusted for "
        "other variables. An association is no cause."
    ),
    N_("{n} of {n_all} samples are not counted: {reasons}."),
    N_("{n} taken on or after treatment"),
    N_("{n} taken on or after treatment; {reasons}"),
    N_("{n} a further sample of a patient"),
    N_("{n} a further sample of a patient; {reasons}"),
    N_("{n} its timepoint is not a known word"),
    N_("{n} samples have no patient_id and count as patients of their own."),
    N_("Not compared by {column}: fewer than two groups of at least {least} patients."),
    N_("Timepoints not compared: fewer than {least} patients with two samples."),
    N_("OS not modelled: fewer than {least} events among the patients counted."),
    N_("PFS not modelled: fewer than {least} events among the patients counted."),
    N_(
        "{n} patients compared by {column}: {groups}. {n_found} of {n_all} measures differ at a false "
        "discovery rate of 5 %."
    ),
    N_("{group} (n = {n}) and {groups}"),
    N_(
        "{n} patients sampled before treatment and later, compared in pairs. {n_found} of {n_all} measures "
        "differ at a false discovery rate of 5 %."
    ),
    N_("{n} responders and {n_all} others, one sample a patient."),
    N_("{n} responders and {n_all} others, one sample a patient. {rest}"),
    N_("The index has an AUROC of {number} (95 % interval {low} to {high})."),
    N_("The index has an AUROC of {number} (95 % interval {low} to {high}). {rest}"),
    N_(
        "The best of {n} published scores here, {title}, has {number} (95 % interval {low} to {high}); a "
        "best of many is too good by chance."
    ),
    N_("OS: {n} patients, {n_all} events, one Cox model a measure."),
    N_("OS: {n} patients, {n_all} events, one Cox model a measure. {rest}"),
    N_("PFS: {n} patients, {n_all} events, one Cox model a measure."),
    N_("PFS: {n} patients, {n_all} events, one Cox model a measure. {rest}"),
    N_(
        "The index has a hazard ratio per SD of {number} (95 % interval {low} to {high}), concordance "
        "{share}."
    ),
    N_(
        "The index has a hazard ratio per SD of {number} (95 % interval {low} to {high}), concordance "
        "{share}. {rest}"
    ),
    N_("{n} models did not converge."),
    N_("no {column} in the sample sheet"),
    N_("no os_days or os_event"),
    N_("no pfs_days or pfs_event"),
    N_("group of fewer than {least}"),
    N_("no second sample of the patient"),
    N_("a further sample of a patient"),
    N_("taken on or after treatment"),
    N_("its timepoint is not a known word"),
    N_("response"),
    N_("msi"),
    N_("site"),
    N_("cancer_type"),
    N_("pdl1_ihc"),
    N_("timepoint"),
    N_("before treatment"),
    N_("on or after treatment"),
)
"""What a cohort's statistics say of themselves, and the names of columns inside their sentences."""

_FIGURE = r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?%?"
_FIGURE_NAMES = (
    "high highest least limit low lowest n n_all n_found n_needed number score share threshold total"
)
_FIELDS = dict.fromkeys(_FIGURE_NAMES.split(), _FIGURE) | {"figures": "(?:values|declared) .+?"}
_NUMBER = re.compile(_FIGURE)
_FIELD = re.compile(r"\\\{(\w+)\\\}")


def translate_sentence(
    text: str, find: Callable[[str], str | None], write_number: Callable[[str], str]
) -> str | None:
    """Translate a text that a record carries.

    Parameters
    ----------
    text
        English, not empty.
    find
        From a text of the catalogue to its translation, None where there is none.
    write_number
        From a number in Python's notation to the page's.

    Returns
    -------
    str or None
        The translation; None where the catalogue has neither the text nor a pattern of it.
    """
    known = find(text)
    if known is not None:
        return known
    for pattern, template in _patterns():
        match = pattern.fullmatch(text)
        translated = find(template) if match is not None else None
        if match is not None and translated is not None:
            parts = {name: _part(part, find, write_number) for name, part in match.groupdict().items()}
            return translated.format(**parts)
    return None


def _part(part: str, find: Callable[[str], str | None], write_number: Callable[[str], str]) -> str:
    """A part that is no figure and no known text, such as names of genes, is put back as it is."""
    if _NUMBER.fullmatch(part):
        return write_number(part)
    return translate_sentence(part, find, write_number) or part


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """All patterns with a field, those with most fixed text first, as the others may swallow it."""
    known = (*CALL_REASONS, *FLAG_SENTENCES, *OTHER_SENTENCES, *STATISTICS_SENTENCES)
    templates = [text for text in known if "{" in text]
    templates.sort(key=lambda text: -len(re.sub(r"\{\w+\}", "", text)))
    return tuple((re.compile(_FIELD.sub(_group, re.escape(text)), re.DOTALL), text) for text in templates)


def _group(field: re.Match[str]) -> str:
    """What may stand for a field of a pattern."""
    return f"(?P<{field[1]}>{_FIELDS.get(field[1], '.+?')})"
