"""The score stage: a harmonised cohort to signature scores against a reference."""

from escape_score.score.stage import Beside, score_signatures

__all__ = ["Beside", "score_signatures"]
