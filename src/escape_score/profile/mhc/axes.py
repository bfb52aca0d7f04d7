"""The two axes of the class I model: a loss of the whole chain, and of one of its links."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from escape_score.model.cohort import FloatArray
from escape_score.profile.axes import AxisValues, MeanAxis, WeakestLinkAxis, no_genes
from escape_score.profile.context import ProfileContext
from escape_score.profile.mhc.link_loss import link_losses


@dataclass(frozen=True)
class ChainLossAxis(MeanAxis):
    """The shortfall of the whole chain."""

    def values(self, context: ProfileContext) -> AxisValues:
        """The standardised shortfall, and where a loss would stay below the threshold on average."""
        return replace(super().values(context), is_hidden=self._is_hidden(context))

    def _is_hidden(self, context: ProfileContext) -> npt.NDArray[np.bool_] | None:
        model = context.class_one
        if model.chain is None:
            return None
        location, spread = context.reference.term_stats.get(model.term, (np.nan, np.nan))
        detectable = (model.chain.detectable_sd - location) / spread
        return model.is_tested & (detectable < self.definition.threshold)

    def leading_score(self, score: FloatArray, context: ProfileContext) -> FloatArray:
        """The loss, weighed down by the distance to the reference: a mismatch must not create losses."""
        limits = context.thresholds.presentation
        return score / np.sqrt(1 + context.excess**2 / limits.apd_chain_genes / limits.apd_spread_log2**2)


@dataclass(frozen=True)
class LinkLossAxis(WeakestLinkAxis):
    """The one link of the chain that tumour cells most likely lost."""

    def values(self, context: ProfileContext) -> AxisValues:
        """The weakest link of every sample, with a limit of detection for each."""
        model, n_samples = context.class_one, len(context.scores.sample_ids)
        if model.state is None:
            return AxisValues(np.full(n_samples, np.nan), np.zeros(n_samples), no_genes(n_samples))
        found = link_losses(
            model.state,
            context.design.components[self.definition.chain],
            context.excess,
            context.thresholds.links,
            lost_together=model.inputs.lost_together,
        )
        return _without(found, model.is_uncounted)


def _without(found: AxisValues, is_uncounted: npt.NDArray[np.bool_]) -> AxisValues:
    """Take out samples with a core gene that was not counted at all: it says nothing about the chain."""
    links = found.links
    if links is not None:
        links = replace(
            links,
            z=np.where(is_uncounted[:, None], np.nan, links.z),
            detectable_sd=np.where(is_uncounted[:, None], np.nan, links.detectable_sd),
            is_evaluable=links.is_evaluable & ~is_uncounted[:, None],
        )
    score, gene = np.where(is_uncounted, np.nan, found.score), np.where(is_uncounted, "", found.gene)
    return replace(found, score=score, gene=gene, links=links)
