"""Terms of the axes: components, contrasts, and MHC class I in tumour cells, for all samples at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from escape_score.model.axes import Axis, AxisCatalogue, Term
from escape_score.model.cohort import FloatArray
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores
from escape_score.model.thresholds import Thresholds
from escape_score.profile.distance import excess_distance
from escape_score.profile.mhc.presentation import LossTest, PresentationState, assess_presentation, chain_loss
from escape_score.profile.mhc.tumour_mhc import estimate_infiltrate

SHORTFALL = "mhc1_shortfall"
"""The one term that is neither a component nor a contrast: the test for a loss of the whole MHC class I
chain."""

FALLBACK_SHORTFALL = "mhc1_fallback_shortfall"
"""The same where 6p21 is not quantified: the chain's genes elsewhere below what the interferon response lets
expect, z."""


@dataclass(frozen=True)
class Terms:
    """Terms before standardising.

    Attributes
    ----------
    values
        Term to array of shape (n_samples,), in gene z units.
    leukocyte_fraction
        Share of leukocyte RNA, 0–0.9.
    is_mhc1_unquantified
        A core gene of MHC class I is measured as exactly zero.
    presentation, chain
        Antigen-presentation genes against their expectation, and the test for a loss of the whole chain; None
        where the reference has no presentation model.
    """

    values: Mapping[str, FloatArray] = field(repr=False)
    leukocyte_fraction: FloatArray = field(repr=False)
    is_mhc1_unquantified: npt.NDArray[np.bool_] = field(repr=False)
    presentation: PresentationState | None = field(default=None, repr=False)
    chain: LossTest | None = field(default=None, repr=False)


def component_values(scores: SignatureScores) -> dict[str, FloatArray]:
    """Scores by signature id."""
    return {name: scores.values[:, i] for i, name in enumerate(scores.signature_ids)}


def component_coverage(scores: SignatureScores) -> dict[str, FloatArray]:
    """Coverage by signature id."""
    return {name: scores.coverage[:, i] for i, name in enumerate(scores.signature_ids)}


def compute_terms(
    scores: SignatureScores,
    reference: Reference,
    catalogue: AxisCatalogue,
    components: Mapping[str, tuple[str, ...]],
    thresholds: Thresholds,
) -> Terms:
    """Compute every term that axes and index ask for.

    Parameters
    ----------
    scores
        Must hold every component.
    components
        Component to its gene symbols.

    Returns
    -------
    Terms
        MHC class I terms are NaN where a class I gene was not counted at all.
    """
    values = component_values(scores)
    infiltrate = estimate_infiltrate(scores, reference, components, thresholds.presentation)
    is_uncounted = infiltrate.is_mhc1_unquantified
    state = assess_presentation(
        scores.genes, infiltrate, reference, excess_distance(scores, reference), thresholds
    )
    chain = None if state is None else chain_loss(state, thresholds.presentation)
    values[FALLBACK_SHORTFALL] = -(
        values["mhc1_fallback"] - reference.constants.ifng_factor * values["ifng_response"]
    )
    values[SHORTFALL] = np.where(is_uncounted, np.nan, shortfall(values, chain, scores, reference))
    values["mhc1"] = np.where(is_uncounted, np.nan, values["mhc1"])
    for contrast in catalogue.contrasts:
        slope = reference.slopes.get(contrast.contrast, np.nan)
        values[contrast.contrast] = values[contrast.numerator] - slope * values[contrast.denominator]
    return Terms(values, infiltrate.fraction, is_uncounted, state, chain)


def shortfall(
    values: Mapping[str, FloatArray],
    chain: LossTest | None,
    scores: SignatureScores,
    reference: Reference,
) -> FloatArray:
    """MHC class I of the tumour cells below what infiltrate and interferon explain.

    Where 6p21 is under-quantified the chain's genes elsewhere stand in, brought to the same spread.
    """
    own = np.full(len(scores.sample_ids), np.nan) if chain is None else chain.z
    stats = reference.term_stats
    location, spread = stats.get(SHORTFALL, (np.nan, np.nan))
    their_location, their_spread = stats.get(FALLBACK_SHORTFALL, (np.nan, np.nan))
    elsewhere = location + spread * (values[FALLBACK_SHORTFALL] - their_location) / their_spread
    return np.where(scores.placement.is_mhc_locus_unquantified, elsewhere, own)


def standardise(terms: Terms, reference: Reference, term: Term, *, limit: float | None = None) -> FloatArray:
    """Express a term in reference SD units, with its sign.

    ``limit`` winsorises; used inside the index only, never for an axis: at ±3 SD nine tumours of ten tied in
    one cohort.
    """
    location, spread = reference.term_stats.get(term.name, (np.nan, np.nan))
    value = (terms.values[term.name] - location) / spread
    return term.sign * (value if limit is None else np.clip(value, -limit, limit))


def mean_present(columns: list[FloatArray]) -> FloatArray:
    """Mean of those columns that have a value; NaN where none has."""
    stacked = np.vstack(columns)
    present = ~np.isnan(stacked)
    n_present = present.sum(axis=0)
    total = np.where(present, stacked, 0.0).sum(axis=0)
    return np.where(n_present > 0, total / np.maximum(n_present, 1), np.nan)


def axis_mean(terms: Terms, reference: Reference, wanted: tuple[Term, ...]) -> FloatArray:
    """Mean of an axis's standardised terms."""
    return mean_present([standardise(terms, reference, term) for term in wanted])


def axis_components(axis: Axis, catalogue: AxisCatalogue) -> tuple[tuple[str, int], ...]:
    """Components whose genes carry an axis, with the sign of their effect on it (denominators left out)."""
    numerators = {contrast.contrast: contrast.numerator for contrast in catalogue.contrasts}
    numerators[SHORTFALL] = "mhc1"
    signs = {SHORTFALL: -1}
    if axis.chain:
        return ((axis.chain, -1),)
    return tuple((numerators.get(t.name, t.name), t.sign * signs.get(t.name, 1)) for t in axis.terms)
