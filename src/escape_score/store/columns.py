"""``columns.json``: the meaning of every column of every table of a result, in the folder of the result."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from escape_score.library.columns import TABLES, describe
from escape_score.store.atomic import write_text

COLUMNS = "columns.json"
COLUMNS_VERSION = "1.0"


def write_columns(folder: Path, tables: Mapping[str, Iterable[object]]) -> None:
    """Write the dictionary of a result.

    Parameters
    ----------
    tables
        The columns that each table has: names of :data:`~escape_score.library.columns.TABLES`.
    """
    named = {table: [str(name) for name in names] for table, names in tables.items()}
    write_text(folder / COLUMNS, columns_text(named))


def columns_text(tables: Mapping[str, Sequence[str]]) -> str:
    """Describe the columns of some tables as JSON: ``tables`` → table → ``files``, ``row``, ``columns``.

    Each column has name, type, unit, values (range or allowed words), empty (when a cell is empty), meaning.
    """
    said = {
        table: {
            "files": TABLES[table].files,
            "row": f"one {TABLES[table].row}",
            "columns": [asdict(column) for column in describe(table, names)],
        }
        for table, names in tables.items()
    }
    content = {"columns_version": COLUMNS_VERSION, "tables": said}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
