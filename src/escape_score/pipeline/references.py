"""References of a user's own: fitted on their matrices, or on the cohort that is being profiled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from escape_score import __version__
from escape_score.errors import ReferenceInvalidError, UsageError, listed
from escape_score.fit import ReferenceLabel, distinct_samples, join_cohorts, require_samples, with_rows
from escape_score.fit import fit_reference as fit_on
from escape_score.fit.selection import LeftOut
from escape_score.fit.survey import evenly, held
from escape_score.genes.lengths import open_gene_lengths
from escape_score.harmonise import harmonise
from escape_score.library.axes import load_design
from escape_score.model.arguments import require_path, require_text, require_type
from escape_score.model.cohort import Cohort, HarmonisedCohort
from escape_score.model.reference import Reference
from escape_score.model.scores import SignatureScores
from escape_score.model.units import ExpressionUnit
from escape_score.pipeline.arguments import require_cohort
from escape_score.pipeline.candidates import Candidates
from escape_score.reference.known import (
    AUTO_REFERENCE,
    COHORT_REFERENCE,
    NAME_PATTERN,
    Origin,
    kept_folder,
    known_references,
)
from escape_score.reference.read import load_reference
from escape_score.reference.write import recorded, write_reference

NOT_STATED = "not stated"
GIVEN_TWICE = "samples given twice, counted once"
"""Key of the provenance that names such samples."""


NOT_ENTERED = "samples left out"
"""Begin of the keys of the provenance that name samples which did not enter."""
LEFT_OUT_WORDS = {
    LeftOut.NORMAL: "normal tissue",
    LeftOut.CELL_LINE: "cell lines",
    LeftOut.REPEAT: "further samples of a patient",
}


def fit_reference(
    cohorts: Cohort | Sequence[Cohort],
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
        One or several, from :func:`escape_score.read`; together 10 tumours or more, from 20 on levels are
        stable. A sample that is given twice, with the same id and the same values, counts once. Normal
        tissue, cell lines and further samples of a patient are left out (``sample_type`` and ``patient_id``
        of the sheet, or TCGA barcodes).
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
        The name cannot be used or is taken, ``cohorts`` is empty or holds something else, or an argument is
        of a wrong type.
    ReferenceUnfittableError
        Too few samples, cohorts of different scales, an id with different values in two of them, or two
        groups of samples that differ like two pipelines.
    OutputUnwritableError
        ``out`` holds other files, or the folder cannot be written.

    Examples
    --------
    >>> import escape_score as es
    >>> lab = es.fit_reference([es.read("lab.tsv")], name="our-lab")  # doctest: +SKIP
    >>> result = es.profile(es.read("patient.tsv"), reference="our-lab")  # doctest: +SKIP
    """
    given = _cohorts_of(cohorts)
    require_text("name", name, "the name of the reference")
    require_name(name, is_kept=out is None)
    for argument, text in (("tumour_type", tumour_type), ("assay", assay)):
        if text is not None:
            require_type(argument, text, str, "a text, or leave it out")
    if out is not None:
        require_path("out", out, "the folder to write the reference to, or leave it out")
    lengths = open_gene_lengths(gene_lengths)
    harmonised, repeated = distinct_samples([harmonise(cohort, gene_lengths=lengths) for cohort in given])
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


def _cohorts_of(cohorts: Cohort | Iterable[Cohort]) -> tuple[Cohort, ...]:
    """One cohort, or several; raises UsageError: there is none, or something else among them."""
    if isinstance(cohorts, Cohort) or not isinstance(cohorts, Iterable):
        require_cohort("cohorts", cohorts)
        return (cohorts,)
    given = tuple(cohorts)
    if not given:
        msg = "cohorts: there is none; give at least one cohort of es.read"
        raise UsageError(msg)
    for one in given:
        require_cohort("cohorts", one)
    return given


def fit_joined(
    cohorts: Sequence[HarmonisedCohort],
    *,
    name: str,
    samples: str,
    tumour_type: str | None = None,
    assay: str | None = None,
    notes: Mapping[str, str] = MappingProxyType({}),
    is_one_pipeline: bool = False,
) -> Reference:
    """Fit a reference on the tumours of harmonised cohorts of one pipeline, one sample a patient.

    ``samples`` names the samples in the description, ``notes`` are added to the provenance. The samples are
    searched for groups of two pipelines unless they are known to be of one. Raises ReferenceUnfittableError:
    too few tumours, or cohorts that cannot be joined.
    """
    joined = join_cohorts(name, cohorts)
    # what is kept must not change a fit
    candidates = Candidates.of(joined, (Origin.SHIPPED,))
    base, seen = candidates.base(), candidates.survey
    if not is_one_pipeline:
        candidates.require_one_pipeline(base, joined.label or joined.name)
    label = ReferenceLabel(
        name=name,
        description=f"{len(seen.rows)} {samples}, fitted together with {base.name}",
        tumour_type=tumour_type or NOT_STATED,
        assay=assay or _assay(joined),
        provenance=_provenance(cohorts, base) | dict(notes) | _left_out(joined, seen.left_out),
    )
    least = load_design().thresholds.fit.min_fit_samples
    return _fitted(joined, base, label, rows=seen.rows, min_samples=least)


def fit_on_cohort(cohort: HarmonisedCohort, base: Reference, *, rows: Sequence[int]) -> Reference:
    """Fit the reference ``cohort`` on the cohort that is being profiled.

    Parameters
    ----------
    cohort
        log2(TPM + 1).
    base
        What spreads and slopes are shrunk towards.
    rows
        Tumours, by position in the order of their ids. Of more than ``thresholds.auto.own_samples`` so many
        enter, evenly spread.

    Raises
    ------
    ReferenceUnfittableError
        Fewer than 20 samples can be placed.
    """
    design = load_design()
    entering = evenly(rows, design.thresholds.auto.own_samples)
    n, types = len(entering), {cohort.samples[row].cancer_type for row in entering} - {""}
    label = ReferenceLabel(
        name=COHORT_REFERENCE,
        description=f"{n} samples of this cohort itself, fitted together with {base.name}: the numbers of a "
        "sample depend on the others",
        tumour_type=NOT_STATED if not types else types.pop() if len(types) == 1 else "mixed",
        assay=_assay(cohort),
        provenance=_provenance((cohort,), base),
    )
    least = design.thresholds.fit.advised_fit_samples
    require_samples(n, least, name=label.name, source=cohort.label or cohort.name)
    own = held(cohort, entering, {*cohort.gene_symbols})
    return _fitted(own, base, label, rows=range(n), min_samples=least)


def open_reference(reference: str | Path | Reference = AUTO_REFERENCE) -> Reference | None:
    """Look a reference up by name or folder; None for ``"auto"`` and ``"cohort"``, which need the cohort.

    Raises ReferenceInvalidError: no reference has this name, or a table of it is damaged. Raises UsageError:
    it is of another type.
    """
    if isinstance(reference, Reference):
        return reference
    require_path(
        "reference", reference, "'auto', 'cohort', a name of es.list_references, a folder or a Reference"
    )
    is_chosen = str(reference) in {AUTO_REFERENCE, COHORT_REFERENCE}
    return None if is_chosen else load_reference(str(reference))


def used_folder(scores: Path) -> Path:
    """Folder of the reference that the stage score used, next to its scores."""
    return scores.with_name("reference")


def reference_of_scores(path: Path, scores: SignatureScores, reference: str) -> Reference:
    """Look up the reference that a file of scores was made with, which is next to it.

    Raises ReferenceInvalidError: it is not there, another one is there, or ``reference`` names another one.
    """
    folder = used_folder(path)
    if not folder.is_dir():
        raise ReferenceInvalidError.at(folder, "no such folder; run the stage score again")
    loaded = load_reference(str(folder))
    if (loaded.name, loaded.sha256) != (scores.reference, scores.reference_sha256):
        msg = (
            f"is not the reference {scores.reference} that {path} was scored with; run the stage score again"
        )
        raise ReferenceInvalidError.at(folder, msg)
    named = open_reference(reference)
    if named is not None and named.sha256 != loaded.sha256:
        other = named.name if named.name != loaded.name else f"this state of {named.name}"
        msg = f"scored against {loaded.name}, not {other}; score again or give that reference"
        raise ReferenceInvalidError.at(path, msg)
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


def _fitted(
    cohort: HarmonisedCohort,
    base: Reference,
    label: ReferenceLabel,
    *,
    rows: Sequence[int],
    min_samples: int,
) -> Reference:
    """Fit on some samples of a cohort."""
    require_samples(len(rows), min_samples, name=label.name, source=cohort.label or cohort.name)
    entering, design = with_rows(cohort, sorted(rows)), load_design()
    return recorded(fit_on(entering, base, design=design, label=label, min_samples=min_samples))


def _left_out(cohort: HarmonisedCohort, rows: Mapping[int, LeftOut]) -> dict[str, str]:
    """Samples that did not enter, by reason, for the provenance."""
    ids = {kind: [cohort.sample_ids[row] for row in rows if rows[row] is kind] for kind in LeftOut}
    return {f"{NOT_ENTERED}, {LEFT_OUT_WORDS[kind]}": listed(names) for kind, names in ids.items() if names}


def _assay(cohort: HarmonisedCohort) -> str:
    platform = {ExpressionUnit.ARRAY: "microarray", ExpressionUnit.NANOSTRING: "NanoString"}
    kind = "targeted panel" if cohort.is_targeted_panel else "whole transcriptome"
    return f"{platform.get(cohort.unit.unit, 'RNA-seq')}, {kind}"


def _provenance(cohorts: Sequence[HarmonisedCohort], base: Reference) -> dict[str, str]:
    """What a reference was fitted on: digests and units of the inputs, program, base."""
    inputs, lengths = dict[str, str](), dict[str, str]()
    for i, cohort in enumerate(cohorts, 1):
        digest = cohort.input_sha256 or f"of the matrix {cohort.matrix_sha256}"
        inputs[f"input {i}"] = f"sha256 {digest}, {cohort.unit.unit.value}, {len(cohort.sample_ids)} samples"
        lengths |= {f"{key} {i}": value for key, value in cohort.parameters if value and "sha256" in key}
    return {**inputs, **lengths, "escape_score": __version__, f"base {base.name}": base.sha256}
