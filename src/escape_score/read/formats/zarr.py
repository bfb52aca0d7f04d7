"""zarr stores of AnnData: folders with a file for each chunk of an array, of zarr formats 2 and 3.

They are read as h5ad is. What is said of HDF5 files there is found here: files that are missing, parts that
are elsewhere, and chunks larger than what is stored of them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from math import prod
from pathlib import Path

import numpy as np

from escape_score.errors import FileUnreadableError
from escape_score.read.checks.single_cells import CellGlance
from escape_score.read.files.limits import ReadLimits
from escape_score.read.files.probe import Probe
from escape_score.read.formats.h5ad import (
    HDF5_DAMAGED,
    Array,
    Group,
    count_anndata,
    glance_at_anndata,
    is_group,
    open_anndata,
    place_of,
)
from escape_score.read.formats.reader import SYMBOL_COLUMNS, MatrixFormat, MatrixReading, library_faults
from escape_score.read.request import ReadRequest

_ROOTS = ("zarr.json", ".zgroup", ".zarray", ".zattrs", ".zmetadata")
"""Files of which a store has one or more in its folder."""

_DAMAGED = (*HDF5_DAMAGED, LookupError, ArithmeticError, MemoryError)
"""What zarr raises on a store that is not as its own metadata say."""

_REMEDY = "copy the store again, or write it as h5ad"

_zarr_faults = partial(library_faults, what="zarr store", kinds=_DAMAGED, by="zarr: ", remedy=_REMEDY)


def _is_zarr(probe: Probe) -> bool:
    return probe.is_folder and any((probe.path / name).exists() for name in _ROOTS)


@contextmanager
def _opened(path: Path) -> Iterator[Group]:
    """Open a store for reading by the metadata of each part; raises FileUnreadableError: it is damaged."""
    import zarr  # slow to load, and few need it

    with _zarr_faults(path):
        store = zarr.storage.LocalStore(path, read_only=True)
        yield zarr.open_group(store, mode="r", use_consolidated=False)


def _files_of(path: Path, limits: ReadLimits) -> tuple[Path, ...]:
    """All files of a store; refuses what may never end, is in another folder, or is too large."""
    try:
        found = dict(_walk(path))
    except OSError as error:
        msg = f"the store cannot be read ({error.strerror}: {error.filename})"
        raise FileUnreadableError.at(path, f"{msg}; check its permissions and links") from error
    n_bytes = sum(found.values())
    if n_bytes > limits.max_file_bytes:
        msg = f"too large ({n_bytes} bytes); at most {limits.max_file_bytes} are read"
        raise FileUnreadableError.at(path, f"{msg}, raise read.max_file_mb in a config")
    return tuple(sorted(found))


def _walk(path: Path) -> Iterator[tuple[Path, int]]:
    """Files in a store, with their bytes."""
    folders = [path]
    for folder in folders:  # grows
        with os.scandir(folder) as inside:
            entries = list(inside)
        for entry in entries:
            one, status = Path(entry.path), entry.stat()
            if stat.S_ISREG(status.st_mode):
                yield one, status.st_size
            elif entry.is_dir(follow_symlinks=False):
                folders.append(one)
            else:
                msg = f"zarr store with a pipe, a device or a linked folder ({one.relative_to(path)}); "
                raise FileUnreadableError.at(path, msg + "write all data into one folder")


def _check_chunks(path: Path, request: ReadRequest) -> None:
    """Refuse a store that lacks a chunk of its values or names, as it would be read as zeros or blanks."""
    with _opened(path) as store:
        x = store[place_of(path, store, request)]
        arrays = [x] if not is_group(x) else [x[name] for name in ("indptr", "indices", "data")]
        if is_group(x) and not x["data"].size:
            arrays = []  # where rows begin is 0 everywhere, which is not stored
        for axis in ("obs", "var"):
            frame = store[axis]
            if is_group(frame):
                names = (frame.attrs["_index"], *SYMBOL_COLUMNS)
                arrays += [array for name in names if name in frame for array in _texts_in(frame[name])]
        for array in arrays:
            _check_array(path, array, request.limits)


def _texts_in(column: Array | Group) -> list[Array]:
    """Arrays of a column that has a text for each cell; a mask may be left out where it masks nothing."""
    if not is_group(column):
        return [column]
    return [column[name] for name in ("values", "codes", "categories") if name in column]


def _check_array(path: Path, array: Array, limits: ReadLimits) -> None:
    """Refuse an array with a chunk that is missing, or that is much larger than what is stored of it."""
    sizes = array.shards or array.chunks
    n_bytes = prod(array.chunks) * array.dtype.itemsize
    n_chunks = tuple(-(-n // size) for n, size in zip(array.shape, sizes, strict=True))
    for at in range(prod(n_chunks)):
        key = f"{array.path}/{array.metadata.encode_chunk_key(np.unravel_index(at, n_chunks))}"
        try:
            n_stored = (path / key).stat().st_size
        except FileNotFoundError as error:
            msg = f"zarr store without chunk {key}, which would be read as 0 or as no name"
            raise FileUnreadableError.at(path, f"{msg}; {_REMEDY}") from error
        limits.check_unpacked(path, n_bytes, of=n_stored, part=f"chunk {key}")


def _open_matrix(path: Path, request: ReadRequest) -> MatrixReading:
    parts = _files_of(path, request.limits)
    count_anndata(path, request, _opened)  # refuses what is too large, before chunks are looked for
    _check_chunks(path, request)
    reading = open_anndata(path, request, _opened)
    return replace(reading, parts=parts)


def _glance(path: Path, request: ReadRequest) -> CellGlance | None:
    _files_of(path, request.limits)
    _check_chunks(path, request)
    return glance_at_anndata(path, request, _opened)


def _count_samples(path: Path, request: ReadRequest) -> int:
    _files_of(path, request.limits)
    return count_anndata(path, request, _opened)


def _list_parts(path: Path, request: ReadRequest) -> tuple[Path, ...]:
    return _files_of(path, request.limits)


ZARR = MatrixFormat("zarr (AnnData)", _is_zarr, _open_matrix, _count_samples, _list_parts, _glance)
"""AnnData as a folder of chunks, dense or sparse, written by anndata 0.7 or later."""
