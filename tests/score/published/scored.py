"""Score a table as the pipeline does: plan, collect by blocks, score."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from escape_score.score.published import (
    PublishedPlan,
    PublishedScores,
    PublishedTable,
    ScoreNeeds,
    load_published,
    score_published,
)


def scored(
    log2_tpm: pd.DataFrame,
    *score_ids: str,
    block_size: int = 5,
    min_coverage: float = 0.7,
    offers: Collection[ScoreNeeds] = tuple(ScoreNeeds),
) -> PublishedScores:
    """Published scores of samples × genes."""
    table: PublishedTable = load_published().only(score_ids) if score_ids else load_published()
    plan = PublishedPlan.of(tuple(log2_tpm.columns), table=table)
    values = log2_tpm.to_numpy(float)
    blocks = [plan.collect(values[start : start + block_size]) for start in range(0, len(values), block_size)]
    return score_published(plan, blocks, min_coverage=min_coverage, offers=offers)


def as_table(scores: PublishedScores) -> pd.DataFrame:
    """Values with the names of the scores."""
    return pd.DataFrame(scores.values, columns=scores.score_ids)
