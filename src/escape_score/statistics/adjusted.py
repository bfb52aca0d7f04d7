"""Response against one measure, adjusted for what the sample sheet says of purity, site and tumour type."""

from __future__ import annotations

import math
import warnings

import numpy as np

from escape_score.model.record_statistics import AdjustedRow, ConfidenceInterval
from escape_score.statistics.columns import CohortColumns, FloatArray

NUMERIC, NAMED = ("purity",), ("site", "cancer_type")
EVENTS_EACH = 10
"""Fewest of the rarer outcome for each term of a model (Peduzzi et al. 1996, J Clin Epidemiol 49:1373)."""
MAX_LOG_ODDS = 10.0
"""Beyond, per SD, the likelihood has no maximum."""


def adjusted_response(columns: CohortColumns, at: int) -> AdjustedRow | None:
    """Fit a logistic model of response on one measure and the covariates that the sheet has.

    Returns
    -------
    AdjustedRow or None
        None where no covariate varies, with fewer than :data:`EVENTS_EACH` of the rarer outcome a term, or
        where the model does not converge. The p value is not shown, so it does not add a test to the page.

    References
    ----------
    Hosmer, Lemeshow & Sturdivant 2013, Applied Logistic Regression, chapter 3
    """
    labels, values = columns.texts("response"), columns.values[:, at]
    is_used = np.array([label in ("R", "NR") for label in labels], dtype=bool) & np.isfinite(values)
    found = {
        name: term for name in (*NUMERIC, *NAMED) if (term := _terms(columns, name, is_used)) is not None
    }
    for term in found.values():
        is_used = is_used & np.isfinite(term).all(axis=1)
    responds = np.array([label == "R" for label in labels], dtype=np.float64)[is_used]
    x = values[is_used]
    terms = [kept for term in found.values() if (kept := _varying(term[is_used])).shape[1]]
    n_terms = 1 + sum(term.shape[1] for term in terms)
    rarer = min(responds.sum(), len(responds) - responds.sum())
    if not terms or rarer < EVENTS_EACH * n_terms or np.ptp(x) == 0:
        return None
    design = np.column_stack([np.ones(len(x)), (x - x.mean()) / x.std(ddof=1), *terms])
    fitted = _logit(responds, design)
    if fitted is None:
        return None
    log_odds, half = fitted
    return AdjustedRow(
        covariates=tuple(name for name, term in found.items() if _varying(term[is_used]).shape[1]),
        n=len(x),
        odds_ratio=math.exp(log_odds),
        interval=ConfidenceInterval(low=math.exp(log_odds - half), high=math.exp(log_odds + half)),
    )


def _terms(columns: CohortColumns, name: str, is_used: np.ndarray) -> FloatArray | None:
    """Terms of a covariate, shape (n_samples, n_terms), NaN = not known; None where it does not vary."""
    if name in NUMERIC:
        try:
            numbers = columns.numbers(name)
        except ValueError:
            return None
        known = numbers[is_used & np.isfinite(numbers)]
        return numbers[:, None] if len(known) and np.ptp(known) > 0 else None
    texts = columns.texts(name)
    labels = sorted({text for text, used in zip(texts, is_used, strict=True) if text and used})
    # the first label is the one that others are compared with
    rows = [[float(text == label) if text else math.nan for label in labels[1:]] for text in texts]
    return np.array(rows, dtype=np.float64) if len(labels) > 1 else None


def _varying(term: FloatArray) -> FloatArray:
    kept: FloatArray = term[:, np.ptp(term, axis=0) > 0] if len(term) else term[:, :0]
    return kept


def _logit(responds: FloatArray, design: FloatArray) -> tuple[float, float] | None:
    """Log odds per SD and half its 95 % interval; None if the estimate is not finite."""
    from statsmodels.discrete.discrete_model import Logit
    from statsmodels.tools.sm_exceptions import PerfectSeparationError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fit = Logit(responds, design).fit(disp=0)
        except (np.linalg.LinAlgError, PerfectSeparationError):
            return None
        low, high = fit.conf_int()[1]
    found = (float(fit.params[1]), float(high - low) / 2)
    is_usable = fit.mle_retvals["converged"] and all(map(math.isfinite, found))
    return found if is_usable and abs(found[0]) < MAX_LOG_ODDS else None
