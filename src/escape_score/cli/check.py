"""``escape-score check``: errors and warnings of an input; scores nothing."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from escape_score.cli.log import CommandLog, print_limited, remarks_to
from escape_score.cli.options import (
    AsSamples,
    ColumnMap,
    GeneLengths,
    GeneSets,
    Layer,
    LengthsFromPositions,
    Matrix,
    ReferenceName,
    Samples,
    SheetName,
    Strandedness,
    Transpose,
    Units,
    read_request,
    require_files,
)
from escape_score.errors import counted


def check(
    matrix: Matrix,
    *,
    samples: Samples = None,
    units: Units = None,
    gene_lengths: GeneLengths = None,
    lengths_from_positions: LengthsFromPositions = None,
    gene_sets: GeneSets = None,
    reference: ReferenceName = None,
    transpose: Transpose = None,
    sheet: SheetName = None,
    layer: Layer = None,
    strand: Strandedness = None,
    as_samples: AsSamples = None,
    columns: ColumnMap = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> int:
    """Report errors and warnings in an input, most severe first; writes nothing."""
    if not as_json:
        require_files(
            matrix, samples=samples, gene_lengths=gene_lengths, gene_sets=gene_sets, reference=reference
        )
    from escape_score.pipeline.inspection import ERROR, inspect_input

    request = read_request(
        units=units,
        transpose=transpose,
        sheet=sheet,
        layer=layer,
        strand=strand,
        as_samples=as_samples,
        columns=columns,
    )
    with remarks_to(CommandLog()) as remarks:
        report = inspect_input(
            matrix,
            request,
            samples=samples,
            gene_lengths=gene_lengths,
            lengths_from_positions=bool(lengths_from_positions),
            gene_sets=gene_sets,
            reference=reference or "auto",
        )
        if report.exit_code:
            remarks.clear()
    if as_json:
        print(json.dumps(asdict(report), indent=2, ensure_ascii=False))
        return int(report.exit_code)
    if report.unit:
        n_samples, n_genes = counted(report.n_samples, "sample"), counted(report.n_genes, "gene")
        print(f"{matrix}: {n_samples}, {n_genes} recognised")
        print(f"unit: {report.unit} ({report.unit_evidence})")
        print(f"reference: {report.reference_choice}")
    errors = [finding.line for finding in report.findings if finding.kind == ERROR]
    others = [finding.line for finding in report.findings if finding.kind != ERROR]
    print_limited(errors, rest="error: and {n} more faults; fix these first")
    print_limited(others, rest="note: and {n} more findings; --json shows all of them", to=sys.stdout)
    if not report.findings:
        print("no errors or warnings")
    return int(report.exit_code)
