"""The page of a comparison of cohorts."""

from escape_score.report.comparison.view import comparison_view

__all__ = ["comparison_view"]
