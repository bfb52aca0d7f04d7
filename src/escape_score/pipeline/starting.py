"""The files that a study begins with: config, table of cohorts, sample sheets, as matrices suggest them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from escape_score.config.cohorts import COHORT_NAME, CohortKind
from escape_score.errors import (
    InputError,
    OutputUnwritableError,
    SingleCellsError,
    UnitAmbiguousError,
    attempt,
    raise_faults,
)
from escape_score.library.files import config_template
from escape_score.model.cohort import SAMPLE_COLUMNS, SampleRecord
from escape_score.model.units import ExpressionUnit
from escape_score.pipeline.profiles import in_english
from escape_score.read import ReadRequest, read_requested
from escape_score.read.cohort import cohort_name
from escape_score.read.files.probe import probe_path
from escape_score.read.formats import choose_format
from escape_score.read.request import DEFAULT_REQUEST
from escape_score.read.sheet import join_sheet, open_sheet
from escape_score.store.atomic import write_text

CONFIG, COHORTS = "config.yaml", "cohorts.tsv"
_HEADER = ("cohort", "expression", "samples", "units", "gene_lengths", "kind")
_SHEET_HELP = (
    "Fill in what you know; an empty cell means not known. Columns that stay empty can be deleted.",
    "response: R or NR (or CR, PR, SD, PD). os_event and pfs_event: 1 or 0. purity: 0 to 1.",
    "timepoint: pre, on, post, or a number. sample_type: tumour, normal or cell line.",
    "cancer_type: a name or a study of TCGA, such as melanoma or SKCM.",
)
_COHORTS_HELP = (
    "One row for each cohort, with tabs between the columns. Paths are relative to this file.",
    "units: what the numbers are; kind: bulk or cells. All columns are explained in config/README.md.",
)


@dataclass(frozen=True)
class StartingCohort:
    """What a matrix is taken for.

    Parameters
    ----------
    unit
        Unit that its numbers show; None where they do not decide, and for single cells.
    why
        Evidence for the unit, or what is to be decided, in one line.
    sample_column, cell_type_column
        Columns of obs, for single cells; empty where none was found.
    """

    name: str
    matrix: Path
    kind: CohortKind
    unit: ExpressionUnit | None
    why: str
    samples: tuple[SampleRecord, ...] = field(repr=False)
    sample_column: str = ""
    cell_type_column: str = ""

    @property
    def sheet(self) -> str:
        """Name of its sample sheet."""
        return f"samples-{self.name}.tsv"

    @property
    def is_undecided(self) -> bool:
        """Whether the user has to name the unit."""
        return self.kind is CohortKind.BULK and self.unit is None


def start_study(matrices: Sequence[Path], folder: Path) -> tuple[StartingCohort, ...]:
    """Look at matrices and write config, table of cohorts and one sample sheet a cohort.

    Raises
    ------
    OutputUnwritableError
        One of the files is there already, or the folder cannot be written; nothing is written.
    InputError
        A matrix cannot be used; all such faults together as an ``InputFaultsError``.
    """
    names = _unique_names(matrices)
    _require_absent(folder, [CONFIG, COHORTS, *(f"samples-{name}.tsv" for name in names)])
    tried = [attempt(lambda m=m, n=n: look_at(m, n)) for m, n in zip(matrices, names, strict=True)]  # type: ignore[misc]
    raise_faults(fault for one in tried for fault in one.faults)
    cohorts = tuple(one.get() for one in tried)
    for cohort in cohorts:
        write_text(folder / cohort.sheet, sheet_text(cohort.samples))
    write_text(folder / COHORTS, cohorts_text(cohorts, folder))
    write_text(folder / CONFIG, config_text(cohorts))
    return cohorts


def _unique_names(matrices: Sequence[Path]) -> list[str]:
    """Names of cohorts that are safe as names of folders, each once in any letter case."""
    names: list[str] = []
    for matrix in matrices:
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", cohort_name(matrix)).strip("._-")
        name = base = plain if COHORT_NAME.fullmatch(plain) else "cohort"
        taken = {one.casefold() for one in names}
        number = 2
        while name.casefold() in taken:
            name, number = f"{base}-{number}", number + 1
        names.append(name)
    return names


def _require_absent(folder: Path, names: Sequence[str]) -> None:
    there = [name for name in names if os.path.lexists(folder / name)]
    if there:
        msg = "is there already, and nothing is overwritten; name another folder with --dir, or move it away"
        raise OutputUnwritableError.at(folder / there[0], msg)


def look_at(matrix: Path, name: str) -> StartingCohort:
    """Find out what a matrix holds: bulk in a unit, bulk in a unit to be named, or single cells.

    Raises InputError, InputFaultsError: it cannot be used as any of these.
    """
    tried = attempt(lambda: read_requested(matrix, DEFAULT_REQUEST))
    kinds = {type(fault) for fault in tried.faults}
    if kinds == {SingleCellsError}:
        return _cells(matrix, name)
    if kinds == {UnitAmbiguousError}:
        return _undecided(matrix, name, tried.faults[0])
    cohort = tried.get()
    why = in_english(cohort.unit.evidence)
    return StartingCohort(name, matrix, CohortKind.BULK, cohort.unit.unit, why, cohort.samples)


def _undecided(matrix: Path, name: str, fault: InputError) -> StartingCohort:
    """A matrix whose numbers do not decide its unit: its samples, and what was found."""
    request = ReadRequest()
    reading = choose_format(probe_path(matrix, request.limits)).open_matrix(matrix, request)
    samples, _ = join_sheet(open_sheet(reading.sheet, {}), reading.source.sample_ids)
    why = fault.lines[0].removeprefix(f"{matrix}: ")
    return StartingCohort(name, matrix, CohortKind.BULK, None, why, samples)


def _cells(matrix: Path, name: str) -> StartingCohort:
    """A matrix of single cells: its samples by the columns that were found."""
    from escape_score.read.cells import CellRequest, list_cells
    from escape_score.read.cells.grouping import find_cell_columns

    found = find_cell_columns(matrix)
    listed = list_cells([matrix], CellRequest(sample_column=found.sample or None))
    said = (
        f"single cells; sample in column {found.sample!r}" if found.sample else "single cells of one sample"
    )
    types = (
        f"cell type in column {found.cell_type!r}" if found.cell_type else "cell types are found from genes"
    )
    return StartingCohort(
        name,
        matrix,
        CohortKind.CELLS,
        None,
        f"{said}, {types}",
        listed.samples,
        sample_column=found.sample,
        cell_type_column=found.cell_type,
    )


def sheet_text(samples: Sequence[SampleRecord]) -> str:
    """A sample sheet with all columns that are read; what the matrix itself says of samples is filled in."""
    groups = dict.fromkeys(name for sample in samples for name, _ in sample.groups)
    columns = (*SAMPLE_COLUMNS, *(name for name in groups if name not in SAMPLE_COLUMNS))
    rows = ((sample.sample_id, *(_cell(sample.known.get(name)) for name in columns)) for sample in samples)
    return "".join(f"# {line}\n" for line in _SHEET_HELP) + _table([("sample_id", *columns), *rows])


def _cell(value: str | float | bool | None) -> str:
    """A cell of a sheet; events are 1 or 0."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value)


def _table(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter="\t", lineterminator="\n").writerows(rows)
    return out.getvalue()


def cohorts_text(cohorts: Sequence[StartingCohort], folder: Path) -> str:
    """The table of cohorts, above each row what was found."""
    lines = [*(f"# {line}" for line in _COHORTS_HELP), "\t".join(_HEADER)]
    for one in cohorts:
        place = os.path.relpath(one.matrix.resolve(), folder.resolve())
        unit = "" if one.unit is None else one.unit.value
        note = f"fill in units: {one.why}" if one.is_undecided else one.why
        lines.append(f"# {one.name}: {' '.join(note.split())}")
        lines.append("\t".join((one.name, place, one.sheet, unit, "", one.kind.value)))
    return "\n".join(lines) + "\n"


_DEMO_LINE = re.compile(r"\n  # Empty: auto\. The demo names[^\n]*")
_TITLE = re.compile(r"\A(?:#[^\n]*\n)+")


def config_text(cohorts: Sequence[StartingCohort]) -> str:
    """The shipped config with its comments, and what was found in single cells."""
    title = (
        "# The config of this study. The values here are the defaults; an unknown key is an error.\n"
        "# Paths are relative to this file. All keys are explained in config/README.md.\n"
    )
    text = _DEMO_LINE.sub("\n  # Empty: auto.", _TITLE.sub(title, config_template()))
    text = re.sub(r"(?m)^(  reference:) .*$", r"\1 auto", text)
    found = dict(_cell_columns(cohorts))
    return _with_cells(text, found) if found else text


def _cell_columns(cohorts: Sequence[StartingCohort]) -> Iterator[tuple[str, str]]:
    """Columns of obs that all inputs of cells share: one config is for all of them."""
    cells = [one for one in cohorts if one.kind is CohortKind.CELLS]
    for key in ("sample_column", "cell_type_column"):
        names = {getattr(one, key) for one in cells}
        if len(names) == 1 and names != {""}:
            yield key, names.pop()


def _with_cells(text: str, found: Mapping[str, str]) -> str:
    """The config with the block cells, whether the shipped one has it or not."""
    lines = {key: f"  {key}: {json.dumps(name, ensure_ascii=False)}" for key, name in found.items()}
    if not re.search(r"(?m)^cells:", text):
        return f"{text.rstrip()}\n\ncells:\n  # Columns of obs: sample and type of each cell.\n" + "".join(
            f"{line}\n" for line in lines.values()
        )
    for key, line in lines.items():
        text, n = re.subn(rf"(?m)^  {key}:.*$", lambda _, line=line: line, text)  # type: ignore[misc]
        text = text if n else re.sub(r"(?m)^cells:.*$", lambda _, line=line: f"cells:\n{line}", text)  # type: ignore[misc]
    return text
