"""Score by counting ordered pairs of genes: IMPRES."""

from __future__ import annotations

import numpy as np

from escape_score.model.notes import Code, note
from escape_score.score.published.inputs import ScoreInput
from escape_score.score.published.model import Outcome


def score_pair_count(inputs: ScoreInput) -> Outcome:
    """Number of pairs whose first gene is expressed strictly above the second.

    All pairs must be measured, whatever coverage is asked for: a count over fewer pairs is on another scale.

    References
    ----------
    .. [1] Auslander et al. 2018, Nat Med 24:1545, doi:10.1038/s41591-018-0157-9
    """
    greater, lesser = (
        inputs.log2_tpm[:, [i for i, gene in enumerate(inputs.genes) if gene.role == role]]
        for role in ("greater", "lesser")
    )
    is_measured = np.isfinite(greater) & np.isfinite(lesser)
    coverage = is_measured.mean(axis=1)
    count = (greater > lesser).sum(axis=1).astype(np.float64)
    most = int(is_measured.sum(axis=1).max(initial=0))
    reason = note(Code.NOT_SCORED, "pairs", n=most, n_all=greater.shape[1])
    return Outcome(np.where(is_measured.all(axis=1), count, np.nan), coverage, reason)
