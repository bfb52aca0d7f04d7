"""References of a user's own: fitted on their matrices, or on the cohort that is being profiled."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from escape_score import __version__
from escape_score.errors import ReferenceInvalidError, UsageError, listed
from escape_score.fit import ReferenceLabel, distinct_samples, join_cohorts
from escape_score.fit import fit_reference as fit_on
from escape_score.genes.lengths import open_gene_lengths
from escape_score.harmonise import harmonise
from escape_score.library.axes import load_design
from escape_score.model.cohort import Cohort, HarmonisedCohort
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores
from escape_score.model.units import ExpressionUnit
from escape_score.reference.known import NAME_PATTERN, Origin, kept_folder, known_references
from escape_score.reference.read import AUTO_REFERENCE, COHORT_REFERENCE, DEFAULT_REFERENCE, load_reference
from escape_score.reference.write import recorded, write_reference

NOT_STATED = "not stated"
GIVEN_TWICE = "samples given twice, counted once"
"""Key of the provenance that names such samples."""


def fit_reference(
    cohorts: Sequence[Cohort],
    *,
    name: str,
    tumour_type: str | None = None,
    assay: str | None = None,
    gene_lengths: str | Path | None = None,
    out: str | Path | None = None,
) -> Reference:
    """Fit a reference on cohorts of one pipeline.

    Parameters
    ----------
    cohorts
        From :func:`escape_score.read`; together 10 samples or more, from 20 on levels are stable. A sample
        that is given twice, with the same id and the same values, counts once.
    name
        Name of the reference: letters, digits, ``.``, ``_`` and ``-``.
    tumour_type, assay
        What they are, shown next to every percentile.
    gene_lengths
        TSV of genes and their lengths in bp, for counts; the shipped lengths where None.
    out
        Folder to write it to; give that folder as ``reference`` later. Where None, it is kept in your data
        folder: its name finds it, and ``reference="auto"`` takes it for cohorts that match it.

    Returns
    -------
    Reference
        For the argument ``reference`` of :func:`escape_score.profile`.

    Raises
    ------
    UsageError
        The name cannot be used or is taken, or ``cohorts`` is empty.
    ReferenceUnfittableError
        Too few samples, cohorts of different scales, or an id with different values in two of them.
    OutputUnwritableError
        ``out`` holds other files, or the folder cannot be written.

    Examples
    --------
    >>> import escape_score as es
    >>> lab = es.fit_reference([es.read("lab.tsv")], name="our-lab")  # doctest: +SKIP
    >>> result = es.profile(es.read("patient.tsv"), reference="our-lab")  # doctest: +SKIP
    """
    require_name(name, is_kept=out is None)
    if not cohorts:
        msg = "cohorts: there is none; give at least one cohort of es.read"
        raise UsageError(msg)
    lengths = open_gene_lengths(gene_lengths)
    harmonised, repeated = distinct_samples([harmonise(cohort, gene_lengths=lengths) for cohort in cohorts])
    fitted = fit_joined(
        harmonised,
        name=name,
        samples="samples given by the user",
        tumour_type=tumour_type,
        assay=assay,
        notes={GIVEN_TWICE: listed(repeated)} if repeated else {},
    )
    write_reference(kept_folder(name, Origin.FITTED) if out is None else Path(out), fitted)
    return fitted


def fit_joined(
    cohorts: Sequence[HarmonisedCohort],
    *,
    name: str,
    samples: str,
    tumour_type: str | None = None,
    assay: str | None = None,
    notes: Mapping[str, str] = MappingProxyType({}),
) -> Reference:
    """Fit a reference on all samples of harmonised cohorts of one pipeline.

    ``samples`` names the samples in the description, ``notes`` are added to the provenance. Raises
    ReferenceUnfittableError: too few samples, or cohorts that cannot be joined.
    """
    joined, base = join_cohorts(name, cohorts), load_reference()
    label = ReferenceLabel(
        name=name,
        description=f"{len(joined.sample_ids)} {samples}, fitted together with {base.name}",
        tumour_type=tumour_type or NOT_STATED,
        assay=assay or _assay(joined),
        provenance=_provenance(cohorts) | dict(notes),
    )
    return _fitted(joined, label, min_samples=load_design().thresholds.fit.min_fit_samples)


def fit_on_cohort(cohort: HarmonisedCohort) -> Reference:
    """Fit the reference ``cohort`` on the cohort that is being profiled.

    Raises ReferenceUnfittableError: fewer than 20 samples can be placed.
    """
    n, types = len(cohort.sample_ids), {sample.cancer_type for sample in cohort.samples} - {""}
    label = ReferenceLabel(
        name=COHORT_REFERENCE,
        description=f"the {n} samples of this cohort themselves: numbers of a sample depend on the others",
        tumour_type=NOT_STATED if not types else types.pop() if len(types) == 1 else "mixed",
        assay=_assay(cohort),
        provenance=_provenance((cohort,)),
    )
    return _fitted(cohort, label, min_samples=load_design().thresholds.fit.advised_fit_samples)


def open_reference(reference: str | Path | Reference = AUTO_REFERENCE) -> Reference | None:
    """Look a reference up by name or folder; None for ``"cohort"``, the cohort that is being profiled.

    Raises ReferenceInvalidError: there is no such reference, or a table of it is damaged.
    """
    if isinstance(reference, Reference):
        return reference
    if str(reference) == AUTO_REFERENCE:
        return load_reference()
    return None if str(reference) == COHORT_REFERENCE else load_reference(str(reference))


def fitted_folder(scores: Path) -> Path:
    """Folder of the reference that was fitted on a cohort, next to its scores."""
    return scores.with_name("reference")


def reference_of_scores(path: Path, scores: SignatureScores, reference: str) -> Reference:
    """Look up the reference that a file of scores was made with; one fitted on the cohort is next to it.

    Raises ReferenceInvalidError: there is no such reference, or the scores were made with another one.
    """
    folder = fitted_folder(path)
    if reference == COHORT_REFERENCE and not folder.is_dir():
        msg = f"{folder}: no such folder; run the stage score with --reference {COHORT_REFERENCE} first"
        raise ReferenceInvalidError(msg)
    named = {COHORT_REFERENCE: str(folder), AUTO_REFERENCE: DEFAULT_REFERENCE}
    loaded = load_reference(named.get(reference, reference))
    if (loaded.name, loaded.sha256) != (scores.reference, scores.reference_sha256):
        other = loaded.name if loaded.name != scores.reference else f"this state of {loaded.name}"
        msg = f"{path}: scored against {scores.reference}, not {other}; score again or give that reference"
        raise ReferenceInvalidError(msg)
    return loaded


def require_name(name: str, *, is_kept: bool) -> None:
    """Refuse a name that is taken or has other characters; raises UsageError.

    A reference that is kept must not have the name of another one that is kept.
    """
    known = {one.name: one.origin for one in known_references()}
    reserved = (*(one for one in known if known[one] is Origin.SHIPPED), COHORT_REFERENCE, AUTO_REFERENCE)
    if not re.fullmatch(NAME_PATTERN, name) or name in reserved:
        msg = (
            f"name: {name!r} cannot be the name of a reference; use letters, digits, '.', '_' and '-', and "
            f"none of {', '.join(reserved)}"
        )
        raise UsageError(msg)
    if is_kept and name in known:
        msg = f"name: {name!r} is kept already; choose another name, or run: reference remove {name}"
        raise UsageError(msg)


def _fitted(cohort: HarmonisedCohort, label: ReferenceLabel, *, min_samples: int) -> Reference:
    base, design = load_reference(), load_design()
    return recorded(fit_on(cohort, base, design=design, label=label, min_samples=min_samples))


def _assay(cohort: HarmonisedCohort) -> str:
    platform = {ExpressionUnit.ARRAY: "microarray", ExpressionUnit.NANOSTRING: "NanoString"}
    kind = "targeted panel" if cohort.is_targeted_panel else "whole transcriptome"
    return f"{platform.get(cohort.unit.unit, 'RNA-seq')}, {kind}"


def _provenance(cohorts: Sequence[HarmonisedCohort]) -> dict[str, str]:
    """What a reference was fitted on: digests and units of the inputs, program, base."""
    base = load_reference()
    inputs, lengths = dict[str, str](), dict[str, str]()
    for i, cohort in enumerate(cohorts, 1):
        digest = cohort.input_sha256 or f"of the matrix {cohort.matrix_sha256}"
        inputs[f"input {i}"] = f"sha256 {digest}, {cohort.unit.unit.value}, {len(cohort.sample_ids)} samples"
        lengths |= {f"{key} {i}": value for key, value in cohort.parameters if value and "sha256" in key}
    return {**inputs, **lengths, "escape_score": __version__, f"base {base.name}": base.sha256}
