"""Detected, not detected or not evaluable: one rule for all mechanisms.

=================  =====================================================================================
call               when
=================  =====================================================================================
not evaluable      there is no score; or the low values of the sample are not those of its unit;
                   or the axis is a weakest link (one that knows no limit of detection) and the reference
                   match is not good;
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
from escape_score.model.notes import Code, Note, note
from escape_score.model.profiles import Bounds, TextArray
from escape_score.model.record import Call, Interval, ReferenceMatch


def call_axis(
    axis: Axis,
    score: FloatArray,
    bounds: Bounds,
    match: TextArray,
    is_hidden: npt.NDArray[np.bool_] | None = None,
    *,
    is_lifted: npt.NDArray[np.bool_] | None = None,
) -> TextArray:
    """Call one mechanism in every sample, by the table above.

    ``is_hidden``: as in :class:`AxisValues`; ``is_lifted``: as in :class:`ProfileContext`.
    """
    is_good = match == ReferenceMatch.GOOD
    out = np.full(len(score), Call.NOT_DETECTED.value, dtype=object)
    out[(score >= axis.threshold) & ~(bounds.low <= 0)] = Call.DETECTED.value
    if axis.kind is AxisKind.WEAKEST_LINK:
        out[~is_good] = Call.NOT_EVALUABLE.value
    else:
        out[~is_good & (bounds.low <= 0) & (bounds.high >= axis.threshold)] = Call.NOT_EVALUABLE.value
    out[np.isnan(score)] = Call.NOT_EVALUABLE.value
    if is_lifted is not None:
        out[is_lifted] = Call.NOT_EVALUABLE.value
    if is_hidden is not None:
        out[is_hidden & (out == Call.NOT_DETECTED.value)] = Call.NOT_EVALUABLE.value
    return out


def call_reason(
    axis: Axis,
    call: str,
    score: float | None,
    interval: Interval | None,
    *,
    is_hidden: bool = False,
    is_lifted: bool = False,
    is_absent: bool = False,
) -> Note:
    """Why a call was made; ``is_absent``: a part of the class I molecule is not measured."""
    if is_absent and axis.kind in (AxisKind.CHAIN_LOSS, AxisKind.LINK_LOSS):
        return note(Code.CALL, "no_molecule")
    if score is None:
        return note(Code.CALL, "no_link" if axis.kind is AxisKind.LINK_LOSS else "no_genes")
    if is_lifted:
        return note(Code.CALL, "lifted")
    if call == Call.NOT_EVALUABLE:
        return _doubt(axis, score, interval, is_hidden=is_hidden)
    if call == Call.DETECTED:
        return note(Code.CALL, "reaches", score=score, threshold=axis.threshold)
    kind = "reaches_but_centre" if score >= axis.threshold else "below"
    return note(Code.CALL, kind, score=score, threshold=axis.threshold)


def _doubt(axis: Axis, score: float, interval: Interval | None, *, is_hidden: bool) -> Note:
    """Why a mechanism that has a score is not evaluable."""
    if axis.kind is AxisKind.WEAKEST_LINK:
        return note(Code.CALL, "single_gene")
    if is_hidden:
        kind = "hidden" if score < axis.threshold else "reaches_but_hidden"
        return note(Code.CALL, kind, score=score, threshold=axis.threshold)
    low, high = (interval.low or 0.0, interval.high or 0.0) if interval else (0.0, 0.0)
    return note(Code.CALL, "doubt", low=low, high=high, threshold=axis.threshold)
