"""Signature scores of a cohort, with the gene values that later stages need."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from escape_score.model.cohort import FloatArray, SampleRecord
from escape_score.model.flags import FlagLog
from escape_score.model.units import UnitDecision


@dataclass(frozen=True)
class CohortFacts:
    """What a cohort carries along once its matrix is left behind."""

    name: str
    samples: tuple[SampleRecord, ...]
    unit: UnitDecision
    input_sha256: str
    n_genes: int
    is_targeted_panel: bool
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
    """

    offset_log2: FloatArray = field(repr=False)
    n_anchors: npt.NDArray[np.int64] = field(repr=False)
    distance: FloatArray = field(repr=False)
    is_mhc_locus_unquantified: npt.NDArray[np.bool_] = field(repr=False)


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

    gene_symbols: tuple[str, ...]
    log2_tpm: FloatArray = field(repr=False)
    z: FloatArray = field(repr=False)


@dataclass(frozen=True)
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
    reference, reference_sha256
        Name and digest of the reference they were made with.
    """

    facts: CohortFacts
    reference: str
    signature_ids: tuple[str, ...]
    values: FloatArray = field(repr=False)
    coverage: FloatArray = field(repr=False)
    skipped: tuple[tuple[str, str], ...]
    placement: Placement
    genes: GeneValues
    flags: FlagLog = FlagLog()
    reference_sha256: str = ""

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Sample ids, in order."""
        return tuple(sample.sample_id for sample in self.facts.samples)

    def with_flags(self, more: FlagLog) -> SignatureScores:
        """The same scores with further flags."""
        return replace(self, flags=self.flags.joined(more))
