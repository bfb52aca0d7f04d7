"""What scores that compare samples have in common."""

from __future__ import annotations

import numpy as np

from escape_score.model.notes import Code, Note, note
from escape_score.score.published.inputs import ScoreInput
from escape_score.score.published.model import MIN_SAMPLES, Outcome


def too_few_samples(inputs: ScoreInput, n_covered: int) -> Outcome:
    """No score, because it compares samples and there are too few with enough genes."""
    reason = inputs.low_coverage
    if n_covered or not len(inputs.log2_tpm):
        reason = note(Code.NOT_SCORED, "samples", n=n_covered, least=MIN_SAMPLES)
    return not_evaluable(inputs, reason)


def not_evaluable(inputs: ScoreInput, reason: Note) -> Outcome:
    """No score in any sample."""
    return Outcome(np.full(len(inputs.log2_tpm), np.nan), inputs.coverage, reason)
