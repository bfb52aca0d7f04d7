"""Stage ``read``: an expression matrix of any known format, and its sample sheet, to a ``Cohort``."""

from escape_score.read.cohort import count_samples, list_parts, read_cohort, read_requested
from escape_score.read.files.limits import DEFAULT_LIMITS, ReadLimits
from escape_score.read.request import ReadRequest

__all__ = [
    "DEFAULT_LIMITS",
    "ReadLimits",
    "ReadRequest",
    "count_samples",
    "list_parts",
    "read_cohort",
    "read_requested",
]
