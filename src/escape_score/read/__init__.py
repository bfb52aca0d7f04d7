"""Stage ``read``: an expression matrix of any known format, and its sample sheet, to a ``Cohort``."""

from escape_score.read.cohort import count_samples, read_cohort
from escape_score.read.files.limits import DEFAULT_LIMITS, ReadLimits

__all__ = ["DEFAULT_LIMITS", "ReadLimits", "count_samples", "read_cohort"]
