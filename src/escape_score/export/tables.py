"""What every format is made from: the tables of a finished result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from escape_score.library.axes import load_axis_catalogue
from escape_score.library.files import resource_path, table_rows

if TYPE_CHECKING:
    import pandas as pd

INDEX_COLUMN = "immunoresistance_index"
PUBLISHED_PREFIX = "published:"
INDEX_WORDS = (
    "Exploratory index from 0 to 100 against the reference; larger = more resistance; not fitted to response"
)


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


@dataclass(frozen=True)
class Entity:
    """One column of a table, explained."""

    column: str
    title: str
    group: str
    unit: str
    description: str


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


def published_entities(tables: ResultTables) -> tuple[Entity, ...]:
    """The published scores that the table of scores holds."""
    rows = table_rows(resource_path("genesets", "published.tsv"))
    return tuple(
        Entity(
            column,
            row["title"],
            "published score",
            row["unit"],
            f"{row['words']} ({row['source']}, doi:{row['doi']})",
        )
        for row in rows
        if (column := PUBLISHED_PREFIX + row["score_id"]) in tables.scores.columns
    )
