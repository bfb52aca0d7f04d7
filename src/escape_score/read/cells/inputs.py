"""Which files hold the cells of which sample: single files, folders of them, and sheets that list them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from escape_score.errors import (
    FileUnreadableError,
    InputError,
    SampleSheetInvalidError,
    attempt,
    listed,
    raise_faults,
)
from escape_score.model.cohort import SampleRecord
from escape_score.model.notes import NoteLog
from escape_score.read.cells.matrices import READABLE
from escape_score.read.cells.request import CellRequest
from escape_score.read.files.limits import ReadLimits
from escape_score.read.files.probe import Probe, probe_path
from escape_score.read.formats import choose_format
from escape_score.read.formats.h5ad import H5AD
from escape_score.read.formats.mtx import MATRIX_NAME, TENX_FOLDER, matrices_in
from escape_score.read.formats.sample_files import SAMPLE_FILE_SHEET, has_header_alone
from escape_score.read.formats.tenx_h5 import TENX_H5
from escape_score.read.formats.zarr import ZARR
from escape_score.read.sheet.columns import FILE_NAMES, plain
from escape_score.read.sheet.rows import SheetRows, read_rows, unique_rows
from escape_score.read.sheet.sheet import checked_sheet
from escape_score.store.ownership import holds_result

_GENERIC = re.compile(
    r"(?P<own>.*?)[._-]*(?P<raw>raw_|unfiltered_)?(?:sample_)?(?:filtered_)?(?:feature|gene)_bc_matri(?:x|ces)(?:_h5)?",
    re.IGNORECASE,
)
"""Names of Cell Ranger, which are the same for every sample, with what a user put in front."""

_GENERIC_WORDS = frozenset(
    {"outs", "count", "counts", "matrix", "matrices", "filtered", "raw", "grch38", "grch37", "hg19", "hg38"}
)
_PACKED = re.compile(r"\.(?:gz|zst|bz2|xz)$", re.IGNORECASE)
_ENDINGS = re.compile(r"\.(?:h5ad|h5|hdf5|mtx)$", re.IGNORECASE)

_DEPTH = 3
"""Folders below the one that is named: sample, outs, filtered_feature_bc_matrix."""


@dataclass(frozen=True)
class CellInput:
    """One file of cells.

    Parameters
    ----------
    format_name
        One of :data:`~escape_score.read.cells.matrices.READABLE`.
    sample_id
        Name of its sample, where it has one only.
    record
        What a sheet says of this sample; None without a sheet.
    """

    path: Path
    format_name: str
    sample_id: str
    record: SampleRecord | None = None


@dataclass(frozen=True)
class CellInputs:
    """All files, with the notes of sheets and the faults of those that cannot be opened."""

    files: tuple[CellInput, ...]
    notes: NoteLog = NoteLog()
    sheets: tuple[Path, ...] = ()
    faults: tuple[InputError, ...] = field(default=(), repr=False)


def inputs_of(paths: Sequence[Path], request: CellRequest) -> CellInputs:
    """Find the files of some inputs, in their order."""
    files: list[CellInput] = []
    notes = NoteLog()
    sheets: list[Path] = []
    faults: list[InputError] = []
    for path in paths:
        tried = attempt(lambda path=path: _found(path, request))  # type: ignore[misc]
        faults += tried.faults
        for one in tried.results:
            files += one.files
            notes, faults = notes.joined(one.notes), [*faults, *one.faults]
            sheets += one.sheets
    return CellInputs(tuple(files), notes, tuple(sheets), tuple(faults))


def _found(path: Path, request: CellRequest) -> CellInputs:
    probe = probe_path(path, request.limits)
    if probe.is_folder and not ((path / "matrix.mtx").exists() or ZARR.is_recognised(probe)):
        matrices = matrices_in(path)
        if len(matrices) != 1:
            files = _of_folder(path, request.limits, _DEPTH)
            if not files:
                msg = "a folder without files of cells (h5ad, .h5 of Cell Ranger, or folders with matrix.mtx)"
                raise FileUnreadableError.at(path, f"{msg}, looked for {_DEPTH} levels deep; name the files")
            return CellInputs(tuple(files))
    if not probe.is_folder and SAMPLE_FILE_SHEET.is_recognised(probe):
        return _of_sheet(path, request)
    if not probe.is_folder and has_header_alone(probe):
        raise SampleSheetInvalidError.at(path, "the sheet is empty; name a sample and its file in each row")
    return CellInputs((CellInput(path, _format_of(probe), sample_name(path)),))


def _format_of(probe: Probe) -> str:
    """Name of the format of a file; raises FileUnreadableError: it holds no cells that can be read."""
    found = choose_format(probe)
    if found.name in READABLE:
        return found.name
    msg = f"cells are not read from {found.name}; give h5ad, the .h5 of Cell Ranger, a folder with matrix.mtx"
    raise FileUnreadableError.at(probe.path, f"{msg}, or a sheet with columns sample_id and path")


def sample_name(path: Path) -> str:
    """Name of the sample of a file: its own without endings, or the folder's where its own is general."""
    whole = path if path.name.strip(".") else path.resolve()
    for one in (whole, *whole.absolute().parents):
        name = _ENDINGS.sub("", _PACKED.sub("", one.name))
        if found := MATRIX_NAME.fullmatch(_PACKED.sub("", one.name)):
            name = found["prefix"]
        if found := _GENERIC.fullmatch(name):
            name = found["own"]
        name = name.strip("._- ")
        if name and name.lower() not in _GENERIC_WORDS:
            return name
    return "sample"


def _of_folder(folder: Path, limits: ReadLimits, depth: int) -> list[CellInput]:
    """Files of cells in a folder and below it; of several forms of one matrix the first of .h5 and folder.

    Results of this program are not searched: their files of scores and cells are no input.
    """
    entries = sorted(one for one in folder.iterdir() if not one.name.startswith("."))
    files = [one for one in entries if one.is_file() and _ENDINGS.search(_PACKED.sub("", one.name))]
    found = [
        CellInput(path, name, sample_name(path))
        for path in files
        if (name := _format_if_known(path, limits)) in READABLE
    ]
    names = {one.sample_id for one in found}
    is_filtered = {one.sample_id for one in found if not _is_raw(one.path)}
    found = [one for one in found if not (_is_raw(one.path) and one.sample_id in is_filtered)]
    for inner in (one for one in entries if one.is_dir() and depth > 0 and not holds_result(one)):
        if _is_raw(inner) and any(other.is_dir() and not _is_raw(other) for other in entries):
            continue
        below = (
            [CellInput(inner, TENX_FOLDER.name, sample_name(inner))]
            if len(matrices_in(inner)) == 1
            else _of_folder(inner, limits, depth - 1)
        )
        found += [one for one in below if one.sample_id not in names]
    return found


def _is_raw(path: Path) -> bool:
    found = _GENERIC.fullmatch(_ENDINGS.sub("", path.name))
    return found is not None and found["raw"] is not None


def _format_if_known(path: Path, limits: ReadLimits) -> str:
    tried = attempt(lambda: choose_format(probe_path(path, limits)).name)
    # a damaged file among others is opened, so that its fault is named
    return tried.results[0] if tried.results else (TENX_H5.name if path.suffix == ".h5" else H5AD.name)


def _of_sheet(path: Path, request: CellRequest) -> CellInputs:
    """Files that a sheet lists, one a sample."""
    if request.sample_column is not None:
        msg = (
            f"each file of a sheet is one sample, so --sample-column {request.sample_column} does not apply; "
        )
        msg += "give a file of several samples by itself, or leave the option out"
        raise SampleSheetInvalidError.at(path, msg)
    rows = read_rows(path, {})
    unique = unique_rows(str(path), rows.rows)
    raise_faults(unique.faults)
    sheet = checked_sheet(str(path), SheetRows(unique.kept, rows.unknown))
    files: list[CellInput] = []
    faults: list[InputError] = []
    for row, record in zip(unique.kept, sheet.records, strict=True):
        cell = next((text.strip() for name, text in row.cells.items() if plain(name) in FILE_NAMES), "")
        if not cell:
            msg = f"path is empty (sample {row.sample_id}, line {row.line}); name a file for each sample"
            faults.append(SampleSheetInvalidError.at(path, msg))
            continue
        named = path.parent / cell
        tried = attempt(lambda named=named: _format_of(probe_path(named, request.limits)))  # type: ignore[misc]
        faults += [
            type(one)(f"{one} (sample {row.sample_id}, line {row.line} of {path})") for one in tried.faults
        ]
        files += [CellInput(named, name, row.sample_id.strip(), record) for name in tried.results]
    return CellInputs(
        tuple(files),
        NoteLog(cohort=(*unique.notes, *sheet.flags.cohort), by_sample=sheet.flags.by_sample),
        (path,),
        (*faults, *_same_files(path, files)),
    )


def _same_files(sheet: Path, files: Sequence[CellInput]) -> Iterator[InputError]:
    """A file that the sheet lists for two samples."""
    seen: dict[Path, str] = {}
    for one in files:
        other = seen.setdefault(one.path.resolve(), one.sample_id)
        if other != one.sample_id:
            msg = f"{one.path} is given for two samples ({listed([other, one.sample_id])}); give each its own"
            yield SampleSheetInvalidError.at(sheet, msg)
