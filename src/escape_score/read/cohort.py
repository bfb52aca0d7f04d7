"""The read stage: matrix and sample sheet to a cohort, with every fault found on the way.

Files and data in memory end in :func:`check_cohort`, so that both pass the same checks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import pandas as pd

from escape_score.config import RunConfig
from escape_score.errors import (
    MatrixInvalidError,
    UnitAmbiguousError,
    UnitContradictedError,
    UsageError,
    attempt,
    listed,
    raise_faults,
    unknown_name,
)
from escape_score.model.arguments import require_pairs, require_path, require_text, require_type
from escape_score.model.cohort import Cohort, SampleTotals
from escape_score.model.notes import Code, Note, NoteLog, note
from escape_score.model.units import ExpressionUnit, Strand, UnitDecision
from escape_score.read.checks.composition import composition_notes
from escape_score.read.checks.gene_kinds import check_kind, foreign_rows
from escape_score.read.checks.low_end import low_end_notes
from escape_score.read.checks.names import check_orientation, check_samples
from escape_score.read.checks.non_genes import selected, without_non_genes
from escape_score.read.checks.single_cells import glance_at, refuse_cells
from escape_score.read.checks.unit_evidence import totals_of
from escape_score.read.checks.units import decide_unit
from escape_score.read.checks.values import MatrixFacts, check_finite, flag_samples, gather_facts
from escape_score.read.files.limits import DEFAULT_LIMITS, ReadLimits, check_shape
from escape_score.read.files.probe import probe_path
from escape_score.read.formats import choose_format
from escape_score.read.formats.reader import MatrixFormat, MatrixReading, digest_of, matrix_digest
from escape_score.read.request import DEFAULT_REQUEST, ReadRequest
from escape_score.read.sheet import join_sheet, open_sheet, require_named

_logger = logging.getLogger(__name__)

_STATED_REMEDY = "the columns of the file state this unit, so declare another one if they are wrong"

Sheet = str | Path | pd.DataFrame | None
"""A sample sheet: a file, a table in memory, or none."""


_Word = TypeVar("_Word", bound=StrEnum)


@dataclass(frozen=True)
class _CheckedValues:
    """What is known of the numbers once they have been looked at."""

    unit: UnitDecision
    totals: SampleTotals
    flags: NoteLog


def read_cohort(
    matrix: str | Path,
    *,
    units: ExpressionUnit | str = ExpressionUnit.AUTO,
    samples: Sheet = None,
    cohort: str | None = None,
    transpose: bool = False,
    sheet: str | None = None,
    layer: str | None = None,
    strand: Strand | str = Strand.AUTO,
    as_samples: bool = False,
    columns: Mapping[str, str] = MappingProxyType({}),
    limits: ReadLimits = DEFAULT_LIMITS,
) -> Cohort:
    """Read an expression matrix and its sample sheet.

    Parameters
    ----------
    matrix
        File of any known format, detected from its content, or a folder as 10x Genomics or zarr writes
        it. Text, workbooks, GCT, parquet and feather have genes in rows and samples in columns; h5ad and
        zarr have samples in obs. Also a table of one sample, as RSEM, salmon, STAR and others write it, a
        folder of such tables, or a sheet of them with columns ``sample_id`` and ``path``.
    units
        Unit of the values, such as ``"tpm"`` or ``"counts"``; ``"auto"`` infers it from the numbers. It
        chooses among several quantities of one sample, TPM where it is ``"auto"``.
    samples
        Sample sheet with a column ``sample_id``: a file, or a table whose index may hold the sample ids.
    cohort
        Name of the cohort; the file's name without its endings where None.
    transpose
        Whether samples are in rows and genes in columns.
    sheet
        Sheet of a workbook that is the matrix; needed where several could be.
    layer
        Layer of an h5ad or zarr store that holds the values; ``X`` where None.
    strand
        Strandedness of the library, for gene counts of STAR: ``"unstranded"``, ``"forward"``, ``"reverse"``,
        or ``"auto"``, which infers it from the counts.
    as_samples
        Whether each row is one sample, even if rows look like single cells. Without it such a matrix is
        refused.
    columns
        Columns of the sample sheet that have other names than the package's: its name to theirs. A pair of
        two equal names, such as ``{"age": "age"}``, keeps a column for the statistics of
        :func:`escape_score.profile`.
    limits
        Sizes above which a file is refused.

    Returns
    -------
    Cohort
        Samples × genes as they are in the file, float64, NaN = not measured, without rows that are no genes
        (summaries, spike-ins, rows without a name); the unit decided; one record a sample.

    Raises
    ------
    InputError
        The only fault found.
    InputFaultsError
        All faults of matrix and sheet, where there are several.
    UsageError
        ``units`` is not a unit, ``strand`` is not a strandedness, or an argument is of a wrong type.

    Examples
    --------
    >>> import escape_score as es
    >>> cohort = es.read("matrix.tsv", units="tpm", samples="sheet.tsv")  # doctest: +SKIP
    """
    require_path("matrix", matrix, "the path of a file or folder; for data in memory use es.from_dataframe")
    require_type("limits", limits, ReadLimits, "a ReadLimits, or leave it out")
    options = RunConfig.of_arguments(transpose=transpose, sheet=sheet, layer=layer, as_samples=as_samples)
    request = ReadRequest(
        limits=limits,
        units=declared_unit(units),
        transpose=options.read.transpose,
        sheet=sheet,
        layer=layer,
        strand=declared_strand(strand),
        as_samples=options.read.as_samples,
        columns=columns,
    )
    return read_requested(Path(matrix), request, samples=samples, cohort=cohort)


def read_requested(
    matrix: Path, request: ReadRequest, *, samples: Sheet = None, cohort: str | None = None
) -> Cohort:
    """Read a matrix and its sheet as :func:`read_cohort`, by one object that holds all that is declared."""

    def opened() -> MatrixReading:
        found = choose_format(probe_path(matrix, request.limits))
        is_known = _refuse_cells_in(found, matrix, request)
        reading = found.open_matrix(matrix, request)
        if not (is_known or request.as_samples):
            refuse_cells(str(matrix), glance_at(reading.source), is_read=found.is_of_cells)
        return replace(reading, parts=reading.parts or (matrix,))

    name = cohort or cohort_name(matrix)
    return check_cohort(
        str(matrix),
        opened,
        units=request.units,
        samples=samples,
        name=name,
        limits=request.limits,
        columns=request.columns,
    )


def _refuse_cells_in(found: MatrixFormat, matrix: Path, request: ReadRequest) -> bool:
    """Whether a file could be looked at before it is read; raises SingleCellsError: it holds single cells."""
    # a fault of the file is named by its reader
    glance = None if request.as_samples else attempt(lambda: found.glance(matrix, request))
    seen = glance.results[0] if glance and glance.results else None
    if seen is not None:
        refuse_cells(str(matrix), seen, is_read=found.is_of_cells)
    return seen is not None


def cohort_name(matrix: Path) -> str:
    """Name of a cohort that was given none: its file's, without endings, or its folder's."""
    name = matrix.name if matrix.name.strip(".") else matrix.resolve().name
    return name.split(".")[0] or name


def check_cohort(
    label: str,
    opened: Callable[[], MatrixReading],
    *,
    units: ExpressionUnit | str,
    samples: Sheet,
    name: str,
    limits: ReadLimits = DEFAULT_LIMITS,
    columns: Mapping[str, str] = MappingProxyType({}),
) -> Cohort:
    """Check a matrix that can be opened, and its sample sheet, and make a cohort of them.

    ``label`` is what errors call the matrix; all else, and the errors raised, as in :func:`read_cohort`.
    """
    unit = declared_unit(units)
    require_text("cohort", name, "the name of the cohort")
    require_pairs("columns", columns, "the package's name of each column and yours: {'sample_id': 'Barcode'}")
    reading = attempt(lambda: _with_checked_names(label, opened(), limits))
    own_sheet = reading.results[0].sheet if reading.results else None
    sheet = attempt(lambda: open_sheet(own_sheet if samples is None else samples, columns))
    if reading.faults:
        raise_faults((*reading.faults, *sheet.faults))
    found = reading.get()
    source = found.source
    checked = attempt(lambda: _check_values(label, found, unit))
    joined = attempt(lambda: join_sheet(sheet.get(), source.sample_ids))
    raise_faults((*checked.faults, *joined.faults))
    values, (records, sheet_flags) = checked.get(), joined.get()
    require_named(columns, records, sheet.get())
    return Cohort(
        name=name,
        source=source,
        unit=values.unit,
        samples=records,
        totals=values.totals,
        label=label,
        input_sha256=digest_of(found.parts) if found.parts else None,
        matrix_sha256=None if found.parts else matrix_digest(source),
        flags=NoteLog(cohort=found.notes).joined(values.flags).joined(sheet_flags),
        gene_lengths=found.gene_lengths,
    )


def declared_unit(units: ExpressionUnit | str) -> ExpressionUnit:
    """Look a unit up by its name; raises UsageError: there is no such unit."""
    return _declared(ExpressionUnit, units, "units", "unit")


def declared_strand(strand: Strand | str) -> Strand:
    """Look a strandedness up by its name; raises UsageError: the name is not known."""
    return _declared(Strand, strand, "strand", "strandedness")


def _declared(words: type[_Word], word: _Word | str, argument: str, what: str) -> _Word:
    try:
        return words(word)
    except ValueError as error:
        raise UsageError.at(argument, unknown_name(what, str(word), tuple(words))) from error


def count_samples(matrix: Path, *, request: ReadRequest = DEFAULT_REQUEST) -> int:
    """Count the samples of a matrix by its header or footer, without reading its values or checking names.

    Raises InputError: the file cannot be opened as a matrix, or is too large, also where it holds cells.
    """
    found = choose_format(probe_path(matrix, request.limits))
    counted = attempt(lambda: found.count_samples(matrix, request))
    if counted.faults:
        _refuse_cells_in(found, matrix, request)
    return counted.get()


def list_parts(matrix: Path, *, request: ReadRequest = DEFAULT_REQUEST) -> tuple[Path, ...]:
    """List the files that a matrix is read from; raises InputError: it cannot be opened as a matrix."""
    return choose_format(probe_path(matrix, request.limits)).list_parts(matrix, request)


def _with_checked_names(label: str, reading: MatrixReading, limits: ReadLimits) -> MatrixReading:
    """Leave out rows that are no human genes, and check what samples and genes are called."""
    check_samples(label, reading.source.sample_ids, limits, layout=reading.layout)
    n_genes = len(reading.source.gene_ids)
    if n_genes > limits.max_genes:
        check_kind(label, reading.source.gene_ids, are_known_genes=False)
    check_shape(label, limits, n_genes=n_genes)
    source, notes = without_non_genes(reading.source)
    _check_name_lengths(label, (*source.sample_ids, *source.gene_ids), limits)
    names = source.gene_ids
    if foreign := foreign_rows(names):
        notes += (note(Code.SPECIES_SUSPECT, n=len(foreign), n_all=len(names), name=names[foreign[0]]),)
        reading, source = replace(reading, whole=source), selected(source, foreign)
    check_orientation(label, source.sample_ids, source.gene_ids, layout=reading.layout)
    if reading.annotation_columns:
        columns = listed(reading.annotation_columns)
        _logger.warning("%s: columns %s are descriptions and are not read as values", label, columns)
    return replace(reading, source=source, notes=(*reading.notes, *notes))


def _check_name_lengths(label: str, names: Sequence[str], limits: ReadLimits) -> None:
    too_long = [name for name in names if len(name) > limits.max_cell_bytes]
    if too_long:
        msg = f"a name of {len(too_long[0])} characters ({too_long[0][:40]!r} …); at most "
        raise MatrixInvalidError.at(label, msg + f"{limits.max_cell_bytes} are read, are quotes closed?")


def _check_values(label: str, reading: MatrixReading, declared: ExpressionUnit) -> _CheckedValues:
    facts = gather_facts(reading.source, label=label)
    # the unit shows in all rows of the file, whichever species they are of
    whole = facts if reading.whole is None else gather_facts(reading.whole, label=label)
    check_finite(whole)
    is_stated = reading.unit is not None and declared is ExpressionUnit.AUTO
    remedy = reading.remedy or (_STATED_REMEDY if is_stated else "")
    try:
        verdict = decide_unit(whole, declared, stated=reading.unit)
    except (UnitAmbiguousError, UnitContradictedError) as error:
        if not remedy:
            raise
        msg = f"{error}; {remedy}"
        raise type(error)(msg) from error
    unit = verdict.decision.unit
    totals = totals_of(facts, unit)
    shares = _foreign_shares(facts, totals, totals_of(whole, unit))
    by_sample = (*composition_notes(facts, unit), *low_end_notes(facts, unit), *shares)
    flags = NoteLog(cohort=verdict.notes, by_sample=by_sample)
    return _CheckedValues(verdict.decision, totals, flags.joined(flag_samples(facts)))


def _foreign_shares(
    facts: MatrixFacts, human: SampleTotals, whole: SampleTotals
) -> Iterator[tuple[str, Note]]:
    """Flag the share of each sample that is in rows of another species."""
    pairs = zip(facts.sample_ids, human.linear_total, whole.linear_total, strict=True)
    for sample_id, own, total in pairs:
        if total > own:
            yield sample_id, note(Code.SPECIES_SUSPECT, "share", share=float(1 - own / total))
