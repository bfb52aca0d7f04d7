"""What the tumours of a cohort show before a reference is chosen: how far they are from each of them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from escape_score.fit.batches import Batches, find_batches
from escape_score.fit.joined import with_rows
from escape_score.fit.selection import LeftOut, left_out
from escape_score.library.tumour_types import load_tumour_types
from escape_score.model.axes import Design
from escape_score.model.cohort import FloatArray, HarmonisedCohort, InMemoryMatrix, iter_blocks, narrowed
from escape_score.model.notes import Code, Note, note
from escape_score.model.record import ReferenceMatch
from escape_score.model.reference import Reference
from escape_score.profile.archetype import match_of
from escape_score.profile.terms import mean_present
from escape_score.reference.auto import Candidate
from escape_score.reference.known import KnownReference
from escape_score.score.placement import Alignment, PlacedBlock, align, place_block

LEVEL_COMPONENTS = ("tcell", "leukocyte")
"""Components whose mean says how hot a tumour is."""


@dataclass(frozen=True, eq=False)
class Survey:
    """Tumours of a cohort that a choice looks at.

    Attributes
    ----------
    judged
        At most ``judged_samples`` of the tumours, in memory, over anchors and the genes of
        :func:`level_genes`.
    rows
        Samples of the cohort that may enter a reference, by position.
    left_out
        Those that may not, with the reason.
    own_types
        Tumour types that the sheet gives for all tumours; empty where it does not, or they differ.
    """

    judged: HarmonisedCohort
    rows: tuple[int, ...] = field(repr=False)
    left_out: Mapping[int, LeftOut] = field(repr=False)
    own_types: frozenset[str]
    design: Design = field(repr=False)

    @cached_property
    def _values(self) -> FloatArray:
        return self.judged.source.block(0, len(self.judged.sample_ids))

    @cached_property
    def _column_of(self) -> Mapping[str, int]:
        return {symbol: column for column, symbol in enumerate(self.judged.gene_symbols)}

    def placed(
        self, reference: Reference, further_genes: Sequence[str] = ()
    ) -> tuple[Alignment, PlacedBlock]:
        """Anchors and further genes of the judged tumours on the scale of a reference."""
        alignment = align(self.judged.gene_symbols, reference, further_genes)
        columns = [self._column_of[symbol] for symbol in alignment.symbols]
        return alignment, place_block(self._values[:, columns], alignment, self.design.thresholds.placement)

    def candidate(self, known: KnownReference, reference: Reference) -> Candidate | None:
        """How the tumours are placed on a reference; None where too few anchors are measured."""
        distance = self.placed(reference)[1].distance
        if np.isnan(distance).all():
            return None
        match = match_of(distance, reference.anchor_distance, self.design.thresholds.match)
        good = match == ReferenceMatch.GOOD
        return Candidate(
            name=known.name,
            origin=known.origin,
            distance=float(np.nanmedian(distance)),
            share_good=float(good.mean()),
            share_matched=float((good | (match == ReferenceMatch.MODERATE)).mean()),
            is_own_type=self.is_own_type(reference),
        )

    def is_own_type(self, reference: Reference) -> bool:
        """Whether a reference is of the tumour type of the sheet, or of a wider one.

        A narrower one does not count: uveal melanomas are not what is usual for melanomas.
        """
        types = load_tumour_types()
        theirs = types.understood(reference.tumour_type)
        return bool(self.own_types) and self.own_types <= frozenset().union(
            *(types.members[t] for t in theirs)
        )

    def batches(self, reference: Reference) -> Batches | None:
        """Two groups of the judged tumours that differ like two pipelines; None where none are found."""
        alignment, placed = self.placed(reference)
        return find_batches(placed.log2_tpm[:, alignment.is_anchor], self.design.thresholds.auto)

    def composition(self, references: Sequence[Reference]) -> Note | None:
        """Caution where a cohort that is its own reference has unusually many or few T cells and leukocytes.

        ``references``: the one of the own tumour type, or where there is none all. A cohort is then hot if
        its level is high against four of five, since lymphomas are hotter than any, and cold if it is low
        against most: in some types these genes are near zero, and no cohort can be far below.
        """
        limits = self.design.thresholds.auto
        levels = np.array([self._level(reference) for reference in references])
        n_high, n_low = (
            int((levels > limits.composition_sd).sum()),
            int((levels < -limits.composition_sd).sum()),
        )
        is_hot = len(levels) > 0 and n_high >= limits.matched_fraction * len(levels)
        if not is_hot and 2 * n_low <= len(levels):
            return None
        kind = "hot" if is_hot else "cold"
        if len(levels) > 1:
            return note(
                Code.COHORT_COMPOSITION, f"{kind}_all", n=n_high if is_hot else n_low, n_all=len(levels)
            )
        return note(Code.COHORT_COMPOSITION, kind, name=references[0].name, sd=float(abs(levels[0])))

    def _level(self, reference: Reference) -> float:
        """Median over the tumours of their T-cell and leukocyte level, in SD of a reference; 0 if unknown."""
        alignment, placed = self.placed(reference, level_genes(self.design))
        levels = []
        for name in LEVEL_COMPONENTS:
            columns = alignment.positions(self.design.components[name])
            at, spread = reference.term_stats[name]
            if len(columns):
                levels.append((mean_present(list(placed.z[:, columns].T)) - at) / spread)
        level = np.mean(levels, axis=0) if levels else np.array([np.nan])
        return 0.0 if np.isnan(level).all() else float(np.nanmedian(level))


def level_genes(design: Design) -> tuple[str, ...]:
    """Genes by which a tumour is hot or cold."""
    return tuple(symbol for name in LEVEL_COMPONENTS for symbol in design.components[name])


def survey(cohort: HarmonisedCohort, genes: Sequence[str], design: Design) -> Survey:
    """Read what a choice needs of a cohort.

    Parameters
    ----------
    cohort
        log2(TPM + 1).
    genes
        Genes of the references that are read: anchors, and those of :func:`level_genes`.
    design
        Axes, and the fixed numbers of the method.
    """
    out = left_out(cohort.samples)
    ids = cohort.sample_ids
    sound = [
        row for row, one in enumerate(ids) if row not in out and not cohort.flags.has(one, Code.FLOOR_SUSPECT)
    ]
    rows = tuple(sorted(sound, key=lambda row: ids[row]))
    # a cohort without a tumour is placed all the same
    shown = rows or tuple(range(len(ids)))
    chosen = evenly(shown, design.thresholds.auto.judged_samples)
    return Survey(
        judged=held(cohort, chosen, {*genes}),
        rows=rows,
        left_out=out,
        own_types=_shared_types([cohort.samples[row].cancer_type for row in shown]),
        design=design,
    )


def evenly(rows: Sequence[int], most: int) -> tuple[int, ...]:
    """At most so many of some rows, evenly spread over them."""
    return tuple(rows[i] for i in np.unique(np.linspace(0, len(rows) - 1, most).round().astype(int)))


def held(cohort: HarmonisedCohort, rows: Sequence[int], genes: Container[str]) -> HarmonisedCohort:
    """Some samples, in the order of the cohort, and those genes of it that are wanted, in memory."""
    some = with_rows(cohort, sorted(rows))
    symbols = tuple(symbol for symbol in cohort.gene_symbols if symbol in genes)
    values = np.concatenate([block for _, block in iter_blocks(narrowed(some.source, symbols))])
    return replace(some, source=InMemoryMatrix(some.sample_ids, symbols, values))


def _shared_types(given: Iterable[str]) -> frozenset[str]:
    """The tumour types that all samples have in common; empty where one has none, or another."""
    types = load_tumour_types()
    found = {types.understood(text.strip()) if text.strip() else frozenset[str]() for text in {*given}}
    return next(iter(found)) if len(found) == 1 else frozenset()
