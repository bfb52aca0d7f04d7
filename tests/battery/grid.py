"""A table of text cells that cases change before it is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
from tests.battery.case import Inputs, Make
from tests.battery.clean import Clean


@dataclass
class Grid:
    """Header and rows of a matrix as text, genes first."""

    header: list[str]
    rows: list[list[str]]

    @classmethod
    def of(cls, table: pd.DataFrame) -> Grid:
        """Cells in the shortest notation that reads back as the same number."""
        cells = [[repr(value) for value in row] for row in table.to_numpy().tolist()]
        rows = [[str(gene), *row] for gene, row in zip(table.index, cells, strict=True)]
        return cls(["gene", *(str(name) for name in table.columns)], rows)

    @classmethod
    def of_clean(cls, clean: Clean) -> Grid:
        """The clean matrix, to be changed."""
        made = _grid_of_clean(clean)
        return cls(list(made.header), [list(row) for row in made.rows])

    def row(self, gene: str) -> list[str]:
        """The row of a gene, to be changed in place."""
        return next(row for row in self.rows if row[0] == gene)

    def put(self, gene: str, sample: str, cell: str) -> None:
        """Write one cell."""
        self.row(gene)[self.header.index(sample)] = cell

    def put_all(self, genes: Sequence[str], sample: str, cell: str) -> None:
        """Write one cell into the rows of several genes."""
        wanted, column = set(genes), self.header.index(sample)
        for row in self.rows:
            if row[0] in wanted:
                row[column] = cell

    def text(self, delimiter: str = "\t", end: str = "\n") -> str:
        """The table, a line end after the last line included."""
        return "".join(delimiter.join(cells) + end for cells in [self.header, *self.rows])


@cache
def _grid_of_clean(clean: Clean) -> Grid:
    return Grid.of(clean.tpm)


Edit = Callable[[Grid], None]
"""Changes a table in place."""


def edited(edit: Edit, *, name: str = "m.tsv", delimiter: str = "\t", options: tuple[str, ...] = ()) -> Make:
    """Make the clean matrix as text, changed."""

    def make(folder: Path, clean: Clean) -> Inputs:
        grid = Grid.of_clean(clean)
        edit(grid)
        return Inputs(write(folder / name, grid.text(delimiter)), options=options)

    return make


def rewritten(rewrite: Callable[[str], str | bytes], *, name: str = "m.tsv", delimiter: str = "\t") -> Make:
    """Make the clean matrix as text, and change the whole of it."""

    def make(folder: Path, clean: Clean) -> Inputs:
        return Inputs(write(folder / name, rewrite(_grid_of_clean(clean).text(delimiter))))

    return make


def from_table(
    change: Callable[[pd.DataFrame], pd.DataFrame], *, options: tuple[str, ...] = (), name: str = "m.tsv"
) -> Make:
    """Make a matrix whose numbers or names are changed as a table."""

    def make(folder: Path, clean: Clean) -> Inputs:
        return Inputs(write(folder / name, Grid.of(change(clean.tpm.copy())).text()), options=options)

    return make


def write(path: Path, content: str | bytes) -> Path:
    """Write a file as it is given, line ends and all."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def write_clean(folder: Path, clean: Clean, name: str = "m.tsv") -> Path:
    """Write the clean matrix as TSV."""
    return write(folder / name, _grid_of_clean(clean).text())
