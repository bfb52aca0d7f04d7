"""Signature scores of a cohort, with the gene values that later stages need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from escape_score.model.cohort import FloatArray, SampleRecord
from escape_score.model.notes import Note, NoteLog
from escape_score.model.units import UnitDecision


@dataclass(frozen=True)
class CohortFacts:
    """What a cohort carries along once its matrix is left behind."""

    name: str
    samples: tuple[SampleRecord, ...] = field(repr=False)
    unit: UnitDecision
    input_sha256: str | None
    n_genes: int
    is_targeted_panel: bool
    matrix_sha256: str | None = None
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Placement:
    """How samples lie on the reference's scale; every array has shape (n_samples,).

    Attributes
    ----------
    offset_log2
        Median over the anchors of sample − reference, log2; NaN where fewer than the needed anchors are
        measured.
    n_anchors
        Anchors measured.
    distance
        Scaled MAD of the anchors around their median after placing, log2.
    is_mhc_locus_unquantified
        Whether the genes of 6p21 are low as a whole, MHC or not, in this sample.
    locus_doubt_log2
        By how much 6p21 may be low in this sample without a gene measured that would show it, log2.
    reads_per_tpm
        Reads behind one TPM of a gene of usual length; NaN where they are not known.
    """

    offset_log2: FloatArray = field(repr=False)
    n_anchors: npt.NDArray[np.int64] = field(repr=False)
    distance: FloatArray = field(repr=False)
    is_mhc_locus_unquantified: npt.NDArray[np.bool_] = field(repr=False)
    locus_doubt_log2: FloatArray = field(repr=False)
    reads_per_tpm: FloatArray = field(repr=False)

    def excess_distance(self, own_distance: float) -> FloatArray:
        """By how much samples lie farther from the reference than its own tumours do, as squares, log2."""
        return np.sqrt(np.maximum(self.distance**2 - own_distance**2, 0.0))


@dataclass(frozen=True)
class GeneValues:
    """Placed values of the genes that make up the axes; arrays have shape (n_samples, n_genes).

    Attributes
    ----------
    log2_tpm
        log2(TPM + 1) on the reference's scale.
    z
        (log2_tpm − location) / spread of the reference, within ±5; NaN where a gene is not measured or, in
        this sample, cannot be trusted.
    """

    gene_symbols: tuple[str, ...] = field(repr=False)
    log2_tpm: FloatArray = field(repr=False)
    z: FloatArray = field(repr=False)

    def columns(self, wanted: Iterable[str]) -> npt.NDArray[np.intp]:
        """Columns of those wanted genes that are there, in their order."""
        members = set(wanted)
        return np.array([i for i, symbol in enumerate(self.gene_symbols) if symbol in members], dtype=np.intp)


@dataclass(frozen=True)
class ReferenceChoice:
    """Why samples are measured against their reference.

    Attributes
    ----------
    reason
        A note of the code ``reference_choice``; its kind is the rule.
    advice
        What would make more evaluable; empty where the reference matches.
    """

    reason: Note
    advice: tuple[Note, ...] = ()


REFERENCE_Z = "reference_z"
"""Name of the axes' own method."""

PUBLISHED = "published"
"""Name of the table of published formulas."""


@dataclass(frozen=True)
class MethodTable:
    """Scores in addition to the axes: those of one method, or published formulas.

    Attributes
    ----------
    name
        The method; ``published`` for published formulas.
    score_ids
        What is scored: signatures or formulas.
    values, coverage
        Shape (n_samples, n_scores): NaN = not evaluable; fraction of the genes measured in the sample.
    skipped
        Scores that no sample has, with the reason.
    """

    name: str
    score_ids: tuple[str, ...] = field(repr=False)
    values: FloatArray = field(repr=False)
    coverage: FloatArray = field(repr=False)
    skipped: tuple[tuple[str, Note], ...] = field(default=(), repr=False)


@dataclass(frozen=True, repr=False)
class SignatureScores:
    """Scores of all signatures in all samples.

    Attributes
    ----------
    values
        Shape (n_samples, n_signatures): mean z of the genes measured; NaN = not evaluable.
    coverage
        Shape (n_samples, n_signatures): fraction of the signature's genes measured in the sample.
    skipped
        Signatures without any score, with the reason.
    beside
        Scores that no axis is made of.
    reference, reference_sha256
        Name and digest of the reference they were made with.
    reference_choice
        Why it was taken; None where a program gave the reference itself.
    """

    facts: CohortFacts
    reference: str
    signature_ids: tuple[str, ...]
    values: FloatArray = field(repr=False)
    coverage: FloatArray = field(repr=False)
    skipped: tuple[tuple[str, Note], ...]
    placement: Placement
    genes: GeneValues
    flags: NoteLog = NoteLog()
    beside: tuple[MethodTable, ...] = ()
    reference_sha256: str = ""
    reference_choice: ReferenceChoice | None = None

    def __repr__(self) -> str:
        size = f"{len(self.facts.samples)} samples × {len(self.signature_ids)} signatures"
        return f"SignatureScores({self.facts.name!r}: {size}, against {self.reference!r})"

    @cached_property
    def sample_ids(self) -> tuple[str, ...]:
        """Sample ids, in order."""
        return tuple(sample.sample_id for sample in self.facts.samples)

    def of(self, signature_id: str) -> FloatArray:
        """Values of one signature, shape (n_samples,)."""
        return self.values[:, self.signature_ids.index(signature_id)]

    def of_rows(self, rows: npt.NDArray[np.intp]) -> SignatureScores:
        """Scores of some samples, in the order of ``rows``, without the additional scores."""
        genes = self.genes
        return replace(
            self,
            facts=replace(self.facts, samples=tuple(self.facts.samples[row] for row in rows)),
            values=self.values[rows],
            coverage=self.coverage[rows],
            placement=Placement(**{name: values[rows] for name, values in vars(self.placement).items()}),
            genes=GeneValues(genes.gene_symbols, genes.log2_tpm[rows], genes.z[rows]),
            beside=(),
        )

    @property
    def published(self) -> MethodTable | None:
        """The published scores, where they were computed."""
        return next((table for table in self.beside if table.name == PUBLISHED), None)

    @property
    def all_names(self) -> list[str]:
        """Names of all scores: the signatures, then the additional scores as ``method:score``."""
        beside = [f"{table.name}:{score_id}" for table in self.beside for score_id in table.score_ids]
        return [*self.signature_ids, *beside]

    @property
    def all_methods(self) -> list[str]:
        """Method of each of ``all_names``."""
        beside = [table.name for table in self.beside for _ in table.score_ids]
        return [REFERENCE_Z] * len(self.signature_ids) + beside

    @property
    def all_values(self) -> FloatArray:
        """Values of ``all_names``, shape (n_samples, n_names)."""
        return np.hstack([self.values, *(table.values for table in self.beside)])

    @property
    def all_coverage(self) -> FloatArray:
        """Coverage of ``all_names``, shape (n_samples, n_names)."""
        return np.hstack([self.coverage, *(table.coverage for table in self.beside)])

    def with_flags(self, more: NoteLog) -> SignatureScores:
        """The same scores with further flags."""
        return replace(self, flags=self.flags.joined(more))
