"""Expected levels of the links of a chain: robust fits on interferon response and leukocytes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from escape_score.fit.scales import pooled_spread, rounded
from escape_score.model.axes import AxisKind, Design
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
    scores: SignatureScores, design: Design, base: Mapping[str, WeakestLinkFit]
) -> dict[str, WeakestLinkFit]:
    """Fit every link of the chains that are judged by their weakest one, drawn to another reference's fits.

    Parameters
    ----------
    scores
        Of the tumours to fit on.
    base
        Fits to draw to.

    Returns
    -------
    dict
        Gene to fit; genes that too few tumours have are left out. The intercept is the median of what the
        drawn slopes leave.
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
