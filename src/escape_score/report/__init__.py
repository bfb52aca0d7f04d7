"""The report stage: published profiles in, self-contained HTML text out.

Nothing is shown that is not in the JSON of a sample, and nothing is computed in a template.
"""

from escape_score.report.load import iter_profiles, read_profiles, read_statistics
from escape_score.report.render import render_cohort, render_comparison, render_sample, render_summary

__all__ = [
    "iter_profiles",
    "read_profiles",
    "read_statistics",
    "render_cohort",
    "render_comparison",
    "render_sample",
    "render_summary",
]
