"""Compute published scores from what was collected block by block."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from escape_score.model.method_choice import DEFAULT_MIN_COVERAGE
from escape_score.model.notes import Code, note
from escape_score.score.kernels.values import require_fraction
from escape_score.score.published.cohorts import not_evaluable
from escape_score.score.published.component import score_first_component
from escape_score.score.published.inputs import ScoreInput
from escape_score.score.published.ips import score_ips_class, score_ips_saturated, score_ips_sum
from escape_score.score.published.means import score_exp_mean_log2, score_geometric_mean, score_mean_log2
from escape_score.score.published.model import (
    CollectedExpression,
    Formula,
    Outcome,
    PublishedScore,
    PublishedScores,
    ScoreNeeds,
    SkippedScore,
)
from escape_score.score.published.pairs import score_pair_count
from escape_score.score.published.plan import PublishedPlan
from escape_score.score.published.ranks import score_sample_rank

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


def score_published(
    plan: PublishedPlan,
    collected: Sequence[CollectedExpression],
    *,
    min_coverage: float = DEFAULT_MIN_COVERAGE,
    offers: Collection[ScoreNeeds] = tuple(ScoreNeeds),
) -> PublishedScores:
    """Score published formulas in every sample.

    Parameters
    ----------
    plan
        Scores and where their genes stand.
    collected
        What ``plan.collect`` took from each block, in the order of the samples.
    min_coverage
        Least fraction, in (0, 1], of a score's genes that must be measured in a sample; for the
        immunophenoscore, of the genes of each factor. IMPRES needs all.
    offers
        What this expression is; a score that needs something else is not evaluable in any sample. Arrays
        offer no TPM, counts of a panel neither TPM nor, between genes, an order.

    Returns
    -------
    PublishedScores
        One column a score. Scores of scope ``sample`` are the same numbers, to the last bit, whichever
        samples come with a sample; those of scope ``cohort`` need ``MIN_SAMPLES`` samples and depend on all
        of them. Neither the order of genes nor that of samples changes a number.

    Raises
    ------
    UsageError
        ``min_coverage`` is not in (0, 1].
    """
    require_fraction(min_coverage)
    expression = _joined(plan, collected)
    computed = [score for score in plan.table.scores if score.formula in FORMULAS]
    outcomes = {
        score.score_id: _outcome(_input(plan, score, expression, min_coverage), offers) for score in computed
    }
    shape = (expression.n_samples, len(computed))
    return PublishedScores(
        score_ids=tuple(outcomes),
        values=np.array([outcome.values for outcome in outcomes.values()]).reshape(shape[::-1]).T,
        coverage=np.array([outcome.coverage for outcome in outcomes.values()]).reshape(shape[::-1]).T,
        skipped=tuple(_skipped(plan, outcomes)),
    )


def _outcome(inputs: ScoreInput, offers: Collection[ScoreNeeds]) -> Outcome:
    """Values of one score, if the expression is what it needs."""
    needs = inputs.score.needs
    if needs not in offers:
        return not_evaluable(inputs, note(Code.NOT_SCORED, f"needs_{needs.value}"))
    return FORMULAS[inputs.score.formula](inputs)


def _joined(plan: PublishedPlan, collected: Sequence[CollectedExpression]) -> CollectedExpression:
    """All blocks as one."""
    return CollectedExpression(
        log2_tpm=np.concatenate(
            [np.empty((0, len(plan.gene_symbols))), *(block.log2_tpm for block in collected)]
        ),
        mean=np.concatenate([np.empty(0), *(block.mean for block in collected)]),
        sd=np.concatenate([np.empty(0), *(block.sd for block in collected)]),
        n_measured=np.concatenate([np.empty(0, np.int64), *(block.n_measured for block in collected)]),
    )


def _input(
    plan: PublishedPlan, score: PublishedScore, expression: CollectedExpression, min_coverage: float
) -> ScoreInput:
    """The columns of one score, in the order of its genes."""
    position = {symbol: column for column, symbol in enumerate(plan.gene_symbols)}
    columns = np.array([position[gene.gene_symbol] for gene in score.genes], dtype=np.int64)
    return ScoreInput(score, np.take(expression.log2_tpm, columns, axis=1), expression, min_coverage)


def _skipped(plan: PublishedPlan, outcomes: Mapping[str, Outcome]) -> list[SkippedScore]:
    """Scores that no sample has."""
    skipped = []
    for score in plan.table.scores:
        if score.score_id not in outcomes:
            skipped.append(SkippedScore(score.score_id, note(Code.NOT_SCORED, "gsva")))
        elif np.isnan(outcomes[score.score_id].values).all():
            skipped.append(SkippedScore(score.score_id, outcomes[score.score_id].reason))
    return skipped
