"""The profile stage: signature scores to axes, index, calls and archetypes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from escape_score.model.axes import Axis, AxisCatalogue, AxisKind, Design, Term
from escape_score.model.cohort import FloatArray
from escape_score.model.profiles import AxisScores, AxisValues, Bounds, CohortProfiles, TextArray
from escape_score.model.record import Call, ReferenceMatch, Status
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores
from escape_score.profile.archetype import call_archetype, call_phenotype, msi_suspected, status_of
from escape_score.profile.axes import AxisModel, MeanAxis, WeakestLinkAxis, no_genes
from escape_score.profile.calls import Circumstances, call_axis
from escape_score.profile.context import ProfileContext, build_context
from escape_score.profile.index import profile_index
from escape_score.profile.intervals.uncertainty import Variances, bounds_of, score_variances
from escape_score.profile.mhc.axes import ChainLossAxis, LinkLossAxis
from escape_score.profile.percentiles import find_own_tumours, percentile_of, permitted
from escape_score.profile.terms import Weights, mean_present

KINDS: Mapping[AxisKind, Callable[[Axis], AxisModel]] = MappingProxyType(
    {
        AxisKind.MEAN: MeanAxis,
        AxisKind.WEAKEST_LINK: WeakestLinkAxis,
        AxisKind.CHAIN_LOSS: ChainLossAxis,
        AxisKind.LINK_LOSS: LinkLossAxis,
    }
)
"""How each kind of axis is computed."""


def axis_models(catalogue: AxisCatalogue) -> tuple[AxisModel, ...]:
    """The axes of a catalogue as objects, in its order."""
    return tuple(KINDS[axis.kind](axis) for axis in catalogue.axes)


SAMPLES_AT_A_TIME = 1024
"""Errors of genes take 10 kB a sample, and what is computed from them as much again."""


def profile_scored(scores: SignatureScores, reference: Reference, design: Design) -> CohortProfiles:
    """Turn scores into immunoresistance profiles, some samples at a time, so that memory stays flat.

    Parameters
    ----------
    scores
        From :func:`escape_score.score.score_signatures`; must hold every component.
    reference
        The one the scores were made with.
    design
        Axes, their genes and the fixed numbers of the method.

    Returns
    -------
    CohortProfiles
        The same as of :func:`profile_cohort` over all samples at once.
    """
    rows = np.arange(len(scores.sample_ids))
    starts = range(0, len(rows), SAMPLES_AT_A_TIME)
    some = (scores.of_rows(rows[start : start + SAMPLES_AT_A_TIME]) for start in starts)
    return CohortProfiles.joined([profile_cohort(build_context(one, reference, design)) for one in some])


def profile_cohort(context: ProfileContext) -> CohortProfiles:
    """Turn the scores of samples into immunoresistance profiles, of all at once.

    Parameters
    ----------
    context
        From :func:`build_context`.

    Returns
    -------
    CohortProfiles
        Each sample's numbers depend on that sample and the reference alone.
    """
    found = [(model, model.values(context)) for model in axis_models(context.design.catalogue)]
    is_own = find_own_tumours(
        {model.definition.axis: values.score for model, values in found},
        context.scores.sample_ids,
        context.reference.distributions,
    )
    axes = {
        model.definition.axis: score_axis(model, values, context, is_own=is_own) for model, values in found
    }
    # far from the reference, the index would be that of the pipeline
    index = profile_index(context).withheld(context.match == ReferenceMatch.POOR)
    phenotype = _phenotype(axes, context)
    status = status_of(context.match, index.raw, phenotype, is_relative=context.is_relative)
    is_given = np.isin(status, [Status.REFERENCE_MATCHED, Status.COHORT_RELATIVE])
    phenotype = np.where(is_given, phenotype, "")
    return CohortProfiles(
        axes=tuple(axes.values()),
        index=index,
        phenotype=phenotype,
        archetype=_archetype(axes, phenotype, context),
        status=status,
        decisive=_decisive(axes, context),
        msi_suspected=msi_suspected(axes[context.design.catalogue.msi_proxy].found),
        match=context.match,
        leukocyte_fraction=context.class_one.infiltrate.fraction,
        is_own=is_own,
    )


def score_axis(
    model: AxisModel, values: AxisValues, context: ProfileContext, *, is_own: npt.NDArray[np.bool_]
) -> AxisScores:
    """Add interval, percentile and call to what an axis finds."""
    axis, score = model.definition, values.score
    bounds = _bounds(model.errors(context), score, context)
    call, reason = call_axis(axis, values, _circumstances(model, values, bounds, context))
    percentile, n = percentile_of(
        score, context.scores.sample_ids, context.reference.distributions, axis.axis, is_own=is_own
    )
    return AxisScores(
        **vars(values),
        axis=axis.axis,
        bounds=bounds,
        percentile=permitted(percentile, n, context.match, context.thresholds.match),
        percentile_n=n,
        call=no_genes(len(score)) if axis.is_context else call,
        found=call,
        reason=reason,
    )


def _circumstances(
    model: AxisModel, values: AxisValues, bounds: Bounds, context: ProfileContext
) -> Circumstances:
    """What calls of an axis depend on."""
    raw_high = np.full(len(values.score), np.nan)
    if values.raw is not None:
        raw = _bounds(model.raw_errors(context), values.raw, context)
        raw_high = raw.high_within if context.is_relative else raw.high
    return Circumstances(
        bounds=bounds,
        match=context.match,
        raw_high=raw_high,
        outside=model.outside(context),
        is_lifted=context.is_lifted,
        is_absent=context.class_one.is_absent,
        is_relative=context.is_relative,
    )


def _bounds(errors: tuple[Weights, FloatArray] | None, score: FloatArray, context: ProfileContext) -> Bounds:
    """90 % intervals of a score; none where its error is not a mean's."""
    if errors is None:
        unknown = np.full(len(score), np.nan)
        return Bounds(unknown, unknown, unknown, unknown)
    weights, missing = errors
    variances = score_variances(weights, context.errors).plus(missing)
    absolute = variances.absolute + context.reference.location_variance
    level = context.thresholds.intervals.interval_level
    return bounds_of(score, Variances(variances.within, absolute), level)


def _phenotype(axes: Mapping[str, AxisScores], context: ProfileContext) -> TextArray:
    """Phenotype of every sample, from the terms and the axis that the catalogue names."""
    inputs = context.design.catalogue.phenotype
    t_cells = [context.standardised(Term(name=name)) for name in inputs.t_cells]
    t_level = np.where(np.isnan(t_cells).any(axis=0), np.nan, mean_present(t_cells))
    lack = axes[inputs.lack].call
    return call_phenotype(t_level, axes[inputs.stroma].score, lack, context.thresholds.phenotype)


def _is_detected(names: tuple[str, ...], axes: Mapping[str, AxisScores]) -> npt.NDArray[np.bool_]:
    """Samples in which any of some axes is detected."""
    return np.asarray(np.any([axes[name].call == Call.DETECTED for name in names], axis=0))


def _archetype(axes: Mapping[str, AxisScores], phenotype: TextArray, context: ProfileContext) -> TextArray:
    """Archetype of every sample, from its phenotype and what is detected in it."""
    inputs = context.design.catalogue.archetype
    return call_archetype(
        phenotype,
        exhaustion=_is_detected(inputs.exhausted, axes),
        suppressive=_is_detected(inputs.suppressive, axes),
        presentation=_is_detected(inputs.presentation, axes),
    )


def _decisive(axes: Mapping[str, AxisScores], context: ProfileContext) -> TextArray:
    """Losses detected that suffice alone, comma-joined, of every sample."""
    names = context.design.catalogue.decisive
    detected = np.column_stack([axes[name].call == Call.DETECTED for name in names])
    joined = [",".join(name for name, yes in zip(names, row, strict=True) if yes) for row in detected]
    return np.array(joined, dtype=object)
