"""Samples whose RNA is of few kinds: one gene takes most of it, or few genes are detected at all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from escape_score.model.cohort import FloatArray
from escape_score.model.notes import Code, Note, note
from escape_score.model.units import ExpressionUnit
from escape_score.read.checks.unit_evidence import totals_of
from escape_score.read.checks.values import MatrixFacts

LARGEST_SHARE = 0.5
"""One gene above this outweighs all others together. Among 592 colorectal tumours and 9 blood samples the
largest share is 0.08, among 42 melanomas of another pipeline 0.25; in a cohort of 28 with a ribosomal
artefact 0.46 is usual."""

FEWEST_GENES = 8_000
"""Fewer genes detected are no more than a targeted panel measures; in 671 tumours and blood samples there are
12,332 and more."""


def composition_notes(facts: MatrixFacts, unit: ExpressionUnit) -> Iterator[tuple[str, Note]]:
    """Flags composition_outlier and few_genes by sample, for samples of a whole transcriptome.

    Signals of platforms that count no reads are not judged. No number changes: scores compare genes after
    placing by anchors.
    """
    if facts.n_genes < FEWEST_GENES or unit.is_platform:
        return
    shares = largest_shares(facts, unit)
    for at in np.flatnonzero(facts.is_usable):
        sample = facts.sample_ids[at]
        if shares[at] > LARGEST_SHARE:
            yield sample, note(Code.COMPOSITION_OUTLIER, share=float(shares[at]))
        if facts.n_detected[at] < FEWEST_GENES:
            yield sample, note(Code.FEW_GENES, n=int(facts.n_detected[at]), n_all=facts.n_genes)


def largest_shares(facts: MatrixFacts, unit: ExpressionUnit) -> FloatArray:
    """Share of the largest gene in each sample's sum, in linear units; shape (n_samples,), 0–1."""
    largest = facts.maximum
    if unit is ExpressionUnit.LOG2_PLUS_1:
        largest = np.exp2(largest) - 1.0
    elif unit is ExpressionUnit.LOG2_PLUS_0001:
        largest = np.exp2(largest) - 0.001
    elif unit is ExpressionUnit.LN_PLUS_1:
        largest = np.expm1(largest)
    total = totals_of(facts, unit).linear_total
    return np.asarray(np.divide(largest, total, out=np.zeros(len(total)), where=total > 0))
