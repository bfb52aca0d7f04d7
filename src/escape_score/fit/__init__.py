"""Fitting references: the shipped one plainly on many tumours, a laboratory's robustly on few."""

from escape_score.fit.joined import distinct_samples, join_cohorts, with_rows
from escape_score.fit.stage import ReferenceLabel, fit_reference, require_samples

__all__ = [
    "ReferenceLabel",
    "distinct_samples",
    "fit_reference",
    "join_cohorts",
    "require_samples",
    "with_rows",
]
