"""``escape-score export``: a finished result in the formats of other programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from escape_score.errors import ResultInvalidError, UsageError
from escape_score.export.formats import ExportFormat
from escape_score.export.tables import ResultTables
from escape_score.store.atomic import write_text
from escape_score.store.manifest import read_manifest, verify


def export_results(results: Path, out: Path, formats: Sequence[ExportFormat], *, study: str | None) -> int:
    """Write a result in some formats, after its manifest was verified; the result itself is not touched.

    Raises
    ------
    UsageError
        ``out`` lies inside the result, or the study's id is not usable.
    ResultInvalidError
        The result does not agree with its manifest.
    """
    if out.resolve().is_relative_to(results.resolve()):
        msg = (
            f"--out: {out} lies inside the results, which hold only what their manifest lists; choose another"
        )
        raise UsageError(msg)
    tables = _read(results)
    files: dict[str, str] = {}
    for chosen in dict.fromkeys(formats):
        files |= _files(tables, chosen, study)
    for name, text in files.items():
        write_text(out / name, text)
    _note_renamed(files, out)
    print(f"{len(files)} files: {out}")
    return 0


def _read(results: Path) -> ResultTables:
    """Tables of a result that agrees with its manifest."""
    import pandas as pd

    manifest = read_manifest(results)
    faults = verify(results)
    if faults:
        more = f" ({len(faults) - 1} more such files)" if len(faults) > 1 else ""
        raise ResultInvalidError(faults[0] + more)
    profiles, scores = (
        pd.read_parquet(results / f"{name}.parquet").set_index("sample_id") for name in ("profiles", "scores")
    )
    return ResultTables(manifest.header.cohort, manifest.header.package_version, profiles, scores)


def _files(tables: ResultTables, chosen: ExportFormat, study: str | None) -> dict[str, str]:
    """Files of one format."""
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
        case ExportFormat.SCHEMA:
            return schema_files()


def _note_renamed(files: dict[str, str], out: Path) -> None:
    """Say so where samples had to be named anew."""
    from escape_score.export.cbioportal import SAMPLE_IDS_FILE

    if SAMPLE_IDS_FILE in files:
        where = out / SAMPLE_IDS_FILE
        print(f"some sample ids cannot stand in cBioPortal and were replaced; see {where}", file=sys.stderr)
