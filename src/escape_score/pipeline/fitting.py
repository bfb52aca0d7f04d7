"""References fitted by a user: on matrices of their own, or on the cohort that is being profiled."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from escape_score import __version__
from escape_score.errors import UsageError, raise_faults
from escape_score.fit import ReferenceLabel, fit_reference, join_cohorts
from escape_score.library.axes import load_design
from escape_score.model.cohort import HarmonisedCohort
from escape_score.model.reference import Reference
from escape_score.model.units import ExpressionUnit
from escape_score.pipeline import stages as pipeline
from escape_score.reference.read import COHORT_REFERENCE, list_references, load_reference
from escape_score.reference.write import sealed, write_reference

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class FitRequest:
    """What ``reference fit`` was asked for."""

    matrices: tuple[Path, ...]
    name: str
    out: Path
    units: ExpressionUnit | None = None
    gene_lengths: Path | None = None
    tumour_type: str | None = None
    assay: str | None = None


def fit_from_matrices(request: FitRequest) -> int:
    """Fit a reference on matrices of one pipeline and write its folder."""
    _require_name(request.name)
    cohorts = _harmonised(request)
    labels = [str(path) for path in request.matrices]
    joined = join_cohorts(request.name, cohorts, labels)
    reference = _fit(
        joined,
        _label(request, joined, cohorts),
        min_samples=load_design().thresholds.fit.min_fit_samples,
        source=", ".join(labels),
    )
    write_reference(request.out, reference)
    _tell(reference, request.out)
    return 0


def fit_on_cohort(cohort: HarmonisedCohort, *, source: Path) -> Reference:
    """Fit the reference ``cohort`` on the cohort that is being profiled.

    Raises
    ------
    ReferenceUnfittableError
        Fewer than 20 samples can be placed.
    """
    n = len(cohort.sample_ids)
    label = ReferenceLabel(
        name=COHORT_REFERENCE,
        description=f"the {n} samples of this cohort themselves: numbers of a sample depend on the others",
        tumour_type=_only({sample.cancer_type for sample in cohort.samples}),
        assay=_assay(cohort),
        provenance=_provenance((cohort,)),
    )
    return _fit(
        cohort, label, min_samples=load_design().thresholds.fit.advised_fit_samples, source=str(source)
    )


def _fit(cohort: HarmonisedCohort, label: ReferenceLabel, *, min_samples: int, source: str) -> Reference:
    fitted = fit_reference(
        cohort,
        load_reference(),
        design=load_design(),
        label=label,
        min_samples=min_samples,
        source=source,
    )
    return sealed(fitted)


def _require_name(name: str) -> None:
    taken = (*list_references(), COHORT_REFERENCE)
    if not NAME.fullmatch(name) or name in taken:
        msg = (
            f"--name: {name!r} cannot be the name of a reference; use letters, digits, '.', '_' and '-', and "
            f"none of {', '.join(taken)}"
        )
        raise UsageError(msg)


def _harmonised(request: FitRequest) -> list[HarmonisedCohort]:
    """Read and harmonise every matrix; the faults of all are raised together."""
    from escape_score.read import read_cohort
    from escape_score.read.checks.faults import attempt

    def harmonised(matrix: Path) -> HarmonisedCohort:
        unit = request.units or ExpressionUnit.AUTO
        cohort = read_cohort(matrix, name=pipeline.cohort_name(matrix), declared_unit=unit)
        return pipeline.harmonise(cohort, gene_lengths=request.gene_lengths, min_genes=1, source=matrix)

    attempts = [attempt(partial(harmonised, matrix)) for matrix in request.matrices]
    raise_faults(fault for one in attempts for fault in one.faults)
    return [one.get() for one in attempts]


def _label(
    request: FitRequest, joined: HarmonisedCohort, cohorts: Sequence[HarmonisedCohort]
) -> ReferenceLabel:
    n, base = len(joined.sample_ids), load_reference()
    return ReferenceLabel(
        name=request.name,
        description=f"{n} samples given by the user, fitted beside {base.name}",
        tumour_type=request.tumour_type or "not stated",
        assay=request.assay or _assay(joined),
        provenance=_provenance(cohorts),
    )


def _assay(cohort: HarmonisedCohort) -> str:
    platform = {ExpressionUnit.ARRAY: "microarray", ExpressionUnit.NANOSTRING: "NanoString"}
    kind = "targeted panel" if cohort.is_targeted_panel else "whole transcriptome"
    return f"{platform.get(cohort.unit.unit, 'RNA-seq')}, {kind}"


def _provenance(cohorts: Sequence[HarmonisedCohort]) -> dict[str, str]:
    """What a reference was fitted on: digests and units of the inputs, program, base."""
    base = load_reference()
    inputs = {
        f"input {i}": f"sha256 {c.input_sha256}, {c.unit.unit.value}, {len(c.sample_ids)} samples"
        for i, c in enumerate(cohorts, 1)
    }
    lengths = {
        f"{key} {i}": v for i, c in enumerate(cohorts, 1) for key, v in c.parameters if v and "sha256" in key
    }
    return {**inputs, **lengths, "escape_score": __version__, f"base {base.name}": base.sha256}


def _only(words: set[str]) -> str:
    """The one word that all share; "not stated" where there is none, "mixed" where they differ."""
    said = words - {""}
    return "not stated" if not said else said.pop() if len(said) == 1 else "mixed"


def _tell(reference: Reference, out: Path) -> None:
    """Say what was fitted, and what stands against it."""
    n, advised = reference.n_samples, load_design().thresholds.fit.advised_fit_samples
    if n < advised:
        print(
            f"warning: {reference.name} rests on {n} samples; from {advised} on its levels are steadier",
            file=sys.stderr,
        )
    if reference.untrusted_genes:
        names = ", ".join(reference.untrusted_genes)
        print(f"warning: not used, since this pipeline does not count them right: {names}", file=sys.stderr)
    print(
        f"{reference.name}: {n} samples, {len(reference.genes.symbols)} genes; use it with --reference {out}"
    )
