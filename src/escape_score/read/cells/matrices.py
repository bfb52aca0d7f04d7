"""Matrices of single cells, opened: names, columns of obs and genes are known, values are read later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.sparse as sp

from escape_score.errors import FileUnreadableError, MatrixInvalidError, UsageError, listed
from escape_score.read.cells.request import CellRequest
from escape_score.read.cells.values import kind_of_values, shape_problem
from escape_score.read.checks.names import MIN_GENE_FRACTION, are_row_numbers, gene_fraction
from escape_score.read.checks.single_cells import runs
from escape_score.read.files.limits import check_shape
from escape_score.read.formats.h5ad import (
    H5AD,
    StoredMatrix,
    checked_shape,
    gene_names_in,
    hdf5_faults,
    layers_in,
    length_of,
    names_in,
    place_of,
    refuse_links,
    row_starts,
    texts_of,
)
from escape_score.read.formats.mtx import (
    GENE_EXPRESSION,
    TENX_FOLDER,
    check_header,
    find_parts,
    gene_names,
    read_fields,
    read_header,
)
from escape_score.read.formats.reader import SYMBOL_COLUMNS, ArrayMatrix, SparseSource
from escape_score.read.formats.tenx_h5 import TENX_H5, choose_group, features_of, shape_of
from escape_score.read.formats.turned import Numbers, first_values, turned_columns, turned_entries
from escape_score.read.request import ReadRequest
from escape_score.read.sheet.columns import KNOWN, plain
from escape_score.store.layers import named_layers

if TYPE_CHECKING:
    from anndata import AnnData

RAW = "raw"
"""Name of a layer by which the raw matrix of an h5ad is meant."""

KIND_COLUMN = "feature_types"
"""Column of var with the kind of each feature, as scanpy writes it."""

GLANCED_CELLS, GLANCED_RUNS = 32, 8
"""Neighbouring cells that are looked at together, and how often along the file."""

GLANCED_VALUES = 10_000
"""Values that are looked at where cells cannot be read alone."""

_MISSING = frozenset({"", "nan", "na", "n/a", "none", "null", "<na>"})
_SHEET_NAMES = frozenset(alias for ours, names in KNOWN.items() for alias in (plain(ours), *names))


@dataclass(frozen=True, eq=False)
class Labels:
    """One word for each cell.

    Parameters
    ----------
    codes
        Shape (n_cells,), int32: positions in ``words``, -1 where the cell has none.
    words
        Unique, without blanks at their ends, in the order of the cells that have them first.
    """

    codes: npt.NDArray[np.int32] = field(repr=False)
    words: tuple[str, ...]

    @classmethod
    def of(cls, codes: npt.NDArray[Any], words: Sequence[str]) -> Labels:
        """Labels of any codes: blanks at the ends of words do not count, missing words have none."""
        plain_words = [str(word).strip() for word in words]
        known = [word if word.lower() not in _MISSING else None for word in plain_words]
        of_word, unique = pd.factorize(np.array(known, dtype=object))
        merged = np.append(of_word, -1)[codes].astype(np.int32)  # -1 stays -1
        in_order, first = pd.factorize(np.where(merged < 0, -1, merged))
        keeps = first >= 0
        renumbered = np.where(keeps, np.cumsum(keeps) - 1, -1)
        return cls(renumbered[in_order].astype(np.int32), tuple(str(unique[code]) for code in first[keeps]))

    @classmethod
    def one(cls, word: str, n_cells: int) -> Labels:
        """The same word for all cells."""
        return cls(np.zeros(n_cells, dtype=np.int32), (word,))

    def texts(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.str_]:
        """Words of some cells, empty where they have none."""
        return np.array([*self.words, ""], dtype=np.str_)[self.codes[rows]]


@dataclass(frozen=True, eq=False)
class CellMatrix:
    """A matrix of cells before its values are read.

    Parameters
    ----------
    label
        What errors call it.
    cell_ids
        Names of the cells, in the order of the rows.
    feature_names
        Names by which the columns are looked up as genes.
    kinds
        Kind of each feature; None where the file does not say.
    n_stored
        Shape (n_cells,): stored values of each cell; None where they are not known without reading.
    open_source
        Opens the values; turns them to rows in memory where the file does not hold rows.
    columns
        Names of the columns of obs.
    describing
        Those that may describe samples: with a name of a sample sheet, or of categories.
    read_column
        Reads one of them.
    others
        Other matrices that hold counts, in words, where the values are not counts.
    has_rows
        Whether single rows can be read without the others.
    head
        Some values of a matrix whose rows cannot be read alone.
    take
        Reads any rows, of a matrix in memory; None otherwise.
    parts
        Files that it is read from.
    """

    label: str
    cell_ids: tuple[str, ...] = field(repr=False)
    feature_names: tuple[str, ...] = field(repr=False)
    kinds: tuple[str, ...] | None = field(repr=False)
    n_stored: npt.NDArray[np.int64] | None = field(repr=False)
    open_source: Callable[[], SparseSource] = field(repr=False)
    columns: tuple[str, ...] = ()
    describing: tuple[str, ...] = ()
    read_column: Callable[[str], Labels] = field(default=lambda name: Labels.one(name, 0), repr=False)
    others: Callable[[], tuple[str, ...]] = field(default=tuple, repr=False)
    has_rows: bool = True
    head: Callable[[], Numbers] = field(default=lambda: np.empty(0), repr=False)
    take: Callable[[npt.NDArray[np.intp]], sp.csr_array] | None = field(default=None, repr=False)
    parts: tuple[Path, ...] = ()

    @property
    def remedy(self) -> str:
        """What to do where the values are not counts."""
        others = self.others()
        return f"counts are in another matrix: use {' or '.join(others)}" if others else "give counts"

    def glance(self) -> sp.csr_array:
        """Some cells along the file; where rows cannot be read alone, some values as one row."""
        if not self.has_rows:
            return sp.csr_array(self.head()[None, :])
        source = self.open_source()
        stretches = runs(len(self.cell_ids), size=GLANCED_CELLS, n_runs=GLANCED_RUNS)
        blocks = [source.sparse_block(start, stop) for start, stop in stretches]
        return sp.csr_array(sp.vstack(blocks, format="csr"))


def open_matrix(path: Path, format_name: str, request: CellRequest) -> CellMatrix:
    """Open a file of cells of a known format.

    Raises InputError: the file is damaged, or has no such layer. UsageError: its format has no layers.
    """
    if format_name == H5AD.name:
        return _open_h5ad(path, request)
    if request.layer is not None:
        msg = f"--layer {request.layer}: {path} has no layers; leave it out"
        raise UsageError(msg)
    return _OPENERS[format_name](path, request)


def _open_h5ad(path: Path, request: CellRequest) -> CellMatrix:
    with hdf5_faults(path), h5py.File(path) as file:
        place, var = _places(path, file, request)
        shape = checked_shape(path, file, place, ReadRequest(limits=request.limits))
        check_shape(path, request.limits, n_samples=shape[0], n_genes=shape[1])
        cells, genes = names_in(path, file, "obs", shape), gene_names_in(path, file, var, shape)
        has_kinds = KIND_COLUMN in file[var] and length_of(file[var][KIND_COLUMN]) == shape[1]
        kinds = texts_of(file[var][KIND_COLUMN]) if has_kinds else None
        encoding, starts = _encoding(path, file, place, shape)
        obs, index = file["obs"], file["obs"].attrs["_index"]
        ordered = dict.fromkeys((*map(str, obs.attrs.get("column-order", ())), *obs))
        columns = [name for name in ordered if name != index and _is_column(obs, name, shape[0])]
        describing = tuple(name for name in columns if _may_describe(name, obs[name]))
    rows = StoredMatrix(path, place, cells, genes, samples_in_var=False, row_starts=starts)
    is_csc = encoding == "csc_matrix"
    return CellMatrix(
        label=str(path),
        cell_ids=cells,
        feature_names=genes,
        kinds=kinds,
        n_stored=None if starts is None else np.diff(starts),
        open_source=lambda: turned_columns(path, place, cells, genes) if is_csc else rows,
        columns=tuple(columns),
        describing=describing,
        read_column=lambda name: _column_of_file(path, name),
        others=lambda: _counts_in(path, place),
        has_rows=not is_csc,
        head=lambda: _first_values(path, place),
        parts=(path,),
    )


def _places(path: Path, file: h5py.File, request: CellRequest) -> tuple[str, str]:
    """Where values and genes are; the raw matrix has genes of its own."""
    if request.layer == RAW and RAW not in layers_in(file) and RAW in file:
        refuse_links(path, file, RAW)
        place_of(path, file, ReadRequest(limits=request.limits))
        return f"{RAW}/X", f"{RAW}/var"
    return place_of(path, file, ReadRequest(layer=request.layer, limits=request.limits)), "var"


def _encoding(
    path: Path, file: h5py.File, place: str, shape: tuple[int, int]
) -> tuple[str, npt.NDArray[np.int64] | None]:
    """How a matrix is stored, empty where dense, and where the rows of a sparse one begin."""
    x = file[place]
    stored = x if isinstance(x, h5py.Dataset) else x["data"]
    if stored.dtype.kind not in "iuf":
        raise MatrixInvalidError.at(path, f"{place} has {stored.dtype}, not numbers; store it as float")
    encoding = "" if isinstance(x, h5py.Dataset) else str(x.attrs.get("encoding-type", "?"))
    starts = row_starts(path, x) if encoding == "csr_matrix" else None
    is_whole = starts is None or len(starts) == shape[0] + 1
    if encoding not in ("", "csr_matrix", "csc_matrix") or not is_whole:
        msg = f"damaged h5ad ({place} is sparse of kind {encoding!r}); write the file again"
        raise FileUnreadableError.at(path, msg)
    return encoding, starts


def _first_values(path: Path, place: str) -> Numbers:
    with hdf5_faults(path), h5py.File(path) as file:
        return np.asarray(file[place]["data"][:GLANCED_VALUES])


def _is_column(obs: h5py.Group, name: str, n_cells: int) -> bool:
    if not isinstance(obs.get(name, getlink=True), h5py.HardLink):
        return False
    column = obs[name]
    is_group = isinstance(column, h5py.Group) and (
        {"codes", "categories"} <= column.keys() or "values" in column
    )
    is_plain = isinstance(column, h5py.Dataset) and column.ndim == 1
    return (is_group or is_plain) and length_of(column) == n_cells


def _may_describe(name: str, column: h5py.Group | h5py.Dataset) -> bool:
    is_coded = isinstance(column, h5py.Group) and "codes" in column
    return is_coded or plain(name) in _SHEET_NAMES


def _column_of_file(path: Path, name: str) -> Labels:
    with hdf5_faults(path), h5py.File(path) as file:
        column = file["obs"][name]
        if isinstance(column, h5py.Group) and "codes" in column:
            codes, words = column["codes"][:].astype(np.int64), texts_of(column["categories"])
            codes[(codes < 0) | (codes >= len(words))] = -1
            return Labels.of(codes, [_as_whole(word) for word in words])
        texts = texts_of(column)
    of_cell, unique = pd.factorize(np.array(texts, dtype=object))
    return Labels.of(of_cell, [_as_whole(word) for word in unique])


def _as_whole(word: object) -> str:
    """A word without the fraction of a whole number, which a missing value elsewhere gives to all."""
    text = str(word)
    return text[:-2] if text.endswith(".0") and text[:-2].isdecimal() else text


def _counts_in(path: Path, place: str) -> tuple[str, ...]:
    """Other matrices of an h5ad that hold counts."""
    with hdf5_faults(path), h5py.File(path) as file:
        places = {f"--layer {name}": f"layers/{name}" for name in layers_in(file)}
        places |= {f"--layer {RAW}": f"{RAW}/X"} if RAW in file and "X" in file[RAW] else {}
        places |= {"X, without --layer": "X"} if "X" in file else {}
        return tuple(
            what for what, other in places.items() if other != place and _are_counts(path, file, other)
        )


def _are_counts(path: Path, file: h5py.File, place: str) -> bool:
    """Whether the first cells of a matrix, or the first values by gene, are counts."""
    x = file[place]
    if isinstance(x, h5py.Dataset):
        rows = sp.csr_array(np.asarray(x[:GLANCED_CELLS]))
    else:
        starts = row_starts(path, x)[: GLANCED_CELLS + 1]
        columns, values = (x[name][: starts[-1]] for name in ("indices", "data"))
        n_columns = int(columns.max(initial=0)) + 1
        rows = sp.csr_array((values, columns, starts), shape=(len(starts) - 1, n_columns))
    return kind_of_values(rows).problem == ""


def _open_tenx_h5(path: Path, request: CellRequest) -> CellMatrix:
    with hdf5_faults(path), h5py.File(path) as file:
        place = choose_group(path, file)
        _, n_features = shape_of(path, file[place], request.limits)
        barcodes, features = texts_of(file[place]["barcodes"]), features_of(path, file[place], n_features)
        starts = row_starts(path, file[place])
    names, kinds = gene_names(path, features), tuple(kind for _, _, kind in features)
    rows = StoredMatrix(path, place, barcodes, names, samples_in_var=False, row_starts=starts)
    return CellMatrix(
        str(path), barcodes, names, kinds, np.diff(starts), open_source=lambda: rows, parts=(path,)
    )


def _open_tenx_folder(path: Path, request: CellRequest) -> CellMatrix:
    limits = request.limits
    parts = find_parts(path, limits)
    header = read_header(parts.matrix, limits)
    barcodes = tuple(
        fields[0] for fields in read_fields(parts.barcodes, limits, max_lines=limits.max_samples)
    )
    features = read_fields(parts.features, limits, max_lines=limits.max_genes)
    check_header(path, header, len(features), len(barcodes), limits)
    problem, remedy = shape_problem(np.array([header.n_entries / max(header.n_barcodes, 1)]))
    if problem:
        raise MatrixInvalidError.at(path, f"{problem}; {remedy}")
    names = gene_names(parts.features, features)
    kinds = tuple(fields[2].strip() if len(fields) > 2 else GENE_EXPRESSION for fields in features)  # noqa: PLR2004
    return CellMatrix(
        label=str(path),
        cell_ids=barcodes,
        feature_names=names,
        kinds=kinds,
        n_stored=None,
        open_source=lambda: turned_entries(parts.matrix, header, limits, barcodes, names),
        has_rows=False,
        head=lambda: first_values(parts.matrix, header, limits),
        parts=tuple(parts),
    )


_OPENERS = {TENX_H5.name: _open_tenx_h5, TENX_FOLDER.name: _open_tenx_folder}

READABLE = (H5AD.name, *_OPENERS)
"""Names of the formats of cells."""


# --- data in memory -----------------------------------------------------------------------------------------


def matrix_of_anndata(adata: AnnData, layer: str | None) -> CellMatrix:
    """An AnnData object as a matrix of cells; it is not changed.

    Raises UsageError: it is another object, or lacks the layer. MatrixInvalidError: values are no numbers.
    """
    values, var = _values_of(adata, layer)
    if np.dtype(values.dtype).kind not in "biuf":
        msg = f"adata: values are {values.dtype}, not numbers; store them as float"
        raise MatrixInvalidError(msg)
    names, genes = tuple(map(str, adata.obs_names)), _genes_of(var)
    kinds = tuple(map(str, var[KIND_COLUMN])) if KIND_COLUMN in var else None
    is_backed = not (sp.issparse(values) or isinstance(values, np.ndarray))
    rows: Any = values.tocsr() if getattr(values, "format", "") == "csc" and not is_backed else values
    columns = tuple(map(str, adata.obs.columns))
    source = ArrayMatrix(names, genes, rows)
    return CellMatrix(
        label="adata",
        cell_ids=names,
        feature_names=genes,
        kinds=kinds,
        n_stored=np.diff(rows.indptr).astype(np.int64) if hasattr(rows, "indptr") and not is_backed else None,
        open_source=lambda: source,
        columns=columns,
        describing=tuple(
            name
            for name in columns
            if plain(name) in _SHEET_NAMES or isinstance(adata.obs[name].dtype, pd.CategoricalDtype)
        ),
        read_column=lambda name: _column_of_frame(adata.obs[name]),
        others=lambda: _counts_of(adata, layer),
        take=None if is_backed else lambda at: sp.csr_array(rows[at]),
    )


def _values_of(adata: AnnData, layer: str | None) -> tuple[Any, pd.DataFrame]:
    if not all(hasattr(adata, name) for name in ("obs_names", "var_names", "X", "layers")):
        msg = f"adata: a {type(adata).__name__}, not an AnnData object; make one with anndata.AnnData"
        raise UsageError(msg)
    if layer == RAW and RAW not in adata.layers and adata.raw is not None:
        return adata.raw.X, adata.raw.var
    if layer is not None and layer not in adata.layers:
        names = listed([*named_layers(adata)]) or "none"
        msg = f"layer: {layer!r} is not a layer of adata (layers: {names}); "
        raise UsageError(msg + "name one of them, or leave it out for X")
    values = adata.X if layer is None else adata.layers[layer]
    if values is None:
        msg = (
            f"adata: X is empty; name the layer that holds counts (layers: {listed([*named_layers(adata)])})"
        )
        raise UsageError(msg)
    return values, adata.var


def _genes_of(var: pd.DataFrame) -> tuple[str, ...]:
    """Names of genes: the index of var, or symbols in a column of it where the index names no genes."""
    names = tuple(map(str, var.index))
    if gene_fraction(names, with_entrez=not are_row_numbers(names)) >= MIN_GENE_FRACTION:
        return names
    columns = (tuple(map(str, var[name])) for name in SYMBOL_COLUMNS if name in var)
    return next((one for one in columns if gene_fraction(one, with_entrez=False) >= MIN_GENE_FRACTION), names)


def _column_of_frame(column: pd.Series[Any]) -> Labels:
    codes, words = pd.factorize(column)
    return Labels.of(codes, [_as_whole(word) for word in words])


def _counts_of(adata: AnnData, layer: str | None) -> tuple[str, ...]:
    """Other matrices of an AnnData object that hold counts."""
    others = {f"layer={name!r}": values for name, values in named_layers(adata).items() if name != layer}
    if adata.raw is not None and layer != RAW:
        others[f"layer={RAW!r}"] = adata.raw.X
    heads = {what: sp.csr_array(values[:GLANCED_CELLS]) for what, values in others.items()}
    return tuple(what for what, head in heads.items() if not kind_of_values(head).problem)
