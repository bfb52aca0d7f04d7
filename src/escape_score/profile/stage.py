"""The profile stage: signature scores to axes, index, calls and archetypes, for all samples at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from escape_score.model.axes import Axis, AxisCatalogue, AxisKind, Term
from escape_score.model.cohort import FloatArray
from escape_score.model.profiles import AxisScores, AxisValues, Bounds, CohortProfiles, TextArray
from escape_score.model.record import ReferenceMatch
from escape_score.profile.archetype import call_archetype, call_phenotype, status_of
from escape_score.profile.axes import AxisModel, MeanAxis, WeakestLinkAxis
from escape_score.profile.calls import call_axis
from escape_score.profile.context import ProfileContext
from escape_score.profile.index import profile_index
from escape_score.profile.intervals.uncertainty import Variances, bounds_of, score_variances
from escape_score.profile.mhc.axes import ChainLossAxis, LinkLossAxis
from escape_score.profile.percentiles import find_own_tumours, percentile_of, permitted
from escape_score.profile.terms import mean_present

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


def profile_cohort(context: ProfileContext) -> CohortProfiles:
    """Turn the scores of a cohort into immunoresistance profiles.

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
    index = profile_index(context)
    phenotype, archetype = _classes(found, context)
    return CohortProfiles(
        axes=tuple(score_axis(model, values, context, is_own=is_own) for model, values in found),
        index=index,
        phenotype=phenotype,
        archetype=archetype,
        status=status_of(context.match, index.index, phenotype),
        match=context.match,
        leukocyte_fraction=context.class_one.infiltrate.fraction,
        is_own=is_own,
    )


def score_axis(
    model: AxisModel, values: AxisValues, context: ProfileContext, *, is_own: npt.NDArray[np.bool_]
) -> AxisScores:
    """Add interval, percentile and call to what an axis finds."""
    axis, score = model.definition, values.score
    bounds = _bounds(model, score, context)
    percentile, n = percentile_of(
        score, context.scores.sample_ids, context.reference.distributions, axis.axis, is_own=is_own
    )
    return AxisScores(
        **vars(values),
        axis=axis.axis,
        bounds=bounds,
        percentile=permitted(percentile, n, context.match, context.thresholds.match),
        percentile_n=n,
        call=call_axis(axis, score, bounds, context.match, values.is_hidden, is_lifted=context.is_lifted),
    )


def _bounds(model: AxisModel, score: FloatArray, context: ProfileContext) -> Bounds:
    """90 % intervals of an axis; none where its error is not a mean's."""
    errors = model.errors(context)
    if errors is None:
        unknown = np.full(len(score), np.nan)
        return Bounds(unknown, unknown, unknown, unknown)
    weights, missing = errors
    variances = score_variances(weights, context.errors).plus(missing)
    absolute = variances.absolute + context.reference.location_variance
    level = context.thresholds.intervals.interval_level
    return bounds_of(score, Variances(variances.within, absolute), level)


def _classes(
    found: list[tuple[AxisModel, AxisValues]], context: ProfileContext
) -> tuple[TextArray, TextArray]:
    """Phenotype and archetype of every sample, from the axes that the catalogue names for each."""
    catalogue = context.design.catalogue
    of_axis = {model.definition.axis: (model, values.score) for model, values in found}

    def is_beyond(axes: tuple[str, ...]) -> npt.NDArray[np.bool_]:
        chosen = [of_axis[axis] for axis in axes]
        beyond = [m.leading_score(score, context) > m.definition.threshold for m, score in chosen]
        return np.asarray(np.any(beyond, axis=0))

    t_cells = [context.standardised(Term(name=name)) for name in catalogue.phenotype.t_cells]
    t_level = np.where(np.isnan(t_cells).any(axis=0), np.nan, mean_present(t_cells))
    stroma = of_axis[catalogue.phenotype.stroma][1]
    phenotype = call_phenotype(t_level, stroma, context.thresholds.phenotype)
    archetype = call_archetype(
        phenotype,
        exhaustion=is_beyond(catalogue.archetype.exhausted),
        suppressive=is_beyond(catalogue.archetype.suppressive),
        presentation=is_beyond(catalogue.archetype.presentation),
    )
    # far off the reference, thresholds name whole cohorts alike: two thirds of one were called deficient
    archetype[context.match == ReferenceMatch.POOR] = ""
    return phenotype, archetype
