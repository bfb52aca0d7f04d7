"""MHC class I of the tumour cells: the leukocytes' share is taken away on the linear scale.

Raw MHC levels follow the infiltrate (correlation −0.9 with leukocyte RNA in mixes). With K the MHC RNA per
unit of leukocyte RNA, measured in immune cells, and u the sample's leukocyte unit, tumour cells hold max((x −
K u) / (1 − f), 5 % of x), f = u / u of pure leukocytes. In mixes of tumours and immune cells with MHC genes
turned down, this found the loss with an AUROC of 0.98–1.00 where raw levels gave 0.78–0.84.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from escape_score.model.axes import Thresholds
from escape_score.model.cohort import FloatArray
from escape_score.model.reference import Reference
from escape_score.model.scores import GeneValues, SignatureScores

PSEUDOCOUNT_TPM = 0.5
"""Added to leukocyte genes before the logarithm, so that one gene at zero does not empty the mean."""

CLASS_1_CORE = ("B2M", "HLA-A", "HLA-B", "HLA-C")
"""A tumour's infiltrate always holds RNA of these; exactly none means that they were not counted."""


@dataclass(frozen=True)
class TumourMhc:
    """MHC class I in tumour cells; arrays have shape (n_samples,).

    Attributes
    ----------
    z_mean
        Mean z of the chain's genes after subtraction; NaN where too few are measured.
    is_unquantified
        A core gene is measured as exactly zero.
    """

    z_mean: FloatArray = field(repr=False)
    leukocyte_fraction: FloatArray = field(repr=False)
    is_unquantified: npt.NDArray[np.bool_] = field(repr=False)


def gene_columns(genes: GeneValues, wanted: Sequence[str]) -> npt.NDArray[np.intp]:
    """Columns of those wanted genes that are there, in their order."""
    members = set(wanted)
    return np.array([i for i, symbol in enumerate(genes.gene_symbols) if symbol in members], dtype=np.intp)


def leukocyte_unit(genes: GeneValues, leukocyte_genes: Sequence[str], thresholds: Thresholds) -> FloatArray:
    """Geometric mean TPM of the leukocyte genes, shape (n_samples,); NaN where too few are measured."""
    values = np.exp2(np.take(genes.log2_tpm, gene_columns(genes, leukocyte_genes), axis=1)) - 1.0
    measured = ~np.isnan(values)
    n_measured = measured.sum(axis=1)
    logs = np.where(measured, np.log(np.where(measured, values, 0.0) + PSEUDOCOUNT_TPM), 0.0)
    unit = np.exp(logs.sum(axis=1) / np.maximum(n_measured, 1))
    return np.where(n_measured >= thresholds.min_leukocyte_genes, unit, np.nan)


def estimate_tumour_mhc(
    scores: SignatureScores,
    reference: Reference,
    components: Mapping[str, tuple[str, ...]],
    thresholds: Thresholds,
) -> TumourMhc:
    """Estimate MHC class I of the tumour cells in every sample.

    Parameters
    ----------
    components
        Needs ``leukocyte`` and ``mhc1``.

    Returns
    -------
    TumourMhc
        ``leukocyte_fraction`` is held within 0–0.9.
    """
    unit = leukocyte_unit(scores.genes, components["leukocyte"], thresholds)
    fraction = np.clip(unit / reference.constants.leukocyte_cap_tpm, 0.0, thresholds.leukocyte_fraction_max)
    z = _tumour_z(
        scores.genes, components["mhc1"], unit, fraction, reference=reference, thresholds=thresholds
    )
    n_measured = (~np.isnan(z)).sum(axis=1)
    mean = np.where(np.isnan(z), 0.0, z).sum(axis=1) / np.maximum(n_measured, 1)
    core = scores.genes.log2_tpm[:, gene_columns(scores.genes, CLASS_1_CORE)]
    return TumourMhc(
        z_mean=np.where(n_measured >= thresholds.min_tumour_mhc_genes, mean, np.nan),
        leukocyte_fraction=fraction,
        is_unquantified=np.any(core <= thresholds.zero_log2_tpm, axis=1),
    )


def _tumour_z(
    genes: GeneValues,
    chain: Sequence[str],
    unit: FloatArray,
    fraction: FloatArray,
    *,
    reference: Reference,
    thresholds: Thresholds,
) -> FloatArray:
    """Z of the chain's genes after the leukocytes' share was taken away, shape (n_samples, n_chain)."""
    columns = gene_columns(genes, chain)
    symbols = [genes.gene_symbols[i] for i in columns]
    at = [reference.genes.symbols.index(symbol) for symbol in symbols]
    per_unit = np.array([reference.constants.mhc_per_leukocyte_unit[symbol] for symbol in symbols])
    linear = np.exp2(np.take(genes.log2_tpm, columns, axis=1)) - 1.0
    own = (linear - unit[:, None] * per_unit) / (1.0 - fraction)[:, None]
    own = np.maximum(own, thresholds.mhc_residual_min * linear)
    z: FloatArray = (np.log2(own + 1.0) - reference.genes.location[at]) / reference.genes.spread[at]
    # a gene that placement did not trust (NaN in z) must not come back through its level
    z[np.isnan(genes.z[:, columns])] = np.nan
    return np.clip(z, -thresholds.z_clip, thresholds.z_clip)
