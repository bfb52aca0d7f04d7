"""Commands and their options; the work is done in the modules each one imports when called."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from escape_score.export.formats import ExportFormat
from escape_score.model.units import ExpressionUnit

app = typer.Typer(
    help="Immunoresistance profiles of tumours from bulk expression. Research use only.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
genesets_app = typer.Typer(help="What can be scored.", no_args_is_help=True, rich_markup_mode=None)
reference_app = typer.Typer(
    help="What samples are measured against.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(genesets_app, name="genesets")
app.add_typer(reference_app, name="reference")

Units = Annotated[
    ExpressionUnit | None, typer.Option("--units", help="Unit of the values; auto decides by evidence.")
]
Samples = Annotated[
    Path | None, typer.Option("--samples", help="Sample sheet (TSV) with a column sample_id.")
]
GeneLengths = Annotated[
    Path | None, typer.Option("--gene-lengths", help="TSV of gene and length in bp, for counts.")
]
GeneSets = Annotated[Path | None, typer.Option("--gene-sets", help="GMT of further gene sets to score.")]
ReferenceName = Annotated[
    str | None,
    typer.Option("--reference", help="A shipped reference by name, the folder of a fitted one, or cohort."),
]
CohortName = Annotated[
    str | None, typer.Option("--cohort", help="Name of the cohort; the file's name where not given.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of every random draw.")]
MinGenes = Annotated[
    int, typer.Option("--min-genes", min=1, help="Fewest recognised genes a matrix may have.")
]
Language = Annotated[str, typer.Option("--lang", help="Language of the pages: en or fr.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")]
LogJson = Annotated[
    bool, typer.Option("--log-json", help="JSON lines on stderr instead of progress and words.")
]
OutFile = Annotated[Path, typer.Option("--out", help="File to write.")]


def _show_version(value: bool) -> None:
    if value:
        from escape_score import __version__

        typer.echo(f"escape-score {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Immunoresistance profiles of tumours from bulk expression. Research use only."""


@app.command()
def run(
    matrix: Annotated[
        Path | None, typer.Argument(help="Expression matrix: genes in rows, samples in columns.")
    ] = None,
    *,
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the results.")] = None,
    samples: Samples = None,
    cohort: CohortName = None,
    units: Units = None,
    gene_lengths: GeneLengths = None,
    reference: ReferenceName = None,
    gene_sets: GeneSets = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="YAML config; the command line wins over it.")
    ] = None,
    lang: Annotated[str | None, typer.Option("--lang", help="Language of the pages: en or fr.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Seed of every random draw.")] = None,
    reports: Annotated[
        bool, typer.Option("--reports/--no-reports", help="Write samples/ and index.html.")
    ] = True,
    quiet: Quiet = False,
    log_json: LogJson = False,
) -> int:
    """Profile one matrix: all stages in one process."""
    from escape_score.cli.log import CommandLog
    from escape_score.cli.run import RunRequest, run_matrix

    return run_matrix(
        RunRequest.from_options(
            config=config,
            matrix=matrix,
            out=out,
            samples=samples,
            cohort=cohort,
            units=units,
            gene_lengths=gene_lengths,
            reference=reference,
            gene_sets=gene_sets,
            lang=lang,
            seed=seed,
            has_reports=reports,
        ),
        CommandLog(is_quiet=quiet, is_json=log_json),
    )


@app.command()
def workflow(
    context: typer.Context,
    *,
    config: Annotated[Path, typer.Option("--config", help="Config of the workflow.")],
    cores: Annotated[int | None, typer.Option("--cores", min=1, help="Cores to use at most.")] = None,
    profile: Annotated[
        str, typer.Option("--profile", help="default, slurm, or a folder with a config.yaml.")
    ] = "default",
    directory: Annotated[
        Path | None, typer.Option("--directory", help="Where results/, work/ and logs/ go.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many jobs would run, and what they ask for.")
    ] = False,
    quiet: Quiet = False,
    log_json: LogJson = False,
    extra: Annotated[list[str] | None, typer.Argument(help="After --: options for snakemake.")] = None,
) -> int:
    """Profile many cohorts through Snakemake."""
    from escape_score.cli.log import CommandLog
    from escape_score.cli.workflow import run_workflow

    return run_workflow(
        config,
        cores=cores,
        profile=profile,
        directory=directory,
        extra=[*(extra or ()), *context.args],
        is_dry_run=dry_run,
        log=CommandLog(is_quiet=quiet, is_json=log_json),
    )


@app.command()
def read(
    matrix: Annotated[Path, typer.Argument(help="Expression matrix.")],
    out: OutFile,
    cohort: CohortName = None,
    units: Units = None,
    samples: Samples = None,
    *,
    limits: Annotated[str, typer.Option("--limits", help="The config's block read, as JSON.")] = "{}",
) -> int:
    """Stage 1: matrix and sample sheet to a checked cohort."""
    from escape_score.cli.stages import read_stage

    return read_stage(matrix, out, cohort=cohort, units=units, samples=samples, limits=limits)


@app.command()
def harmonise(
    cohort_file: Annotated[Path, typer.Argument(metavar="COHORT", help="cohort.h5ad of the stage read.")],
    out: OutFile,
    gene_lengths: GeneLengths = None,
    min_genes: MinGenes = 200,
) -> int:
    """Stage 2: cohort to log2(TPM + 1) over approved symbols."""
    from escape_score.cli.stages import harmonise_stage

    return harmonise_stage(cohort_file, out, gene_lengths=gene_lengths, min_genes=min_genes)


@app.command()
def score(
    harmonised: Annotated[
        Path, typer.Argument(metavar="HARMONISED", help="harmonised.h5ad of the stage harmonise.")
    ],
    out: OutFile,
    gene_sets: GeneSets = None,
    reference: ReferenceName = None,
    *,
    options: Annotated[str, typer.Option("--options", help="The config's block score, as JSON.")] = "{}",
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads of the methods chosen.")] = 1,
) -> int:
    """Stage 3: harmonised cohort to signature scores."""
    from escape_score.cli.stages import score_stage

    return score_stage(
        harmonised, out, gene_sets=gene_sets, reference=reference, options=options, threads=threads
    )


@app.command()
def profile(
    scores: Annotated[Path, typer.Argument(metavar="SCORES", help="scores.h5ad of the stage score.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the results.")],
    part: Annotated[Path, typer.Option("--part", help="List of the files written, with digests.")],
    reference: ReferenceName = None,
    seed: Seed = 1,
) -> int:
    """Stage 4: signature scores to profiles: tables and one JSON a sample."""
    from escape_score.cli.stages import profile_stage

    return profile_stage(scores, out, part, reference=reference, seed=seed)


@app.command()
def report(
    results: Annotated[Path, typer.Argument(help="Folder of results with samples/*.json.")],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the pages; the results' own where not given.")
    ] = None,
    lang: Language = "en",
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Print each sample's page to PDF too, by a Chromium on the PATH.")
    ] = False,
    profiles: Annotated[
        Path | None, typer.Option("--profiles", help="Part file of the stage profile.")
    ] = None,
    chunk: Annotated[int, typer.Option("--chunk", min=1, help="Render this slice of the samples …")] = 1,
    chunks: Annotated[int, typer.Option("--chunks", min=1, help="… of so many.")] = 1,
    part: Annotated[
        Path | None, typer.Option("--part", help="List of the files written, with digests.")
    ] = None,
) -> int:
    """Stage 5: render pages again from the JSON alone."""
    from escape_score.pipeline.reports import render_chunk, render_results

    if profiles is not None and part is not None:
        return render_chunk(results, profiles, part, chunk=chunk, chunks=chunks, lang=lang)
    return render_results(results, out or results, lang=lang, has_pdf=pdf)


@app.command(hidden=True)
def gather(
    results: Annotated[Path, typer.Argument(help="Folder of results.")],
    parts: Annotated[list[Path], typer.Option("--parts", help="Part files of profile and report.")],
    more_parts: Annotated[list[Path] | None, typer.Argument(help="Further part files.")] = None,
    lang: Language = "en",
) -> int:
    """Write the cohort's statistics, its page and, last of all, the manifest."""
    from escape_score.pipeline.reports import gather_parts

    return gather_parts(results, (*parts, *(more_parts or ())), lang=lang)


@app.command()
def check(
    matrix: Annotated[Path, typer.Argument(help="Expression matrix.")],
    *,
    samples: Samples = None,
    units: Units = None,
    gene_lengths: GeneLengths = None,
    gene_sets: GeneSets = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> int:
    """Say all that is wrong or doubtful in an input, gravest first; scores nothing."""
    from escape_score.cli.check import check_input

    return check_input(
        matrix, samples=samples, units=units, gene_lengths=gene_lengths, gene_sets=gene_sets, as_json=as_json
    )


@app.command()
def verify(results: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of results.")]) -> int:
    """Tell whether a result folder agrees with its manifest."""
    from escape_score.cli.inspect import verify_results

    return verify_results(results)


@app.command()
def export(
    results: Annotated[Path, typer.Argument(help="Folder of a finished result.")],
    *,
    formats: Annotated[
        list[ExportFormat], typer.Option("--format", help="What to write; may be given several times.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder of the files; not inside the results.")],
    study: Annotated[
        str | None, typer.Option("--study", help="cBioPortal's study id; the cohort's name where not given.")
    ] = None,
) -> int:
    """Write a finished result for other programs: MultiQC, GCT 1.3, cBioPortal, JSON Schema."""
    from escape_score.cli.export import export_results

    return export_results(results, out, formats, study=study)


@app.command()
def schema(
    what: Annotated[str, typer.Argument(help="profile, cohort, config or workflow-config")] = "profile",
) -> int:
    """Print the JSON Schema of the profile, the cohort's statistics or the config."""
    from escape_score.cli.inspect import print_schema

    return print_schema(what)


@genesets_app.command("list")
def genesets_list() -> int:
    """List the shipped gene sets."""
    from escape_score.cli.inspect import list_genesets

    return list_genesets()


@genesets_app.command("show")
def genesets_show(signature_id: Annotated[str, typer.Argument(help="Name of a shipped set.")]) -> int:
    """Show genes and source of one shipped set."""
    from escape_score.cli.inspect import show_geneset

    return show_geneset(signature_id)


@genesets_app.command("check")
def genesets_check(gmt: Annotated[Path, typer.Argument(help="GMT file.")]) -> int:
    """Say what of a GMT can be scored."""
    from escape_score.cli.inspect import check_gmt

    return check_gmt(gmt)


@reference_app.command("fit")
def reference_fit(
    matrices: Annotated[
        list[Path], typer.Argument(metavar="MATRIX...", help="Matrices of one pipeline, 10 samples or more.")
    ],
    *,
    name: Annotated[str, typer.Option("--name", help="Name of the reference.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write; give it as --reference.")],
    units: Units = None,
    gene_lengths: GeneLengths = None,
    tumour_type: Annotated[
        str | None, typer.Option("--tumour-type", help="Shown beside every percentile.")
    ] = None,
    assay: Annotated[str | None, typer.Option("--assay", help="Shown beside every percentile.")] = None,
) -> int:
    """Fit a reference on tumours of one's own pipeline."""
    from escape_score.pipeline.fitting import FitRequest, fit_from_matrices

    return fit_from_matrices(
        FitRequest(tuple(matrices), name, out, units, gene_lengths, tumour_type=tumour_type, assay=assay)
    )


@reference_app.command("list")
def reference_list() -> int:
    """List the shipped references."""
    from escape_score.cli.inspect import list_shipped_references

    return list_shipped_references()


@reference_app.command("show")
def reference_show(name: Annotated[str, typer.Argument(help="Name or folder.")]) -> int:
    """Show what a reference was made from."""
    from escape_score.cli.inspect import show_reference

    return show_reference(name)
