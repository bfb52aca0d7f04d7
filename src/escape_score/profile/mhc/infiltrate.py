"""Leukocytes of a sample: their share of its RNA, and whether its MHC class I was counted at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from escape_score.model.axes import Design
from escape_score.model.cohort import FloatArray
from escape_score.model.reference import Reference
from escape_score.model.scores import GeneValues
from escape_score.model.thresholds import PresentationLimits

PSEUDOCOUNT_TPM = 0.5
"""Added to leukocyte genes before the logarithm, so that one gene at zero does not empty the mean."""


@dataclass(frozen=True)
class Infiltrate:
    """Leukocytes of every sample; arrays have shape (n_samples,).

    Attributes
    ----------
    unit_tpm
        Geometric mean TPM of the leukocyte genes; NaN where too few are measured.
    fraction
        Share of leukocyte RNA, 0–0.9.
    is_mhc1_unquantified
        A core gene of MHC class I is measured as exactly zero.
    """

    unit_tpm: FloatArray = field(repr=False)
    fraction: FloatArray = field(repr=False)
    is_mhc1_unquantified: npt.NDArray[np.bool_] = field(repr=False)


def leukocyte_unit(
    genes: GeneValues, leukocyte_genes: Sequence[str], limits: PresentationLimits
) -> FloatArray:
    """Geometric mean TPM of the leukocyte genes, shape (n_samples,); NaN where too few are measured."""
    values = np.exp2(np.take(genes.log2_tpm, genes.columns(leukocyte_genes), axis=1)) - 1.0
    measured = ~np.isnan(values)
    n_measured = measured.sum(axis=1)
    logs = np.where(measured, np.log(np.where(measured, values, 0.0) + PSEUDOCOUNT_TPM), 0.0)
    unit = np.exp(logs.sum(axis=1) / np.maximum(n_measured, 1))
    return np.where(n_measured >= limits.min_leukocyte_genes, unit, np.nan)


def estimate_infiltrate(genes: GeneValues, reference: Reference, design: Design) -> Infiltrate:
    """Estimate the leukocytes of every sample: the fraction is the unit over that of pure leukocytes."""
    catalogue, limits = design.catalogue, design.thresholds.presentation
    unit = leukocyte_unit(genes, design.components[catalogue.covariates.leukocytes], limits)
    core = genes.log2_tpm[:, genes.columns(catalogue.class_one.core_genes)]
    fraction = unit / reference.constants.leukocyte_cap_tpm
    return Infiltrate(
        unit_tpm=unit,
        fraction=np.clip(fraction, 0.0, limits.leukocyte_fraction_max),
        is_mhc1_unquantified=np.any(core <= limits.zero_log2_tpm, axis=1),
    )
