"""``escape-score export``: a finished result in the formats of other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from escape_score.cli.options import require_results
from escape_score.export.formats import ExportFormat


def export(
    results: Annotated[Path, typer.Argument(help="Folder of a finished result.")],
    *,
    formats: Annotated[
        list[ExportFormat], typer.Option("--format", help="What to write; can be given several times.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder of the files; not inside the results.")],
    study: Annotated[
        str | None, typer.Option("--study", help="Study id for cBioPortal; the cohort's name if not given.")
    ] = None,
) -> int:
    """Write a finished result for other programs: MultiQC, GCT 1.3, cBioPortal, JSON Schema, Excel."""
    require_results(results)
    from escape_score.errors import counted
    from escape_score.export.formats import export_results

    written = export_results(results, out, formats, study=study)
    if written.renamed is not None:
        said = "some sample ids are not allowed in cBioPortal and were replaced"
        print(f"{said}; see {written.renamed}", file=sys.stderr)
    print(f"{counted(len(written.names), 'file')}:")
    for name in written.names:
        print(out / name)
    return 0
