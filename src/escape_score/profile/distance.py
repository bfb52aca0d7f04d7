"""How far a sample lies from its reference, beyond what the reference's own tumours do."""

from __future__ import annotations

import numpy as np

from escape_score.model.cohort import FloatArray
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores


def excess_distance(scores: SignatureScores, reference: Reference) -> FloatArray:
    """How much farther from the reference a sample lies than the reference's own tumours do, log2."""
    return np.sqrt(np.maximum(scores.placement.distance**2 - reference.anchor_distance**2, 0.0))
