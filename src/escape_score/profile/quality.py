"""Flags that only the profile can raise; none of them changes a number."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from escape_score.model.flags import Flag, FlagLog, FlagNote
from escape_score.model.profiles import CohortProfiles
from escape_score.model.record import ReferenceMatch
from escape_score.profile.cohort_quality import cohort_notes
from escape_score.profile.context import ProfileContext


def profile_flags(context: ProfileContext, profiles: CohortProfiles) -> FlagLog:
    """Flag doubts about single samples and about the whole cohort.

    Parameters
    ----------
    context, profiles
        Of one cohort.

    Returns
    -------
    FlagLog
        By sample: class I not counted, distant reference, implausible infiltrate, axes with few of their
        genes. For all: see :func:`escape_score.profile.cohort_quality.cohort_notes`.
    """
    partial = list(_partial_axes(context, profiles))
    shared = {note for _, note in partial}
    is_shared = len(shared) == 1 and len(partial) == len(context.scores.sample_ids)
    by_sample = (*_sample_flags(context, profiles), *(() if is_shared else partial))
    cohort = (*cohort_notes(context, profiles), *(shared if is_shared else ()))
    return FlagLog(cohort=cohort, by_sample=by_sample)


def _partial_axes(context: ProfileContext, profiles: CohortProfiles) -> Iterable[tuple[str, FlagNote]]:
    """Name, for each sample, the axes scored with few of their genes."""
    limit = context.thresholds.coverage.partial_coverage
    is_partial = np.column_stack([~np.isnan(a.score) & (a.coverage < limit) for a in profiles.axes])
    for sample_id, row in zip(context.scores.sample_ids, is_partial, strict=True):
        if row.any():
            names = ", ".join(axis.axis for axis, yes in zip(profiles.axes, row, strict=True) if yes)
            sentence = f"Scored with less than {limit:.0%} of their genes, so less surely: {names}."
            yield sample_id, FlagNote(Flag.KEY_GENES_MISSING, sentence)


def _sample_flags(context: ProfileContext, profiles: CohortProfiles) -> Iterable[tuple[str, FlagNote]]:
    """Flags of single samples."""
    suspect = context.thresholds.presentation.leukocyte_fraction_suspect
    rules = (
        (
            context.class_one.is_uncounted,
            Flag.HLA_UNQUANTIFIED,
            "B2M, HLA-A, HLA-B or HLA-C is exactly zero: it was not quantified, since infiltrating cells "
            "always hold some. MHC class I loss is not evaluable.",
        ),
        (
            profiles.match == ReferenceMatch.POOR,
            Flag.REFERENCE_DISTANT,
            f"Pipeline or tissue differ from the reference {context.reference.name}: levels are "
            "provisional, percentiles and archetype are withheld; comparisons inside one cohort are not "
            "affected. A reference of your own pipeline mends it: escape-score reference fit.",
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
