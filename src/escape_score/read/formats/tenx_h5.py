"""The HDF5 file of Cell Ranger (``filtered_feature_bc_matrix.h5``): features by barcodes, sparse by barcode.

Its layout is that of Cell Ranger 3 and later, a group ``matrix``, or of Cell Ranger 2, a group named by the
genome (10x Genomics, Feature-Barcode Matrices in HDF5).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from escape_score.errors import FileUnreadableError, MatrixInvalidError, listed
from escape_score.read.checks.names import check_samples
from escape_score.read.checks.non_genes import SelectedGenes
from escape_score.read.checks.single_cells import CellGlance
from escape_score.read.files.limits import ReadLimits, check_shape
from escape_score.read.files.probe import Probe
from escape_score.read.formats.h5ad import (
    HDF5_DAMAGED,
    MAGIC,
    StoredMatrix,
    check_stored,
    glance_at_stored,
    hdf5_faults,
    refuse_links,
    row_starts,
    texts_of,
)
from escape_score.read.formats.mtx import GENE_EXPRESSION, gene_names, is_gene
from escape_score.read.formats.reader import (
    MatrixFormat,
    MatrixReading,
    layout_advice,
    refuse_transpose,
)
from escape_score.read.request import ReadRequest

_MEMBERS = ("barcodes", "data", "indices", "indptr", "shape")
_HUMAN_GENOMES = ("grch37", "grch38", "hg19", "hg38")


class _Features(NamedTuple):
    """Where ids, names and types of the features are, below the group; older files have genes only."""

    ids: str
    names: str
    kinds: str = ""


_LAYOUTS = (
    _Features("features/id", "features/name", "features/feature_type"),
    _Features("genes", "gene_names"),
)


def _is_tenx(probe: Probe) -> bool:
    if not probe.head.startswith(MAGIC):
        return False
    try:
        with h5py.File(probe.path) as file:
            return bool(_groups(file))
    except HDF5_DAMAGED:
        return False


def _groups(file: h5py.File) -> list[str]:
    """Groups of the file itself that hold a matrix of Cell Ranger."""
    own = [name for name in file if isinstance(file.get(name, getlink=True), h5py.HardLink)]
    groups = [name for name in own if isinstance(file[name], h5py.Group)]
    return [name for name in groups if all(member in file[name] for member in _MEMBERS)]


def choose_group(path: Path, file: h5py.File) -> str:
    """The only matrix, or the only one of a human genome."""
    groups = _groups(file)
    human = [name for name in groups if name.lower().startswith(_HUMAN_GENOMES)]
    chosen = groups if len(groups) == 1 else human
    if len(chosen) != 1:
        msg = f"the file has matrices of several genomes ({listed(groups)}); give a file of one human genome"
        raise MatrixInvalidError.at(path, msg)
    refuse_links(path, file, chosen[0])
    return chosen[0]


def shape_of(path: Path, group: h5py.Group, limits: ReadLimits) -> tuple[int, int]:
    """Barcodes and features, once it is known that the file holds as many of each as it says."""
    n_features, n_barcodes = (int(size) for size in group["shape"][:2])
    found = (len(group["barcodes"]), len(group["indptr"]) - 1)
    if found != (n_barcodes, n_barcodes):
        msg = f"damaged HDF5 file ({n_barcodes} barcodes promised, {found[0]} found); copy the file again"
        raise FileUnreadableError.at(path, msg)
    check_shape(path, limits, n_samples=n_barcodes, n_genes=n_features)
    check_stored(path, group, (n_barcodes, n_features), limits)
    if group["data"].dtype.kind not in "iuf":
        raise MatrixInvalidError.at(path, f"data are {group['data'].dtype}, not numbers; store them as float")
    return n_barcodes, n_features


def features_of(path: Path, group: h5py.Group, n_features: int) -> list[tuple[str, str, str]]:
    """Id, name and type of each feature."""
    layout = next((one for one in _LAYOUTS if one.ids in group and one.names in group), None)
    members = [name for name in layout or () if name in group]
    if layout is None or any(len(group[name]) != n_features for name in members):
        msg = f"damaged HDF5 file (not every one of {n_features} features has a name); copy the file again"
        raise FileUnreadableError.at(path, msg)
    ids, names = texts_of(group[layout.ids]), texts_of(group[layout.names])
    has_kinds = bool(layout.kinds) and layout.kinds in group
    kinds = texts_of(group[layout.kinds]) if has_kinds else (GENE_EXPRESSION,) * n_features
    return list(zip(ids, names, kinds, strict=True))


def _open_matrix(path: Path, request: ReadRequest) -> MatrixReading:
    refuse_transpose(path, request, "matrix of Cell Ranger")
    with hdf5_faults(path), h5py.File(path) as file:
        place = choose_group(path, file)
        _, n_features = shape_of(path, file[place], request.limits)
        barcodes = texts_of(file[place]["barcodes"])
        features = features_of(path, file[place], n_features)
        starts = row_starts(path, file[place])
    check_samples(str(path), barcodes, request.limits, layout=layout_advice(request))
    kept = np.flatnonzero(is_gene(path, features))
    # other features are left out of the block, so that their names do not matter
    names = [features[at][0] for at in range(n_features)]
    for at, name in zip(kept, gene_names(path, [features[at] for at in kept]), strict=True):
        names[at] = name
    source = StoredMatrix(path, place, barcodes, tuple(names), samples_in_var=False, row_starts=starts)
    return MatrixReading(SelectedGenes(source, kept))


def _glance(path: Path, request: ReadRequest) -> CellGlance | None:
    with hdf5_faults(path), h5py.File(path) as file:
        place = choose_group(path, file)
        n_features, n_barcodes = (int(size) for size in file[place]["shape"][:2])
        matrix = StoredMatrix(path, place, (), (), samples_in_var=False, row_starts=None)
        shape, names = (n_barcodes, n_features), file[place]["barcodes"]
        return glance_at_stored(matrix, file[place], shape, names, limits=request.limits)


def _count_samples(path: Path, request: ReadRequest) -> int:
    with hdf5_faults(path), h5py.File(path) as file:
        return shape_of(path, file[choose_group(path, file)], request.limits)[0]


TENX_H5 = MatrixFormat(
    "Cell Ranger HDF5", _is_tenx, _open_matrix, _count_samples, glance=_glance, is_of_cells=True
)
"""Matrices of gene expression; antibodies, guides and peaks are left out."""
