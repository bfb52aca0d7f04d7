"""Published scores of a cohort: what they need of each block of a matrix, then their numbers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from escape_score.errors import MatrixInvalidError
from escape_score.model.cohort import ROWS_AT_ONCE, FloatArray, HarmonisedCohort
from escape_score.model.method_choice import DEFAULT_MIN_COVERAGE
from escape_score.model.notes import Code, note
from escape_score.model.scores import PUBLISHED, MethodTable
from escape_score.score.kernels.values import require_fraction
from escape_score.score.published.formulas import FORMULAS, ScoreInput
from escape_score.score.published.model import (
    CollectedExpression,
    Outcome,
    PublishedScores,
    PublishedTable,
    ScoreNeeds,
    SkippedScore,
    load_published,
)

MIN_GENES_OF_SD = 2

MIN_GENES_TPM = 8_000
"""Fewest measured genes of a transcriptome whose sum is known; panels have up to 3,000 genes."""


@dataclass(frozen=True)
class PublishedPlan:
    """Where the genes of published scores are in a matrix.

    Attributes
    ----------
    gene_symbols
        Genes of any of them, sorted: the columns of what is collected, whichever matrix it comes from.
    columns
        Shape (n_needed,): column of the matrix of each, −1 for genes that it does not hold.
    n_genes
        Columns of the matrix.
    order
        Columns in the order of their symbols; None where they are in it.
    """

    table: PublishedTable
    gene_symbols: tuple[str, ...] = field(repr=False)
    columns: npt.NDArray[np.int64] = field(repr=False)
    n_genes: int
    order: npt.NDArray[np.intp] | None = field(repr=False, default=None)

    @classmethod
    def of(cls, gene_symbols: Sequence[str], *, table: PublishedTable | None = None) -> PublishedPlan:
        """Lay scores, all shipped ones if None, over the genes of a matrix, whose symbols are unique."""
        chosen = load_published() if table is None else table
        column_of = {symbol: column for column, symbol in enumerate(gene_symbols)}
        needed = sorted({gene.gene_symbol for score in chosen.scores for gene in score.genes})
        columns = np.array([column_of.get(symbol, -1) for symbol in needed], dtype=np.int64)
        in_order = sorted(range(len(gene_symbols)), key=gene_symbols.__getitem__)
        is_sorted = in_order == list(range(len(gene_symbols)))
        order = None if is_sorted else np.array(in_order, dtype=np.intp)
        return cls(chosen, tuple(needed), columns, len(gene_symbols), order)

    def collect(self, log2_tpm: FloatArray) -> CollectedExpression:
        """Take what the scores need from a block of log2(TPM + 1), shape (n_samples, n_genes).

        Raises
        ------
        MatrixInvalidError
            The block has another number of genes than the plan was made for, or a value is infinite.
        """
        if log2_tpm.ndim != 2 or log2_tpm.shape[1] != self.n_genes:  # noqa: PLR2004
            shape = log2_tpm.shape
            msg = f"matrix: block of shape {shape}, but the plan has {self.n_genes} genes; use one matrix"
            raise MatrixInvalidError(msg)
        if np.isinf(log2_tpm).any():
            msg = "matrix: a value is infinite; give log2(TPM + 1), with NaN for what was not measured"
            raise MatrixInvalidError(msg)
        is_held = self.columns >= 0
        taken = np.full((len(log2_tpm), len(self.columns)), np.nan)
        taken[:, is_held] = np.take(log2_tpm, self.columns[is_held], axis=1)
        # added in the order of symbols, so that the order of columns does not change the last bit
        in_order = log2_tpm if self.order is None else np.take(log2_tpm, self.order, axis=1)
        mean, sd, n_measured = _spread(in_order)
        return CollectedExpression(log2_tpm=taken, mean=mean, sd=sd, n_measured=n_measured)


def _spread(log2_tpm: FloatArray) -> tuple[FloatArray, FloatArray, npt.NDArray[np.int64]]:
    """Mean, standard deviation and number of measured genes of each sample."""
    values = np.ascontiguousarray(log2_tpm)
    n_measured = np.isfinite(values).sum(axis=1).astype(np.int64)
    mean, sd = np.full((2, len(values)), np.nan)
    for start in range(0, len(values), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        mean[rows], sd[rows] = _moments(values[rows], n_measured[rows])
    return mean, sd, n_measured


def _moments(values: FloatArray, n_measured: npt.NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of rows that are laid out one after the other; NaN below two genes."""
    n = np.where(n_measured >= MIN_GENES_OF_SD, n_measured, 2)
    is_measured = None if (n_measured == values.shape[1]).all() else np.isfinite(values)
    present = values if is_measured is None else np.where(is_measured, values, 0.0)
    mean = present.sum(axis=1) / n
    away = present - mean[:, None]
    if is_measured is not None:
        away[~is_measured] = 0.0
    sd = np.sqrt(np.square(away, out=away).sum(axis=1) / (n - 1))
    is_enough = n_measured >= MIN_GENES_OF_SD
    return np.where(is_enough, mean, np.nan), np.where(is_enough, sd, np.nan)


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
    outcomes = {}
    for score in computed:
        columns = [plan.gene_symbols.index(gene.gene_symbol) for gene in score.genes]
        values = np.take(expression.log2_tpm, columns, axis=1)
        inputs = ScoreInput(score, values, expression, min_coverage)
        outcomes[score.score_id] = (
            FORMULAS[score.formula](inputs)
            if score.needs in offers
            else inputs.not_evaluable(note(Code.NOT_SCORED, f"needs_{score.needs.value}"))
        )
    shape = (len(expression.log2_tpm), len(computed))
    return PublishedScores(
        score_ids=tuple(outcomes),
        values=np.array([outcome.values for outcome in outcomes.values()]).reshape(shape[::-1]).T,
        coverage=np.array([outcome.coverage for outcome in outcomes.values()]).reshape(shape[::-1]).T,
        skipped=tuple(_skipped(outcomes)),
    )


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


def _skipped(outcomes: Mapping[str, Outcome]) -> list[SkippedScore]:
    """Scores that no sample has."""
    return [
        SkippedScore(score_id, outcome.reason)
        for score_id, outcome in outcomes.items()
        if np.isnan(outcome.values).all()
    ]


@dataclass(frozen=True)
class PublishedBeside:
    """Published scores laid over the genes of one cohort; ``offers`` is what its expression is."""

    plan: PublishedPlan
    min_coverage: float
    offers: tuple[ScoreNeeds, ...]

    def score_block(self, log2_tpm: FloatArray) -> CollectedExpression:
        """Take what the scores need from a block."""
        return self.plan.collect(log2_tpm)

    def join(self, parts: Sequence[CollectedExpression]) -> tuple[MethodTable, ...]:
        """One table of all published scores."""
        scores = score_published(self.plan, parts, min_coverage=self.min_coverage, offers=self.offers)
        skipped = tuple((score.score_id, score.reason) for score in scores.skipped)
        values = np.where(self._lacks_tpm(scores.score_ids, parts), np.nan, scores.values)
        return (MethodTable(PUBLISHED, scores.score_ids, values, scores.coverage, skipped),)

    def _lacks_tpm(
        self, score_ids: Sequence[str], parts: Sequence[CollectedExpression]
    ) -> npt.NDArray[np.bool_]:
        """Scores that need TPM, in samples of which no whole transcriptome is measured.

        Their values were brought to a million over what is measured. The limit is a number of genes, since a
        fraction of the rows would depend on what a sample was joined with.
        """
        n_measured = np.concatenate([np.empty(0, np.int64), *(part.n_measured for part in parts)])
        needs_tpm = [self.plan.table.score(score_id).needs is ScoreNeeds.TPM for score_id in score_ids]
        return np.asarray((n_measured < MIN_GENES_TPM)[:, None] & np.array(needs_tpm))


def offers_of(cohort: HarmonisedCohort) -> tuple[ScoreNeeds, ...]:
    """What the expression of a cohort is.

    Signals of arrays and NanoString compare samples, not genes; a panel is never rescaled, so that its values
    are no TPM, but they do order the genes of a sample.
    """
    needs = [ScoreNeeds.LOG_SCALE, ScoreNeeds.SAMPLE_ORDER]
    if not cohort.unit.unit.is_platform:
        needs += [ScoreNeeds.GENE_ORDER, *([] if cohort.is_targeted_panel else [ScoreNeeds.TPM])]
    return tuple(needs)
