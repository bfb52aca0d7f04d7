"""Samples of matrices that are in a folder next to files of one sample each: whether they would be lost."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from escape_score.errors import attempt
from escape_score.read.checks.names import MIN_GENE_FRACTION, TRANSPOSED_FRACTION, gene_fraction
from escape_score.read.checks.single_cells import refuse_cells
from escape_score.read.files.limits import ReadLimits
from escape_score.read.files.probe import Probe, probe_path
from escape_score.read.formats.matrix_files import BINARY_FILES, TEXT_FILES
from escape_score.read.formats.one_sample import sample_of
from escape_score.read.formats.reader import MatrixFormat, MatrixReading
from escape_score.read.formats.zarr import ZARR
from escape_score.read.request import ReadRequest
from escape_score.read.sheet.sheet import respelt_ids

_FORMATS = (*BINARY_FILES, ZARR, *TEXT_FILES)


def is_store(path: Path, limits: ReadLimits) -> bool:
    """Whether a folder is one matrix."""
    return ZARR.is_recognised(probe_path(path, limits))


def samples_of_matrix(path: Path, limits: ReadLimits) -> tuple[str, ...]:
    """Names of the samples of a file that is a matrix, and no plain text; none where it cannot be read.

    Rows that look like single cells are no samples.
    """
    tried = attempt(partial(_format_of, path, limits))
    found = tried.results[0] if tried.results else None
    if found is None:
        return ()
    opened = attempt(partial(_opened, path, found, limits))
    if not opened.results:
        return ()
    source = opened.results[0].source
    return samples_among(source.sample_ids, source.gene_ids)


def samples_among(columns: Sequence[str], rows: Sequence[str]) -> tuple[str, ...]:
    """Which names of a table are samples: the columns where rows are genes, the rows where columns are.

    None where neither are.
    """
    if gene_fraction(rows) >= MIN_GENE_FRACTION:
        return tuple(columns)
    is_turned = len(columns) > 1 and gene_fraction(columns, with_entrez=False) >= TRANSPOSED_FRACTION
    return tuple(rows) if is_turned else ()


def lost_samples(samples: Sequence[str], own: Sequence[str]) -> list[str]:
    """Samples of a matrix that are not among those with a file of their own, however they are spelt.

    Programs that merge tables name samples by their files, as RSEM does, or change names, as R does.
    """
    known = {name.strip() for name in own}
    respelt = respelt_ids(samples, own)
    return [
        name
        for name in samples
        if not {name.strip(), sample_of(Path(name.strip()))} & known and name not in respelt
    ]


def _format_of(path: Path, limits: ReadLimits) -> MatrixFormat | None:
    probe: Probe = probe_path(path, limits)
    return next((one for one in _FORMATS if one.is_recognised(probe)), None)


def _opened(path: Path, found: MatrixFormat, limits: ReadLimits) -> MatrixReading:
    request = ReadRequest(limits=limits)
    if (seen := found.glance(path, request)) is not None:
        refuse_cells(str(path), seen, is_read=found.is_of_cells)
    return found.open_matrix(path, request)
