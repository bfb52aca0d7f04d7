"""h5ad (AnnData): samples in obs, genes in var; rows are read only when asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
from scipy import sparse

from escape_score.errors import FileUnreadableError, MatrixInvalidError, raise_faults
from escape_score.model.cohort import FloatArray, MatrixSource
from escape_score.read.checks.names import sample_name_faults
from escape_score.read.files.limits import ReadLimits, check_shape
from escape_score.read.formats.reader import IN_OBS, ArrayMatrix, MatrixFormat, MatrixReading, library_faults
from escape_score.read.request import ReadRequest

IntArray = npt.NDArray[np.int64]
Names = tuple[str, ...]

MAGIC = b"\x89HDF\r\n\x1a\n"
PARTS = ("X", "obs", "var")

_BYTES_PER_CELL = 16
"""Memory of one cell of a sparse matrix: a number and a position."""


_DAMAGED = (OSError, KeyError, ValueError, RuntimeError, TypeError)
"""What h5py raises on a file that is not as its own header says."""

_faults = partial(library_faults, what="h5ad", kinds=_DAMAGED, by="HDF5: ")


@dataclass(frozen=True, eq=False)
class H5adMatrix:
    """An ``X``, dense or sparse by rows, of which only the rows asked for are read.

    Parameters
    ----------
    row_starts
        Where the rows of a sparse ``X`` begin, shape (n_samples + 1,); None for a dense one.
    """

    path: Path
    sample_ids: Names
    gene_ids: Names
    row_starts: IntArray | None = field(repr=False)

    def block(self, start: int, stop: int) -> FloatArray:
        """Values of samples ``start`` to ``stop``: (stop - start, n_genes), float64, not stored = 0."""
        with _faults(self.path), h5py.File(self.path) as file:
            if self.row_starts is None:
                return np.asarray(file["X"][start:stop], dtype=np.float64)
            starts, n_genes = self.row_starts[start : stop + 1], len(self.gene_ids)
            stored, columns = (file["X"][name][starts[0] : starts[-1]] for name in ("data", "indices"))
            if len(columns) and (columns.min() < 0 or columns.max() >= n_genes):
                msg = f"damaged h5ad (X names a gene beyond its {n_genes} genes); copy the file again"
                raise FileUnreadableError.at(self.path, msg)
            cells = (np.asarray(stored, dtype=np.float64), columns, starts - starts[0])
            return np.asarray(sparse.csr_matrix(cells, shape=(stop - start, n_genes)).toarray())


def _open_matrix(path: Path, request: ReadRequest) -> MatrixReading:
    with _faults(path), h5py.File(path) as file:
        shape = _checked_shape(path, file, request.limits)
        sample_ids, gene_ids = (_names(path, file, axis, shape) for axis in ("obs", "var"))
        raise_faults(sample_name_faults(str(path), sample_ids))
        source = _source(path, file["X"], sample_ids, gene_ids)
        return MatrixReading(source, remedy=_remedy(file), layout=IN_OBS)


def _checked_shape(path: Path, file: h5py.File, limits: ReadLimits) -> tuple[int, int]:
    """Refuse what is no AnnData file, points outside itself, or is too large, before any value is read."""
    for name in PARTS:
        _refuse_links(path, file, name)
    missing = [name for name in PARTS if name not in file]
    if missing:
        msg = f"an HDF5 file without {', '.join(missing)}, so no h5ad (AnnData); write it with anndata"
        raise FileUnreadableError.at(path, msg)
    x = file["X"]
    shape = tuple(int(size) for size in (x.shape if isinstance(x, h5py.Dataset) else x.attrs["shape"]))
    if len(shape) != 2:  # noqa: PLR2004
        raise MatrixInvalidError.at(path, f"X has {len(shape)} dimensions, not 2 (samples, genes)")
    check_shape(path, limits, n_samples=shape[0], n_genes=shape[1])
    if isinstance(x, h5py.Group):
        _check_stored(path, x, (shape[0], shape[1]), limits)
    return shape[0], shape[1]


def _check_stored(path: Path, x: h5py.Group, shape: tuple[int, int], limits: ReadLimits) -> None:
    """Refuse a sparse X that says it holds more cells than a matrix of its shape, or than are read."""
    n_stored, n_starts = len(x["data"]), len(x["indptr"])
    if n_stored > shape[0] * shape[1] or n_starts not in (shape[0] + 1, shape[1] + 1):
        found = f"{n_stored} cells and {n_starts} starts for shape {shape}"
        msg = f"damaged h5ad (sparse X of {found}); copy the file again"
        raise FileUnreadableError.at(path, msg)
    if n_stored * _BYTES_PER_CELL > limits.max_expanded_bytes:
        msg = f"too large ({n_stored} cells in a sparse X); give fewer samples or genes"
        raise MatrixInvalidError.at(path, msg)


def _refuse_links(path: Path, group: h5py.Group, name: str) -> None:
    """Refuse parts that are in another file; a matrix must not read what its sender cannot see."""
    link = group.get(name, getlink=True)
    is_external = isinstance(link, h5py.ExternalLink)
    member = None if is_external else group.get(name)
    if is_external or (member is not None and member.file.filename != group.file.filename):
        msg = f"h5ad with a link into another file ({name}); write all data into one file"
        raise FileUnreadableError.at(path, msg)
    if isinstance(member, h5py.Dataset) and (member.external or member.is_virtual):
        msg = f"h5ad with external storage ({name} lies in another file); write all data into one file"
        raise FileUnreadableError.at(path, msg)
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


def _names(path: Path, file: h5py.File, axis: str, shape: tuple[int, int]) -> Names:
    """Row names of obs or var, in text, after a look at how many there are."""
    frame = file[axis]
    if isinstance(frame, h5py.Dataset):
        msg = f"h5ad of an anndata before 0.7 ({axis} is a table); write it again with a newer anndata"
        raise FileUnreadableError.at(path, msg)
    names = frame[frame.attrs["_index"]]
    names = names["values"] if isinstance(names, h5py.Group) else names
    if len(names) != shape[axis == "var"]:
        msg = f"X has shape {shape} but there are {len(names)} {axis} names; write the file again"
        raise MatrixInvalidError.at(path, msg)
    return tuple(name.decode() if isinstance(name, bytes) else str(name) for name in names[:])


def _source(path: Path, x: h5py.Dataset | h5py.Group, sample_ids: Names, gene_ids: Names) -> MatrixSource:
    stored = x if isinstance(x, h5py.Dataset) else x["data"]
    if stored.dtype.kind not in "iuf":
        raise MatrixInvalidError.at(path, f"X holds {stored.dtype}, not numbers; store it as float")
    if isinstance(x, h5py.Dataset):
        return H5adMatrix(path, sample_ids, gene_ids, None)
    starts = np.asarray(x["indptr"][:], dtype=np.int64)
    is_sound = starts.size and starts[0] == 0 and starts[-1] == len(stored) == len(x["indices"])
    if not is_sound or (np.diff(starts) < 0).any():
        msg = "damaged h5ad (row starts of the sparse X do not fit its data); copy the file again"
        raise FileUnreadableError.at(path, msg)
    encoding = str(x.attrs.get("encoding-type", ""))
    if encoding == "csc_matrix":
        by_rows = _by_rows(path, x, starts, (len(sample_ids), len(gene_ids)))
        return ArrayMatrix(sample_ids, gene_ids, by_rows)
    if encoding != "csr_matrix" or len(starts) != len(sample_ids) + 1:
        msg = f"damaged h5ad (X is sparse of kind {encoding!r} with {len(starts) - 1} rows)"
        raise FileUnreadableError.at(path, msg + "; write the file again")
    return H5adMatrix(path, sample_ids, gene_ids, starts)


def _by_rows(path: Path, x: h5py.Group, starts: IntArray, shape: tuple[int, int]) -> sparse.csr_matrix:
    """Turn columns into rows, in memory, because rows of such a file cannot be read alone."""
    inside = x["indices"][:]
    if len(starts) != shape[1] + 1 or (len(inside) and (inside.min() < 0 or inside.max() >= shape[0])):
        msg = f"damaged h5ad (sparse X does not fit its {shape[0]} samples and {shape[1]} genes)"
        raise FileUnreadableError.at(path, msg + "; copy the file again")
    return sparse.csc_matrix((x["data"][:].astype(np.float64), inside, starts), shape=shape).tocsr()


def _count_samples(path: Path, request: ReadRequest) -> int:
    with _faults(path), h5py.File(path) as file:
        return _checked_shape(path, file, request.limits)[0]


H5AD = MatrixFormat("h5ad", lambda probe: probe.head.startswith(MAGIC), _open_matrix, _count_samples)
"""AnnData on disk, dense or sparse, written by anndata 0.7 or later."""
