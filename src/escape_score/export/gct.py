"""GCT 1.3, as GenePattern, Morpheus and cmapPy read it: scores in rows, samples in columns.

The format: a line ``#1.3``; numbers of rows, columns, row fields and column fields; a header; one line for
every column field; one line for every row (Broad Institute, Connectivity Map, "GCT 1.3").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from escape_score.export.tables import (
    MISSING,
    Entity,
    ResultTables,
    axis_entities,
    index_entity,
    number,
    text,
)
from escape_score.store.tables import quoted

if TYPE_CHECKING:
    import pandas as pd

COLUMN_FIELDS = ("cohort", "status", "phenotype", "archetype", "flags", "reference")
ROW_FIELDS = ("title", "group", "unit")


def gct_files(tables: ResultTables) -> dict[str, str]:
    """Write profiles and scores as GCT 1.3.

    ``profiles.gct``: index, axes, also unadjusted, and the leukocyte fraction; ``scores.gct``: every score.
    NA = not evaluable.
    """
    profile_rows = [
        row for entity in (index_entity(), *axis_entities(tables)) for row in _rows(tables, entity)
    ]
    profile_rows.append(Entity("leukocyte_fraction", "Leukocyte fraction", "infiltrate", "fraction"))
    score_rows = [_score_row(str(column)) for column in tables.scores.columns]
    return {
        "profiles.gct": _gct(tables, tables.profiles, profile_rows),
        "scores.gct": _gct(tables, tables.scores, score_rows),
    }


def _rows(tables: ResultTables, entity: Entity) -> list[Entity]:
    """An axis, and the same unadjusted."""
    raw = entity._replace(column=f"{entity.column}_raw", title=f"{entity.title}, unadjusted")
    return [entity, raw] if raw.column in tables.profiles.columns else [entity]


def _score_row(column: str) -> Entity:
    """A score; methods other than the mean z are before a colon."""
    method, _, name = column.rpartition(":")
    return Entity(column, name, method or "mean z", "score")


def _gct(tables: ResultTables, values: pd.DataFrame, rows: Sequence[Entity]) -> str:
    header = ["id", *ROW_FIELDS, *map(_cell, tables.sample_ids)]
    filler = [MISSING] * len(ROW_FIELDS)
    fields = [[name, *filler, *map(_cell, tables.profiles[name])] for name in COLUMN_FIELDS]
    body = (
        [*map(_cell, (row.column, row.title, row.group, row.unit)), *map(number, values[row.column])]
        for row in rows
    )
    dimensions = [str(n) for n in (len(rows), len(tables.sample_ids), len(ROW_FIELDS), len(COLUMN_FIELDS))]
    return "".join("\t".join(line) + "\n" for line in (["#1.3"], dimensions, header, *fields, *body))


def _cell(value: object) -> str:
    return quoted(text(value))
