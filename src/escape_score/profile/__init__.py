"""The profile stage: signature scores to immunoresistance profiles."""

from escape_score.profile.context import ProfileContext, build_context
from escape_score.profile.records import RecordMaker
from escape_score.profile.stage import profile_cohort, profile_scored

__all__ = ["ProfileContext", "RecordMaker", "build_context", "profile_cohort", "profile_scored"]
