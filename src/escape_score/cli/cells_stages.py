"""Jobs of the workflow for single cells: one sample read, seeds of a cohort, one patient, the pseudo-bulk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from escape_score.cli.cells import CellTypes
from escape_score.cli.options import CohortName, ColumnMap, OutFile, Samples, Seed, require_files

Inputs = Annotated[list[Path], typer.Argument(metavar="INPUT…", help="Files of single cells.")]
SampleFiles = Annotated[list[Path], typer.Argument(metavar="SAMPLE…", help="Files of the job cells-read.")]
PatientFiles = Annotated[
    list[Path], typer.Argument(metavar="PATIENT…", help="Files of the job cells-patient.")
]
BlockJson = Annotated[str, typer.Option("--options", help="The config's block cells, as JSON.")]


def cells_read(
    inputs: Inputs,
    out: OutFile,
    slug: Annotated[str, typer.Option("--slug", help="Sample, by the name of its files.")],
    options: BlockJson = "{}",
) -> int:
    """Read the cells of one sample that pass the gates."""
    require_files(*inputs)
    from escape_score.config import CellsConfig, parse_block
    from escape_score.pipeline.cells.reading import read_one
    from escape_score.read.cells import CellRequest

    request = CellRequest.from_config(parse_block("--options", options, CellsConfig))
    read_one(inputs, request, slug=slug, out=out)
    return 0


def cells_seeds(samples: SampleFiles, out: OutFile, seed: Seed = 1) -> int:
    """Train what tells compartments apart, on certain cells of all samples."""
    require_files(*samples)
    from escape_score.pipeline.cells.stages import write_seeds

    write_seeds(samples, out, seed=seed)
    return 0


def cells_patient(
    samples: SampleFiles,
    out: OutFile,
    *,
    seeds: Annotated[Path, typer.Option("--seeds", help="File of the job cells-seeds.")],
    cell_types: CellTypes = None,
    options: BlockJson = "{}",
    seed: Seed = 1,
) -> int:
    """Label, sum and quantify the cells of one patient."""
    require_files(*samples, seeds, cell_types=cell_types)
    from escape_score.config import CellsConfig, parse_block
    from escape_score.pipeline.cells.profiling import CellOptions
    from escape_score.pipeline.cells.stages import write_one_patient

    block = parse_block("--options", options, CellsConfig)
    config = block.model_copy(update={"cell_types": cell_types})
    write_one_patient(samples, seeds, CellOptions.of(config, seed=seed), out)
    return 0


def cells_bulk(
    patients: PatientFiles,
    out: OutFile,
    *,
    source: Annotated[Path, typer.Option("--source", help="File of single cells.")],
    samples: Samples = None,
    columns: ColumnMap = None,
    cohort: CohortName = None,
    options: BlockJson = "{}",
) -> int:
    """Join the cells of each sample to a cohort of bulk expression."""
    require_files(source, *patients, samples=samples)
    from escape_score.config import CellsConfig, parse_block
    from escape_score.pipeline.cells.stages import bulk_of
    from escape_score.read.cells import CellRequest
    from escape_score.read.cohort import cohort_name
    from escape_score.read.request import column_names
    from escape_score.store.h5ad import write_cohort

    request = CellRequest.from_config(parse_block("--options", options, CellsConfig))
    name = cohort or cohort_name(source)
    named = column_names(columns or ())
    write_cohort(out, bulk_of([source], request, patients, samples=samples, columns=named, name=name))
    return 0
