"""Fit the antigen-presentation model of a reference to its own tumours.

Three steps, each tolerant of tumours that lost a gene:

1. Leukocytes' share. For each gene g and each of a grid of K_g, location and slope of
   x = log2((1 − f) 2^(m + b · IFN) + K_g u + 1) are fitted by Gauss-Newton with Huber weights. The mean of
   log2 K_g under n/2 · log(mean of squared residuals, capped) and a normal prior around the earlier figure is
   taken: with few or cold tumours that is the earlier figure, with hot ones their own.
2. Location and slope of the tumour cells' level, the leukocytes' part taken away, by Huber's regression on
   the interferon response; the slope is shrunk to that of the earlier model by n / (n + n0).
3. Covariance of the residuals: scaled MADs and the correlation of residuals held within ±2.5 of them, shrunk
   alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from escape_score.model.axes import Design
from escape_score.model.cohort import FloatArray
from escape_score.model.reference import PresentationModel, Reference
from escape_score.model.robust import MAD_TO_SD
from escape_score.model.scores import SignatureScores
from escape_score.model.thresholds import PresentationLimits
from escape_score.profile.mhc.presentation import (
    Infiltrate,
    estimate_infiltrate,
    model_levels,
    tumour_ifng,
    without_leukocytes,
)

HUBER = 1.345
"""Residuals beyond this many SD are weighed down: 95 % efficiency for normal ones (Huber 1964)."""

HELD_WITHIN = 2.5
"""Residuals are held within this many SD before they are correlated."""

GRID_LOG2 = np.arange(-4.0, 3.01, 0.25)
"""Factors by which the leukocytes' share of a gene may differ from the earlier figure."""

LARGEST_RESIDUAL = 4.5
"""Cap of a squared residual, log2 squared: farther out is another population."""

MIN_SAMPLES = 10
DECIMALS = 6
N_STEPS = 30
CONVERGED = 1e-4
TINY = 1e-6


@dataclass(frozen=True)
class TumourLevels:
    """What a fit needs of the tumours of a reference: placed levels, shape (n_samples, n_genes), and more."""

    gene_symbols: tuple[str, ...]
    log2_tpm: FloatArray = field(repr=False)
    infiltrate: Infiltrate = field(repr=False)
    ifng: FloatArray = field(repr=False)


def fit_presentation(
    scores: SignatureScores, reference: Reference, design: Design, *, prior: PresentationModel | None = None
) -> PresentationModel:
    """Fit the antigen-presentation model to a reference's own tumours.

    Parameters
    ----------
    scores
        Of the reference's tumours, placed on ``reference``.
    reference
        Gives locations and spreads of genes, and constants; its own presentation model is not looked at.
    prior
        Model of a larger reference, such as the shipped one, that fills in for what a small cohort cannot
        show; None: leukocytes' shares start from the constants, and nothing is shrunk.

    Returns
    -------
    PresentationModel
        Genes in alphabetical order. A gene measured in fewer than 10 tumours has the prior's figures, or is
        left out where there is no prior.
    """
    chain = design.components[design.catalogue.class_one.chain]
    symbols = tuple(sorted(chain)) if prior is None else prior.gene_symbols
    infiltrate = estimate_infiltrate(scores.genes, reference, design)
    levels = TumourLevels(
        gene_symbols=symbols,
        log2_tpm=model_levels(scores.genes, symbols),
        infiltrate=infiltrate,
        ifng=tumour_ifng(scores.genes, infiltrate, reference, design.thresholds),
    )
    limits = design.thresholds.presentation
    return fit_levels(levels, reference.constants.mhc_per_leukocyte_unit, limits, prior=prior)


def fit_levels(
    levels: TumourLevels,
    per_leukocyte_unit: Mapping[str, float],
    limits: PresentationLimits,
    *,
    prior: PresentationModel | None,
) -> PresentationModel:
    """Fit the model to placed levels; see :func:`fit_presentation`."""
    usable = ~np.isnan(levels.ifng) & ~np.isnan(levels.infiltrate.unit_tpm)
    counts = (~np.isnan(levels.log2_tpm) & usable[:, None]).sum(axis=0)
    if prior is None:
        keep = np.flatnonzero(counts >= MIN_SAMPLES)
        symbols = tuple(levels.gene_symbols[k] for k in keep)
        levels = replace(levels, gene_symbols=symbols, log2_tpm=levels.log2_tpm[:, keep])
        counts = counts[keep]
        start = np.array([per_leukocyte_unit[symbol] for symbol in levels.gene_symbols])
    else:
        start = prior.per_leukocyte_unit
    is_fitted = counts >= MIN_SAMPLES
    units = np.array(
        [
            fit_share(levels, k, usable, start[k], limits) if is_fitted[k] else start[k]
            for k in range(len(start))
        ]
    )
    return _fit_tumour_cells(levels, units, usable, limits, prior=prior)


def fit_share(
    levels: TumourLevels, k: int, usable: np.ndarray, start: float, limits: PresentationLimits
) -> float:
    """TPM of gene ``k`` that leukocytes bring per TPM of their unit."""
    rows = usable & ~np.isnan(levels.log2_tpm[:, k])
    x, ifng = levels.log2_tpm[rows, k], levels.ifng[rows]
    own = 1.0 - levels.infiltrate.fraction[rows]
    unit = levels.infiltrate.unit_tpm[rows]
    cost = np.array([_misfit(x, ifng, own, start * 2.0**factor * unit) for factor in GRID_LOG2])
    cost += 0.5 * (GRID_LOG2 / limits.leukocyte_prior_sd_log2) ** 2
    weight = np.exp(cost.min() - cost)
    return float(start * 2.0 ** ((weight * GRID_LOG2).sum() / weight.sum()))


def _misfit(x: FloatArray, ifng: FloatArray, own: FloatArray, leukocytes: FloatArray) -> float:
    """n/2 · log of the mean squared residual, capped, at the best location and slope."""
    location, slope = float(np.median(x)), 0.5
    residual = x
    for _ in range(N_STEPS):
        tumour = own * np.exp2(location + slope * ifng)
        total = tumour + leukocytes
        share, residual = tumour / total, x - np.log2(total + 1.0)
        design = np.column_stack([share, share * ifng])
        step = np.clip(_weighted_fit(design, residual, huber_weights(residual)), -1.0, 1.0)
        location, slope = location + step[0], slope + step[1]
        if np.abs(step).sum() < CONVERGED:
            break
    return 0.5 * len(x) * float(np.log(np.minimum(residual**2, LARGEST_RESIDUAL).mean()))


def huber_weights(residual: FloatArray) -> FloatArray:
    """Huber's weights of some residuals, their scale the scaled MAD."""
    scale = MAD_TO_SD * np.median(np.abs(residual - np.median(residual))) + TINY
    weights: FloatArray = 1.0 / np.maximum(1.0, np.abs(residual) / (HUBER * scale))
    return weights


def _weighted_fit(design: FloatArray, y: FloatArray, weights: FloatArray) -> FloatArray:
    """Weighted least squares."""
    root = np.sqrt(weights)
    return np.asarray(np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0])


def huber_regression(design: FloatArray, y: FloatArray) -> FloatArray:
    """Coefficients of Huber's regression by iterated reweighting."""
    weights = np.ones(len(y))
    coefficients = np.zeros(design.shape[1])
    for _ in range(N_STEPS):
        new = _weighted_fit(design, y, weights)
        done = np.abs(new - coefficients).sum() < CONVERGED
        coefficients = new
        weights = huber_weights(y - design @ coefficients)
        if done:
            break
    return coefficients


def _fit_tumour_cells(
    levels: TumourLevels,
    units: FloatArray,
    usable: np.ndarray,
    limits: PresentationLimits,
    *,
    prior: PresentationModel | None,
) -> PresentationModel:
    """Location, slope and covariance of the tumour cells' levels."""
    per_unit = limits.leukocyte_mhc_factor * units
    cleared = without_leukocytes(levels.log2_tpm, per_unit, levels.infiltrate, limits)
    cleared[~usable] = np.nan
    n_genes = cleared.shape[1]
    location, slope = np.zeros(n_genes), np.zeros(n_genes)
    residuals = np.full(cleared.shape, np.nan)
    for k in range(n_genes):
        rows = ~np.isnan(cleared[:, k])
        earlier = None if prior is None else (float(prior.location[k]), float(prior.ifng_slope[k]))
        location[k], slope[k] = _line(cleared[rows, k], levels.ifng[rows], earlier, limits)
        residuals[rows, k] = cleared[rows, k] - location[k] - slope[k] * levels.ifng[rows]
    return PresentationModel(
        gene_symbols=levels.gene_symbols,
        location=location.round(DECIMALS),
        ifng_slope=slope.round(DECIMALS),
        per_leukocyte_unit=units.round(DECIMALS),
        covariance=_shrunk_covariance(residuals, limits, prior=prior).round(DECIMALS),
    )


def _line(
    y: FloatArray, ifng: FloatArray, earlier: tuple[float, float] | None, limits: PresentationLimits
) -> tuple[float, float]:
    """Location and slope of one gene."""
    if len(y) < MIN_SAMPLES and earlier is not None:
        return earlier
    location, slope = huber_regression(np.column_stack([np.ones(len(y)), ifng]), y)
    if earlier is None:
        return float(location), float(slope)
    weight = len(y) / (len(y) + limits.presentation_prior_samples)
    shrunk = weight * slope + (1 - weight) * earlier[1]
    return float(huber_regression(np.ones((len(y), 1)), y - shrunk * ifng)[0]), float(shrunk)


def robust_covariance(residuals: FloatArray) -> FloatArray:
    """Covariance from scaled MADs and the correlation of residuals that are held within ±2.5 of them.

    ``residuals`` have shape (n_samples, n_genes); NaN = not measured, taken as no deviation in correlations.
    """
    scale = MAD_TO_SD * np.nanmedian(np.abs(residuals), axis=0) + TINY
    held = np.nan_to_num(np.clip(residuals / scale, -HELD_WITHIN, HELD_WITHIN))
    cross = held.T @ held
    size = np.sqrt(np.diag(cross))
    covariance: FloatArray = cross / np.outer(size, size) * np.outer(scale, scale)
    return covariance


def _shrunk_covariance(
    residuals: FloatArray, limits: PresentationLimits, *, prior: PresentationModel | None
) -> FloatArray:
    """Covariance of a cohort, shrunk to the earlier model's by the number of tumours."""
    counts = (~np.isnan(residuals)).sum(axis=0)
    if prior is None:
        return robust_covariance(residuals)
    is_fitted = counts >= MIN_SAMPLES
    found = np.array(prior.covariance, copy=True)
    own = np.ix_(is_fitted, is_fitted)
    if is_fitted.any():
        weight = counts[is_fitted].min() / (counts[is_fitted].min() + limits.presentation_prior_samples)
        found[own] = weight * robust_covariance(residuals[:, is_fitted]) + (1 - weight) * found[own]
    return found
