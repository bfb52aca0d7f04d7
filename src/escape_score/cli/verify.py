"""``escape-score verify``: a result folder against its manifest."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from escape_score.errors import ExitCode


def verify(results: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a result.")]) -> int:
    """Check a result folder against its manifest."""
    from escape_score.store.manifest import read_manifest
    from escape_score.store.manifest import verify as faults_of

    faults = faults_of(results)
    for fault in faults:
        print(f"error: {fault}", file=sys.stderr)
    if faults:
        return int(ExitCode.INPUT)
    print(f"ok: {results} agrees with its manifest ({len(read_manifest(results).files)} files)")
    return int(ExitCode.DONE)
