"""What a sample's antigen-presentation genes should be beside its leukocytes, and how sure that is.

A gene's level x is a mix: with f the leukocytes' share of the RNA, u their unit and K_g what they bring of
gene g per unit,

    expected_g = log2((1 − f) 2^(location_g + slope_g · IFN) + K_g u + 1),   share_g = K_g u / (that TPM).

Tumours differ around it with the reference's covariance S, seen through the tumour's part of each gene; the
leukocytes' part is not known exactly; measuring adds noise:

    V = diag(1 − share) S diag(1 − share) + diag(share · sd_K)² + noise² + (half the excess distance)².

A loss of 1 − k in tumour cells moves gene g by δ_g = log2((1 − share_g) k + share_g): an infiltrate hides it.
Whether a set of genes is lost is then judged by the statistic z = δᵀV⁻¹(x − expected) / D, D = √(δᵀV⁻¹δ): a
standard normal if nothing is lost, with mean D if the set is. D is the limit of detection in SD. The most
powerful test of one simple hypothesis against another is the likelihood ratio [1]_, of which z is the part
that depends on the sample.

References
----------
.. [1] Neyman & Pearson 1933, Phil Trans R Soc A 231:289, doi:10.1098/rsta.1933.0009
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from escape_score.model.axes import Design
from escape_score.model.cohort import FloatArray
from escape_score.model.reference import PresentationModel, Reference
from escape_score.model.scores import GeneValues
from escape_score.model.thresholds import PresentationLimits, Thresholds

HALF = 0.5
"""Share of the leukocytes' interferon genes that is taken away: the same signal induces them in part."""

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


def estimate_infiltrate(genes: GeneValues, reference: Reference, design: Design) -> Infiltrate:
    """Estimate the leukocytes of every sample: the fraction is the unit over that of pure leukocytes."""
    catalogue, limits = design.catalogue, design.thresholds.presentation
    members = genes.columns(design.components[catalogue.covariates.leukocytes])
    tpm = np.exp2(np.take(genes.log2_tpm, members, axis=1)) - 1.0
    measured = ~np.isnan(tpm)
    n_measured = measured.sum(axis=1)
    logs = np.where(measured, np.log(np.where(measured, tpm, 0.0) + PSEUDOCOUNT_TPM), 0.0)
    mean = np.exp(logs.sum(axis=1) / np.maximum(n_measured, 1))
    unit = np.where(n_measured >= limits.min_leukocyte_genes, mean, np.nan)
    core = genes.log2_tpm[:, genes.columns(catalogue.class_one.core_genes)]
    return Infiltrate(
        unit_tpm=unit,
        fraction=np.clip(unit / reference.constants.leukocyte_cap_tpm, 0.0, limits.leukocyte_fraction_max),
        is_mhc1_unquantified=np.any(core <= limits.zero_log2_tpm, axis=1),
    )


@dataclass(frozen=True)
class PresentationState:
    """Antigen-presentation genes of every sample against their expectation.

    Arrays have shape (n_samples, n_genes), matrices (n_samples, n_genes, n_genes). A gene that a sample does
    not have takes no part: its residual and shift are 0, its row of ``precision`` that of the identity.

    Attributes
    ----------
    residual
        Measured − expected, log2.
    shift
        Change of each gene, log2, if tumour cells lost it; below 0.
    precision
        Inverse of V.
    is_measured
        Genes each sample has.
    share, error
        Leukocytes' expected share of each gene, and V less the tumours' own covariance; also of genes that
        are not measured. NaN where a sample has no leukocyte unit or interferon response.
    """

    model: PresentationModel = field(repr=False)
    residual: FloatArray = field(repr=False)
    shift: FloatArray = field(repr=False)
    precision: FloatArray = field(repr=False)
    is_measured: npt.NDArray[np.bool_] = field(repr=False)
    share: FloatArray = field(repr=False)
    error: FloatArray = field(repr=False)

    @property
    def gene_symbols(self) -> tuple[str, ...]:
        """Genes of the model, in its order."""
        return self.model.gene_symbols


def tumour_ifng(
    genes: GeneValues, infiltrate: Infiltrate, reference: Reference, thresholds: Thresholds
) -> FloatArray:
    """Interferon response of the tumour cells, mean z, shape (n_samples,).

    The mean of the z-scores as measured and of those without the leukocytes' part; NaN where fewer genes than
    a component needs are measured.
    """
    z_clip, fewest = thresholds.placement.z_clip, thresholds.coverage.min_genes_per_component
    per_unit = reference.constants.ifng_per_leukocyte_unit
    columns = genes.columns(per_unit)
    symbols = [genes.gene_symbols[i] for i in columns]
    at = reference.genes.positions(symbols)
    own = np.array([per_unit[symbol] for symbol in symbols])
    log2_tpm = np.take(genes.log2_tpm, columns, axis=1)
    location, spread = reference.genes.location[at], reference.genes.spread[at]
    cleared = without_leukocytes(log2_tpm, own, infiltrate, thresholds.presentation)
    z = [np.clip((level - location) / spread, -z_clip, z_clip) for level in (log2_tpm, cleared)]
    value = (1 - HALF) * z[0] + HALF * z[1]
    measured = ~np.isnan(value)
    n_measured = measured.sum(axis=1)
    mean = np.where(measured, value, 0.0).sum(axis=1) / np.maximum(n_measured, 1)
    return np.where(n_measured >= fewest, mean, np.nan)


def without_leukocytes(
    log2_tpm: FloatArray, per_unit: FloatArray, infiltrate: Infiltrate, limits: PresentationLimits
) -> FloatArray:
    """Levels of the tumour cells alone, log2(TPM + 1).

    max((x − K u) / (1 − f), 5 % of x): the floor keeps the logarithm finite where leukocytes explain all.
    """
    linear = np.exp2(log2_tpm) - 1.0
    own = (linear - infiltrate.unit_tpm[:, None] * per_unit) / (1.0 - infiltrate.fraction)[:, None]
    cleared: FloatArray = np.log2(np.maximum(own, limits.mhc_residual_min * linear) + 1.0)
    return cleared


def model_levels(genes: GeneValues, symbols: Sequence[str]) -> FloatArray:
    """Levels of some genes, log2(TPM + 1), in the order asked for; NaN where not measured or not trusted."""
    column = {symbol: i for i, symbol in enumerate(genes.gene_symbols)}
    levels = np.full((len(genes.log2_tpm), len(symbols)), np.nan)
    for k, symbol in enumerate(symbols):
        if symbol in column:
            i = column[symbol]
            levels[:, k] = np.where(np.isnan(genes.z[:, i]), np.nan, genes.log2_tpm[:, i])
    return levels


def assess_presentation(
    genes: GeneValues,
    infiltrate: Infiltrate,
    ifng: FloatArray,
    model: PresentationModel,
    *,
    excess_distance: FloatArray,
    limits: PresentationLimits,
) -> PresentationState:
    """Compare the antigen-presentation genes of every sample with their expectation.

    ``ifng`` is from :func:`tumour_ifng`, ``excess_distance`` in log2. All genes of a sample without leukocyte
    unit or interferon response count as not measured.
    """
    tumour, leukocytes = expected_tpm(model, infiltrate, ifng, limits)
    share = leukocytes / (tumour + leukocytes)
    residual = model_levels(genes, model.gene_symbols) - np.log2(tumour + leukocytes + 1.0)
    is_b2m = np.array([symbol == "B2M" for symbol in model.gene_symbols], dtype=bool)
    leukocyte_sd = np.where(is_b2m, limits.leukocyte_b2m_sd_log2, limits.leukocyte_mhc_sd_log2)
    noise = (share * leukocyte_sd) ** 2 + limits.link_noise_sd_log2**2
    distance = (limits.link_distance_factor * excess_distance) ** 2
    return _state(model, residual, share, noise + distance[:, None], limits)


def _state(
    model: PresentationModel,
    residual: FloatArray,
    share: FloatArray,
    error: FloatArray,
    limits: PresentationLimits,
) -> PresentationState:
    """The state with those genes measured that have a residual."""
    measured = ~np.isnan(residual)
    return PresentationState(
        model=model,
        residual=np.where(measured, residual, 0.0),
        shift=np.where(measured, np.log2((1 - share) * limits.loss_fraction + share), 0.0),
        precision=_precision(model, share, error, measured),
        is_measured=measured,
        share=share,
        error=error,
    )


def as_if_measured(state: PresentationState, limits: PresentationLimits) -> PresentationState:
    """The same samples with every gene of the model measured, just as expected: what tests could show."""
    nothing = np.where(np.isnan(state.share), np.nan, 0.0)
    return _state(state.model, nothing, state.share, state.error, limits)


def expected_tpm(
    model: PresentationModel, infiltrate: Infiltrate, ifng: FloatArray, limits: PresentationLimits
) -> tuple[FloatArray, FloatArray]:
    """Expected TPM of each gene from tumour cells and from leukocytes, shape (n_samples, n_genes)."""
    per_unit = limits.leukocyte_mhc_factor * model.per_leukocyte_unit
    level = model.location + model.ifng_slope * ifng[:, None]
    tumour = (1.0 - infiltrate.fraction)[:, None] * np.exp2(level)
    return tumour, infiltrate.unit_tpm[:, None] * per_unit


def _precision(
    model: PresentationModel, share: FloatArray, variance: FloatArray, measured: npt.NDArray[np.bool_]
) -> FloatArray:
    """Inverse of V; genes that are not measured are cut loose."""
    own = np.where(measured, 1.0 - share, 0.0)
    matrix = model.covariance * own[:, :, None] * own[:, None, :]
    diagonal = np.arange(share.shape[1])
    matrix[:, diagonal, diagonal] += np.where(measured, variance, 1.0)
    return np.asarray(np.linalg.inv(matrix), dtype=np.float64)


@dataclass(frozen=True)
class LossTest:
    """Test for the loss of one set of genes; arrays have shape (n_samples,).

    Attributes
    ----------
    z
        Standard normal if nothing is lost, larger = more likely lost; NaN where no gene of the set is
        measured.
    detectable_sd
        Mean of ``z`` if the set is lost: the limit of detection.
    weight
        Shape (n_samples, n_genes): what one log2 of each gene adds to ``z``.
    """

    z: FloatArray = field(repr=False)
    detectable_sd: FloatArray = field(repr=False)
    weight: FloatArray = field(repr=False)


def loss_of(state: PresentationState, lost: Sequence[str]) -> LossTest:
    """Test whether tumour cells lost some genes together.

    A sample's values depend on that sample alone, to the last bit: sums run over genes, never samples.
    """
    member = np.array([symbol in set(lost) for symbol in state.gene_symbols])
    shift = np.where(member, state.shift, 0.0)
    weight = (state.precision * shift[:, None, :]).sum(axis=2)
    strength = (weight * shift).sum(axis=1)
    is_known = (state.is_measured & member).any(axis=1) & (strength > 0)
    power = np.sqrt(np.where(is_known, strength, 1.0))
    direction = weight / power[:, None]
    return LossTest(
        z=np.where(is_known, (direction * state.residual).sum(axis=1), np.nan),
        detectable_sd=np.where(is_known, power, np.nan),
        weight=np.where(is_known[:, None], direction, 0.0),
    )


def chain_loss(state: PresentationState, limits: PresentationLimits) -> LossTest:
    """Test whether tumour cells lost the whole chain; NaN where too few of its genes are measured."""
    test = loss_of(state, state.gene_symbols)
    enough = state.is_measured.sum(axis=1) >= limits.min_tumour_mhc_genes
    return LossTest(
        z=np.where(enough, test.z, np.nan),
        detectable_sd=np.where(enough, test.detectable_sd, np.nan),
        weight=np.where(enough[:, None], test.weight, 0.0),
    )


def hypotheses(
    chain: Sequence[str], lost_together: Sequence[tuple[str, ...]]
) -> Mapping[str, tuple[str, ...]]:
    """Losses that are looked for: each link alone, and links that may be lost together."""
    single: dict[str, tuple[str, ...]] = {symbol: (symbol,) for symbol in chain}
    return single | {"+".join(genes): genes for genes in lost_together if set(genes) <= set(chain)}
