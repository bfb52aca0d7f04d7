"""What every formula is given, and the means over measured genes that several of them take."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from escape_score.model.cohort import FloatArray
from escape_score.model.notes import Code, Note, note
from escape_score.score.published.model import CollectedExpression, Outcome, PublishedGene, PublishedScore


@dataclass(frozen=True)
class ScoreInput:
    """Expression of one score's genes.

    Attributes
    ----------
    log2_tpm
        Shape (n_samples, n_genes), C order, in the order of ``score.genes``; NaN = not measured.
    expression
        The collected expression it is taken from, for the spread of all genes.
    min_coverage
        Least fraction, in (0, 1], of genes measured.
    """

    score: PublishedScore
    log2_tpm: FloatArray = field(repr=False)
    expression: CollectedExpression = field(repr=False)
    min_coverage: float

    @property
    def genes(self) -> tuple[PublishedGene, ...]:
        """Genes, in the order of the columns."""
        return self.score.genes

    @property
    def coverage(self) -> FloatArray:
        """Fraction of the genes measured in each sample."""
        fraction: FloatArray = np.isfinite(self.log2_tpm).mean(axis=1)
        return fraction

    def outcome(self, values: FloatArray) -> Outcome:
        """Values where enough genes are measured."""
        coverage = self.coverage
        return Outcome(np.where(coverage >= self.min_coverage, values, np.nan), coverage, self.low_coverage)

    @property
    def low_coverage(self) -> Note:
        """Too few measured genes."""
        most = int(np.isfinite(self.log2_tpm).sum(axis=1).max(initial=0))
        return note(Code.NOT_SCORED, "coverage", n=most, n_all=len(self.genes), limit=self.min_coverage)


def measured_mean(values: FloatArray) -> FloatArray:
    """Mean of each row over what is not NaN; NaN where all is.

    A row is summed along contiguous memory, so that its mean does not depend on the rows beside it.
    """
    values = np.ascontiguousarray(values)
    is_measured = np.isfinite(values)
    n = is_measured.sum(axis=1)
    total = np.where(is_measured, values, 0.0).sum(axis=1)
    mean: FloatArray = np.divide(total, n, out=np.full(len(values), np.nan), where=n > 0)
    return mean


def columns_of(genes: tuple[PublishedGene, ...], *, part: str, role: str) -> npt.NDArray[np.int64]:
    """Positions of the genes with a part and a role."""
    return np.array(
        [i for i, gene in enumerate(genes) if (gene.part, gene.role) == (part, role)], dtype=np.int64
    )
