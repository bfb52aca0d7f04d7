"""GCT 1.3, as GenePattern, Morpheus and cmapPy read it: scores in rows, samples in columns.

The format: a line ``#1.3``; numbers of rows, columns, row fields and column fields; a header; one line for
every column field; one line for every row (Broad Institute, Connectivity Map, "GCT 1.3").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from escape_score.export.cells import MISSING, number, text
from escape_score.export.tables import Entity, ResultTables, axis_entities, index_entity
from escape_score.store.tsv import quoted

if TYPE_CHECKING:
    import pandas as pd

COLUMN_FIELDS = ("cohort", "status", "phenotype", "archetype", "flags", "reference")
ROW_FIELDS = ("title", "group", "unit")


@dataclass(frozen=True)
class GctRow:
    """One row: id, fields in the order of :data:`ROW_FIELDS`, and where its values stand."""

    row_id: str
    fields: tuple[str, ...]


def gct_files(tables: ResultTables) -> dict[str, str]:
    """Write profiles and scores as GCT 1.3.

    Parameters
    ----------
    tables
        Of one cohort.

    Returns
    -------
    dict of str to str
        ``profiles.gct``: index, axes, their unadjusted twins and the leukocyte fraction; ``scores.gct``:
        every score. NA = not evaluable.
    """
    profile_rows = [
        row for entity in (index_entity(), *axis_entities(tables)) for row in _rows(tables, entity)
    ]
    profile_rows.append(GctRow("leukocyte_fraction", ("Leukocyte fraction", "infiltrate", "fraction")))
    score_rows = [_score_row(str(column)) for column in tables.scores.columns]
    return {
        "profiles.gct": _gct(tables, tables.profiles, profile_rows),
        "scores.gct": _gct(tables, tables.scores, score_rows),
    }


def _rows(tables: ResultTables, entity: Entity) -> list[GctRow]:
    """An axis and its unadjusted twin."""
    rows = [GctRow(entity.column, (entity.title, entity.group, entity.unit))]
    if f"{entity.column}_raw" in tables.profiles.columns:
        title = f"{entity.title}, unadjusted"
        rows.append(GctRow(f"{entity.column}_raw", (title, entity.group, entity.unit)))
    return rows


def _score_row(column: str) -> GctRow:
    """A score; methods other than the mean z stand before a colon."""
    method, _, name = column.rpartition(":")
    return GctRow(column, (name, method or "mean z", "score"))


def _gct(tables: ResultTables, values: pd.DataFrame, rows: Sequence[GctRow]) -> str:
    header = ["id", *ROW_FIELDS, *(quoted(text(sample_id)) for sample_id in tables.sample_ids)]
    filler = [MISSING] * len(ROW_FIELDS)
    fields = [
        [name, *filler, *(quoted(text(value)) for value in tables.profiles[name])] for name in COLUMN_FIELDS
    ]
    body = (
        [
            quoted(text(row.row_id)),
            *(quoted(text(value)) for value in row.fields),
            *(number(value) for value in values[row.row_id]),
        ]
        for row in rows
    )
    dimensions = [str(n) for n in (len(rows), len(tables.sample_ids), len(ROW_FIELDS), len(COLUMN_FIELDS))]
    return "".join("\t".join(line) + "\n" for line in (["#1.3"], dimensions, header, *fields, *body))
