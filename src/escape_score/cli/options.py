"""Options that several commands have.

Commands import what they need when they are called, so that ``escape-score --help`` answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from escape_score.model.units import ExpressionUnit, Strand

Matrix = Annotated[Path, typer.Argument(help="Expression matrix: genes in rows, samples in columns.")]
Results = Annotated[Path, typer.Argument(help="Folder of a result.")]
Units = Annotated[
    ExpressionUnit | None,
    typer.Option("--units", help="Unit of the values; auto infers it and stops if it is ambiguous."),
]
Samples = Annotated[
    Path | None, typer.Option("--samples", help="Sample sheet (TSV) with a column sample_id.")
]
GeneLengths = Annotated[
    Path | None, typer.Option("--gene-lengths", help="TSV of gene and length in bp, for counts.")
]
GeneSets = Annotated[
    Path | None, typer.Option("--gene-sets", help="GMT or GMX file of more gene sets to score.")
]
ReferenceName = Annotated[
    str | None,
    typer.Option("--reference", help="auto, a shipped reference, the folder of a fitted one, or cohort."),
]
Transpose = Annotated[bool | None, typer.Option("--transpose", help="Samples are in rows, genes in columns.")]
SheetName = Annotated[
    str | None, typer.Option("--sheet", help="Sheet of a workbook that is the matrix, by name.")
]
Layer = Annotated[str | None, typer.Option("--layer", help="Layer of an h5ad; X if not given.")]
Strandedness = Annotated[
    Strand | None, typer.Option("--strand", help="Strandedness of the library, for gene counts of STAR.")
]
ColumnMap = Annotated[
    list[str] | None,
    typer.Option(
        "--map", metavar="OURS=THEIRS", help="Column of the sample sheet with another name; repeatable."
    ),
]
CohortName = Annotated[
    str | None, typer.Option("--cohort", help="Name of the cohort; the file's name if not given.")
]
Language = Annotated[str, typer.Option("--lang", help="Language of the pages: en or fr.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")]
LogJson = Annotated[
    bool, typer.Option("--log-json", help="JSON lines on stderr instead of progress and text.")
]
OutFile = Annotated[Path, typer.Option("--out", help="File to write.")]


def _show_version(value: bool) -> None:
    if value:
        from escape_score import __version__

        typer.echo(f"escape-score {__version__}")
        raise typer.Exit


def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Immunoresistance profiles of tumours from bulk expression. Research use only."""
