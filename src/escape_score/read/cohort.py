"""The read stage: matrix and sample sheet to a cohort, with every fault found on the way."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from escape_score.errors import MatrixInvalidError
from escape_score.model.cohort import Cohort, MatrixSource
from escape_score.model.flags import FlagLog
from escape_score.model.units import ExpressionUnit, UnitDecision
from escape_score.read.checks import check_finite, flag_samples, gather_facts
from escape_score.read.faults import attempt, listed, raise_faults
from escape_score.read.formats import MatrixReading
from escape_score.read.limits import DEFAULT_LIMITS, ReadLimits
from escape_score.read.names import check_orientation
from escape_score.read.probe import probe_path
from escape_score.read.registry import choose_format
from escape_score.read.units import decide_unit
from escape_score.sample_sheet import join_sheet, read_sample_sheet

_logger = logging.getLogger(__name__)


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
        File of any format in the registry, told by its content. Text and parquet have genes in rows and
        samples in columns; h5ad has samples in obs.
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
        Samples × genes as they stand in the file, float64, NaN = not measured; the unit decided; one record a
        sample.

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
    source = reading.get().source
    checked = attempt(lambda: _check_values(matrix, source, declared_unit))
    joined = attempt(lambda: join_sheet(sheet.get(), source.sample_ids))
    raise_faults((*checked.faults, *joined.faults))
    (unit, flags), (samples, sheet_flags) = checked.get(), joined.get()
    return Cohort(name, source, unit, samples, _sha256(matrix), flags.joined(sheet_flags))


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
    reading = choose_format(probe_path(matrix, limits)).open_matrix(matrix, limits)
    source = reading.source
    check_orientation(matrix, source.sample_ids, source.gene_ids)
    if len(source.sample_ids) > limits.max_samples or len(source.gene_ids) > limits.max_genes:
        msg = (
            f"{matrix}: too large ({len(source.sample_ids)} samples by {len(source.gene_ids)} genes); at "
            "most "
        )
        raise MatrixInvalidError(msg + f"{limits.max_samples} samples and {limits.max_genes} genes are read")
    if reading.annotation_columns:
        columns = listed(reading.annotation_columns)
        _logger.warning("%s: columns %s describe genes and are not read as samples", matrix, columns)
    return reading


def _check_values(
    matrix: Path, source: MatrixSource, declared_unit: ExpressionUnit
) -> tuple[UnitDecision, FlagLog]:
    facts = gather_facts(source, label=str(matrix))
    check_finite(facts)
    verdict = decide_unit(facts, declared_unit)
    return verdict.decision, FlagLog(cohort=verdict.notes).joined(flag_samples(facts))


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
