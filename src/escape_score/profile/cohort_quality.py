"""What all samples of a cohort share and biology does not explain: flags alone, never a number."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from escape_score.model.flags import Flag, FlagNote
from escape_score.model.profiles import CohortProfiles
from escape_score.profile.context import ProfileContext
from escape_score.reference.untrusted import find_untrusted_genes

MIN_SHARED_ZERO = 5
"""Fewer samples can share a zero by biology; then only genes that are hardly ever at zero count."""

EXPECTED_LOG2 = 1.0
"""Genes with a reference location above this, 1 TPM, are expected in some sample of a cohort."""


def cohort_notes(context: ProfileContext, profiles: CohortProfiles) -> tuple[FlagNote, ...]:
    """Notes that hold for every sample of a cohort.

    Parameters
    ----------
    context, profiles
        Of one cohort.

    Returns
    -------
    tuple of FlagNote
        Axes that no sample has, genes that the pipeline does not count right, a half-lost 6p21, too few
        samples for such checks, and a reference of few tumours.
    """
    checks: tuple[Callable[[ProfileContext], Iterable[FlagNote]], ...] = (
        _zero_genes,
        _untrusted_genes,
        _genes_left_out,
        _shared_locus,
        _small_cohort,
        _small_reference,
    )
    return (*_missing_axes(profiles), *(note for check in checks for note in check(context)))


def _missing_axes(profiles: CohortProfiles) -> Iterable[FlagNote]:
    """Name the axes that no sample has for want of genes.

    A weakest link whose links were tested all the same has another reason, which stands with its call.
    """
    missing = [
        scores.axis
        for scores in profiles.axes
        if np.isnan(scores.score).all() and (scores.links is None or np.isnan(scores.links.z).all())
    ]
    if missing:
        sentence = f"Not evaluable in any sample, their genes are not measured: {', '.join(missing)}."
        yield FlagNote(Flag.KEY_GENES_MISSING, sentence)


def _by_kind(context: ProfileContext, genes: Iterable[str], sentence: str) -> Iterable[FlagNote]:
    """One note for presentation genes, one for others; the sentence takes their names."""
    design = context.design
    presentation = {gene for name in design.catalogue.hla_components for gene in design.components[name]}
    found = list(genes)
    for flag, names in (
        (Flag.GENE_ZERO_IN_ALL, [gene for gene in found if gene not in presentation]),
        (Flag.HLA_UNQUANTIFIED, [gene for gene in found if gene in presentation]),
    ):
        if names:
            yield FlagNote(flag, sentence.format(names=", ".join(names)))


def _all_zero(context: ProfileContext) -> list[str]:
    """Genes at zero in every sample given, though the reference has them."""
    genes, reference = context.scores.genes, context.reference.genes
    is_many = len(context.scores.facts.samples) >= MIN_SHARED_ZERO
    expected = EXPECTED_LOG2 if is_many else context.thresholds.untrusted.zero_reference_log2
    location = dict(zip(reference.symbols, reference.location, strict=True))
    is_zero = np.any(genes.log2_tpm <= 0, axis=0) & ~np.any(genes.log2_tpm > 0, axis=0)
    return [s for s, yes in zip(genes.gene_symbols, is_zero, strict=True) if yes and location[s] > expected]


def _zero_genes(context: ProfileContext) -> Iterable[FlagNote]:
    sentence = "At zero in every sample given, though the reference expresses them: {names}."
    return _by_kind(context, _all_zero(context), sentence)


def _untrusted_genes(context: ProfileContext) -> Iterable[FlagNote]:
    """Genes near zero in nearly all samples, or far below their siblings; those at zero were named before."""
    used = context.design.genes
    found = find_untrusted_genes(context.scores.genes, context.reference, used, context.thresholds.untrusted)
    zero = set(_all_zero(context))
    near_zero = [gene for gene in found.near_zero if gene not in zero]
    remedy = "Scores use them; --reference cohort or a fitted reference leaves them out."
    yield from _by_kind(
        context,
        near_zero,
        "Near zero in nearly all samples, though the reference expresses them: {names}. " + remedy,
    )
    if found.below_siblings:
        names = ", ".join(found.below_siblings)
        sentence = (
            f"Far below their MHC class I siblings in the whole cohort, so by the pipeline: {names}. {remedy}"
        )
        yield FlagNote(Flag.HLA_UNQUANTIFIED, sentence)


def _genes_left_out(context: ProfileContext) -> Iterable[FlagNote]:
    """Genes that a fitted reference does not use."""
    name = context.reference.name
    sentence = f"Left out by reference {name}, whose pipeline does not count them right: {{names}}."
    return _by_kind(context, context.reference.untrusted_genes, sentence)


def _shared_locus(context: ProfileContext) -> Iterable[FlagNote]:
    """Doubt the MHC genes of all samples where those of many were not counted right."""
    is_low = context.scores.placement.is_mhc_locus_unquantified
    n, limits = len(is_low), context.thresholds
    if n >= limits.untrusted.min_cohort_checks and limits.locus.mhc_cohort_fraction * n <= is_low.sum() < n:
        sentence = (
            f"6p21 is under-quantified in {is_low.sum()} of {n} samples: the MHC genes of the others come "
            "from the same pipeline and are doubtful too."
        )
        yield FlagNote(Flag.MHC_LOCUS_UNQUANTIFIED, sentence)


def _small_cohort(context: ProfileContext) -> Iterable[FlagNote]:
    """Say where checks over samples cannot work."""
    n_samples, fewest = (
        len(context.scores.facts.samples),
        context.thresholds.untrusted.min_cohort_checks,
    )
    if n_samples < fewest:
        sentence = (
            f"{n_samples} sample{'s' if n_samples > 1 else ''}: what a pipeline does to all samples alike "
            f"cannot be told from biology (from {fewest} on). Scores are not affected."
        )
        yield FlagNote(Flag.COHORT_TOO_SMALL, sentence)


def _small_reference(context: ProfileContext) -> Iterable[FlagNote]:
    """Say where a reference rests on few tumours."""
    reference, advised = context.reference, context.thresholds.fit.advised_fit_samples
    if reference.n_samples < advised:
        sentence = (
            f"Reference {reference.name} rests on {reference.n_samples} samples: levels are unsteady "
            f"(from {advised} on they change little)."
        )
        yield FlagNote(Flag.COHORT_TOO_SMALL, sentence)
