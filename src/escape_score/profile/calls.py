"""Detected, borderline, not detected or not evaluable: one rule for all mechanisms.

The interval is the absolute one; where the cohort is its own reference, that within the pipeline. Of the rows
that apply, the last one counts.

=================  =====================================================================================
call               when
=================  =====================================================================================
not detected       the score is below the threshold
borderline         score ≥ threshold, and the interval includes the threshold
detected           score ≥ threshold, and the whole interval too; also where the axis has no interval
not evaluable      score ≥ threshold, and the interval includes the centre of the reference;
                   or the reference match is not good, and the interval includes centre and threshold, so
                   that it could be either;
                   or the axis is a weakest link (one that knows no limit of detection) and the match is not
                   good;
                   or the mechanism would be called, but the unadjusted score is below the centre by more
                   than its error: the parts of the score contradict each other;
                   or it is not detected, but the loss that the axis looks for would not reach the threshold;
                   or other genes stand in for those of the axis;
                   or there is no score; or the low values of the sample are not those of its unit; or a part
                   of the class I molecule is not measured
=================  =====================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from escape_score.model.axes import Axis, AxisKind
from escape_score.model.cohort import FloatArray
from escape_score.model.notes import Code, Note, note
from escape_score.model.profiles import AxisValues, Bounds, TextArray
from escape_score.model.record import Call, Interval, ReferenceMatch
from escape_score.profile.domain import Flags


@dataclass(frozen=True)
class Circumstances:
    """What calls depend on besides the score; arrays have shape (n_samples,).

    Attributes
    ----------
    bounds, raw_high
        Intervals of the score, and upper end of that of the unadjusted score; NaN where there is none.
    outside
        Why a score is missing: values of :class:`~escape_score.profile.domain.Outside`, or empty text.
        Only counts where it is.
    is_lifted, is_absent
        As in the context and its class I model.
    is_relative
        Whether the cohort is its own reference.
    """

    bounds: Bounds
    match: TextArray = field(repr=False)
    raw_high: FloatArray = field(repr=False)
    outside: TextArray = field(repr=False)
    is_lifted: Flags = field(repr=False)
    is_absent: Flags = field(repr=False)
    is_relative: bool = False

    @property
    def low(self) -> FloatArray:
        """Lower end of the interval that counts."""
        return self.bounds.low_within if self.is_relative else self.bounds.low

    @property
    def high(self) -> FloatArray:
        """Upper end of the interval that counts."""
        return self.bounds.high_within if self.is_relative else self.bounds.high


def call_axis(axis: Axis, values: AxisValues, given: Circumstances) -> tuple[TextArray, TextArray]:
    """Call one mechanism in every sample, by the table above, and say why: call, kind of the reason."""
    call = np.full(len(values.score), Call.NOT_EVALUABLE.value, dtype=object)
    reason = np.full(len(values.score), "", dtype=object)
    for rule in (*_by_score(axis, values.score, given), *_withheld(axis, values, given)):
        rows = rule.applies
        if len(rule.instead_of) < len(Call):  # to look words up takes ten times as long as to compare numbers
            rows = rows & np.isin(call, rule.instead_of)
        call[rows], reason[rows] = rule.call.value, rule.reason
    is_outside = np.isnan(values.score) & (given.outside != "") & ~np.isin(reason, ["lifted", "no_molecule"])
    return call, np.where(is_outside, given.outside, reason)


class Rule(NamedTuple):
    """Where a call is made, the kind of its reason, and the calls so far that it may replace."""

    applies: Flags
    call: Call
    reason: str
    instead_of: tuple[Call, ...] = tuple(Call)


FOUND = (Call.DETECTED, Call.BORDERLINE)


def _by_score(axis: Axis, score: FloatArray, given: Circumstances) -> tuple[Rule, ...]:
    """What score and interval say."""
    reaches, low, high = score >= axis.threshold, given.low, given.high
    is_good = given.match == ReferenceMatch.GOOD
    return (
        Rule(score < axis.threshold, Call.NOT_DETECTED, "below"),
        Rule(reaches, Call.BORDERLINE, "borderline"),
        Rule(reaches & ~(low < axis.threshold), Call.DETECTED, "reaches"),
        Rule(reaches & (low <= 0), Call.NOT_EVALUABLE, "doubt"),
        Rule(~is_good & (low <= 0) & (high >= axis.threshold), Call.NOT_EVALUABLE, "doubt"),
        Rule(~is_good & (axis.kind is AxisKind.WEAKEST_LINK), Call.NOT_EVALUABLE, "single_gene"),
        Rule((low > 0) & (given.raw_high < 0), Call.NOT_EVALUABLE, "contradicts", FOUND),
    )


def _withheld(axis: Axis, values: AxisValues, given: Circumstances) -> tuple[Rule, ...]:
    """What forbids a call, whatever the score."""
    nowhere = np.zeros(len(values.score), dtype=bool)
    is_class_one = axis.kind in (AxisKind.CHAIN_LOSS, AxisKind.LINK_LOSS)
    no_score = "no_link" if axis.kind is AxisKind.LINK_LOSS else "no_genes"
    return (
        Rule(
            nowhere if values.is_hidden is None else values.is_hidden,
            Call.NOT_EVALUABLE,
            "hidden",
            (Call.NOT_DETECTED,),
        ),
        Rule(nowhere if values.is_stand_in is None else values.is_stand_in, Call.NOT_EVALUABLE, "stand_in"),
        Rule(np.isnan(values.score), Call.NOT_EVALUABLE, no_score),
        Rule(given.is_lifted & ~np.isnan(values.score), Call.NOT_EVALUABLE, "lifted"),
        Rule(given.is_absent & is_class_one, Call.NOT_EVALUABLE, "no_molecule"),
    )


COMPARED = frozenset({"reaches", "below"})
"""Reasons that compare with the reference, and have other words where that is the cohort."""


def call_reason(
    axis: Axis, kind: str, score: float | None, interval: Interval | None, *, is_relative: bool = False
) -> Note:
    """The note of why a call was made, with its figures; ``is_relative``: the cohort is its own reference."""
    kind = f"{kind}_cohort" if is_relative and kind in COMPARED else kind
    if score is None:
        return note(Code.CALL, kind, cells=axis.adjusted_for or "")
    if interval is None:
        return note(Code.CALL, kind, score=score, threshold=axis.threshold)
    low, high = interval.low, interval.high
    return note(Code.CALL, kind, score=score, threshold=axis.threshold, low=low, high=high)
