"""Published scores beside the axes of a cohort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from escape_score.model.cohort import FloatArray, HarmonisedCohort
from escape_score.model.scores import PUBLISHED, MethodTable
from escape_score.score.published.model import CollectedExpression, ScoreNeeds
from escape_score.score.published.plan import PublishedPlan
from escape_score.score.published.scoring import score_published


@dataclass(frozen=True)
class PublishedBeside:
    """Published scores laid over the genes of one cohort.

    Attributes
    ----------
    min_coverage
        Least fraction, in (0, 1], of a score's genes that must be measured.
    offers
        What the cohort's expression is.
    """

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
        return (MethodTable(PUBLISHED, scores.score_ids, scores.values, scores.coverage, skipped),)


def offers_of(cohort: HarmonisedCohort) -> tuple[ScoreNeeds, ...]:
    """What the expression of a cohort is.

    Signals of arrays and NanoString compare samples, not genes; a panel is never rescaled, so that its values
    are no TPM, but they do order the genes of a sample.
    """
    needs = [ScoreNeeds.LOG_SCALE, ScoreNeeds.SAMPLE_ORDER]
    if not cohort.unit.unit.is_platform:
        needs += [ScoreNeeds.GENE_ORDER, *([] if cohort.is_targeted_panel else [ScoreNeeds.TPM])]
    return tuple(needs)
