"""Slopes of contrasts, and location and spread of terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from escape_score.fit.moments import DECIMALS, Moments, locations, rounded, spreads
from escape_score.model.axes import Contrast
from escape_score.model.cohort import FloatArray
from escape_score.model.profiles import CohortProfiles
from escape_score.model.reference import Distributions, Reference
from escape_score.model.scores import SignatureScores

INDEX = "index"


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
    own: Mapping[str, tuple[float, float]],
    n: Mapping[str, int],
    base: Reference,
    *,
    prior: float,
    fewest: int,
) -> dict[str, tuple[float, float]]:
    """Keep own locations, draw spreads to another reference; terms that too few tumours have are left out.

    Parameters
    ----------
    n
        Tumours that have the term.
    prior
        Tumours that the other reference counts for.
    fewest
        Fewest tumours of a term.
    """
    return {
        name: (
            at,
            rounded(
                np.sqrt((n[name] * spread**2 + prior * base.term_stats[name][1] ** 2) / (n[name] + prior))
            ),
        )
        for name, (at, spread) in own.items()
        if name in base.term_stats and n[name] >= fewest
    }


def distributions_of(sample_ids: tuple[str, ...], profiles: CohortProfiles) -> Distributions:
    """Scores of every axis, and the index, of every tumour, rounded like the tables."""
    columns = {axis.axis: axis.score for axis in profiles.axes} | {INDEX: profiles.index.index}
    return Distributions(sample_ids, {name: np.round(values, DECIMALS) for name, values in columns.items()})
