"""Flags that only the profile can raise; none of them changes a number."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from escape_score.model.notes import Code, Note, NoteLog, note
from escape_score.model.profiles import CohortProfiles
from escape_score.model.record import ReferenceMatch
from escape_score.profile.cohort_quality import cohort_notes
from escape_score.profile.context import ProfileContext


def profile_flags(context: ProfileContext, profiles: CohortProfiles) -> NoteLog:
    """Flag doubts about single samples and about the whole cohort.

    By sample: class I not counted, distant reference, implausible infiltrate, axes with few of their genes.
    For all: see :func:`escape_score.profile.cohort_quality.cohort_notes`.
    """
    partial = list(_partial_axes(context, profiles))
    shared = {one for _, one in partial}
    is_shared = len(shared) == 1 and len(partial) == len(context.scores.sample_ids)
    by_sample = (*_sample_flags(context, profiles), *(() if is_shared else partial))
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
    rules = (
        (
            context.class_one.is_uncounted,
            note(Code.HLA_UNQUANTIFIED, "core"),
        ),
        (
            profiles.match == ReferenceMatch.POOR,
            note(Code.REFERENCE_DISTANT, name=context.reference.name),
        ),
        (
            profiles.leukocyte_fraction > suspect,
            note(Code.IMPLAUSIBLE_PROFILE, limit=suspect),
        ),
    )
    for applies, found in rules:
        for sample_id, yes in zip(context.scores.sample_ids, applies, strict=True):
            if yes:
                yield sample_id, found
