"""What is quantified from single cells, from ``resources/cells/quantities.tsv``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from escape_score.library.files import resource_path, table_records


class QuantityUnit(StrEnum):
    """Unit of a quantity."""

    FRACTION = "fraction"
    """0 to 1."""
    LOG2_RATIO = "log2_ratio"
    """log2 of the level in these cells over the level in others of the same sample."""
    LOG2_RATE = "log2_rate"
    """log2 of counts in 10,000."""


class QuantityGroup(StrEnum):
    """What a quantity is about."""

    COMPOSITION = "composition"
    PRESENTATION = "presentation"
    MALIGNANT = "malignant"
    T_CELLS = "t_cells"
    MYELOID = "myeloid"


@dataclass(frozen=True)
class QuantityDefinition:
    """One quantity.

    Parameters
    ----------
    axis
        Mechanism that it is evidence for, by the id of the axis; empty where it describes.
    direction
        +1: larger values mean more resistance; −1: smaller ones; 0: it describes and is not called.
    threshold
        Value beyond which, in this direction, a mechanism is seen; None where nothing is called.
    min_cells
        Fewest cells that it is made from.
    cells
        Which cells these are, in words.
    meaning, limits
        One sentence each, for pages.
    source
        Where set and threshold come from.
    """

    quantity: str
    title: str
    group: QuantityGroup
    axis: str
    unit: QuantityUnit
    direction: int
    threshold: float | None
    min_cells: int
    cells: str
    meaning: str
    limits: str
    source: str


@cache
def load_quantities() -> MappingProxyType[str, QuantityDefinition]:
    """All definitions by id, in the order of the table, which is that of pages."""
    rows = table_records(resource_path("cells", "quantities.tsv"), QuantityRow)
    return MappingProxyType({row.quantity: row.definition for row in rows})


@dataclass(frozen=True)
class QuantityRow:
    """A row as the table has it; ``threshold`` may be empty."""

    quantity: str
    title: str
    group: QuantityGroup
    axis: str
    unit: QuantityUnit
    direction: int
    threshold: str
    min_cells: int
    cells: str
    meaning: str
    limits: str
    source: str

    @property
    def definition(self) -> QuantityDefinition:
        """The definition, an empty threshold as None."""
        threshold = float(self.threshold) if self.threshold else None
        return QuantityDefinition(**{**vars(self), "threshold": threshold})
