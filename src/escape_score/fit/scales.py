"""Location and spread of columns, and what is shrunk towards another reference: slopes, terms and links."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

import numpy as np

from escape_score.model.axes import AxisKind, Contrast, Design
from escape_score.model.cohort import FloatArray
from escape_score.model.profiles import CohortProfiles
from escape_score.model.record import Call
from escape_score.model.reference import Distributions, Reference, WeakestLinkFit
from escape_score.model.robust import MAD_TO_SD, nanmedian_rows, scaled_mad_rows
from escape_score.model.scores import SignatureScores
from escape_score.model.thresholds import FitLimits

INDEX = "index"
DECIMALS = 6
"""Decimals of every fitted number: its table holds it whole, and a machine's last bits change nothing."""

HUBER_T = 1.345
"""Residuals beyond this many spreads count less: 95 % efficiency for normal errors (Huber 1964)."""

MAX_STEPS = 50
TOLERANCE = 1e-8
MIN_SPREAD_Z = 0.2
"""Smallest spread of a link's residuals, z: of few tumours some fit by chance."""

Number = TypeVar("Number", float, FloatArray)


class Moments(StrEnum):
    """How location and spread are taken.

    ``PLAIN``: mean and standard deviation, for hundreds of tumours. ``ROBUST``: median and scaled MAD, for
    few, of which some may be odd.
    """

    PLAIN = "plain"
    ROBUST = "robust"


def locations(values: FloatArray, moments: Moments) -> FloatArray:
    """Location of each column of an array of shape (n_samples, n_columns); NaN is left out."""
    return nanmedian_rows(values.T) if moments is Moments.ROBUST else np.asarray(np.nanmean(values, axis=0))


def spreads(values: FloatArray, moments: Moments) -> FloatArray:
    """Spread of each column of an array of shape (n_samples, n_columns); NaN is left out."""
    is_robust = moments is Moments.ROBUST
    return scaled_mad_rows(values.T) if is_robust else np.asarray(np.nanstd(values, axis=0, ddof=1))


def rounded(value: float) -> float:
    """Round to the decimals of the tables."""
    return round(float(value), DECIMALS)


def pooled_spread(own: Number, base: Number, n: Number | float, prior: float) -> Number:
    """Shrink spreads towards another reference's: squares weighted by ``n`` samples and by ``prior``."""
    pooled: Number = np.sqrt((n * own**2 + prior * base**2) / (n + prior))
    return pooled


def contrast_slopes(
    scores: SignatureScores, contrasts: Iterable[Contrast], moments: Moments
) -> dict[str, float]:
    """Slopes: ratio of the spreads (reduced major axis), for scores that rise together, times their share.

    NaN where either component is not evaluable or does not vary.
    """
    spread = dict(zip(scores.signature_ids, spreads(scores.values, moments), strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = {
            c.contrast: c.share * np.divide(spread[c.numerator], spread[c.denominator]) for c in contrasts
        }
    return {name: rounded(ratio) if 0 < ratio < np.inf else np.nan for name, ratio in ratios.items()}


def drawn_slopes(own: Mapping[str, float], base: Mapping[str, float], weight: float) -> dict[str, float]:
    """Shrink slopes towards another reference's, on the logarithmic scale, where ratios are symmetric.

    ``weight`` is the share of the own slope, 0–1; a slope that is not known is the other's.
    """
    return {
        name: rounded(np.exp(weight * np.log(own[name]) + (1 - weight) * np.log(base[name])))
        if np.isfinite(own.get(name, np.nan))
        else base[name]
        for name in base
    }


def term_moments(terms: Mapping[str, FloatArray], moments: Moments) -> dict[str, tuple[float, float]]:
    """Location and spread of terms, in gene z units; NaN where a term is not evaluable."""
    stacked = np.column_stack(list(terms.values()))
    pairs = zip(locations(stacked, moments), spreads(stacked, moments), strict=True)
    return {name: (rounded(at), rounded(spread)) for name, (at, spread) in zip(terms, pairs, strict=True)}


def drawn_terms(
    terms: Mapping[str, FloatArray], base: Reference, limits: FitLimits
) -> dict[str, tuple[float, float]]:
    """Robust moments of terms: locations stay, spreads are shrunk towards another reference's.

    Terms that too few tumours have, or that the other reference lacks, are left out.
    """
    prior = limits.fit_prior_samples
    n = {name: int((~np.isnan(values)).sum()) for name, values in terms.items()}
    return {
        name: (at, rounded(pooled_spread(spread, base.term_stats[name][1], n[name], prior)))
        for name, (at, spread) in term_moments(terms, Moments.ROBUST).items()
        if name in base.term_stats and n[name] >= limits.min_fit_samples
    }


def distributions_of(sample_ids: tuple[str, ...], profiles: CohortProfiles) -> Distributions:
    """Scores of every axis, and the index, of every tumour, rounded like the tables."""
    columns = {axis.axis: axis.score for axis in profiles.axes} | {INDEX: profiles.index.index}
    return Distributions(sample_ids, {name: np.round(values, DECIMALS) for name, values in columns.items()})


def typical_detections(profiles: CohortProfiles) -> float:
    """Mechanisms detected in a tumour, on average; two decimals."""
    detected = np.vstack([axis.call == Call.DETECTED for axis in profiles.axes])
    return round(float(detected.sum(axis=0).mean()), 2)


def fit_weakest_links(
    scores: SignatureScores, design: Design, base: Mapping[str, WeakestLinkFit]
) -> dict[str, WeakestLinkFit]:
    """Fit every link of the chains that are judged by their weakest one, shrunk towards the fits of ``base``.

    Genes that too few tumours have are left out. The intercept is the median of what the shrunk slopes leave.
    """
    covariates, limits = design.catalogue.covariates, design.thresholds.fit
    explained_by = np.column_stack([scores.of(covariates.interferon), scores.of(covariates.leukocytes)])
    chains = [axis.chain for axis in design.catalogue.axes if axis.kind is AxisKind.WEAKEST_LINK]
    fits = {}
    for gene in (gene for chain in chains for gene in design.components[chain]):
        if gene not in scores.genes.gene_symbols or gene not in base:
            continue
        z = scores.genes.z[:, scores.genes.gene_symbols.index(gene)]
        known = ~np.isnan(z) & ~np.isnan(explained_by).any(axis=1)
        if known.sum() >= limits.min_fit_samples:
            fits[gene] = _fit_link(z[known], explained_by[known], base[gene], limits.fit_prior_samples)
    return fits


def _fit_link(z: FloatArray, explained_by: FloatArray, base: WeakestLinkFit, prior: float) -> WeakestLinkFit:
    """One link: slopes by weight of numbers, intercept and spread from what they leave."""
    n = len(z)
    own = huber(z, np.column_stack([np.ones(n), explained_by]))[1:]
    slopes = (n * own + prior * np.array([base.ifng_slope, base.leukocyte_slope])) / (n + prior)
    left = z - (explained_by * slopes).sum(axis=1)
    own_spread = max(float(scaled_mad_rows(left[None, :])[0]), MIN_SPREAD_Z)
    return WeakestLinkFit(
        ifng_slope=rounded(slopes[0]),
        leukocyte_slope=rounded(slopes[1]),
        intercept=rounded(np.median(left)),
        spread=rounded(pooled_spread(own_spread, base.spread, n, prior)),
    )


def huber(y: FloatArray, design: FloatArray) -> FloatArray:
    """Huber's M-estimate of linear coefficients, by iteratively reweighted least squares.

    ``design`` has shape (n, n_coefficients), with a column of ones for an intercept.
    """
    coefficients = np.linalg.lstsq(design, y, rcond=None)[0]
    for _ in range(MAX_STEPS):
        residuals = y - design @ coefficients
        scale = MAD_TO_SD * np.median(np.abs(residuals))
        if scale == 0:
            break
        weights = np.sqrt(np.minimum(1.0, HUBER_T / np.maximum(np.abs(residuals / scale), 1e-12)))
        update = np.linalg.lstsq(design * weights[:, None], y * weights, rcond=None)[0]
        is_settled = np.abs(update - coefficients).max() < TOLERANCE
        coefficients = update
        if is_settled:
            break
    return np.asarray(coefficients)
