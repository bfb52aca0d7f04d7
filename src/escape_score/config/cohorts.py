"""The table of cohorts of a workflow."""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from escape_score.errors import (
    FileMissingError,
    InputError,
    SampleSheetInvalidError,
    did_you_mean,
    raise_faults,
    unknown_name,
)
from escape_score.library.files import small_text
from escape_score.model.units import ExpressionUnit

COHORT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""Cohort names become folders and Snakemake wildcards."""

_COHORT_COLUMNS = ("cohort", "expression", "samples", "units", "gene_lengths", "kind")
_REQUIRED_COLUMNS, _OPTIONAL_COLUMNS = _COHORT_COLUMNS[:4], _COHORT_COLUMNS[4:]


class CohortKind(StrEnum):
    """What the rows of an input are."""

    BULK = "bulk"
    CELLS = "cells"


@dataclass(frozen=True)
class CohortEntry:
    """One row of the table of cohorts: a name safe as folder name, files that exist, the declared unit."""

    cohort: str
    expression: Path
    samples: Path | None
    units: ExpressionUnit
    gene_lengths: Path | None
    kind: CohortKind = CohortKind.BULK


def read_cohorts(path: Path) -> tuple[CohortEntry, ...]:
    """Read the table of cohorts of a workflow; its faults are raised together.

    TSV with columns cohort, expression, samples, units and, optionally, gene_lengths and kind. The columns
    ``samples`` and ``gene_lengths`` may be empty; an empty unit means auto, and an empty kind bulk. Paths are
    relative to the folder of the table.
    """
    rows = _rows(path)
    counts = Counter(row["cohort"].casefold() for _, row in rows)  # some file systems ignore case
    faults = [fault for line, row in rows for fault in _faults(path, line, row)]
    faults += [
        SampleSheetInvalidError.at(path, f"duplicate cohort name {name!r}; give each cohort its own name")
        for name, count in counts.items()
        if count > 1
    ]
    raise_faults(faults)
    return tuple(_entry(path.parent, row) for _, row in rows)


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Lines of the table by column, blank lines and comments left out."""
    text = io.StringIO(small_text(path, "table of cohorts"), newline="")
    reader = csv.reader(text, delimiter="\t", quoting=csv.QUOTE_NONE)
    lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    filled = [(line, cells) for line, cells in lines if any(cells) and not cells[0].startswith("#")]
    if len(filled) < 2:  # noqa: PLR2004
        msg = "table of cohorts is empty; give a header and one row a cohort"
        raise SampleSheetInvalidError.at(path, msg)
    (_, header), *rows = filled
    _check_header(path, header)
    for line, cells in rows:
        if len(cells) != len(header):
            msg = f"line {line} has {len(cells)} fields where the header has {len(header)}; fix the row"
            raise SampleSheetInvalidError.at(path, msg)
    return [(line, dict(zip(header, cells, strict=True))) for line, cells in rows]


def _check_header(path: Path, header: Sequence[str]) -> None:
    if len(header) == 1:
        msg = f"header of the table of cohorts has no tab ({header[0]!r}); separate columns by tabs"
        raise SampleSheetInvalidError.at(path, msg)
    if not set(_REQUIRED_COLUMNS) <= set(header) <= set(_COHORT_COLUMNS) or len(set(header)) < len(header):
        msg = f"columns of the table of cohorts are {', '.join(header)}; they must be "
        optional = " and ".join(_OPTIONAL_COLUMNS)
        msg += f"{', '.join(_REQUIRED_COLUMNS)} and, optionally, {optional}, each once"
        msg += next((did_you_mean(one, _COHORT_COLUMNS) for one in header if one not in _COHORT_COLUMNS), "")
        raise SampleSheetInvalidError.at(path, msg)


def _faults(path: Path, line: int, row: Mapping[str, str]) -> Iterator[InputError]:
    if not COHORT_NAME.fullmatch(row["cohort"]):
        msg = f"cohort name {row['cohort']!r} (line {line}) is not safe as a folder name; "
        msg += "use letters, digits, '.', '_' and '-', a letter or digit first"
        yield SampleSheetInvalidError.at(path, msg)
    if row["units"] and row["units"] not in set(ExpressionUnit):
        msg = unknown_name("unit", row["units"], tuple(ExpressionUnit), place=f"line {line}")
        yield SampleSheetInvalidError.at(path, msg)
    if row.get("kind") and row["kind"] not in set(CohortKind):
        msg = unknown_name("kind", row["kind"], tuple(CohortKind), place=f"line {line}")
        yield SampleSheetInvalidError.at(path, msg)
    if row.get("kind") == CohortKind.CELLS and (row["units"] or row.get("gene_lengths")):
        msg = (
            f"single cells are counts of UMI or reads (cohort {row['cohort']}, line {line}); leave units and "
        )
        yield SampleSheetInvalidError.at(path, msg + "gene_lengths empty")
    if not row["expression"]:
        yield SampleSheetInvalidError.at(path, f"expression is empty (line {line}); name a matrix")
    for column in ("expression", "samples", "gene_lengths"):
        named = Path(os.path.normpath(path.parent / row.get(column, "")))
        if not named.exists():
            where = f"{column} of cohort {row['cohort']}, line {line} of {path}"
            yield FileMissingError.at(named, f"file not found ({where}); check the path")


def _entry(folder: Path, row: Mapping[str, str]) -> CohortEntry:
    optional = ("samples", "gene_lengths")
    paths = {column: folder / row[column] if row.get(column) else None for column in optional}
    units = ExpressionUnit(row["units"] or ExpressionUnit.AUTO)
    kind = CohortKind(row.get("kind") or CohortKind.BULK)
    return CohortEntry(row["cohort"], folder / row["expression"], units=units, kind=kind, **paths)
