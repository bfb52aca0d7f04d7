"""Units of expression values, and how a matrix got the one it is read in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from escape_score.model.notes import Note


class ExpressionUnit(StrEnum):
    """Units a matrix can be declared in; ``AUTO`` asks for a decision by evidence."""

    AUTO = "auto"
    COUNTS = "counts"
    TPM = "tpm"
    FPKM = "fpkm"
    LOG2_PLUS_1 = "log2(x+1)"
    LOG2_PLUS_0001 = "log2(x+0.001)"
    LN_PLUS_1 = "ln(x+1)"
    ARRAY = "array"
    NANOSTRING = "nanostring"

    @property
    def is_log(self) -> bool:
        """Whether values are logarithms."""
        return self in (ExpressionUnit.LOG2_PLUS_1, ExpressionUnit.LOG2_PLUS_0001, ExpressionUnit.LN_PLUS_1)

    @property
    def is_platform(self) -> bool:
        """Whether values are signals of a platform that counts no reads; they are never rescaled."""
        return self in (ExpressionUnit.ARRAY, ExpressionUnit.NANOSTRING)


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
