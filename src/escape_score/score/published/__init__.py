"""Scores by formulas published under a name: CYT, IFN-γ, Davoli, Roh, chemokines, TLS, IPS, IMPRES."""

from escape_score.score.published.model import (
    Formula,
    PublishedScores,
    PublishedTable,
    ScoreNeeds,
    load_published,
)
from escape_score.score.published.scoring import PublishedPlan, score_published

__all__ = [
    "Formula",
    "PublishedPlan",
    "PublishedScores",
    "PublishedTable",
    "ScoreNeeds",
    "load_published",
    "score_published",
]
