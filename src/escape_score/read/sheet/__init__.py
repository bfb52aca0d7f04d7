"""Sample sheets: what is known of each sample besides its expression."""

from escape_score.read.sheet.cells import response_of
from escape_score.read.sheet.sheet import (
    SampleSheet,
    join_sheet,
    open_sheet,
    read_sample_sheet,
    require_named,
)

__all__ = ["SampleSheet", "join_sheet", "open_sheet", "read_sample_sheet", "require_named", "response_of"]
