"""Where an adjusted score exists: its denominator can be measured, and its covariates are those of tumours.

A ratio to cells that are not there is not a number about them. Each rule looks at one sample alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from escape_score.model.axes import Contrast, Design
from escape_score.model.cohort import FloatArray
from escape_score.model.profiles import TextArray
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores

Flags = npt.NDArray[np.bool_]


class Outside(StrEnum):
    """Why a score does not exist in a sample; also the kind of the note that says so."""

    FEW = "few"
    """The cells of the denominator are below the limit of detection."""
    FEW_BESIDE = "few_beside"
    """They are so few next to other leukocytes that the numerator is made by those."""
    SILENT = "silent"
    """The numerator has hardly any reads: the ratio is only an upper bound."""
    UNCOVERED = "uncovered"
    """The interferon response of the tumour cells is beyond that of the reference's tumours."""


def contrast_domains(
    scores: SignatureScores, reference: Reference, design: Design, values: Mapping[str, FloatArray]
) -> dict[str, TextArray]:
    """Why each contrast does not exist in a sample: values of :class:`Outside`, empty where it does.

    ``values``: contrasts and components, shape (n_samples,) each, in gene z units.
    """
    return {c.contrast: _domain(c, scores, reference, design, values) for c in design.catalogue.contrasts}


def _domain(
    contrast: Contrast,
    scores: SignatureScores,
    reference: Reference,
    design: Design,
    values: Mapping[str, FloatArray],
) -> TextArray:
    limits = design.thresholds.domain
    name, beside = contrast.denominator, contrast.beside
    reasons = np.full(len(scores.sample_ids), "", dtype=object)
    location = reference.term_stats.get(contrast.contrast, (np.nan, np.nan))[0]
    is_above = values[contrast.contrast] > np.nan_to_num(location)
    with_reads, n_numerator = count_above(scores, design.components[contrast.numerator], 0.0)
    reasons[is_above & (with_reads < limits.detected_fraction * n_numerator)] = Outside.SILENT.value
    if beside:
        behind = standard(values[name], name, reference) - standard(values[beside], beside, reference)
        reasons[behind < -limits.most_below_sd] = Outside.FEW_BESIDE.value
    detected, n_measured = count_above(scores, design.components[name], limits.detected_log2)
    # rounded down, so that of two genes one is enough
    reasons[detected < np.floor(limits.detected_fraction * n_measured + 1e-9)] = Outside.FEW.value
    return reasons


def count_above(
    scores: SignatureScores, members: tuple[str, ...], level_log2: float
) -> tuple[FloatArray, FloatArray]:
    """Genes of a set above a level, and genes measured, shape (n_samples,) each.

    ``level_log2``: log2(TPM + 1) as placed on the reference.
    """
    values = np.take(scores.genes.log2_tpm, scores.genes.columns(members), axis=1)
    return (values > level_log2).sum(axis=1), (~np.isnan(values)).sum(axis=1)


def standard(values: FloatArray, name: str, reference: Reference) -> FloatArray:
    """A component in reference SD; as it is while the reference is being built."""
    location, spread = reference.term_stats.get(name, (0.0, 1.0))
    return (values - location) / spread
