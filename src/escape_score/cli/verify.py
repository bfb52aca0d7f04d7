"""``escape-score verify``: a result folder against its manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from escape_score.cli.log import print_limited
from escape_score.errors import ExitCode, counted


def verify(results: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a result.")]) -> int:
    """Check a result folder against its manifest."""
    from escape_score.store.manifest import read_manifest
    from escape_score.store.manifest import verify as faults_of

    faults = faults_of(results)
    print_limited([f"error: {fault}" for fault in faults], rest="error: and {n} more such files")
    if faults:
        return int(ExitCode.INPUT)
    print(f"ok: {results} agrees with its manifest ({counted(len(read_manifest(results).files), 'file')})")
    return int(ExitCode.DONE)
