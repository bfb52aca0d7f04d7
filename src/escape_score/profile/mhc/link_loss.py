"""One lost link of the antigen-presentation chain, with a limit of detection for every link and sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from escape_score.model.cohort import FloatArray
from escape_score.model.profiles import LinkScores, TextArray
from escape_score.model.robust import nanmedian_rows
from escape_score.model.thresholds import LinkLimits
from escape_score.profile.axes import AxisValues, no_genes
from escape_score.profile.mhc.presentation import PresentationState, hypotheses, loss_of


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
    a value far outside speaks for a loss. Its not standing out, though, says nothing.
    """
    tests = {name: loss_of(state, lost) for name, lost in hypotheses(chain, lost_together).items()}
    names = tuple(tests)
    z = np.column_stack([test.z for test in tests.values()])
    shift = np.column_stack([test.detectable_sd for test in tests.values()])
    is_placed = excess_distance < limits.link_max_excess_log2
    columns = [i for i, symbol in enumerate(state.gene_symbols) if symbol in set(chain)]
    n_measured = state.is_measured[:, columns].sum(axis=1)
    enough = is_placed & (n_measured >= limits.min_links)
    typical = nanmedian_rows(np.where(enough[:, None], shift, np.nan))
    is_evaluable = typical >= limits.link_min_shift_sd
    evidence = z - limits.link_shift_weight * shift
    score = np.where(is_evaluable, _known_or_lowest(evidence).max(axis=1), np.nan)
    links = LinkScores(
        names=names,
        z=z,
        detectable_sd=shift,
        is_evaluable=is_placed[:, None] & (np.nan_to_num(shift) >= limits.link_min_shift_sd),
    )
    genes = _weakest_genes(names, _known_or_lowest(evidence), is_evaluable)
    return AxisValues(score, n_measured / len(chain), genes, links=links)


def _known_or_lowest(evidence: FloatArray) -> FloatArray:
    """Evidence for each link; a link that is not measured comes after all others."""
    return np.where(np.isnan(evidence), -np.inf, evidence)


def _weakest_genes(
    names: tuple[str, ...], ranked: FloatArray, is_evaluable: npt.NDArray[np.bool_]
) -> TextArray:
    """Symbol of the weakest link; of a pair, the lower of the two."""
    genes = no_genes(len(ranked))
    for row in np.flatnonzero(is_evaluable):
        members = names[int(ranked[row].argmax())].split("+")
        genes[row] = max(members, key=lambda gene: ranked[row, names.index(gene)])
    return genes
