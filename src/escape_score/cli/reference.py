"""``escape-score reference``: what samples are measured against."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from escape_score.cli.log import CommandLog, TransferProgress, remarks_to
from escape_score.cli.options import AsSamples, GeneLengths, Quiet, Samples, Units, require_files
from escape_score.cli.reference_show import show

if TYPE_CHECKING:
    from escape_score.model.reference import Reference

commands = typer.Typer(help="What samples are measured against.", no_args_is_help=True, rich_markup_mode=None)


@commands.command("fit")
def fit(
    matrices: Annotated[
        list[Path], typer.Argument(metavar="MATRIX...", help="Matrices of one pipeline, 10 samples or more.")
    ],
    *,
    name: Annotated[str, typer.Option("--name", help="Name of the reference.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder to write; kept in your data folder under its name if not given."),
    ] = None,
    samples: Samples = None,
    units: Units = None,
    gene_lengths: GeneLengths = None,
    as_samples: AsSamples = None,
    tumour_type: Annotated[
        str | None,
        typer.Option(
            "--tumour-type", help="Shown next to every percentile; compared with cancer_type of sheets."
        ),
    ] = None,
    assay: Annotated[str | None, typer.Option("--assay", help="Shown next to every percentile.")] = None,
) -> int:
    """Fit a reference on tumours from your own pipeline."""
    if not any(matrix.exists() for matrix in matrices):
        require_files(*matrices, samples=samples, gene_lengths=gene_lengths)
    from escape_score.errors import attempt, raise_faults
    from escape_score.pipeline.references import GIVEN_TWICE, NOT_ENTERED, fit_reference, require_name
    from escape_score.read import read_cohort

    require_name(name, is_kept=out is None)
    read = partial(read_cohort, units=units or "auto", samples=samples, as_samples=bool(as_samples))
    with remarks_to(CommandLog()) as remarks:
        attempts = [attempt(partial(read, matrix)) for matrix in matrices]
        if any(one.faults for one in attempts):
            remarks.clear()
    raise_faults(fault for one in attempts for fault in one.faults)
    fitted = fit_reference(
        [one.get() for one in attempts],
        name=name,
        tumour_type=tumour_type,
        assay=assay,
        gene_lengths=gene_lengths,
        out=out,
    )
    _warn_of_limits(fitted)
    if repeated := fitted.provenance.get(GIVEN_TWICE):
        print(f"note: samples given twice count once: {repeated}", file=sys.stderr)
    for key, names in fitted.provenance.items():
        if key.startswith(NOT_ENTERED):
            print(f"note: {key}: {names}", file=sys.stderr)
    use = "--reference auto finds it" if out is None else f"use it with --reference {out}"
    print(f"{name}: {fitted.n_samples} samples, {len(fitted.genes.symbols)} genes; {use}")
    return 0


def _warn_of_limits(fitted: Reference) -> None:
    """Report on stderr that a reference has few samples, or leaves genes out."""
    from escape_score.library.axes import load_design

    n, advised = fitted.n_samples, load_design().thresholds.fit.advised_fit_samples
    if n < advised:
        few = f"{fitted.name} has {n} samples; its levels are stable from {advised} on"
        print(f"warning: {few}", file=sys.stderr)
    if fitted.untrusted_genes:
        names = ", ".join(fitted.untrusted_genes)
        print(f"warning: not used, because this pipeline does not count them: {names}", file=sys.stderr)


@commands.command("fetch")
def fetch(
    types: Annotated[
        list[str], typer.Argument(metavar="TYPE...", help="Tumour types, such as SKCM or melanoma.")
    ],
    *,
    source_file: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="The matrix, if you fetched it yourself; of one type."),
    ] = None,
    refit: Annotated[
        bool, typer.Option("--refit", help="Fit again if the reference is already there.")
    ] = False,
    accept_change: Annotated[
        bool, typer.Option("--accept-change", help="Accept a file that differs from an earlier fetch.")
    ] = False,
    quiet: Quiet = False,
) -> int:
    """Fetch the public TCGA matrix of a tumour type, and fit a reference on its tumours."""
    from escape_score.errors import UsageError, attempt, raise_faults
    from escape_score.reference.sources import find_public_matrix

    if source_file is not None:
        if len(types) > 1:
            msg = "--from: a file is the matrix of one tumour type; give one TYPE"
            raise UsageError(msg)
        require_files(source_file)
    # all types are looked up before the first is fetched
    names = dict.fromkeys(find_public_matrix(one).type for one in types)
    attempts = [
        attempt(
            partial(_fetch_one, one, source_file, refit=refit, accept_change=accept_change, is_quiet=quiet)
        )
        for one in names
    ]
    raise_faults(fault for one in attempts for fault in one.faults)
    return 0


def _fetch_one(
    tumour_type: str, source_file: Path | None, *, refit: bool, accept_change: bool, is_quiet: bool
) -> None:
    """Fetch one reference, and report what was kept."""
    from escape_score.pipeline.fetching import LEFT_OUT, fetch_reference, kept_reference
    from escape_score.reference.sources import find_public_matrix

    is_kept = not refit and kept_reference(find_public_matrix(tumour_type)) is not None
    with TransferProgress(is_quiet=is_quiet) as progress, remarks_to(CommandLog(is_quiet=is_quiet)):
        fitted = fetch_reference(
            tumour_type,
            source_file=source_file,
            refit=refit,
            accept_change=accept_change,
            on_progress=progress.update,
        )
    if is_quiet:
        return
    use = f"use it with --reference {fitted.name}"
    if is_kept:
        print(
            f"{fitted.name}: already there, {fitted.n_samples} tumours; {use}, or fit it again with --refit"
        )
        return
    _warn_of_limits(fitted)
    print(f"{fitted.name}: {fitted.n_samples} tumours, {len(fitted.genes.symbols)} genes; {use}")
    print(f"{fitted.name}: samples left out: {fitted.provenance.get(LEFT_OUT, 'none')}")


@commands.command("list")
def list_all() -> int:
    """List all references: shipped, fetched and fitted by you."""
    from escape_score.errors import InputError, attempt, raise_faults
    from escape_score.reference.known import known_references
    from escape_score.reference.read import load_reference

    faults: list[InputError] = []
    for known in known_references():
        loaded = attempt(partial(load_reference, str(known.folder)))
        faults += loaded.faults
        for one in loaded.results:
            row = (known.name, known.origin.value, f"{one.n_samples} samples", one.tumour_type, one.assay)
            print("\t".join((*row, one.description)))
    raise_faults(faults)
    return 0


@commands.command("remove")
def remove(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="References that you fitted or fetched.")
    ],
) -> int:
    """Remove references that are kept in your data folder."""
    from escape_score.reference.write import remove_reference

    for name in names:
        print(f"{name}: removed from {remove_reference(name).parent}")
    return 0


commands.command("show")(show)
