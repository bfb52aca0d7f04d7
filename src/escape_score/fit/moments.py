"""Location and spread of a column, plain or robust."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from escape_score.model.cohort import FloatArray
from escape_score.model.robust import nanmedian_rows, scaled_mad_rows

DECIMALS = 6
"""Decimals of every fitted number: its table holds it whole, and a machine's last bits change nothing."""


class Moments(StrEnum):
    """How location and spread are taken.

    ``PLAIN``: mean and standard deviation, for hundreds of tumours. ``ROBUST``: median and scaled MAD, for
    few, of which some may be odd.
    """

    PLAIN = "plain"
    ROBUST = "robust"


def locations(values: FloatArray, moments: Moments) -> FloatArray:
    """Location of each column of an array of shape (n_samples, n_columns); NaN is left out."""
    if moments is Moments.ROBUST:
        return nanmedian_rows(values.T)
    return np.asarray(np.nanmean(values, axis=0))


def spreads(values: FloatArray, moments: Moments) -> FloatArray:
    """Spread of each column of an array of shape (n_samples, n_columns); NaN is left out."""
    if moments is Moments.ROBUST:
        return scaled_mad_rows(values.T)
    return np.asarray(np.nanstd(values, axis=0, ddof=1))


def pooled_spread(own: FloatArray, base: FloatArray, n: FloatArray, prior: float) -> FloatArray:
    """Draw spreads to those of another reference: squares weighted by ``n`` samples and by ``prior``."""
    pooled: FloatArray = np.sqrt((n * own**2 + prior * base**2) / (n + prior))
    return pooled


def rounded(value: float) -> float:
    """Round to the decimals of the tables."""
    return round(float(value), DECIMALS)
