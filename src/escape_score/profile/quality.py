"""Flags that only the profile can raise; none of them changes a number."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from escape_score.model.flags import Flag, FlagLog, FlagNote
from escape_score.model.profiles import CohortProfiles
from escape_score.model.record import ReferenceMatch
from escape_score.profile.stage import ProfileContext

MIN_SHARED_ZERO = 5
"""Fewer samples can share a zero by biology; then only genes that are hardly ever at zero count."""

EXPECTED_LOG2 = 1.0
"""Genes with a reference location above this, 1 TPM, are expected in some sample of a cohort."""

MIN_COHORT = 8
"""Checks that look for what all samples share (a gene lost by the pipeline) say little of fewer samples."""

PRESENTATION = ("mhc1", "mhc2")
"""Components whose genes at zero mean that HLA was not quantified."""


def profile_flags(context: ProfileContext, profiles: CohortProfiles) -> FlagLog:
    """Flag doubts about single samples and about the whole cohort.

    Parameters
    ----------
    context, profiles
        Of one cohort.

    Returns
    -------
    FlagLog
        By sample: class I not counted, distant reference, implausible infiltrate. For all: axes that no
        sample has, genes at zero in every sample, too few samples for cohort-wide checks.
    """
    cohort = (*_missing_axes(profiles), *_zero_genes(context), *_small_cohort(context))
    return FlagLog(cohort=cohort, by_sample=tuple(_sample_flags(context, profiles)))


def _sample_flags(context: ProfileContext, profiles: CohortProfiles) -> Iterable[tuple[str, FlagNote]]:
    """Flags of single samples."""
    suspect = context.thresholds.leukocyte_fraction_suspect
    rules = (
        (
            context.terms.is_mhc1_unquantified,
            Flag.HLA_UNQUANTIFIED,
            "B2M, HLA-A, HLA-B or HLA-C is exactly zero: it was not quantified, since infiltrating cells "
            "always hold some. MHC class I loss is not evaluable.",
        ),
        (
            profiles.match == ReferenceMatch.POOR,
            Flag.REFERENCE_DISTANT,
            f"Pipeline or tissue differ from the reference {context.reference.name}: levels are "
            "provisional, comparisons inside one cohort are not affected.",
        ),
        (
            profiles.leukocyte_fraction > suspect,
            Flag.IMPLAUSIBLE_PROFILE,
            f"Leukocytes make up more than {suspect:.0%} of the RNA: is this a tumour sample?",
        ),
    )
    for applies, flag, sentence in rules:
        note = FlagNote(flag, sentence)
        for sample_id, yes in zip(context.scores.sample_ids, applies, strict=True):
            if yes:
                yield sample_id, note


def _missing_axes(profiles: CohortProfiles) -> tuple[FlagNote, ...]:
    """Name the axes that no sample of the cohort has."""
    missing = [scores.axis for scores in profiles.axes if np.isnan(scores.score).all()]
    if not missing:
        return ()
    sentence = f"Not evaluable in any sample, their genes are not measured: {', '.join(missing)}."
    return (FlagNote(Flag.KEY_GENES_MISSING, sentence),)


def _zero_genes(context: ProfileContext) -> tuple[FlagNote, ...]:
    """Name genes at zero in every sample given, though the reference has them."""
    genes, reference = context.scores.genes, context.reference.genes
    is_many = len(context.scores.facts.samples) >= MIN_SHARED_ZERO
    expected = EXPECTED_LOG2 if is_many else context.thresholds.zero_reference_log2
    location = dict(zip(reference.symbols, reference.location, strict=True))
    is_zero = np.any(genes.log2_tpm <= 0, axis=0) & ~np.any(genes.log2_tpm > 0, axis=0)
    zero = [s for s, yes in zip(genes.gene_symbols, is_zero, strict=True) if yes and location[s] > expected]
    presentation = {gene for name in PRESENTATION for gene in context.components[name]}
    return tuple(
        FlagNote(
            flag, f"At zero in every sample given, though the reference expresses them: {', '.join(names)}."
        )
        for flag, names in (
            (Flag.GENE_ZERO_IN_ALL, [gene for gene in zero if gene not in presentation]),
            (Flag.HLA_UNQUANTIFIED, [gene for gene in zero if gene in presentation]),
        )
        if names
    )


def _small_cohort(context: ProfileContext) -> tuple[FlagNote, ...]:
    """Say where checks over samples cannot work."""
    n_samples = len(context.scores.facts.samples)
    if n_samples >= MIN_COHORT:
        return ()
    sentence = (
        f"{n_samples} sample{'s' if n_samples > 1 else ''}: what a pipeline does to all samples alike cannot "
        f"be told from biology (from {MIN_COHORT} on). Scores are not affected."
    )
    return (FlagNote(Flag.COHORT_TOO_SMALL, sentence),)
