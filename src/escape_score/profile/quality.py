"""Flags that only the profile can raise, by sample and for the cohort; none of them changes a number."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from escape_score.model.cohort import CELL_LINE, NORMAL
from escape_score.model.notes import Code, Note, NoteLog, note
from escape_score.model.profiles import CohortProfiles
from escape_score.model.record import ReferenceMatch
from escape_score.profile.context import ProfileContext
from escape_score.profile.tumour_type import type_notes
from escape_score.reference.untrusted import find_untrusted_genes

NO_TUMOURS = (NORMAL, CELL_LINE)

MIN_SHARED_ZERO = 5
"""Fewer samples can share a zero by biology; then only genes that are hardly ever at zero count."""

EXPECTED_LOG2 = 1.0
"""Genes with a reference location above this, 1 TPM, are expected in some sample of a cohort."""


def profile_flags(context: ProfileContext, profiles: CohortProfiles) -> NoteLog:
    """Flag doubts about single samples and about the whole cohort.

    By sample: class I not counted, distant reference, implausible infiltrate, axes with few of their genes,
    another tumour type than the reference.
    For all: see :func:`cohort_notes`.
    """
    partial = list(_partial_axes(context, profiles))
    shared = {one for _, one in partial}
    is_shared = len(shared) == 1 and len(partial) == len(context.scores.sample_ids)
    types = type_notes(context.scores.facts.samples, context.reference.tumour_type)
    by_sample = (*_sample_flags(context, profiles), *(() if is_shared else partial), *types)
    cohort = (*cohort_notes(context, profiles), *(shared if is_shared else ()))
    return NoteLog(cohort=cohort, by_sample=by_sample)


def _partial_axes(context: ProfileContext, profiles: CohortProfiles) -> Iterable[tuple[str, Note]]:
    """Name, for each sample, the axes scored with few of their genes."""
    limit = context.thresholds.coverage.partial_coverage
    is_partial = np.column_stack([~np.isnan(a.score) & (a.coverage < limit) for a in profiles.axes])
    for sample_id, row in zip(context.scores.sample_ids, is_partial, strict=True):
        if row.any():
            names = tuple(axis.axis for axis, yes in zip(profiles.axes, row, strict=True) if yes)
            yield sample_id, note(Code.KEY_GENES_MISSING, "partial", limit=limit, names=names)


def _sample_flags(context: ProfileContext, profiles: CohortProfiles) -> Iterable[tuple[str, Note]]:
    """Flags of single samples."""
    suspect = context.thresholds.presentation.leukocyte_fraction_suspect
    is_placed = ~np.isnan(context.scores.placement.offset_log2)
    types = np.array([sample.sample_type for sample in context.scores.facts.samples], dtype=object)
    rules = (
        (context.class_one.infiltrate.is_mhc1_unquantified, note(Code.HLA_UNQUANTIFIED, "core")),
        (context.class_one.is_absent & is_placed, note(Code.HLA_UNQUANTIFIED, "absent")),
        (
            (profiles.match == ReferenceMatch.POOR) & ~context.is_lifted,
            note(Code.REFERENCE_DISTANT, name=context.reference.name),
        ),
        (profiles.leukocyte_fraction > suspect, note(Code.IMPLAUSIBLE_PROFILE, limit=suspect)),
        *((types == kind, note(Code.NOT_A_TUMOUR, kind.replace(" ", "_"))) for kind in NO_TUMOURS),
    )
    for applies, found in rules:
        for sample_id, yes in zip(context.scores.sample_ids, applies, strict=True):
            if yes:
                yield sample_id, found


def cohort_notes(context: ProfileContext, profiles: CohortProfiles) -> tuple[Note, ...]:
    """Notes that hold for every sample of a cohort.

    Axes that no sample has, genes that the pipeline does not count right, a half-lost 6p21, too few samples
    for such checks, and a reference of few tumours.
    """
    reference, zero = context.reference, _all_zero(context)
    return (
        *_missing_axes(profiles),
        *_by_role(context, "zero", zero),
        *_untrusted_genes(context, zero),
        *_by_role(context, "left_out", reference.untrusted_genes, name=reference.name),
        *_shared_locus(context),
        *_few_samples(context),
    )


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


def _untrusted_genes(context: ProfileContext, zero: Collection[str]) -> Iterable[Note]:
    """Genes near zero in nearly all samples, or far below their siblings; those at zero were named before."""
    used = context.design.genes
    found = find_untrusted_genes(context.scores.genes, context.reference, used, context.thresholds.untrusted)
    near_zero = [gene for gene in found.near_zero if gene not in zero]
    yield from _by_role(context, "near_zero", near_zero)
    if found.below_siblings:
        yield note(Code.HLA_UNQUANTIFIED, "below_siblings", names=found.below_siblings)


def _shared_locus(context: ProfileContext) -> Iterable[Note]:
    """Doubt the MHC genes of all samples where those of many were not counted right."""
    is_low = context.scores.placement.is_mhc_locus_unquantified
    n, limits = len(is_low), context.thresholds
    if n >= limits.untrusted.min_cohort_checks and limits.locus.mhc_cohort_fraction * n <= is_low.sum() < n:
        yield note(Code.MHC_LOCUS_UNQUANTIFIED, "cohort", n=int(is_low.sum()), n_all=n)


def _few_samples(context: ProfileContext) -> Iterable[Note]:
    """Say where checks over samples cannot work, and where a reference rests on few tumours."""
    reference, limits = context.reference, context.thresholds
    n, least = len(context.scores.facts.samples), limits.untrusted.min_cohort_checks
    if n < least:
        yield note(Code.COHORT_TOO_SMALL, n=n, least=least)
    n, least = reference.n_samples, limits.fit.advised_fit_samples
    if n < least:
        yield note(Code.COHORT_TOO_SMALL, "reference", name=reference.name, n=n, least=least)
