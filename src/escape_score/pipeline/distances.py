"""How far the samples of a cohort are from every reference, and which one ``auto`` would take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from escape_score.errors import attempt, raise_faults
from escape_score.genes.lengths import open_gene_lengths
from escape_score.harmonise import harmonise
from escape_score.library.axes import load_design
from escape_score.model.arguments import require_path
from escape_score.model.cohort import Cohort, FloatArray, HarmonisedCohort, iter_blocks, narrowed
from escape_score.model.profiles import TextArray
from escape_score.model.record import ReferenceMatch
from escape_score.model.reference import Reference
from escape_score.pipeline.candidates import Candidates
from escape_score.pipeline.choosing import choose_reference
from escape_score.pipeline.profiles import in_english
from escape_score.pipeline.profiling import MIN_GENES
from escape_score.profile.archetype import match_limits, match_of
from escape_score.reference.known import (
    AUTO_REFERENCE,
    KnownReference,
    find_folder,
    known_at,
    known_references,
)
from escape_score.reference.read import load_reference
from escape_score.score.placement import align, place_block, require_anchors

BINS_PER_LOG2 = 10
FARTHEST_BIN = 1.0
"""Distances this much beyond the limit of a moderate match are in one bin, log2."""


@dataclass(frozen=True, eq=False)
class ReferenceDistance:
    """How far the samples of a cohort are from one reference.

    Attributes
    ----------
    known
        Its name and origin; None for a folder of the user.
    distance
        Shape (n_samples,), scaled MAD of the anchors of each sample, log2; NaN = not placed.
    is_own_type
        Whether it is of the tumour type that the sample sheet gives for all samples.
    """

    reference: Reference = field(repr=False)
    known: KnownReference | None
    distance: FloatArray = field(repr=False)
    is_own_type: bool

    @property
    def name(self) -> str:
        """Name by which it is found, or what its folder calls it."""
        return self.reference.name if self.known is None else self.known.name

    @property
    def limits(self) -> tuple[float, float]:
        """Distances below which a match is good, and moderate; log2."""
        return match_limits(self.reference.anchor_distance, load_design().thresholds.match)

    @cached_property
    def match(self) -> TextArray:
        """Match of each sample; empty where it could not be placed."""
        return match_of(self.distance, self.reference.anchor_distance, load_design().thresholds.match)

    def count(self, *matches: ReferenceMatch | None) -> int:
        """Number of samples with one of some matches; None = not placed."""
        return sum(int((self.match == (one or "")).sum()) for one in matches)

    @property
    def share_good(self) -> float:
        """Share of all samples that match well, 0-1."""
        return self.count(ReferenceMatch.GOOD) / len(self.distance)

    @property
    def share_matched(self) -> float:
        """Share of all samples that match well or moderately, 0-1."""
        return self.count(ReferenceMatch.GOOD, ReferenceMatch.MODERATE) / len(self.distance)

    @property
    def median(self) -> float:
        """Median distance of the samples that could be placed, log2; NaN where there is none."""
        placed = self.distance[~np.isnan(self.distance)]
        return float(np.median(placed)) if placed.size else float("nan")


@dataclass(frozen=True, eq=False)
class CohortDistances:
    """How far a cohort is from the reference that is shown, and from all others with a name.

    Attributes
    ----------
    ranked
        All of them, the closest first.
    """

    cohort: HarmonisedCohort = field(repr=False)
    candidates: Candidates = field(repr=False)
    shown: ReferenceDistance
    ranked: tuple[ReferenceDistance, ...] = field(repr=False)


@dataclass(frozen=True)
class AutoChoice:
    """What ``auto`` would take for a cohort.

    Attributes
    ----------
    why
        The reason, and what would make more evaluable, in words.
    warnings
        What there is to flag, in words.
    n_judged
        Number of samples that the choice looked at.
    """

    name: str
    why: str
    warnings: tuple[str, ...]
    n_judged: int


@dataclass(frozen=True)
class DistanceBin:
    """Samples with a distance from ``low`` up to, not including, ``high``, log2."""

    low: float
    high: float
    n: int

    def holds(self, distance: float) -> bool:
        """Whether a distance is in the bin."""
        return self.low <= distance < self.high


def measure_distances(
    opened: Callable[[], Cohort],
    reference: str | Path | Reference,
    *,
    gene_lengths: str | Path | None = None,
    lengths_from_positions: bool = False,
    min_genes: int = MIN_GENES,
) -> CohortDistances:
    """Place all samples of a cohort, which is yet to be read, on a reference and on all others with a name.

    Raises
    ------
    InputError
        The only fault of the reference, the gene lengths or the matrix; InputFaultsError where there are
        several. AnchorsMissingError: too few anchors of the reference are measured.
    """
    named = attempt(lambda: _looked_up(reference))
    lengths = attempt(lambda: open_gene_lengths(gene_lengths, from_positions=lengths_from_positions))
    cohort = attempt(opened)
    raise_faults((*named.faults, *lengths.faults, *cohort.faults))
    harmonised = harmonise(cohort.get(), gene_lengths=lengths.get(), min_genes=min_genes)
    return _measured(harmonised, *named.get())


def auto_choice(found: CohortDistances) -> AutoChoice:
    """Choose a reference as ``auto`` does; fits one where the cohort would be its own."""
    chosen = choose_reference(found.cohort, AUTO_REFERENCE, None, candidates=found.candidates)
    return AutoChoice(
        name=chosen.reference.name,
        why=in_english(chosen.choice.reason, *chosen.choice.advice),
        warnings=tuple(in_english(one) for one in chosen.flags.cohort),
        n_judged=len(found.candidates.survey.judged.sample_ids),
    )


def bins_of(one: ReferenceDistance) -> tuple[DistanceBin, ...]:
    """Count the samples by their distance.

    Returns
    -------
    tuple of DistanceBin
        Bins of 0.1 log2 without a gap. They include the limits and what the reference's own tumours have, and
        add up to the samples that could be placed. The last one has no upper end where samples are far.
    """
    placed, (_, moderate) = one.distance[~np.isnan(one.distance)], one.limits
    own = one.reference.anchor_distance
    nearest = min(own, *placed) if placed.size else own
    farthest = min(max(moderate, own, *placed), max(moderate, own) + FARTHEST_BIN)
    first, last = (int(np.floor(end * BINS_PER_LOG2)) for end in (nearest, farthest))
    edges = np.arange(first, last + 2) / BINS_PER_LOG2
    at = np.clip(np.searchsorted(edges, placed, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(at, minlength=len(edges) - 1)
    highs = [*edges[1:-1], np.inf if (placed >= edges[-1]).any() else edges[-1]]
    return tuple(
        DistanceBin(float(low), float(high), int(n))
        for low, high, n in zip(edges[:-1], highs, counts, strict=True)
    )


def _looked_up(reference: str | Path | Reference) -> tuple[Reference, KnownReference | None]:
    """A reference, and what is known of it if it is found by its name."""
    if isinstance(reference, Reference):
        return reference, None
    require_path("reference", reference, "a name of es.list_references, a folder or a Reference")
    return load_reference(str(reference)), known_at(find_folder(str(reference)))


def _measured(
    cohort: HarmonisedCohort, reference: Reference, known: KnownReference | None
) -> CohortDistances:
    """Place a cohort on a reference and on the others with a name."""
    require_anchors(
        align(cohort.gene_symbols, reference, ()),
        min_anchors=load_design().thresholds.placement.min_anchors,
        cohort=cohort.label or cohort.name,
        reference=reference.name,
    )
    candidates = Candidates.of(cohort)
    named = [(reference, known), *_others(candidates, known)]
    distances = _distances(cohort, [one for one, _ in named])
    found = [
        ReferenceDistance(one, origin, distance, candidates.survey.is_own_type(one))
        for (one, origin), distance in zip(named, distances, strict=True)
    ]
    return CohortDistances(cohort, candidates, found[0], tuple(sorted(found, key=_rank)))


def _rank(one: ReferenceDistance) -> tuple[float, str]:
    """Place among the references: one that no sample could be placed on is last."""
    return (float("inf") if np.isnan(one.median) else one.median, one.name)


def _others(
    candidates: Candidates, shown: KnownReference | None
) -> Iterator[tuple[Reference, KnownReference]]:
    """References with a name that can be read, without the one that is shown."""
    for one in known_references():
        if one != shown and one.name in candidates.reduced:
            yield candidates.reduced[one.name], one


def _distances(cohort: HarmonisedCohort, references: Sequence[Reference]) -> list[FloatArray]:
    """Distances of all samples from each reference; the matrix is read once."""
    limits = load_design().thresholds.placement
    aligned = [align(cohort.gene_symbols, one, ()) for one in references]
    symbols = tuple(dict.fromkeys(symbol for one in aligned for symbol in one.symbols))
    at = {symbol: column for column, symbol in enumerate(symbols)}
    columns = [np.array([at[symbol] for symbol in one.symbols], dtype=np.intp) for one in aligned]
    parts: list[list[FloatArray]] = [[] for _ in references]
    for _, block in iter_blocks(narrowed(cohort.source, symbols)):
        for part, chosen, alignment in zip(parts, columns, aligned, strict=True):
            part.append(place_block(np.take(block, chosen, axis=1), alignment, limits).distance)
    return [np.concatenate(part) for part in parts]
