"""Which columns of a file of cells say where a cell is from and what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from escape_score.read.cells.matrices import READABLE, CellMatrix, open_matrix
from escape_score.read.cells.request import DEFAULT_CELL_REQUEST
from escape_score.read.checks.single_cells import find_grouping, sample_rank
from escape_score.read.files.probe import probe_path
from escape_score.read.formats import choose_format


@dataclass(frozen=True)
class CellColumns:
    """Columns of obs by their names; empty where none was found."""

    sample: str = ""
    cell_type: str = ""


def find_cell_columns(path: Path) -> CellColumns:
    """Look for the columns of sample and cell type by their names and by how cells share their values.

    Raises InputError: the file cannot be opened.
    """
    name = choose_format(probe_path(path, DEFAULT_CELL_REQUEST.limits)).name
    if name not in READABLE:
        return CellColumns()
    matrix = open_matrix(path, name, DEFAULT_CELL_REQUEST)

    def words_of(column: str) -> Sequence[str]:
        labels = matrix.read_column(column)
        words: list[str] = np.array([*labels.words, ""], dtype=np.str_)[labels.codes].tolist()
        return words

    found = find_grouping(matrix.columns, words_of)
    return CellColumns(_sample_column(matrix), found.type_column)


def _sample_column(matrix: CellMatrix) -> str:
    """The column of several samples whose name says so most; a column with a word for each cell is none."""
    named = sorted(filter(sample_rank, matrix.columns), key=sample_rank)
    for name in named:
        labels = matrix.read_column(name)
        if 1 < len(labels.words) <= len(matrix.cell_ids) // 2 and (labels.codes >= 0).all():
            return name
    return ""
