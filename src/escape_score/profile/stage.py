"""The profile stage: signature scores to axes, index, calls and archetypes, for all samples at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import stats

from escape_score.model.axes import Axis, AxisKind, Term
from escape_score.model.cohort import FloatArray
from escape_score.model.profiles import (
    AxisScores,
    Bounds,
    CohortProfiles,
    IndexScores,
    LinkScores,
    TextArray,
)
from escape_score.model.record import ReferenceMatch
from escape_score.profile.calls import call_axis
from escape_score.profile.context import ProfileContext
from escape_score.profile.index_scores import profile_index
from escape_score.profile.intervals.uncertainty import (
    Weights,
    mean_weights,
    missing_terms_variance,
    score_variances,
    term_weights,
)
from escape_score.profile.mhc.link_loss import link_losses
from escape_score.profile.mhc.weakest_link import WeakestLink, link_residuals, weakest_link
from escape_score.profile.percentiles import find_own_tumours, percentile_of, permitted
from escape_score.profile.phenotype import call_archetype, call_phenotype, status_of
from escape_score.profile.terms import (
    SHORTFALL,
    axis_mean,
    component_coverage,
    mean_present,
    standardise,
)


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
    values = {axis.axis: _axis_values(axis, context) for axis in context.catalogue.axes}
    is_own = find_own_tumours(
        {name: found.score for name, found in values.items()},
        context.scores.sample_ids,
        context.reference.distributions,
    )
    axes = tuple(
        score_axis(axis, values[axis.axis], context, is_own=is_own) for axis in context.catalogue.axes
    )
    return replace(summarise(axes, profile_index(context), context), is_own=is_own)


def score_axis(
    axis: Axis,
    values: AxisValues,
    context: ProfileContext,
    *,
    is_own: npt.NDArray[np.bool_],
) -> AxisScores:
    """Add interval, percentile and call to the score, coverage and weakest gene of an axis."""
    score = values.score
    bounds = _axis_bounds(axis, score, context)
    percentile, n = percentile_of(
        score,
        context.scores.sample_ids,
        context.reference.distributions,
        axis.axis,
        is_own=is_own,
    )
    percentile = permitted(percentile, n, context.match, context.thresholds.match)
    return AxisScores(
        axis=axis.axis,
        score=score,
        raw=axis_mean(context.terms, context.reference, axis.raw_terms) if axis.has_raw else None,
        bounds=bounds,
        percentile=percentile,
        percentile_n=n,
        coverage=values.coverage,
        call=call_axis(axis, score, bounds, context.match, values.is_hidden),
        weakest_gene=values.gene,
        links=values.links,
        is_hidden=values.is_hidden,
    )


@dataclass(frozen=True)
class AxisValues:
    """Score, coverage and weakest gene of an axis, with links and blind spots where it looks for a loss."""

    score: FloatArray
    coverage: FloatArray
    gene: TextArray
    links: LinkScores | None = None
    is_hidden: npt.NDArray[np.bool_] | None = None


def _axis_values(axis: Axis, context: ProfileContext) -> AxisValues:
    """Score an axis by its kind."""
    if axis.kind is AxisKind.LINK_LOSS:
        return _link_loss(axis, context)
    if axis.kind is AxisKind.WEAKEST_LINK:
        link = _weakest_link(axis, context)
        return AxisValues(link.score, link.coverage, link.gene)
    score = axis_mean(context.terms, context.reference, axis.terms)
    is_hidden = _hidden_loss(axis, context)
    return AxisValues(score, _term_coverage(axis.terms, context), _no_genes(context), is_hidden=is_hidden)


def _hidden_loss(axis: Axis, context: ProfileContext) -> npt.NDArray[np.bool_] | None:
    """Where a loss of the whole chain would stay below the threshold on average; None for other axes."""
    chain = context.terms.chain
    if chain is None or [term.name for term in axis.terms] != [SHORTFALL]:
        return None
    location, spread = context.reference.term_stats.get(SHORTFALL, (np.nan, np.nan))
    is_tested = ~context.scores.placement.is_mhc_locus_unquantified
    return is_tested & ((chain.detectable_sd - location) / spread < axis.threshold)


def _no_genes(context: ProfileContext) -> TextArray:
    return np.full(len(context.scores.sample_ids), "", dtype=object)


def _weakest_link(axis: Axis, context: ProfileContext) -> WeakestLink:
    """Weakest link of a chain whose levels are judged one by one."""
    chain = context.components[axis.chain]
    symbols, residuals = link_residuals(
        context.scores.genes,
        chain,
        context.terms.values,
        context.reference,
        context.excess,
    )
    return weakest_link(symbols, residuals, n_chain=len(chain), limits=context.thresholds.links)


def _link_loss(axis: Axis, context: ProfileContext) -> AxisValues:
    """One lost link of the antigen-presentation chain."""
    state = context.terms.presentation
    if state is None:
        unknown = np.full(len(context.scores.sample_ids), np.nan)
        return AxisValues(unknown, np.zeros(len(unknown)), _no_genes(context))
    found = link_losses(state, context.components[axis.chain], context.excess, context.thresholds.links)
    # a core gene that was not counted at all says nothing about the chain
    is_uncounted = context.terms.is_mhc1_unquantified
    return AxisValues(
        np.where(is_uncounted, np.nan, found.weakest.score),
        found.weakest.coverage,
        np.where(is_uncounted, "", found.weakest.gene),
        _without(found.links, is_uncounted),
    )


def _without(links: LinkScores, is_uncounted: npt.NDArray[np.bool_]) -> LinkScores:
    """The same, nothing said of the links of some samples."""
    return replace(
        links,
        z=np.where(is_uncounted[:, None], np.nan, links.z),
        detectable_sd=np.where(is_uncounted[:, None], np.nan, links.detectable_sd),
        is_evaluable=links.is_evaluable & ~is_uncounted[:, None],
    )


def _term_coverage(terms: tuple[Term, ...], context: ProfileContext) -> FloatArray:
    """Mean coverage of the components behind an axis, denominators included."""
    parts: dict[str, tuple[str, ...]] = {
        contrast.contrast: (contrast.numerator, contrast.denominator)
        for contrast in context.catalogue.contrasts
    }
    parts[SHORTFALL] = ("mhc1", "leukocyte", "ifng_response")
    coverage = component_coverage(context.scores)
    names = [name for term in terms for name in parts.get(term.name, (term.name,))]
    return np.asarray(sum(coverage[name] for name in names) / len(names))


def _axis_bounds(axis: Axis, score: FloatArray, context: ProfileContext) -> Bounds:
    """90 % intervals of an axis; none for weakest links, whose error is not a mean's."""
    if axis.kind is not AxisKind.MEAN:
        unknown = np.full(len(score), np.nan)
        return Bounds(unknown, unknown, unknown, unknown)
    weights, missing = _axis_errors(axis.terms, context)
    k = stats.norm.ppf(0.5 + context.thresholds.intervals.interval_level / 2)
    variances = score_variances(weights, context.errors).plus(missing)
    within = k * np.sqrt(variances.within)
    absolute = k * np.sqrt(variances.absolute + context.reference.location_variance)
    return Bounds(score - absolute, score + absolute, score - within, score + within)


def _axis_errors(wanted: tuple[Term, ...], context: ProfileContext) -> tuple[Weights, FloatArray]:
    """Weights of the components behind the mean of some terms, and its variance for missing terms."""
    parts = [term_weights(term, context.errors, context.reference, context.catalogue) for term in wanted]
    weights, n_present = mean_weights(wanted, context.terms, parts)
    independence = context.thresholds.intervals.within_term_independence
    return weights, missing_terms_variance(n_present, len(wanted), context.errors.between, independence)


def summarise(axes: tuple[AxisScores, ...], index: IndexScores, context: ProfileContext) -> CohortProfiles:
    """Derive phenotype, archetype and status from axes and placement."""
    by_axis = {scores.axis: scores.score for scores in axes}
    thresholds = {axis.axis: axis.threshold for axis in context.catalogue.axes}
    t_level = _t_level(context)
    phenotype = call_phenotype(t_level, by_axis["stroma"], context.thresholds.phenotype)
    has_weak_link = by_axis["mhc1_weakest_link"] > thresholds["mhc1_weakest_link"]
    is_lost = (_damped_loss(by_axis["mhc1_loss"], context) > thresholds["mhc1_loss"]) | has_weak_link
    archetype = call_archetype(
        phenotype,
        exhaustion=by_axis["exhaustion"] > thresholds["exhaustion"],
        suppressive=by_axis["suppressive"] > thresholds["suppressive"],
        presentation=is_lost,
    )
    # far off the reference, thresholds name whole cohorts alike: two thirds of one were called deficient
    archetype[context.match == ReferenceMatch.POOR] = ""
    return CohortProfiles(
        axes=axes,
        index=index,
        phenotype=phenotype,
        archetype=archetype,
        status=status_of(context.match, index.index, phenotype),
        match=context.match,
        leukocyte_fraction=context.terms.leukocyte_fraction,
    )


def _t_level(context: ProfileContext) -> FloatArray:
    """Mean of effector and T-cell scores; NaN where either is missing."""
    parts = [standardise(context.terms, context.reference, Term(name=name)) for name in ("effector", "tcell")]
    return np.where(np.isnan(parts).any(axis=0), np.nan, mean_present(parts))


def _damped_loss(loss: FloatArray, context: ProfileContext) -> FloatArray:
    """MHC class I loss, weighed down by the distance to the reference: a mismatch must not create losses."""
    t = context.thresholds.presentation
    return loss / np.sqrt(1 + context.excess**2 / t.apd_chain_genes / t.apd_spread_log2**2)
