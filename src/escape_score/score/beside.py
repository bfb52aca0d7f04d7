"""Scores of every signature by the methods users know, in addition to the axes.

Methods that look at one sample are fed block by block; a gene that one sample lacks is left out of that
sample's ranking alone, so that its company changes nothing. Methods that compare samples need all of them at
once: their genes are those that every sample has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt

from escape_score.model.cohort import FloatArray
from escape_score.model.method_choice import Engine, MethodChoice, Ties
from escape_score.model.scores import MethodTable
from escape_score.score.kernels.ranks import RankScorer, score_ranked
from escape_score.score.methods import METHODS, Method, MethodScores, Scope, SetIndex
from escape_score.score.methods.method import Score

Scored = Mapping[str, MethodScores]
"""Scores of some samples, by method."""


def of_scope(choice: MethodChoice, scope: Scope) -> tuple[str, ...]:
    """Methods of a choice that depend on a sample alone, or on all samples."""
    return tuple(name for name in choice.methods if METHODS[name].scope is scope)


def score_block_by(names: Sequence[str], values: FloatArray, sets: SetIndex, choice: MethodChoice) -> Scored:
    """Score a block of samples by methods that look at one sample at a time.

    ``values``: shape (n_samples, n_genes), NaN = not measured; ``sets``: signatures laid over the genes.
    Gives for each method values and coverage of shape (n_samples, n_sets).
    """
    parts = [
        (rows, _score_measured(names, values[np.ix_(rows, kept)], sets.kept(kept), choice))
        for rows, kept in _by_measured_genes(values)
    ]
    return {
        name: _laid_out(len(values), sets.n_sets, [(rows, part[name]) for rows, part in parts])
        for name in names
    }


def _by_measured_genes(values: FloatArray) -> Iterable[tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]]:
    """Samples that measure the same genes together; those that measure none are left out."""
    measured = ~np.isnan(values)
    if measured.all():
        return [(np.arange(len(values)), np.ones(values.shape[1], dtype=np.bool_))]
    groups: dict[bytes, list[int]] = defaultdict(list)
    for row, mask in enumerate(measured):
        if mask.any():
            groups[np.packbits(mask).tobytes()].append(row)
    return [(np.array(rows), measured[rows[0]]) for rows in groups.values()]


def _score_measured(names: Sequence[str], values: FloatArray, sets: SetIndex, choice: MethodChoice) -> Scored:
    """Score samples that have a value for every gene, ranked once for all methods that share one ranking."""
    methods = [METHODS[name] for name in names]
    scorers: dict[str, RankScorer] = {
        method.name: partial(method.of_ranks, **_options(method, choice))
        for method in methods
        if method.of_ranks is not None and _by_gseapy(method, choice) is None
    }
    scored: dict[str, MethodScores] = {
        m.name: _score(m, values, sets, choice) for m in methods if m.name not in scorers
    }
    if not scorers:
        return scored
    has_ties = any("ties" in METHODS[name].options for name in scorers)
    found = score_ranked(
        values,
        sets,
        list(scorers.values()),
        min_coverage=choice.min_coverage,
        threads=choice.threads,
        has_positions=has_ties and choice.ties is not Ties.MID,
    )
    return scored | dict(zip(scorers, found, strict=True))


def _score(method: Method, values: FloatArray, sets: SetIndex, choice: MethodChoice) -> MethodScores:
    """Score by one method, by gseapy where that was chosen and has it."""
    score = _by_gseapy(method, choice) or partial(method.score, **_options(method, choice))
    return score(values, sets, min_coverage=choice.min_coverage, threads=choice.threads)


def _by_gseapy(method: Method, choice: MethodChoice) -> Score | None:
    """Function of gseapy for a method, if that engine was chosen and has it."""
    return method.by_gseapy if choice.engine is Engine.GSEAPY else None


def _options(method: Method, choice: MethodChoice) -> dict[str, Ties]:
    """What a choice says of a method's own options."""
    return {"ties": choice.ties} if "ties" in method.options else {}


def score_cohort_by(names: Sequence[str], values: FloatArray, sets: SetIndex, choice: MethodChoice) -> Scored:
    """Score all samples by methods that compare samples.

    Parameters and result are those of :func:`score_block_by`. Samples without any value are left out, then
    genes that any other sample lacks. With fewer than two samples nothing is evaluable.
    """
    rows = np.flatnonzero(~np.isnan(values).all(axis=1))
    kept: npt.NDArray[np.bool_] = np.logical_not(np.isnan(values[rows]).any(axis=0))
    parts: dict[str, list[tuple[npt.NDArray[np.intp], MethodScores]]] = {name: [] for name in names}
    if len(rows) > 1 and kept.any():
        measured, of_kept = values[np.ix_(rows, kept)], sets.kept(kept)
        for name in names:
            parts[name].append((rows, _score(METHODS[name], measured, of_kept, choice)))
    return {name: _laid_out(len(values), sets.n_sets, part) for name, part in parts.items()}


def _laid_out(
    n_samples: int, n_sets: int, parts: Sequence[tuple[npt.NDArray[np.intp], MethodScores]]
) -> MethodScores:
    """Put the scores of groups of samples back in their places."""
    values, coverage = np.full((n_samples, n_sets), np.nan), np.zeros((n_samples, n_sets))
    for rows, part in parts:
        values[rows], coverage[rows] = part.values, part.coverage
    return MethodScores(values, coverage)


@dataclass(frozen=True)
class BlockScores:
    """Scores of one block, with its values where a method must see them together with all others."""

    scored: Scored
    values: FloatArray | None = field(repr=False)


@dataclass(frozen=True)
class MethodsBeside:
    """Methods over signatures laid over the genes of one cohort.

    Attributes
    ----------
    signature_ids
        Signatures, in the order of ``sets``.
    """

    choice: MethodChoice
    signature_ids: tuple[str, ...]
    sets: SetIndex = field(repr=False)

    def score_block(self, log2_tpm: FloatArray) -> BlockScores:
        """Score a block by the methods that can; keep what the others need of it."""
        alone, together = of_scope(self.choice, Scope.SAMPLE), of_scope(self.choice, Scope.COHORT)
        scored = score_block_by(alone, log2_tpm, self.sets, self.choice) if alone else {}
        return BlockScores(scored, np.compress(self.is_needed, log2_tpm, axis=1) if together else None)

    @cached_property
    def is_needed(self) -> npt.NDArray[np.bool_]:
        """Genes that methods that compare samples need: those of the sets, or all of them."""
        if any(METHODS[name].reads_all_genes for name in self.choice.methods):
            return np.ones(self.sets.n_columns, dtype=np.bool_)
        return np.isin(np.arange(self.sets.n_columns), self.sets.members)

    def join(self, parts: Sequence[BlockScores]) -> tuple[MethodTable, ...]:
        """One table a method, in the order of the choice."""
        blocks = [part.scored for part in parts]
        together = of_scope(self.choice, Scope.COHORT)
        whole: Scored = {}
        if together:
            values = np.concatenate([part.values for part in parts if part.values is not None])
            whole = score_cohort_by(together, values, self.sets.kept(self.is_needed), self.choice)
        return tuple(self._table(name, [whole] if name in whole else blocks) for name in self.choice.methods)

    def _table(self, name: str, blocks: Sequence[Scored]) -> MethodTable:
        return MethodTable(
            name,
            self.signature_ids,
            np.concatenate([block[name].values for block in blocks]),
            np.concatenate([block[name].coverage for block in blocks]),
        )
