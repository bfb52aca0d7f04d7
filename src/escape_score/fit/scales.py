"""Location and spread of columns, and what is drawn to another reference: slopes of contrasts and terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

import numpy as np

from escape_score.model.axes import Contrast
from escape_score.model.cohort import FloatArray
from escape_score.model.profiles import CohortProfiles
from escape_score.model.reference import Distributions, Reference
from escape_score.model.robust import nanmedian_rows, scaled_mad_rows
from escape_score.model.scores import SignatureScores
from escape_score.model.thresholds import FitLimits

INDEX = "index"
DECIMALS = 6
"""Decimals of every fitted number: its table holds it whole, and a machine's last bits change nothing."""

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
    """Draw spreads to those of another reference: squares weighted by ``n`` samples and by ``prior``."""
    pooled: Number = np.sqrt((n * own**2 + prior * base**2) / (n + prior))
    return pooled


def contrast_slopes(
    scores: SignatureScores, contrasts: Iterable[Contrast], moments: Moments
) -> dict[str, float]:
    """Reduced-major-axis slopes: ratio of the spreads, for scores that rise together.

    Returns
    -------
    dict
        Contrast to slope; NaN where either component is not evaluable or does not vary.
    """
    spread = dict(zip(scores.signature_ids, spreads(scores.values, moments), strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = {c.contrast: np.divide(spread[c.numerator], spread[c.denominator]) for c in contrasts}
    return {name: rounded(ratio) if 0 < ratio < np.inf else np.nan for name, ratio in ratios.items()}


def drawn_slopes(own: Mapping[str, float], base: Mapping[str, float], weight: float) -> dict[str, float]:
    """Draw slopes to those of another reference, on the logarithmic scale, where ratios are symmetric.

    Parameters
    ----------
    weight
        Share of the own slope, 0–1; a slope that is not known is the other's.
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
    """Robust moments of terms: locations stay, spreads are drawn to another reference.

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
