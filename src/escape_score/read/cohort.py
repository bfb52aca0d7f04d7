"""The read stage: matrix and sample sheet to a cohort, with every fault found on the way."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from escape_score.errors import MatrixInvalidError, UnitAmbiguousError, UnitContradictedError, raise_faults
from escape_score.model.cohort import Cohort, SampleTotals
from escape_score.model.flags import FlagLog
from escape_score.model.units import ExpressionUnit, UnitDecision
from escape_score.read.checks.composition import composition_notes
from escape_score.read.checks.faults import attempt, listed
from escape_score.read.checks.gene_kinds import species_notes
from escape_score.read.checks.names import check_orientation
from escape_score.read.checks.non_genes import without_non_genes
from escape_score.read.checks.unit_evidence import totals_of
from escape_score.read.checks.units import decide_unit
from escape_score.read.checks.values import check_finite, flag_samples, gather_facts
from escape_score.read.files.digest import digest_of
from escape_score.read.files.limits import DEFAULT_LIMITS, ReadLimits, check_shape
from escape_score.read.files.probe import probe_path
from escape_score.read.formats.reader import MatrixReading
from escape_score.read.formats.registry import choose_format
from escape_score.read.sheet import join_sheet, read_sample_sheet

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _CheckedValues:
    """What is known of the numbers once they have been looked at."""

    unit: UnitDecision
    totals: SampleTotals
    flags: FlagLog


def read_cohort(
    matrix: Path,
    *,
    name: str,
    declared_unit: ExpressionUnit = ExpressionUnit.AUTO,
    sample_sheet: Path | None = None,
    limits: ReadLimits = DEFAULT_LIMITS,
) -> Cohort:
    """Read an expression matrix and its sample sheet.

    Parameters
    ----------
    matrix
        File of any format in the registry, told by its content, or a folder as 10x Genomics writes it. Text,
        workbooks, GCT, parquet and feather have genes in rows and samples in columns; h5ad has samples in
        obs.
    name
        Name of the cohort.
    declared_unit
        Unit of the values; ``AUTO`` lets the numbers decide.
    sample_sheet
        Table with a column ``sample_id``, or None.
    limits
        Sizes above which a file is refused.

    Returns
    -------
    Cohort
        Samples × genes as they stand in the file, float64, NaN = not measured, without rows that are no genes
        (summaries, spike-ins, rows without a name); the unit decided; one record a sample.

    Raises
    ------
    InputError
        The only fault found.
    InputFaultsError
        All faults of matrix and sheet, where there are several.
    """
    reading = attempt(lambda: _open_matrix(matrix, limits))
    sheet = attempt(lambda: read_sample_sheet(sample_sheet) if sample_sheet else None)
    if reading.faults:
        raise_faults((*reading.faults, *sheet.faults))
    opened = reading.get()
    source = opened.source
    checked = attempt(lambda: _check_values(matrix, opened, declared_unit))
    joined = attempt(lambda: join_sheet(sheet.get(), source.sample_ids))
    raise_faults((*checked.faults, *joined.faults))
    values, (samples, sheet_flags) = checked.get(), joined.get()
    flags = FlagLog(cohort=opened.notes).joined(values.flags).joined(sheet_flags)
    digest = digest_of(opened.parts or (matrix,))
    return Cohort(name, source, values.unit, samples, digest, values.totals, flags)


def count_samples(matrix: Path, *, limits: ReadLimits = DEFAULT_LIMITS) -> int:
    """Count the samples of a matrix by its header or footer, without reading its values.

    Parameters
    ----------
    matrix
        File of any format in the registry.
    limits
        Sizes above which a file is refused.

    Returns
    -------
    int
        Number of sample columns (of obs rows in h5ad); names are not checked.

    Raises
    ------
    InputError
        The file cannot be opened as a matrix.
    """
    return choose_format(probe_path(matrix, limits)).count_samples(matrix, limits)


def _open_matrix(matrix: Path, limits: ReadLimits) -> MatrixReading:
    """Open a matrix, leave out rows that are no genes, and check what the others are called."""
    reading = choose_format(probe_path(matrix, limits)).open_matrix(matrix, limits)
    check_shape(
        matrix, limits, n_samples=len(reading.source.sample_ids), n_genes=len(reading.source.gene_ids)
    )
    source, notes = without_non_genes(reading.source)
    _check_name_lengths(matrix, (*source.sample_ids, *source.gene_ids), limits)
    check_orientation(matrix, source.sample_ids, source.gene_ids)
    if reading.annotation_columns:
        columns = listed(reading.annotation_columns)
        _logger.warning("%s: columns %s describe genes and are not read as samples", matrix, columns)
    return replace(reading, source=source, notes=(*reading.notes, *notes, *species_notes(source.gene_ids)))


def _check_name_lengths(matrix: Path, names: Sequence[str], limits: ReadLimits) -> None:
    too_long = [name for name in names if len(name) > limits.max_cell_bytes]
    if too_long:
        msg = (
            f"{matrix}: a name of {len(too_long[0])} characters ({too_long[0][:40]!r} …); at most "
            f"{limits.max_cell_bytes} are read, are quotes closed?"
        )
        raise MatrixInvalidError(msg)


def _check_values(matrix: Path, reading: MatrixReading, declared_unit: ExpressionUnit) -> _CheckedValues:
    facts = gather_facts(reading.source, label=str(matrix))
    check_finite(facts)
    try:
        verdict = decide_unit(facts, declared_unit)
    except (UnitAmbiguousError, UnitContradictedError) as error:
        if not reading.remedy:
            raise
        msg = f"{error}; {reading.remedy}"
        raise type(error)(msg) from error
    unit = verdict.decision.unit
    flags = FlagLog(cohort=verdict.notes, by_sample=tuple(composition_notes(facts, unit)))
    return _CheckedValues(verdict.decision, totals_of(facts, unit), flags.joined(flag_samples(facts)))
