"""The data dictionary: what every column of every table of a result means.

Texts are in ``resources/columns.tsv``. A row that is for each axis, quantity or gene set is filled in from
the table of these, so that a new axis is described as soon as it is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from math import inf
from types import MappingProxyType

from escape_score.errors import ResourceInvalidError
from escape_score.library.axes import load_axis_catalogue, load_design
from escape_score.library.cell_quantities import QuantityGroup, QuantityUnit, load_quantities
from escape_score.library.files import resource_path, table_records, table_rows
from escape_score.library.gene_sets import load_signatures
from escape_score.model.axes import Axis
from escape_score.model.cells import Compartment
from escape_score.model.cohort import CELL_LINE, NORMAL, TUMOUR
from escape_score.model.method_choice import MethodName
from escape_score.model.record import Archetype, Call, Phenotype, ReferenceMatch, Status
from escape_score.model.units import ExpressionUnit

Fields = Mapping[str, str]
"""What a row of the dictionary is filled in with, by name."""

YOUR_SET, YOUR_COLUMN, METHOD_AND_SET = "your set", "your column", "method and set"
"""Families without a list: their names are those of the user."""
UNIT_WORDS = MappingProxyType(
    {
        QuantityUnit.FRACTION: ("fraction", "0 to 1"),
        QuantityUnit.LOG2_RATIO: ("log2 ratio", ""),
        QuantityUnit.LOG2_RATE: ("log2 of counts in 10,000", ""),
    }
)
"""Unit and range of quantities of single cells, in words."""


@dataclass(frozen=True)
class Table:
    """A table of a result: the files that hold it, relative to the folder, and what one row is."""

    files: tuple[str, ...]
    row: str


TABLES: Mapping[str, Table] = MappingProxyType(
    {
        "profiles": Table(("profiles.tsv", "profiles.parquet"), "sample"),
        "scores": Table(("scores.tsv", "scores.parquet"), "sample"),
        "qc": Table(("qc.tsv",), "sample"),
        "cells": Table(("cells.tsv", "cells.parquet"), "patient and quantity"),
        "compartments": Table(("compartments.tsv",), "sample and compartment"),
        "cell_labels": Table(("cell_labels.parquet",), "cell"),
        "scores.h5ad: obs": Table(("scores.h5ad",), "sample"),
        "scores.h5ad: var": Table(("scores.h5ad",), "score"),
        "pseudobulk.h5ad: obs": Table(("pseudobulk.h5ad",), "sample and compartment"),
        "comparison": Table(("comparison.tsv",), "effect, pooled or of one cohort"),
    }
)
"""All tables by name, in the order of the documentation; only single cells and comparisons have the last."""


@dataclass(frozen=True)
class Column:
    """One column.

    Parameters
    ----------
    type
        ``number``, ``text`` or ``true or false``.
    unit, values
        Unit of numbers, and the range or the words allowed; empty where there are none.
    empty
        When a cell is empty.
    """

    column: str
    type: str
    unit: str
    values: str
    empty: str
    meaning: str


@dataclass(frozen=True)
class ColumnRow(Column):
    """A row of ``resources/columns.tsv``; ``for_each`` is a family, or empty for a single column."""

    table: str
    for_each: str

    def filled(self, fields: Fields) -> Column:
        """The column that the row describes, with the names and words of one member of its family."""
        texts = {name: text for name, text in asdict(self).items() if name not in {"table", "for_each"}}
        return Column(**{name: text.format_map({**_words(), **fields}) for name, text in texts.items()})


@cache
def load_rows() -> tuple[ColumnRow, ...]:
    """All rows of the dictionary, in their order."""
    return table_records(resource_path("columns.tsv"), ColumnRow)


@cache
def columns_of(table: str) -> Mapping[str, Column]:
    """All columns that a table can have, by name, but for those that are named by the user."""
    rows = [row for row in load_rows() if row.table == table and row.for_each not in _FREE]
    families = [(family, list(_members(family))) for family in dict.fromkeys(row.for_each for row in rows)]
    members = dict(families)
    found = (row.filled(fields) for row in rows for fields in members[row.for_each])
    return MappingProxyType({column.column: column for column in found})


_FREE = frozenset({YOUR_SET, YOUR_COLUMN, METHOD_AND_SET})


def describe(table: str, names: Sequence[str]) -> tuple[Column, ...]:
    """Describe the columns that a table has, in its order.

    Raises ResourceInvalidError: one is not in the dictionary, which is a fault of this package.
    """
    known = columns_of(table)
    return tuple(known.get(name) or _of_user(table, name) for name in names)


def _of_user(table: str, name: str) -> Column:
    """A column whose name is the user's, or made of a method and a set."""
    method, colon, scored = name.partition(":")
    is_method = bool(colon) and method in set(MethodName)
    wanted = {METHOD_AND_SET} if is_method else {YOUR_SET, YOUR_COLUMN}
    fields = {"name": scored, "method": method} if is_method else {"name": name}
    for row in load_rows():
        if row.table == table and row.for_each in wanted:
            return row.filled(fields)
    msg = f"resources/columns.tsv: column {name} of table {table} is not described; add a row"
    raise ResourceInvalidError(msg)


@cache
def _words() -> Fields:
    """Words that columns may hold, from the lists that the program takes them from."""
    lists: Mapping[str, Sequence[str]] = {
        "archetypes": tuple(Archetype),
        "phenotypes": tuple(Phenotype),
        "statuses": tuple(Status),
        "calls": tuple(Call),
        "matches": tuple(ReferenceMatch),
        "units": tuple(unit for unit in ExpressionUnit if unit is not ExpressionUnit.AUTO),
        "methods": tuple(MethodName),
        "compartments": tuple(Compartment),
        "quantities": tuple(load_quantities()),
        "quantity_groups": tuple(QuantityGroup),
        "quantity_units": tuple(QuantityUnit),
        "sample_types": (TUMOUR, NORMAL, CELL_LINE),
        "decisive": load_axis_catalogue().decisive,
    }
    return {name: ", ".join(words) for name, words in lists.items()}


def _members(family: str) -> Iterator[Fields]:
    """Names and words of all members of a family; a single column is a family of its own."""
    axes, library = load_axis_catalogue().axes, load_signatures()
    match family:
        case "axis":
            yield from map(_axis_fields, axes)
        case "adjusted axis":
            yield from (_axis_fields(axis) for axis in axes if axis.raw_terms)
        case "called axis":
            yield from (_axis_fields(axis) for axis in axes if not axis.is_context)
        case "context axis":
            yield from (_axis_fields(axis) for axis in axes if axis.is_context)
        case "quantity" | "called quantity":
            yield from _quantity_fields(is_called=family == "called quantity")
        case "component":
            scored = [library.record(one.signature_id) for one in load_design().signatures]
            yield from ({"name": one.signature_id, "source": one.source} for one in scored)
        case "published set":
            published = [library.record(one.signature_id) for one in library.published]
            yield from ({"name": one.signature_id, "source": one.source} for one in published)
        case "published score":
            yield from map(_published_fields, table_rows(resource_path("genesets", "published.tsv")))
        case _:
            yield {}


def _axis_fields(axis: Axis) -> Fields:
    adjusted = f" Adjusted for {axis.adjusted_for}." if axis.adjusted_for else ""
    return {
        **{"name": axis.axis, "title": axis.title, "mechanism": axis.mechanism, "adjusted": adjusted},
        "threshold": f"{axis.threshold:g}",
    }


def _quantity_fields(*, is_called: bool) -> Iterator[Fields]:
    for name, one in load_quantities().items():
        if is_called and one.threshold is None:
            continue
        unit, values = UNIT_WORDS[one.unit]
        threshold = "" if one.threshold is None else f"{one.threshold:g}".replace("-", "−")
        said = {"name": name, "title": one.title, "cells": one.cells, "axis": one.axis}
        yield {**said, "unit": unit, "range": values, "threshold": threshold}


def _published_fields(row: Mapping[str, str]) -> Fields:
    low, high = (_bound(float(row[end])) for end in ("low", "high"))
    return {**row, "name": row["score_id"], "range": f"{low} to {high}"}


def _bound(value: float) -> str:
    """A bound of a range, as pages write it."""
    return {inf: "∞", -inf: "−∞"}.get(value, f"{value:g}".replace("-", "−"))
