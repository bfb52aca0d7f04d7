"""The formats that a finished result can be written in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from escape_score.export.tables import ResultTables

OWN_NAME = re.compile(r"(meta_|data_)?escape_score_")
MARKS = {
    **dict.fromkeys(("profiles.gct", "scores.gct"), b"\nid\ttitle\tgroup\tunit\t"),
    "profile.schema.json": b'"title": "EscapeProfile"',
    "cohort.schema.json": b'"title": "CohortStatistics"',
}
"""What only our files of these common names hold."""
MAX_READ_BYTES = 2**20


class ExportFormat(StrEnum):
    """Formats of other programs; scores as AnnData are in every result (``scores.h5ad``)."""

    MULTIQC = "multiqc"
    GCT = "gct"
    CBIOPORTAL = "cbioportal"
    SCHEMA = "schema"
    XLSX = "xlsx"


@dataclass(frozen=True)
class ExportedFiles:
    """Names of the files written, and the list of sample ids that had to be replaced, where any had."""

    names: tuple[str, ...]
    renamed: Path | None


def export_results(
    results: Path, out: Path, formats: Sequence[ExportFormat], *, study: str | None = None
) -> ExportedFiles:
    """Write a result in some formats, after its manifest was verified; the result itself is not touched.

    Raises UsageError: ``out`` is inside the result, or the study's id cannot be used; OutputUnwritableError:
    ``out`` holds something else than earlier exports. Raises ResultInvalidError: the result does not agree
    with its manifest.
    """
    from escape_score.errors import UsageError
    from escape_score.export.cbioportal import SAMPLE_IDS_FILE
    from escape_score.export.tables import read_tables
    from escape_score.store.atomic import write_bytes
    from escape_score.store.ownership import require_only

    if out.resolve().is_relative_to(results.resolve()):
        msg = f"--out: {out} is inside the results, which hold only what their manifest lists; choose another"
        raise UsageError(msg)
    require_only(out, lambda path: _is_export(out / path), what="are not exports of this program")
    tables = read_tables(results)
    files: dict[str, bytes] = {}
    for chosen in dict.fromkeys(formats):
        files |= _files(results, tables, chosen, study)
    for name, content in files.items():
        write_bytes(out / name, content)
    return ExportedFiles(tuple(files), out / SAMPLE_IDS_FILE if SAMPLE_IDS_FILE in files else None)


def _is_export(path: Path) -> bool:
    """Whether a file is one that an export wrote: its name has ours, or its content is of our format."""
    if path.is_symlink() or not path.is_file():
        return False
    if OWN_NAME.match(path.name) or path.name not in MARKS:
        return OWN_NAME.match(path.name) is not None
    with path.open("rb") as handle:
        return MARKS[path.name] in handle.read(MAX_READ_BYTES)


def _files(results: Path, tables: ResultTables, chosen: ExportFormat, study: str | None) -> dict[str, bytes]:
    """Files of one format."""
    if chosen is ExportFormat.XLSX:
        from escape_score.export.xlsx import xlsx_files

        return xlsx_files(results, tables)
    return {name: text.encode("utf-8") for name, text in _texts(tables, chosen, study).items()}


def _texts(tables: ResultTables, chosen: ExportFormat, study: str | None) -> dict[str, str]:
    """Files of a format of text."""
    from escape_score.export.cbioportal import cbioportal_files
    from escape_score.export.gct import gct_files
    from escape_score.export.multiqc import multiqc_files
    from escape_score.export.schema import schema_files

    match chosen:
        case ExportFormat.MULTIQC:
            return multiqc_files(tables)
        case ExportFormat.GCT:
            return gct_files(tables)
        case ExportFormat.CBIOPORTAL:
            return cbioportal_files(tables, study=study)
        case _:
            return schema_files()
