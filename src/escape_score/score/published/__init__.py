"""Scores by formulas published under a name: CYT, IFN-γ, Davoli, Roh, chemokines, TLS, IPS, IMPRES."""

from escape_score.score.published.document import published_markdown
from escape_score.score.published.model import (
    CollectedExpression,
    Formula,
    PublishedGene,
    PublishedScore,
    PublishedScores,
    PublishedTable,
    ScoreNeeds,
    SkippedScore,
)
from escape_score.score.published.plan import PublishedPlan
from escape_score.score.published.scoring import score_published
from escape_score.score.published.table import load_published

__all__ = [
    "CollectedExpression",
    "Formula",
    "PublishedGene",
    "PublishedPlan",
    "PublishedScore",
    "PublishedScores",
    "PublishedTable",
    "ScoreNeeds",
    "SkippedScore",
    "load_published",
    "published_markdown",
    "score_published",
]
