"""The model of MHC class I in a cohort's tumour cells, as a term of axes and index, and its errors.

Of the test for a loss of the whole chain, whose genes weigh unequally: take two most powerful tests for the
same loss, one with all genes and one with some. Each is a standard normal, and their correlation is the ratio
of their limits of detection: with a = V⁻¹δ / D, a_someᵀ V a_all = D_some / D_all. So

    variance of z_some − z_all = 2 (1 − D_some / D_all) · φ.

φ is by how much a sample's residuals vary more than V says: their mean square in units of V, shrunk towards
what the genes of its other components let expect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from escape_score.model.axes import ClassOneInputs, Design
from escape_score.model.cohort import FloatArray
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores
from escape_score.model.thresholds import PresentationLimits
from escape_score.profile.intervals.errors import KNOWN, ComponentErrors, spreads_of
from escape_score.profile.mhc.presentation import (
    Infiltrate,
    LossTest,
    PresentationState,
    as_if_measured,
    assess_presentation,
    chain_loss,
    estimate_infiltrate,
    tumour_ifng,
)
from escape_score.profile.terms import Weights

NUDGE_Z = 0.2
"""By how much a component is moved to see what the shortfall makes of it."""

CHAIN = "mhc1_chain"
"""The test, counted like a component whose genes weigh as they do in it."""

LOCUS = "mhc_locus"
"""The doubt whether 6p21 was quantified, counted like a component."""


@dataclass(frozen=True)
class ClassOne:
    """MHC class I of the tumour cells below what infiltrate and interferon explain: the shortfall.

    Attributes
    ----------
    interferon
        Interferon response of the tumour cells, mean z, shape (n_samples,).
    state, chain
        Antigen-presentation genes against their expectation, and the test for a loss of the whole chain; None
        where the reference has no presentation model.
    """

    scores: SignatureScores
    reference: Reference
    design: Design
    infiltrate: Infiltrate = field(repr=False)
    interferon: FloatArray = field(repr=False)
    state: PresentationState | None = field(repr=False)
    chain: LossTest | None = field(repr=False)

    @classmethod
    def assess(cls, scores: SignatureScores, reference: Reference, design: Design) -> ClassOne:
        """Compare the chain of every sample with its expectation."""
        limits, model = design.thresholds.presentation, reference.presentation
        infiltrate = estimate_infiltrate(scores.genes, reference, design)
        interferon = tumour_ifng(scores.genes, infiltrate, reference, design.thresholds)
        if model is None:
            return cls(scores, reference, design, infiltrate, interferon, None, None)
        state = assess_presentation(
            scores.genes,
            infiltrate,
            interferon,
            model,
            excess_distance=scores.placement.excess_distance(reference.anchor_distance),
            limits=limits,
        )
        return cls(scores, reference, design, infiltrate, interferon, state, chain_loss(state, limits))

    @property
    def inputs(self) -> ClassOneInputs:
        """What the model is made of."""
        return self.design.catalogue.class_one

    @property
    def term(self) -> str:
        """Name of the shortfall among the terms."""
        return self.inputs.shortfall

    @property
    def components(self) -> tuple[str, ...]:
        """Components behind the shortfall."""
        covariates = self.design.catalogue.covariates
        return self.inputs.chain, covariates.leukocytes, covariates.interferon

    @property
    def coverage_weights(self) -> Mapping[str, float]:
        """All components alike: the test has no fixed weights."""
        return dict.fromkeys(self.components, 1.0)

    @property
    def evidence(self) -> tuple[str, int]:
        """The chain, whose genes speak for a shortfall where they are low."""
        return self.inputs.chain, -1

    @property
    def denominators(self) -> tuple[str, ...]:
        """Infiltrate and interferon, which explain the level of the chain."""
        return self.components[1:]

    def above_expected(self, z: FloatArray, symbols: Sequence[str], scores: SignatureScores) -> FloatArray:
        """Genes of the chain above their expectation, in the SD of their level; as tested or by the fallback.

        Where 6p21 was not quantified: above what the interferon response lets expect, and NaN for genes that
        the fallback lacks.
        """
        interferon = scores.of(self.design.catalogue.covariates.interferon)
        elsewhere = z - self.reference.constants.ifng_factor * interferon[:, None]
        is_member = np.isin(symbols, self.design.components[self.inputs.fallback])
        return np.where(
            self.is_tested[:, None], self._residuals(symbols), np.where(is_member, elsewhere, np.nan)
        )

    def _residuals(self, symbols: Sequence[str]) -> FloatArray:
        """Residuals of some genes over their SD, shape (n_samples, n_symbols); NaN where not in the model."""
        found, state = np.full((len(self.interferon), len(symbols)), np.nan), self.state
        if state is None:
            return found
        own = np.diagonal(state.model.covariance) * (1.0 - state.share) ** 2
        scaled = np.where(state.is_measured, state.residual / np.sqrt(own + state.error), np.nan)
        column = {symbol: i for i, symbol in enumerate(state.gene_symbols)}
        for k, symbol in enumerate(symbols):
            if symbol in column:
                found[:, k] = scaled[:, column[symbol]]
        return found

    @property
    def is_uncounted(self) -> npt.NDArray[np.bool_]:
        """Samples in which a core gene of class I was not counted, or a part of the molecule not measured."""
        return self.infiltrate.is_mhc1_unquantified | self.is_absent

    @cached_property
    def is_absent(self) -> npt.NDArray[np.bool_]:
        """Samples in which no gene of some part of the class I molecule is measured.

        The other genes of the chain still agree with the test (r = 0.86 on the 60 tumours of the demo
        cohort), but the usual losses, of B2M and of HLA, are not among them.
        """
        genes = self.scores.genes
        parts = (genes.log2_tpm[:, genes.columns(part)] for part in self.inputs.molecule)
        return np.asarray(np.any([np.isnan(levels).all(axis=1) for levels in parts], axis=0))

    @cached_property
    def is_uncovered(self) -> npt.NDArray[np.bool_]:
        """Samples whose tumour cells have an interferon response outside that of the reference's tumours."""
        return np.asarray(np.abs(self.interferon) > self.design.thresholds.domain.most_interferon_z)

    @property
    def is_tested(self) -> npt.NDArray[np.bool_]:
        """Samples in which 6p21 was quantified; in others the chain's genes elsewhere replace it."""
        return ~self.scores.placement.is_mhc_locus_unquantified

    @cached_property
    def values(self) -> dict[str, FloatArray]:
        """Both terms that the model adds, and the chain's component; NaN where class I was not counted."""
        return {
            self.inputs.fallback_shortfall: self._fallback,
            self.inputs.shortfall: np.where(self.is_uncounted, np.nan, self._shortfall()),
            self.inputs.chain: np.where(self.is_uncounted, np.nan, self.scores.of(self.inputs.chain)),
        }

    @cached_property
    def _fallback(self) -> FloatArray:
        """The chain's genes outside 6p21 below what the interferon response lets expect, z."""
        interferon = self.scores.of(self.design.catalogue.covariates.interferon)
        return -(self.scores.of(self.inputs.fallback) - self.reference.constants.ifng_factor * interferon)

    def _shortfall(self) -> FloatArray:
        """The test where 6p21 was quantified, else its genes elsewhere, brought to the same spread."""
        own = np.full(len(self.scores.sample_ids), np.nan) if self.chain is None else self.chain.z
        location, spread = self._moments(self.inputs.shortfall)
        their_location, their_spread = self._moments(self.inputs.fallback_shortfall)
        elsewhere = location + spread * (self._fallback - their_location) / their_spread
        return np.where(self.is_tested, own, elsewhere)

    def _moments(self, term: str) -> tuple[float, float]:
        return self.reference.term_stats.get(term, (np.nan, np.nan))

    @cached_property
    def weights(self) -> Weights:
        """What one z of each component adds to the shortfall, found by moving the component a little.

        The shortfall is not a sum of components: infiltrate is subtracted on the linear scale. ``LOCUS`` is
        the largest amount by which 6p21 may be too low.
        """
        genes, components = self.scores.genes, self.design.components
        weights: dict[str, FloatArray] = {CHAIN: self.is_tested.astype(np.float64)}
        for name in (self.inputs.fallback, *self.components[1:]):
            spread = spreads_of(components[name], genes, self.reference)
            moved = raised(self.scores, components[name], NUDGE_Z * spread, spread)
            values = self.scores.values.copy()
            values[:, self.scores.signature_ids.index(name)] += NUDGE_Z
            weights[name] = self._change(replace(moved, values=values)) / NUDGE_Z
        # where the chain is tested, its genes elsewhere count in the test alone
        weights[self.inputs.fallback] = np.where(self.is_tested, 0.0, weights[self.inputs.fallback])
        locus = components[self.inputs.locus]
        doubt = self.scores.placement.locus_doubt_log2[:, None]
        spread = spreads_of(locus, genes, self.reference)
        return weights | {LOCUS: self._change(raised(self.scores, locus, doubt, spread))}

    def _change(self, moved: SignatureScores) -> FloatArray:
        """Change of the shortfall; 0 where there is none."""
        other = ClassOne.assess(moved, self.reference, self.design)
        return np.nan_to_num(other.values[self.term] - self.values[self.term])

    def errors(self, dispersion_ratio: FloatArray) -> dict[str, ComponentErrors]:
        """Errors of the test and of 6p21, counted like components.

        Parameters
        ----------
        dispersion_ratio
            Shape (n_samples,): by how much genes of one component differ more than in the reference.
        """
        # the interval has to reach where the loss would be if 6p21 was not quantified
        upper = 0.5 + self.design.thresholds.intervals.interval_level / 2
        locus = without_genes(np.full(len(dispersion_ratio), ndtri(upper) ** -2))
        return {CHAIN: self._chain_errors(dispersion_ratio), LOCUS: locus}

    def _chain_errors(self, dispersion_ratio: FloatArray) -> ComponentErrors:
        """What missing genes would have shown the test, and what one z of each gene adds to it."""
        if self.state is None or self.chain is None:
            return without_genes(np.zeros(len(dispersion_ratio)))
        limits, genes = self.design.thresholds, self.scores.genes
        missing, freedom = missing_chain_variance(
            self.state,
            self.chain,
            dispersion_ratio,
            limits.presentation,
            prior_df=limits.intervals.interval_prior_df,
        )
        columns, symbols = genes.columns(self.state.gene_symbols), self.state.gene_symbols
        own = np.array([symbols.index(genes.gene_symbols[i]) for i in columns], dtype=np.intp)
        share = np.take(self.chain.weight, own, axis=1) * spreads_of(symbols, genes, self.reference)
        return ComponentErrors(missing, freedom, columns, share)


def raised(
    scores: SignatureScores, members: Sequence[str], by_log2: FloatArray, spread: FloatArray
) -> SignatureScores:
    """Scores with some genes higher, by what fits the shape (n_samples, n_members)."""
    genes, columns = scores.genes, scores.genes.columns(members)
    z, log2_tpm = genes.z.copy(), genes.log2_tpm.copy()
    z[:, columns] += by_log2 / spread
    log2_tpm[:, columns] += by_log2
    return replace(scores, genes=replace(genes, z=z, log2_tpm=log2_tpm))


def without_genes(variance: FloatArray) -> ComponentErrors:
    """A component of known variance that no gene is behind."""
    n = len(variance)
    return ComponentErrors(variance, np.full(n, KNOWN), np.empty(0, dtype=np.intp), np.empty((n, 0)))


def missing_chain_variance(
    state: PresentationState,
    chain: LossTest,
    dispersion_ratio: FloatArray,
    limits: PresentationLimits,
    *,
    prior_df: float,
) -> tuple[FloatArray, FloatArray]:
    """Variance of the test for genes that are not measured, and its degrees of freedom.

    ``dispersion_ratio``, shape (n_samples,), is by how much genes of one component differ more than in the
    reference; ``prior_df`` are the degrees of freedom that the expected variance counts for.
    """
    freedom = state.is_measured.sum(axis=1) + prior_df
    excess = (squared_residual(state) + prior_df * expected_excess(state, dispersion_ratio)) / freedom
    return 2.0 * lost_correlation(chain, state, limits) * excess, freedom


def lost_correlation(found: LossTest, state: PresentationState, limits: PresentationLimits) -> FloatArray:
    """1 − correlation of the test with what it would be if all genes were measured, shape (n_samples,).

    0 where there is no test.
    """
    complete = chain_loss(as_if_measured(state, limits), limits)
    return np.maximum(np.nan_to_num(1.0 - found.detectable_sd / complete.detectable_sd), 0.0)


def squared_residual(state: PresentationState) -> FloatArray:
    """Sum of squares of a sample's residuals in units of V: about the number of its genes."""
    return np.asarray(
        (state.residual * (state.precision * state.residual[:, None, :]).sum(axis=2)).sum(axis=1)
    )


def expected_excess(state: PresentationState, dispersion_ratio: FloatArray) -> FloatArray:
    """By how much residuals are expected to vary more than V says, at least 1.

    Genes of all components differ ``dispersion_ratio`` times as much as usual: so do the tumours' own levels
    of these, of which V also holds the errors of leukocytes and distance.
    """
    own = np.where(state.is_measured, np.diag(state.model.covariance) * (1.0 - state.share) ** 2, 0.0)
    total = np.where(state.is_measured, own + state.error, 1.0)
    share = (own / total).sum(axis=1) / np.maximum(state.is_measured.sum(axis=1), 1)
    return np.asarray(np.maximum(1.0, np.nan_to_num(dispersion_ratio * share, nan=1.0)))
