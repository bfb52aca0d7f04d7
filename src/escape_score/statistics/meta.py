"""One estimate over several cohorts: random effects with the intervals that few cohorts need."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from escape_score.model.record_comparison import Heterogeneity, PoolingModel
from escape_score.model.record_statistics import ConfidenceInterval
from escape_score.statistics.columns import FloatArray
from escape_score.statistics.ranks import Z_95

FEWEST = 2
"""Cohorts of a pooled estimate."""
FEWEST_RANDOM = 3
"""Cohorts of a random-effects model: two do not show how far cohorts differ."""
CONFIDENCE = 0.975
"""Upper end of a two-sided 95 % interval."""
_MOST_DOUBLINGS = 200
"""Doublings of an upper end in the search for a variance."""


@dataclass(frozen=True)
class Pooled:
    """An estimate over cohorts, on the scale on which effects are added.

    ``weights`` are shares of the estimate, in the order of the cohorts.
    """

    model: PoolingModel
    effect: float
    standard_error: float
    interval: ConfidenceInterval
    prediction: ConfidenceInterval | None
    p_value: float
    heterogeneity: Heterogeneity
    weights: tuple[float, ...]


def error_of(low: float, high: float) -> float:
    """Standard error from the ends of a 95 % interval, on the scale on which the interval is symmetrical."""
    return (high - low) / (2 * Z_95)


def pool(effects: FloatArray, errors: FloatArray) -> Pooled:
    """Combine the effects of cohorts.

    Parameters
    ----------
    effects, errors
        Estimates and standard errors, shape (n_cohorts,), at least two; errors above 0.

    Returns
    -------
    Pooled
        Random effects from three cohorts on, else the fixed effect, which describes these two cohorts only.

    Notes
    -----
    The variance between cohorts is that of Paule and Mandel [1]_. The interval is that of Hartung and Knapp
    [2]_ and of Sidik and Jonkman [3]_, with t quantiles of k - 1 degrees of freedom. It is never narrower
    than with a scale of 1: else cohorts that agree by luck would give an interval of no width [4]_. The
    prediction interval has k - 2 degrees of freedom [5]_. Statsmodels has the same estimates, but its steps
    towards the variance return 0 where rounding puts one beyond the root, so the equation is solved here.

    References
    ----------
    .. [1] Paule & Mandel 1982, J Res Natl Bur Stand 87:377, doi:10.6028/jres.087.022
    .. [2] Hartung & Knapp 2001, Statistics in Medicine 20:3875, doi:10.1002/sim.1009
    .. [3] Sidik & Jonkman 2002, Statistics in Medicine 21:3153, doi:10.1002/sim.1262
    .. [4] Knapp & Hartung 2003, Statistics in Medicine 22:2693, doi:10.1002/sim.1482
    .. [5] Higgins, Thompson & Spiegelhalter 2009, J R Stat Soc A 172:137,
       doi:10.1111/j.1467-985X.2008.00552.x
    """
    heterogeneity = heterogeneity_of(effects, errors)
    if len(effects) < FEWEST_RANDOM:
        return _fixed(effects, errors, heterogeneity)
    return _random(effects, errors, heterogeneity)


def _fixed(effects: FloatArray, errors: FloatArray, heterogeneity: Heterogeneity) -> Pooled:
    from scipy.stats import norm

    mean, weights = _mean(effects, errors**2)
    error = 1 / math.sqrt(weights.sum())
    return Pooled(
        model=PoolingModel.FIXED,
        effect=mean,
        standard_error=error,
        interval=_around(mean, Z_95 * error),
        prediction=None,
        p_value=float(2 * norm.sf(abs(mean / error))),
        heterogeneity=heterogeneity,
        weights=_shares(weights),
    )


def _random(effects: FloatArray, errors: FloatArray, heterogeneity: Heterogeneity) -> Pooled:
    from scipy.stats import t

    tau2, k = heterogeneity.tau_squared, len(effects)
    mean, weights = _mean(effects, errors**2 + tau2)
    scale = max(1.0, float((weights * (effects - mean) ** 2).sum()) / (k - 1))
    error = math.sqrt(scale / weights.sum())
    spread = math.sqrt(tau2 + error**2)
    return Pooled(
        model=PoolingModel.RANDOM,
        effect=mean,
        standard_error=error,
        interval=_around(mean, float(t.ppf(CONFIDENCE, k - 1)) * error),
        prediction=_around(mean, float(t.ppf(CONFIDENCE, k - 2)) * spread),
        p_value=float(2 * t.sf(abs(mean / error), k - 1)),
        heterogeneity=heterogeneity,
        weights=_shares(weights),
    )


def heterogeneity_of(effects: FloatArray, errors: FloatArray) -> Heterogeneity:
    """Say how far cohorts differ beyond chance.

    Notes
    -----
    Cochran's Q, the variance between cohorts of Paule and Mandel, and I² with the interval of the Q profile
    [1]_, which inverts the same equation. I² is the variance between cohorts as a share of that and of the
    typical variance inside cohorts [2]_.

    References
    ----------
    .. [1] Viechtbauer 2007, Statistics in Medicine 26:37, doi:10.1002/sim.2514
    .. [2] Higgins & Thompson 2002, Statistics in Medicine 21:1539, doi:10.1002/sim.1186
    """
    from scipy.stats import chi2

    variances, df = errors**2, len(effects) - 1
    q = _generalised_q(effects, variances, 0.0)
    tau2 = _variance_at(effects, variances, df)
    ends = (_variance_at(effects, variances, float(chi2.ppf(p, df))) for p in (CONFIDENCE, 1 - CONFIDENCE))
    low, high = (_i_squared(end, variances) for end in ends)
    return Heterogeneity(
        q=q,
        p_value=float(chi2.sf(q, df)),
        tau_squared=tau2,
        i_squared=_i_squared(tau2, variances),
        i_squared_interval=ConfidenceInterval(low=low, high=high),
    )


def wilson_interval(n: int, n_all: int) -> ConfidenceInterval:
    """Give the 95 % interval of a share.

    References
    ----------
    Wilson 1927, J Am Stat Assoc 22:209, doi:10.1080/01621459.1927.10502953
    """
    share, square = n / n_all, Z_95**2
    middle = (share + square / (2 * n_all)) / (1 + square / n_all)
    half = Z_95 * math.sqrt(share * (1 - share) / n_all + square / (4 * n_all**2)) / (1 + square / n_all)
    # the ends are exact where all or none are counted, but for the last digit
    low = 0.0 if n == 0 else max(middle - half, 0.0)
    high = 1.0 if n == n_all else min(middle + half, 1.0)
    return ConfidenceInterval(low=low, high=high)


def _mean(effects: FloatArray, variances: FloatArray) -> tuple[float, FloatArray]:
    weights = 1 / variances
    return float((weights * effects).sum() / weights.sum()), weights


def _shares(weights: FloatArray) -> tuple[float, ...]:
    return tuple(float(one) for one in weights / weights.sum())


def _around(middle: float, half: float) -> ConfidenceInterval:
    return ConfidenceInterval(low=middle - half, high=middle + half)


def _generalised_q(effects: FloatArray, variances: FloatArray, tau2: float) -> float:
    """Weighted squares around the mean; falls as the variance between cohorts rises."""
    mean, weights = _mean(effects, variances + tau2)
    return float((weights * (effects - mean) ** 2).sum())


def _variance_at(effects: FloatArray, variances: FloatArray, wanted: float) -> float:
    """Variance between cohorts at which the generalised Q is as wanted; 0 where it is below already."""
    return _falling_root(lambda tau2: _generalised_q(effects, variances, tau2) - wanted)


def _falling_root(excess: Callable[[float], float]) -> float:
    from scipy.optimize import brentq

    if excess(0.0) <= 0:
        return 0.0
    high = 1.0
    for _ in range(_MOST_DOUBLINGS):
        if excess(high) <= 0:
            break
        high *= 2
    return float(brentq(excess, 0.0, high, xtol=1e-14, rtol=1e-14))


def _i_squared(tau2: float, variances: FloatArray) -> float:
    weights = 1 / variances
    total = float(weights.sum())
    typical = (len(weights) - 1) * total / (total**2 - float((weights**2).sum()))
    return tau2 / (tau2 + typical)
