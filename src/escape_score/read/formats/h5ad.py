"""h5ad (AnnData): samples in obs, genes in var; rows are read only when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from scipy import sparse

from escape_score.errors import FileUnreadableError, MatrixInvalidError, raise_faults
from escape_score.model.cohort import FloatArray
from escape_score.read.checks.sample_names import sample_name_faults
from escape_score.read.files.blocks import SparseMatrix
from escape_score.read.files.limits import ReadLimits, check_shape
from escape_score.read.files.probe import Probe
from escape_score.read.formats.reader import IN_OBS, MatrixFormat, MatrixReading

IntArray = npt.NDArray[np.int64]
NumberArray = npt.NDArray[Any]

MAGIC = b"\x89HDF\r\n\x1a\n"

_BYTES_PER_CELL = 16
"""Memory of one cell of a sparse matrix: a number and a position."""

_DAMAGED = (OSError, KeyError, ValueError, RuntimeError, TypeError)
"""What h5py raises on a file that is not as its own header says."""


@dataclass(frozen=True, eq=False)
class DenseH5adMatrix:
    """A dense ``X`` of which only the rows asked for are read."""

    path: Path
    sample_ids: tuple[str, ...]
    gene_ids: tuple[str, ...]

    def block(self, start: int, stop: int) -> FloatArray:
        """Values of samples ``start`` to ``stop``: (stop - start, n_genes), float64, NaN = not measured."""
        try:
            with h5py.File(self.path) as file:
                return np.asarray(file["X"][start:stop], dtype=np.float64)
        except _DAMAGED as error:
            raise _damaged(self.path, error) from error


@dataclass(frozen=True, eq=False)
class SparseH5adMatrix:
    """A sparse ``X`` by rows, of which only the rows asked for are read."""

    path: Path
    sample_ids: tuple[str, ...]
    gene_ids: tuple[str, ...]
    row_starts: IntArray = field(repr=False)

    def block(self, start: int, stop: int) -> FloatArray:
        """Values of samples ``start`` to ``stop``: (stop - start, n_genes), float64, not stored = 0."""
        first, last = int(self.row_starts[start]), int(self.row_starts[stop])
        try:
            with h5py.File(self.path) as file:
                stored = file["X"]["data"][first:last]
                columns = file["X"]["indices"][first:last]
        except _DAMAGED as error:
            raise _damaged(self.path, error) from error
        shape = (stop - start, len(self.gene_ids))
        return _dense_rows(self.path, stored, columns, self.row_starts[start : stop + 1] - first, shape)


def _damaged(path: Path, error: Exception) -> FileUnreadableError:
    reason = " ".join(str(error).split())[:120]
    return FileUnreadableError(f"{path}: damaged or truncated h5ad (HDF5: {reason}); copy the file again")


def _dense_rows(
    path: Path, stored: NumberArray, columns: IntArray, row_starts: IntArray, shape: tuple[int, int]
) -> FloatArray:
    """Write sparse rows out, after a check that each cell lies inside the matrix."""
    if len(columns) and (columns.min() < 0 or columns.max() >= shape[1]):
        msg = f"{path}: damaged h5ad (X names a gene beyond its {shape[1]} genes); copy the file again"
        raise FileUnreadableError(msg)
    rows = sparse.csr_matrix((np.asarray(stored, dtype=np.float64), columns, row_starts), shape=shape)
    return np.asarray(rows.toarray(), dtype=np.float64)


def _is_h5(probe: Probe) -> bool:
    return probe.head.startswith(MAGIC)


def _open_matrix(path: Path, limits: ReadLimits) -> MatrixReading:
    try:
        with h5py.File(path) as file:
            shape = _checked_shape(path, file, limits)
            sample_ids = _axis_names(path, file, "obs", shape[0], shape)
            gene_ids = _axis_names(path, file, "var", shape[1], shape)
            raise_faults(sample_name_faults(str(path), sample_ids))
            source = _source(path, file, sample_ids, gene_ids)
            return MatrixReading(source, remedy=_remedy(file), layout=IN_OBS)
    except _DAMAGED as error:
        raise _damaged(path, error) from error


def _checked_shape(path: Path, file: h5py.File, limits: ReadLimits) -> tuple[int, int]:
    """Refuse what is no AnnData file, points outside itself, or is too large, before any value is read."""
    for name in ("X", "obs", "var"):
        _refuse_links(path, file, name)
    missing = [name for name in ("X", "obs", "var") if name not in file]
    if missing:
        msg = (
            f"{path}: an HDF5 file without {', '.join(missing)}, so no h5ad (AnnData); write it with anndata"
        )
        raise FileUnreadableError(msg)
    x = file["X"]
    shape = tuple(int(size) for size in (x.shape if isinstance(x, h5py.Dataset) else x.attrs["shape"]))
    if len(shape) != 2:  # noqa: PLR2004
        msg = f"{path}: X has {len(shape)} dimensions, not 2 (samples, genes)"
        raise MatrixInvalidError(msg)
    check_shape(path, limits, n_samples=shape[0], n_genes=shape[1])
    _check_stored(path, x, shape, limits)
    return shape[0], shape[1]


def _check_stored(path: Path, x: h5py.Dataset | h5py.Group, shape: Sequence[int], limits: ReadLimits) -> None:
    """Refuse a sparse X that says it holds more cells than a matrix of its shape, or than are read."""
    if isinstance(x, h5py.Dataset):
        return
    n_stored, n_starts = len(x["data"]), len(x["indptr"])
    if n_stored > shape[0] * shape[1] or n_starts not in (shape[0] + 1, shape[1] + 1):
        found = f"{n_stored} cells and {n_starts} starts for shape {tuple(shape)}"
        msg = f"{path}: damaged h5ad (sparse X of {found}); copy the file again"
        raise FileUnreadableError(msg)
    if n_stored * _BYTES_PER_CELL > limits.max_expanded_bytes:
        msg = f"{path}: too large ({n_stored} cells in a sparse X); give fewer samples or genes"
        raise MatrixInvalidError(msg)


def _refuse_links(path: Path, group: h5py.Group, name: str) -> None:
    """Refuse parts that stand in another file; a matrix must not read what its sender cannot see."""
    link = group.get(name, getlink=True)
    member = None if isinstance(link, h5py.ExternalLink) else group.get(name)
    if isinstance(link, h5py.ExternalLink) or (
        member is not None and member.file.filename != group.file.filename
    ):
        msg = f"{path}: h5ad with a link into another file ({name}); write all data into one file"
        raise FileUnreadableError(msg)
    if isinstance(member, h5py.Dataset) and (member.external or member.is_virtual):
        msg = (
            f"{path}: h5ad with external storage ({name} lies in another file); write all data into one file"
        )
        raise FileUnreadableError(msg)
    if isinstance(member, h5py.Group) and isinstance(link, h5py.HardLink):
        for inner in member:
            _refuse_links(path, member, inner)


def _remedy(file: h5py.File) -> str:
    """Name the other matrices of the file, which X may have been made from."""
    others = ["raw"] if "raw" in file else []
    layers = file["layers"] if isinstance(file.get("layers"), h5py.Group) else ()
    others += [f"layers[{name!r}]" for name in layers]
    if not others:
        return ""
    return f"the file holds other matrices ({', '.join(others[:5])}): write the one with expression as X"


def _axis_names(
    path: Path, file: h5py.File, axis: str, n_names: int, shape: tuple[int, int]
) -> tuple[str, ...]:
    """Row names of obs or var, in text, after a look at how many there are."""
    frame = file[axis]
    if isinstance(frame, h5py.Dataset):
        msg = (
            f"{path}: h5ad of an anndata before 0.7 ({axis} is a table); write it again with a newer anndata"
        )
        raise FileUnreadableError(msg)
    names = frame[frame.attrs["_index"]]
    names = names["values"] if isinstance(names, h5py.Group) else names
    if len(names) != n_names:
        msg = f"{path}: X has shape {shape} but there are {len(names)} {axis} names; write the file again"
        raise MatrixInvalidError(msg)
    return tuple(name.decode() if isinstance(name, bytes) else str(name) for name in names[:])


def _source(
    path: Path, file: h5py.File, sample_ids: tuple[str, ...], gene_ids: tuple[str, ...]
) -> DenseH5adMatrix | SparseH5adMatrix | SparseMatrix:
    x = file["X"]
    stored = x if isinstance(x, h5py.Dataset) else x["data"]
    if stored.dtype.kind not in "iuf":
        msg = f"{path}: X holds {stored.dtype}, not numbers; store it as float"
        raise MatrixInvalidError(msg)
    if isinstance(x, h5py.Dataset):
        return DenseH5adMatrix(path, sample_ids, gene_ids)
    starts = _checked_starts(path, x, len(stored))
    encoding = str(x.attrs.get("encoding-type", ""))
    if encoding == "csc_matrix":
        return SparseMatrix(sample_ids, gene_ids, _by_rows(path, x, starts, (len(sample_ids), len(gene_ids))))
    if encoding != "csr_matrix" or len(starts) != len(sample_ids) + 1:
        msg = f"{path}: damaged h5ad (X is sparse of kind {encoding!r} with {len(starts) - 1} rows)"
        raise FileUnreadableError(msg + "; write the file again")
    return SparseH5adMatrix(path, sample_ids, gene_ids, starts)


def _checked_starts(path: Path, x: h5py.Group, n_stored: int) -> IntArray:
    starts = np.asarray(x["indptr"][:], dtype=np.int64)
    is_sound = starts.size and starts[0] == 0 and starts[-1] == n_stored == len(x["indices"])
    if not is_sound or (np.diff(starts) < 0).any():
        msg = f"{path}: damaged h5ad (row starts of the sparse X do not fit its data); copy the file again"
        raise FileUnreadableError(msg)
    return starts


def _by_rows(path: Path, x: h5py.Group, starts: IntArray, shape: tuple[int, int]) -> sparse.csr_matrix:
    """Turn columns into rows, in memory, because rows of such a file cannot be read alone."""
    inside = x["indices"][:]
    if len(starts) != shape[1] + 1 or (len(inside) and (inside.min() < 0 or inside.max() >= shape[0])):
        msg = f"{path}: damaged h5ad (sparse X does not fit its {shape[0]} samples and {shape[1]} genes)"
        raise FileUnreadableError(msg + "; copy the file again")
    return sparse.csc_matrix((x["data"][:].astype(np.float64), inside, starts), shape=shape).tocsr()


def _count_samples(path: Path, limits: ReadLimits) -> int:
    try:
        with h5py.File(path) as file:
            return _checked_shape(path, file, limits)[0]
    except _DAMAGED as error:
        raise _damaged(path, error) from error


H5AD = MatrixFormat(name="h5ad", is_recognised=_is_h5, open_matrix=_open_matrix, count_samples=_count_samples)
"""AnnData on disk, dense or sparse, written by anndata 0.7 or later."""
