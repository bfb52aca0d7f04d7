"""Print ``columns.md``, the data dictionary as a page, from its table: ``make columns``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from escape_score.library.axes import load_axis_catalogue
from escape_score.library.cell_quantities import load_quantities
from escape_score.library.columns import TABLES, UNIT_WORDS, ColumnRow, load_rows

_INTRODUCTION = """\
# Columns

Use this page to look up what a column of a result means. Every folder of results has the same texts in
`columns.json`, with one entry for each column of its own tables: `tables`, then the table, then `columns`
with name, type, unit, values, when a cell is empty, and the meaning. The sheet `columns` of
`escape-score export --format xlsx` has them too. This page is made from `resources/columns.tsv` and the
tables of axes, quantities and gene sets.

An empty cell means *not evaluable* or *not known*, as the column `empty if` says. It never means zero. An
empty number is null in parquet and NaN in h5ad; an empty word is an empty text there.

Words in capitals stand for a name: `AXIS` and `QUANTITY` are in the lists at the end of this page, `SET` is a
gene set of `escape-score genesets list` or your own, `SCORE` is a [published score](published-scores.md).
"""
_AXIS = {
    **{"name": "AXIS", "title": "AXIS", "mechanism": "score of the mechanism.", "adjusted": ""},
    "threshold": "its own number of",
}
_QUANTITY = {
    **{"name": "QUANTITY", "title": "QUANTITY", "cells": "see the list", "axis": "its mechanism"},
    **{"unit": "as in the list", "range": "as in the list", "threshold": "its own value"},
}
_SET = {"name": "SET", "source": "see `escape-score genesets show SET`"}
_SCORE = {
    **{"name": "SCORE", "title": "Published score", "unit": "as in its table", "range": "as in its table"},
    **{"words": "formula", "source": "publication", "doi": "in its table"},
}
_GENERAL: Mapping[str, Mapping[str, str]] = {
    **dict.fromkeys(("axis", "adjusted axis", "called axis", "context axis"), _AXIS),
    **dict.fromkeys(("quantity", "called quantity"), _QUANTITY),
    **dict.fromkeys(("component", "published set", "your set"), _SET),
    "published score": _SCORE,
    "method and set": {"name": "SET", "method": "METHOD"},
    "your column": {"name": "COLUMN"},
}
"""What stands for the names of a family on the page."""
_HEADER = ("column", "for", "unit", "values", "empty if", "meaning")


def columns_markdown() -> str:
    """Describe every column in Markdown, those of families once."""
    parts = [_INTRODUCTION]
    for name, table in TABLES.items():
        rows = [_row(row) for row in load_rows() if row.table == name]
        files = ", ".join(f"`{file}`" for file in table.files)
        parts += [f"## {name}", "", f"{files}: one row for each {table.row}.", "", *_table(_HEADER, rows), ""]
    parts += [
        "`cells.h5ad` has the columns of `cell_labels` in `obs`, and the map in `obsm`, as `X_umap`.",
        "",
    ]
    return "\n".join([*parts, *_axes(), "", *_quantities(), ""])


def _row(row: ColumnRow) -> tuple[str, ...]:
    column = row.filled(_GENERAL.get(row.for_each, {}))
    family = f"each {row.for_each}" if row.for_each in _GENERAL else row.for_each
    unit = column.unit or ("" if column.type == "number" else column.type)
    return f"`{column.column}`", family, unit, column.values, column.empty, column.meaning


def _axes() -> list[str]:
    """The names that AXIS stands for."""
    rows = [
        (
            f"`{axis.axis}`",
            axis.title,
            axis.group,
            axis.adjusted_for or "",
            "no" if axis.is_context else "yes",
        )
        for axis in load_axis_catalogue().axes
    ]
    return ["## AXIS", "", *_table(("axis", "title", "group", "adjusted for", "called"), rows)]


def _quantities() -> list[str]:
    """The names that QUANTITY stands for."""
    rows = [
        (f"`{name}`", one.title, *UNIT_WORDS[one.unit], one.axis, "no" if one.threshold is None else "yes")
        for name, one in load_quantities().items()
    ]
    header = ("quantity", "title", "unit", "values", "axis", "called")
    return ["## QUANTITY", "", *_table(header, rows)]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table; a bar inside a cell is escaped."""
    cells = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]


if __name__ == "__main__":
    print(columns_markdown(), end="")
