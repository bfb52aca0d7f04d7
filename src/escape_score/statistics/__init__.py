"""What the labels of a sample sheet say about a cohort's scores: groups, response and survival.

Labels never enter a score; these statistics describe one cohort and are fitted to nothing.
"""

from escape_score.statistics.columns import CohortColumns, ColumnCollector
from escape_score.statistics.compute import compute_statistics

__all__ = ["CohortColumns", "ColumnCollector", "compute_statistics"]
