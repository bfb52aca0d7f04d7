"""loom (HDF5): genes in rows, samples in columns, a dense matrix of which samples are read when asked for.

The names are in ``row_attrs`` and ``col_attrs`` (loompy, file format specification 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import h5py

from escape_score.errors import MatrixInvalidError, did_you_mean, listed
from escape_score.read.checks.names import MIN_GENE_FRACTION, check_samples, gene_fraction
from escape_score.read.checks.single_cells import CellGlance
from escape_score.read.files.limits import ReadLimits, check_shape
from escape_score.read.files.probe import Probe
from escape_score.read.formats.h5ad import (
    HDF5_DAMAGED,
    MAGIC,
    Names,
    StoredMatrix,
    glance_at_stored,
    group_rows,
    hdf5_faults,
    refuse_links,
    texts_of,
)
from escape_score.read.formats.reader import (
    MatrixFormat,
    MatrixReading,
    layout_advice,
    refuse_transpose,
)
from escape_score.read.request import ReadRequest

_PARTS = ("matrix", "row_attrs", "col_attrs")
_GENE_ATTRIBUTES = ("Accession", "Gene", "gene_ids", "gene_name", "gene_names", "var_names")
_SAMPLE_ATTRIBUTES = ("CellID", "obs_names", "cell_names", "sample_id")


def _is_loom(probe: Probe) -> bool:
    if not probe.head.startswith(MAGIC):
        return False
    try:
        with h5py.File(probe.path) as file:
            return all(isinstance(file.get(name, getlink=True), h5py.HardLink) for name in _PARTS)
    except HDF5_DAMAGED:
        return False


def _place(path: Path, file: h5py.File, request: ReadRequest) -> str:
    """Where the values are: the matrix, or a layer."""
    for name in (*_PARTS, *(("layers",) if "layers" in file else ())):
        refuse_links(path, file, name)
    layers = tuple(file["layers"]) if isinstance(file.get("layers"), h5py.Group) else ()
    if request.layer is None:
        return "matrix"
    if request.layer not in layers:
        asked = did_you_mean(request.layer, layers) or ";"
        msg = f"no layer {request.layer!r} (layers: {listed(layers) or 'none'}){asked} "
        raise MatrixInvalidError.at(
            path, msg + "name one of them with --layer, or leave it out for the matrix"
        )
    return f"layers/{request.layer}"


def _shape(path: Path, values: h5py.Dataset, limits: ReadLimits) -> tuple[int, int]:
    """Genes and samples."""
    if not isinstance(values, h5py.Dataset) or len(values.shape) != 2 or values.dtype.kind not in "iuf":  # noqa: PLR2004
        raise MatrixInvalidError.at(path, "the matrix of a loom file is no table of numbers; write it again")
    n_genes, n_samples = values.shape
    check_shape(path, limits, n_samples=n_samples, n_genes=n_genes)
    return n_genes, n_samples


def _names(path: Path, group: h5py.Group, attributes: Sequence[str], n_names: int) -> list[Names]:
    """All lists of names of genes or samples, best first."""
    given = [name for name in attributes if name in group and group[name].shape == (n_names,)]
    if not given:
        msg = f"no names in {group.name} (one of {', '.join(attributes)} for each of {n_names}); add them"
        raise MatrixInvalidError.at(path, msg)
    return [texts_of(group[name]) for name in given]


def _open_matrix(path: Path, request: ReadRequest) -> MatrixReading:
    refuse_transpose(path, request, "loom file")
    with hdf5_faults(path), h5py.File(path) as file:
        place = _place(path, file, request)
        n_genes, n_samples = _shape(path, file[place], request.limits)
        genes = _names(path, file["row_attrs"], _GENE_ATTRIBUTES, n_genes)
        sample_ids = _names(path, file["col_attrs"], _SAMPLE_ATTRIBUTES, n_samples)[0]
    check_samples(str(path), sample_ids, request.limits, layout=layout_advice(request))
    known = [names for names in genes if gene_fraction(names) >= MIN_GENE_FRACTION]
    gene_ids = (known or genes)[0]
    source = StoredMatrix(path, place, sample_ids, gene_ids, samples_in_var=True, row_starts=None)
    return MatrixReading(source)


def _glance(path: Path, request: ReadRequest) -> CellGlance | None:
    with hdf5_faults(path), h5py.File(path) as file:
        place = _place(path, file, request)
        n_genes, n_rows = file[place].shape
        columns = file["col_attrs"]
        names = next((columns[name] for name in _SAMPLE_ATTRIBUTES if name in columns), None)
        if names is None:
            return None
        matrix = StoredMatrix(path, place, (), (), samples_in_var=True, row_starts=None)
        grouping = group_rows(columns, [name for name in columns if name not in _SAMPLE_ATTRIBUTES], n_rows)
        return glance_at_stored(
            matrix, file[place], (n_rows, n_genes), names, grouping, limits=request.limits
        )


def _count_samples(path: Path, request: ReadRequest) -> int:
    with hdf5_faults(path), h5py.File(path) as file:
        return _shape(path, file[_place(path, file, request)], request.limits)[1]


LOOM = MatrixFormat("loom", _is_loom, _open_matrix, _count_samples, glance=_glance)
"""loom 2 and 3, the matrix or a layer."""
