"""Units of expression values, and how a matrix got the one it is read in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from escape_score.model.notes import Note

LARGEST_PANEL = 2_500
"""A matrix of at most so many genes is a targeted panel; its scale is not known from its sum."""


class ExpressionUnit(StrEnum):
    """Units a matrix can be declared in; ``AUTO`` asks for a decision by evidence."""

    AUTO = "auto"
    COUNTS = "counts"
    ESTIMATED_COUNTS = "estimated_counts"
    NORMALISED_COUNTS = "normalised_counts"
    UMI = "umi"
    TPM = "tpm"
    FPKM = "fpkm"
    CPM = "cpm"
    TCGA_RSEM = "tcga_rsem"
    LOG2_PLUS_1 = "log2(x+1)"
    LOG2_PLUS_0001 = "log2(x+0.001)"
    LN_PLUS_1 = "ln(x+1)"
    LOG2_CPM_PLUS_1 = "log2(cpm+1)"
    LOG2_TCGA_RSEM_PLUS_1 = "log2(tcga_rsem+1)"
    ARRAY = "array"
    NANOSTRING = "nanostring"

    @property
    def is_log(self) -> bool:
        """Whether values are logarithms."""
        return self.value.startswith(("log", "ln"))

    @property
    def is_platform(self) -> bool:
        """Whether values are signals of a platform that counts no reads; they are never rescaled."""
        return self in (ExpressionUnit.ARRAY, ExpressionUnit.NANOSTRING)

    @property
    def is_per_gene(self) -> bool:
        """Whether values grow with the length of a gene, so that they are divided by it."""
        return self in _PER_GENE

    @property
    def is_tcga_rsem(self) -> bool:
        """Whether values are upper-quartile RSEM of The Cancer Genome Atlas."""
        return self in (ExpressionUnit.TCGA_RSEM, ExpressionUnit.LOG2_TCGA_RSEM_PLUS_1)

    @property
    def are_reads(self) -> bool:
        """Whether the sum of a sample is its number of reads."""
        return self in (ExpressionUnit.COUNTS, ExpressionUnit.ESTIMATED_COUNTS)

    @property
    def form(self) -> ExpressionUnit:
        """How values are written: as the logarithm they are undone by, or as they are."""
        is_plus_1 = self in (ExpressionUnit.LOG2_CPM_PLUS_1, ExpressionUnit.LOG2_TCGA_RSEM_PLUS_1)
        return ExpressionUnit.LOG2_PLUS_1 if is_plus_1 else self


_PER_GENE = frozenset(
    {
        ExpressionUnit.COUNTS,
        ExpressionUnit.ESTIMATED_COUNTS,
        ExpressionUnit.NORMALISED_COUNTS,
        ExpressionUnit.CPM,
        ExpressionUnit.LOG2_CPM_PLUS_1,
        ExpressionUnit.TCGA_RSEM,
        ExpressionUnit.LOG2_TCGA_RSEM_PLUS_1,
    }
)


class Strand(StrEnum):
    """Strandedness of a library, by which a column of STAR's gene counts is chosen."""

    AUTO = "auto"
    UNSTRANDED = "unstranded"
    FORWARD = "forward"
    REVERSE = "reverse"


@dataclass(frozen=True)
class UnitDecision:
    """The unit a matrix is read in, never ``AUTO``; whether the user named it, and the figures for it."""

    unit: ExpressionUnit
    is_declared: bool
    evidence: Note
