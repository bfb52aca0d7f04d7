"""The two axes of the class I model: a loss of the whole chain, and of one of its links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from escape_score.model.cohort import FloatArray
from escape_score.model.profiles import AxisValues, LinkScores, TextArray
from escape_score.model.robust import nanmedian_rows
from escape_score.model.thresholds import LinkLimits
from escape_score.profile.axes import EvidenceSource, MeanAxis, WeakestLinkAxis, no_genes
from escape_score.profile.context import ProfileContext
from escape_score.profile.mhc.presentation import PresentationState, hypotheses, loss_of


@dataclass(frozen=True)
class ChainLossAxis(MeanAxis):
    """The shortfall of the whole chain."""

    def values(self, context: ProfileContext) -> AxisValues:
        """The standardised shortfall, and where a loss would stay below the threshold on average."""
        found, model = super().values(context), context.class_one
        if model.chain is None:
            return found
        location, spread = context.reference.term_stats.get(model.term, (np.nan, np.nan))
        detectable = (model.chain.detectable_sd - location) / spread
        hidden = model.is_tested & (detectable < self.definition.threshold)
        return replace(found, is_hidden=hidden, is_stand_in=~model.is_tested)

    def evidence(self, context: ProfileContext) -> tuple[EvidenceSource, ...]:
        """The chain; also genes outside 6p21 that only the fallback has."""
        (chain,) = super().evidence(context)
        return (chain, replace(chain, component=context.class_one.inputs.fallback))


@dataclass(frozen=True)
class LinkLossAxis(WeakestLinkAxis):
    """The one link of the chain that tumour cells most likely lost."""

    def evidence(self, context: ProfileContext) -> tuple[EvidenceSource, ...]:
        """The chain, each gene against its own expectation."""
        model = context.class_one
        return (EvidenceSource(self.definition.chain, -1, model.above_expected, model.denominators),)

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
        return _without(found, model.is_uncounted | model.is_uncovered)


def _without(found: AxisValues, is_out: npt.NDArray[np.bool_]) -> AxisValues:
    """Take out samples in which the chain cannot be judged."""
    links = found.links
    if links is not None:
        links = replace(
            links,
            z=np.where(is_out[:, None], np.nan, links.z),
            detectable_sd=np.where(is_out[:, None], np.nan, links.detectable_sd),
            is_evaluable=links.is_evaluable & ~is_out[:, None],
        )
    score, gene = np.where(is_out, np.nan, found.score), np.where(is_out, "", found.weakest_gene)
    return replace(found, score=score, weakest_gene=gene, links=links)


def link_losses(
    state: PresentationState,
    chain: Sequence[str],
    excess_distance: FloatArray,
    limits: LinkLimits,
    *,
    lost_together: Sequence[tuple[str, ...]] = (),
) -> AxisValues:
    """Find the link that a sample's tumour cells most likely lost.

    Parameters
    ----------
    chain
        Links, of which ``limits.min_links`` must be measured.
    excess_distance
        Shape (n_samples,), log2.
    lost_together
        Links whose joint loss is looked for as well.

    Returns
    -------
    AxisValues
        The score is the largest, over the links, of z less a quarter of the link's limit of detection: where
        a loss would be plain, it must be plain. It is NaN where a five-fold loss of the typical link would
        move it by less than ``limits.link_min_shift_sd``, and beyond ``limits.link_max_excess_log2``,
        where the reference gives no baseline for single genes.

    Notes
    -----
    A link whose loss could not be seen still takes part: its z has the same spread as that of any other, and
    a value far outside speaks for a loss. A usual value, though, says nothing.
    """
    tests = {name: loss_of(state, lost) for name, lost in hypotheses(chain, lost_together).items()}
    names = tuple(tests)
    z = np.column_stack([test.z for test in tests.values()])
    shift = np.column_stack([test.detectable_sd for test in tests.values()])
    is_placed = excess_distance < limits.link_max_excess_log2
    is_link = [symbol in set(chain) for symbol in state.gene_symbols]
    n_measured = state.is_measured[:, is_link].sum(axis=1)
    enough = is_placed & (n_measured >= limits.min_links)
    typical = nanmedian_rows(np.where(enough[:, None], shift, np.nan))
    is_evaluable = typical >= limits.link_min_shift_sd
    # a link that is not measured comes after all others
    evidence = z - limits.link_shift_weight * shift
    evidence[np.isnan(evidence)] = -np.inf
    score = np.where(is_evaluable, evidence.max(axis=1), np.nan)
    links = LinkScores(
        names=names,
        z=z,
        detectable_sd=shift,
        is_evaluable=is_placed[:, None] & (np.nan_to_num(shift) >= limits.link_min_shift_sd),
    )
    genes = _weakest_genes(names, evidence, is_evaluable)
    return AxisValues(score, n_measured / len(chain), genes, links=links)


def _weakest_genes(
    names: tuple[str, ...], ranked: FloatArray, is_evaluable: npt.NDArray[np.bool_]
) -> TextArray:
    """Symbol of the weakest link; of a pair, the lower of the two."""
    genes = no_genes(len(ranked))
    for row in np.flatnonzero(is_evaluable):
        members = names[int(ranked[row].argmax())].split("+")
        genes[row] = max(members, key=lambda gene: ranked[row, names.index(gene)])
    return genes
