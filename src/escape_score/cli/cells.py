"""``escape-score cells``: single cells, from files to one profile a sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from escape_score.cli.log import CommandLog
from escape_score.cli.options import (
    Adjust,
    CohortName,
    ColumnMap,
    Formula,
    GeneSets,
    GroupBy,
    HasReports,
    Layer,
    LogJson,
    OwnLanguage,
    OwnSeed,
    Quiet,
    ReferenceName,
    RunConfigFile,
    Samples,
    require_config,
    require_files,
)
from escape_score.cli.run import profile_and_write

if TYPE_CHECKING:
    from escape_score.config import RunConfig

SampleColumn = Annotated[
    str | None, typer.Option("--sample-column", help="Column of obs that names the sample of each cell.")
]
PatientColumn = Annotated[
    str | None,
    typer.Option(
        "--patient-column",
        help="Column of obs that names the patient; if not given, patient_id or donor_id, else the sample.",
    ),
]
CellTypeColumn = Annotated[
    str | None,
    typer.Option("--cell-type-column", help="Column of obs with cell types; found from genes if not given."),
]
CellTypes = Annotated[
    Path | None,
    typer.Option("--cell-types", help="TSV with columns label and compartment, for labels of your own."),
]
Lineage = Annotated[
    str | None,
    typer.Option(
        "--malignant-lineage",
        help="Lineage of the malignant cells: auto, epithelial, mesenchymal, melanocytic, glial or any.",
    ),
]


def cells(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT…", help="h5ad, Cell Ranger .h5, 10x folders, or a sheet of them."),
    ],
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder of the results.")],
    sample_column: SampleColumn = None,
    patient_column: PatientColumn = None,
    cell_type_column: CellTypeColumn = None,
    cell_types: CellTypes = None,
    layer: Layer = None,
    malignant_lineage: Lineage = None,
    samples: Samples = None,
    columns: ColumnMap = None,
    group_by: GroupBy = None,
    adjust: Adjust = None,
    formula: Formula = None,
    cohort: CohortName = None,
    reference: ReferenceName = None,
    gene_sets: GeneSets = None,
    config: RunConfigFile = None,
    umap: Annotated[bool | None, typer.Option("--umap", help="Draw a map of each patient's cells.")] = None,
    h5ad: Annotated[
        bool | None, typer.Option("--h5ad", help="Also write cells.h5ad: all cells with labels and map.")
    ] = None,
    lang: OwnLanguage = None,
    seed: OwnSeed = None,
    reports: HasReports = True,
    quiet: Quiet = False,
    log_json: LogJson = False,
) -> int:
    """Profile samples of single cells: pseudo-bulk, compartments and what only cells show."""
    require_config(config)
    require_files(*inputs, samples=samples, cell_types=cell_types, gene_sets=gene_sets, reference=reference)
    from escape_score.config import RunConfig, load_config

    settings = (load_config(config) if config is not None else RunConfig()).overridden(
        outdir=out,
        samples=samples,
        sample_column=sample_column,
        patient_column=patient_column,
        cell_type_column=cell_type_column,
        cell_types=cell_types,
        layer=layer,
        malignant_lineage=malignant_lineage,
        umap=umap,
        h5ad=h5ad,
        reference=reference,
        gene_sets=gene_sets,
        lang=lang,
        seed=seed,
        columns=columns or None,
        groups=group_by or None,
        adjust=adjust or None,
        formula=formula,
    )
    log = CommandLog(is_quiet=quiet, is_json=log_json)
    return _cells(inputs, out, settings, cohort, log, has_reports=reports)


def _cells(
    inputs: list[Path],
    out: Path,
    settings: RunConfig,
    cohort: str | None,
    log: CommandLog,
    *,
    has_reports: bool,
) -> int:
    """Plan, profile and write; 5 where some samples failed."""
    from escape_score.pipeline.cells.profiling import CellOptions, profile_cell_cohort
    from escape_score.pipeline.profiling import ProfileOptions
    from escape_score.read.cells import CellRequest, open_cells
    from escape_score.read.cohort import cohort_name
    from escape_score.read.request import column_names
    from escape_score.report.text.i18n import translations
    from escape_score.store.ownership import require_result_folder

    translations(settings.report.lang)  # an unknown language is an error before the work, not after it
    own = settings.cells
    own.require_label_column()
    named = (*inputs, settings.samples, settings.score.gene_sets, own.cell_types)
    require_result_folder(out, named)
    request = CellRequest.from_config(own)
    named_columns = column_names(settings.reading.columns)
    options = ProfileOptions(
        reference=settings.profile.reference or ProfileOptions.reference,
        gene_sets=settings.score.gene_sets,
        min_genes=settings.min_genes,
        choice=settings.score.choice(threads=settings.threads),
        statistics=settings.statistics,
        seed=settings.seed,
    )
    return profile_and_write(
        lambda progress: profile_cell_cohort(
            lambda: open_cells(inputs, request),
            options,
            lambda: CellOptions.of(own, seed=settings.seed),
            samples=settings.samples,
            columns=named_columns,
            name=cohort or cohort_name(inputs[0]),
            on_stage=progress.stage,
            on_patient=progress.advance,
        ),
        out,
        log,
        lang=settings.report.lang if has_reports else None,
        reference=settings.profile.reference,
        threads=settings.threads,
    )
