"""Detected, not detected or not evaluable: one rule for all mechanisms.

=================  =====================================================================================
call               when
=================  =====================================================================================
not evaluable      there is no score; or the axis is a weakest link (one that knows no limit of detection)
                   and the reference match is not good;
                   or the reference match is not good and the absolute interval holds both the reference's
                   centre and the threshold, so that it could be either
detected           score ≥ threshold and, where there is an interval, all of it lies above the centre
not evaluable      not detected, where the loss that the axis looks for would not reach the threshold either
not detected       otherwise
=================  =====================================================================================
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from escape_score.model.axes import Axis, AxisKind
from escape_score.model.cohort import FloatArray
from escape_score.model.profiles import Bounds, TextArray
from escape_score.model.record import Call, ReferenceMatch

NO_GENES = "Too few of its genes are measured, or they cannot be trusted in this sample."
NO_SCORE = {
    AxisKind.MEAN: NO_GENES,
    AxisKind.WEAKEST_LINK: NO_GENES,
    AxisKind.CHAIN_LOSS: NO_GENES,
    AxisKind.LINK_LOSS: (
        "A five-fold loss of a single gene in the tumour cells could not be seen here: the infiltrate hides "
        "it, the reference gives no baseline for single genes, or genes are not measured."
    ),
}
"""Why an axis has no score."""


def call_axis(
    axis: Axis,
    score: FloatArray,
    bounds: Bounds,
    match: TextArray,
    is_hidden: npt.NDArray[np.bool_] | None = None,
) -> TextArray:
    """Call one mechanism in every sample, by the table above.

    Parameters
    ----------
    is_hidden
        Shape (n_samples,): samples in which a loss would not reach the threshold; None: none.
    """
    is_good = match == ReferenceMatch.GOOD
    out = np.full(len(score), Call.NOT_DETECTED.value, dtype=object)
    out[(score >= axis.threshold) & ~(bounds.low <= 0)] = Call.DETECTED.value
    if axis.kind is AxisKind.WEAKEST_LINK:
        out[~is_good] = Call.NOT_EVALUABLE.value
    else:
        out[~is_good & (bounds.low <= 0) & (bounds.high >= axis.threshold)] = Call.NOT_EVALUABLE.value
    out[np.isnan(score)] = Call.NOT_EVALUABLE.value
    if is_hidden is not None:
        out[is_hidden & (out == Call.NOT_DETECTED.value)] = Call.NOT_EVALUABLE.value
    return out


def call_reason(
    axis: Axis,
    call: str,
    score: float | None,
    low: float | None,
    high: float | None,
    *,
    is_hidden: bool = False,
) -> str:
    """One sentence that says why a call was made.

    Parameters
    ----------
    low, high
        Ends of the absolute interval; None where there is none.
    is_hidden
        A loss would not reach the threshold.
    """
    if score is None:
        return NO_SCORE[axis.kind]
    if call == Call.NOT_EVALUABLE:
        return _doubt(axis, score, low, high, is_hidden=is_hidden)
    if call == Call.DETECTED:
        return f"Score {score:.2f} reaches the threshold {axis.threshold:g}."
    if score >= axis.threshold:
        return (
            f"Score {score:.2f} reaches the threshold {axis.threshold:g}, but its interval holds the "
            "reference's centre."
        )
    return f"Score {score:.2f} is below the threshold {axis.threshold:g}."


def _doubt(axis: Axis, score: float, low: float | None, high: float | None, *, is_hidden: bool) -> str:
    """Why a mechanism that has a score is not evaluable."""
    if axis.kind is AxisKind.WEAKEST_LINK:
        return (
            "A single gene's level cannot be judged here: the sample's pipeline or tissue differs from "
            "the reference."
        )
    if is_hidden and score < axis.threshold:
        return (
            f"Score {score:.2f} shows no loss, but a five-fold loss in the tumour cells would hardly show "
            "here: the infiltrate hides it, or levels are uncertain."
        )
    if is_hidden:
        return (
            f"Score {score:.2f} reaches the threshold {axis.threshold:g}, but its interval holds the "
            "reference's centre, and a five-fold loss in the tumour cells would hardly show here."
        )
    return (
        f"The interval {low:.2f} to {high:.2f} holds both the reference's centre (0) and the threshold "
        f"{axis.threshold:g}, and the sample does not match the reference well."
    )
