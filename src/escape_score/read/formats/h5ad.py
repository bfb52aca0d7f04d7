"""h5ad (AnnData): samples in obs, genes in var; rows are read only when asked for.

What reads AnnData takes groups and arrays of h5py, and those of zarr, which have the same interface.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from scipy import sparse

from escape_score.errors import FileUnreadableError, MatrixInvalidError, did_you_mean, listed
from escape_score.model.cohort import FloatArray, MatrixSource
from escape_score.read.checks.names import (
    MIN_GENE_FRACTION,
    are_row_numbers,
    check_samples,
    gene_fraction,
)
from escape_score.read.checks.single_cells import (
    MAX_NAMES,
    MAX_ROWS,
    NO_GROUPING,
    CellGlance,
    Grouping,
    ValueGlance,
    are_counts,
    find_grouping,
    glance_at_rows,
    runs,
)
from escape_score.read.files.limits import ReadLimits, check_shape
from escape_score.read.formats.reader import (
    IN_OBS,
    SYMBOL_COLUMNS,
    ArrayMatrix,
    MatrixFormat,
    MatrixReading,
    layout_advice,
    library_faults,
)
from escape_score.read.request import ReadRequest

IntArray = npt.NDArray[np.int64]
Names = tuple[str, ...]

Group = Any
"""A group of h5py or zarr, or the file or store itself."""

Array = Any
"""An array of h5py or zarr."""

Opener = Callable[[Path], AbstractContextManager[Group]]
"""Opens a file or store for reading; turns errors of its library into our own until it is closed."""

MAGIC = b"\x89HDF\r\n\x1a\n"
PARTS = ("X", "obs", "var")

_BYTES_PER_CELL = 16
"""Memory of one cell of a sparse matrix: a number and a position."""

_GLANCED_GENES, _GLANCED_RUNS = 256, 16
"""Neighbouring genes that are looked at together, and how often, in a matrix that is sparse by gene."""

HDF5_DAMAGED = (OSError, KeyError, ValueError, RuntimeError, TypeError, AttributeError)
"""What h5py raises on a file that is not as its own header says."""

hdf5_faults = partial(library_faults, what="HDF5 file", kinds=HDF5_DAMAGED, by="HDF5: ")


@contextmanager
def hdf5_file(path: Path) -> Iterator[Group]:
    """Open an HDF5 file for reading; raises FileUnreadableError: it is damaged."""
    with hdf5_faults(path), h5py.File(path) as file:
        yield file


def is_group(part: Group | Array) -> bool:
    """Whether a part is a group and not an array."""
    return hasattr(part, "keys")


def damaged(path: Path, part: Group | Array, found: str) -> FileUnreadableError:
    """Error for a part of a file or store that is not as its own header says."""
    what, again = ("HDF5 file", "file") if _is_hdf5(part) else ("zarr store", "store")
    return FileUnreadableError.at(path, f"damaged {what} ({found}); copy the {again} again")


def _is_hdf5(part: Group | Array) -> bool:
    return isinstance(part, h5py.Group | h5py.Dataset)


def _is_own(group: Group, name: str) -> bool:
    """Whether a part is in this file itself; a zarr store has no links."""
    return isinstance(group.get(name, getlink=True), h5py.HardLink) if _is_hdf5(group) else name in group


@dataclass(frozen=True, eq=False)
class StoredMatrix:
    """A matrix, dense or sparse by samples, of which only the samples asked for are read.

    Parameters
    ----------
    place
        Where the values are in the file: ``X``, or one of ``layers``.
    samples_in_var
        Whether samples are in var and genes in obs.
    row_starts
        Where the rows of a sparse ``X`` begin, shape (n_samples + 1,); None for a dense one.
    opened
        Opens the file or store.
    """

    path: Path
    place: str
    sample_ids: Names
    gene_ids: Names
    samples_in_var: bool
    row_starts: IntArray | None = field(repr=False)
    opened: Opener = field(default=hdf5_file, repr=False)

    def block(self, start: int, stop: int) -> FloatArray:
        """Values of samples ``start`` to ``stop``: (stop - start, n_genes), float64, not stored = 0."""
        if self.row_starts is not None:
            return np.asarray(self.sparse_block(start, stop).astype(np.float64).toarray())
        return np.asarray(self._dense_rows(start, stop), dtype=np.float64)

    def sparse_block(self, start: int, stop: int) -> sparse.csr_array:
        """Values of rows ``start`` to ``stop`` as CSR of shape (stop - start, n_genes), as they are stored.

        Raises FileUnreadableError: the file is damaged.
        """
        if self.row_starts is None:
            return sparse.csr_array(self._dense_rows(start, stop))
        starts, n_genes = self.row_starts[start : stop + 1], len(self.gene_ids)
        with self.opened(self.path) as file:
            values = file[self.place]
            stored, columns = (values[name][starts[0] : starts[-1]] for name in ("data", "indices"))
            if len(columns) and (columns.min() < 0 or columns.max() >= n_genes):
                found = f"{self.place} names a gene beyond its {n_genes} genes"
                raise damaged(self.path, values, found)
        return sparse.csr_array((stored, columns, starts - starts[0]), shape=(stop - start, n_genes))

    def _dense_rows(self, start: int, stop: int) -> npt.NDArray[Any]:
        with self.opened(self.path) as file:
            values = file[self.place]
            rows = values[:, start:stop].T if self.samples_in_var else values[start:stop]
            return np.asarray(rows)


def open_anndata(path: Path, request: ReadRequest, opened: Opener = hdf5_file) -> MatrixReading:
    """Open an AnnData file or store; raises an ``InputError`` that names file and place."""
    with opened(path) as file:
        place = place_of(path, file, request)
        shape = checked_shape(path, file, place, request)
        sample_axis, gene_axis = ("var", "obs") if request.transpose else ("obs", "var")
        sample_ids = names_in(path, file, sample_axis, shape)
        gene_ids = gene_names_in(path, file, gene_axis, shape)
        advice = layout_advice(request, IN_OBS)
        check_samples(str(path), sample_ids, request.limits, layout=advice)
        matrix = StoredMatrix(path, place, sample_ids, gene_ids, request.transpose, None, opened)
        source = _source(matrix, file[place])
        return MatrixReading(source, remedy=_remedy(file, place), layout=advice)


def place_of(path: Path, file: Group, request: ReadRequest) -> str:
    """Where the values are, once it is known that the file does not point outside itself.

    Raises FileUnreadableError: it is not an AnnData file, or has parts in another file. Raises
    MatrixInvalidError: there is no such layer, or no X.
    """
    layers = layers_in(file)
    if request.layer is not None and request.layer not in layers:
        asked = did_you_mean(request.layer, layers) or ";"
        msg = f"no layer {request.layer!r} (layers: {listed(layers) or 'none'}){asked} "
        raise MatrixInvalidError.at(path, msg + "name one of them with --layer, or leave it out for X")
    place = "X" if request.layer is None else f"layers/{request.layer}"
    for name in (*PARTS, *(("layers",) if request.layer is not None else ())):
        refuse_links(path, file, name)
    missing = [name for name in PARTS if name not in file]
    if missing == ["X"] and layers:
        if request.layer is None:
            msg = f"X is empty (layers: {listed(layers)}); name the one with expression with --layer"
            raise MatrixInvalidError.at(path, msg)
    elif missing:
        kind, wanted = ("an HDF5 file", "h5ad (AnnData)") if _is_hdf5(file) else ("a zarr store", "AnnData")
        what = f"{kind} without {', '.join(missing)}, so no {wanted}"
        if "assays" in file:
            what = "an h5Seurat file, which is not read"
        raise FileUnreadableError.at(path, f"{what}; write it as h5ad")
    return place


def layers_in(file: Group) -> Names:
    """Names of the layers; none where they are in another file."""
    is_here = _is_own(file, "layers") and is_group(file["layers"])
    return tuple(sorted(file["layers"])) if is_here else ()


def checked_shape(path: Path, file: Group, place: str, request: ReadRequest) -> tuple[int, int]:
    """Rows and columns of the matrix; refuses what is too large before any value is read."""
    x, limits = file[place], request.limits
    shape = _shape(x)
    if len(shape) != 2:  # noqa: PLR2004
        raise MatrixInvalidError.at(path, f"X has {len(shape)} dimensions, not 2 (samples, genes)")
    n_samples, n_genes = reversed(shape) if request.transpose else shape
    if n_samples > limits.max_genes or n_genes > limits.max_samples:  # too large the other way round too
        check_shape(path, limits, n_samples=n_samples, n_genes=n_genes)
    if is_group(x):
        check_stored(path, x, (shape[0], shape[1]), limits)
    return shape[0], shape[1]


def _shape(x: Array | Group) -> tuple[int, ...]:
    """Rows and columns that a matrix, dense or sparse, says it has."""
    return tuple(int(size) for size in (x.attrs["shape"] if is_group(x) else x.shape))


def check_stored(path: Path, x: Group, shape: tuple[int, int], limits: ReadLimits) -> None:
    """Refuse a sparse X that says it holds more cells than a matrix of its shape, or than are read."""
    n_stored, n_starts = x["data"].size, x["indptr"].size
    if n_stored > shape[0] * shape[1] or n_starts not in (shape[0] + 1, shape[1] + 1):
        found = f"sparse matrix of {n_stored} cells and {n_starts} starts for shape {shape}"
        raise damaged(path, x, found)
    if n_stored * _BYTES_PER_CELL > limits.max_expanded_bytes:
        msg = f"too large ({n_stored} cells in a sparse matrix); give fewer samples or genes"
        raise MatrixInvalidError.at(path, msg)


def refuse_links(path: Path, group: Group, name: str) -> None:
    """Refuse parts that are in another file; a matrix must not read what its sender cannot see."""
    if not _is_hdf5(group):
        return
    link = group.get(name, getlink=True)
    is_external = isinstance(link, h5py.ExternalLink)
    member = None if is_external else group.get(name)
    if is_external or (member is not None and member.file.filename != group.file.filename):
        msg = f"HDF5 file with a link into another file ({name}); write all data into one file"
        raise FileUnreadableError.at(path, msg)
    if isinstance(member, h5py.Dataset) and (member.external or member.is_virtual):
        msg = f"HDF5 file with external storage ({name} is in another file); write all data into one file"
        raise FileUnreadableError.at(path, msg)
    if isinstance(member, h5py.Group) and isinstance(link, h5py.HardLink):
        for inner in member:
            refuse_links(path, member, inner)


def _remedy(file: Group, place: str) -> str:
    """Name the other matrices of the file, which the one read may have been made from."""
    others = ["raw"] if "raw" in file and is_group(file["raw"]) else []
    others += [f"layers[{name!r}]" for name in layers_in(file) if place != f"layers/{name}"]
    if not others:
        return ""
    return f"the file has other matrices ({', '.join(others[:5])}): name a layer with --layer, write raw as X"


def names_in(path: Path, file: Group, axis: str, shape: tuple[int, int]) -> Names:
    """Row names of obs or var, in text, after a look at how many there are."""
    frame = file[axis]
    if not is_group(frame):
        msg = f"AnnData of an anndata before 0.7 ({axis} is a table); write it again with a newer anndata"
        raise FileUnreadableError.at(path, msg)
    column = frame[frame.attrs["_index"]]
    n_names, n_expected = length_of(column), shape[axis.endswith("var")]
    if n_names != n_expected:
        msg = f"X has shape {shape} but there are {n_names} {axis} names; write it again"
        raise MatrixInvalidError.at(path, msg)
    return texts_of(column)


def length_of(column: Array | Group) -> int:
    """Cells of a column, without reading them."""
    cells = column["codes" if "codes" in column else "values"] if is_group(column) else column
    return int(cells.size)


def texts_of(column: Array | Group, stop: int | None = None) -> Names:
    """Cells of a column down to ``stop`` in text: plain, nullable, or categories with their codes."""
    if is_group(column) and "codes" in column:
        codes, categories = column["codes"][:stop], column["categories"]
        found = texts_of(categories) if length_of(categories) <= column["codes"].size else ()
        return tuple(found[code] if 0 <= code < len(found) else "" for code in codes)
    if is_group(column) and "mask" in column:
        pairs = zip(texts_of(column["values"], stop), column["mask"][:stop], strict=True)
        return tuple("" if is_masked else text for text, is_masked in pairs)
    cells = column["values"] if is_group(column) else column
    return tuple(cell.decode() if isinstance(cell, bytes) else str(cell) for cell in cells[:stop])


def gene_names_in(path: Path, file: Group, axis: str, shape: tuple[int, int]) -> Names:
    """Names of the genes: the row names, or symbols in a column where these name no genes."""
    names = names_in(path, file, axis, shape)
    if gene_fraction(names, with_entrez=not are_row_numbers(names)) >= MIN_GENE_FRACTION:
        return names
    for column in (one for one in SYMBOL_COLUMNS if one in file[axis]):
        if length_of(file[axis][column]) == len(names):
            symbols = texts_of(file[axis][column])
            if gene_fraction(symbols, with_entrez=False) >= MIN_GENE_FRACTION:
                return symbols
    return names


def _source(matrix: StoredMatrix, x: Array | Group) -> MatrixSource:
    """The matrix, once it is known how its values are stored."""
    path, place, n_samples = matrix.path, matrix.place, len(matrix.sample_ids)
    stored = x["data"] if is_group(x) else x
    if stored.dtype.kind not in "iuf":
        raise MatrixInvalidError.at(path, f"{place} has {stored.dtype}, not numbers; store it as float")
    if not is_group(x):
        return matrix
    starts = row_starts(path, x)
    encoding = str(x.attrs.get("encoding-type", ""))
    # the columns of a matrix are the rows of the matrix turned round
    by_sample, by_gene = "csr_matrix", "csc_matrix"
    if matrix.samples_in_var:
        by_sample, by_gene = by_gene, by_sample
    if encoding == by_gene:
        by_rows = _by_rows(path, x, starts, (n_samples, len(matrix.gene_ids)))
        return ArrayMatrix(matrix.sample_ids, matrix.gene_ids, by_rows)
    if encoding != by_sample or len(starts) != n_samples + 1:
        msg = f"damaged AnnData (X is sparse of kind {encoding!r} with {len(starts) - 1} rows)"
        raise FileUnreadableError.at(path, msg + "; write it again")
    return replace(matrix, row_starts=starts)


def row_starts(path: Path, x: Group) -> IntArray:
    """Where the rows of a sparse matrix begin, and the last one ends; shape (n_rows + 1,).

    Raises FileUnreadableError: they do not fit its cells.
    """
    starts = np.asarray(x["indptr"][:], dtype=np.int64)
    is_flat = all(x[name].ndim == 1 for name in ("data", "indices", "indptr")) and starts.size
    is_sound = is_flat and starts[0] == 0 and starts[-1] == x["data"].size == x["indices"].size
    if not is_sound or (np.diff(starts) < 0).any():
        raise damaged(path, x, "row starts of the sparse matrix do not fit its data")
    return starts


def _by_rows(path: Path, x: Group, starts: IntArray, shape: tuple[int, int]) -> sparse.csr_matrix:
    """Turn columns into rows, in memory, because rows of such a file cannot be read alone."""
    inside = x["indices"][:]
    if len(starts) != shape[1] + 1 or (len(inside) and (inside.min() < 0 or inside.max() >= shape[0])):
        raise damaged(path, x, f"sparse X does not fit its {shape[0]} samples and {shape[1]} genes")
    return sparse.csc_matrix((x["data"][:].astype(np.float64), inside, starts), shape=shape).tocsr()


def glance_at_anndata(path: Path, request: ReadRequest, opened: Opener = hdf5_file) -> CellGlance | None:
    """Look whether the rows of an AnnData file or store are cells."""
    with opened(path) as file:
        place = place_of(path, file, request)
        axis, x = ("var" if request.transpose else "obs"), file[place]
        index = file[axis].attrs["_index"]
        n_rows, n_genes = reversed(_shape(x)) if request.transpose else _shape(x)
        columns = sorted(name for name in file[axis] if name != index)
        grouping = group_rows(file[axis], columns, n_rows)
        return glance_at_stored(
            StoredMatrix(path, place, (), (), request.transpose, None, opened),
            x,
            (n_rows, n_genes),
            file[axis][index],
            grouping,
            limits=request.limits,
        )


def group_rows(group: Group, columns: Sequence[str], n_rows: int) -> Grouping:
    """Find columns of sample and cell type in a group of an HDF5 file, which has one cell for each row."""
    own = [name for name in columns if _is_own(group, name)]
    whole = [name for name in own if n_rows <= MAX_ROWS and _is_column(group[name], n_rows)]
    return find_grouping(whole, lambda name: texts_of(group[name]))


def _is_column(column: Array | Group, n_rows: int) -> bool:
    is_plain = not is_group(column) and column.ndim == 1
    is_coded = is_group(column) and {"codes", "categories"} <= set(column)
    return (is_plain or is_coded) and length_of(column) == n_rows


def glance_at_stored(
    matrix: StoredMatrix,
    x: Array | Group,
    shape: tuple[int, int],
    names: Array | Group,
    grouping: Grouping = NO_GROUPING,
    *,
    limits: ReadLimits,
) -> CellGlance | None:
    """Look at some rows of a matrix without names, whose values are in ``x``: rows × genes as in ``shape``.

    None where it is too large for a glance, or not as its header says.
    """
    n_rows, n_genes = shape
    if n_rows > MAX_ROWS or n_genes > limits.max_genes or length_of(names) != n_rows:
        return None
    found = texts_of(names, MAX_NAMES)
    values = _glance_at_values(matrix, x, n_rows, n_genes)
    return None if values is None else CellGlance(n_rows, found, values, grouping)


def _glance_at_values(
    matrix: StoredMatrix, x: Array | Group, n_rows: int, n_genes: int
) -> ValueGlance | None:
    """Look at some rows, or at some genes where the file holds its cells gene by gene."""
    blank = replace(matrix, sample_ids=("",) * n_rows, gene_ids=("",) * n_genes)
    if not is_group(x):
        return glance_at_rows(blank)
    starts, is_csc = row_starts(matrix.path, x), x.attrs.get("encoding-type") == "csc_matrix"
    is_by_gene = is_csc is not matrix.samples_in_var if "encoding-type" in x.attrs else False
    n_lines, longest = (n_genes, n_rows) if is_by_gene else (n_rows, n_genes)
    if len(starts) != n_lines + 1 or (np.diff(starts) > longest).any():
        return None
    if is_by_gene:
        return _glance_at_genes(x, starts, n_rows)
    return glance_at_rows(replace(blank, row_starts=starts))


def _glance_at_genes(x: Group, starts: IntArray, n_rows: int) -> ValueGlance:
    """Look at some genes of a matrix that is sparse by gene; the others are taken to be like them."""
    n_genes, n_seen, is_whole = len(starts) - 1, 0, True
    detected = np.zeros(n_rows, dtype=np.int64)
    for first, last in runs(n_genes, size=_GLANCED_GENES, n_runs=_GLANCED_RUNS):
        cells, rows = (x[name][starts[first] : starts[last]] for name in ("data", "indices"))
        is_whole &= are_counts(cells)
        detected += np.bincount(rows[cells != 0], minlength=n_rows)
        n_seen += last - first
    share = detected / max(n_seen, 1)
    return ValueGlance(is_whole, 1.0 - float(share.mean()), float(np.median(share)) * n_genes)


def count_anndata(path: Path, request: ReadRequest, opened: Opener = hdf5_file) -> int:
    """Count the samples of an AnnData file or store by the shape of its matrix."""
    with opened(path) as file:
        return checked_shape(path, file, place_of(path, file, request), request)[int(request.transpose)]


H5AD = MatrixFormat(
    "h5ad",
    lambda probe: probe.head.startswith(MAGIC),
    open_anndata,
    count_anndata,
    glance=glance_at_anndata,
    is_of_cells=True,
)
"""AnnData on disk, dense or sparse, written by anndata 0.7 or later."""
