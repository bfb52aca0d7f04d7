"""What every format is made from: the tables of a finished result, and the cells of delimited formats."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from escape_score.errors import ResultInvalidError
from escape_score.library.axes import load_axis_catalogue
from escape_score.library.files import resource_path, table_rows
from escape_score.store.manifest import read_result_header, verify
from escape_score.store.tables import FLOAT_FORMAT, safe_cell

INDEX_COLUMN = "immunoresistance_index"
PUBLISHED_PREFIX = "published:"
INDEX_WORDS = (
    "Exploratory index from 0 to 100 against the reference; larger = more resistance; not fitted to response"
)
CALL_TEXTS = {
    "phenotype": ("Phenotype", "T cells in the tumour, as far as RNA shows"),
    "archetype": ("Archetype", "The dominant resistance mechanism"),
    "status": ("Status", "How far levels can be read against the reference"),
}
"""Title and description of the columns of a profile that hold words."""

MISSING = "NA"


def number(value: float) -> str:
    """A number of nine significant digits, as in the tables of a result."""
    return MISSING if math.isnan(value) else FLOAT_FORMAT % value


def text(value: object) -> str:
    """Text in one cell, harmless in a spreadsheet; missing where empty."""
    return safe_cell(str(value)) or MISSING


@dataclass(frozen=True)
class ResultTables:
    """Tables of one cohort.

    Attributes
    ----------
    profiles, scores
        ``profiles.parquet`` and ``scores.parquet`` with sample ids as index; NaN or empty text = not
        evaluable.
    """

    cohort: str
    package_version: str
    profiles: pd.DataFrame = field(repr=False)
    scores: pd.DataFrame = field(repr=False)

    @property
    def sample_ids(self) -> list[str]:
        """Samples in the order of the tables."""
        return [str(sample_id) for sample_id in self.profiles.index]


def read_tables(results: Path) -> ResultTables:
    """Read the tables of a result.

    Raises ResultInvalidError: it does not agree with its manifest.
    """
    header = read_result_header(results)
    faults = verify(results)
    if faults:
        more = f" ({len(faults) - 1} more such files)" if len(faults) > 1 else ""
        raise ResultInvalidError(faults[0] + more)
    profiles, scores = (
        pd.read_parquet(results / f"{name}.parquet").set_index("sample_id") for name in ("profiles", "scores")
    )
    return ResultTables(header.cohort, header.package_version, profiles, scores)


class Entity(NamedTuple):
    """One column of a table, explained."""

    column: str
    title: str
    group: str
    unit: str
    description: str = ""


def index_entity() -> Entity:
    """The immunoresistance index."""
    return Entity(INDEX_COLUMN, "Immunoresistance index", "index", "0-100", INDEX_WORDS)


def axis_entities(tables: ResultTables) -> tuple[Entity, ...]:
    """The axes that the profiles hold, in the order of the catalogue."""
    return tuple(
        Entity(axis.axis, axis.title, axis.group, "reference SD", axis.mechanism)
        for axis in load_axis_catalogue().axes
        if axis.axis in tables.profiles.columns
    )


def called_entities(tables: ResultTables) -> tuple[Entity, ...]:
    """The axes that are called: all but those that only describe the tumour."""
    context = {axis.axis for axis in load_axis_catalogue().axes if axis.is_context}
    return tuple(axis for axis in axis_entities(tables) if axis.column not in context)


def published_entities(tables: ResultTables) -> tuple[Entity, ...]:
    """The published scores that the table of scores holds."""
    rows = table_rows(resource_path("genesets", "published.tsv"))
    return tuple(
        Entity(
            column,
            row["title"],
            "published score",
            row["unit"],
            "{words} ({source}, doi:{doi})".format(**row),
        )
        for row in rows
        if (column := PUBLISHED_PREFIX + row["score_id"]) in tables.scores.columns
    )
