"""The model of MHC class I in a cohort's tumour cells, as a term of axes and index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from escape_score.model.axes import ClassOneInputs, Design
from escape_score.model.cohort import FloatArray
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores
from escape_score.profile.intervals.gene_errors import spreads_of
from escape_score.profile.intervals.missing_genes import ComponentErrors
from escape_score.profile.mhc.errors import (
    CHAIN,
    LOCUS,
    locus_errors,
    missing_chain_variance,
    without_genes,
)
from escape_score.profile.mhc.infiltrate import Infiltrate, estimate_infiltrate
from escape_score.profile.mhc.presentation import (
    LossTest,
    PresentationState,
    assess_presentation,
    chain_loss,
    tumour_ifng,
)
from escape_score.profile.terms import Weights

NUDGE_Z = 0.2
"""By how much a component is moved to see what the shortfall makes of it."""


@dataclass(frozen=True)
class ClassOne:
    """MHC class I of the tumour cells below what infiltrate and interferon explain: the shortfall.

    Attributes
    ----------
    state, chain
        Antigen-presentation genes against their expectation, and the test for a loss of the whole chain; None
        where the reference has no presentation model.
    """

    scores: SignatureScores
    reference: Reference
    design: Design
    infiltrate: Infiltrate = field(repr=False)
    state: PresentationState | None = field(repr=False)
    chain: LossTest | None = field(repr=False)

    @classmethod
    def assess(cls, scores: SignatureScores, reference: Reference, design: Design) -> ClassOne:
        """Compare the chain of every sample with its expectation."""
        limits, model = design.thresholds.presentation, reference.presentation
        infiltrate = estimate_infiltrate(scores.genes, reference, design)
        if model is None:
            return cls(scores, reference, design, infiltrate, None, None)
        state = assess_presentation(
            scores.genes,
            infiltrate,
            tumour_ifng(scores.genes, infiltrate, reference, design.thresholds),
            model,
            excess_distance=scores.placement.excess_distance(reference.anchor_distance),
            limits=limits,
        )
        return cls(scores, reference, design, infiltrate, state, chain_loss(state, limits))

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
    def evidence(self) -> tuple[str, int]:
        """The chain, whose genes speak for a shortfall where they are low."""
        return self.inputs.chain, -1

    @property
    def is_uncounted(self) -> npt.NDArray[np.bool_]:
        """Samples in which a core gene of class I was not counted at all."""
        return self.infiltrate.is_mhc1_unquantified

    @property
    def is_tested(self) -> npt.NDArray[np.bool_]:
        """Samples in which 6p21 was quantified; in others the chain's genes elsewhere stand in."""
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
        level = self.design.thresholds.intervals.interval_level
        return {
            CHAIN: self._chain_errors(dispersion_ratio),
            LOCUS: locus_errors(len(self.scores.sample_ids), level),
        }

    def _chain_errors(self, dispersion_ratio: FloatArray) -> ComponentErrors:
        """What missing genes would have told the test, and what one z of each gene adds to it."""
        if self.state is None or self.chain is None:
            return without_genes(np.zeros(len(self.scores.sample_ids)))
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
