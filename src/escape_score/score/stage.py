"""The score stage, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from escape_score.model.axes import Design
from escape_score.model.cohort import FloatArray, HarmonisedCohort, iter_blocks, narrowed
from escape_score.model.notes import Code, Note, NoteLog, note
from escape_score.model.reference import Reference
from escape_score.model.scores import CohortFacts, GeneValues, MethodTable, Placement, SignatureScores
from escape_score.model.signature import Signature
from escape_score.model.thresholds import Thresholds
from escape_score.score.mhc_locus import is_mhc_locus_unquantified, mhc_locus_doubt
from escape_score.score.placement import Alignment, align, place_block, require_anchors
from escape_score.score.reference_z import Membership, build_membership, score_reference_z


@dataclass(frozen=True)
class ScoringPlan:
    """What stays the same over all blocks of a cohort.

    Attributes
    ----------
    kept
        Positions, among the aligned genes, of those whose values later stages need.
    locus_genes
        Positions of the MHC genes of 6p21, not to be trusted where the locus is under-quantified.
    """

    alignment: Alignment
    membership: Membership
    kept: npt.NDArray[np.intp] = field(repr=False)
    locus_genes: npt.NDArray[np.intp] = field(repr=False)
    control_genes: tuple[str, ...]
    thresholds: Thresholds


class Beside(Protocol):
    """What else is scored from the same blocks."""

    def score_block(self, log2_tpm: FloatArray) -> Any:  # noqa: ANN401
        """What ``join`` needs of a block over all genes of the cohort."""

    def join(self, parts: Sequence[Any]) -> tuple[MethodTable, ...]:
        """Tables over all samples."""


class ScoredBlock(NamedTuple):
    """Scores and placement of some samples."""

    values: FloatArray
    coverage: FloatArray
    gene_log2_tpm: FloatArray
    gene_z: FloatArray
    offset_log2: FloatArray
    n_anchors: npt.NDArray[np.int64]
    distance: FloatArray
    is_locus_low: npt.NDArray[np.bool_]
    locus_doubt_log2: FloatArray


def score_block(log2_tpm: FloatArray, plan: ScoringPlan) -> ScoredBlock:
    """Place and score one block of samples; no sample sees another."""
    placed = place_block(log2_tpm, plan.alignment, plan.thresholds.placement)
    low = is_mhc_locus_unquantified(
        placed.log2_tpm, plan.alignment, plan.control_genes, plan.thresholds.locus
    )
    z = placed.z
    z[np.ix_(low, plan.locus_genes)] = np.nan
    values, coverage = score_reference_z(z, plan.membership)
    return ScoredBlock(
        values,
        coverage,
        placed.log2_tpm[:, plan.kept],
        z[:, plan.kept],
        placed.offset_log2,
        placed.n_anchors,
        placed.distance,
        low,
        mhc_locus_doubt(placed.log2_tpm, plan.alignment, plan.control_genes, plan.thresholds.locus),
    )


def score_signatures(
    cohort: HarmonisedCohort,
    signatures: Sequence[Signature],
    reference: Reference,
    *,
    design: Design,
    beside: Sequence[Beside] = (),
) -> SignatureScores:
    """Score signatures in every sample of a cohort against a reference.

    Parameters
    ----------
    cohort
        log2(TPM + 1) of shape (n_samples, n_genes).
    signatures
        Sets of approved symbols, ids unique.
    reference
        Gives anchors, locations and spreads.
    design
        Fixed numbers of the method, and the genes whose placed values later stages need.
    beside
        What else to score from the same blocks.

    Returns
    -------
    SignatureScores
        Mean z in reference spreads; NaN and coverage where a signature is not evaluable. Every sample is
        scored by itself.

    Raises
    ------
    AnchorsMissingError
        The cohort shares fewer than ``min_anchors`` anchors with the reference.
    """
    needed = {symbol for signature in signatures for symbol in signature.gene_symbols}
    needed |= {*design.kept_genes, *design.locus_genes, *design.control_genes}
    thresholds = design.thresholds
    alignment = align(cohort.gene_symbols, reference, needed)
    require_anchors(
        alignment,
        min_anchors=thresholds.placement.min_anchors,
        cohort=cohort.label or cohort.name,
        reference=reference.name,
    )
    plan = ScoringPlan(
        alignment=alignment,
        membership=build_membership(signatures, alignment, thresholds.coverage),
        kept=alignment.positions(sorted(design.kept_genes)),
        locus_genes=alignment.positions(design.locus_genes),
        control_genes=design.control_genes,
        thresholds=thresholds,
    )
    scored, tables = _score_blocks(cohort, plan, beside)
    return replace(_assemble(cohort, signatures, reference, plan, scored), beside=tables)


def _score_blocks(
    cohort: HarmonisedCohort, plan: ScoringPlan, beside: Sequence[Beside]
) -> tuple[ScoredBlock, tuple[MethodTable, ...]]:
    """Go through the samples once, for the axes and all additional scores."""
    symbols, n_samples = plan.alignment.symbols, len(cohort.sample_ids)
    if not beside:
        few = iter_blocks(narrowed(cohort.source, symbols))
        return _joined(((start, score_block(block, plan)) for start, block in few), n_samples), ()
    at = {symbol: column for column, symbol in enumerate(cohort.gene_symbols)}
    columns = np.array([at[symbol] for symbol in symbols], dtype=np.intp)
    parts: list[list[Any]] = []

    def scored() -> Iterator[tuple[int, ScoredBlock]]:
        for start, block in iter_blocks(cohort.source):
            parts.append([other.score_block(block) for other in beside])
            yield start, score_block(np.take(block, columns, axis=1), plan)

    joined = _joined(scored(), n_samples)
    tables = [other.join([part[i] for part in parts]) for i, other in enumerate(beside)]
    return joined, tuple(table for of_one in tables for table in of_one)


def _joined(blocks: Iterator[tuple[int, ScoredBlock]], n_samples: int) -> ScoredBlock:
    """All samples as one block, filled block by block, so that the scores are never held twice."""
    _, first = next(blocks)
    whole = ScoredBlock(*(np.empty((n_samples, *part.shape[1:]), part.dtype) for part in first))
    for start, block in chain([(0, first)], blocks):
        for column, part in zip(whole, block, strict=True):
            column[start : start + len(part)] = part
    return whole


def _assemble(
    cohort: HarmonisedCohort,
    signatures: Sequence[Signature],
    reference: Reference,
    plan: ScoringPlan,
    joined: ScoredBlock,
) -> SignatureScores:
    """Put together what the stage gives."""
    unknown = np.full(len(cohort.sample_ids), np.nan)
    placement = Placement(
        offset_log2=joined.offset_log2,
        n_anchors=joined.n_anchors,
        distance=joined.distance,
        is_mhc_locus_unquantified=joined.is_locus_low,
        locus_doubt_log2=joined.locus_doubt_log2,
        reads_per_tpm=unknown if cohort.reads_per_tpm is None else cohort.reads_per_tpm,
    )
    return SignatureScores(
        facts=CohortFacts(
            name=cohort.name,
            samples=cohort.samples,
            unit=cohort.unit,
            input_sha256=cohort.input_sha256,
            matrix_sha256=cohort.matrix_sha256,
            n_genes=len(cohort.gene_symbols),
            is_targeted_panel=cohort.is_targeted_panel,
            parameters=cohort.parameters,
        ),
        reference=reference.name,
        reference_sha256=reference.sha256,
        signature_ids=tuple(signature.signature_id for signature in signatures),
        values=joined.values,
        coverage=joined.coverage,
        skipped=_skipped(signatures, joined.values, plan),
        placement=placement,
        genes=GeneValues(
            gene_symbols=tuple(plan.alignment.symbols[i] for i in plan.kept),
            log2_tpm=joined.gene_log2_tpm,
            z=joined.gene_z,
        ),
        flags=cohort.flags.joined(_locus_flags(cohort.sample_ids, placement)),
    )


def _skipped(
    signatures: Sequence[Signature], values: FloatArray, plan: ScoringPlan
) -> tuple[tuple[str, Note], ...]:
    """Signatures that no sample could be scored for, with the reason."""
    found = np.diff(plan.membership.matrix.indptr)
    return tuple(
        (
            signature.signature_id,
            note(
                Code.NOT_SCORED,
                "genes",
                n=int(found[i]),
                n_all=len(signature.gene_symbols),
                n_needed=int(plan.membership.n_needed[i]),
            ),
        )
        for i, signature in enumerate(signatures)
        if np.isnan(values[:, i]).all()
    )


def _locus_flags(sample_ids: Sequence[str], placement: Placement) -> NoteLog:
    """Flag the samples whose MHC locus is under-quantified."""
    found = note(Code.MHC_LOCUS_UNQUANTIFIED)
    low = placement.is_mhc_locus_unquantified
    return NoteLog(by_sample=tuple((s, found) for s, is_low in zip(sample_ids, low, strict=True) if is_low))
