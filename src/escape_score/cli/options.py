"""Options that several commands have.

Commands import what they need when they are called, so that ``escape-score --help`` answers at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from escape_score.errors import (
    ConfigInvalidError,
    FileMissingError,
    InputError,
    ResultInvalidError,
    raise_faults,
)
from escape_score.model.units import ExpressionUnit, Strand

if TYPE_CHECKING:
    from escape_score.config import ReadConfig
    from escape_score.model.cohort import Cohort, HarmonisedCohort
    from escape_score.read import ReadRequest

Matrix = Annotated[Path, typer.Argument(help="Expression matrix: genes in rows, samples in columns.")]
Results = Annotated[Path, typer.Argument(help="Folder of a result.")]
Units = Annotated[
    ExpressionUnit | None,
    typer.Option("--units", help="Unit of the values; auto infers it and stops if it is ambiguous."),
]
Samples = Annotated[
    Path | None,
    typer.Option("--samples", help="Sample sheet (TSV, CSV or xlsx) with a column of sample ids."),
]
GeneLengths = Annotated[
    Path | None, typer.Option("--gene-lengths", help="TSV or CSV of genes and lengths in bp, for counts.")
]
LengthsFromPositions = Annotated[
    bool | None,
    typer.Option(
        "--lengths-from-positions", help="Take end - start + 1 of --gene-lengths as length, introns included."
    ),
]
GeneSets = Annotated[
    Path | None, typer.Option("--gene-sets", help="GMT or GMX file of more gene sets to score.")
]
ReferenceName = Annotated[
    str | None,
    typer.Option("--reference", help="auto, cohort, a name of reference list, or the folder of a reference."),
]
Transpose = Annotated[bool | None, typer.Option("--transpose", help="Samples are in rows, genes in columns.")]
SheetName = Annotated[
    str | None, typer.Option("--sheet", help="Sheet of a workbook that is the matrix, by name.")
]
Layer = Annotated[str | None, typer.Option("--layer", help="Layer of an h5ad; X if not given.")]
Strandedness = Annotated[
    Strand | None, typer.Option("--strand", help="Strandedness of the library, for gene counts of STAR.")
]
AsSamples = Annotated[
    bool | None,
    typer.Option("--as-samples", help="Each row is one sample, even if rows look like single cells."),
]
ColumnMap = Annotated[
    list[str] | None,
    typer.Option(
        "--map", metavar="OURS=THEIRS", help="Column of the sample sheet with another name; repeatable."
    ),
]
GroupBy = Annotated[
    list[str] | None,
    typer.Option(
        "--group-by",
        metavar="COLUMN",
        help="Compare the groups of this column of the sample sheet; repeatable.",
    ),
]
Adjust = Annotated[
    list[str] | None,
    typer.Option(
        "--adjust",
        metavar="COLUMN",
        help="Adjust the models of the cohort for this column of the sample sheet; repeatable.",
    ),
]
Formula = Annotated[
    str | None,
    typer.Option(
        "--formula", metavar="TEXT", help="Model of the cohort: '~ score * treatment + purity + C(site)'."
    ),
]
CohortName = Annotated[
    str | None, typer.Option("--cohort", help="Name of the cohort; the file's name if not given.")
]
Language = Annotated[str, typer.Option("--lang", help="Language of the pages: en or fr.")]
RunConfigFile = Annotated[
    Path | None, typer.Option("--config", help="YAML config; the command line wins over it.")
]
OwnLanguage = Annotated[str | None, typer.Option("--lang", help="Language of the pages: en or fr.")]
_SEED = typer.Option("--seed", min=0, help="Seed of every random draw.")
Seed = Annotated[int, _SEED]
OwnSeed = Annotated[int | None, _SEED]
"""For commands with a config, which has the seed if the command line has none."""
HasReports = Annotated[bool, typer.Option("--reports/--no-reports", help="Write samples/ and index.html.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")]
LogJson = Annotated[
    bool, typer.Option("--log-json", help="JSON lines on stderr instead of progress and text.")
]
Source = Annotated[
    Path | None, typer.Option("--source", help="Matrix that the cohort was read from; errors name it.")
]
OutFile = Annotated[Path, typer.Option("--out", help="File to write.")]


def require_files(
    *matrices: Path,
    samples: Path | None = None,
    gene_lengths: Path | None = None,
    gene_sets: Path | None = None,
    cell_types: Path | None = None,
    reference: str | None = None,
) -> None:
    """Report every named file that is not there, before a library is loaded that would read it.

    Raises FileMissingError, or an InputFaultsError with all of them, in the order in which a run reads them.
    """
    named = [
        *((gene_sets, "file not found"), (gene_lengths, "table of gene lengths not found (no such file)")),
        *((matrix, "file not found (no such file or folder)") for matrix in matrices),
        (samples, "sample sheet not found (no such file)"),
        (cell_types, "map of cell labels not found (no such file)"),
    ]
    missing = [FileMissingError.named(path, what) for path, what in named if _is_missing(path)]
    raise_faults([*_unknown_reference(reference), *missing])


def read_request(
    block: ReadConfig | None = None, *, columns: list[str] | None, **given: object
) -> ReadRequest:
    """How a matrix is read by the options of a command line; ``block`` holds what they do not give.

    Raises ConfigInvalidError: a value is not one that the option takes.
    """
    from escape_score.config import ReadConfig, RunConfig
    from escape_score.read import ReadRequest

    base = RunConfig(read=block or ReadConfig())
    settings = base.overridden(columns=columns or None, **given)
    return ReadRequest.from_config(settings.read, units=settings.units)


def label_of(cohort: Cohort | HarmonisedCohort, source: Path | None) -> str:
    """What errors call a cohort of a stage file: the user's matrix if it is given, not the intermediate."""
    return f"{source} (cohort {cohort.name})" if source else cohort.label


def require_results(folder: Path) -> None:
    """Refuse the name of a folder that is not there; ResultInvalidError."""
    if _is_missing(folder):
        msg = "holds no profiles, there is no such folder; give the --out folder of a run"
        raise ResultInvalidError.at(folder, msg)


def require_config(path: Path | None) -> None:
    """Refuse the name of a config that is not there; ConfigInvalidError."""
    if _is_missing(path):
        missing = FileMissingError.named(path, "config not found (no such file)")
        raise ConfigInvalidError(str(missing)) from missing


def _is_missing(path: Path | None) -> bool:
    """Whether nothing is there; a link, or a name that cannot be looked up, is for its reader to refuse."""
    try:
        if path is not None:
            path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def _unknown_reference(reference: str | None) -> list[InputError]:
    """A reference that is given by its folder, which is not there."""
    if reference is None or "/" not in reference or not _is_missing(Path(reference)):
        return []
    from escape_score.reference.known import unknown_reference

    return [unknown_reference(reference)]


def _show_version(value: bool) -> None:
    if value:
        from escape_score.cli.version import version_lines

        for line in version_lines():
            typer.echo(line)
        raise typer.Exit


def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show versions, also of resources."
        ),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Immunoresistance profiles of tumours from bulk expression. Research use only."""
