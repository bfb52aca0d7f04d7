"""The immunophenoscore: its four classes, their sum, and the saturated 0–10."""

from __future__ import annotations

import numpy as np

from escape_score.model.cohort import FloatArray
from escape_score.model.notes import Code, note
from escape_score.score.kernels.values import CONSTANT_SD
from escape_score.score.published.inputs import ScoreInput, columns_of, measured_mean
from escape_score.score.published.model import MIN_GENES, Outcome

SATURATED_AT = 3.0
POINTS = 10.0


def score_ips_class(inputs: ScoreInput) -> Outcome:
    """Mean of the weighted factors of one class.

    A factor is the mean z of its measured genes; every factor needs its share of genes, as all count alike.

    References
    ----------
    .. [1] Charoentong et al. 2017, Cell Rep 18:248, doi:10.1016/j.celrep.2016.12.019
    """
    return _outcome(inputs, _class_value(inputs, inputs.score.part))


def score_ips_sum(inputs: ScoreInput) -> Outcome:
    """Sum of the four classes."""
    return _outcome(inputs, _sum(inputs))


def score_ips_saturated(inputs: ScoreInput) -> Outcome:
    """The sum on 0–10: 10/3 of it, half to even, 0 below 0 and 10 from 3 on."""
    points = np.rint(_sum(inputs) * POINTS / SATURATED_AT)
    # Adding 0 makes 0 of −0, which would be written with its sign.
    return _outcome(inputs, np.clip(points, 0.0, POINTS) + 0.0)


def _sum(inputs: ScoreInput) -> FloatArray:
    """Sum of all classes, in the order of the genes."""
    classes = dict.fromkeys(gene.part for gene in inputs.genes)
    total: FloatArray = np.sum([_class_value(inputs, part) for part in classes], axis=0)
    return total


def _class_value(inputs: ScoreInput, part: str) -> FloatArray:
    """Mean of the weighted factors of a class; NaN where one factor has too few genes."""
    factors = {gene.role: gene.weight for gene in inputs.genes if gene.part == part}
    weighted = [weight * _factor(inputs, part, role) for role, weight in factors.items()]
    mean: FloatArray = np.ascontiguousarray(np.transpose(weighted)).mean(axis=1)
    return mean


def _factor(inputs: ScoreInput, part: str, role: str) -> FloatArray:
    """Mean z of a factor's measured genes; NaN where too few are."""
    values = np.take(inputs.log2_tpm, columns_of(inputs.genes, part=part, role=role), axis=1)
    spread = inputs.expression
    sd = np.where(spread.sd >= CONSTANT_SD, spread.sd, np.nan)
    z = (values - spread.mean[:, None]) / sd[:, None]
    is_covered = np.isfinite(values).mean(axis=1) >= inputs.min_coverage
    return np.where(is_covered, measured_mean(z), np.nan)


def _outcome(inputs: ScoreInput, values: FloatArray) -> Outcome:
    """Values of samples with enough genes for a z."""
    n_measured = inputs.expression.n_measured
    most = int(n_measured.max(initial=0))
    if most < MIN_GENES:
        reason = note(Code.NOT_SCORED, "all_genes", n=most, least=MIN_GENES)
    else:
        reason = note(Code.NOT_SCORED, "factor", limit=inputs.min_coverage)
    return Outcome(np.where(n_measured >= MIN_GENES, values, np.nan), inputs.coverage, reason)
