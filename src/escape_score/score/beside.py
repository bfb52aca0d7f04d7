"""Scores of every signature by the methods users know, beside the axes.

Methods that look at one sample are fed block by block; a gene that one sample lacks is left out of that
sample's ranking alone, so that its company changes nothing. Methods that compare samples need all of them at
once: their genes are those that every sample has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from escape_score.model.cohort import FloatArray
from escape_score.model.method_choice import Engine, MethodChoice, MethodName, Ties
from escape_score.model.scores import MethodTable
from escape_score.score.methods import METHODS, MethodScores, SetIndex
from escape_score.score.methods.ranked import RankScorer, score_ranked
from escape_score.score.methods.registry import Method, Scope

Scored = Mapping[str, MethodScores]
"""Scores of some samples, by method."""


def of_scope(choice: MethodChoice, scope: Scope) -> tuple[str, ...]:
    """Methods of a choice that depend on a sample alone, or on all samples."""
    return tuple(name for name in choice.methods if METHODS[name].scope is scope)


def score_block_by(names: Sequence[str], values: FloatArray, sets: SetIndex, choice: MethodChoice) -> Scored:
    """Score a block of samples by methods that look at one sample at a time.

    Parameters
    ----------
    names
        Such methods.
    values
        Shape (n_samples, n_genes), NaN = not measured.
    sets
        Signatures laid over the genes.

    Returns
    -------
    dict
        For each method, values and coverage of shape (n_samples, n_sets).
    """
    parts = [
        (rows, _score_measured(names, values[np.ix_(rows, kept)], sets.kept(kept), choice))
        for rows, kept in _by_measured_genes(values)
    ]
    return {
        name: _laid_out(len(values), sets.n_sets, [(rows, part[name]) for rows, part in parts])
        for name in names
    }


def _by_measured_genes(
    values: FloatArray,
) -> Iterable[tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]]:
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
    """Score samples that have a value for every gene, ranked once for all methods."""
    if choice.engine is Engine.GSEAPY and "ssgsea" in names:
        others = tuple(name for name in names if name != "ssgsea")
        return {"ssgsea": _by_gseapy("ssgsea", values, sets, choice)} | dict(
            _score_measured(others, values, sets, choice) if others else {}
        )
    found = score_ranked(
        values,
        sets,
        [_rank_scorer(name, choice.ties) for name in names],
        min_coverage=choice.min_coverage,
        threads=choice.threads,
        has_positions=choice.ties is not Ties.MID and "ssgsea" in names,
    )
    return dict(zip(names, found, strict=True))


def _rank_scorer(name: str, ties: Ties) -> RankScorer:
    """The part of a method that comes after ranking."""
    from escape_score.score.methods.aucell import aucell_of_ranks
    from escape_score.score.methods.mean_rank import mean_rank_of_ranks
    from escape_score.score.methods.singscore import singscore_of_ranks
    from escape_score.score.methods.ssgsea import ssgsea_of_ranks
    from escape_score.score.methods.ucell import ucell_of_ranks

    scorers: Mapping[str, RankScorer] = {
        "ssgsea": lambda ranks, sets: ssgsea_of_ranks(ranks, sets, ties=ties),
        "singscore": singscore_of_ranks,
        "mean_rank": mean_rank_of_ranks,
        "ucell": ucell_of_ranks,
        "aucell": aucell_of_ranks,
    }
    return scorers[name]


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
            parts[name].append((rows, _score_cohort(METHODS[name], measured, of_kept, choice)))
    return {name: _laid_out(len(values), sets.n_sets, part) for name, part in parts.items()}


def _score_cohort(method: Method, values: FloatArray, sets: SetIndex, choice: MethodChoice) -> MethodScores:
    if method.name != "gsva":
        return method.score(values, sets, min_coverage=choice.min_coverage, threads=choice.threads)
    if choice.engine is Engine.GSEAPY:
        return _by_gseapy("gsva", values, sets, choice)
    from escape_score.score.methods.gsva import score_gsva

    return score_gsva(
        values, sets, ties=choice.ties, min_coverage=choice.min_coverage, threads=choice.threads
    )


def _by_gseapy(name: str, values: FloatArray, sets: SetIndex, choice: MethodChoice) -> MethodScores:
    from escape_score.score.methods.engine_gseapy import score_gsva_gseapy, score_ssgsea_gseapy

    score: Callable[..., MethodScores] = score_ssgsea_gseapy if name == "ssgsea" else score_gsva_gseapy
    return score(values, sets, min_coverage=choice.min_coverage, threads=choice.threads)


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
        """Genes that methods that compare samples need: those of the sets, but all of them for GSVA."""
        if MethodName.GSVA in self.choice.methods:
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
