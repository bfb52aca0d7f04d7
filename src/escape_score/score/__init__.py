"""The score stage: a harmonised cohort to signature scores against a reference."""

from escape_score.score.stage import score_signatures

__all__ = ["score_signatures"]
