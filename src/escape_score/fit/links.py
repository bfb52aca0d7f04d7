"""Expected levels of the links of a chain: robust fits on interferon response and leukocytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from escape_score.fit.moments import rounded
from escape_score.model.cohort import FloatArray
from escape_score.model.reference import WeakestLinkFit
from escape_score.model.robust import MAD_TO_SD, scaled_mad_rows
from escape_score.model.scores import SignatureScores

HUBER_T = 1.345
"""Residuals beyond this many spreads count less: 95 % efficiency for normal errors (Huber 1964)."""

MAX_STEPS = 50
TOLERANCE = 1e-8
MIN_SPREAD_Z = 0.2
"""Smallest spread of a link's residuals, z: of few tumours some fit by chance."""


def fit_weakest_links(
    scores: SignatureScores,
    links: Sequence[str],
    base: Mapping[str, WeakestLinkFit],
    *,
    prior: float,
    fewest: int,
) -> dict[str, WeakestLinkFit]:
    """Fit every link, drawn to another reference's fits.

    Parameters
    ----------
    scores
        Of the tumours to fit on; must hold ``ifng_response`` and ``leukocyte`` and the links' z.
    links
        Genes.
    base
        Fits to draw to.
    prior
        Tumours that the base counts for.
    fewest
        Fewest tumours of a fit; links with fewer are left out.

    Returns
    -------
    dict
        Gene to fit. The intercept is the median of what the drawn slopes leave.
    """
    value = dict(zip(scores.signature_ids, scores.values.T, strict=True))
    design = np.column_stack([value["ifng_response"], value["leukocyte"]])
    fits = {}
    for gene in links:
        if gene not in scores.genes.gene_symbols or gene not in base:
            continue
        z = scores.genes.z[:, scores.genes.gene_symbols.index(gene)]
        known = ~np.isnan(z) & ~np.isnan(design).any(axis=1)
        if known.sum() >= fewest:
            fits[gene] = _fit_link(z[known], design[known], base[gene], prior)
    return fits


def _fit_link(z: FloatArray, design: FloatArray, base: WeakestLinkFit, prior: float) -> WeakestLinkFit:
    """One link: slopes by weight of numbers, intercept and spread from what they leave."""
    n = len(z)
    own = huber(z, np.column_stack([np.ones(n), design]))[1:]
    slopes = (n * own + prior * np.array([base.ifng_slope, base.leukocyte_slope])) / (n + prior)
    left = z - (design * slopes).sum(axis=1)
    intercept = float(np.median(left))
    own_spread = max(float(scaled_mad_rows(left[None, :])[0]), MIN_SPREAD_Z)
    spread = np.sqrt((n * own_spread**2 + prior * base.spread**2) / (n + prior))
    return WeakestLinkFit(rounded(slopes[0]), rounded(slopes[1]), rounded(intercept), rounded(spread))


def huber(y: FloatArray, design: FloatArray) -> FloatArray:
    """Huber's M-estimate of linear coefficients, by iteratively reweighted least squares.

    Parameters
    ----------
    y
        Shape (n,).
    design
        Shape (n, n_coefficients), with a column of ones for an intercept.

    Returns
    -------
    numpy.ndarray
        Shape (n_coefficients,).
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
