"""Logistic, Cox and linear models by maximum likelihood, and what makes one unusable."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from escape_score.statistics.columns import FloatArray

BoolArray = npt.NDArray[np.bool_]

MAX_ERROR = 50.0
"""Largest standard error of a coefficient over the range of its column: beyond, the likelihood has no
maximum, since a column separates the outcomes. A rare group in a model with enough events stays below 5."""
MIN_SINGULAR = 1e-6
"""Smallest singular value of a design, relative to the largest, below which a column follows from others."""


@dataclass(frozen=True)
class Fit:
    """A model that has converged: one coefficient and standard error a column of its design."""

    coefficients: FloatArray = field(repr=False)
    errors: FloatArray = field(repr=False)
    log_likelihood: float


def is_collinear(design: FloatArray) -> bool:
    """Whether a column of a design, shape (n_samples, n_columns), follows from others or from a constant."""
    centred = design - design.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=0)
    if not (lengths > 0).all() or len(design) <= design.shape[1]:
        return True
    sizes = np.linalg.svd(centred / lengths, compute_uv=False)
    return bool(sizes[-1] < MIN_SINGULAR * sizes[0])


def fit_logit(outcome: BoolArray, design: FloatArray) -> Fit | None:
    """Fit a logistic model with an intercept; None where there is no finite estimate.

    References
    ----------
    Hosmer, Lemeshow & Sturdivant 2013, Applied Logistic Regression, chapter 3
    """
    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    scaled, spreads = _scaled(design)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = Logit(outcome.astype(np.float64), np.column_stack([np.ones(len(scaled)), scaled])).fit(
                disp=0
            )
        except (np.linalg.LinAlgError, PerfectSeparationError):
            return None
        estimates, errors = np.asarray(found.params)[1:], np.asarray(found.bse)[1:]
    if not found.mle_retvals["converged"]:
        return None
    return _usable(design, estimates / spreads, errors / spreads, float(found.llf))


def fit_cox(days: FloatArray, events: BoolArray, design: FloatArray) -> Fit | None:
    """Fit a Cox model, ties by Efron's method; None where there is no finite estimate.

    References
    ----------
    Cox 1972, J R Stat Soc B 34:187, doi:10.1111/j.2517-6161.1972.tb00899.x
    """
    import pandas as pd
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError

    scaled, spreads = _scaled(design)
    table = pd.DataFrame(scaled, columns=[f"x{at}" for at in range(design.shape[1])])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = CoxPHFitter().fit(
                table.assign(days=days, event=events), duration_col="days", event_col="event"
            )
        except (ConvergenceError, np.linalg.LinAlgError):
            return None
    estimates, errors = found.params_.to_numpy(), found.standard_errors_.to_numpy()
    return _usable(design, estimates / spreads, errors / spreads, float(found.log_likelihood_))


def _scaled(design: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Columns in units of their SD, around 0, and the SD: a covariate in other units gives the same fit."""
    spreads = design.std(axis=0, ddof=1)
    return (design - design.mean(axis=0)) / spreads, spreads


def _usable(
    design: FloatArray, estimates: FloatArray, errors: FloatArray, log_likelihood: float
) -> Fit | None:
    """A fit whose numbers are all finite and not those of a likelihood without a maximum."""
    numbers = (*estimates, *errors, log_likelihood)
    if not all(map(math.isfinite, numbers)) or (errors * np.ptp(design, axis=0) > MAX_ERROR).any():
        return None
    return Fit(estimates, errors, log_likelihood)


@dataclass(frozen=True)
class LinearFit:
    """A linear model: coefficients with standard errors, and how much of the sum of squares is left."""

    coefficients: FloatArray = field(repr=False)
    errors: FloatArray = field(repr=False)
    residual: float
    df: int


def fit_linear(values: FloatArray, design: FloatArray) -> LinearFit:
    """Fit a linear model with an intercept by least squares; the design is not collinear."""
    whole = np.column_stack([np.ones(len(design)), design])
    orthogonal, triangle = np.linalg.qr(whole)
    coefficients = np.linalg.solve(triangle, orthogonal.T @ values)
    residual = float(np.square(values - whole @ coefficients).sum())
    df = len(values) - whole.shape[1]
    inverse = np.linalg.inv(triangle)
    errors = np.sqrt(np.square(inverse).sum(axis=1) * residual / df)
    return LinearFit(coefficients[1:], errors[1:], residual, df)


def eta_interval(f: float, df_groups: int, df_residual: int) -> tuple[float, float]:
    """95 % interval of partial eta squared, from the noncentral F distributions that F is 2.5 % away from.

    References
    ----------
    Steiger 2004, Psychological Methods 9:164, doi:10.1037/1082-989X.9.2.164
    """
    n = df_groups + df_residual + 1
    low, high = (_noncentrality(f, df_groups, df_residual, tail) for tail in (0.975, 0.025))
    return low / (low + n), high / (high + n)


def _noncentrality(f: float, df_groups: int, df_residual: int, tail: float) -> float:
    """Noncentrality at which F is at a quantile; 0 where even that of no difference is beyond."""
    from scipy.optimize import brentq
    from scipy.special import ncfdtr

    def away(noncentrality: float) -> float:
        return float(ncfdtr(df_groups, df_residual, noncentrality, f)) - tail

    if away(0.0) <= 0:
        return 0.0
    top = 1.0
    while away(top) > 0:
        top *= 2
    return float(brentq(away, 0.0, top, xtol=1e-10))
