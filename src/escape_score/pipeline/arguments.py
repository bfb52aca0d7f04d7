"""Cohorts and results as arguments: anything else is refused in one line, with what makes them."""

from __future__ import annotations

from escape_score.errors import UsageError
from escape_score.model.cohort import Cohort


def require_cohort(argument: str, value: object) -> None:
    """Refuse a value that is not a cohort as ``es.read`` returns it; UsageError."""
    if not isinstance(value, Cohort):
        kind = type(value).__name__
        what = f"is of type {kind}; read it with es.read, es.from_anndata or es.from_dataframe"
        raise UsageError.at(argument, what)


def require_result(argument: str, value: object) -> None:
    """Refuse a value without profiles; UsageError."""
    if not all(hasattr(value, name) for name in ("maker", "profiles", "scores")):
        what = f"is of type {type(value).__name__}; give what es.profile or es.profile_cells returns"
        raise UsageError.at(argument, what)
