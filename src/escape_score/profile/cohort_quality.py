"""What all samples of a cohort share and biology does not explain: flags alone, never a number."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from escape_score.model.notes import Code, Note, note
from escape_score.model.profiles import CohortProfiles
from escape_score.profile.context import ProfileContext
from escape_score.reference.untrusted import find_untrusted_genes

MIN_SHARED_ZERO = 5
"""Fewer samples can share a zero by biology; then only genes that are hardly ever at zero count."""

EXPECTED_LOG2 = 1.0
"""Genes with a reference location above this, 1 TPM, are expected in some sample of a cohort."""


def cohort_notes(context: ProfileContext, profiles: CohortProfiles) -> tuple[Note, ...]:
    """Notes that hold for every sample of a cohort.

    Axes that no sample has, genes that the pipeline does not count right, a half-lost 6p21, too few samples
    for such checks, and a reference of few tumours.
    """
    checks: tuple[Callable[[ProfileContext], Iterable[Note]], ...] = (
        _zero_genes,
        _untrusted_genes,
        _genes_left_out,
        _shared_locus,
        _small_cohort,
        _small_reference,
    )
    return (*_missing_axes(profiles), *(one for check in checks for one in check(context)))


def _missing_axes(profiles: CohortProfiles) -> Iterable[Note]:
    """Name the axes that no sample has for want of genes.

    A weakest link whose links were tested all the same has another reason, which stands with its call.
    """
    missing = [
        scores.axis
        for scores in profiles.axes
        if np.isnan(scores.score).all() and (scores.links is None or np.isnan(scores.links.z).all())
    ]
    if missing:
        yield note(Code.KEY_GENES_MISSING, "absent", names=missing)


def _by_role(context: ProfileContext, kind: str, genes: Iterable[str], **params: str) -> Iterable[Note]:
    """One note for presentation genes, one for others."""
    design = context.design
    presentation = {gene for name in design.catalogue.hla_components for gene in design.components[name]}
    found = list(genes)
    for code, names in (
        (Code.GENE_ZERO_IN_ALL, [gene for gene in found if gene not in presentation]),
        (Code.HLA_UNQUANTIFIED, [gene for gene in found if gene in presentation]),
    ):
        if names:
            yield note(code, kind, names=names, **params)


def _all_zero(context: ProfileContext) -> list[str]:
    """Genes at zero in every sample given, though the reference has them."""
    genes, reference = context.scores.genes, context.reference.genes
    is_many = len(context.scores.facts.samples) >= MIN_SHARED_ZERO
    expected = EXPECTED_LOG2 if is_many else context.thresholds.untrusted.zero_reference_log2
    location = dict(zip(reference.symbols, reference.location, strict=True))
    is_zero = np.any(genes.log2_tpm <= 0, axis=0) & ~np.any(genes.log2_tpm > 0, axis=0)
    return [s for s, yes in zip(genes.gene_symbols, is_zero, strict=True) if yes and location[s] > expected]


def _zero_genes(context: ProfileContext) -> Iterable[Note]:
    return _by_role(context, "zero", _all_zero(context))


def _untrusted_genes(context: ProfileContext) -> Iterable[Note]:
    """Genes near zero in nearly all samples, or far below their siblings; those at zero were named before."""
    used = context.design.genes
    found = find_untrusted_genes(context.scores.genes, context.reference, used, context.thresholds.untrusted)
    zero = set(_all_zero(context))
    near_zero = [gene for gene in found.near_zero if gene not in zero]
    yield from _by_role(context, "near_zero", near_zero)
    if found.below_siblings:
        yield note(Code.HLA_UNQUANTIFIED, "below_siblings", names=found.below_siblings)


def _genes_left_out(context: ProfileContext) -> Iterable[Note]:
    """Genes that a fitted reference does not use."""
    return _by_role(context, "left_out", context.reference.untrusted_genes, name=context.reference.name)


def _shared_locus(context: ProfileContext) -> Iterable[Note]:
    """Doubt the MHC genes of all samples where those of many were not counted right."""
    is_low = context.scores.placement.is_mhc_locus_unquantified
    n, limits = len(is_low), context.thresholds
    if n >= limits.untrusted.min_cohort_checks and limits.locus.mhc_cohort_fraction * n <= is_low.sum() < n:
        yield note(Code.MHC_LOCUS_UNQUANTIFIED, "cohort", n=int(is_low.sum()), n_all=n)


def _small_cohort(context: ProfileContext) -> Iterable[Note]:
    """Say where checks over samples cannot work."""
    n_samples, fewest = (
        len(context.scores.facts.samples),
        context.thresholds.untrusted.min_cohort_checks,
    )
    if n_samples < fewest:
        yield note(Code.COHORT_TOO_SMALL, n=n_samples, least=fewest)


def _small_reference(context: ProfileContext) -> Iterable[Note]:
    """Say where a reference rests on few tumours."""
    reference, advised = context.reference, context.thresholds.fit.advised_fit_samples
    if reference.n_samples < advised:
        n = reference.n_samples
        yield note(Code.COHORT_TOO_SMALL, "reference", name=reference.name, n=n, least=advised)
