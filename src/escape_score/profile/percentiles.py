"""Percentiles against the reference's own tumours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

from escape_score.model.cohort import FloatArray
from escape_score.model.notes import Code, Note, note
from escape_score.model.profiles import TextArray
from escape_score.model.record import Interval, ReferenceMatch
from escape_score.model.reference import Distributions
from escape_score.model.thresholds import MatchLimits

SAME_TUMOUR_SD = 0.25
"""Values that were rounded in between move the typical score by less; two tumours differ by about 1."""


def find_own_tumours(
    scores: Mapping[str, FloatArray], sample_ids: Sequence[str], distributions: Distributions
) -> npt.NDArray[np.bool_]:
    """Which samples are tumours that the reference was fitted on, shape (n_samples,).

    The same id is not enough, since laboratories count from 1 in every run: the typical axis must have the
    same score too. ``scores``: axis to its scores, shape (n_samples,).
    """
    place = {sample_id: i for i, sample_id in enumerate(distributions.sample_ids)}
    known = [name for name in scores if name in distributions.columns]
    out = np.zeros(len(sample_ids), dtype=bool)
    for row, sample_id in enumerate(sample_ids):
        if sample_id in place:
            gaps = [abs(scores[n][row] - distributions.columns[n][place[sample_id]]) for n in known]
            known_gaps = [gap for gap in gaps if not np.isnan(gap)]
            out[row] = bool(known_gaps) and float(np.median(known_gaps)) < SAME_TUMOUR_SD
    return out


def percentile_of(
    scores: FloatArray,
    sample_ids: Sequence[str],
    distributions: Distributions,
    column: str,
    *,
    is_own: npt.NDArray[np.bool_],
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Share of reference tumours below, ties counted half, in %; and the tumours compared with.

    NaN and 0 where the score or the distribution is missing. ``is_own``: samples that belong to the
    reference; each of them is left out of its own comparison.
    """
    if column not in distributions.columns:
        return np.full(len(scores), np.nan), np.zeros(len(scores), dtype=np.int64)
    own = dict(zip(distributions.sample_ids, distributions.columns[column], strict=True))
    ordered = np.sort(distributions.columns[column][~np.isnan(distributions.columns[column])])
    below = np.searchsorted(ordered, scores, side="left").astype(np.float64)
    upto = np.searchsorted(ordered, scores, side="right").astype(np.float64)
    n = np.full(len(scores), len(ordered), dtype=np.int64)
    for row, sample_id in enumerate(sample_ids):
        value = own.get(sample_id, np.nan) if is_own[row] else np.nan
        if not np.isnan(value):
            n[row] -= 1
            below[row] -= value < scores[row]
            upto[row] -= value <= scores[row]
    percentile = 100.0 * (below + upto) / 2 / np.maximum(n, 1)
    known = ~np.isnan(scores) & (n > 0)
    return np.where(known, percentile, np.nan), np.where(known, n, 0)


def permitted(
    percentile: FloatArray, n: npt.NDArray[np.int64], match: TextArray, limits: MatchLimits
) -> FloatArray:
    """Keep percentiles that mean something: NaN for a poor match, and against too few tumours."""
    is_kept = (n >= limits.min_percentile_samples) & (match != ReferenceMatch.POOR)
    return np.where(is_kept, percentile, np.nan)


def percentile_reason(score: float | None, n: int, match: str, limits: MatchLimits) -> Note | None:
    """Why there is no percentile; None where there is one."""
    if score is None:
        return note(Code.PERCENTILE, "not_evaluable")
    if n < limits.min_percentile_samples:
        return note(Code.PERCENTILE, "few_tumours", n=n, least=limits.min_percentile_samples)
    if match == ReferenceMatch.POOR:
        return note(Code.PERCENTILE, "distant")
    return None


def percentile_interval(percentile: float, n: int, level: float) -> Interval:
    """Range of the share below, in %, that ``n`` reference tumours leave open (Clopper-Pearson).

    With the probability ``level`` it holds the share in all tumours of the kind. Exact for a whole number of
    tumours below (Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404); half a tumour, from a tie, is
    between its neighbours. It says what the size of the reference leaves open, not the error of the score.
    """
    return _open_share(float(percentile), n, level)


@lru_cache(maxsize=4096)
def _open_share(percentile: float, n: int, level: float) -> Interval:
    """As :func:`percentile_interval`, cached: a reference of n tumours has some 2 n percentiles."""
    below, tail = percentile / 100 * n, (1 - level) / 2
    low = betaincinv(below, n - below + 1, tail) if below > 0 else 0.0
    high = betaincinv(below + 1, n - below, 1 - tail) if below < n else 1.0
    return Interval(low=100 * float(low), high=100 * float(high))
