"""Formulas of published scores, from the expression of each score's genes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from escape_score.model.cohort import FloatArray
from escape_score.model.notes import Code, Note, note
from escape_score.score.kernels.values import CONSTANT_SD
from escape_score.score.published.model import (
    MIN_GENES,
    MIN_SAMPLES,
    CollectedExpression,
    Formula,
    Outcome,
    PublishedGene,
    PublishedScore,
)

MIN_DIRECTION = 1e-6
"""Least sum of loadings, of length 1, that shows which end of the first component is high."""
IPS_SATURATED_AT = 3.0
IPS_POINTS = 10.0


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

    @property
    def is_covered(self) -> npt.NDArray[np.bool_]:
        """Samples with enough genes measured."""
        return np.asarray(self.coverage >= self.min_coverage)

    def outcome(self, values: FloatArray) -> Outcome:
        """Values where enough genes are measured."""
        return Outcome(np.where(self.is_covered, values, np.nan), self.coverage, self._low_coverage)

    def not_evaluable(self, reason: Note) -> Outcome:
        """No score in any sample."""
        return Outcome(np.full(len(self.log2_tpm), np.nan), self.coverage, reason)

    def too_few_samples(self) -> Outcome | None:
        """No score where fewer than ``MIN_SAMPLES`` samples have enough genes to be compared."""
        n = int(self.is_covered.sum())
        if n >= MIN_SAMPLES:
            return None
        if not n and len(self.log2_tpm):
            return self.not_evaluable(self._low_coverage)
        return self.not_evaluable(note(Code.NOT_SCORED, "samples", n=n, least=MIN_SAMPLES))

    @property
    def _low_coverage(self) -> Note:
        most = int(np.isfinite(self.log2_tpm).sum(axis=1).max(initial=0))
        return note(Code.NOT_SCORED, "coverage", n=most, n_all=len(self.genes), limit=self.min_coverage)


def measured_mean(values: FloatArray) -> FloatArray:
    """Mean of each row over what is not NaN; NaN where all is.

    A row is summed along contiguous memory, so that its mean does not depend on the rows next to it.
    """
    values = np.ascontiguousarray(values)
    is_measured = np.isfinite(values)
    n = is_measured.sum(axis=1)
    total = np.where(is_measured, values, 0.0).sum(axis=1)
    mean: FloatArray = np.divide(total, n, out=np.full(len(values), np.nan), where=n > 0)
    return mean


def score_mean_log2(inputs: ScoreInput) -> Outcome:
    """Mean of log2(TPM + 1) over the measured genes."""
    return inputs.outcome(measured_mean(inputs.log2_tpm))


def score_geometric_mean(inputs: ScoreInput) -> Outcome:
    """Geometric mean of TPM plus the score's offset over the measured genes, in TPM with the offset in it."""
    # expm1 is exact to the last digits near 0
    tpm = np.expm1(inputs.log2_tpm * np.log(2.0))
    return inputs.outcome(np.exp(measured_mean(np.log(tpm + inputs.score.offset))))


def score_exp_mean_log2(inputs: ScoreInput) -> Outcome:
    """Euler's number to the mean of log2(TPM + 1): easier's "geometric mean", kept to match its numbers."""
    return inputs.outcome(np.exp(measured_mean(inputs.log2_tpm)))


def score_pair_count(inputs: ScoreInput) -> Outcome:
    """IMPRES: number of pairs whose first gene is expressed strictly above the second.

    All pairs must be measured, whatever coverage is asked for: a count over fewer pairs is on another scale
    (Auslander et al. 2018, Nat Med 24:1545, doi:10.1038/s41591-018-0157-9).
    """
    greater, lesser = (
        inputs.log2_tpm[:, [i for i, gene in enumerate(inputs.genes) if gene.role == role]]
        for role in ("greater", "lesser")
    )
    is_measured = np.isfinite(greater) & np.isfinite(lesser)
    count = (greater > lesser).sum(axis=1).astype(np.float64)
    most = int(is_measured.sum(axis=1).max(initial=0))
    reason = note(Code.NOT_SCORED, "pairs", n=most, n_all=greater.shape[1])
    return Outcome(np.where(is_measured.all(axis=1), count, np.nan), is_measured.mean(axis=1), reason)


def score_sample_rank(inputs: ScoreInput) -> Outcome:
    """Mean over genes of (rank − 1) / (n − 1) among the n samples that have the gene measured.

    Ties have their mean rank. Only samples with enough genes are ranked (Davoli et al. 2017, Science
    355:eaaf8399, doi:10.1126/science.aaf8399).
    """
    if (none := inputs.too_few_samples()) is not None:
        return none
    is_covered = inputs.is_covered
    covered = inputs.log2_tpm[is_covered]
    ranks = pd.DataFrame(covered).rank(axis=0).to_numpy(dtype=np.float64)
    n = np.isfinite(covered).sum(axis=0)
    values = np.full(len(is_covered), np.nan)
    values[is_covered] = measured_mean((ranks - 1.0) / np.where(n > 1, n - 1.0, np.nan))
    return inputs.outcome(values)


def score_first_component(inputs: ScoreInput) -> Outcome:
    """First principal component of the genes, scaled across samples, rising with their mean.

    Samples with too few genes are left out, then genes that are not measured in all the others or do not vary
    there; coverage is the fraction of genes that enter (Messina et al. 2012, Sci Rep 2:765,
    doi:10.1038/srep00765).
    """
    if (none := inputs.too_few_samples()) is not None:
        return none
    is_covered = inputs.is_covered
    covered = inputs.log2_tpm[is_covered]
    is_complete = np.isfinite(covered).all(axis=0)
    sd = np.where(is_complete, covered, 0.0).std(axis=0, ddof=1)
    used = covered[:, is_complete & (sd >= CONSTANT_SD)]
    n_used, n_genes = used.shape[1], len(inputs.genes)
    if n_used / n_genes < inputs.min_coverage:
        return inputs.not_evaluable(note(Code.NOT_SCORED, "varying", n=n_used, n_all=n_genes))
    scores = first_component(used)
    if scores is None:
        return inputs.not_evaluable(note(Code.NOT_SCORED, "component"))
    values = np.full(len(is_covered), np.nan)
    values[is_covered] = scores
    coverage = np.where(is_covered, n_used / n_genes, inputs.coverage)
    return Outcome(values, coverage, note(Code.NOT_SCORED, "coverage"))


def first_component(log2_tpm: FloatArray) -> FloatArray | None:
    """Positions of samples on the first component of scaled genes; None where its sign is not clear.

    Parameters
    ----------
    log2_tpm
        Shape (n_samples, n_genes), no NaN, every gene varies.

    Notes
    -----
    Sums run over samples in the order of their values, and each sample is projected alone, so that the order
    of samples does not change the last bit. The covariance of the component and the mean of the scaled genes
    is its eigenvalue times the mean loading: the sum of loadings has the sign of their correlation.
    """
    ordered = log2_tpm[np.lexsort(log2_tpm.T[::-1])]
    mean, sd = ordered.mean(axis=0), ordered.std(axis=0, ddof=1)
    scaled = (ordered - mean) / sd
    loadings = np.linalg.eigh(scaled.T @ scaled / (len(scaled) - 1))[1][:, -1]
    total = float(loadings.sum())
    if abs(total) < MIN_DIRECTION:
        return None
    own = (log2_tpm - mean) / sd * (loadings * np.sign(total))
    scores: FloatArray = np.ascontiguousarray(own).sum(axis=1)
    return scores


def score_ips_class(inputs: ScoreInput) -> Outcome:
    """One class of the immunophenoscore: mean of its weighted factors.

    A factor is the mean z of its measured genes; every factor needs its share of genes, as all count alike
    (Charoentong et al. 2017, Cell Rep 18:248, doi:10.1016/j.celrep.2016.12.019).
    """
    return _ips_outcome(inputs, _ips_class(inputs, inputs.score.part))


def score_ips_sum(inputs: ScoreInput) -> Outcome:
    """Sum of the four classes."""
    return _ips_outcome(inputs, _ips_sum(inputs))


def score_ips_saturated(inputs: ScoreInput) -> Outcome:
    """The sum on 0–10: 10/3 of it, half to even, 0 below 0 and 10 from 3 on."""
    points = np.rint(_ips_sum(inputs) * IPS_POINTS / IPS_SATURATED_AT)
    # Adding 0 makes 0 of −0, which would be written with its sign.
    return _ips_outcome(inputs, np.clip(points, 0.0, IPS_POINTS) + 0.0)


def _ips_sum(inputs: ScoreInput) -> FloatArray:
    """Sum of all classes, in the order of the genes."""
    classes = dict.fromkeys(gene.part for gene in inputs.genes)
    total: FloatArray = np.sum([_ips_class(inputs, part) for part in classes], axis=0)
    return total


def _ips_class(inputs: ScoreInput, part: str) -> FloatArray:
    """Mean of the weighted factors of a class; NaN where one factor has too few genes."""
    factors = {gene.role: gene.weight for gene in inputs.genes if gene.part == part}
    weighted = [weight * _ips_factor(inputs, part, role) for role, weight in factors.items()]
    mean: FloatArray = np.ascontiguousarray(np.transpose(weighted)).mean(axis=1)
    return mean


def _ips_factor(inputs: ScoreInput, part: str, role: str) -> FloatArray:
    """Mean z of a factor's measured genes; NaN where too few are."""
    columns = [i for i, gene in enumerate(inputs.genes) if (gene.part, gene.role) == (part, role)]
    values, spread = np.take(inputs.log2_tpm, columns, axis=1), inputs.expression
    sd = np.where(spread.sd >= CONSTANT_SD, spread.sd, np.nan)
    z = (values - spread.mean[:, None]) / sd[:, None]
    is_covered = np.isfinite(values).mean(axis=1) >= inputs.min_coverage
    return np.where(is_covered, measured_mean(z), np.nan)


def _ips_outcome(inputs: ScoreInput, values: FloatArray) -> Outcome:
    """Values of samples with enough genes for a z."""
    n_measured = inputs.expression.n_measured
    most = int(n_measured.max(initial=0))
    if most < MIN_GENES:
        reason = note(Code.NOT_SCORED, "all_genes", n=most, least=MIN_GENES)
    else:
        reason = note(Code.NOT_SCORED, "factor", limit=inputs.min_coverage)
    return Outcome(np.where(n_measured >= MIN_GENES, values, np.nan), inputs.coverage, reason)


FORMULAS: Mapping[Formula, Callable[[ScoreInput], Outcome]] = MappingProxyType(
    {
        Formula.MEAN_LOG2: score_mean_log2,
        Formula.GEOMETRIC_MEAN: score_geometric_mean,
        Formula.EXP_MEAN_LOG2: score_exp_mean_log2,
        Formula.SAMPLE_RANK: score_sample_rank,
        Formula.FIRST_COMPONENT: score_first_component,
        Formula.IPS_CLASS: score_ips_class,
        Formula.IPS_SUM: score_ips_sum,
        Formula.IPS_SATURATED: score_ips_saturated,
        Formula.PAIR_COUNT: score_pair_count,
    }
)
"""All formulas but GSVA, which needs the whole matrix."""
