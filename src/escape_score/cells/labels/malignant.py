"""Which cells are malignant, by their copy number against the sample's own diploid cells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from escape_score.cells.labels.copy_number import (
    Genome,
    Profile,
    genome_of,
    held_out_signal,
    profile_of,
    projections,
)
from escape_score.cells.labels.expression import Clusters, Expression, Rows, cluster_cells
from escape_score.library.axes import load_design
from escape_score.library.cell_types import LINEAGE_CODE, LINEAGES, Lineage, LineageChoice
from escape_score.model.cells import CODE_OF, LEUKOCYTES, CellSample, Codes, Compartment, is_in
from escape_score.model.cohort import FloatArray
from escape_score.model.notes import Code, Note, note

BoolArray = npt.NDArray[np.bool_]

DIPLOID_TYPES = (
    (Compartment.T, Compartment.NK),
    (Compartment.B,),
    (Compartment.PLASMA,),
    (Compartment.MYELOID,),
    (Compartment.MAST,),
    (Compartment.ENDOTHELIAL,),
)
"""Types of cells that other cells are compared with."""
ASSERTED = (Lineage.EPITHELIAL, Lineage.MELANOCYTIC, Lineage.GLIAL)
"""Lineages a user can say to be malignant. Mesenchymal cells look like fibroblasts: copy number decides."""


@dataclass(frozen=True, eq=False)
class MalignantCells:
    """What copy number shows.

    Parameters
    ----------
    codes
        Shape (n_cells,): compartments, malignant cells among them.
    copy_number
        Shape (n_cells,): 1 at the limit from which a cell is malignant, about 0 for diploid cells; NaN where
        no change of copy number was shown.
    reason
        Why malignant cells were found, or were not.
    """

    codes: Codes = field(repr=False)
    copy_number: FloatArray = field(repr=False)
    reason: Note


@dataclass(frozen=True, eq=False)
class _Evidence:
    """An accepted profile, and how strongly each cell has it."""

    profile: Profile
    strength: FloatArray
    """Shape (n_cells,): 1 is typical of the malignant cells it was made from, 0 of diploid cells."""
    limit: float
    """Strength from which a cell is malignant."""


def find_malignant(
    cells: Expression,
    codes: Codes,
    lineages: Codes,
    *,
    lineage: LineageChoice = LineageChoice.AUTO,
    seed: int = 0,
    clusters: Clusters | None = None,
    with_unassigned: bool = True,
) -> MalignantCells:
    """Find malignant cells among the candidates.

    Parameters
    ----------
    codes
        Shape (n_cells,): compartments. Cells that are malignant already stay so.
    lineages
        Shape (n_cells,): positions in ``LINEAGES``: which tumour a cell can belong to.
    lineage
        Which candidates are looked at. With a lineage that has markers of its own, all its cells are taken as
        malignant where copy number shows nothing: the user asserts it.
    clusters
        Groups of :func:`cluster_cells`, where they are known already.
    with_unassigned
        Whether unassigned cells are candidates too, unless a lineage is named.

    Notes
    -----
    Groups of candidates are compared with leukocytes and endothelial cells. A group shows a change of copy
    number if its signal (:class:`Profile`) is above an absolute limit and above what any type of diploid
    cells shows when the others are its reference. A cell is malignant if it has enough of a shown profile.
    """
    sample = cells.sample
    candidates = _candidates(codes, lineages, lineage, with_unassigned=with_unassigned)
    types = _diploid_types(cells, codes)
    obstacle = _obstacle(sample, codes, candidates, types)
    if obstacle is None:
        genome = genome_of(cells, types)
        obstacle = _few_genes(genome)
    if obstacle is not None:
        return _without_evidence(sample, codes, lineages, lineage, obstacle)
    known = cluster_cells(cells, seed=seed) if clusters is None else clusters
    groups = _groups(codes, lineages, candidates, known)
    if not groups:
        return _without_evidence(sample, codes, lineages, lineage, _few_candidates(candidates))
    shown, best, limit = _shown_profiles(genome, groups, types)
    evidence = [_strengths(genome, one, candidates, types) for one in shown]
    if not any((candidates & (one.strength >= one.limit)).any() for one in evidence):
        seen = note(Code.CELL_LABELS, "not_shown", signal=best, limit=limit, n=int(candidates.sum()))
        return _without_evidence(sample, codes, lineages, lineage, seen)
    return _decided(codes, candidates, evidence)


def _candidates(codes: Codes, lineages: Codes, choice: LineageChoice, *, with_unassigned: bool) -> BoolArray:
    """Cells that can be malignant."""
    is_excluded = is_in(codes, (*LEUKOCYTES, Compartment.ENDOTHELIAL))
    is_malignant = is_in(codes, (Compartment.MALIGNANT,))
    if choice is LineageChoice.ANY:
        return ~is_excluded
    if choice is LineageChoice.AUTO:
        is_unassigned = is_in(codes, (Compartment.UNASSIGNED,))
        is_open = (lineages > 0) | (is_unassigned if with_unassigned else False)
    else:
        is_open = lineages == LINEAGE_CODE[Lineage(choice.value)]
    return np.asarray((is_open & ~is_excluded) | is_malignant)


def _diploid_types(cells: Expression, codes: Codes) -> list[Rows]:
    """Rows of each type of diploid cells that has enough, in the order of their ids."""
    least = load_design().thresholds.copy_number.min_type
    types = [cells.order[is_in(codes[cells.order], one)] for one in DIPLOID_TYPES]
    return [rows for rows in types if len(rows) >= least]


def _obstacle(sample: CellSample, codes: Codes, candidates: BoolArray, types: list[Rows]) -> Note | None:
    """Why copy number cannot be judged."""
    limits = load_design().thresholds.copy_number
    n_diploid = sum(map(len, types))
    if not candidates.any():
        return note(Code.CELL_LABELS, "no_candidates")
    if sample.n_cells < limits.min_cells:
        return note(Code.CELL_LABELS, "few_cells", n=sample.n_cells, least=int(limits.min_cells))
    if n_diploid < limits.min_reference:
        least, least_type = int(limits.min_reference), int(limits.min_type)
        return note(Code.CELL_LABELS, "few_reference", n=n_diploid, least=least, least_type=least_type)
    return _few_candidates(candidates) if candidates.sum() < limits.min_group else None


def _few_genes(genome: Genome) -> Note | None:
    least = int(load_design().thresholds.copy_number.min_genes)
    if genome.n_genes >= least:
        return None
    return note(Code.CELL_LABELS, "few_genes", n=genome.n_genes, least=least)


def _few_candidates(candidates: BoolArray) -> Note:
    least = int(load_design().thresholds.copy_number.min_group)
    return note(Code.CELL_LABELS, "few_candidates", n=int(candidates.sum()), least=least)


def _groups(codes: Codes, lineages: Codes, candidates: BoolArray, clusters: Clusters) -> list[Rows]:
    """Groups of candidates that are tested: labelled as malignant, lineages, clusters, and both crossed."""
    least = load_design().thresholds.copy_number.min_group
    is_malignant = is_in(codes, (Compartment.MALIGNANT,)) & candidates
    kind = np.where(is_malignant, len(LINEAGES), lineages).astype(np.int64)
    pairs = kind * (int(clusters.max(initial=0)) + 1) + clusters
    found = [
        np.flatnonzero(candidates & (groups == one))
        for groups in (kind, clusters, pairs)
        for one in np.unique(groups[candidates])
    ]
    return [rows for rows in found if len(rows) >= least]


Shown = list[tuple[Profile, Rows]]


def _shown_profiles(genome: Genome, groups: list[Rows], types: list[Rows]) -> tuple[Shown, float, float]:
    """Profiles that groups show, the largest signal of any group, and the limit it had to pass.

    A group whose profile is that of a stronger one adds nothing: it is part of it, or has its ambient RNA.
    """
    limits = load_design().thresholds.copy_number
    limit = max(limits.signal_log2, limits.over_held_out * held_out_signal(genome, types))
    tested = [(profile_of(genome, rows), rows) for rows in groups]
    tested.sort(key=lambda one: (-len(one[1]), -one[0].signal_log2))
    shown: Shown = []
    for profile, rows in tested:
        is_new = all(_alike(profile, other) < limits.same_profile for other, _ in shown)
        if is_new and profile.signal_log2 >= limit and profile.agreement >= limits.agreement:
            shown.append((profile, rows))
    return shown, max((one.signal_log2 for one, _ in tested), default=0.0), limit


def _alike(one: Profile, other: Profile) -> float:
    return float(np.corrcoef(one.along, other.along)[0, 1])


def _strengths(
    genome: Genome, shown: tuple[Profile, Rows], candidates: BoolArray, types: list[Rows]
) -> _Evidence:
    """How strongly each cell has a profile, which is made again from the cells that have it."""
    limits = load_design().thresholds.copy_number
    profile, rows = shown
    strength, null = _relative(genome, profile, rows, types)
    for _ in range(int(limits.rounds)):
        having = np.flatnonzero(candidates & (strength >= limits.strength))
        if len(having) < limits.min_group:
            break
        profile = profile_of(genome, having)
        strength, null = _relative(genome, profile, having, types)
    return _Evidence(profile, strength, max(limits.strength, _upper(null)))


def _relative(
    genome: Genome, profile: Profile, rows: Rows, types: list[Rows]
) -> tuple[FloatArray, FloatArray]:
    """Strength of each cell, and that of diploid cells against the other half of their own kind."""
    raw = projections(genome, profile)
    origin = float(np.mean([raw[one].mean() for one in types]))
    unit = float(np.median(raw[rows])) - origin
    unit = unit if unit > 0 else np.inf
    null = np.concatenate([_held_out(raw[one]) for one in types])
    return (raw - origin) / unit, null / unit


def _held_out(raw: FloatArray) -> FloatArray:
    """Every second cell against the mean of the others."""
    return np.concatenate([raw[0::2] - raw[1::2].mean(), raw[1::2] - raw[0::2].mean()])


def _upper(null: FloatArray) -> float:
    """Upper end of what diploid cells reach, by their median and its absolute deviation."""
    spreads = load_design().thresholds.copy_number.null_spreads
    middle = float(np.median(null))
    return middle + spreads * 1.4826 * float(np.median(np.abs(null - middle)))


def _decided(codes: Codes, candidates: BoolArray, evidence: Iterable[_Evidence]) -> MalignantCells:
    """Malignant are candidates above the limit; candidates shortly below it are unassigned."""
    doubtful = load_design().thresholds.copy_number.doubtful
    shown = tuple(evidence)
    copy_number = np.max([one.strength / one.limit for one in shown], axis=0)
    was_malignant = is_in(codes, (Compartment.MALIGNANT,))
    found = codes.copy()
    is_open = candidates & ~was_malignant
    found[is_open & (copy_number >= doubtful)] = CODE_OF[Compartment.UNASSIGNED]
    found[is_open & (copy_number >= 1)] = CODE_OF[Compartment.MALIGNANT]
    n_malignant, n_labelled = int(is_in(found, (Compartment.MALIGNANT,)).sum()), int(was_malignant.sum())
    signal = max(one.profile.signal_log2 for one in shown)
    partly = "labelled_shown" if n_labelled == n_malignant else "labelled"
    reason = note(
        Code.CELL_LABELS,
        partly if n_labelled else "shown",
        n=n_malignant,
        n_labelled=n_labelled,
        signal=signal,
        n_doubtful=int((is_open & (copy_number >= doubtful) & (copy_number < 1)).sum()),
    )
    return MalignantCells(found, copy_number, reason)


def _without_evidence(
    sample: CellSample, codes: Codes, lineages: Codes, choice: LineageChoice, reason: Note
) -> MalignantCells:
    """No change of copy number was shown: labels and the user's assertion decide."""
    nothing = np.full(sample.n_cells, np.nan)
    why = note(Code.CELL_LABELS, "not_confirmed") if reason.kind == "not_shown" else reason
    n_labelled = int(is_in(codes, (Compartment.MALIGNANT,)).sum())
    if n_labelled:
        kept = note(Code.CELL_LABELS, "labelled_only", n=n_labelled, reason=why)
        return MalignantCells(codes, nothing, kept)
    asserted = [one for one in ASSERTED if one.value == choice.value]
    if not asserted:
        return MalignantCells(codes, nothing, reason)
    found = codes.copy()
    found[lineages == LINEAGE_CODE[asserted[0]]] = CODE_OF[Compartment.MALIGNANT]
    n_found = int(is_in(found, (Compartment.MALIGNANT,)).sum())
    said = note(Code.CELL_LABELS, "asserted", n=n_found, lineage=choice.value, reason=why)
    return MalignantCells(found, nothing, said if n_found else reason)
