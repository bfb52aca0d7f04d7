"""Samples whose RNA is of few kinds: one gene takes most of it, few genes are detected, or it is degraded."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from escape_score.model.cohort import FloatArray
from escape_score.model.notes import Code, Note, note
from escape_score.model.units import ExpressionUnit
from escape_score.read.checks.unit_evidence import MIN_RESPONSE, totals_of
from escape_score.read.checks.values import MatrixFacts

LARGEST_SHARE = 0.5
"""One gene above this outweighs all others together. Among 592 colorectal tumours and 9 blood samples the
largest share is 0.08, among 42 melanomas of another pipeline 0.25; in a cohort of 28 with a ribosomal
artefact 0.46 is usual."""

FEWEST_GENES = 8_000
"""Fewer genes detected are no more than a targeted panel measures; in 671 tumours and blood samples there are
12,332 and more."""

MISSED_ANCHORS = 0.04
"""Share of anchors that are not detected. Every tissue expresses anchors: of the bulk samples of 21 cohorts,
one misses more than 0.03 of them, and it has the fewest genes detected (0.05)."""

LENGTH_SLOPES = {False: (-0.9, 1.6), True: (0.2, 1.6)}
"""Usual length slopes of a sample in units divided by gene length (False), and in others. The samples of 21
cohorts have -0.75 to 0.69 and 0.36 to 1.31, but for two of 26 lung biopsies (1.2 and 1.9). Fragments, and
reads from one end of a transcript, bend them. The upper limit is the same for both, so that a wrong unit is
not taken for degraded RNA."""


def composition_notes(facts: MatrixFacts, unit: ExpressionUnit) -> Iterator[tuple[str, Note]]:
    """Flags composition_outlier, few_genes and degraded_rna by sample, for a whole transcriptome.

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
    yield from _degraded(facts, unit)


def _degraded(facts: MatrixFacts, unit: ExpressionUnit) -> Iterator[tuple[str, Note]]:
    """Flag samples that miss genes of every tissue, or have an unusual length slope."""
    scale = np.log2(np.e) if unit is ExpressionUnit.LN_PLUS_1 else 1.0
    low, high = LENGTH_SLOPES[unit.is_per_gene]
    missed, slopes = facts.known.anchor_zeros, facts.known.length_slope * scale
    has_slope = facts.known.response * scale >= MIN_RESPONSE
    for at in np.flatnonzero(facts.is_usable):
        if missed[at] > MISSED_ANCHORS:
            yield facts.sample_ids[at], note(Code.DEGRADED_RNA, "missed", share=float(missed[at]))
        elif unit is not ExpressionUnit.UMI and has_slope[at] and not low <= slopes[at] <= high:
            yield facts.sample_ids[at], note(Code.DEGRADED_RNA, "slope", slope=float(slopes[at]))


def largest_shares(facts: MatrixFacts, unit: ExpressionUnit) -> FloatArray:
    """Share of the largest gene in each sample's sum, in linear units; shape (n_samples,), 0–1."""
    largest = facts.maximum
    if unit.form is ExpressionUnit.LOG2_PLUS_1:
        largest = np.exp2(largest) - 1.0
    elif unit is ExpressionUnit.LOG2_PLUS_0001:
        largest = np.exp2(largest) - 0.001
    elif unit is ExpressionUnit.LN_PLUS_1:
        largest = np.expm1(largest)
    total = totals_of(facts, unit).linear_total
    return np.asarray(np.divide(largest, total, out=np.zeros(len(total)), where=total > 0))
