"""Several results side by side: what is read of each, and the comparison as a folder."""

from escape_score.pipeline.comparing.comparison import Comparison, compare

__all__ = ["Comparison", "compare"]
