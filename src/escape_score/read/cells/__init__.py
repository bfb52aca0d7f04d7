"""Single cells: files, or data in memory, to samples of cells that passed the gates."""

from escape_score.read.cells.cohort import (
    CellCohort,
    cells_from_anndata,
    list_cells,
    open_cells,
    patient_of,
    too_few,
)
from escape_score.read.cells.request import CELL_LIMITS, CellRequest

__all__ = [
    "CELL_LIMITS",
    "CellCohort",
    "CellRequest",
    "cells_from_anndata",
    "list_cells",
    "open_cells",
    "patient_of",
    "too_few",
]
