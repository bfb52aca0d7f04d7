"""The table of cohorts of a workflow."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from escape_score.errors import FileMissingError, InputError, InputFaultsError, SampleSheetInvalidError
from escape_score.model.units import ExpressionUnit

COHORT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""Cohort names become folders and Snakemake wildcards."""

_COHORT_COLUMNS = ("cohort", "expression", "samples", "units", "gene_lengths")
_REQUIRED_COLUMNS = _COHORT_COLUMNS[:4]


@dataclass(frozen=True)
class CohortEntry:
    """One row of the table of cohorts.

    Parameters
    ----------
    cohort
        Name, safe as folder name.
    expression
        Matrix; exists.
    samples, gene_lengths
        Sample sheet and gene lengths; exist, or None.
    units
        Declared unit.
    """

    cohort: str
    expression: Path
    samples: Path | None
    units: ExpressionUnit
    gene_lengths: Path | None


def read_cohorts(path: Path) -> tuple[CohortEntry, ...]:
    """Read the table of cohorts of a workflow.

    Parameters
    ----------
    path
        TSV with columns cohort, expression, samples, units and, optionally, gene_lengths; ``samples`` and
        ``gene_lengths`` may be empty, an empty unit means auto. Paths are relative to the folder of the
        table.

    Returns
    -------
    tuple of CohortEntry
        In the order of the table.

    Raises
    ------
    SampleSheetInvalidError, FileMissingError
        The only fault found.
    InputFaultsError
        All faults, where there are several.
    """
    rows = _cohort_rows(path)
    faults = [fault for line, row in rows for fault in _cohort_faults(path, line, row)]
    faults += _duplicate_faults(path, rows)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise InputFaultsError(tuple(faults))
    return tuple(_cohort_entry(path, row) for _, row in rows)


def _cohort_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Lines of the table by column, blank lines and comments left out."""
    if not path.is_file():
        msg = f"{path}: table of cohorts not found (no such file); check the key cohorts"
        raise FileMissingError(msg)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{path}: table of cohorts is no UTF-8 text; save it as TSV in UTF-8"
        raise SampleSheetInvalidError(msg) from error
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE)
    lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    filled = [(line, cells) for line, cells in lines if any(cells) and not cells[0].startswith("#")]
    if len(filled) < 2:  # noqa: PLR2004
        msg = f"{path}: table of cohorts is empty; give a header and one row a cohort"
        raise SampleSheetInvalidError(msg)
    header = _cohort_header(path, filled[0][1])
    return [(line, _cohort_row(path, header, line, cells)) for line, cells in filled[1:]]


def _cohort_header(path: Path, cells: Sequence[str]) -> Sequence[str]:
    if len(cells) == 1:
        msg = f"{path}: header of the table of cohorts has no tab ({cells[0]!r}); separate columns by tabs"
        raise SampleSheetInvalidError(msg)
    missing = [name for name in _REQUIRED_COLUMNS if name not in cells]
    unknown = [name for name in cells if name not in _COHORT_COLUMNS]
    if missing or unknown or len(set(cells)) < len(cells):
        msg = f"{path}: columns of the table of cohorts are {', '.join(cells)}; they must be "
        raise SampleSheetInvalidError(
            msg + f"{', '.join(_REQUIRED_COLUMNS)} and, optionally, gene_lengths, each once"
        )
    return cells


def _cohort_row(path: Path, header: Sequence[str], line: int, cells: Sequence[str]) -> dict[str, str]:
    if len(cells) != len(header):
        msg = f"{path}: line {line} has {len(cells)} fields where the header has {len(header)}; mend the row"
        raise SampleSheetInvalidError(msg)
    return dict(zip(header, cells, strict=True))


def _cohort_faults(path: Path, line: int, row: Mapping[str, str]) -> Iterator[InputError]:
    """Faults of one row."""
    if not COHORT_NAME.fullmatch(row["cohort"]):
        msg = f"{path}: cohort name {row['cohort']!r} (line {line}) is not safe as a folder name; "
        yield SampleSheetInvalidError(msg + "use letters, digits, '.', '_' and '-', a letter or digit first")
    if row["units"] and row["units"] not in set(ExpressionUnit):
        msg = f"{path}: unknown units {row['units']!r} (line {line}); use one of {', '.join(ExpressionUnit)}"
        yield SampleSheetInvalidError(msg)
    if not row["expression"]:
        msg = f"{path}: expression is empty (line {line}); name a matrix"
        yield SampleSheetInvalidError(msg)
    for column in ("expression", "samples", "gene_lengths"):
        named = row.get(column, "")
        if named and not (path.parent / named).exists():
            msg = (
                f"{path.parent / named}: file not found ({column} of cohort {row['cohort']}, line {line} of "
            )
            yield FileMissingError(msg + f"{path}); check the path")


def _duplicate_faults(path: Path, rows: Sequence[tuple[int, Mapping[str, str]]]) -> list[InputError]:
    """Cohort names that stand twice; case does not count, as in some file systems."""
    counts = Counter(row["cohort"].casefold() for _, row in rows)
    return [
        SampleSheetInvalidError(f"{path}: duplicate cohort name {name!r}; give each cohort its own name")
        for name, count in counts.items()
        if count > 1
    ]


def _cohort_entry(path: Path, row: Mapping[str, str]) -> CohortEntry:
    def resolve(named: str) -> Path | None:
        return path.parent / named if named else None

    return CohortEntry(
        cohort=row["cohort"],
        expression=path.parent / row["expression"],
        samples=resolve(row["samples"]),
        units=ExpressionUnit(row["units"] or ExpressionUnit.AUTO),
        gene_lengths=resolve(row.get("gene_lengths", "")),
    )
