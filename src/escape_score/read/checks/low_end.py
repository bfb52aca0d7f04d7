"""Samples whose low values are not those of their unit: lifted by a constant, or compressed.

In a transcriptome most genes that a tissue does not use are at zero. VST, regularised logarithms, log2(x + 8)
and a shift until no value is below 0 lift them, often by more than one reference SD. The anchors still match,
because they are highly expressed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from escape_score.model.notes import Code, Note, note
from escape_score.model.units import ExpressionUnit
from escape_score.read.checks.values import MatrixFacts

LIFTED_LOG2 = 0.1
"""Lowest log2(TPM + 1) above which a value that many genes share is not a zero: a fifth of the smallest
spread of a gene in the reference."""

LIFTED_SHARE = 0.01
"""Share of genes at that value. Where a cut left the lowest of continuous values, at most 0.2 % of the
genes share it; the zeros of cohorts that keep unexpressed genes are 2 to 25 %."""

SILENT_LOG2 = 0.2
"""Largest 10 % quantile of genes that the reference hardly expresses: at most 0.07 in the 18 cohorts that
measure them, 0.4 and more after log2(x + 8), or after a shift by the lowest value."""

CUT_LOG2, CUT_WIDTH = 1.5, 0.3
"""Of logarithms: lowest value, and its distance to the 5 % quantile, where many genes are just above it. The
distance is 0.25 for log2(x + 8) of a cohort without unexpressed genes, 0.4 and more in 17 cohorts cut at
1 TPM in every sample; of those cut at 5 TPM, one sample in 20 is below 0.3."""


def low_end_notes(facts: MatrixFacts, unit: ExpressionUnit) -> Iterator[tuple[str, Note]]:
    """Flag floor_suspect by sample; signals of platforms that count no reads are not judged."""
    if unit.is_platform:
        return
    known, scale = facts.known, np.log2(np.e) if unit is ExpressionUnit.LN_PLUS_1 else 1.0
    lowest, silent, low_5 = known.low_end * scale, known.silent_low * scale, known.low_5 * scale
    is_shared = (lowest > LIFTED_LOG2) & (known.low_end_share >= LIFTED_SHARE)
    is_cut = unit.is_log & (lowest > CUT_LOG2) & (low_5 - lowest < CUT_WIDTH)
    for at in np.flatnonzero(facts.is_usable):
        if is_shared[at]:
            figures = {"lowest": float(lowest[at]), "share": float(known.low_end_share[at])}
            yield facts.sample_ids[at], note(Code.FLOOR_SUSPECT, "shared", **figures)
        elif silent[at] > SILENT_LOG2:
            yield facts.sample_ids[at], note(Code.FLOOR_SUSPECT, "silent", level=float(silent[at]))
        elif is_cut[at]:
            yield facts.sample_ids[at], note(Code.FLOOR_SUSPECT, "cut", lowest=float(lowest[at]))
